package scriptspec

import (
	"cmp"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/go-playground/validator/v10"

	"github.com/scriptspec/scriptspec/internal/filename"
)

// occasion is when rules apply.
type occasion uint8

const (
	loading    occasion = 1 << iota // Decode
	storing                         // Encode
	validating                      // Validate
	running                         // before a process is started
	stepShape                       // Validate, unless the caller has a StepNameRule

	always   = loading | storing | validating | running
	complete = validating | running
)

// rule is a condition that a text must not meet, and when it applies.
type rule struct {
	code   Code
	when   occasion
	broken func(text string) bool
	words  string // what is wrong with such a text; "" for a name, which nameError words
}

// textRules are the rules for one kind of text. The first broken one is reported.
type textRules struct {
	tag   string // of RegisterValidations; "" if it has none
	rules []rule
}

// The rules for every kind of text. To add a check, add a row with its words.
var (
	scriptNameRules = textRules{"scriptspec_script_name", []rule{
		{CodeRequired, storing | complete, isEmpty, ""},
		{CodeFormat, storing | complete, func(s string) bool { return !IsScriptName(s) }, ""},
		{CodeTooLong, storing | complete, func(s string) bool { return len(s) > maxScriptName }, ""},
		{CodeNUL, loading, holdsNUL, nulWords},
		// AutoFixCommonIssues can fix what is merely not snake_case.
		{CodeFormat, loading, filename.Unsafe, "script_name must be in snake_case format; this one cannot be part of a file name"},
	}}
	stepNameRules = textRules{"scriptspec_step_name", []rule{
		{CodeNUL, loading, holdsNUL, nulWords},
		{CodeRequired, storing | complete, isEmpty, ""},
		{CodeFormat, storing, func(s string) bool { _, err := ParseStepName(s); return err != nil }, ""},
		{CodeFormat, stepShape, func(s string) bool { return s != "" && !IsStepName(s) }, ""},
		{CodeFormat, running, filename.Unsafe, ""}, // log files and directories have this name
	}}
	scriptPathRules = textRules{"", []rule{
		{CodeRequired, complete, isEmpty, ""},
		noNUL,
	}}
	pathRules        = textRules{"scriptspec_path", []rule{notEmpty, noNUL}}
	logicalNameRules = textRules{"scriptspec_logical_name", []rule{notEmpty, noNUL}}
	aliasRules       = textRules{"scriptspec_alias", []rule{notEmpty, noNUL}}
	envNameRules     = textRules{"scriptspec_env_name", []rule{
		{CodeEmpty, always, isEmpty, emptyWords},
		noNUL,
		{CodeFormat, always, func(s string) bool { return strings.ContainsAny(s, "=\n\r") }, "holds '=' or a line break"},
	}}
	tagRules           = textRules{"", []rule{{CodeFormat, always, notOf(lower+decimal, lower+decimal+"_.-"), tagWords}}}
	labelRules         = textRules{"", []rule{noNUL, {CodeTooLong, always, func(s string) bool { return utf8.RuneCountInString(s) > maxLabel }, "is longer than 256 characters"}}}
	baseNameRules      = textRules{"", []rule{{CodeFormat, always, func(s string) bool { return !IsScriptName(s) }, "is no name of a base: lower-case words joined by underscores"}}}
	dependencyRules    = textRules{"", []rule{notEmpty, noNUL}}
	packageRules       = textRules{"", []rule{{CodeFormat, always, isNoPackage, "is no name of a Python package"}}}
	exampleNameRules   = textRules{"", []rule{{CodeFormat, always, notOf(lower, lower+decimal+"_"), "is no name of an example: a lower-case letter, then letters, digits and underscores"}}}
	containerPathRules = textRules{"", []rule{{CodeFormat, always, func(s string) bool { return !strings.HasPrefix(s, "/") || holdsNUL(s) }, "is no absolute path in a container"}}}

	envValueRules = textRules{"scriptspec_env_value", []rule{noNUL}}
	plainRules    = textRules{"", []rule{noNUL}}

	// Rows that several kinds have.
	notEmpty = rule{CodeEmpty, complete, isEmpty, emptyWords}
	noNUL    = rule{CodeNUL, always, holdsNUL, nulWords}
)

const maxLabel = 256

const (
	lower   = "abcdefghijklmnopqrstuvwxyz"
	upper   = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	decimal = "0123456789"
)

// notOf returns a condition that texts do not meet which begin with one of the first characters and go on with any of the
// others.
func notOf(first, others string) func(string) bool {
	var begins, goesOn [256]bool
	for _, c := range []byte(first) {
		begins[c] = true
	}
	for _, c := range []byte(others) {
		goesOn[c] = true
	}
	return func(s string) bool {
		if s == "" || !begins[s[0]] {
			return true
		}
		for i := 1; i < len(s); i++ {
			if !goesOn[s[i]] {
				return true
			}
		}
		return false
	}
}

var notPackageCharacters = notOf(lower+upper+decimal, lower+upper+decimal+"._-")

// isNoPackage reports whether text is not the name of a Python package, as PEP 508 has it.
func isNoPackage(text string) bool {
	return notPackageCharacters(text) || strings.ContainsAny(text[len(text)-1:], "._-")
}

// twice is the rule of lists that have nothing twice.
var twice = rule{CodeDuplicate, always, nil, "is in the list twice"}

const (
	tagWords   = "must begin with a lower-case letter or digit, and have only these, '_', '.' and '-'"
	emptyWords = "is empty"
	nulWords   = "holds a NUL byte"
)

func isEmpty(s string) bool { return s == "" }

func holdsNUL(s string) bool { return strings.IndexByte(s, 0) >= 0 }

// broken returns the first rule that text breaks, or nil.
func (t *textRules) broken(text string, when occasion) *rule {
	for i := range t.rules {
		if r := &t.rules[i]; r.when&when != 0 && r.broken(text) {
			return r
		}
	}
	return nil
}

// check returns the first rule that text breaks as a flaw, for a codec.
func (t *textRules) check(text string, when occasion) []flaw {
	if r := t.broken(text, when); r != nil {
		return []flaw{{rules: t, rule: r, text: text}}
	}
	return nil
}

// checkScriptName returns the code of the rule that keeps name from being the script name of a file, or "".
func checkScriptName(name string) Code {
	if r := scriptNameRules.broken(name, storing); r != nil {
		return r.code
	}
	return ""
}

// ruleErrors returns the rules that a spec breaks on an occasion, in the given fields or, without any,
// in all.
func ruleErrors(s Spec, when occasion, only ...field) []*FieldError {
	if isNil(s) {
		return []*FieldError{errNilSpec()}
	}
	var errs []*FieldError
	c := s.common()
	l, v := layoutOf(s)
	plain := l.isPlain(v)
	check := func(f field) {
		if !l.has(int(f)) || plain && l.inMeta[f] {
			return
		}
		for _, found := range l.codecs[f].check(&fields[f], l.at(v, int(f)), when) {
			errs = append(errs, ruleError(f, found))
		}
	}
	for _, f := range only {
		check(c.own(f))
	}
	if len(only) == 0 {
		for f := range fields {
			check(field(f))
		}
	}
	return errs
}

func errNilSpec() *FieldError {
	return &FieldError{Path: "spec", Code: CodeRequired, Message: "spec is required", Hint: "it is nil"}
}

// ruleError returns the error for a rule that a text in a field breaks.
func ruleError(f field, found flaw) *FieldError {
	name := fields[f].name
	fail := func(format string, args ...any) *FieldError {
		fe := fieldErrorf(rank{section: int(f), key: found.key}, name+found.place, found.rule.code, format, args...)
		fe.Value = found.text
		return fe
	}
	what := found.rule.words
	switch found.rules {
	case &scriptNameRules, &stepNameRules, &scriptPathRules:
		return nameError(f, found.text, found.rule.code)
	case &logicalNameRules:
		return fail("logical name in %s %s", name, what)
	case &aliasRules:
		return fail("alias in %s %s", name, what)
	case &pathRules:
		if f != fieldInputs && f != fieldInputSpecs && f != fieldOutputs && f != fieldOutputSpecs {
			break
		}
		return fail("%s path '%s' %s", direction(f), found.key, what)
	case &envNameRules:
		fe := fail("environment variable name %s", what)
		fe.Path, fe.Value = name+strings.Replace(found.place, keyed("", found.text), keyed("", withoutValue(found.text)), 1), withoutValue(found.text)
		return fe
	case &envValueRules:
		fe := fail("environment variable '%s' %s", found.key, what)
		fe.Value = nil // never shown, not even to explain the error
		return fe
	}
	return fail("%s %s", name+found.place, what)
}

// withoutValue returns the name of a variable without what was meant for its value, as TOKEN=abcdef is a slip, unless
// that is too short for a secret.
func withoutValue(name string) string {
	if before, value, found := strings.Cut(name, "="); found && len(value) >= shortestSecret {
		return before + "=..."
	}
	return name
}

// loadingError words a rule that a text of a file breaks, where its path is said already.
func loadingError(rules *textRules, broken *rule) string {
	switch {
	case rules == &envNameRules:
		return "environment variable name " + broken.words
	case broken.code == CodeNUL:
		return broken.words + ", which no name or path may"
	}
	return broken.words
}

// nameError returns the error for a rule that the script name, the step name or the script path breaks.
func nameError(f field, value string, code Code) *FieldError {
	name := fields[f].name
	fail := func(format string, args ...any) *FieldError {
		fe := fieldErrorf(rank{section: int(f)}, name, code, format, args...)
		fe.Value = value
		return fe
	}
	switch {
	case code == CodeRequired:
		return fail("%s is required", name)
	case code == CodeNUL:
		return fail("%s holds a NUL byte", name)
	case code == CodeTooLong:
		return fail("script_name must be at most %d bytes long", maxScriptName).
			hintf("it has %d; the file name adds %d and file systems take 255", len(value), len(specFileSuffix))
	case f == fieldStepName:
		return stepNameError(name, value)
	}
	fe := fail("script_name must be in snake_case format").hintf("it is %s", quote(value))
	if fixed := suggestScriptName(value); fixed != "" {
		fe.Hint += ", try " + string(quote(fixed))
	}
	return fe
}

// suggestScriptName returns the valid script name that value can be converted to, or "".
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
	fe := fieldErrorf(rank{section: int(fieldStepName)}, path, CodeFormat,
		"step_name must be in PascalCase format with optional job type suffix").
		hintf("it is %s, want something like %s", quote(value), example)
	fe.Value = value
	return fe
}

// direction returns what messages call a path of a field.
func direction(f field) string {
	if f == fieldInputs || f == fieldInputSpecs {
		return "Input"
	}
	return "Output"
}

// RegisterValidations adds the rules of this package to a validator, before its first use:
//
//   - tags for string fields of the caller's structs: scriptspec_script_name, scriptspec_step_name,
//     scriptspec_path, scriptspec_logical_name, scriptspec_alias, scriptspec_env_name and
//     scriptspec_env_value;
//   - every rule of Validate for specs inside of the caller's structs, instead of the built-in tags.
//     The errors have paths like Host.Spec.input_paths["data"] and a [Code] as their tag.
//
// Without it a validator checks the built-in tags: required names and paths. A PathSpec outside of a
// spec keeps these.
func RegisterValidations(v *validator.Validate) error {
	for _, t := range []*textRules{
		&scriptNameRules, &stepNameRules, &pathRules, &logicalNameRules, &aliasRules, &envNameRules, &envValueRules,
	} {
		err := v.RegisterValidation(t.tag, func(fl validator.FieldLevel) bool {
			f := fl.Field()
			return f.Kind() == reflect.String && t.broken(f.String(), validating|stepShape) == nil
		})
		if err != nil {
			return fmt.Errorf("scriptspec: registering %s: %w", t.tag, err)
		}
	}
	for _, t := range []any{ScriptExecutionSpec{}, EnhancedScriptExecutionSpec{}} {
		leave := map[string]string{} // every field to the struct rule below
		for f := range reflect.TypeOf(t).Fields() {
			leave[f.Name] = "-"
		}
		v.RegisterStructValidationMapRules(leave, t)
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
