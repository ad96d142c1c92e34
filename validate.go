package scriptspec

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/scriptspec/scriptspec/internal/atomicfile"
)

// ValidateOptions chooses what ValidatePaths and ValidateSpec do beyond reading. Nil means the
// zero value.
type ValidateOptions struct {
	// RequiredJobArgs are the job arguments that must be there.
	RequiredJobArgs []string
	// CreateOutputs creates missing output directories, as the design note's validator does.
	// Otherwise an output path that does not exist is fine if it could be created.
	CreateOutputs bool
	// StepNameRule takes the place of [IsStepName], for pipelines that name nodes differently: to
	// allow every job type, one that asks ParseStepName. Saving takes what ParseStepName does.
	StepNameRule func(string) bool
}

// Validate checks the rules of every field: names, logical names, environment names, no empty path,
// no NUL. It does not look at the disk. The error is a [*ValidationError] with every problem.
func (s *ScriptExecutionSpec) Validate() error { return validateRules(s) }

// ValidatePaths checks that inputs exist and can be read, and that outputs can be written or
// created. It opens nothing and, without CreateOutputs, changes nothing. The error is a
// [*ValidationError] with every problem.
func (s *ScriptExecutionSpec) ValidatePaths(o *ValidateOptions) error { return validatePaths(s, o) }

// ValidateJobArgs checks that the required job arguments are there. The error is a
// [*ValidationError] with one problem that names all that are missing, sorted.
func (s *ScriptExecutionSpec) ValidateJobArgs(required ...string) error {
	return validateJobArgs(s, required)
}

// ValidateSpec is the design note's validate_spec: Validate, the script file, ValidatePaths,
// ValidateJobArgs and whether JSON can carry the job arguments, in one pass. The error is a
// [*ValidationError] with every problem.
func (s *ScriptExecutionSpec) ValidateSpec(o *ValidateOptions) error { return validateSpec(s, o, look) }

// IsValid reports whether ValidateSpec(nil) finds nothing.
func (s *ScriptExecutionSpec) IsValid() bool { return validateSpec(s, nil, look) == nil }

// AutoFixCommonIssues turns the script name into snake_case and creates missing output
// directories. It returns what it did and nothing else, and stamps UpdatedAt if that is anything;
// what it cannot fix stays as it is, for ValidateSpec to report.
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
	return validateSpec(s, o, look)
}

// IsValid is as in [ScriptExecutionSpec.IsValid].
func (s *EnhancedScriptExecutionSpec) IsValid() bool { return validateSpec(s, nil, look) == nil }

// AutoFixCommonIssues is as in [ScriptExecutionSpec.AutoFixCommonIssues].
func (s *EnhancedScriptExecutionSpec) AutoFixCommonIssues() []Fix { return autoFix(s) }

// Fix is one thing that AutoFixCommonIssues did.
type Fix struct {
	Field    string // as FieldError.Path: script_name, output_paths["data"]
	From, To string // From is "" where something was made that did not exist
	Message  string // the design note's sentence
}

func validateRules(s Spec) error {
	if errs := ruleErrors(s); len(errs) > 0 {
		return newValidationError(subject(s), errs)
	}
	return nil
}

func validatePaths(s Spec, o *ValidateOptions) error {
	if isNil(s) {
		return validateRules(s)
	}
	errs := slices.DeleteFunc(ruleErrors(s), func(fe *FieldError) bool {
		return field(fe.rank.section) != fieldInputs && field(fe.rank.section) != fieldOutputs
	})
	return newValidationError(subject(s), append(errs, pathErrors(s, o, look)...))
}

func validateJobArgs(s Spec, required []string) error {
	if isNil(s) {
		return validateRules(s)
	}
	return newValidationError(subject(s), jobArgErrors(s, required))
}

func validateSpec(s Spec, o *ValidateOptions, look looker) error {
	if isNil(s) {
		return validateRules(s)
	}
	return checkSpec(s, ownErrors(s), o, look)
}

// ownErrors is what is wrong with a spec wherever it is: its rules, and arguments without JSON.
func ownErrors(s Spec) []*FieldError {
	return append(ruleErrors(s), s.core().jobArgs.problems()...)
}

// checkSpec is validateSpec for a spec with these errors of its own.
func checkSpec(s Spec, errs []*FieldError, o *ValidateOptions, look looker) error {
	if o == nil {
		o = &ValidateOptions{}
	}
	if o.StepNameRule != nil {
		errs = slices.DeleteFunc(errs, func(fe *FieldError) bool {
			return field(fe.rank.section) == fieldStepName && fe.Code == CodeFormat
		})
		if name := *s.core().stepName; name != "" && !o.StepNameRule(name) {
			fe := stepNameError("step_name", name)
			fe.Hint = "the caller's rule for step names refuses it"
			errs = append(errs, fe)
		}
	}
	errs = append(errs, scriptErrors(s, look)...)
	errs = append(errs, pathErrors(s, o, look)...)
	errs = append(errs, jobArgErrors(s, o.RequiredJobArgs)...)
	return newValidationError(subject(s), errs)
}

// subject is what a ValidationError calls the spec.
func subject(s Spec) string {
	if isNil(s) {
		return ""
	}
	c := s.core()
	for _, name := range []string{*c.stepName, *c.scriptName} {
		if name != "" {
			return name
		}
	}
	return "without a name"
}

// scriptErrors looks at the script file, if the rules let its path through.
func scriptErrors(s Spec, look looker) []*FieldError {
	path := *s.core().scriptPath
	if checkText(path) != "" {
		return nil
	}
	found := look(roleScript, path)
	if found.code == "" {
		return nil
	}
	message := map[Code]string{
		CodeNotExist:    "Script file does not exist: " + printable(path),
		CodeNotReadable: "Script file is not readable: " + printable(path),
		CodeNotPython:   "script_path must point to a Python file (.py)",
		CodeNotFile:     "script_path must be a regular file, not " + atomicfile.Kind(found.mode) + ": " + printable(path),
	}[found.code]
	return []*FieldError{{
		Path: "script_path", Code: found.code, Value: path, Message: message, Err: found.err,
		rank: rank{section: int(fieldScriptPath)},
	}}
}

// pathErrors looks at the inputs and outputs that the rules let through.
func pathErrors(s Spec, o *ValidateOptions, look looker) []*FieldError {
	output := roleOutput
	if o != nil && o.CreateOutputs {
		output = roleCreated
	}
	return append(entryErrors(s, fieldInputs, roleInput, look), entryErrors(s, fieldOutputs, output, look)...)
}

func entryErrors(s Spec, f field, r role, look looker) []*FieldError {
	var errs []*FieldError
	s.eachPath(f, func(key, path string) {
		if checkText(path) != "" {
			return
		}
		found := look(r, path)
		if found.code == "" {
			return
		}
		message := direction(f) + " path '" + printable(key) + "' " + map[Code]string{
			CodeNotExist:    "does not exist",
			CodeNotReadable: "is not readable",
			CodeNotWritable: "is not writable",
		}[found.code] + ": " + printable(path)
		if found.code == CodeNotCreatable {
			message = "Cannot create output path '" + printable(key) + "': " + printable(path) + " - " + reason(found.err, path)
		}
		errs = append(errs, &FieldError{
			Path: keyed(s.core().name(f), key), Code: found.code, Value: path, Message: message, Err: found.err,
			rank: rank{section: int(f), key: key},
		})
	})
	return errs
}

// reason returns what the system says, and of which path, unless it is the one that was asked for.
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
	args := *s.core().jobArgs
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
	return []*FieldError{{
		Path: "job_args", Code: CodeMissing, Value: missing,
		Message: "Missing required job arguments: " + printable(strings.Join(missing, ", ")),
		rank:    rank{section: int(fieldJobArgs)},
	}}
}

func autoFix(s Spec) []Fix {
	var fixes []Fix
	c := s.core()
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
		if checkText(e.path) != "" {
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
