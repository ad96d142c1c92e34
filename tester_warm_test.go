//go:build unix

package scriptspec_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// Each fixture ends in a fork as it does in a new interpreter.
func TestOutcomesWarm(t *testing.T) {
	t.Parallel()
	warm := &scriptspec.RuntimeTester{Warm: true}
	t.Cleanup(func() { require.NoError(t, warm.Close()) })
	for name, want := range endings {
		if name == "memory" && !onLinux {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, tester := fixture(t, name), warm
			own := &scriptspec.RuntimeTester{Warm: true}
			if prepareFixture(s, own); own.Timeout+own.Grace != 0 {
				tester = own
				defer func() { require.NoError(t, own.Close()) }()
			}
			result, err := tester.TestScript(t.Context(), s)
			require.NoError(t, err)
			want.check(t, result)
			assert.Equal(t, want.hasMain || want.code != 0, result.Warm, "a run that was refused has neither")
		})
	}
}

// A fork sees what a new interpreter sees.
func TestWarmIsAsCold(t *testing.T) {
	t.Parallel()
	s := scripted(t, writesOutput+`
import json, sys, time
AT_IMPORT = os.environ.get("SCRIPT_SETTING")
def main(input_paths, output_paths, environ_vars, job_args):
    done(output_paths)
    environ = {k: v for k, v in sorted(os.environ.items()) if k != 'TMPDIR'}
    print(json.dumps([AT_IMPORT, environ, os.getcwd(), sys.argv, sys.path, __name__, repr(job_args), time.tzname, sys.stdin.read(), os.getpgrp() == os.getpid() == os.getsid(0)]))
`)
	s.AddEnvironVar("SCRIPT_SETTING", "sure")
	s.AddEnvironVar("TZ", "Asia/Tokyo")
	s.AddEnvironVar("PYTHONPATH", t.TempDir())
	s.AddJobArg("with-dash", 1.0)
	s.AddJobArg("plain", []any{nil, true})
	dir := t.TempDir()
	executable, err := exec.Command(python(t), "-c", "import sys; print(sys.executable)").Output() // no shim, which adds variables
	require.NoError(t, err)
	interpreter := strings.TrimSpace(string(executable))
	cold := &scriptspec.RuntimeTester{Python: interpreter, Dir: dir}
	warm := &scriptspec.RuntimeTester{Python: interpreter, Dir: dir, Warm: true, Preload: []string{"csv", "email.message"}}
	t.Cleanup(func() { require.NoError(t, warm.Close()) })
	first, second := runWith(t, cold, s), runWith(t, warm, s)
	require.True(t, first.Success, first.String())
	assert.Equal(t, first.Stdout.Text, second.Stdout.Text)
	assert.Contains(t, second.Stdout.Text, "JST")
	var list []any
	require.NoError(t, json.Unmarshal([]byte(second.Stdout.Text), &list))
	assert.Equal(t, true, list[len(list)-1], "a session and a group of its own")
	assert.Positive(t, second.PeakMemory)
	assert.Positive(t, second.UserTime+second.SystemTime)
}

// preloading returns a tester that keeps an interpreter with a module of the given text, which PYTHONPATH
// of the specs leads to.
func preloading(t *testing.T, text string, s *scriptspec.ScriptExecutionSpec) *scriptspec.RuntimeTester {
	t.Helper()
	lib := t.TempDir()
	write(t, filepath.Join(lib, "heavy.py"), text)
	s.AddEnvironVar("PYTHONPATH", lib)
	tester := &scriptspec.RuntimeTester{Warm: true, Preload: []string{"heavy"}}
	t.Cleanup(func() { require.NoError(t, tester.Close()) })
	return tester
}

// Modules are imported once, and what one script does to them no other sees.
func TestPreloadIsSharedAndIsolated(t *testing.T) {
	t.Parallel()
	s := scripted(t, writesOutput+`
import heavy
def main(output_paths):
    done(output_paths)
    heavy.COUNT += 1
    print(heavy.PID, heavy.COUNT, os.getpid() == heavy.PID)
`)
	tester := preloading(t, "import os\nPID, COUNT = os.getpid(), 0\n", s)
	var mu sync.Mutex
	seen := map[string]int{}
	var group sync.WaitGroup
	for i := range 8 {
		s := s.Clone()
		s.AddOutputPath("data_output", filepath.Join(t.TempDir(), strconv.Itoa(i)))
		group.Go(func() {
			result, err := tester.TestScript(t.Context(), s)
			if assert.NoError(t, err) {
				mu.Lock()
				defer mu.Unlock()
				seen[result.Stdout.Text]++
			}
		})
	}
	group.Wait()
	require.Len(t, seen, 1, "one interpreter has imported it, and each script changed a copy")
	for text, n := range seen {
		assert.Equal(t, 8, n)
		assert.True(t, strings.HasSuffix(text, " 1 False\n"), text)
	}
}

func TestPreloadFails(t *testing.T) {
	t.Parallel()
	s := scripted(t, doesNothing)
	for text, message := range map[string]string{
		"raise ValueError('no GPU')":        "preload heavy: ValueError: no GPU",
		"import os; os._exit(3)":            "ended while it imported heavy",
		"import no_such_module_of_that_lib": "preload heavy: ModuleNotFoundError: No module named 'no_such_module_of_that_lib'",
	} {
		tester := preloading(t, text, s)
		_, err := tester.TestScript(t.Context(), s)
		require.ErrorContains(t, err, message)
	}
	tester := preloading(t, "import threading; threading.Event().wait()", s)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := tester.TestScript(ctx, s)
	require.ErrorIs(t, err, context.Canceled)
	tester.Timeout = 1
	_, err = tester.TestScript(t.Context(), s)
	require.ErrorContains(t, err, "the modules to preload takes longer than")
}

// What would be another module in a new interpreter is not shared.
func TestWarmMakesWayForModulesBesideTheScript(t *testing.T) {
	t.Parallel()
	s := scripted(t, writesOutput+"import heavy\ndef main(output_paths):\n    done(output_paths)\n    print(heavy.WHERE)")
	tester := preloading(t, "WHERE = 'shared'", s)
	assert.Equal(t, "shared\n", runWith(t, tester, s).Stdout.Text)
	write(t, filepath.Join(filepath.Dir(s.ScriptPath), "heavy.py"), "WHERE = 'beside the script'")
	result, err := tester.TestScript(t.Context(), s)
	require.NoError(t, err)
	assert.Equal(t, "beside the script\n", result.Stdout.Text)
	assert.False(t, result.Warm)
}

// A variable that counts at the start of an interpreter gets one of its own.
func TestWarmVariablesOfTheStart(t *testing.T) {
	t.Parallel()
	s := scripted(t, writesOutput+"def main(output_paths):\n    done(output_paths)\n    print(hash('x'), __import__('sys').flags.hash_randomization)")
	tester := &scriptspec.RuntimeTester{Warm: true}
	t.Cleanup(func() { require.NoError(t, tester.Close()) })
	s.AddEnvironVar("PYTHONHASHSEED", "0")
	fixed := runWith(t, tester, s).Stdout.Text
	want, err := exec.Command(python(t), "-c", "import os; os.environ['PYTHONHASHSEED'] = '0'; os.execv(__import__('sys').executable, ['python', '-c', 'print(hash(\"x\"), 0)'])").Output()
	require.NoError(t, err)
	assert.Equal(t, string(want), fixed)
	s.AddEnvironVar("PYTHONHASHSEED", "1")
	assert.NotEqual(t, fixed, runWith(t, tester, s).Stdout.Text)
}

// An interpreter that was killed is replaced, and a script that kills what watches over it fails alone.
func TestWarmInterpreterIsKilled(t *testing.T) {
	t.Parallel()
	s := scripted(t, writesOutput+"import heavy, signal\ndef main(output_paths, job_args):\n    done(output_paths)\n    print(heavy.PID)\n    os.kill({'server': heavy.PID, 'monitor': os.getppid(), 'nobody': 0}[job_args.kill], job_args.signal)")
	tester := preloading(t, "import os\nPID = os.getpid()\n", s)
	s.AddJobArg("signal", 0)
	s.AddJobArg("kill", "server")
	first := runWith(t, tester, s)
	require.True(t, first.Success, first.Details())
	s.AddJobArg("signal", 9)
	second := runWith(t, tester, s)
	require.True(t, second.Success, "it is gone, the script is not")
	s.AddJobArg("signal", 0)
	for replaced := false; !replaced; { // a child that was forked ahead may still take a script
		third := runWith(t, tester, s)
		require.True(t, third.Success, third.Details())
		replaced = third.Stdout.Text != second.Stdout.Text
	}

	s.AddJobArg("signal", 9)
	s.AddJobArg("kill", "monitor")
	assert.Equal(t, scriptspec.OutcomeCrashed, runWith(t, tester, s).Outcome)
	s.AddJobArg("signal", 0)
	assert.True(t, runWith(t, tester, s).Success)
}

// Close leaves no process.
func TestWarmClose(t *testing.T) {
	t.Parallel()
	s := scripted(t, writesOutput+"import heavy\ndef main(output_paths):\n    done(output_paths)\n    print(heavy.PID)")
	tester := preloading(t, "import os\nPID = os.getpid()\n", s)
	result := runWith(t, tester, s)
	pid, err := strconv.Atoi(strings.TrimSpace(result.Stdout.Text))
	require.NoError(t, err)
	assert.False(t, ended(pid))
	require.NoError(t, tester.Close())
	assert.True(t, ended(pid))
	assert.True(t, runWith(t, tester, s).Success, "it can be used again")
}

// A fork ends as an interpreter does: threads are waited for, what is to be done at the exit is done, and
// files that nobody has closed are written, wherever they are kept.
func TestWarmEndsAsCold(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, tester *scriptspec.RuntimeTester) {
		s := scripted(t, `
import atexit, json, os, threading
OPEN = []
class Late:
    def __del__(self):
        print("finalized", flush=True)
LATE = Late()
LATE.itself = LATE
def work(path, gate):
    gate.wait()
    with open(path, "w") as f:
        f.write("thread")
def main(output_paths):
    at = lambda name: os.path.join(output_paths["data_output"], name)
    OPEN.append(open(at("global"), "w"))
    OPEN[0].write("global")
    json.kept = open(at("elsewhere"), "w")
    json.kept.write("elsewhere")
    open(at("binary"), "wb").write(b"binary")
    gate = threading.Event()
    threading.Thread(target=work, args=(at("thread"), gate)).start()
    atexit.register(lambda: print("at exit", flush=True))
    threading.Timer(0.01, gate.set).start()
`)
		result := runWith(t, tester, s)
		require.True(t, result.Success, result.Details())
		assert.Equal(t, "at exit\nfinalized\n", result.Stdout.Text)
		for _, name := range []string{"global", "elsewhere", "binary", "thread"} {
			data, err := os.ReadFile(filepath.Join(s.OutputPaths["data_output"], name))
			require.NoError(t, err)
			assert.Equal(t, name, string(data))
		}
	})
}

// Threads that a preloaded module has left are not in a fork. A new interpreter is started, and the result says
// why. Libraries that end theirs before a fork are no reason.
func TestWarmWithThreads(t *testing.T) {
	t.Parallel()
	if !onLinux {
		t.Skip("threads that are not Python's are counted on Linux only")
	}
	const pool = "import queue, threading\nQ = queue.Queue()\ndef work():\n    while True:\n        Q.get().set()\nTHREAD = threading.Thread(target=work, name='exporter', daemon=True)\nTHREAD.start()\n"
	for name, module := range map[string]string{
		"Python's": pool,
		"another's": "import ctypes\nlib = ctypes.CDLL(None)\nROUTINE = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(lambda x: lib.pause())\n" +
			"lib.pthread_create(ctypes.byref(ctypes.c_ulong()), None, ROUTINE, None)\n",
		"ended by then": "import os, threading\nSTOP = threading.Event()\nTHREAD = threading.Thread(target=STOP.wait)\nTHREAD.start()\n" +
			"def stop():\n    STOP.set()\n    THREAD.join()\nos.register_at_fork(before=stop)\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := scripted(t, writesOutput+`
import heavy, threading
def main(output_paths):
    if hasattr(heavy, "Q"):
        done_event = threading.Event()
        heavy.Q.put(done_event)
        assert done_event.wait(30)
    done(output_paths)
`)
			imports := filepath.Join(t.TempDir(), "imports")
			tester := preloading(t, "import sys\nif '--serve' in sys.argv:\n    open("+strconv.Quote(imports)+", 'a').write('x')\n"+module, s)
			for range 2 {
				result, err := tester.TestScript(t.Context(), s)
				require.NoError(t, err)
				assert.True(t, result.Success, result.Details())
				assert.Equal(t, name == "ended by then", result.Warm)
				if result.Warm {
					assert.Empty(t, result.WarmProblem)
				} else {
					assert.Contains(t, result.WarmProblem, "preload heavy has left 1")
				}
			}
			data, err := os.ReadFile(imports)
			require.NoError(t, err)
			assert.Equal(t, "x", string(data), "it is not tried again")
		})
	}
}

// What a preloaded module sets in the environment stays, unless the spec says otherwise.
func TestPreloadSetsVariables(t *testing.T) {
	t.Parallel()
	s := scripted(t, writesOutput+"def main(output_paths):\n    done(output_paths)\n    print(os.environ.get('SET'), os.environ.get('OURS'), os.environ.get('TERM_GONE'))\n")
	tester := preloading(t, "import os\nos.environ['SET'] = 'by heavy'\nos.environ['OURS'] = 'by heavy'\nos.environ.pop('TERM_GONE', None)\n", s)
	s.AddEnvironVar("OURS", "spec")
	assert.Equal(t, "by heavy spec None\n", runWith(t, tester, s).Stdout.Text)
}

// A script that puts a directory of its own first finds its own modules there, not ours.
func TestWarmFindsTheScriptsModules(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, tester *scriptspec.RuntimeTester) {
		s := scripted(t, writesOutput+`
import sys
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
import json, resource, socket, traceback
def main(output_paths):
    done(output_paths)
    print(json.OWN, resource.OWN, socket.OWN, traceback.OWN)
    return {"a": 1}
`)
		for _, name := range []string{"json", "resource", "socket", "traceback"} {
			write(t, filepath.Join(filepath.Dir(s.ScriptPath), "lib", name+".py"), "OWN = 1\n")
		}
		result := runWith(t, tester, s)
		assert.Equal(t, "1 1 1 1\n", result.Stdout.Text, result.Details())
		assert.JSONEq(t, `{"a": 1}`, string(result.ReturnValue))
	})
}

// It is the directory of the real file whose modules a script behind a link finds, also if they are preloaded.
func TestWarmScriptBehindALinkHasItsModules(t *testing.T) {
	t.Parallel()
	s := scripted(t, "")
	real := t.TempDir()
	write(t, filepath.Join(real, "tabular_preprocessing.py"), writesOutput+"import csv\ndef main(output_paths):\n    done(output_paths)\n    print(csv.OWN)\n")
	write(t, filepath.Join(real, "csv.py"), "OWN = 1\n")
	require.NoError(t, os.Remove(s.ScriptPath))
	require.NoError(t, os.Symlink(filepath.Join(real, "tabular_preprocessing.py"), s.ScriptPath))
	tester := &scriptspec.RuntimeTester{Warm: true, Preload: []string{"csv"}}
	t.Cleanup(func() { require.NoError(t, tester.Close()) })
	result, err := tester.TestScript(t.Context(), s)
	require.NoError(t, err)
	assert.Equal(t, "1\n", result.Stdout.Text, result.Details())
	assert.False(t, result.Warm)
}

// What a script writes to a file that a preloaded module has open is not lost, nor written twice.
func TestPreloadHasAFileOpen(t *testing.T) {
	t.Parallel()
	s := scripted(t, writesOutput+"import heavy\ndef main(output_paths):\n    done(output_paths)\n    heavy.LOG.write('script\\n')\n")
	log := filepath.Join(t.TempDir(), "log")
	tester := preloading(t, "LOG = open("+strconv.Quote(log)+", 'a')\nLOG.write('import\\n')\n", s)
	for range 2 {
		require.True(t, runWith(t, tester, s).Success)
	}
	data, err := os.ReadFile(log)
	require.NoError(t, err)
	assert.Equal(t, "import\nscript\nscript\n", string(data))
}

// Close leaves alone what scripts still need of the interpreter.
func TestCloseWhileScriptsRun(t *testing.T) {
	t.Parallel()
	s := scripted(t, writesOutput+`
import multiprocessing, time
def work(path):
    with open(path + "/child.txt", "w") as f:
        f.write("child")
def main(input_paths, output_paths):
    done(output_paths)
    while os.path.exists(input_paths["data_input"] + ".wait"):
        time.sleep(0.005)
    child = multiprocessing.get_context("spawn").Process(target=work, args=(output_paths["data_output"],))
    child.start()
    child.join()
    assert child.exitcode == 0
`)
	wait := s.InputPaths["data_input"] + ".wait"
	write(t, wait, "")
	tester := &scriptspec.RuntimeTester{Warm: true}
	var group sync.WaitGroup
	group.Go(func() {
		result, err := tester.TestScript(t.Context(), s)
		if assert.NoError(t, err) {
			assert.True(t, result.Success, result.Details())
			assert.True(t, result.Warm)
		}
	})
	output := filepath.Join(s.OutputPaths["data_output"], "out.txt")
	require.Eventually(t, func() bool { _, err := os.Stat(output); return err == nil }, time.Minute, time.Millisecond)
	require.NoError(t, tester.Close())
	require.NoError(t, os.Remove(wait))
	group.Wait()
}

// A working directory that is gone, and one that the script deletes, make no difference between the two.
func TestWorkingDirectoryIsGone(t *testing.T) {
	s := scripted(t, writesOutput+`
import shutil
def main(output_paths, job_args):
    done(output_paths)
    if hasattr(job_args, "delete"):
        os.chdir(job_args.delete)
        os.rmdir(job_args.delete)
    try:
        os.getcwd()
    except OSError:
        print("gone")
`)
	t.Chdir(t.TempDir())
	wd, err := os.Getwd()
	require.NoError(t, err)
	testers := []*scriptspec.RuntimeTester{{}, {Warm: true}}
	for _, tester := range testers {
		t.Cleanup(func() { require.NoError(t, tester.Close()) })
		deleted := filepath.Join(t.TempDir(), "deleted")
		require.NoError(t, os.Mkdir(deleted, 0o700))
		s.AddJobArg("delete", deleted)
		assert.Equal(t, "gone\n", runWith(t, tester, s).Stdout.Text)
	}
	delete(s.JobArgs, "delete")
	require.NoError(t, os.Remove(wd))
	for _, tester := range testers {
		result, err := tester.TestScript(t.Context(), s)
		require.NoError(t, err)
		assert.True(t, result.Success, result.Details())
		assert.Equal(t, "gone\n", result.Stdout.Text)
	}
}

// What a finalizer writes when the interpreter ends counts in both.
func TestFinalizerWritesTheOutput(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, tester *scriptspec.RuntimeTester) {
		s := scripted(t, `
class Model:
    def __init__(self, path):
        self.file = open(path, "w")
    def __del__(self):
        self.file.write("saved at the end")
        self.file.close()
def main(output_paths):
    global MODEL
    MODEL = Model(output_paths["data_output"] + "/model.txt")
`)
		result := runWith(t, tester, s)
		assert.True(t, result.Success, result.Details())
		assert.Equal(t, int64(16), result.Outputs["data_output"].Bytes)
	})
}
