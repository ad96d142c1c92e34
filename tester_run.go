package scriptspec

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/scriptspec/scriptspec/internal/mask"
	"github.com/scriptspec/scriptspec/internal/proctree"
	"github.com/scriptspec/scriptspec/internal/pydriver"
	"github.com/scriptspec/scriptspec/internal/snapshot"
	"github.com/scriptspec/scriptspec/internal/strictjson"
)

// runErrors checks what must hold before a process is started: the rules of a run, and that environment
// and job arguments can be handed over.
func runErrors(s Spec) []*FieldError {
	errs := ruleErrors(s, running)
	if isNil(s) {
		return errs
	}
	errs = append(errs, metadataErrors(s)...)
	errs = append(errs, localErrors(s)...)
	errs = append(errs, s.common().jobArgs.problems()...)
	return append(errs, environErrors(s)...)
}

// scriptRun is one run of one script.
type scriptRun struct {
	tester  *RuntimeTester
	job     *job
	spec    *ScriptExecutionSpec
	python  string
	source  string // where the name of the interpreter comes from
	timeout time.Duration
	given   Spec // before its paths were resolved
	request pydriver.Request
	lost    int // warm interpreters that were gone when they were to fork
	masker  *mask.Masker
	inputs  map[string]snapshot.Snapshot
	outputs map[string]*snapshot.Before
	result  ScriptTestResult
}

func newScriptRun(
	t *RuntimeTester, s *ScriptExecutionSpec, python, source string, timeout time.Duration, masker *mask.Masker,
) (*scriptRun, error) {
	r := &scriptRun{tester: t, spec: s, python: python, source: source, timeout: timeout, masker: masker}
	r.result.ScriptName, r.result.StepName, r.result.Description = s.ScriptName, s.StepName, r.masker.String(s.Description)
	r.result.StartedAt, r.result.Outputs = now(), map[string]OutputInfo{}
	var err error
	if r.request, err = r.newRequest(); err != nil {
		return nil, err
	}
	return r, nil
}

// newRequest writes what the driver is to do.
func (r *scriptRun) newRequest() (q pydriver.Request, err error) {
	if q.Script, err = filepath.Abs(r.spec.ScriptPath); err != nil {
		return q, err
	}
	if r.tester.Dir != "" { // or paths are left as they are
		makeAbsolute(r.spec)
	}
	if q.Program = slices.Contains(r.tester.CommandLine, r.spec.ScriptName); q.Program {
		if q.Args, err = flags(r.spec.JobArgs); err != nil {
			return q, err
		}
	}
	q.Packages = r.spec.DependsOn.Packages
	w := strictjson.Writer{Compact: true}
	err = w.Value(map[string]any{
		"input_paths":  orEmpty(r.spec.InputPaths),
		"output_paths": orEmpty(r.spec.OutputPaths),
		"environ_vars": orEmpty(r.spec.EnvironVars),
		"job_args":     orEmpty(map[string]any(r.spec.JobArgs)),
	})
	if ve, ok := errors.AsType[*strictjson.ValueError](err); ok { // a path or value that is not UTF-8
		err = &FieldError{Path: placeText(ve.Path), Code: CodeUnsupported, Message: ve.Message}
	}
	q.Parameters = w.Buf
	return q, err
}

// makeAbsolute changes the paths of inputs and outputs.
func makeAbsolute(s *ScriptExecutionSpec) {
	for _, f := range []field{fieldInputs, fieldOutputs} {
		for _, e := range sortedPaths(s, f) {
			moveEntry(s, f, e.key, absolutePath(e.path))
		}
	}
}

// prepare checks the script and its inputs and makes the output directories. It reports false, with
// the outcome set, where there is no point in starting the script. Links in inputs may lead to the inputs and
// to the directories given.
func (r *scriptRun) prepare(within []string) bool {
	for _, check := range []struct {
		outcome Outcome
		errors  func() []*FieldError // each only if those before have found nothing: outputs are made
	}{
		{OutcomeScriptMissing, func() []*FieldError { return scriptErrors(r.spec, checkPath) }},
		{OutcomeInputMissing, func() []*FieldError { return entryErrors(r.spec, fieldInputs, useInput, checkPath) }},
		{OutcomeInputMissing, func() []*FieldError { return fileErrors(r.spec, checkPath) }},
		{OutcomeOutputUnusable, func() []*FieldError { return entryErrors(r.spec, fieldOutputs, useCreated, checkPath) }},
		{OutcomeOutputUnusable, func() []*FieldError { return layoutErrors(r.spec, realPath) }},
	} {
		errs := check.errors()
		if len(errs) == 0 {
			continue
		}
		slices.SortFunc(errs, compareFieldErrors)
		from := r.job.from
		if from == nil || isNil(from.spec) {
			from = &asGiven{r.given, pathResolver{base: r.tester.Base, vars: r.tester.PathVars}}
		}
		from.paths.explain(errs, from.spec)
		r.result.Outcome, r.result.ErrorMessage = check.outcome, errs[0].Message
		if hint := errs[0].Hint; hint != "" {
			r.result.ErrorMessage += " (" + hint + ")"
		}
		return false
	}
	r.inputs, r.outputs = map[string]snapshot.Snapshot{}, map[string]*snapshot.Before{}
	for _, path := range r.spec.InputPaths {
		within = append(within, realPath(path))
	}
	for _, e := range sortedPaths(r.spec, fieldInputs) {
		input := snapshot.Input(e.path, r.tester.HashInputs, within...)
		r.inputs[e.key] = input
		if len(input.Unreadable) > 0 {
			return r.refuse(OutcomeInputMissing, "Input path '%s' has a part that cannot be read: %s", e.key, input.Unreadable[0])
		}
		if input.Err != nil {
			return r.refuse(OutcomeOutOfBounds, "input '%s' cannot be compared: %s", e.key, input.Err)
		}
	}
	for _, e := range sortedPaths(r.spec, fieldOutputs) {
		output := snapshot.OutputDir(e.path)
		r.outputs[e.key] = output
		if output.Err != nil {
			return r.refuse(OutcomeOutOfBounds, "output '%s' cannot be compared: %s", e.key, output.Err)
		}
	}
	return true
}

// refuse sets the outcome of a script that is not started.
func (r *scriptRun) refuse(outcome Outcome, format string, args ...any) bool {
	r.result.Outcome, r.result.ErrorMessage = outcome, r.masker.String(sprintf(format, args))
	return false
}

// maxMemory returns the bound of the spec, or else the tester's.
func (r *scriptRun) maxMemory() int64 { return cmp.Or(r.spec.MaxMemory, r.tester.MaxMemory) }

// leaveOut removes the optional inputs that are not there.
func leaveOut(s *ScriptExecutionSpec) {
	for name, path := range s.InputPaths {
		if !s.common().isOptional(name) {
			continue
		}
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) { // or a link to nothing
			dropInput(s, name)
		}
	}
}

// outputDirs returns the output directories, with links resolved.
func (r *scriptRun) outputDirs() []string {
	var dirs []string
	for _, output := range r.outputs {
		dirs = append(dirs, output.Top())
	}
	return dirs
}

// close ends what observes the outputs.
func (r *scriptRun) close() {
	for _, output := range r.outputs {
		output.Close()
	}
}

func (r *scriptRun) masked(names []string) []string {
	for i, name := range names {
		names[i] = printable(r.masker.String(name))
	}
	return names
}

// maskedNames masks names of processes, of which the system keeps the first 15 bytes.
func (r *scriptRun) maskedNames(names []string) []string {
	for i, name := range names {
		const cutAt, telling = 15, 6
		if len(name) == cutAt && len(r.masker.Beginning(name)) <= cutAt-telling {
			names[i] = redacted
		}
	}
	return r.masked(names)
}

// classify turns the end of the script into an outcome.
func (r *scriptRun) classify(e *ended) {
	res, report := &r.result, e.report
	res.Command = r.masker.String(r.command())
	res.ExecutionTime, res.UserTime, res.SystemTime, res.PeakMemory = e.took, e.User, e.System, e.PeakMemory
	res.Leftover, res.Survivors = r.maskedNames(e.Leftover), r.maskedNames(e.Survivors)
	res.Stdout, res.Stderr = Capture(e.stdout), Capture(e.stderr)
	res.Warm, res.ExitCode, res.Signal = e.warm, e.ExitCode, e.Signal
	res.Interpreter = Interpreter{Path: printable(r.masker.String(report.Program)), Version: report.Python}
	res.HasMainFunction, res.modules, res.ImportTime = report.HasMainFunction, report.Modules, report.ImportTime
	text := func(s string) string { return r.bounded(s, e.cutMark) }
	res.ErrorType, res.ErrorMessage, res.Traceback = text(report.ErrorType), text(report.ErrorMessage), text(report.Traceback)
	fail := func(outcome Outcome, format string, args ...any) {
		res.Outcome, res.ErrorType, res.ErrorMessage = outcome, "", fmt.Sprintf(format, args...)
		if e.Reason == proctree.ByItself {
			res.Traceback = "" // else it shows where the interrupt found the script
		}
	}
	switch {
	case e.Reason == proctree.Context:
		fail(OutcomeTimeout, "still running after %v", r.timeout)
	case e.Reason == proctree.Memory:
		fail(OutcomeMemory, "took more than %d MiB of memory", r.maxMemory()>>20)
	case res.Signal != "":
		fail(OutcomeSignal, "ended by %s", res.Signal)
	case errors.Is(e.err, pydriver.ErrGarbage):
		fail(OutcomeBadReport, "%v; the process ended with exit code %d", e.err, res.ExitCode)
	case errors.Is(e.err, pydriver.ErrNoReport):
		fail(OutcomeCrashed, "%v and with exit code %d, as os._exit does it", e.err, res.ExitCode)
	case e.err != nil:
		fail(OutcomeCrashed, "%v", e.err)
	case report.Outcome == pydriver.NoMain:
		fail(OutcomeNoMain, "the script has no function main(input_paths, output_paths, environ_vars, job_args); "+
			"if it is a program, list it under command_line")
	case report.Outcome == pydriver.PackageMissing:
		fail(OutcomePackageMissing, "%s", res.ErrorMessage)
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
	case len(e.Written) > 0:
		fail(OutcomeUnfinished, "the script returned, and a process that it left running was ended while it wrote to an output: %s",
			r.masker.String(listed(e.Written)))
	case res.ExitCode != 0:
		fail(OutcomeCrashed, "the script returned and the process ended with exit code %d", res.ExitCode)
	case !report.Over:
		fail(OutcomeCrashed, "the script returned and the process ended before Python had ended it, as os._exit and exec do it")
	case len(res.Survivors) > 0:
		fail(OutcomeUnfinished, "the script returned, and a process that it left running could not be ended: %s", listed(res.Survivors))
	default:
		res.Outcome = OutcomePassed
	}
	switch {
	case res.Outcome == OutcomeException:
		res.ErrorMessage += r.explanation()
	case res.Outcome == OutcomeExit && res.ExitCode == 2:
		res.ErrorMessage += r.usageError()
	}
	if report.Outcome == pydriver.Returned && e.err == nil {
		res.ReturnValue = r.returnValue(report.ReturnValue, e.cutMark)
	}
}

// noFlush is the exit code of an interpreter that cannot flush its buffers.
const noFlush = 120

// uncut masks a text of the script's. Where the driver has cut it there may be the first part of a secret,
// which goes.
func (r *scriptRun) uncut(text, cutMark string) string {
	parts := strings.Split(text, cutMark)
	last := len(parts) - 1
	for i, part := range parts[:last] {
		parts[i] = r.masker.Beginning(part)
	}
	parts[last] = r.masker.String(parts[last])
	return strings.Join(parts, "")
}

// bounded masks a text of the script's and keeps its beginning.
func (r *scriptRun) bounded(text, cutMark string) string {
	const longest = 64 << 10
	text = r.uncut(text, cutMark)
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + "\n[...]\n"
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}

// returnValue masks what main returned.
func (r *scriptRun) returnValue(text, cutMark string) json.RawMessage {
	if text == "" {
		return json.RawMessage("null")
	}
	masked := r.uncut(text, cutMark)
	if !json.Valid([]byte(masked)) { // masking has hit a number
		data, _ := json.Marshal(masked) // a string can be marshalled
		return data
	}
	return json.RawMessage(masked)
}

// verifyFiles checks what the run did to outputs and inputs. A run that has passed so far fails if that
// is not as it should be.
func (r *scriptRun) verifyFiles() {
	res := &r.result
	check, refused := r.tester.OutputCheck, "an output was refused by OutputCheck: "
	if check == nil {
		check, refused = hasData, "an output has no data: "
	}
	var lacking, gone, changed, outputs, beyond []string
	for _, e := range sortedPaths(r.spec, fieldOutputs) {
		found, elsewhere, err := r.outputs[e.key].Output()
		info := OutputInfo(found)
		res.Outputs[e.key] = info
		outputs = append(outputs, r.outputs[e.key].Top())
		switch {
		case err != nil:
			beyond = append(beyond, r.masker.String(sprintf("output '%s' cannot be examined: %s", []any{e.key, err})))
		case elsewhere != "":
			gone = append(gone, r.masker.String(sprintf("'%s': it is not there any more: in its place is a link to %s", []any{e.key, elsewhere})))
		case r.spec.common().isOptional(e.key) && info.Bytes == 0:
		case res.Outcome == OutcomePassed:
			if text := guarded("it", func() error { return check(e.key, info) }); text != "" {
				if r.tester.OutputCheck == nil && r.job.moved {
					text += " (the directory of this run, not the one in the spec)"
				}
				lacking = append(lacking, fmt.Sprintf("'%s': %s", printable(e.key), printable(r.masker.String(text))))
			}
		}
	}
	for _, e := range sortedPaths(r.spec, fieldInputs) {
		// The script may change what is below an output.
		differences := r.inputs[e.key].Differences(r.tester.HashInputs && res.Outcome == OutcomePassed, outputs...)
		if len(differences) == 0 {
			continue
		}
		if res.ChangedInputs == nil {
			res.ChangedInputs = map[string][]string{}
		}
		text := fmt.Sprintf("'%s': %s", printable(e.key), printable(r.masker.String(differences[0].String())))
		if len(differences) > 1 {
			text += fmt.Sprintf(" and %d more", len(differences)-1)
		}
		changed = append(changed, text)
		var listed []string
		for _, d := range differences[:min(len(differences), maxListed)] {
			listed = append(listed, d.String())
		}
		res.ChangedInputs[e.key] = r.masked(listed)
	}
	switch {
	case res.Outcome != OutcomePassed:
	case len(beyond) > 0:
		res.Outcome, res.ErrorMessage = OutcomeOutOfBounds, strings.Join(beyond, "; ")
	case len(gone) > 0:
		res.Outcome, res.ErrorMessage = OutcomeNoOutput, "an output has no data: "+strings.Join(gone, "; ")
	case len(lacking) > 0:
		res.Outcome, res.ErrorMessage = OutcomeNoOutput, refused+strings.Join(lacking, "; ")
	case len(changed) > 0:
		res.Outcome, res.ErrorMessage = OutcomeInputChanged, "an input is not as it was: "+strings.Join(changed, "; ")
	}
}

// guarded calls a function of the user's on a goroutine of its own, so that it ends nothing but itself if it
// panics, or leaves as t.FailNow does: that is an error of the function, called by name. The text of an error is
// the user's code as well.
func guarded(name string, f func() error) (text string) {
	done := make(chan string)
	go func() {
		text := name + " left by runtime.Goexit, as FailNow of a test does; an error is to be returned"
		defer func() { done <- text }() // also if the text of a panic leaves
		defer func() {
			if p := recover(); p != nil {
				text = fmt.Sprintf("%s panicked: %v", name, p)
			}
		}()
		if err := f(); err != nil {
			text = err.Error()
		} else {
			text = ""
		}
	}()
	return <-done
}

// hasData is the check of an output unless RuntimeTester.OutputCheck replaces it.
func hasData(_ string, o OutputInfo) error {
	switch {
	case !o.Exists:
		return fmt.Errorf("it is not there any more: %s", o.Path)
	case o.Files == 0:
		return fmt.Errorf("it has no files in %s", o.Path)
	case o.Bytes == 0:
		return fmt.Errorf("its files are empty: %s", o.Path)
	case o.Written == 0:
		return fmt.Errorf("its files were there before the run: %s", o.Path)
	}
	return nil
}
