package scriptspec

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/scriptspec/scriptspec/internal/layer"
	"github.com/scriptspec/scriptspec/internal/strictjson"
)

// Base is what several specs have in common: <name>_spec_base.json beside them. What a spec extends is put into it by
// [Store.Render], so that the file of a spec is complete; loading and running do not look at bases. Members are as
// in a spec. A base may extend others.
type Base struct {
	// Name is that of the file, in snake_case.
	Name            string              `json:"-"`
	InputPaths      map[string]string   `json:"input_paths,omitzero"`
	OutputPaths     map[string]string   `json:"output_paths,omitzero"`
	InputPathSpecs  map[string]PathSpec `json:"input_path_specs,omitzero"`
	OutputPathSpecs map[string]PathSpec `json:"output_path_specs,omitzero"`
	EnvironVars     map[string]string   `json:"environ_vars,omitzero"`
	JobArgs         JobArgs             `json:"job_args,omitzero"`
	Metadata        `yaml:",inline"`
	// Extra has the members that begin with x-; others are refused.
	Extra map[string]json.RawMessage `json:"-"`
}

const baseFileSuffix = "_spec_base.json"

// baseRows are the members that a base has, and baseLayout is where a Base keeps them.
var (
	baseRows   = rowsOfBases()
	baseLayout = newLayout("a base", reflect.TypeFor[Base](), membersOf(baseRows))
)

func rowsOfBases() (rows []field) {
	for f := range fields {
		f := field(f)
		if _, ok := inheritable[f]; ok || f == fieldSchema || f == fieldVersion || f == fieldExtends {
			rows = append(rows, f)
		}
	}
	return rows
}

func membersOf(rows []field) (table []member) {
	for _, f := range rows {
		m := fields[f]
		m.always, m.required = false, false
		table = append(table, m)
	}
	return table
}

// LoadBase reads a base. Unknown members are refused, but for those that begin with x-.
func (st *Store) LoadBase(name string) (*Base, error) {
	if fe := baseNameError(name); fe != nil {
		return nil, fe
	}
	data, file, err := st.readNamed(name, baseFileSuffix)
	if err != nil {
		return nil, err
	}
	return decodeBase(data, file, name)
}

func decodeBase(data []byte, file, name string) (*Base, error) {
	b := &Base{Name: name}
	d := decoder{r: new(strictjson.Reader), strict: true}
	d.r.Reset(data)
	d.object(baseLayout, reflect.ValueOf(b).Elem())
	d.r.End()
	probe := &ScriptExecutionSpec{Metadata: b.Metadata}
	if fe := newerError(probe); fe != nil {
		return nil, located(fe, data, file) // whatever else it has may be right in that version
	}
	if err := problemsError(data, file, d.r.Problems(), placeText); err != nil {
		return nil, err
	}
	var errs decodeErrors
	for _, fe := range baseErrors(probe) {
		errs = append(errs, located(fe, data, file))
	}
	if len(errs) > 0 {
		return nil, errs
	}
	return b, nil
}

// SaveBase writes a base as durably as [Store.Save] writes a spec; a file that says the same already is not touched.
// The specs that extend it are not changed by that.
func (st *Store) SaveBase(b *Base) error {
	if b == nil {
		return newValidationError("", []*FieldError{{Path: "base", Code: CodeRequired, Message: "base is required", Hint: "it is nil"}})
	}
	data, err := encodeBase(b)
	if err != nil {
		return err
	}
	return st.write(filepath.Join(st.specs, b.Name+baseFileSuffix), data, func(old []byte) bool { return slices.Equal(old, data) }, nil)
}

// baseErrors returns what is wrong with the members of version 2. Which of them a name in optional is of, is for the specs.
func baseErrors(probe *ScriptExecutionSpec) []*FieldError {
	return slices.DeleteFunc(metadataErrors(probe), func(fe *FieldError) bool { return strings.HasPrefix(fe.Path, fields[fieldOptional].name+"[") })
}

func encodeBase(b *Base) ([]byte, error) {
	v := reflect.ValueOf(b).Elem()
	var errs []*FieldError
	if fe := baseNameError(b.Name); fe != nil {
		errs = append(errs, fe)
	}
	for i, f := range baseRows {
		for _, found := range baseLayout.codecs[i].check(&baseLayout.table[i], baseLayout.at(v, i), storing) {
			errs = append(errs, ruleError(f, found))
		}
	}
	if len(b.Inherited) > 0 {
		errs = append(errs, &FieldError{Path: fields[fieldInherited].name, Code: CodeFormat, Message: "a base has no inherited values", rank: rank{section: int(fieldInherited)}})
	}
	probe := &ScriptExecutionSpec{Metadata: b.Metadata}
	probe.Inherited = nil
	if fe := newerError(probe); fe != nil {
		errs = append(errs, fe)
	}
	errs = append(errs, baseErrors(probe)...)
	for key := range b.Extra {
		if !strings.HasPrefix(key, "x-") {
			fe := &FieldError{Path: printable(key), Code: CodeFormat, Value: key, Message: "a base has no member " + printable(key)}
			errs = append(errs, fe.hintf("prefix members of your own with x-"))
		}
	}
	var e encoder
	e.members(baseLayout, v, func(i int, flaws []flaw) {
		f := field(len(fields))
		if i < len(baseRows) {
			f = baseRows[i]
		}
		for _, found := range flaws {
			errs = append(errs, unwritable(f, found))
		}
	})
	if len(errs) > 0 {
		return nil, validationError("base", b.Name, errs)
	}
	return append(e.w.Buf, '\n'), nil
}

func baseNameError(name string) *FieldError {
	if IsScriptName(name) && len(name)+len(baseFileSuffix) <= 255 {
		return nil
	}
	fe := fieldErrorf(rank{}, "name", CodeFormat, "the name of a base must be in snake_case format, and short enough for a file name")
	fe.Value = name
	return fe.hintf("it is %s", quote(name))
}

// layerOf is one base of a spec, as JSON.
type layerOf struct {
	name   string
	values map[string]any
}

// layers returns all that a spec extends, in the order in which later ones count over earlier ones, for a kind of
// spec.
func (st *Store) layers(extends []string, enhanced bool) ([]layerOf, []*FieldError) {
	l := layerer{st: st, enhanced: enhanced, loaded: map[string]*Base{}}
	for i, name := range extends {
		l.add(name, fields[fieldExtends].name+"["+strconv.Itoa(i)+"]", nil)
	}
	return l.layers, l.errs
}

type layerer struct {
	st       *Store
	enhanced bool
	loaded   map[string]*Base
	layers   []layerOf
	errs     []*FieldError
}

// add puts a base behind those that it extends.
func (l *layerer) add(name, place string, on []string) {
	fail := func(code Code, message string, err error) *FieldError {
		fe := &FieldError{Path: place, Code: code, Value: name, Message: message, Err: err, rank: rank{section: int(fieldExtends), key: place}}
		l.errs = append(l.errs, fe)
		return fe
	}
	if slices.Contains(on, name) {
		circle := append(slices.Clone(on[slices.Index(on, name):]), name)
		_ = fail(CodeBaseCycle, "bases go in a circle: "+printable(strings.Join(circle, " -> ")), nil)
		return
	}
	b, ok := l.loaded[name]
	if !ok {
		var err error
		if b, err = l.st.LoadBase(name); err != nil {
			fe := fail(CodeUnreadable, "base "+printable(name)+" cannot be loaded: "+printable(strings.ReplaceAll(err.Error(), "\n", "; ")), err)
			if inner, ok := errors.AsType[*FieldError](err); ok {
				fe.Code = inner.Code
			}
			if errors.Is(err, fs.ErrNotExist) {
				fe.Code = CodeUnknownBase
				fe.Message = "there is no base " + printable(name) + " in " + printable(l.st.specs)
				if near := l.st.nearest(name, baseFileSuffix); near != "" {
					fe.Hint = "did you mean " + printable(near) + "?"
				}
			}
			return
		}
		l.loaded[name] = b
	}
	if slices.ContainsFunc(l.layers, func(o layerOf) bool { return o.name == name }) {
		return // it counts where it came first, below all that extend it
	}
	for i, other := range b.Extends {
		l.add(other, fmt.Sprintf("%s: %s: extends[%d]", place, name, i), append(slices.Clone(on), name))
	}
	l.layers = append(l.layers, layerOf{name, l.values(b)})
}

// values returns what a base says to a kind of spec.
func (l *layerer) values(b *Base) map[string]any {
	c := *b
	inputs, outputs := c.InputPaths, c.OutputPaths
	if l.enhanced {
		c.InputPathSpecs = withPlain(c.InputPathSpecs, inputs)
		c.OutputPathSpecs = withPlain(c.OutputPathSpecs, outputs)
		c.InputPaths, c.OutputPaths = nil, nil
	} else {
		c.InputPaths = pathsOver(inputs, plainPaths(c.InputPathSpecs))
		c.OutputPaths = pathsOver(outputs, plainPaths(c.OutputPathSpecs))
		c.InputPathSpecs, c.OutputPathSpecs = nil, nil
	}
	c.Schema, c.SpecVersion, c.Extends, c.Extra = "", 0, nil, nil
	var e encoder
	e.members(baseLayout, reflect.ValueOf(&c).Elem(), func(int, []flaw) {}) // it was read, so that it can be written
	return objectOfJSON(e.w.Buf)
}

// withPlain adds plain paths to path specs.
func withPlain(specs map[string]PathSpec, plain map[string]string) map[string]PathSpec {
	all := pathSpecsOf(plain, nil)
	for name, p := range specs {
		setEntry(&all, name, p)
	}
	return all
}

func pathsOver(under, over map[string]string) map[string]string {
	all := map[string]string{}
	for _, paths := range []map[string]string{under, over} {
		for name, path := range paths {
			all[name] = path
		}
	}
	return all
}

// objectOfJSON reads an object that was written here.
func objectOfJSON(text []byte) map[string]any {
	var r strictjson.Reader
	r.Reset(text)
	v, _ := r.Any()
	object, _ := v.(map[string]any)
	return object
}

// inheritRules are how members are merged: maps by key, job_args at any depth.
func inheritRules(path []string) layer.Kind {
	i := slices.IndexFunc(fields[:], func(m member) bool { return m.name == path[0] })
	switch f := field(i); {
	case (f == fieldTags || f == fieldSecrets) && len(path) == 1, f == fieldDependsOn && len(path) == 2 && path[1] != "packages":
		return layer.Set
	case f == fieldJobArgs, f == fieldDependsOn && len(path) <= 2, inheritable[f] && len(path) == 1:
		return layer.Object
	}
	return layer.Value
}
