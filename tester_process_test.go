//go:build unix

package scriptspec_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/scriptspec/scriptspec"
)

// ended reports whether there is no such process, or only what is left of one that nobody has waited for.
func ended(pid int) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err == nil {
		fields := strings.Fields(string(status[bytes.LastIndexByte(status, ')')+1:]))
		return fields[0] == "Z"
	}
	return syscall.Kill(pid, 0) == syscall.ESRCH
}

func pids(t *testing.T, text string) []int {
	t.Helper()
	var list []int
	for _, word := range strings.Fields(text) {
		pid, err := strconv.Atoi(word)
		require.NoError(t, err, "%q", text)
		list = append(list, pid)
	}
	return list
}

// grandchild starts a process that holds stdout and ignores what can be ignored.
const grandchild = `
import signal, subprocess, sys, threading
def hang():
    code = "import os, signal; signal.signal(signal.SIGINT, signal.SIG_IGN); signal.signal(signal.SIGTERM, signal.SIG_IGN); os.write(2, b'x'); signal.pause()"
    child = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE)
    child.stderr.read(1)  # it is deaf by now
    print(child.pid, flush=True)
`

func TestHangingTree(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, tester *scriptspec.RuntimeTester) {
		tester.Timeout = 4 * time.Second
		tester.Grace = 4 * time.Second // half of it for the traceback, also on a busy machine
		result := runWith(t, tester, scripted(t, grandchild+`
def main(input_paths):
    hang()
    threading.Event().wait()
`))
		assert.Equal(t, scriptspec.OutcomeTimeout, result.Outcome)
		assert.Contains(t, result.Traceback, "threading.Event().wait()", "where it hung")
		children := pids(t, result.Stdout.Text)
		require.Len(t, children, 1, "output so far is kept")
		assert.True(t, ended(children[0]))
		assert.Empty(t, result.Survivors)
	})
}

// The script is done, and what it left behind is ended and named.
func TestLeftovers(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, tester *scriptspec.RuntimeTester) {
		result := runWith(t, tester, scripted(t, writesOutput+grandchild+`
def main(output_paths):
    hang()
    done(output_paths)
`))
		assert.True(t, result.Success, result.String())
		children := pids(t, result.Stdout.Text)
		require.Len(t, children, 1)
		assert.True(t, ended(children[0]))
		assert.Len(t, result.Leftover, 1, "%v", result)
		assert.Empty(t, result.Survivors)
	})
}

// A daemon leaves the session and is orphaned: only Linux can find it.
func TestDoubleFork(t *testing.T) {
	t.Parallel()
	if !onLinux {
		t.Skip("other systems do not tell what becomes of orphans")
	}
	bothWays(t, func(t *testing.T, tester *scriptspec.RuntimeTester) {
		result := runWith(t, tester, scripted(t, writesOutput+`
import signal
def main(output_paths):
    done(output_paths)
    alive, begun = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.closerange(0, 3)
            os.write(begun, b"%d\n" % os.getpid())
            os.closerange(3, 256)
            while True:
                signal.pause()
        os._exit(0)
    os.wait()
    print(os.read(alive, 100).decode())
`))
		assert.True(t, result.Success, result.String())
		daemons := pids(t, result.Stdout.Text)
		require.Len(t, daemons, 1)
		assert.True(t, ended(daemons[0]))
		assert.Len(t, result.Leftover, 1, "%v", result)
	})
}

// A child that was forked returns from main as well: only the script itself may report.
func TestForkThatReturns(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, tester *scriptspec.RuntimeTester) {
		result := runWith(t, tester, scripted(t, `
import os
def main(output_paths):
    if os.fork() == 0:
        with open(os.path.join(output_paths["data_output"], "x"), "w") as f:
            f.write("x")
        return "child"
    os.wait()
    raise ValueError("the parent fails")
`))
		assert.Equal(t, scriptspec.OutcomeException, result.Outcome)
	})
}

func TestPools(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"fork", "spawn"} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			bothWays(t, func(t *testing.T, tester *scriptspec.RuntimeTester) {
				runWith(t, tester, fixture(t, "passed")) // the next starts from bytecode
				result := runWith(t, tester, scripted(t, writesOutput+`
import multiprocessing
def square(x):
    return x * x
def main(output_paths, **kwargs):
    with multiprocessing.get_context("`+method+`").Pool(2) as pool:
        print(pool.map(square, [1, 2, 3]))
    done(output_paths)
`))
				assert.True(t, result.Success, "%v\n%s", result, result.Stderr.Text)
				assert.Equal(t, "[1, 4, 9]\n", result.Stdout.Text)
			})
		})
	}
}

// Memory does not grow with what a script prints. Not parallel: the allocations are the process's.
func TestFlood(t *testing.T) {
	s := scripted(t, writesOutput+`
import sys, threading
def flood(stream, n):
    for _ in range(n):
        stream.buffer.write(b"x" * (1 << 20))
def main(output_paths, job_args):
    done(output_paths)
    other = threading.Thread(target=flood, args=(sys.stderr, job_args.mib))
    other.start()
    flood(sys.stdout, job_args.mib)
    other.join()
`)
	s.AddEnvironVar("SECRET", sentinel) // so that all of it is looked through
	allocated := func(mib int) int64 {
		s.AddJobArg("mib", mib)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		result := run(t, s)
		runtime.ReadMemStats(&after)
		require.True(t, result.Success, result.String())
		for _, c := range []scriptspec.Capture{result.Stdout, result.Stderr} {
			assert.Equal(t, int64(mib)<<20, c.Bytes)
			assert.True(t, c.Truncated)
			assert.Less(t, len(c.Text), 1<<20+100)
		}
		return int64(after.TotalAlloc - before.TotalAlloc)
	}
	allocated(2)
	assert.Less(t, allocated(256)-allocated(2), int64(4<<20))
}

// Nothing of a run goes on in this process after it.
func TestNoGoroutineIsLeft(t *testing.T) {
	python(t)
	before := runtime.NumGoroutine()
	for _, warm := range []bool{false, true} {
		tester := &scriptspec.RuntimeTester{Timeout: 2 * time.Second, Grace: 100 * time.Millisecond, Warm: warm}
		for _, name := range []string{"timeout", "passed", "crashed", "input_missing", "bad_report"} {
			s := fixture(t, name)
			prepareFixture(s, &scriptspec.RuntimeTester{})
			_, err := tester.TestScript(t.Context(), s)
			require.NoError(t, err)
		}
		require.NoError(t, tester.Close())
	}
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before && time.Now().Before(deadline); {
		runtime.Gosched() // the last ones are on their way
	}
	assert.LessOrEqual(t, runtime.NumGoroutine(), before)
}

// When the harness is killed, the script dies with it.
func TestHarnessIsKilled(t *testing.T) {
	t.Parallel()
	if !onLinux {
		t.Skip("other systems do not end children with their parent")
	}
	const variable = "SCRIPTSPEC_TEST_FIFO"
	for _, warm := range []string{"", "warm"} {
		t.Run("harness "+warm, func(t *testing.T) {
			if fifo := os.Getenv(variable); fifo != "" { // the harness that is killed
				s := scripted(t, "import signal\ndef main(job_args):\n    f = open(job_args.fifo, 'w')\n    f.write('x')\n    f.flush()\n    while True:\n        signal.pause()")
				s.AddJobArg("fifo", fifo)
				tester := &scriptspec.RuntimeTester{Warm: warm != ""}
				_, err := tester.TestScript(t.Context(), s)
				require.NoError(t, err)
				return
			}
			python(t)
			fifo := filepath.Join(t.TempDir(), "fifo")
			require.NoError(t, unix.Mkfifo(fifo, 0o600))
			harness := exec.Command(os.Args[0], "-test.run=^"+strings.ReplaceAll(t.Name(), "/", "$/^")+"$")
			harness.Env = append(os.Environ(), variable+"="+fifo, "TMPDIR="+t.TempDir())
			require.NoError(t, harness.Start())
			script, err := os.Open(fifo) // once the script writes
			require.NoError(t, err)
			defer script.Close()
			one := make([]byte, 1)
			_, err = script.Read(one)
			require.NoError(t, err)
			require.NoError(t, harness.Process.Kill())
			n, err := script.Read(one) // returns when the last writer is gone
			assert.Zero(t, n)
			assert.Error(t, err)
			assert.Error(t, harness.Wait())
		})
	}
}

func TestDiskFull(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("needs /dev/full")
	}
	s := scripted(t, writesOutput+"def main(output_paths):\n    done(output_paths)")
	require.NoError(t, os.MkdirAll(s.OutputPaths["data_output"], 0o700))
	require.NoError(t, os.Symlink("/dev/full", filepath.Join(s.OutputPaths["data_output"], "out.txt")))
	result := run(t, s)
	assert.Equal(t, scriptspec.OutcomeException, result.Outcome)
	assert.Equal(t, "OSError", result.ErrorType)
	assert.Contains(t, result.ErrorMessage, "No space left on device")
	assert.Zero(t, result.Outputs["data_output"].Bytes)
}

// A script that closes what it does not know loses its report, and with it the run.
func TestClosedDescriptors(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, tester *scriptspec.RuntimeTester) {
		result := runWith(t, tester, scripted(t, writesOutput+`
def main(output_paths):
    done(output_paths)
    os.closerange(3, 256)
`))
		assert.Equal(t, scriptspec.OutcomeCrashed, result.Outcome, result.String())
	})
}

// A process that is left running with an output open for reading, or another file for writing, spoils nothing.
func TestLeftoverThatOnlyReads(t *testing.T) {
	t.Parallel()
	if !onLinux {
		t.Skip("open files are known on Linux only")
	}
	bothWays(t, func(t *testing.T, tester *scriptspec.RuntimeTester) {
		s := scripted(t, writesOutput+`
import subprocess, sys
CHILD = "import sys, time; a = open(sys.argv[1]); b = open(sys.argv[2], 'w'); print(1, flush=True); time.sleep(600)"
def main(input_paths, output_paths):
    done(output_paths)
    out = os.path.join(output_paths["data_output"], "out.txt")
    child = subprocess.Popen([sys.executable, "-c", CHILD, out, input_paths["data_input"] + ".other"], stdout=subprocess.PIPE)
    child.stdout.readline()
`)
		result := runWith(t, tester, s)
		assert.True(t, result.Success, result.Details())
		assert.Len(t, result.Leftover, 1)
	})
}
