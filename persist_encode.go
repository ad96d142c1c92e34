package scriptspec

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/scriptspec/scriptspec/internal/strictjson"
)

// Encode writes a spec as the JSON of spec files: two spaces of indent, members in the order of the
// design note, then Extra sorted by name, maps sorted by key, {} for an empty map, a newline at
// the end. The same spec always gives the same bytes.
//
// Refused with a [*ValidationError], before anything is written, are a script name that fails
// [IsScriptName] or is too long for a file, a step name that [ParseStepName] does not take, names of
// environment variables that no process can have, NUL in names, paths and values, and what JSON
// cannot carry. All else that Validate reports, empty paths for one, is written: a spec may be saved
// before it is finished. What is written, Decode reads; Decode also reads names that need fixing.
func Encode(w io.Writer, s Spec) error {
	e, err := encode(s, 0)
	if err != nil {
		return err
	}
	defer e.release()
	n, err := w.Write(e.w.Buf)
	if err == nil && n < len(e.w.Buf) {
		err = io.ErrShortWrite
	}
	return err
}

// encoder writes the members of one spec and gathers what cannot be written.
type encoder struct {
	core core
	w    strictjson.Writer
	errs []*FieldError

	costliest field // the field with most values so far
	most      int   // and what they cost
	before    int   // what all that is written cost when the field began
}

// encoders are used again: each holds a buffer.
var encoders = sync.Pool{New: func() any { return new(encoder) }}

// encode returns an encoder with the text of the spec in its buffer, to be released after use. With a
// limit it stops soon after the text is longer than that.
func encode(s Spec, limit int) (*encoder, error) { return encodeAt(s, limit, 0) }

// encodeAt is encode for a spec inside of another document, depth levels deep.
func encodeAt(s Spec, limit, depth int) (*encoder, error) {
	if isNil(s) {
		return nil, validateRules(s)
	}
	if errs := storableErrors(s); len(errs) > 0 {
		return nil, newValidationError(subject(s), errs)
	}
	e := encoders.Get().(*encoder)
	e.core, e.w.Limit = s.core(), limit
	e.w.At(depth)
	e.document(s)
	if depth == 0 {
		e.w.Buf = append(e.w.Buf, '\n')
	}
	if limit > 0 && len(e.w.Buf) > limit { // whatever was refused after that is only a consequence
		e.release()
		return nil, errTooLong
	}
	if len(e.errs) == 0 && !e.w.Readable() {
		e.errs = append(e.errs, &FieldError{
			Path: e.core.name(e.costliest), Code: CodeUnsupported, rank: rank{section: int(e.costliest)},
			Message: "holds more values than a document of its size may have", Hint: "keep them in a file of their own, as an input",
		})
	}
	if len(e.errs) > 0 {
		defer e.release()
		return nil, newValidationError(subject(s), e.errs)
	}
	return e, nil
}

// release lets go of the spec and keeps the buffer.
func (e *encoder) release() {
	if cap(e.w.Buf) > keepBuffer {
		return
	}
	*e = encoder{w: e.w}
	e.w.Reset()
	encoders.Put(e)
}

func (e *encoder) document(s Spec) {
	e.w.Begin('{')
	e.text(fieldScriptName, *e.core.scriptName)
	e.text(fieldStepName, *e.core.stepName)
	e.text(fieldScriptPath, *e.core.scriptPath)
	switch s := s.self().(type) {
	case *ScriptExecutionSpec:
		e.stringMap(fieldInputs, s.InputPaths)
		e.stringMap(fieldOutputs, s.OutputPaths)
	case *EnhancedScriptExecutionSpec:
		e.pathSpecs(fieldInputs, s.InputPathSpecs)
		e.pathSpecs(fieldOutputs, s.OutputPathSpecs)
	}
	e.stringMap(fieldEnviron, *e.core.environVars)
	e.jobArgs()
	e.time(fieldCreatedAt, *e.core.createdAt)
	e.time(fieldUpdatedAt, *e.core.updatedAt)
	e.count(fieldJobArgs)
	e.extra("", *e.core.extra, memberNames[:])
	e.w.End('}', false)
}

var errTooLong = errors.New("longer than the limit")

var errNotUTF8 = errors.New("text that is not valid UTF-8")

func (e *encoder) name(f field) {
	if f > fieldScriptName {
		e.count(f - 1)
	}
	e.w.Item(f == fieldScriptName)
	e.w.Name(e.core.name(f))
}

// count notes what a field cost.
func (e *encoder) count(f field) {
	if cost := e.w.Cost() - e.before; cost > e.most {
		e.costliest, e.most = f, cost
	}
	e.before = e.w.Cost()
}

func (e *encoder) text(f field, s string) {
	e.name(f)
	if err := e.w.String(s); err != nil {
		e.errs = append(e.errs, unsupported(f, e.core.name(f), "", err))
	}
}

func (e *encoder) stringMap(f field, m map[string]string) {
	e.name(f)
	err := e.w.StringMap(m)
	if err == nil {
		return
	}
	found := len(e.errs)
	defer func() {
		if len(e.errs) == found {
			e.errs = append(e.errs, unsupported(f, e.core.name(f), "", err))
		}
	}()
	// Only what failed is looked at again, so as to name every entry.
	for key, value := range m {
		if !utf8.ValidString(key) || !utf8.ValidString(value) {
			e.errs = append(e.errs, unsupported(f, keyed(e.core.name(f), key), key, errNotUTF8))
		}
	}
}

func (e *encoder) pathSpecs(f field, specs map[string]PathSpec) {
	e.name(f)
	e.w.Begin('{')
	for i, key := range slices.Sorted(maps.Keys(specs)) {
		e.w.Item(i == 0)
		if err := e.pathSpec(key, specs[key]); err != nil {
			e.errs = append(e.errs, unsupported(f, keyed(e.core.name(f), key), key, err))
		}
		p := specs[key]
		e.extra(keyed(e.core.name(f), key)+".", p.Extra, pathSpecNames[:])
		e.w.End('}', false)
	}
	e.w.End('}', len(specs) == 0)
}

func (e *encoder) pathSpec(key string, p PathSpec) error {
	err := e.w.String(key)
	e.w.Buf = append(e.w.Buf, ':', ' ')
	e.w.Begin('{')
	for i, text := range []string{p.LogicalName, p.Path} {
		e.w.Item(i == 0)
		e.w.Name(pathSpecNames[i])
		err = errors.Join(err, e.w.String(text))
	}
	e.w.Item(false)
	e.w.Name(pathSpecNames[2])
	e.w.Begin('[')
	for i, alias := range p.Aliases {
		e.w.Item(i == 0)
		err = errors.Join(err, e.w.String(alias))
	}
	e.w.End(']', len(p.Aliases) == 0)
	return err
}

func (e *encoder) jobArgs() {
	e.name(fieldJobArgs)
	if err := e.core.jobArgs.write(&e.w); err != nil {
		found := e.core.jobArgs.problems()
		if len(found) == 0 {
			found = append(found, err) // whatever it is, what was written is not whole
		}
		e.errs = append(e.errs, found...)
	}
}

func (e *encoder) time(f field, t Timestamp) {
	if t.IsZero() && t.form != formNull {
		return
	}
	e.name(f)
	var err error
	if e.w.Buf, err = t.appendJSON(e.w.Buf); err != nil {
		e.errs = append(e.errs, unsupported(f, e.core.name(f), "", err))
	}
}

// extra writes unknown members behind the known ones, whose names they may not have.
func (e *encoder) extra(place string, extra map[string]json.RawMessage, known []string) {
	if len(extra) == 0 {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(extra)) {
		e.w.Item(false)
		err := e.w.String(key)
		e.w.Buf = append(e.w.Buf, ':', ' ')
		if err == nil {
			err = e.w.Raw(extra[key])
		}
		if err != nil {
			e.errs = append(e.errs, unsupported(fieldExtra, place+printable(key), key, err))
		}
		for _, name := range known {
			if strings.EqualFold(key, name) {
				e.errs = append(e.errs, &FieldError{
					Path: place + printable(key), Code: CodeFormat, rank: rank{section: int(fieldExtra), key: key},
					Message: "a member of Extra has the name of the field " + name,
				})
			}
		}
	}
}

// storableErrors checks what Save, Encode and Decode insist on, whatever else is wrong with the
// spec: names that reach the file system or a process, and NUL.
func storableErrors(s Spec) []*FieldError {
	c := s.core()
	var errs []*FieldError
	if code := checkScriptName(*c.scriptName); code != "" {
		errs = append(errs, identityError(fieldScriptName, *c.scriptName, code))
	}
	if _, err := ParseStepName(*c.stepName); err != nil {
		errs = append(errs, identityError(fieldStepName, *c.stepName, checkStepName(*c.stepName)))
	}
	if code := checkEnvValue(*c.scriptPath); code != "" {
		errs = append(errs, identityError(fieldScriptPath, *c.scriptPath, code))
	}
	for key, value := range *c.environVars {
		if code := checkEnvName(key); code != "" {
			errs = append(errs, entryError(c, fieldEnviron, key, "", tagEnvName, key, code))
		}
		if code := checkEnvValue(value); code != "" {
			errs = append(errs, entryError(c, fieldEnviron, key, "", tagEnvValue, value, code))
		}
	}
	switch s := s.self().(type) {
	case *ScriptExecutionSpec:
		errs = append(errs, nulInPaths(c, fieldInputs, s.InputPaths)...)
		errs = append(errs, nulInPaths(c, fieldOutputs, s.OutputPaths)...)
	case *EnhancedScriptExecutionSpec:
		errs = append(errs, nulInSpecs(c, fieldInputs, s.InputPathSpecs)...)
		errs = append(errs, nulInSpecs(c, fieldOutputs, s.OutputPathSpecs)...)
	}
	return errs
}

// nulInPaths finds NUL in logical names and paths.
func nulInPaths(c core, f field, paths map[string]string) (errs []*FieldError) {
	for key, path := range paths {
		if code := checkEnvValue(key); code != "" {
			errs = append(errs, entryError(c, f, key, "", tagLogicalName, key, code))
		}
		if code := checkEnvValue(path); code != "" {
			errs = append(errs, entryError(c, f, key, "", tagPath, path, code))
		}
	}
	return errs
}

// nulInSpecs is nulInPaths for path specs, with their logical names and aliases.
func nulInSpecs(c core, f field, specs map[string]PathSpec) (errs []*FieldError) {
	for key, p := range specs {
		if code := checkEnvValue(key); code != "" {
			errs = append(errs, entryError(c, f, key, "", tagLogicalName, key, code))
		}
		if code := checkEnvValue(p.LogicalName); code != "" {
			errs = append(errs, entryError(c, f, key, ".logical_name", tagLogicalName, p.LogicalName, code))
		}
		if code := checkEnvValue(p.Path); code != "" {
			errs = append(errs, entryError(c, f, key, ".path", tagPath, p.Path, code))
		}
		for i, alias := range p.Aliases {
			if code := checkEnvValue(alias); code != "" {
				errs = append(errs, entryError(c, f, key, fmt.Sprintf(".aliases[%d]", i), tagAlias, alias, code))
			}
		}
	}
	return errs
}
