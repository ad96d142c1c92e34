package scriptspec

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/scriptspec/scriptspec/internal/capture"
	"github.com/scriptspec/scriptspec/internal/proctree"
	"github.com/scriptspec/scriptspec/internal/pydriver"
)

// ended is what is known of a script after its process has ended.
type ended struct {
	proctree.End
	report         *pydriver.Report
	err            error // why there is no whole report
	stdout, stderr capture.Output
	took           time.Duration
	warm           bool
	cutMark        string // in the texts of the report
}

// errStale is returned by launch if what an earlier run has left did not work and is gone now: a warm
// interpreter that has ended, or bytecode of an interpreter that has been replaced.
var errStale = errors.New("the interpreter is not the one of an earlier run")

// maxAttempts bounds how often a script is launched that did not begin.
const maxAttempts = 4

// launch runs the script in a process, and returns when that and everything it started has ended. Each
// attempt has pipes and a directory of its own. The error is for failures that are not the script's.
func (r *scriptRun) launch(ctx context.Context) (*ended, error) {
	for attempt := 1; ; attempt++ {
		e, err := r.launchOnce(ctx)
		if !errors.Is(err, errStale) || attempt == maxAttempts {
			return e, err
		}
	}
}

func (r *scriptRun) launchOnce(parent context.Context) (_ *ended, err error) {
	run, err := pydriver.New()
	if err != nil {
		return nil, err
	}
	defer run.Close() //nolint:errcheck // a temporary directory that stays is not a failed test
	stdout, stderr, err := r.streams()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stdout.Close(), stderr.Close()) }()
	p, err := r.start(parent, run, stdout, stderr)
	if errors.Is(err, pydriver.ErrServerGone) {
		r.lost++
		return nil, errors.Join(errStale, err)
	}
	if err != nil {
		return nil, err
	}
	begun := time.Now()
	ctx, cancel := context.WithTimeout(parent, r.timeout)
	defer cancel()
	tree := proctree.New(p.leader, proctree.Limits{
		Grace: r.tester.grace(), Memory: r.maxMemory(), Sampled: r.sampled(), Mark: true, Writes: r.outputDirs(), Guard: p.guard,
	})
	stdout.Start()
	stderr.Start()
	defer r.watchOutput(stdout, stderr)()
	for _, output := range r.outputs {
		output.Settle(!p.warm) // a new interpreter is still starting meanwhile
	}
	startErr := run.Start(r.request) // only now that the tree has its mark
	if startErr != nil {
		cancel()
	}
	e := &ended{warm: p.warm, cutMark: run.CutMark()}
	var endErr error
	e.End, endErr = tree.Wait(ctx)
	e.took = time.Since(begun)
	const linger = 100 * time.Millisecond // the writers have ended
	e.stdout, e.stderr = stdout.Finish(linger), stderr.Finish(linger)
	e.report, e.err = run.Report(linger)
	switch {
	case startErr != nil:
		return nil, startErr
	case e.Reason == proctree.Context && context.Cause(parent) != nil:
		return nil, context.Cause(parent)
	case e.report.Other:
		r.tester.shims.confirm(r.python, r.tester.Dir, r.request.Expect, false)
		return nil, errStale
	case endErr != nil:
		e.ExitCode, e.err = -1, endErr
	case e.noPython():
		said := r.notPython(fmt.Sprintf("it ended with %v and said %q", e.State, lastLine(e.stderr.Text)))
		_, stale := r.tester.drivers.LoadAndDelete(r.python)
		if r.tester.shims.forget(r.python, r.tester.Dir) || stale {
			return nil, errors.Join(errStale, said)
		}
		return nil, said
	case !e.report.Bytecode.IsZero() && !slices.ContainsFunc(sortedKeys(r.spec.EnvironVars), pydriver.CountsAtStart):
		// Bytecode made under variables that change the interpreter is not reused.
		r.tester.drivers.Store(r.python, e.report.Bytecode)
	}
	switch {
	case e.report.Identity.Circumstances == nil:
	case r.request.Identify:
		r.tester.shims.learn(r.python, r.tester.Dir, run.Dir, p.given, e.report)
	default:
		r.tester.shims.confirm(r.python, r.tester.Dir, r.request.Expect, true)
	}
	return e, nil
}

// notPython is the error for an interpreter that did not start, which may be the doing of the spec.
func (r *scriptRun) notPython(said string) error {
	var errs []*FieldError
	for _, name := range sortedKeys(r.spec.EnvironVars) {
		if strings.HasPrefix(name, "PYTHON") && name != "PYTHONPATH" {
			fe := fieldErrorf(rank{section: int(fieldEnviron), key: name}, keyed("environ_vars", name), CodeUnsupported,
				"Python may not start with this variable: %s", said).hintf("run it without, or correct the value")
			fe.Err = ErrInterpreter
			errs = append(errs, fe)
		}
	}
	if len(errs) > 0 {
		return newValidationError(subject(r.spec), errs)
	}
	return fmt.Errorf("%s is %w: %s", r.python, ErrInterpreter, said)
}

// noPython reports whether the interpreter ended before the driver could report anything.
func (e *ended) noPython() bool {
	return e.Reason == proctree.ByItself && e.Signal == "" && e.report.Python == "" && !errors.Is(e.err, pydriver.ErrGarbage)
}

// process is one that runs the driver.
type process struct {
	leader proctree.Leader
	guard  int // the process that waits for a fork, or 0
	warm   bool
	given  map[string]string // its environment
}

// start has a process run the driver: a fork of a warm interpreter, or a new one.
func (r *scriptRun) start(ctx context.Context, run *pydriver.Run, stdout, stderr *capture.Stream) (p process, err error) {
	env := r.tester.environment(r.spec)
	if err := scratch(run.Dir, env, r.spec.EnvironVars); err != nil {
		return p, err
	}
	r.request.Identify, r.request.Expect = false, nil
	if p, err = r.fork(ctx, run, env, stdout, stderr); p.leader != nil || err != nil {
		return p, err
	}
	program := r.python
	shim, direct, ask := r.tester.shims.direct(r.python, r.tester.Dir, env)
	r.request.Identify = ask
	if direct {
		program = shim.program
		shim.changes.apply(env)
		if !shim.verified {
			r.request.Expect = shim.circumstances
		}
	}
	var bytecode pydriver.Bytecode
	if kept, ok := r.tester.drivers.Load(r.python); ok {
		bytecode = kept.(pydriver.Bytecode)
	}
	cmd, err := run.Command(program, bytecode)
	if err != nil {
		return p, err
	}
	cmd.Dir, cmd.Env, p.given = r.tester.Dir, envList(env), env
	cmd.Stdout, cmd.Stderr = stdout.Writer(), stderr.Writer()
	p.leader, err = proctree.Start(cmd)
	return p, err
}

// streams opens the captures, with their log files.
func (r *scriptRun) streams() (stdout, stderr *capture.Stream, err error) {
	var logs [2]string
	if dir := r.tester.LogDir; dir != "" {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, nil, err
		}
		logs[0], logs[1] = filepath.Join(dir, r.spec.StepName+".stdout.log"), filepath.Join(dir, r.spec.StepName+".stderr.log")
	}
	if stdout, err = capture.New(r.tester.maxOutput(), r.masker, logs[0]); err != nil {
		return nil, nil, err
	}
	if stderr, err = capture.New(r.tester.maxOutput(), r.masker, logs[1]); err != nil {
		return nil, nil, errors.Join(err, stdout.Close())
	}
	return stdout, stderr, nil
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return clip(lines[len(lines)-1])
}
