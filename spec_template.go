package scriptspec

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/scriptspec/scriptspec/internal/similarity"
	"github.com/scriptspec/scriptspec/internal/strictjson"
)

// Template is a spec with parameters: .specs/templates/<name>.json. It is used once; what should stay linked is a
// [Base].
type Template struct {
	Name, Description string
	// BuiltIn reports whether it is one of this package, and not a file of the store.
	BuiltIn bool
	// Parameters are what New is to be given, by name.
	Parameters map[string]TemplateParameter

	spec map[string]any
}

// TemplateParameter is a parameter of a template.
type TemplateParameter struct {
	// Type is string, number, integer, boolean, array or object.
	Type string
	// Default is the value if none is given; nil means that one is required. Without one script_name comes from
	// script_path, step_name from script_name and job_type, and job_type from step_name.
	Default any
	// Enum are the values allowed; nil means all of the type.
	Enum        []any
	Description string
}

var (
	templateNames  = []string{"template_version", "name", "description", "parameters", "spec", "$schema"}
	parameterNames = []string{"type", "default", "enum", "description"}
	parameterTypes = []string{"string", "number", "integer", "boolean", "array", "object"}

	// A reference, or an escaped one, which is what begins with two dollars.
	reference = regexp.MustCompile(`\$?\$\{[^}]*\}?`)
)

// decodeTemplate reads a template, and checks that it refers to its own parameters alone.
func decodeTemplate(data []byte, file, name string) (*Template, error) {
	t := &Template{Parameters: map[string]TemplateParameter{}}
	for _, checking := range []bool{false, true} { // parameters may stand behind the spec
		d := templateDecoder{decoder: decoder{r: new(strictjson.Reader), strict: true}, t: t, checking: checking}
		d.r.Reset(data)
		d.wholeFile(name)
		d.r.End()
		if err := problemsError(data, file, d.r.Problems(), stepsAsPlace); err != nil && (checking || d.r.Broken()) {
			return nil, err
		}
	}
	return t, nil
}

// stepsAsPlace writes a path in a template: spec.step_name.
func stepsAsPlace(steps []strictjson.Step) string {
	var b strings.Builder
	for i, step := range steps {
		switch {
		case step.Name != nil && i > 0 && pathVariableName.MatchString(*step.Name):
			b.WriteString("." + *step.Name)
		case step.Name != nil && i == 0:
			b.WriteString(printable(*step.Name))
		default:
			b.WriteString(stepsText(steps[i : i+1]))
		}
	}
	return b.String()
}

var pathVariableName = regexp.MustCompile(`^[a-z_][a-z0-9_]*$`)

type templateDecoder struct {
	decoder
	t        *Template
	checking bool // parameters are known
}

func (d *templateDecoder) wholeFile(name string) {
	seen := make([]int64, len(templateNames))
	extra := map[string]json.RawMessage{}
	start, ok := d.members(templateNames, seen, &extra, func(i int) {
		switch templateNames[i] {
		case "template_version":
			if n, ok := d.r.Number(); ok && n != "1" {
				d.r.Refuse(string(CodeNewerVersion), "this version of scriptspec knows templates of version 1")
			}
		case "name":
			if d.t.Name = d.text(); d.t.Name != name {
				d.r.Refuse(string(CodeMismatch), "is not the name of the file, which is "+name)
			}
		case "description":
			d.t.Description = d.text()
		case "parameters":
			d.parameters()
		case "spec":
			if d.r.Kind() != '{' {
				d.r.Object() // notes the wrong type
				return
			}
			d.t.spec, _ = d.value().(map[string]any)
		default:
			d.text()
		}
	})
	for i, member := range templateNames {
		if ok && seen[i] == 0 && (member == "template_version" || member == "name" || member == "spec") {
			d.r.RefuseMember(start, member, string(CodeRequired), "missing; a template needs it")
		}
	}
}

func (d *templateDecoder) parameters() {
	if !d.r.Object() {
		return
	}
	seen := map[string]bool{}
	for text, more := d.r.Name(); more; text, more = d.r.Name() {
		name := d.r.Text(text)
		if seen[name] {
			d.r.Duplicate()
		}
		seen[name] = true
		if !pathVariableName.MatchString(name) {
			d.r.Refuse(string(CodeFormat), "the name of a parameter is a lower-case word, with underscores and digits")
		}
		p := TemplateParameter{Type: "string"}
		d.members(parameterNames, make([]int64, len(parameterNames)), nil, func(i int) {
			switch parameterNames[i] {
			case "type":
				if p.Type = d.text(); !slices.Contains(parameterTypes, p.Type) {
					d.r.Refuse(string(CodeFormat), "is no type of JSON; want one of "+strings.Join(parameterTypes, ", "))
				}
			case "default":
				p.Default, _ = d.r.Any()
			case "enum":
				if d.r.Kind() != '[' {
					d.r.Array()
					return
				}
				list, _ := d.r.Any()
				if p.Enum, _ = list.([]any); len(p.Enum) == 0 {
					d.r.Refuse(string(CodeEmpty), "is empty, so that no value would do")
				}
			case "description":
				p.Description = d.text()
			}
		})
		if problem := p.refuses(p.Default); p.Default != nil && problem != "" {
			d.r.Refuse(string(CodeFormat), "the default "+problem)
		}
		d.t.Parameters[name] = p
	}
}

// value reads a value of the spec, whose texts may refer to parameters.
func (d *templateDecoder) value() any {
	switch d.r.Kind() {
	case '{':
		object := map[string]any{}
		if !d.r.Object() {
			return object
		}
		for text, more := d.r.Name(); more; text, more = d.r.Name() {
			key := d.r.Text(text)
			if _, twice := object[key]; twice {
				d.r.Duplicate()
			}
			d.checkReferences(key)
			object[key] = d.value()
		}
		return object
	case '[':
		list := []any{}
		if d.r.Array() {
			for d.r.More() {
				list = append(list, d.value())
			}
		}
		return list
	case '"':
		text, _ := d.r.String()
		d.checkReferences(text)
		return text
	}
	v, _ := d.r.Any()
	return v
}

func (d *templateDecoder) checkReferences(text string) {
	for _, found := range reference.FindAllString(text, -1) {
		name, closed := strings.CutSuffix(strings.TrimPrefix(found, "${"), "}")
		_, known := d.t.Parameters[name]
		switch {
		case !d.checking || strings.HasPrefix(found, "$$"):
			continue
		case !closed:
			d.r.Refuse(string(CodeFormat), printable(found)+": is not closed; write $${ for the text itself")
			continue
		case known:
			continue
		}
		message := printable(found) + ": no such parameter" + doubt(sortedKeys(d.t.Parameters), name)
		d.r.Refuse(string(CodeUnknownMember), message+"; write $${ for the text itself")
	}
}

// refuses says what is wrong with a value, "" if nothing is.
func (p *TemplateParameter) refuses(value any) string {
	plain, err := plainJSON(value)
	if err != nil {
		return "is no JSON: " + err.Error()
	}
	fits := false
	switch v := plain.(type) {
	case string:
		fits = p.Type == "string"
	case bool:
		fits = p.Type == "boolean"
	case json.Number:
		_, err := v.Int64()
		fits = p.Type == "number" || p.Type == "integer" && err == nil
	case []any:
		fits = p.Type == "array"
	case map[string]any:
		fits = p.Type == "object"
	}
	if !fits {
		return "is " + jsonText(plain) + ", which is no " + p.Type
	}
	isSame := func(other any) bool {
		o, err := plainJSON(other)
		return err == nil && reflect.DeepEqual(o, plain)
	}
	if len(p.Enum) > 0 && !slices.ContainsFunc(p.Enum, isSame) {
		var names []string
		for _, v := range p.Enum {
			names = append(names, flagText(v))
		}
		return "is " + jsonText(plain) + ", which is none of " + listed(names)
	}
	return ""
}

// New returns a spec of the template with the parameters given, made now. The error is a [*ValidationError] with every
// parameter that is unknown, of the wrong type, or missing and not to be made of others, or with what the spec comes to that is none.
func (t *Template) New(params map[string]any) (Spec, error) {
	if t == nil || t.spec == nil {
		return nil, validationError("template", "", []*FieldError{{Path: "template", Code: CodeRequired, Message: "the template was not loaded"}})
	}
	var errs []*FieldError
	fail := func(name string, code Code, message, hint string) {
		errs = append(errs, &FieldError{
			Path: keyed("parameters", name), Code: code, Value: name, Message: "parameter " + string(quote(name)) + " " + message, Hint: hint, rank: rank{key: name},
		})
	}
	values, supposed := t.derived(params), orEmpty(maps.Clone(params))
	for _, name := range sortedKeys(params) {
		p, known := t.Parameters[name]
		if !known {
			fail(name, CodeFormat, "is unknown", meantOf(sortedKeys(t.Parameters), name))
			if near := similarity.Nearest(sortedKeys(t.Parameters), name, ToSnakeCase(name)); near != "" {
				supposed[near] = params[name] // else what is misspelt would be missing as well
			}
		} else if problem := p.refuses(params[name]); problem != "" {
			if isSecretName(name) {
				problem = "is no " + p.Type + ", or none of those allowed"
			}
			fail(name, CodeType, problem, p.Description)
		}
	}
	for _, name := range slices.Concat([]string{"script_path", "script_name"}, sortedKeys(t.Parameters)) { // those that others follow from first
		p, known := t.Parameters[name]
		if _, ok := t.derived(supposed)[name]; known && !ok {
			fail(name, CodeRequired, "is required", p.Description)
			supposed[name] = "script.py"
		}
	}
	if len(errs) > 0 {
		return nil, validationError("template", t.Name, errs)
	}
	var twice []string
	document, _ := expanded(t.spec, values, &twice).(map[string]any) // as the spec is one
	for _, key := range twice {
		fail(key, CodeDuplicate, "makes a name that there is twice in one object: "+string(quote(key)), "")
	}
	if len(errs) > 0 {
		return nil, validationError("template", t.Name, errs)
	}
	s, err := specOf(document, true)
	if err == nil { // what could be saved: script_path may come later
		err = newValidationError(subject(s), append(ruleErrors(s, storing), metadataErrors(s)...))
	}
	if err != nil {
		return nil, fmt.Errorf("template %s: the spec that it comes to: %w", t.Name, err)
	}
	c := s.common()
	*c.createdAt, *c.updatedAt = now(), Timestamp{}
	c.touch()
	return s, nil
}

// derived returns the parameters with defaults, and with what others say of the names of script and step.
func (t *Template) derived(params map[string]any) map[string]any {
	values := map[string]any{}
	for name, p := range t.Parameters {
		if p.Default != nil {
			values[name] = p.Default
		}
	}
	maps.Copy(values, params)
	text := func(name string) string {
		s, _ := values[name].(string)
		return s
	}
	derive := func(name, value string) {
		if _, given := values[name]; !given && value != "" {
			if _, known := t.Parameters[name]; known {
				values[name] = value
			}
		}
	}
	if step, err := ParseStepName(text("step_name")); err == nil {
		if _, given := params["job_type"]; !given && step.JobType != "" && t.Parameters["job_type"].Type == "string" {
			values["job_type"] = step.JobType
		}
	}
	stem := strings.TrimSuffix(filepath.Base(text("script_path")), ".py")
	if stem != "." {
		derive("script_name", ToSnakeCase(stem))
	}
	if base := ToPascalCase(text("script_name")); base != "" {
		if job := text("job_type"); job != "" {
			base += "_" + job
		}
		derive("step_name", base)
	}
	return values
}

// expanded returns a value of the spec with parameters in it, and the names that objects would have twice.
func expanded(v any, values map[string]any, twice *[]string) any {
	switch v := v.(type) {
	case map[string]any:
		object := make(map[string]any, len(v))
		for _, key := range sortedKeys(v) {
			name := flagText(expandedText(key, values))
			if _, taken := object[name]; taken {
				*twice = append(*twice, name)
			}
			object[name] = expanded(v[key], values, twice)
		}
		return object
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = expanded(item, values, twice)
		}
		return list
	case string:
		return expandedText(v, values)
	}
	return v
}

// expandedText returns a text with parameters in it, or the value itself if it is nothing else.
func expandedText(text string, values map[string]any) any {
	if loc := reference.FindStringIndex(text); loc != nil && loc[0] == 0 && loc[1] == len(text) && !strings.HasPrefix(text, "$$") {
		return values[text[2:len(text)-1]]
	}
	return reference.ReplaceAllStringFunc(text, func(found string) string {
		if escaped, ok := strings.CutPrefix(found, "$$"); ok {
			return "$" + escaped
		}
		return flagText(values[found[2:len(found)-1]])
	})
}
