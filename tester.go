package scriptspec

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/scriptspec/scriptspec/internal/proctree"
	"github.com/scriptspec/scriptspec/internal/pydriver"
	"github.com/scriptspec/scriptspec/internal/strictjson"
)

// RuntimeTester runs scripts under their specs. The zero value is ready. It is not changed by its
// methods, so that one tester can run many scripts at the same time.
type RuntimeTester struct {
	// Python is the interpreter; "" means $SCRIPTSPEC_PYTHON, then python3. It is looked up in the
	// PATH of this process, never in that of a spec.
	Python string
	// Dir is the working directory of the script; "" means that of the caller. Relative paths of
	// the spec are always those of the caller.
	Dir string
	// Timeout bounds a run, Grace what its end may take; 0 means 5 minutes and 5 seconds.
	Timeout, Grace time.Duration
	// MaxOutput is how many bytes are kept of stdout and of stderr; 0 means 1 MiB.
	MaxOutput int64
	// CleanEnv gives the script only PATH, HOME, LANG, LC_*, TMPDIR, SYSTEMROOT and the spec's
	// variables, instead of all of this process's.
	CleanEnv bool
	// PassEnv names further variables of this process to pass on with CleanEnv.
	PassEnv []string
}

// TestScript runs the script of a spec in a process of its own. The environment is in place before
// Python starts, and outputs exist as directories. The script is imported under its own name, so
// that its __main__ block does not run, with its directory first in sys.path, nothing to read on
// stdin and no arguments in sys.argv. Then it is called as
//
//	main(input_paths=..., output_paths=..., environ_vars=..., job_args=...)
//
// with three dicts, the third of them the spec's variables only, and an argparse.Namespace.
//
// A script that fails, in whatever way, is a result with Success false. The error tells that there
// was no test: the spec cannot be run ([*ValidationError]), there is no interpreter
// ([exec.ErrNotFound]), or ctx ended.
func (t *RuntimeTester) TestScript(ctx context.Context, s Spec) (*ScriptTestResult, error) {
	if errs := runErrors(s); len(errs) > 0 {
		return nil, newValidationError(subject(s), errs)
	}
	python, err := t.python()
	if err != nil {
		return nil, err
	}
	if err := context.Cause(ctx); err != nil {
		return nil, fmt.Errorf("test of %s: %w", subject(s), err)
	}
	run := scriptRun{tester: t, spec: s.self().Basic(), hide: maskValues(*s.core().environVars)}
	run.result.ScriptName, run.result.StepName = run.spec.ScriptName, run.spec.StepName
	run.result.Outputs = map[string]OutputInfo{}
	if !run.prepare() {
		return &run.result, nil
	}
	if err := run.execute(ctx, python); err != nil {
		return nil, fmt.Errorf("test of %s: %w", subject(s), err)
	}
	run.outputs()
	run.result.Success = run.result.Outcome == OutcomePassed
	return &run.result, nil
}

// python finds the interpreter.
func (t *RuntimeTester) python() (string, error) {
	name := cmp.Or(t.Python, os.Getenv("SCRIPTSPEC_PYTHON"), "python3")
	path, err := exec.LookPath(name)
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return "", fmt.Errorf("no Python interpreter (set RuntimeTester.Python or SCRIPTSPEC_PYTHON): %w", err)
	}
	return path, nil
}

// environment returns the variables of the script's process.
func (t *RuntimeTester) environment(s *ScriptExecutionSpec) []string {
	env := s.ExecutionEnvironment()
	if t.CleanEnv {
		for name := range env {
			_, own := s.EnvironVars[name]
			if !own && !cleanEnvKeeps(name) && !slices.Contains(t.PassEnv, name) {
				delete(env, name)
			}
		}
	}
	list := make([]string, 0, len(env))
	for _, name := range slices.Sorted(maps.Keys(env)) {
		list = append(list, name+"="+env[name])
	}
	return list
}

func cleanEnvKeeps(name string) bool {
	switch name {
	case "PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT":
		return true
	}
	return strings.HasPrefix(name, "LC_")
}

// runErrors checks what must hold before a process is started: all rules, except that a step may
// have any name, and that the job arguments can be handed over.
func runErrors(s Spec) []*FieldError {
	if isNil(s) {
		return ruleErrors(s)
	}
	return slices.DeleteFunc(ownErrors(s), func(fe *FieldError) bool {
		return fe.at.field == fieldStepName && fe.Code == CodeFormat
	})
}

// scriptRun is one run of one script.
type scriptRun struct {
	tester *RuntimeTester
	spec   *ScriptExecutionSpec
	hide   func(string) string
	result ScriptTestResult
}

// prepare checks the script and its inputs and makes the output directories. It reports false, with
// the outcome set, where there is no point in starting the script.
func (r *scriptRun) prepare() bool {
	for _, check := range []struct {
		outcome Outcome
		errs    []*FieldError
	}{
		{OutcomeScriptMissing, scriptErrors(r.spec, look)},
		{OutcomeInputMissing, entryErrors(r.spec, fieldInputs, roleInput, look)},
		{OutcomeOutputUnusable, entryErrors(r.spec, fieldOutputs, roleCreated, look)},
	} {
		if len(check.errs) > 0 {
			slices.SortFunc(check.errs, compareFieldErrors)
			r.result.Outcome, r.result.ErrorMessage = check.outcome, check.errs[0].Message
			return false
		}
	}
	return true
}

// execute runs the script to its end. The error is for what is not the script's doing.
func (r *scriptRun) execute(parent context.Context, python string) error {
	grace := cmp.Or(r.tester.Grace, 5*time.Second)
	request, err := r.request()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(parent, r.timeout(), errTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, python)
	cmd.Dir, cmd.Env = r.tester.Dir, r.tester.environment(r.spec)
	if cmd.Dir != "" {
		if _, err := os.ReadDir(cmd.Dir); err != nil {
			return fmt.Errorf("working directory: %w", err) // or the interpreter would be blamed
		}
	}
	stdout, stderr := newBoundedBuffer(r.maxOutput()), newBoundedBuffer(r.maxOutput())
	cmd.Stdout, cmd.Stderr = stdout, stderr
	driver, err := pydriver.New(cmd)
	if err != nil {
		return err
	}
	defer driver.Close() //nolint:errcheck // a temporary directory that stays is no failed test
	proctree.Prepare(cmd, grace)
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return err
	}
	driver.Start(request)
	_ = cmd.Wait() // how it ended is read from ProcessState and ctx
	r.result.ExecutionTime = time.Since(start)
	r.result.Stdout, r.result.Stderr = stdout.capture(r.hide), stderr.capture(r.hide)
	report, err := driver.Result(grace)
	if cause := context.Cause(parent); cause != nil {
		return cause
	}
	r.judge(cmd.ProcessState, errors.Is(context.Cause(ctx), errTimeout), report, err)
	return nil
}

var errTimeout = errors.New("timeout")

func (r *scriptRun) timeout() time.Duration { return cmp.Or(r.tester.Timeout, 5*time.Minute) }

func (r *scriptRun) maxOutput() int64 { return cmp.Or(r.tester.MaxOutput, 1<<20) }

// request writes what the driver is to call main with.
func (r *scriptRun) request() ([]byte, error) {
	script, err := filepath.Abs(r.spec.ScriptPath)
	if err != nil {
		return nil, err
	}
	var w strictjson.Writer
	err = w.Value(map[string]any{
		"script_path":  script,
		"input_paths":  r.absolute(r.spec.InputPaths),
		"output_paths": r.absolute(r.spec.OutputPaths),
		"environ_vars": orEmpty(r.spec.EnvironVars),
		"job_args":     orEmpty(map[string]any(r.spec.JobArgs)),
	})
	if ve, ok := errors.AsType[*strictjson.ValueError](err); ok { // a path or value that is not UTF-8
		err = &FieldError{Path: placeText(ve.Path), Code: CodeUnsupported, Message: ve.Message}
	}
	return w.Buf, err
}

// absolute leaves paths as they are unless the script runs in another directory.
func (r *scriptRun) absolute(paths map[string]string) map[string]string {
	paths = orEmpty(paths)
	if r.tester.Dir != "" {
		for name, path := range paths {
			if abs, err := filepath.Abs(path); err == nil {
				paths[name] = abs
			}
		}
	}
	return paths
}

// judge turns the end of the process and the driver's report into an outcome.
func (r *scriptRun) judge(state *os.ProcessState, timedOut bool, report *pydriver.Result, err error) {
	res := &r.result
	res.ExitCode, res.Signal = state.ExitCode(), proctree.Signal(state)
	if report != nil {
		res.HasMainFunction = report.HasMainFunction
		res.ErrorType = r.hide(report.ErrorType)
		res.ErrorMessage, res.Traceback = r.hide(report.ErrorMessage), r.hide(report.Traceback)
	}
	switch {
	case timedOut:
		res.Outcome = OutcomeTimeout
		res.ErrorMessage = fmt.Sprintf("still running after %v", r.timeout())
	case res.Signal != "":
		res.Outcome, res.ErrorMessage = OutcomeSignal, "ended by "+res.Signal
	case err != nil:
		res.Outcome = OutcomeCrashed
		res.ErrorMessage = fmt.Sprintf("%v, with exit code %d", err, res.ExitCode)
	case report.Outcome == pydriver.NoMain:
		res.Outcome = OutcomeNoMain
		res.ErrorMessage = "the script has no function main(input_paths, output_paths, environ_vars, job_args)"
	case report.Outcome == pydriver.Exited:
		res.Outcome = OutcomeExit
	case report.Outcome == pydriver.Failed:
		res.Outcome = OutcomeException
	case res.ExitCode != 0:
		res.Outcome = OutcomeCrashed
		res.ErrorMessage = fmt.Sprintf("main returned and the process ended with exit code %d", res.ExitCode)
	default:
		res.Outcome = OutcomePassed
	}
}

// outputs looks at what is in the output directories; after a script that passed there is a file
// with content in each.
func (r *scriptRun) outputs() {
	var empty []string
	for _, e := range sortedPaths(r.spec, fieldOutputs) {
		info := inspectOutput(e.path)
		r.result.Outputs[e.key] = info
		if info.Bytes == 0 {
			empty = append(empty, "'"+printable(e.key)+"'")
		}
	}
	if len(empty) > 0 && r.result.Outcome == OutcomePassed {
		r.result.Outcome = OutcomeNoOutput
		r.result.ErrorMessage = "main returned and there is no data in output " + strings.Join(empty, ", ")
	}
}

func inspectOutput(path string) OutputInfo {
	info := OutputInfo{Path: path}
	_ = filepath.WalkDir(path, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil // what cannot be looked at does not count
		}
		info.Exists = true
		if entry.Type().IsRegular() {
			if fi, err := entry.Info(); err == nil {
				info.Files++
				info.Bytes += fi.Size()
			}
		}
		return nil
	})
	return info
}

// maskValues returns a function that hides environment values. Short ones are left alone: masking
// every "1" and "true" would make logs unreadable and hide nothing.
func maskValues(env map[string]string) func(string) string {
	const shortest = 6
	var pairs []string
	values := slices.Collect(maps.Values(env))
	// Longest first, so that a value inside of another leaves nothing of it.
	slices.SortFunc(values, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	for _, v := range values {
		if len(v) >= shortest {
			pairs = append(pairs, v, redacted)
		}
	}
	if len(pairs) == 0 {
		return func(s string) string { return s }
	}
	return strings.NewReplacer(pairs...).Replace
}
