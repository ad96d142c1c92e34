package scriptspec

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/scriptspec/scriptspec/internal/strictjson"
)

// Encode writes a spec as the JSON of spec files: two spaces of indent, members in the order of the
// design note, then Extra sorted by name, maps sorted by key, {} for an empty map, a newline at
// the end. The same spec always gives the same bytes.
//
// A spec that [Decode] would refuse is refused with a [*ValidationError] before anything is
// written: names that no file or process can have, NUL in a path, job arguments that JSON cannot
// carry.
func Encode(w io.Writer, s Spec) error {
	data, err := encode(s)
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}

func encode(s Spec) ([]byte, error) {
	if isNil(s) {
		return nil, validateRules(s)
	}
	if errs := storableErrors(s); len(errs) > 0 {
		return nil, newValidationError(subject(s), errs)
	}
	e := encoder{core: s.core()}
	e.w.Buf = make([]byte, 0, 1024)
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
	e.extra("", *e.core.extra, basicNames[:], enhancedNames[fieldInputs:fieldEnviron])
	e.w.End('}', false)
	if len(e.errs) > 0 {
		return nil, newValidationError(subject(s), e.errs)
	}
	return append(e.w.Buf, '\n'), nil
}

var errNotUTF8 = errors.New("text that is not valid UTF-8")

// encoder writes the members of one spec and gathers what cannot be written.
type encoder struct {
	core core
	w    strictjson.Writer
	errs []*FieldError
}

func (e *encoder) name(f field) {
	e.w.Item(f == fieldScriptName)
	e.w.Name(e.core.name(f))
}

func (e *encoder) text(f field, s string) {
	e.name(f)
	if err := e.w.String(s); err != nil {
		e.errs = append(e.errs, unsupported(f, e.core.name(f), "", err))
	}
}

func (e *encoder) stringMap(f field, m map[string]string) {
	e.name(f)
	if e.w.StringMap(m) == nil {
		return
	}
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
	args := *e.core.jobArgs
	if args.write(&e.w) == nil {
		return
	}
	for key := range args {
		if _, err := args.value(key); err != nil {
			e.errs = append(e.errs, err)
		}
	}
}

func (e *encoder) time(f field, t Timestamp) {
	if t.IsZero() && t.form != formNull {
		return
	}
	e.name(f)
	text, err := t.MarshalJSON()
	if err != nil {
		e.errs = append(e.errs, unsupported(f, e.core.name(f), "", err))
		return
	}
	e.w.Buf = append(e.w.Buf, text...)
}

// extra writes unknown members behind the known ones, whose names they may not have.
func (e *encoder) extra(place string, extra map[string]json.RawMessage, known ...[]string) {
	for _, key := range slices.Sorted(maps.Keys(extra)) {
		e.w.Item(false)
		err := e.w.String(key)
		e.w.Buf = append(e.w.Buf, ':', ' ')
		if err == nil {
			err = e.w.Value(extra[key])
		}
		if err != nil {
			e.errs = append(e.errs, unsupported(fieldExtra, place+printable(key), key, err))
		}
		for _, name := range slices.Concat(known...) {
			if strings.EqualFold(key, name) {
				e.errs = append(e.errs, &FieldError{
					Path: place + printable(key), Code: CodeFormat, at: fieldPos{fieldExtra, key},
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
	return append(errs, nulErrors(s)...)
}

// nulErrors finds NUL in the names and paths of inputs and outputs.
func nulErrors(s Spec) []*FieldError {
	var errs []*FieldError
	check := func(f field, key, member, tag, text string) {
		if code := checkEnvValue(text); code != "" {
			errs = append(errs, entryError(s.core(), f, key, member, tag, text, code))
		}
	}
	switch s := s.self().(type) {
	case *ScriptExecutionSpec:
		for f, m := range map[field]map[string]string{fieldInputs: s.InputPaths, fieldOutputs: s.OutputPaths} {
			for key, path := range m {
				check(f, key, "", tagLogicalName, key)
				check(f, key, "", tagPath, path)
			}
		}
	case *EnhancedScriptExecutionSpec:
		for f, m := range map[field]map[string]PathSpec{fieldInputs: s.InputPathSpecs, fieldOutputs: s.OutputPathSpecs} {
			for key, p := range m {
				check(f, key, "", tagLogicalName, key)
				check(f, key, ".logical_name", tagLogicalName, p.LogicalName)
				check(f, key, ".path", tagPath, p.Path)
				for i, alias := range p.Aliases {
					check(f, key, ".aliases["+strconv.Itoa(i)+"]", tagAlias, alias)
				}
			}
		}
	}
	return errs
}
