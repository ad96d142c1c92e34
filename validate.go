package scriptspec

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/scriptspec/scriptspec/internal/atomicfile"
)

// ValidateOptions chooses what ValidatePaths and ValidateSpec do beyond reading. Nil means the
// zero value.
type ValidateOptions struct {
	// RequiredJobArgs names the job arguments that a spec must have.
	RequiredJobArgs []string
	// CreateOutputs creates missing output directories, as the design note's validator does.
	// Otherwise an output path need not exist if it can be created.
	CreateOutputs bool
	// StepNameRule replaces [IsStepName], for pipelines that name nodes differently. A rule that
	// calls ParseStepName allows every job type, as saving does.
	StepNameRule func(string) bool
	// Base is as in RuntimeTester. In ValidateAll "" means the store's.
	Base string
	// PathVars is as in RuntimeTester.
	PathVars map[string]string

	// dir is the test data directory of the store that the specs are from.
	dir string
}

func (o *ValidateOptions) resolver() pathResolver {
	if o == nil {
		return pathResolver{}
	}
	return pathResolver{base: o.Base, vars: o.PathVars, dir: o.dir}
}

// Validate checks the rules of every field: names, logical names, environment names, no empty path,
// no NUL. It does not access the disk. The error is a [*ValidationError] with every problem.
func (s *ScriptExecutionSpec) Validate() error { return validateRules(s) }

// ValidatePaths checks that inputs exist and can be read, and that outputs can be written or
// created. It opens nothing and, without CreateOutputs, changes nothing. The error is a
// [*ValidationError] with every problem.
func (s *ScriptExecutionSpec) ValidatePaths(o *ValidateOptions) error { return validatePaths(s, o) }

// ValidateJobArgs checks that the spec has the required job arguments. The error is a
// [*ValidationError] with one problem that names all missing ones, sorted.
func (s *ScriptExecutionSpec) ValidateJobArgs(required ...string) error {
	return validateJobArgs(s, required)
}

// ValidateSpec is the design note's validate_spec: Validate, the script file, ValidatePaths,
// ValidateJobArgs and whether JSON can represent the job arguments, in one pass. The error is a
// [*ValidationError] with every problem.
func (s *ScriptExecutionSpec) ValidateSpec(o *ValidateOptions) error { return validateSpec(s, o) }

// IsValid reports whether ValidateSpec(nil) finds nothing.
func (s *ScriptExecutionSpec) IsValid() bool { return validateSpec(s, nil) == nil }

// AutoFixCommonIssues converts the script name to snake_case and creates missing output directories.
// It returns what it did, and stamps UpdatedAt if it did anything. What it cannot fix is left for
// ValidateSpec to report.
func (s *ScriptExecutionSpec) AutoFixCommonIssues() []Fix { return autoFix(s) }

// Validate is as in [ScriptExecutionSpec.Validate] and also checks logical names and aliases of
// path specs.
func (s *EnhancedScriptExecutionSpec) Validate() error { return validateRules(s) }

// ValidatePaths is as in [ScriptExecutionSpec.ValidatePaths].
func (s *EnhancedScriptExecutionSpec) ValidatePaths(o *ValidateOptions) error {
	return validatePaths(s, o)
}

// ValidateJobArgs is as in [ScriptExecutionSpec.ValidateJobArgs].
func (s *EnhancedScriptExecutionSpec) ValidateJobArgs(required ...string) error {
	return validateJobArgs(s, required)
}

// ValidateSpec is as in [ScriptExecutionSpec.ValidateSpec].
func (s *EnhancedScriptExecutionSpec) ValidateSpec(o *ValidateOptions) error {
	return validateSpec(s, o)
}

// IsValid is as in [ScriptExecutionSpec.IsValid].
func (s *EnhancedScriptExecutionSpec) IsValid() bool { return validateSpec(s, nil) == nil }

// AutoFixCommonIssues is as in [ScriptExecutionSpec.AutoFixCommonIssues].
func (s *EnhancedScriptExecutionSpec) AutoFixCommonIssues() []Fix { return autoFix(s) }

// Fix is one thing that AutoFixCommonIssues did.
type Fix struct {
	Field    string // as FieldError.Path: script_name, output_paths["data"]
	From, To string // From is "" if To was created
	Message  string // the design note's sentence
}

func validateRules(s Spec) error {
	errs := ruleErrors(s, validating|stepShape)
	if !isNil(s) {
		errs = append(errs, metadataErrors(s)...)
	}
	if len(errs) == 0 {
		return nil
	}
	return newValidationError(subject(s), errs)
}

func validatePaths(s Spec, o *ValidateOptions) error {
	if isNil(s) {
		return validateRules(s)
	}
	errs := ruleErrors(s, validating, fieldInputs, fieldOutputs)
	resolved, unresolved := o.resolver().resolve(s)
	found := pathErrors(resolved, o, checkPath)
	o.resolver().explain(found, s)
	return newValidationError(subject(s), append(errs, joinByPath(unresolved, found)...))
}

func validateJobArgs(s Spec, required []string) error {
	if isNil(s) {
		return validateRules(s)
	}
	return newValidationError(subject(s), jobArgErrors(s, required))
}

func validateSpec(s Spec, o *ValidateOptions) error {
	if isNil(s) {
		return validateRules(s)
	}
	return validateWith(s, ownErrors(s), o, checkPath)
}

// ownErrors returns what is wrong with a spec whatever the disk and the options: broken rules, and job
// arguments that JSON cannot represent.
func ownErrors(s Spec) []*FieldError {
	errs := append(ruleErrors(s, validating), metadataErrors(s)...)
	return append(errs, s.common().jobArgs.problems()...)
}

// validateWith is validateSpec for a spec whose own errors are known.
func validateWith(s Spec, errs []*FieldError, o *ValidateOptions, check pathChecker) error {
	if o == nil {
		o = &ValidateOptions{}
	}
	errs = append(errs, stepNameErrors(s, o.StepNameRule)...)
	resolved, unresolved := o.resolver().resolve(s)
	found := append(scriptErrors(resolved, check), pathErrors(resolved, o, check)...)
	o.resolver().explain(found, s)
	errs = append(errs, joinByPath(unresolved, found)...)
	errs = append(errs, jobArgErrors(s, o.RequiredJobArgs)...)
	return newValidationError(subject(s), errs)
}

// stepNameErrors checks the shape of the step name, by the caller's rule if there is one.
func stepNameErrors(s Spec, rule func(string) bool) []*FieldError {
	if rule == nil {
		return ruleErrors(s, stepShape, fieldStepName)
	}
	name := *s.common().stepName
	if name == "" || rule(name) {
		return nil
	}
	return []*FieldError{stepNameError("step_name", name).hintf("the caller's rule for step names refuses it")}
}

// subject returns what a ValidationError calls the spec.
func subject(s Spec) string {
	if isNil(s) {
		return ""
	}
	c := s.common()
	for _, name := range []string{*c.stepName, *c.scriptName} {
		if name != "" {
			return name
		}
	}
	return "without a name"
}

// scriptErrors checks the script file, if the rules let its path through.
func scriptErrors(s Spec, check pathChecker) []*FieldError {
	path := *s.common().scriptPath
	if scriptPathRules.broken(path, validating) != nil {
		return nil
	}
	if fe := notLocal(path); fe != nil {
		fe.Path, fe.rank = "script_path", rank{section: int(fieldScriptPath)}
		return []*FieldError{fe}
	}
	problem := check(useScript, path)
	if problem.code == "" {
		return nil
	}
	fail := func(format string, args ...any) []*FieldError {
		fe := fieldErrorf(rank{section: int(fieldScriptPath)}, "script_path", problem.code, format, args...)
		fe.Value, fe.Err, fe.Hint = path, problem.err, relativeTo(path)
		return []*FieldError{fe}
	}
	switch problem.code {
	case CodeNotReadable:
		return fail("Script file is not readable: %s", path)
	case CodeNotPython:
		return fail("script_path must point to a Python file (.py)")
	case CodeNotFile:
		return fail("script_path must be a regular file, not %s: %s", atomicfile.Kind(problem.mode), path)
	}
	return fail("Script file does not exist: %s", path)
}

// pathErrors checks the inputs and outputs that the rules let through.
func pathErrors(s Spec, o *ValidateOptions, check pathChecker) []*FieldError {
	output := useOutput
	if o != nil && o.CreateOutputs {
		output = useCreated
	}
	errs := append(entryErrors(s, fieldInputs, useInput, check), entryErrors(s, fieldOutputs, output, check)...)
	errs = append(append(errs, fileErrors(s, check)...), exampleErrors(s, check)...)
	return append(errs, layoutErrors(s, filepath.Clean)...)
}

// exampleErrors checks the inputs of examples, but for those of which it is an example that they are not there.
func exampleErrors(s Spec, check pathChecker) []*FieldError {
	var errs []*FieldError
	for i, e := range s.common().meta.Examples {
		for _, name := range sortedKeys(e.InputPaths) {
			path := e.InputPaths[name]
			if pathRules.broken(path, validating) != nil || e.Expect == OutcomeInputMissing {
				continue
			}
			at := rank{section: int(fieldExamples), index: i, key: name}
			fe := notLocal(path)
			if fe == nil {
				problem := check(useInput, path)
				if problem.code == "" || problem.code == CodeNotExist && s.common().isOptional(name) {
					continue
				}
				fe = fieldErrorf(at, "", problem.code, "input '%s' of the example %s %s: %s", name, e.Name,
					map[Code]string{CodeNotExist: "does not exist", CodeNotReadable: "is not readable"}[problem.code], path)
				fe.Value, fe.Err, fe.Hint = path, problem.err, relativeTo(path)
			}
			fe.Path, fe.rank = exampleInput(i, name), at
			errs = append(errs, fe)
		}
	}
	return errs
}

// fileErrors checks the files of depends_on.
func fileErrors(s Spec, check pathChecker) []*FieldError {
	var errs []*FieldError
	for i, path := range s.common().meta.DependsOn.Files {
		at := rank{section: int(fieldDependsOn), index: i}
		if pathRules.broken(path, validating) != nil {
			continue
		}
		fe := notLocal(path)
		if fe == nil {
			problem := check(useInput, path)
			if problem.code == "" {
				continue
			}
			fe = fieldErrorf(at, "", problem.code, "file '%s', which the spec depends on, %s", path,
				map[Code]string{CodeNotExist: "does not exist", CodeNotReadable: "is not readable"}[problem.code])
			fe.Value, fe.Err, fe.Hint = path, problem.err, relativeTo(path)
		}
		fe.Path, fe.rank = dependedFile(i), at
		errs = append(errs, fe)
	}
	return errs
}

// dependedFile is the place of a file of depends_on.
func dependedFile(i int) string {
	return fields[fieldDependsOn].name + ".files[" + strconv.Itoa(i) + "]"
}

// entryErrors checks the inputs or the outputs.
func entryErrors(s Spec, f field, use pathUse, check pathChecker) []*FieldError {
	var errs []*FieldError
	own := s.common().own(f)
	s.eachPath(f, func(key, path string) {
		if pathRules.broken(path, validating) != nil {
			return
		}
		if fe := notLocal(path); fe != nil {
			fe.Path, fe.rank = keyed(fields[own].name, key), rank{section: int(own), key: key}
			errs = append(errs, fe)
			return
		}
		problem := check(use, path)
		if problem.code == "" || problem.code == CodeNotExist && s.common().isOptional(key) {
			return
		}
		fe := fieldErrorf(rank{section: int(own), key: key}, keyed(fields[own].name, key), problem.code,
			"%s path '%s' %s: %s", direction(f), key, map[Code]string{
				CodeNotExist:    "does not exist",
				CodeNotReadable: "is not readable",
				CodeNotWritable: "is not writable",
			}[problem.code], path)
		if problem.code == CodeNotCreatable {
			fe.Message = sprintf("Cannot create output path '%s': %s - %s", []any{key, path, reason(problem.err, path)})
		}
		fe.Value, fe.Err, fe.Hint = path, problem.err, relativeTo(path)
		errs = append(errs, fe)
	})
	return errs
}

// relativeTo says what a relative path is relative to; "" for others.
func relativeTo(path string) string {
	wd, err := os.Getwd()
	if err != nil || filepath.IsAbs(path) {
		return ""
	}
	return "relative to the working directory, " + printable(wd)
}

// reason returns the system's message, with the path it is about unless that is the one asked for.
func reason(err error, asked string) string {
	pe, ok := errors.AsType[*fs.PathError](err)
	switch {
	case !ok:
		return printable(err.Error())
	case pe.Path == asked:
		return pe.Err.Error()
	}
	return printable(pe.Path) + ": " + pe.Err.Error()
}

func jobArgErrors(s Spec, required []string) []*FieldError {
	args := *s.common().jobArgs
	var missing []string
	for _, name := range required {
		if _, ok := args[name]; !ok {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	missing = slices.Compact(missing)
	fe := fieldErrorf(rank{section: int(fieldJobArgs)}, "job_args", CodeMissing,
		"Missing required job arguments: %s", strings.Join(missing, ", "))
	fe.Value = missing
	return []*FieldError{fe}
}

func autoFix(s Spec) []Fix {
	var fixes []Fix
	c := s.common()
	if from := *c.scriptName; from != "" && !IsScriptName(from) {
		if to := suggestScriptName(from); to != "" {
			*c.scriptName = to
			fixes = append(fixes, Fix{
				Field: "script_name", From: from, To: to,
				Message: "Fixed script_name format: " + printable(from) + " -> " + to,
			})
		}
	}
	for _, e := range sortedPaths(s, fieldOutputs) {
		if pathRules.broken(e.path, validating) != nil || notLocal(e.path) != nil {
			continue
		}
		if _, err := os.Stat(e.path); !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if makeDir(e.path) == nil {
			fixes = append(fixes, Fix{
				Field: keyed(c.name(fieldOutputs), e.key), To: e.path,
				Message: "Created output directory: " + printable(e.path),
			})
		}
	}
	if len(fixes) > 0 {
		c.touch()
	}
	return fixes
}
