package scriptspec

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/scriptspec/scriptspec/internal/strictjson"
)

var pathSpecNames = [...]string{"logical_name", "path", "aliases"}

// document is what a spec file may hold, of either kind.
type document struct {
	inputPaths, outputPaths map[string]string
	inputSpecs, outputSpecs map[string]PathSpec

	scriptName, stepName, scriptPath string
	environVars                      map[string]string
	jobArgs                          JobArgs
	createdAt, updatedAt             Timestamp
	extra                            map[string]json.RawMessage

	// seen tells for each of memberNames where its value begins; 0 is for those that are not there.
	seen [len(memberNames)]int64
}

// member numbers what this package knows of a file, of either kind.
type member uint8

const (
	memberScriptName member = iota
	memberStepName
	memberScriptPath
	memberInputPaths
	memberOutputPaths
	memberInputSpecs
	memberOutputSpecs
	memberEnviron
	memberJobArgs
	memberCreatedAt
	memberUpdatedAt
)

var memberNames = [...]string{
	"script_name", "step_name", "script_path", "input_paths", "output_paths",
	"input_path_specs", "output_path_specs", "environ_vars", "job_args", "created_at", "updated_at",
}

// decoders are used again: each holds the buffers of a JSON decoder.
var decoders = sync.Pool{New: func() any { return &decoder{r: new(strictjson.Reader)} }}

// decode reads a whole file. On any error there is no spec.
func decode(data []byte, file string, strict bool) (Spec, error) {
	d := decoders.Get().(*decoder)
	defer d.release()
	d.strict = strict
	d.r.Reset(data)
	d.document()
	d.r.End()
	if err := problemsError(data, file, d.r.Problems(), placeText); err != nil {
		return nil, err
	}
	return d.doc.spec(), nil
}

// problemsError returns the problems of a file as one error, nil for none. Their places are written
// by place.
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

// An empty and a truncated file can be told from what is merely wrong.
var (
	errEmpty     = fmt.Errorf("%w: %w", ErrCorrupt, io.EOF)
	errTruncated = fmt.Errorf("%w: %w", ErrCorrupt, io.ErrUnexpectedEOF)
)

// decodeError places a problem, whose path is written as place.
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
	}
	return e
}

// placeText writes a path in a spec file: input_path_specs["data"].aliases[2].
func placeText(steps []strictjson.Step) string {
	if len(steps) == 0 || steps[0].Name == nil {
		return stepsText(steps)
	}
	place := printable(*steps[0].Name)
	rest := steps[1:]
	if strings.HasSuffix(place, "_path_specs") && len(rest) > 1 && rest[1].Name != nil {
		place += stepsText(rest[:1]) + "." + printable(*rest[1].Name)
		rest = rest[2:]
	}
	return place + stepsText(rest)
}

// decoder fills a document from the text, noting every problem on the way.
type decoder struct {
	r      *strictjson.Reader
	doc    document
	strict bool
}

// release lets go of the document and keeps the buffers.
func (d *decoder) release() {
	if d.r.Size() > keepBuffer {
		return // the JSON decoder would keep the text
	}
	d.doc = document{}
	d.r.Release()
	decoders.Put(d)
}

func (d *decoder) document() {
	start := d.r.Here()
	if !d.r.Object() {
		return
	}
	for name, ok := d.r.Name(); ok; name, ok = d.r.Name() {
		d.member(d.r.Text(name))
	}
	if d.r.Broken() {
		return
	}
	for _, m := range []member{memberScriptName, memberStepName} {
		if !d.doc.has(m) {
			d.r.RefuseMember(start, memberNames[m], "missing; a spec needs it")
		}
	}
	d.consistent()
}

func (d *decoder) member(name string) {
	doc := &d.doc
	i := slices.Index(memberNames[:], name)
	if i < 0 {
		if _, twice := doc.extra[name]; twice {
			d.r.Duplicate()
		}
		if d.unknown(name, memberNames[:]) {
			if raw, ok := d.r.Raw(); ok {
				setEntry(&doc.extra, name, raw)
			}
		}
		return
	}
	if doc.seen[i] != 0 {
		d.r.Duplicate()
	}
	doc.seen[i] = d.r.Here()
	switch member(i) {
	case memberScriptName:
		doc.scriptName = d.text()
		if strings.IndexByte(doc.scriptName, 0) < 0 && unsafeName(doc.scriptName) {
			d.r.Refuse("script_name must be in snake_case format; this one cannot be part of a file name")
		}
	case memberStepName:
		doc.stepName = d.text()
	case memberScriptPath:
		if d.r.Kind() == 'n' { // the original system writes null where it knows no path
			d.r.Skip()
			return
		}
		doc.scriptPath = d.text()
	case memberInputPaths:
		doc.inputPaths = readMap(d, nil, (*decoder).text)
	case memberOutputPaths:
		doc.outputPaths = readMap(d, nil, (*decoder).text)
	case memberInputSpecs:
		doc.inputSpecs = readMap(d, nil, (*decoder).pathSpec)
	case memberOutputSpecs:
		doc.outputSpecs = readMap(d, nil, (*decoder).pathSpec)
	case memberEnviron:
		doc.environVars = readMap(d, envNameProblem, (*decoder).text)
	case memberJobArgs:
		doc.jobArgs = d.object()
	case memberCreatedAt:
		doc.createdAt = d.time()
	case memberUpdatedAt:
		doc.updatedAt = d.time()
	}
}

func envNameProblem(name string) string {
	code := checkEnvName(name)
	if code == "" || code == CodeNUL { // NUL is refused in every name
		return ""
	}
	return entryError(core{}, fieldEnviron, name, "", tagEnvName, name, code).Message
}

// text reads a string that may become a name or path: no NUL.
func (d *decoder) text() string {
	s, ok := d.r.String()
	if ok && strings.IndexByte(s, 0) >= 0 {
		d.r.Refuse("holds a NUL byte, which no name or path may")
	}
	return s
}

// readMap reads an object whose values are all read by value; refuse says what is wrong with a name,
// if anything.
func readMap[V any](d *decoder, refuse func(key string) string, value func(*decoder) V) map[string]V {
	m := map[string]V{}
	if !d.r.Object() {
		return m
	}
	for name, ok := d.r.Name(); ok; name, ok = d.r.Name() {
		key := d.r.Text(name)
		if _, twice := m[key]; twice {
			d.r.Duplicate()
		}
		message := ""
		if strings.IndexByte(key, 0) >= 0 {
			message = "name holds a NUL byte"
		} else if refuse != nil {
			message = refuse(key)
		}
		if message != "" {
			d.r.Refuse(message)
		}
		m[key] = value(d)
	}
	return m
}

func (d *decoder) object() map[string]any {
	if d.r.Kind() != '{' {
		d.r.Object() // notes the wrong type
		return nil
	}
	v, _ := d.r.Any()
	m, _ := v.(map[string]any)
	return m
}

func (d *decoder) pathSpec() PathSpec {
	var p PathSpec
	start := d.r.Here()
	if !d.r.Object() {
		return p
	}
	var seen [len(pathSpecNames)]bool
	for name, ok := d.r.Name(); ok; name, ok = d.r.Name() {
		key := d.r.Text(name)
		i := slices.Index(pathSpecNames[:], key)
		if _, twice := p.Extra[key]; twice || i >= 0 && seen[i] {
			d.r.Duplicate()
		}
		switch {
		case i >= 0:
			seen[i] = true
			d.pathSpecMember(&p, i)
		case d.unknown(key, pathSpecNames[:]):
			if raw, ok := d.r.Raw(); ok {
				setEntry(&p.Extra, key, raw)
			}
		}
	}
	if !d.r.Broken() && (!seen[0] || !seen[1]) {
		d.r.RefuseAt(start, "a path spec needs the members logical_name and path")
	}
	return p
}

// pathSpecMember reads the value of pathSpecNames[i].
func (d *decoder) pathSpecMember(p *PathSpec, i int) {
	switch i {
	case 0:
		p.LogicalName = d.text()
	case 1:
		p.Path = d.text()
	case 2:
		p.Aliases = []string{}
		if d.r.Array() {
			for d.r.More() {
				p.Aliases = append(p.Aliases, d.text())
			}
		}
	}
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
		d.r.Refuse(err.Error())
	}
	return t
}

// consistent refuses an enhanced document whose plain path maps, which the original system writes
// beside the path specs, say something else.
func (d *decoder) consistent() {
	doc := &d.doc
	for _, side := range []struct {
		plain, specs member
		paths        map[string]string
		pathSpecs    map[string]PathSpec
	}{
		{memberInputPaths, memberInputSpecs, doc.inputPaths, doc.inputSpecs},
		{memberOutputPaths, memberOutputSpecs, doc.outputPaths, doc.outputSpecs},
	} {
		if !doc.has(side.plain) || !doc.has(side.specs) {
			continue
		}
		same := len(side.paths) == len(side.pathSpecs)
		for key, path := range side.paths {
			p, ok := side.pathSpecs[key]
			same = same && ok && p.Path == path
		}
		if !same {
			plain, specs := memberNames[side.plain], memberNames[side.specs]
			d.r.RefuseMember(doc.seen[side.plain], plain,
				"contradicts "+specs+"; remove "+plain+" or make them agree")
		}
	}
}

func (doc *document) has(m member) bool { return doc.seen[m] != 0 }

// spec returns the document as the kind it is: enhanced if it has a map of path specs.
func (doc *document) spec() Spec {
	if !doc.has(memberInputSpecs) && !doc.has(memberOutputSpecs) {
		return &ScriptExecutionSpec{
			ScriptName: doc.scriptName, StepName: doc.stepName, ScriptPath: doc.scriptPath,
			InputPaths: doc.inputPaths, OutputPaths: doc.outputPaths,
			EnvironVars: doc.environVars, JobArgs: doc.jobArgs,
			CreatedAt: doc.createdAt, UpdatedAt: doc.updatedAt, Extra: doc.extra,
		}
	}
	// A side that has only the plain map is taken from it.
	plain := Enhance(&ScriptExecutionSpec{InputPaths: doc.inputPaths, OutputPaths: doc.outputPaths}, nil)
	if !doc.has(memberInputSpecs) {
		doc.inputSpecs = plain.InputPathSpecs
	}
	if !doc.has(memberOutputSpecs) {
		doc.outputSpecs = plain.OutputPathSpecs
	}
	return &EnhancedScriptExecutionSpec{
		ScriptName: doc.scriptName, StepName: doc.stepName, ScriptPath: doc.scriptPath,
		InputPathSpecs: doc.inputSpecs, OutputPathSpecs: doc.outputSpecs,
		EnvironVars: doc.environVars, JobArgs: doc.jobArgs,
		CreatedAt: doc.createdAt, UpdatedAt: doc.updatedAt, Extra: doc.extra,
	}
}
