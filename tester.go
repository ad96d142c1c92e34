package scriptspec

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/scriptspec/scriptspec/internal/proctree"
)

// RuntimeTester runs scripts under their specs. The zero value is ready. One tester can run many
// scripts at the same time; its fields must not be changed, nor the tester copied, after the first
// run.
type RuntimeTester struct {
	// Python is the interpreter; "" means $SCRIPTSPEC_PYTHON, then python3. That of a virtual
	// environment selects the environment. It is looked up in the PATH of this process, never in
	// that of a spec. Behind a shim, as pyenv, asdf or conda have it, the first run reports which program
	// that is and what the shim has set, and later ones start it directly. The shim is asked again if it,
	// the program, Dir or a variable by which shims choose is another; not if only a version file is.
	Python string
	// Base is the directory that relative paths of specs count from; "" means the working directory of this
	// process, but for a pipeline that of the store it was loaded from or built for. With it scripts get absolute
	// paths. A spec that was loaded from a store with BaseOfStore is run with that store's Base here.
	Base string
	// PathVars are the values of ${NAME} in paths of specs. Environment variables are not taken. Nil expands
	// none, and a path with a variable is refused.
	PathVars map[string]string
	// Dir is the working directory of the script; "" means that of the caller. Relative paths of
	// the spec are always those of the caller.
	Dir string
	// Timeout bounds a run of a spec without a timeout of its own, Grace what its end may take; 0 or less means 5 minutes and 5 seconds. The
	// start of a warm interpreter has a Timeout of its own.
	Timeout, Grace time.Duration
	// MaxMemory bounds what a script and its children have in memory together, in bytes, sampled
	// every 20 ms, unless the spec has a bound of its own; 0 means no bound. Linux only; elsewhere TestScript returns
	// [errors.ErrUnsupported].
	MaxMemory int64
	// MaxOutput is how many bytes are kept of stdout and of stderr; 0 means 1 MiB.
	MaxOutput int64
	// LogDir is a directory for full copies of stdout and stderr, <step_name>.stdout.log and
	// <step_name>.stderr.log; "" makes none. It is created if missing, and an older copy is
	// replaced. Environment values are masked in them as they are in the result.
	LogDir string
	// CleanEnv gives the script only PATH, HOME, LANG, LC_*, TMPDIR, SYSTEMROOT and the spec's
	// variables, instead of all of this process's.
	CleanEnv bool
	// PassEnv names further variables of this process to pass on with CleanEnv.
	PassEnv []string
	// Secrets reports whether the environment variable, or the job argument with a word such as password,
	// secret, token or api_key in its name, holds a secret; nil means that all of them do. The value of a
	// secret is shown as [redacted: NAME] in whatever comes of a run, unless it has less than 6 bytes or is
	// in the text of the script, a path, a logical name or a name of the spec, all of which are shown. It may
	// be called from several goroutines at once.
	Secrets func(name string) bool
	// CommandLine names the scripts (script_name) that are run as programs: as __main__, with their
	// job arguments as --flags in sys.argv, sorted by name. A true is a flag without a value, a
	// false or null none at all, a list a flag with several values, an object its JSON. Other
	// scripts have a main that takes the four parameters.
	//
	// A job argument that has the name of an input or output, and as its value the path of it in the spec or
	// one below, is that path of the run, wherever a store or a pipeline puts it.
	CommandLine []string
	// OutputCheck decides whether an output is acceptable after main has returned; nil asks for a file
	// that is not empty and that this run has written.
	OutputCheck func(logicalName string, o OutputInfo) error
	// HashInputs compares the contents of inputs before and after the run, not only sizes and times.
	HashInputs bool
	// Warm keeps an interpreter that has imported the modules of Preload, and forks a process of it
	// for each script. The only difference is that preloaded modules have seen this process's environment,
	// not the spec's. Specs whose variables agree on what matters at the start of Python (PYTHON*, LD_*,
	// LC_* and the like) share an interpreter; eight are kept, and further specs start fresh ones. So do
	// scripts with a module beside them that has been imported from elsewhere, those of CommandLine, specs
	// with PYTHONMALLOC or PYTHONDEVMODE, and all scripts where there is no fork. Close ends what is kept.
	Warm bool
	// Preload names the modules that Warm imports, as an import statement does.
	Preload []string
	// Retries is how often, up to 5, a script is run again that fails in a way that may be chance, unless its spec allows more:
	// an exception, an exit code other than 2, a signal, a crash, a timeout, missing output. It is not run again if it
	// has changed an input, used too much memory or could not be started. What a failed attempt has written to its
	// outputs is removed first where the tester or the pipeline has made the directories, and left where the spec
	// names them. All attempts are in the result, which is Flaky if a later one passed.
	Retries int
	// History gets a record of each attempt; nil records nothing. What cannot be written changes no result, and is in
	// [History.Err].
	History *History
	// Parallelism is how many scripts TestScript runs at the same time, others wait; 0 means one for
	// each CPU that Go uses. A pipeline bounds its own.
	Parallelism int
	// Observer gets what happens in all runs of the tester, in order, by one goroutine at a time. No run waits for it:
	// while it is busy, samples of output and memory are left out and counted in the next event. TestScript, TestStore
	// and TestPipeline return when it has got all events of theirs, so that it must not call them. It must not panic.
	Observer func(Event)
	// Engine runs scripts elsewhere; nil means here. Everything but the launch of a script is the same, with these
	// differences: Python is looked up on the node, in the PATH of this process; Warm does not count; LogDir and all
	// paths must be on the shared file system; Parallelism bounds the jobs that are submitted at the same time, 0 means
	// 100. A script gets the environment that it would have here, without SLURM_* and the like but for SLURM_JOB_ID, and
	// the variables of its node that name its devices. The memory of its job bounds it too: [OutcomeMemory]. What has
	// no verdict is [ErrLost], after it has been tried again. The end of ctx cancels jobs, and takes the time that
	// Slurm takes. Grace must be over before the cluster kills what is left of a job (KillWait): a longer one is
	// refused, and the 5 seconds of 0 are shortened.
	Engine *Slurm

	engine  engineState
	node    *nodeSide // of the helper on a compute node
	once    sync.Once
	slots   chan struct{} // holds a value for each script that runs
	warm    warmPool
	drivers sync.Map // pydriver.Bytecode by interpreter
	shims   interpreters
	session session
	observers
}

// ErrInterpreter is returned for an interpreter that is not Python 3.8 or later.
var ErrInterpreter = errors.New("not a Python interpreter of version 3.8 or later")

// TestScript runs the script of a spec in a process of its own. The environment is in place before
// Python starts, with a temporary directory of the run's own in TMPDIR, and outputs exist as
// directories. The script is imported under its own name, so that its __main__ block does not run,
// with its directory first in sys.path, nothing to read on stdin and no arguments in sys.argv. Then it
// is called as
//
//	main(input_paths=..., output_paths=..., environ_vars=..., job_args=...)
//
// with those of the four parameters that it has: three dicts, of which environ_vars holds only the
// spec's variables, and an argparse.Namespace. An asynchronous main is awaited.
//
// When the timeout or the memory is exceeded, or ctx ends, the script and everything that it has
// started are interrupted, terminated after half of the grace and killed after all of it. What it
// leaves running when it ends is ended as well. TestScript returns within the grace and a second, plus
// the time that it takes to examine inputs and outputs.
//
// A script that fails, in whatever way, is a result with Success false. An error means that there
// was no test: the spec cannot be run ([*ValidationError]), there is no interpreter
// ([exec.ErrNotFound], or [io/fs.ErrNotExist] for a path) or one that is not Python
// ([ErrInterpreter]), a module of Preload cannot be imported, or ctx ended.
func (t *RuntimeTester) TestScript(ctx context.Context, s Spec) (*ScriptTestResult, error) {
	return t.wait(ctx, job{runID: runID{Run: newRunID()}, spec: s})
}

// wait runs a job when its turn has come.
func (t *RuntimeTester) wait(ctx context.Context, j job) (*ScriptTestResult, error) {
	t.tell(j.event(EventQueued))
	result, err := t.inTurn(ctx, j)
	t.tell(j.finished(result, err))
	t.flush()
	return result, err
}

func (t *RuntimeTester) inTurn(ctx context.Context, j job) (*ScriptTestResult, error) {
	release, err := t.slot(ctx)
	if err != nil {
		return nil, fmt.Errorf("test of %s: %w", subject(j.spec), err)
	}
	defer release()
	j.masker = t.masker(j.spec)
	return t.run(ctx, j)
}

// test is one attempt at a job. Its spec has absolute paths where the one that was given has others.
func (t *RuntimeTester) test(ctx context.Context, j job, given Spec) (*ScriptTestResult, error) {
	s := j.spec
	if cmp.Or(s.common().meta.MaxMemory, t.MaxMemory) > 0 && !proctree.CanLimitMemory {
		return nil, fmt.Errorf("a bound of memory on %s: %w", runtime.GOOS, errors.ErrUnsupported)
	}
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	python, source, err := t.interpreter()
	if err != nil {
		return nil, err
	}
	if t.Dir != "" {
		if _, err := os.ReadDir(t.Dir); err != nil {
			return nil, fmt.Errorf("working directory: %w", err) // or the interpreter would be blamed
		}
	}
	basic := s.self().Basic()
	leaveOut(basic)
	run, err := newScriptRun(t, basic, python, source, j.timeout, j.masker)
	if err != nil {
		return nil, err
	}
	if fe := t.logDirError(run.spec); fe != nil {
		return nil, newValidationError(subject(s), []*FieldError{fe})
	}
	run.given, run.job = given, &j
	release, taken := inUse.claim(run.spec)
	if taken != nil {
		run.refuse(OutcomeOutputUnusable, "%s", taken)
		t.tell(run.ended())
		return &run.result, nil
	}
	defer release() // when it is recorded what is in them
	defer run.close()
	if run.prepare(j.within) {
		e, err := run.launch(ctx)
		if err != nil {
			return nil, err
		}
		declare(e.report.Modules...)
		run.classify(e)
		run.verifyFiles()
	}
	run.result.Success = run.result.Outcome == OutcomePassed
	t.tell(run.ended())
	return &run.result, nil
}

// Close ends the interpreters that Warm keeps; scripts that they have forked go on. The tester can be
// used again.
func (t *RuntimeTester) Close() error { return t.warm.close() }

// slot waits until one more script may run.
func (t *RuntimeTester) slot(ctx context.Context) (release func(), err error) {
	t.once.Do(func() { t.slots = make(chan struct{}, t.parallelism()) })
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	select {
	case t.slots <- struct{}{}:
		release = func() { <-t.slots }
		if err := context.Cause(ctx); err != nil { // select had both
			release()
			return nil, err
		}
		return release, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// parallelism returns how many scripts run at the same time.
func (t *RuntimeTester) parallelism() int {
	if t.Engine != nil {
		return cmp.Or(max(t.Parallelism, 0), defaultJobs)
	}
	return cmp.Or(max(t.Parallelism, 0), runtime.GOMAXPROCS(0))
}

func (t *RuntimeTester) grace() time.Duration { return cmp.Or(max(t.Grace, 0), 5*time.Second) }

func (t *RuntimeTester) maxOutput() int64 { return cmp.Or(max(t.MaxOutput, 0), 1<<20) }
