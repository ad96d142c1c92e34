package scriptspec

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/scriptspec/scriptspec/internal/mask"
	"github.com/scriptspec/scriptspec/internal/proctree"
	"github.com/scriptspec/scriptspec/internal/pydriver"
	"github.com/scriptspec/scriptspec/internal/strictjson"
)

// runErrors checks what must hold before a process is started: the rules of a run, and that environment
// and job arguments can be handed over.
func runErrors(s Spec) []*FieldError {
	errs := ruleErrors(s, running)
	if isNil(s) {
		return errs
	}
	errs = append(errs, s.common().jobArgs.problems()...)
	return append(errs, environErrors(s)...)
}

// scriptRun is one run of one script.
type scriptRun struct {
	tester  *RuntimeTester
	spec    *ScriptExecutionSpec
	python  string
	timeout time.Duration
	request pydriver.Request
	lost    int // warm interpreters that were gone when the script was to be forked
	hide    *mask.Masker
	inputs  map[string]watched
	outputs map[string]watched
	result  ScriptTestResult
}

func newScriptRun(
	t *RuntimeTester, s *ScriptExecutionSpec, python string, timeout time.Duration, hide *mask.Masker,
) (*scriptRun, error) {
	r := &scriptRun{tester: t, spec: s, python: python, timeout: timeout, hide: hide}
	r.result.ScriptName, r.result.StepName = s.ScriptName, s.StepName
	r.result.Outputs = map[string]OutputInfo{}
	var err error
	if r.request, err = r.newRequest(); err != nil {
		return nil, err
	}
	r.result.Command = r.hide.String(r.command())
	return r, nil
}

// newRequest writes what the driver is to do.
func (r *scriptRun) newRequest() (q pydriver.Request, err error) {
	if q.Script, err = filepath.Abs(r.spec.ScriptPath); err != nil {
		return q, err
	}
	if q.Program = slices.Contains(r.tester.CommandLine, r.spec.ScriptName); q.Program {
		if q.Args, err = flags(r.spec.JobArgs); err != nil {
			return q, err
		}
	}
	w := strictjson.Writer{Compact: true}
	err = w.Value(map[string]any{
		"input_paths":  r.absolute(r.spec.InputPaths),
		"output_paths": r.absolute(r.spec.OutputPaths),
		"environ_vars": orEmpty(r.spec.EnvironVars),
		"job_args":     orEmpty(map[string]any(r.spec.JobArgs)),
	})
	if ve, ok := errors.AsType[*strictjson.ValueError](err); ok { // a path or value that is not UTF-8
		err = &FieldError{Path: placeText(ve.Path), Code: CodeUnsupported, Message: ve.Message}
	}
	q.Parameters = w.Buf
	return q, err
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

// prepare checks the script and its inputs and makes the output directories. It reports false, with
// the outcome set, where there is no point in starting the script.
func (r *scriptRun) prepare() bool {
	for _, check := range []struct {
		outcome Outcome
		errs    []*FieldError
	}{
		{OutcomeScriptMissing, scriptErrors(r.spec, checkPath)},
		{OutcomeInputMissing, entryErrors(r.spec, fieldInputs, useInput, checkPath)},
		{OutcomeOutputUnusable, entryErrors(r.spec, fieldOutputs, useCreated, checkPath)},
	} {
		if len(check.errs) > 0 {
			slices.SortFunc(check.errs, compareFieldErrors)
			r.result.Outcome, r.result.ErrorMessage = check.outcome, check.errs[0].Message
			return false
		}
	}
	r.inputs, r.outputs = map[string]watched{}, map[string]watched{}
	for name, path := range r.spec.InputPaths {
		r.inputs[name] = watchInput(path, r.tester.HashInputs)
	}
	for name, path := range r.spec.OutputPaths {
		r.outputs[name] = watchOutput(path)
	}
	return true
}

// execute runs the script to its end. The error is for what is not the script's doing.
func (r *scriptRun) execute(parent context.Context) (err error) {
	run, err := pydriver.New()
	if err != nil {
		return err
	}
	defer run.Close() //nolint:errcheck // a temporary directory that stays is no failed test
	stdout, stderr, err := r.streams()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stdout.close(), stderr.close()) }()
	leader, guard, err := r.start(parent, run, stdout, stderr)
	if errors.Is(err, pydriver.ErrServerGone) {
		r.lost++
		return r.execute(parent) // with pipes that nobody has
	}
	if err != nil {
		return err
	}
	start := time.Now()
	ctx, cancel := context.WithTimeout(parent, r.timeout)
	defer cancel()
	tree := proctree.New(leader, proctree.Limits{Grace: r.tester.grace(), Memory: r.tester.MaxMemory, Mark: true, Guard: guard})
	stdout.start()
	stderr.start()
	startErr := run.Start(r.request) // not before the tree has its mark
	if startErr != nil {
		cancel()
	}
	end, endErr := tree.Wait(ctx)
	r.result.ExecutionTime = time.Since(start)
	r.result.UserTime, r.result.SystemTime, r.result.PeakMemory = end.User, end.System, end.PeakMemory
	r.result.Leftover, r.result.Survivors = r.hidden(end.Leftover), r.hidden(end.Survivors)
	const linger = 100 * time.Millisecond // the writers have ended
	r.result.Stdout, r.result.Stderr = stdout.finish(linger), stderr.finish(linger)
	report, reportErr := run.Report(linger)
	switch {
	case startErr != nil:
		return startErr
	case end.Reason == proctree.Context && context.Cause(parent) != nil:
		return context.Cause(parent)
	case endErr != nil:
		end.ExitCode, reportErr = -1, endErr
	case r.noPython(end, report, reportErr):
		if _, stale := r.tester.drivers.LoadAndDelete(r.python); stale {
			return r.execute(parent) // of an interpreter that has been replaced since
		}
		said := lastLine(r.result.Stderr.Text)
		return fmt.Errorf("%s is %w: it ended with %v and said %q", r.python, ErrInterpreter, end.State, said)
	case !report.Bytecode.IsZero() && !slices.ContainsFunc(sortedKeys(r.spec.EnvironVars), pydriver.CountsAtStart):
		// What a spec can make of an interpreter is no matter of the next.
		r.tester.drivers.Store(r.python, report.Bytecode)
	}
	r.judge(end, report, reportErr)
	return nil
}

// noPython tells whether the interpreter ended before there could be any word of the driver.
func (r *scriptRun) noPython(end proctree.End, report *pydriver.Report, err error) bool {
	return end.Reason == proctree.ByItself && end.Signal == "" && report.Python == "" && !errors.Is(err, pydriver.ErrGarbage)
}

// start has a process run the driver: a fork of a warm interpreter, which guard waits for, or a new one.
func (r *scriptRun) start(ctx context.Context, run *pydriver.Run, stdout, stderr *stream) (leader proctree.Leader, guard int, err error) {
	env := r.tester.environment(r.spec)
	if err := scratch(run.Dir, env, r.spec.EnvironVars); err != nil {
		return nil, 0, err
	}
	if leader, guard, err = r.fork(ctx, run, env, stdout, stderr); leader != nil || err != nil {
		return leader, guard, err
	}
	var bytecode pydriver.Bytecode
	if kept, ok := r.tester.drivers.Load(r.python); ok {
		bytecode = kept.(pydriver.Bytecode)
	}
	cmd, err := run.Command(r.python, bytecode)
	if err != nil {
		return nil, 0, err
	}
	cmd.Dir, cmd.Env = r.tester.Dir, envList(env)
	cmd.Stdout, cmd.Stderr = stdout.write, stderr.write
	leader, err = proctree.Start(cmd)
	return leader, 0, err
}

// streams opens the captures, with their log files.
func (r *scriptRun) streams() (stdout, stderr *stream, err error) {
	var logs [2]string
	if dir := r.tester.LogDir; dir != "" {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, nil, err
		}
		logs[0], logs[1] = filepath.Join(dir, r.spec.StepName+".stdout.log"), filepath.Join(dir, r.spec.StepName+".stderr.log")
	}
	if stdout, err = newStream(r.tester.maxOutput(), r.hide, logs[0]); err != nil {
		return nil, nil, err
	}
	if stderr, err = newStream(r.tester.maxOutput(), r.hide, logs[1]); err != nil {
		return nil, nil, errors.Join(err, stdout.close())
	}
	return stdout, stderr, nil
}

func (r *scriptRun) hidden(names []string) []string {
	for i, name := range names {
		names[i] = printable(r.hide.String(name))
	}
	return names
}

// judge turns the end of the process and the driver's report into an outcome.
func (r *scriptRun) judge(end proctree.End, report *pydriver.Report, err error) {
	res := &r.result
	res.ExitCode, res.Signal = end.ExitCode, end.Signal
	res.HasMainFunction = report.HasMainFunction
	res.ErrorType = r.bounded(report.ErrorType)
	res.ErrorMessage, res.Traceback = r.bounded(report.ErrorMessage), r.bounded(report.Traceback)
	fail := func(outcome Outcome, format string, args ...any) {
		res.Outcome, res.ErrorType, res.ErrorMessage = outcome, "", fmt.Sprintf(format, args...)
		if end.Reason == proctree.ByItself {
			res.Traceback = "" // else it shows where the interrupt found the script
		}
	}
	switch {
	case end.Reason == proctree.Context:
		fail(OutcomeTimeout, "still running after %v", r.timeout)
	case end.Reason == proctree.Memory:
		fail(OutcomeMemory, "took more than %d MiB of memory", r.tester.MaxMemory>>20)
	case res.Signal != "":
		fail(OutcomeSignal, "ended by %s", res.Signal)
	case errors.Is(err, pydriver.ErrGarbage):
		fail(OutcomeBadReport, "%v; the process ended with exit code %d", err, res.ExitCode)
	case errors.Is(err, pydriver.ErrNoReport):
		fail(OutcomeCrashed, "%v and with exit code %d, as os._exit does it", err, res.ExitCode)
	case err != nil:
		fail(OutcomeCrashed, "%v", err)
	case report.Outcome == pydriver.NoMain:
		fail(OutcomeNoMain, "the script has no function main(input_paths, output_paths, environ_vars, job_args); "+
			"if it is a program, name it in RuntimeTester.CommandLine")
	case report.Outcome == pydriver.BadMain:
		fail(OutcomeBadMain, "%s", res.ErrorMessage)
	case res.ErrorType != "" && strings.TrimSpace(res.ErrorMessage) == "":
		res.ErrorMessage = "without a message"
	}
	switch { // what the driver saw to its end
	case res.Outcome != "":
	case report.Outcome == pydriver.Exited:
		res.Outcome = OutcomeExit
	case report.Outcome == pydriver.ExitedWithText:
		res.Outcome = OutcomeExitMessage
	case report.Outcome == pydriver.Interrupted:
		res.Outcome = OutcomeInterrupted
	case report.Outcome == pydriver.Failed:
		res.Outcome = OutcomeException
	case res.ExitCode == noFlush:
		fail(OutcomeCrashed, "the script returned, and Python could not flush its stdout: exit code %d", res.ExitCode)
	case res.ExitCode != 0:
		fail(OutcomeCrashed, "the script returned and the process ended with exit code %d", res.ExitCode)
	default:
		res.Outcome = OutcomePassed
	}
	if report.Outcome == pydriver.Returned && err == nil {
		res.ReturnValue = r.returnValue(report.ReturnValue)
	}
}

// noFlush is the exit code of an interpreter that cannot write what is left in its buffers.
const noFlush = 120

// bounded masks a text of the script's and keeps its beginning.
func (r *scriptRun) bounded(text string) string {
	const longest = 64 << 10
	text = r.hide.String(text)
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + "\n[...]\n"
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}

// returnValue masks what main returned.
func (r *scriptRun) returnValue(text string) json.RawMessage {
	if text == "" {
		return json.RawMessage("null")
	}
	masked := r.hide.String(text)
	if !json.Valid([]byte(masked)) { // a number that looks like a secret
		data, _ := json.Marshal(masked) // a string can be marshalled
		return data
	}
	return json.RawMessage(masked)
}

// lookBack looks at what the run did to outputs and inputs. A run that passed so far fails if that is
// not as it should be.
func (r *scriptRun) lookBack() {
	res := &r.result
	check := r.tester.OutputCheck
	if check == nil {
		check = hasData
	}
	var lacking, changed []string
	for _, e := range sortedPaths(r.spec, fieldOutputs) {
		info := r.outputs[e.key].output(e.path)
		res.Outputs[e.key] = info
		if res.Outcome == OutcomePassed {
			if err := check(e.key, info); err != nil {
				lacking = append(lacking, fmt.Sprintf("'%s': %s", printable(e.key), printable(r.hide.String(err.Error()))))
			}
		}
	}
	for _, e := range sortedPaths(r.spec, fieldInputs) {
		changes := r.inputs[e.key].changes(r.tester.HashInputs && res.Outcome == OutcomePassed, r.outputs)
		if len(changes) == 0 {
			continue
		}
		if res.ChangedInputs == nil {
			res.ChangedInputs = map[string][]string{}
		}
		text := fmt.Sprintf("'%s': %s", printable(e.key), printable(r.hide.String(changes[0])))
		if len(changes) > 1 {
			text += fmt.Sprintf(" and %d more", len(changes)-1)
		}
		changed = append(changed, text)
		res.ChangedInputs[e.key] = r.hidden(changes[:min(len(changes), maxListed)])
	}
	switch {
	case res.Outcome != OutcomePassed:
	case len(lacking) > 0:
		res.Outcome, res.ErrorMessage = OutcomeNoOutput, "an output has no data: "+strings.Join(lacking, "; ")
	case len(changed) > 0:
		res.Outcome, res.ErrorMessage = OutcomeInputChanged, "an input is not as it was: "+strings.Join(changed, "; ")
	}
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return clip(lines[len(lines)-1])
}
