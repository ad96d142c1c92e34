package scriptspec

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/scriptspec/scriptspec/internal/strictjson"
)

// decoders are reused for the buffers of their JSON readers.
var decoders = sync.Pool{New: func() any { return &decoder{r: new(strictjson.Reader)} }}

// decode reads a whole file. With an error there is no spec.
func decode(data []byte, file string, strict bool) (Spec, error) {
	d := decoders.Get().(*decoder)
	defer d.release()
	d.strict = strict
	d.r.Reset(data)
	s := d.spec()
	d.r.End()
	problems := d.r.Problems()
	if len(problems) > 0 && !strict && versionOf(data, fields[fieldVersion].name) > SpecVersion {
		d.newer = true
		d.r.Reset(data)
		s = d.spec()
		d.r.End()
		problems, d.newer = d.r.Problems(), false
	}
	if err := problemsError(data, file, problems, placeText); err != nil {
		return nil, err
	}
	return s, nil
}

// versionOf returns the version that a file says it is of, 0 if it says none.
func versionOf(data []byte, member string) int64 {
	start, end, ok := strictjson.Span(data, []strictjson.Step{{Name: &member}})
	if !ok {
		return 0
	}
	version, err := strconv.ParseInt(string(data[start:end]), 10, 64)
	if err != nil {
		return 0
	}
	return version
}

// memberIfKnown reads a member of a file of a newer version, in which it may be something else: then it is kept as it is
// written.
func (d *decoder) memberIfKnown(l *layout, v reflect.Value, i int, extra *map[string]json.RawMessage) {
	raw, ok := d.r.Raw()
	if !ok {
		return
	}
	inner := decoder{r: new(strictjson.Reader)}
	inner.r.Reset(raw)
	inner.member(l, v, i)
	if inner.r.End(); len(inner.r.Problems()) > 0 {
		l.at(v, i).SetZero()
		setEntry(extra, l.names[i], raw)
	}
}

// problemsError returns the problems of a file as one error, or nil. place converts their paths.
func problemsError(data []byte, file string, problems []strictjson.Problem, place func([]strictjson.Step) string) error {
	errs := make(decodeErrors, len(problems))
	for i, p := range problems {
		errs[i] = decodeError(data, file, place(p.Path), p)
	}
	switch len(errs) {
	case 0:
		return nil
	case 1:
		return errs[0]
	}
	return errs
}

// Empty and truncated files can be told from other syntax errors.
var (
	errEmpty     = fmt.Errorf("%w: %w", ErrCorrupt, io.EOF)
	errTruncated = fmt.Errorf("%w: %w", ErrCorrupt, io.ErrUnexpectedEOF)
)

// decodeError returns a problem as an error with the given path.
func decodeError(data []byte, file, place string, p strictjson.Problem) *DecodeError {
	e := &DecodeError{File: file, Path: place, Message: p.Message}
	e.Line, e.Column = strictjson.Position(data, p.Offset)
	switch p.Kind {
	case strictjson.Empty:
		e.Err = errEmpty
	case strictjson.Truncated:
		e.Err = errTruncated
	case strictjson.Trailing, strictjson.Syntax, strictjson.Encoding:
		e.Err = ErrCorrupt
	case strictjson.Duplicate:
		p.Rule = string(CodeDuplicate)
	}
	if p.Rule != "" {
		e.Err = &FieldError{Path: place, Code: Code(p.Rule), Message: p.Message}
	}
	return e
}

// placeText returns a path in a spec file: input_path_specs["data"].aliases[2].
func placeText(steps []strictjson.Step) string {
	for i := 1; i < len(steps); i++ {
		if in, name := steps[i-1].Name, steps[i].Name; in != nil && name != nil && *in == fields[fieldEnviron].name && strings.Contains(*name, "=") {
			steps = slices.Clone(steps)
			shown := withoutValue(*name)
			steps[i].Name = &shown
		}
	}
	if len(steps) == 0 || steps[0].Name == nil {
		return stepsText(steps)
	}
	place := printable(*steps[0].Name)
	rest := steps[1:]
	member := len(rest) // index of the step that is a member of an object, not the key of a map
	switch {
	case strings.HasSuffix(place, "_path_specs"), place == fields[fieldExamples].name:
		member = 1
	case place == fields[fieldDependsOn].name, place == fields[fieldBudget].name:
		member = 0
	}
	if member < len(rest) && rest[member].Name != nil {
		place += stepsText(rest[:member]) + "." + printable(*rest[member].Name)
		rest = rest[member+1:]
	}
	return place + stepsText(rest)
}

// decoder reads specs and their parts. Its reader collects the problems.
type decoder struct {
	r      *strictjson.Reader
	strict bool // refuse unknown members
	newer  bool // keep members of version 2 that are not what they are in version 2
}

// release returns the decoder to the pool.
func (d *decoder) release() {
	if d.r.Size() > keepBuffer {
		return // it would keep the text
	}
	d.r.Release()
	decoders.Put(d)
}

// spec reads a spec of either kind: enhanced if the text has a map of path specs. The result is to be
// used only if there are no problems.
func (d *decoder) spec() Spec {
	basic, enhanced := new(ScriptExecutionSpec), (*EnhancedScriptExecutionSpec)(nil)
	b := reflect.ValueOf(basic).Elem()
	var seen [len(fields)]int64
	start, ok := d.members(basicLayout.names, seen[:], &basic.Extra, func(i int) {
		if d.newer && field(i) > fieldVersion {
			d.memberIfKnown(basicLayout, b, i, &basic.Extra)
			return
		}
		if basicLayout.has(i) {
			d.member(basicLayout, b, i)
			return
		}
		if enhanced == nil {
			enhanced = new(EnhancedScriptExecutionSpec)
		}
		d.member(enhancedLayout, reflect.ValueOf(enhanced).Elem(), i)
	})
	if !ok {
		return basic
	}
	for i := range fields {
		if fields[i].required && seen[i] == 0 {
			d.r.RefuseMember(start, fields[i].name, string(CodeRequired), "missing; a spec needs it")
		}
	}
	if enhanced == nil {
		return basic
	}
	// The original system writes plain maps beside those of path specs. If there is only a plain one,
	// the path specs are made from it.
	for _, side := range []struct {
		plain, specs field
		paths        map[string]string
		pathSpecs    *map[string]PathSpec
	}{
		{fieldInputs, fieldInputSpecs, basic.InputPaths, &enhanced.InputPathSpecs},
		{fieldOutputs, fieldOutputSpecs, basic.OutputPaths, &enhanced.OutputPathSpecs},
	} {
		if seen[side.specs] == 0 {
			*side.pathSpecs = pathSpecsOf(side.paths, nil)
		} else if seen[side.plain] != 0 && !maps.Equal(side.paths, plainPaths(*side.pathSpecs)) {
			plain, specs := fields[side.plain].name, fields[side.specs].name
			d.r.RefuseMember(seen[side.plain], plain, "", "contradicts "+specs+"; remove "+plain+" or make them agree")
		}
	}
	e := reflect.ValueOf(enhanced).Elem()
	for i := range fields {
		if basicLayout.has(i) && enhancedLayout.has(i) {
			enhancedLayout.at(e, i).Set(basicLayout.at(b, i))
		}
	}
	enhanced.Extra = basic.Extra
	return enhanced
}

// members reads an object and calls read for each member with a known name, after setting seen to the
// offset of its value. Other members go into extra, or are refused if that is nil. It returns the offset
// of the object, and false if that is not a whole object.
func (d *decoder) members(known []string, seen []int64, extra *map[string]json.RawMessage, read func(i int)) (start int64, ok bool) {
	start = d.r.Here()
	if !d.r.Object() {
		return start, false
	}
	next := 0
	for text, more := d.r.Name(); more; text, more = d.r.Name() {
		if i := indexFrom(next, known, text); i >= 0 {
			next = i + 1
			if seen[i] != 0 {
				d.r.Duplicate()
			}
			seen[i] = d.r.Here()
			read(i)
			continue
		}
		name := d.r.Text(text)
		if extra != nil {
			if _, twice := (*extra)[name]; twice {
				d.r.Duplicate()
			}
		}
		if d.unknown(name, known, extra == nil) {
			if raw, ok := d.r.Raw(); ok {
				setEntry(extra, name, raw)
			}
		}
	}
	return start, !d.r.Broken()
}

// indexFrom returns the index of a name, or -1. It starts at an index, since most files have their
// members in the order of the table.
func indexFrom(next int, names []string, text []byte) int {
	for n := range names {
		i := next + n
		if i >= len(names) {
			i -= len(names)
		}
		if names[i] == string(text) {
			return i
		}
	}
	return -1
}

// member reads the i-th member of the struct v.
func (d *decoder) member(l *layout, v reflect.Value, i int) {
	if l.table[i].nullable && d.r.Kind() == 'n' {
		d.r.Skip()
		return
	}
	l.codecs[i].read(d, &l.table[i], l.at(v, i))
}

// object reads an object into the struct v.
func (d *decoder) object(l *layout, v reflect.Value) {
	seen := make([]int64, len(l.table))
	start, ok := d.members(l.names, seen, l.extraOf(v), func(i int) { d.member(l, v, i) })
	if !ok {
		return
	}
	var required []string
	missing := false
	for i := range l.table {
		if l.table[i].required {
			required = append(required, l.names[i])
			missing = missing || seen[i] == 0
		}
	}
	if missing {
		d.r.RefuseAt(start, string(CodeRequired), l.noun+" needs the members "+strings.Join(required, " and "))
	}
}

// unknown reports whether to keep a member with an unknown name. A name that differs from a known one
// only in case is refused: Python would not take it for that one.
func (d *decoder) unknown(name string, known []string, closed bool) bool {
	for _, want := range known {
		if strings.EqualFold(name, want) {
			d.r.Refuse(string(CodeUnknownMember), "differs from "+want+" only in case; write "+want)
			d.r.Skip()
			return false
		}
	}
	if !closed && (!d.strict || strings.HasPrefix(name, "x-")) { // such members are the user's
		return true
	}
	d.r.Refuse(string(CodeUnknownMember), "unknown member"+doubt(known, name))
	d.r.Skip()
	return false
}

// text reads a string without NUL.
func (d *decoder) text() string { return d.textOf(&plainRules) }

// textOf reads a string that must comply with rules.
func (d *decoder) textOf(rules *textRules) string {
	s, ok := d.r.String()
	if !ok {
		return s
	}
	if r := rules.broken(s, loading); r != nil {
		d.r.Refuse(string(r.code), loadingError(rules, r))
	}
	return s
}

// list reads a list of strings that must comply with the rules of a member.
func (d *decoder) list(m *member) []string {
	list := []string{}
	if d.r.Array() {
		for d.r.More() {
			s := d.textOf(m.textRules())
			if m != nil && m.unique && slices.Contains(list, s) {
				d.r.Refuse(string(twice.code), twice.words)
			}
			list = append(list, s)
		}
	}
	return list
}

// readMap reads an object whose values are read by value and whose keys must comply with rules.
func readMap[V any](d *decoder, keys *textRules, value func(*decoder) V) map[string]V {
	m := map[string]V{}
	if !d.r.Object() {
		return m
	}
	for name, ok := d.r.Name(); ok; name, ok = d.r.Name() {
		key := d.r.Text(name)
		if _, twice := m[key]; twice {
			d.r.Duplicate()
		}
		if r := keys.broken(key, loading); r != nil && r.code == CodeNUL {
			d.r.Refuse(string(r.code), "name "+r.words)
		} else if r != nil {
			d.r.Refuse(string(r.code), loadingError(keys, r))
		}
		m[key] = value(d)
	}
	return m
}

// anyMap reads an object of any values.
func (d *decoder) anyMap() map[string]any {
	if d.r.Kind() != '{' {
		d.r.Object() // notes the wrong type
		return nil
	}
	v, _ := d.r.Any()
	m, _ := v.(map[string]any)
	return m
}

func (d *decoder) time() Timestamp {
	var text string
	switch d.r.Kind() {
	case 'n':
		d.r.Skip()
		return Timestamp{form: formNull}
	case '0':
		n, _ := d.r.Number()
		text = n.String()
	default:
		var ok bool
		if text, ok = d.r.String(); !ok {
			return Timestamp{}
		}
	}
	t, err := ParseTimestamp(text)
	if err != nil {
		d.r.Refuse(string(CodeFormat), err.Error())
	}
	return t
}
