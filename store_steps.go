package scriptspec

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
)

// A step's own file has one of two names: <script_name>.<job_type>, or if another step of the same script and
// job type has that, <script_name>.<base>.<job_type>, with the base in snake_case. What is in a file decides
// whose it is.

// stepFiles are the files that a step may have.
type stepFiles struct {
	step, script string
	short        string // the script's file if the step has no job type
	long         string // "" if it would be too long
}

// newStepFiles returns the files of a step. The job type of a step with a file of its own is in lower case,
// since some file systems ignore case.
func newStepFiles(stepName, scriptName string) (f stepFiles, fe *FieldError) {
	if code := checkScriptName(scriptName); code != "" {
		return f, nameError(fieldScriptName, scriptName, code)
	}
	step, err := ParseStepName(stepName)
	if err != nil {
		return f, stepNameError(fields[fieldStepName].name, stepName)
	}
	f = stepFiles{step: stepName, script: scriptName, short: scriptName}
	f.long = scriptName + "." + strings.ToLower(step.Base)
	if base := ToSnakeCase(step.Base); base != "" {
		f.long = scriptName + "." + base
	}
	if step.JobType != "" {
		f.short += "." + step.JobType
		f.long += "." + step.JobType
	}
	f.short, f.long = f.short+specFileSuffix, f.long+specFileSuffix
	const longest = 255
	fe = stepNameError("step_name", stepName)
	switch {
	case strings.ToLower(step.JobType) != step.JobType:
		fe.Message = "the job type of a step with a file of its own must be in lower case"
		fe.Hint = fmt.Sprintf("it is %q, try %q", step.JobType, strings.ToLower(step.JobType))
		return f, fe
	case len(f.short) > longest:
		fe.Code, fe.Message = CodeTooLong, "script_name and job type together are too long for a file name"
		fe.Hint = fmt.Sprintf("the name would have %d bytes and file systems take %d", len(f.short), longest)
		return f, fe
	case len(f.long) > longest:
		f.long = ""
	}
	return f, nil
}

// isStepPart reports whether the part of a file name behind the script is that of a step.
func isStepPart(text string) bool {
	base, jobType, both := strings.Cut(text, ".")
	if !both {
		base, jobType = "", text
	}
	_, err := ParseStepName("X_" + jobType)
	return err == nil && (!both || IsScriptName(base))
}

// SaveStep writes the spec to its step's own file, so that nodes with the same script do not overwrite each
// other's: <script_name>.<job_type>_runtime_test_spec.json or, if another step has that file,
// <script_name>.<base>.<job_type>_runtime_test_spec.json with the base in snake_case. A step without a job type
// has the script's file, unless that holds another step's spec. A file is never taken from another step: if
// both are, the error is [ErrMismatch]. The job type must be in lower case, since some file systems ignore case.
func (st *Store) SaveStep(s Spec) error {
	if isNil(s) {
		return validateRules(s)
	}
	files, fe := newStepFiles(*s.common().stepName, *s.common().scriptName)
	if fe != nil {
		return newValidationError(subject(s), []*FieldError{fe})
	}
	e, err := encodeToSave(s, filepath.Join(st.specs, files.short))
	if err != nil {
		return err
	}
	defer e.release()
	name, err := st.ownFile(files)
	if err != nil {
		return err
	}
	data := e.w.Buf
	for {
		file := filepath.Join(st.specs, name)
		err = st.write(file, data, func(old []byte) bool { return sameSpec(old, data, s) }, func(old []byte) error {
			return otherStep(old, file, files.step)
		})
		if errors.Is(err, errOtherStep) && name == files.short && files.long != "" {
			name = files.long // another process has just taken it
			continue
		}
		return st.warned(s, name, err)
	}
}

// errOtherStep is in the chain of an ErrMismatch about a step.
var errOtherStep = errors.New("it is another step's")

// otherStep returns an error if a file holds the spec of another step.
func otherStep(text []byte, file, step string) error {
	old, err := decode(text, file, false)
	if err != nil {
		return nil //nolint:nilerr // what is no spec is replaced, as by Save
	}
	if holder := *old.common().stepName; holder != step {
		return stepMismatch(file, holder, step)
	}
	return nil
}

func stepMismatch(file, holder, step string) error {
	return fileError(file, fmt.Sprintf("holds the spec of step %s, not of %s", printable(holder), printable(step)), errors.Join(ErrMismatch, errOtherStep))
}

// ownFile returns the name of the file that a step has or would be saved to.
func (st *Store) ownFile(f stepFiles) (string, error) {
	var free string
	var taken error
	for _, name := range []string{f.long, f.short} {
		if name == "" {
			continue
		}
		s, err := st.load(f.script, name)
		switch {
		case err != nil: // nothing, or what SaveStep replaces
			free = name
		case *s.common().stepName == f.step:
			return name, nil
		default:
			taken = stepMismatch(filepath.Join(st.specs, name), *s.common().stepName, f.step)
		}
	}
	if free == "" {
		return "", taken
	}
	return free, nil
}

// StepPath returns the file that SaveStep would write the spec of a step to, "" for a name that it refuses.
func (st *Store) StepPath(stepName, scriptName string) string {
	files, fe := newStepFiles(stepName, scriptName)
	if fe != nil {
		return ""
	}
	name, err := st.ownFile(files)
	if err != nil {
		return ""
	}
	return filepath.Join(st.specs, name)
}

// LoadStep reads the basic spec of a step: from its own file if there is one, else from the script's,
// with StepName set to the step. A file with the name of the step that holds a spec for another job type is
// refused with [ErrMismatch].
func (st *Store) LoadStep(stepName, scriptName string) (*ScriptExecutionSpec, error) {
	s, file, err := st.loadStep(stepName, scriptName)
	if err != nil {
		return nil, st.withNearest(err, scriptName, specFileSuffix)
	}
	return asBasic(s, file, "LoadEnhancedStep")
}

// LoadEnhancedStep is LoadStep for a spec of either kind; see [LoadEnhanced].
func (st *Store) LoadEnhancedStep(stepName, scriptName string) (*EnhancedScriptExecutionSpec, error) {
	s, _, err := st.loadStep(stepName, scriptName)
	if err != nil {
		return nil, st.withNearest(err, scriptName, specFileSuffix)
	}
	return asEnhanced(s), nil
}

// loadStep is LoadStep for both kinds of spec. It also returns the file, if there is one that cannot be loaded, too.
func (st *Store) loadStep(stepName, scriptName string) (s Spec, file string, err error) {
	files, fe := newStepFiles(stepName, scriptName)
	if step, err := ParseStepName(stepName); fe != nil && err == nil && step.JobType != strings.ToLower(step.JobType) {
		// Such a step cannot have a file of its own.
		files, fe = newStepFiles(step.Base, scriptName)
		files.long = ""
	}
	if fe != nil {
		return nil, "", fe
	}
	script := scriptName + specFileSuffix
	for _, name := range []string{files.long, files.short, script} {
		if name == "" {
			continue
		}
		file = filepath.Join(st.specs, name)
		s, err = st.load(scriptName, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, file, err
		}
		if holder := *s.common().stepName; name != script && holder != stepName {
			if sameJobType(holder, stepName) && (name != files.long || sameBase(holder, stepName)) {
				continue // another step's
			}
			return nil, "", stepMismatch(file, holder, stepName)
		}
		*s.common().stepName = stepName
		return s, file, nil
	}
	if err == nil { // the last file was another step's
		err = &fs.PathError{Op: "open", Path: filepath.Join(st.specs, script), Err: fs.ErrNotExist}
	}
	return nil, "", err
}

func sameJobType(a, b string) bool {
	stepA, errA := ParseStepName(a)
	stepB, errB := ParseStepName(b)
	return errA == nil && errB == nil && stepA.JobType == stepB.JobType
}

// sameBase reports whether the bases of two steps are one in the name of a file.
func sameBase(a, b string) bool {
	stepA, errA := ParseStepName(a)
	stepB, errB := ParseStepName(b)
	return errA == nil && errB == nil && ToSnakeCase(stepA.Base) == ToSnakeCase(stepB.Base)
}

// UpdateStep is [Store.Update] for the own file of a step, as SaveStep writes it.
func (st *Store) UpdateStep(ctx context.Context, stepName, scriptName string, fn func(*ScriptExecutionSpec) error) error {
	name, err := st.existingFile(stepName, scriptName)
	if err != nil {
		return err
	}
	return st.update(ctx, scriptName, name, "LoadEnhancedStep", func(s *ScriptExecutionSpec) error {
		if err := fn(s); err != nil {
			return err
		}
		if s.StepName != stepName {
			return fileError(filepath.Join(st.specs, name), fmt.Sprintf("update changed step_name to %q", printable(s.StepName)), ErrMismatch)
		}
		return nil
	})
}

// DeleteStep removes the own file of a step, as SaveStep writes it, and not the script's.
func (st *Store) DeleteStep(stepName, scriptName string) error {
	name, err := st.existingFile(stepName, scriptName)
	if err != nil {
		return err
	}
	return st.remove(name)
}

// existingFile returns the name of a step's own file, which may not exist.
func (st *Store) existingFile(stepName, scriptName string) (string, error) {
	files, fe := newStepFiles(stepName, scriptName)
	if fe != nil {
		return "", fe
	}
	return st.ownFile(files)
}
