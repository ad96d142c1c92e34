package scriptspec

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"

	"github.com/go-playground/validator/v10"
)

// The tags that RegisterValidations adds. Each is a rule for one kind of text.
const (
	tagScriptName  = "scriptspec_script_name"
	tagStepName    = "scriptspec_step_name"
	tagPath        = "scriptspec_path"
	tagLogicalName = "scriptspec_logical_name"
	tagAlias       = "scriptspec_alias"
	tagEnvName     = "scriptspec_env_name"
	tagEnvValue    = "scriptspec_env_value"
)

// textRules says which code a text breaks, "" for none. To add a rule, add its tag here, name it in
// one of the tables below and word it in identityError or entryError.
var textRules = map[string]func(string) Code{
	tagScriptName:  checkScriptName,
	tagStepName:    checkStepName,
	tagPath:        checkText,
	tagLogicalName: checkText,
	tagAlias:       checkText,
	tagEnvName:     checkEnvName,
	tagEnvValue:    checkEnvValue,
}

// In our own validator these take the place of the built-in tags on the exported structs, which a
// host's validator must be able to run.
var (
	coreRules = map[string]string{
		"ScriptName": tagScriptName, "StepName": tagStepName, "ScriptPath": tagPath,
		"EnvironVars": "dive,keys," + tagEnvName + ",endkeys," + tagEnvValue,
	}
	basicRules = map[string]string{
		"InputPaths":  "dive,keys," + tagLogicalName + ",endkeys," + tagPath,
		"OutputPaths": "dive,keys," + tagLogicalName + ",endkeys," + tagPath,
	}
	enhancedRules = map[string]string{
		"InputPathSpecs":  "dive,keys," + tagLogicalName + ",endkeys",
		"OutputPathSpecs": "dive,keys," + tagLogicalName + ",endkeys",
	}
	pathSpecRules = map[string]string{
		"LogicalName": tagLogicalName, "Path": tagPath, "Aliases": "dive," + tagAlias,
	}
)

// fieldByGoName knows the fields that have rules.
var fieldByGoName = map[string]field{
	"ScriptName": fieldScriptName, "StepName": fieldStepName, "ScriptPath": fieldScriptPath,
	"InputPaths": fieldInputs, "InputPathSpecs": fieldInputs,
	"OutputPaths": fieldOutputs, "OutputPathSpecs": fieldOutputs,
	"EnvironVars": fieldEnviron,
}

func checkScriptName(s string) Code {
	switch {
	case s == "":
		return CodeRequired
	case !IsScriptName(s):
		return CodeFormat
	case len(s) > maxScriptName:
		return CodeTooLong
	}
	return ""
}

func checkStepName(s string) Code {
	switch {
	case s == "":
		return CodeRequired
	case !IsStepName(s):
		return CodeFormat
	}
	return ""
}

func checkText(s string) Code {
	if s == "" {
		return CodeEmpty
	}
	return checkEnvValue(s)
}

func checkEnvName(s string) Code {
	switch {
	case s == "":
		return CodeEmpty
	case strings.IndexByte(s, 0) >= 0:
		return CodeNUL
	case strings.ContainsAny(s, "=\n\r"):
		return CodeFormat
	}
	return ""
}

func checkEnvValue(s string) Code {
	if strings.IndexByte(s, 0) >= 0 {
		return CodeNUL
	}
	return ""
}

// ownValidator is the instance behind Validate.
var ownValidator = sync.OnceValue(func() *validator.Validate {
	v := validator.New(validator.WithRequiredStructEnabled())
	if err := registerTags(v); err != nil {
		panic(err) // the tags are constants: only a programming error of ours gets here
	}
	registerRules(v, ScriptExecutionSpec{}, coreRules, basicRules)
	registerRules(v, EnhancedScriptExecutionSpec{}, coreRules, enhancedRules)
	registerRules(v, PathSpec{}, pathSpecRules)
	return v
})

// registerRules replaces every tag of the struct type: those not in a table mean nothing to check.
func registerRules(v *validator.Validate, structType any, tables ...map[string]string) {
	rules := map[string]string{}
	for f := range reflect.TypeOf(structType).Fields() {
		rules[f.Name] = "-"
	}
	for _, table := range tables {
		for name, rule := range table {
			rules[name] = rule
		}
	}
	v.RegisterStructValidationMapRules(rules, structType)
}

func registerTags(v *validator.Validate) error {
	for tag, check := range textRules {
		err := v.RegisterValidation(tag, func(fl validator.FieldLevel) bool {
			f := fl.Field()
			return f.Kind() == reflect.String && check(f.String()) == ""
		})
		if err != nil {
			return fmt.Errorf("scriptspec: registering %s: %w", tag, err)
		}
	}
	return nil
}

// RegisterValidations adds to a host's validator, before its first use, what is known here:
//
//   - tags for the host's own string fields: scriptspec_script_name, scriptspec_step_name,
//     scriptspec_path, scriptspec_logical_name, scriptspec_alias, scriptspec_env_name and
//     scriptspec_env_value;
//   - every rule of Validate for specs that its structs hold, in place of the built-in tags. The
//     errors have paths like Host.Spec.input_paths["data"] and a [Code] as their tag.
//
// A bare validator without it checks the built-in tags: required names and paths. A PathSpec
// outside of a spec keeps these.
func RegisterValidations(v *validator.Validate) error {
	if err := registerTags(v); err != nil {
		return err
	}
	for _, t := range []any{ScriptExecutionSpec{}, EnhancedScriptExecutionSpec{}} {
		registerRules(v, t)
	}
	v.RegisterStructValidation(func(sl validator.StructLevel) {
		switch s := sl.Current().Interface().(type) {
		case ScriptExecutionSpec:
			reportAll(sl, s.Validate())
		case EnhancedScriptExecutionSpec:
			reportAll(sl, s.Validate())
		}
	}, ScriptExecutionSpec{}, EnhancedScriptExecutionSpec{})
	return nil
}

func reportAll(sl validator.StructLevel, err error) {
	for _, fe := range fieldErrors(err) {
		sl.ReportError(fe.Value, fe.Path, fe.Path, string(fe.Code), "")
	}
}

// ruleErrors runs the rules of every field over a spec.
func ruleErrors(s Spec) []*FieldError {
	if isNil(s) {
		return []*FieldError{{Path: "spec", Code: CodeRequired, Message: "spec is required", Hint: "it is nil"}}
	}
	err := ownValidator().Struct(s.self())
	if err == nil {
		return nil
	}
	ves, _ := errors.AsType[validator.ValidationErrors](err) // the other type is for what is no struct
	c := s.core()
	errs := make([]*FieldError, len(ves))
	for i, ve := range ves {
		errs[i] = translate(c, ve)
	}
	return errs
}

// translate turns the validator's error, whose namespace is Type.Field or Type.Field[key] with the
// key as it is, into ours. Naming fields as the file does is left to here: a tag name function
// would cost the validator two namespaces for every map entry.
func translate(c core, ve validator.FieldError) *FieldError {
	_, place, _ := strings.Cut(ve.Namespace(), ".")
	value, _ := ve.Value().(string)
	goName, _, _ := strings.Cut(place, "[")
	f := fieldByGoName[goName]
	place = place[len(goName):]
	code := textRules[ve.Tag()](value)
	if place == "" {
		return identityError(f, value, code)
	}
	member := ""
	if ve.Tag() == tagAlias {
		i := strings.LastIndex(place, "].Aliases[")
		place, member = place[:i+1], ".aliases"+place[i+len("].Aliases"):]
	} else {
		for goMember, m := range map[string]string{".LogicalName": ".logical_name", ".Path": ".path"} {
			if rest, ok := strings.CutSuffix(place, goMember); ok {
				place, member = rest, m
			}
		}
	}
	return entryError(c, f, place[1:len(place)-1], member, ve.Tag(), value, code)
}

func identityError(f field, value string, code Code) *FieldError {
	name := core{}.name(f)
	fe := &FieldError{Path: name, Code: code, Value: value, rank: rank{section: int(f)}}
	switch {
	case code == CodeRequired || code == CodeEmpty:
		fe.Code, fe.Message = CodeRequired, name+" is required"
	case code == CodeNUL:
		fe.Message = name + " holds a NUL byte"
	case code == CodeTooLong:
		fe.Message = fmt.Sprintf("script_name must be at most %d bytes long", maxScriptName)
		fe.Hint = fmt.Sprintf("it has %d; the file name adds %d and file systems take 255", len(value), len(specFileSuffix))
	case f == fieldScriptName:
		fe.Message = "script_name must be in snake_case format"
		fe.Hint = "it is " + strconv.Quote(clip(value))
		if fixed := suggestScriptName(value); fixed != "" {
			fe.Hint += ", try " + strconv.Quote(fixed)
		}
	default:
		return stepNameError(name, value)
	}
	return fe
}

// suggestScriptName returns the name that a script name can be turned into and saved with, or "".
func suggestScriptName(value string) string {
	if len(value) > 2*maxScriptName {
		return "" // not worth the time
	}
	if fixed := ToSnakeCase(value); checkScriptName(fixed) == "" {
		return fixed
	}
	return ""
}

func stepNameError(path, value string) *FieldError {
	example := "TabularPreprocessing_training"
	if len(value) <= maxScriptName {
		example = cmp.Or(ToPascalCase(value), example)
	}
	return &FieldError{
		Path: path, Code: CodeFormat, Value: value, rank: rank{section: int(fieldStepName)},
		Message: "step_name must be in PascalCase format with optional job type suffix",
		Hint:    "it is " + strconv.Quote(clip(value)) + ", want something like " + printable(example),
	}
}

// entryError words what is wrong with an entry of a map: its key, its value or a member of that.
func entryError(c core, f field, key, member, tag, value string, code Code) *FieldError {
	name := c.name(f)
	fe := &FieldError{
		Path: keyed(name, key) + member, Code: code, Value: value, rank: rank{section: int(f), key: key},
	}
	what := map[Code]string{CodeEmpty: "is empty", CodeNUL: "holds a NUL byte"}[code]
	switch tag {
	case tagLogicalName, tagAlias:
		kind := "logical name"
		if tag == tagAlias {
			kind = "alias"
		}
		fe.Message = fmt.Sprintf("%s in %s %s", kind, name, what)
	case tagPath:
		fe.Message = fmt.Sprintf("%s path '%s' %s", direction(f), printable(key), what)
	case tagEnvName:
		if code == CodeFormat {
			what = "holds '=' or a line break"
		}
		fe.Message = "environment variable name " + what
	case tagEnvValue:
		fe.Value = nil // never shown, not even to say why it is wrong
		fe.Message = fmt.Sprintf("environment variable '%s' holds a NUL byte", printable(key))
	}
	return fe
}

func direction(f field) string {
	if f == fieldInputs {
		return "Input"
	}
	return "Output"
}
