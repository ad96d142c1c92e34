package scriptspec

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/scriptspec/scriptspec/internal/fsaccess"
)

// ValidateOptions chooses what ValidatePaths and ValidateSpec do beyond reading. Nil means the
// zero value.
type ValidateOptions struct {
	// RequiredJobArgs are the job arguments that must be there.
	RequiredJobArgs []string
	// CreateOutputs creates missing output directories, as the design note's validator does.
	// Otherwise an output path that does not exist is fine if it could be created.
	CreateOutputs bool
	// StepNameRule takes the place of [IsStepName], for pipelines that name nodes differently.
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

// ValidateSpec is the design note's validate_spec: Validate, the script file, ValidatePaths and
// ValidateJobArgs in one pass. The error is a [*ValidationError] with every problem.
func (s *ScriptExecutionSpec) ValidateSpec(o *ValidateOptions) error { return validateSpec(s, o) }

// IsValid reports whether ValidateSpec(nil) finds nothing.
func (s *ScriptExecutionSpec) IsValid() bool { return validateSpec(s, nil) == nil }

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
	return validateSpec(s, o)
}

// IsValid is as in [ScriptExecutionSpec.IsValid].
func (s *EnhancedScriptExecutionSpec) IsValid() bool { return validateSpec(s, nil) == nil }

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
		return fe.at.field != fieldInputs && fe.at.field != fieldOutputs
	})
	return newValidationError(subject(s), append(errs, pathErrors(s, o)...))
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
	if o == nil {
		o = &ValidateOptions{}
	}
	errs := ruleErrors(s)
	if o.StepNameRule != nil {
		errs = slices.DeleteFunc(errs, func(fe *FieldError) bool {
			return fe.at.field == fieldStepName && fe.Code == CodeFormat
		})
		if name := *s.core().stepName; name != "" && !o.StepNameRule(name) {
			fe := stepNameError("step_name", name)
			fe.Hint = "the caller's rule for step names refuses it"
			errs = append(errs, fe)
		}
	}
	errs = append(errs, scriptErrors(s)...)
	errs = append(errs, pathErrors(s, o)...)
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

func scriptErrors(s Spec) []*FieldError {
	path := *s.core().scriptPath
	if checkText(path) != "" {
		return nil // a matter of the rules
	}
	fail := func(code Code, message string, err error) []*FieldError {
		return []*FieldError{{
			Path: "script_path", Code: code, Value: path, Message: message, Err: err,
			at: fieldPos{field: fieldScriptPath},
		}}
	}
	info, err := os.Stat(path)
	switch {
	case err != nil && errors.Is(err, fs.ErrPermission):
		return fail(CodeNotReadable, "Script file is not readable: "+printable(path), err)
	case err != nil:
		return fail(CodeNotExist, "Script file does not exist: "+printable(path), err)
	case !strings.HasSuffix(path, ".py"):
		return fail(CodeNotPython, "script_path must point to a Python file (.py)", nil)
	case !info.Mode().IsRegular():
		return fail(CodeNotFile, "script_path must be a regular file, not "+fileKind(info.Mode())+": "+printable(path), nil)
	}
	if err := fsaccess.Readable(path); err != nil {
		return fail(CodeNotReadable, "Script file is not readable: "+printable(path), err)
	}
	return nil
}

func fileKind(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "a directory"
	case m&fs.ModeNamedPipe != 0:
		return "a FIFO"
	case m&fs.ModeSocket != 0:
		return "a socket"
	case m&fs.ModeDevice != 0:
		return "a device"
	case m&fs.ModeSymlink != 0:
		return "a link"
	}
	return "a special file"
}

// pathErrors looks at the inputs and outputs that the rules let through.
func pathErrors(s Spec, o *ValidateOptions) []*FieldError {
	var errs []*FieldError
	for _, f := range []field{fieldInputs, fieldOutputs} {
		for _, e := range s.paths(f) {
			if checkText(e.path) != "" {
				continue
			}
			var fe *FieldError
			if f == fieldInputs {
				fe = inputError(e)
			} else {
				fe = outputError(e, o != nil && o.CreateOutputs)
			}
			if fe != nil {
				fe.Path, fe.Value, fe.at = keyed(s.core().name(f), e.key), e.path, fieldPos{f, e.key}
				errs = append(errs, fe)
			}
		}
	}
	return errs
}

func inputError(e pathEntry) *FieldError {
	what := "Input path '" + printable(e.key) + "'"
	_, err := os.Stat(e.path)
	switch {
	case err != nil && !errors.Is(err, fs.ErrPermission):
		return &FieldError{Code: CodeNotExist, Message: what + " does not exist: " + printable(e.path), Err: err}
	case err == nil:
		err = fsaccess.Readable(e.path)
	}
	if err != nil {
		return &FieldError{Code: CodeNotReadable, Message: what + " is not readable: " + printable(e.path), Err: err}
	}
	return nil
}

func outputError(e pathEntry, create bool) *FieldError {
	_, err := os.Stat(e.path)
	if err == nil {
		if err := fsaccess.Writable(e.path); err != nil {
			return &FieldError{
				Code: CodeNotWritable, Err: err,
				Message: "Output path '" + printable(e.key) + "' is not writable: " + printable(e.path),
			}
		}
		return nil
	}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		if create {
			err = os.MkdirAll(e.path, 0o777)
		} else {
			err = fsaccess.Creatable(e.path)
		}
	}
	if err != nil {
		return &FieldError{
			Code: CodeNotCreatable, Err: err,
			Message: "Cannot create output path '" + printable(e.key) + "': " + printable(e.path) + " - " + reason(err),
		}
	}
	return nil
}

// reason returns what the system says, without operation and path.
func reason(err error) string {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return printable(pe.Path) + ": " + pe.Err.Error()
	}
	return printable(err.Error())
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
		at:      fieldPos{field: fieldJobArgs},
	}}
}

func autoFix(s Spec) []Fix {
	var fixes []Fix
	c := s.core()
	if from := *c.scriptName; from != "" && !IsScriptName(from) {
		if to := ToSnakeCase(from); to != "" {
			*c.scriptName = to
			fixes = append(fixes, Fix{
				Field: "script_name", From: from, To: to,
				Message: "Fixed script_name format: " + printable(from) + " -> " + to,
			})
		}
	}
	for _, e := range s.paths(fieldOutputs) {
		if checkText(e.path) != "" {
			continue
		}
		if _, err := os.Stat(e.path); !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if os.MkdirAll(e.path, 0o777) == nil {
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
