//go:build unix

package scriptspec_test

import (
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/scriptspec/scriptspec"
)

// What looks like success and is none, and what looks odd and is fine, in a new interpreter and in a fork.
func TestOddScripts(t *testing.T) {
	t.Parallel()
	const main = writesOutput + "\ndef main(output_paths):\n    done(output_paths)\n    "
	for name, test := range map[string]struct {
		script  string
		beside  string // name of an empty module beside the script
		outcome scriptspec.Outcome
		message string
	}{
		"exits at import":           {"import sys\nsys.exit(0)\n" + main + "pass", "", scriptspec.OutcomeExit, "sys.exit before main was called"},
		"exit 0.0":                  {"import sys" + main + "sys.exit(0.0)", "", scriptspec.OutcomeExitMessage, "0.0"},
		"exit with what is equal":   {"import sys, unittest.mock" + main + "sys.exit(unittest.mock.ANY)", "", scriptspec.OutcomeExitMessage, "<ANY>"},
		"class of an exit":          {"class E(Exception):\n    __class__ = property(lambda self: SystemExit)\n    code = 0\n" + main + "raise E('seen')", "", scriptspec.OutcomeException, "seen"},
		"number that lies":          {"import sys\nclass I(int):\n    __int__ = __eq__ = lambda *a: 0\n    __hash__ = None\n" + main + "sys.exit(I(3))", "", scriptspec.OutcomeExit, "3"},
		"code that raises":          {"class E(SystemExit):\n    code = property(lambda self: 1 / 0)\n" + main + "raise E('seen')", "", scriptspec.OutcomeException, "seen"},
		"imports in a thread":       {"import threading\ndef work():\n    for i in range(200):\n        exec('import beside%d' % i)\n" + main + "import sys\n    for i in range(200):\n        open(os.path.join(os.path.dirname(__file__), 'beside%d.py' % i), 'w').close()\n    other = threading.Thread(target=work); other.start()\n    return {'n': [other]}", "", scriptspec.OutcomePassed, ""},
		"generator":                 {main + "yield 1", "", scriptspec.OutcomeBadMain, "main returned a generator"},
		"asynchronous generator":    {"async def main(output_paths):\n    yield 1", "", scriptspec.OutcomeBadMain, "main returned a generator"},
		"asynchronous, raises":      {"async def main(output_paths):\n    raise ValueError('later')", "", scriptspec.OutcomeException, "later"},
		"output is a link":          {main + "import shutil; shutil.rmtree(output_paths['data_output']); os.symlink('/usr/lib', output_paths['data_output'])", "", scriptspec.OutcomeNoOutput, "not there any more"},
		"output is the root":        {main + "import shutil; shutil.rmtree(output_paths['data_output']); os.symlink('/', output_paths['data_output'])", "", scriptspec.OutcomeNoOutput, "not there any more"},
		"output has a link":         {"import os\ndef main(output_paths):\n    os.symlink('/etc/passwd', output_paths['data_output'] + '/data.csv')", "", scriptspec.OutcomeNoOutput, "it has no files"},
		"wraps its stdout":          {"import io, sys" + main + "sys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding='utf-8'); print('é')", "", scriptspec.OutcomePassed, ""},
		"deletes its stdout":        {"import sys" + main + "del sys.stdout, sys.stderr", "", scriptspec.OutcomePassed, ""},
		"stdout cannot be flushed":  {"import sys" + main + "sys.stdout = type('S', (), {'flush': lambda self, now: 1, 'write': lambda self, x: 1})(); raise ValueError('seen')", "", scriptspec.OutcomeException, "seen"},
		"json beside it":            {"import json" + main + "return {'a': 1}", "json", scriptspec.OutcomePassed, ""},
		"inspect beside it":         {"import inspect" + main + "pass\nmain = __import__('functools').partial(main)", "inspect", scriptspec.OutcomePassed, ""},
		"traceback beside it":       {"import traceback" + main + "raise ValueError('seen')", "traceback", scriptspec.OutcomeException, "seen"},
		"empties sys.path":          {"import sys" + main + "sys.path[:] = []; return {'a': 1}", "", scriptspec.OutcomePassed, ""},
		"opens all files":           {main + "keep = []\n    while True:\n        keep.append(open(os.devnull))", "", scriptspec.OutcomeException, "Too many open files"},
		"no files for its value":    {"import resource" + main + "resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3)); return 1", "", scriptspec.OutcomePassed, ""},
		"text is a subclass":        {"class T(str):\n    def encode(self, *a): raise OSError\n    __len__ = __getitem__ = encode\n" + main + "raise ValueError(T('seen'))", "", scriptspec.OutcomeException, "seen"},
		"metaclass lies":            {"class M(type):\n    @property\n    def __name__(cls): raise OSError\nclass E(Exception, metaclass=M): pass\n" + main + "raise E('seen')", "", scriptspec.OutcomeException, "seen"},
		"value exits":               {"import sys\nclass V:\n    def __repr__(self): sys.exit(3)\n" + main + "return V()", "", scriptspec.OutcomePassed, ""},
		"raises at exit":            {"import atexit" + main + "atexit.register(lambda: 1 / 0)", "", scriptspec.OutcomePassed, ""},
		"value is called generator": {"class generator: pass" + main + "return generator()", "", scriptspec.OutcomePassed, ""},
		"child raises":              {main + "\n    if os.fork() == 0:\n        raise ValueError('in the child')\n    assert os.wait()[1] != 0", "", scriptspec.OutcomePassed, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bothWays(t, func(t *testing.T, tester *scriptspec.RuntimeTester) {
				s := scripted(t, test.script)
				if test.beside != "" {
					write(t, filepath.Join(filepath.Dir(s.ScriptPath), test.beside+".py"), "")
				}
				result, err := tester.TestScript(t.Context(), s)
				require.NoError(t, err)
				assert.Equal(t, test.outcome, result.Outcome, result.Details())
				assert.Contains(t, result.ErrorMessage, test.message)
				assert.NotContains(t, result.Traceback, "<scriptspec>")
				assert.NotContains(t, result.Traceback, "asyncio")
				if name == "child raises" {
					assert.Contains(t, result.Stderr.Text, "in the child", "as it is without us")
				}
			})
		})
	}
}

// One spec cannot make the driver of the next.
func TestDriverIsNotTheSpecsToMake(t *testing.T) {
	t.Parallel()
	tester := &scriptspec.RuntimeTester{}
	lib := t.TempDir()
	write(t, filepath.Join(lib, "sitecustomize.py"), `
import marshal
FORGED = """
def serve_one(requests, results, request, made, prepare):
    import os
    for name, text in ((b"hello", b"3.9.9"), (b"main", b""), (b"outcome", b"returned"), (b"end", b"")):
        os.write(results, b"%s %s %d\\n%s" % (request["token"].encode(), name, len(text), text))
"""
real, calls = marshal.dumps, []
def dumps(value):
    calls.append(value)
    return real(compile(FORGED, "x", "exec") if len(calls) == 1 else value)
marshal.dumps = dumps
`)
	bad := scripted(t, writesOutput+"def main(output_paths):\n    done(output_paths)")
	bad.AddEnvironVar("PYTHONPATH", lib)
	_, err := tester.TestScript(t.Context(), bad)
	require.NoError(t, err)
	result, err := tester.TestScript(t.Context(), scripted(t, "def main(output_paths):\n    raise ValueError('seen')"))
	require.NoError(t, err)
	assert.Equal(t, "seen", result.ErrorMessage)
}

// A daemon with an environment of its own and nothing of the run's open is found nevertheless.
func TestDaemonWithoutATrace(t *testing.T) {
	t.Parallel()
	if !onLinux {
		t.Skip("other systems do not tell")
	}
	bothWays(t, func(t *testing.T, tester *scriptspec.RuntimeTester) {
		result := runWith(t, tester, scripted(t, writesOutput+`
import subprocess, sys
def main(output_paths):
    done(output_paths)
    code = "import os, sys; r, w = os.pipe(); pid = os.fork(); pid or os.setsid(); pid or os.fork() or (os.write(w, b'%d' % os.getpid()), os.closerange(0, 9), __import__('signal').pause()); pid or os._exit(0); print(os.read(r, 20).decode())"
    print(subprocess.run([sys.executable, "-c", code], env={}, stdout=subprocess.PIPE, close_fds=True, start_new_session=True).stdout.decode())
`))
		daemons := pids(t, result.Stdout.Text)
		require.Len(t, daemons, 1, result.Details())
		assert.True(t, ended(daemons[0]))
		assert.Len(t, result.Leftover, 1, "%v", result)
	})
}

// A warm interpreter that was stopped is replaced when it is needed, and a monitor that was stopped does not
// hold up its script.
func TestWarmInterpreterIsStopped(t *testing.T) {
	t.Parallel()
	s := scripted(t, writesOutput+`
import heavy, time
def main(output_paths, job_args):
    done(output_paths)
    print(heavy.PID, os.getppid())
    os.kill({'server': heavy.PID, 'monitor': os.getppid()}[job_args.who], job_args.signal)
    if job_args.together:
        open(os.path.join(job_args.together, str(os.getpid())), "w").close()
        while len(os.listdir(job_args.together)) < 3:
            time.sleep(0.01)
`)
	tester := preloading(t, "import os\nPID = os.getpid()\n", s)
	tester.Grace = 100 * time.Millisecond
	tester.Parallelism = 3
	s.AddJobArg("who", "server")
	s.AddJobArg("signal", int(syscall.SIGSTOP))
	s.AddJobArg("together", "")
	stopped := runWith(t, tester, s)
	require.True(t, stopped.Success)
	assert.Equal(t, pids(t, stopped.Stdout.Text)[0], pids(t, runWith(t, tester, s).Stdout.Text)[0], "one script does not need it")

	s.AddJobArg("signal", 0)
	s.AddJobArg("together", t.TempDir())
	var group sync.WaitGroup
	var mu sync.Mutex
	servers := map[int]bool{}
	for i := range 3 {
		one := s.Clone()
		one.AddOutputPath("data_output", filepath.Join(filepath.Dir(s.ScriptPath), "out", strconv.Itoa(i)))
		group.Go(func() {
			result, err := tester.TestScript(t.Context(), one)
			if assert.NoError(t, err) && assert.True(t, result.Success, result.String()) {
				mu.Lock()
				defer mu.Unlock()
				servers[pids(t, result.Stdout.Text)[0]] = true
			}
		})
	}
	group.Wait()
	assert.Len(t, servers, 2, "three at the same time do, after some patience")

	s.AddJobArg("together", "")
	tester.Timeout = time.Second
	s.AddJobArg("who", "monitor")
	s.AddJobArg("signal", int(syscall.SIGSTOP))
	result := runWith(t, tester, s)
	assert.False(t, result.Success)
	who := pids(t, result.Stdout.Text)
	require.Len(t, who, 2)
	require.Eventually(t, func() bool { return ended(who[1]) }, time.Minute, time.Millisecond, "the monitor is not left")
}

// What one script does to the warm interpreter is no matter of another that runs.
func TestWarmScriptsGoOn(t *testing.T) {
	t.Parallel()
	fifo := filepath.Join(t.TempDir(), "fifo")
	require.NoError(t, unix.Mkfifo(fifo, 0o600))
	waits := scripted(t, writesOutput+"def main(output_paths, job_args):\n    open(job_args.fifo).read()\n    done(output_paths)")
	waits.AddJobArg("fifo", fifo)
	kills := scripted(t, writesOutput+"import heavy\ndef main(output_paths):\n    done(output_paths)\n    os.kill(heavy.PID, 9)")
	tester := preloading(t, "import os\nPID = os.getpid()\n", waits)
	tester.Parallelism = 2
	kills.AddEnvironVar("PYTHONPATH", waits.EnvironVars["PYTHONPATH"])
	done := make(chan *scriptspec.ScriptTestResult)
	go func() {
		result, err := tester.TestScript(t.Context(), waits)
		assert.NoError(t, err)
		done <- result
	}()
	gate, err := os.OpenFile(fifo, os.O_WRONLY, 0) // once the script reads
	require.NoError(t, err)
	require.True(t, runWith(t, tester, kills).Success)
	require.True(t, runWith(t, tester, kills).Success, "by another interpreter")
	require.NoError(t, tester.Close())
	require.NoError(t, gate.Close())
	result := <-done
	assert.True(t, result.Success, result.Details())
}

// What a host sets without care does no harm.
func TestOddSettings(t *testing.T) {
	t.Parallel()
	s := scripted(t, writesOutput+"def main(output_paths):\n    done(output_paths)\n    print('x')")
	result, err := (&scriptspec.RuntimeTester{MaxOutput: -1, Timeout: -1, Grace: -1, Parallelism: -1}).TestScript(t.Context(), s)
	require.NoError(t, err)
	assert.True(t, result.Success)
	assert.Equal(t, "x\n", result.Stdout.Text)

	logs := t.TempDir()
	require.NoError(t, unix.Mkfifo(filepath.Join(logs, s.StepName+".stdout.log"), 0o600))
	_, err = (&scriptspec.RuntimeTester{LogDir: logs}).TestScript(t.Context(), s)
	require.ErrorIs(t, err, syscall.ENXIO, "nobody is waited for")

	s.StepName = "../Escaped"
	_, err = (&scriptspec.RuntimeTester{LogDir: logs}).TestScript(t.Context(), s)
	assert.Equal(t, []problem{{"step_name", scriptspec.CodeFormat, "step_name must be in PascalCase format with optional job type suffix"}}, problems(t, err))
}

// Variables that change what an interpreter does at its ends.
func TestInterpreterVariables(t *testing.T) {
	t.Parallel()
	for _, variable := range []string{"PYTHONINSPECT", "PYTHONSAFEPATH", "PYTHONOPTIMIZE", "PYTHONVERBOSE", "PYTHONPROFILEIMPORTTIME"} {
		t.Run(variable, func(t *testing.T) {
			t.Parallel()
			bothWays(t, func(t *testing.T, tester *scriptspec.RuntimeTester) {
				s := scripted(t, writesOutput+"import helper\ndef main(output_paths):\n    done(output_paths)")
				lib := t.TempDir()
				write(t, filepath.Join(lib, "helper.py"), "")
				s.AddEnvironVar("PYTHONPATH", os.TempDir()+string(filepath.ListSeparator)+lib)
				s.AddEnvironVar(variable, "1")
				result := runWith(t, tester, s)
				assert.True(t, result.Success, result.Details())
			})
		})
	}
	bothWays(t, func(t *testing.T, tester *scriptspec.RuntimeTester) {
		s := scripted(t, doesNothing)
		s.AddEnvironVar("PYTHONHOME", "/nowhere")
		_, err := tester.TestScript(t.Context(), s)
		require.ErrorIs(t, err, scriptspec.ErrInterpreter)
	})
}

// What a module of Preload says of its failure shows no environment values.
func TestPreloadHidesSecrets(t *testing.T) {
	t.Parallel()
	s := scripted(t, doesNothing)
	s.AddEnvironVar("PYTHON_SECRET", sentinel)
	tester := preloading(t, "import os\nraise ValueError(os.environ['PYTHON_SECRET'])", s)
	_, err := tester.TestScript(t.Context(), s)
	require.ErrorContains(t, err, "preload heavy: ValueError: [redacted: PYTHON_SECRET]")
}
