package scriptspec_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

const unearnedHead = writesOutput + `
import atexit, sys, shutil, threading, time
def put(path, text="data"):
    with open(path, "w") as f:
        f.write(text)
`

// Runs that look as if they had passed, or had failed, and have not.
func TestUnearned(t *testing.T) {
	t.Parallel()
	const main = "def main(input_paths, output_paths):\n    out = output_paths['data_output']\n    "
	for name, test := range map[string]struct {
		script string
		want   scriptspec.Outcome
		part   string // of the message
	}{
		"os._exit at exit": {main + "done(output_paths)\n    atexit.register(os._exit, 0)", scriptspec.OutcomeCrashed, "before Python had ended it"},
		"exec at exit":     {main + "done(output_paths)\n    atexit.register(os.execv, '/bin/true', ['true'])", scriptspec.OutcomeCrashed, "before Python had ended it"},
		"os._exit in a thread": {main + "done(output_paths)\n    threading.Thread(target=lambda: (time.sleep(0.05), os._exit(0))).start()",
			scriptspec.OutcomeCrashed, "before Python had ended it"},
		"handlers at exit":     {main + "done(output_paths)\n    atexit.register(print, 'bye')", scriptspec.OutcomePassed, ""},
		"generator expression": {main + "done(output_paths)\n    return (x for x in 'ab')", scriptspec.OutcomePassed, ""},
		"a future":             {"class Future:\n    def __await__(self):\n        raise RuntimeError('not here')\n" + main + "done(output_paths)\n    return Future()", scriptspec.OutcomePassed, ""},
		"odd modules": {"class M(type(sys)):\n    def __getattribute__(self, name):\n        raise ValueError(name)\nsys.modules['m'] = M('m')\n" +
			"sys.modules['n'] = type(sys)('n')\nsys.modules['n'].__file__ = '\\udc80\\ud800.py'\n" + main +
			"done(output_paths)\n    os.path.abspath = None\n    sys.modules.pop('builtins')", scriptspec.OutcomePassed, ""},
		"cleared and written": {main + "shutil.rmtree(out)\n    os.mkdir(out)\n    put(out + '/old.txt', 'old')", scriptspec.OutcomePassed, ""},
		"old file back":       {main + "os.rename(out + '/old.txt', out + '/x.bak')\n    put(out + '/old.txt')\n    os.replace(out + '/x.bak', out + '/old.txt')", scriptspec.OutcomeNoOutput, "were there before the run"},
		"old part renamed":    {main + "os.rename(out + '/half.part', out + '/half')", scriptspec.OutcomeNoOutput, "were there before the run"},
		"only room":           {main + "open(out + '/new', 'w').truncate(1 << 20)", scriptspec.OutcomeNoOutput, ""},
		"input removed":       {main + "done(output_paths)\n    os.remove(input_paths['linked'])", scriptspec.OutcomeInputChanged, "'linked': deleted"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bothWays(t, func(t *testing.T, tester *scriptspec.RuntimeTester) {
				s := scripted(t, unearnedHead+test.script+"\n")
				write(t, filepath.Join(s.OutputPaths["data_output"], "old.txt"), "old")
				write(t, filepath.Join(s.OutputPaths["data_output"], "half.part"), "half")
				link := filepath.Join(t.TempDir(), "link")
				require.NoError(t, os.Symlink(s.InputPaths["data_input"], link))
				s.AddInputPath("linked", link)
				result, err := tester.TestScript(t.Context(), s)
				require.NoError(t, err)
				assert.Equal(t, test.want, result.Outcome, result.Details())
				assert.Contains(t, result.ErrorMessage, test.part)
			})
		})
	}
}

// A process whose first thread has ended looks as if it had ended.
func TestChildWithoutItsFirstThread(t *testing.T) {
	t.Parallel()
	if !onLinux {
		t.Skip("is seen on Linux only")
	}
	s := scripted(t, unearnedHead+`
def main(output_paths):
    done(output_paths)
    if os.fork() == 0:
        os.setsid()
        def late():
            with open(output_paths['data_output'] + '/late', 'w') as f:
                while True:
                    f.write('x')
                    f.flush()
                    time.sleep(0.01)
        threading.Thread(target=late).start()
        import ctypes
        ctypes.CDLL(None).pthread_exit(None)
    time.sleep(0.1)
`)
	result := run(t, s)
	assert.Equal(t, scriptspec.OutcomeUnfinished, result.Outcome, result.Details())
	assert.Len(t, result.Leftover, 1)
	size := func() int64 {
		info, err := os.Stat(filepath.Join(s.OutputPaths["data_output"], "late"))
		require.NoError(t, err)
		return info.Size()
	}
	assert.Equal(t, size(), size(), "nobody writes any more")
}

// What two testers run at the same time must not share an output, as with one.
func TestTwoTestersOneOutput(t *testing.T) {
	t.Parallel()
	s := scripted(t, unearnedHead+`
def main(output_paths):
    done(output_paths)
    while not os.path.exists(output_paths['data_output'] + '/go'):
        time.sleep(0.005)
`)
	out := s.OutputPaths["data_output"]
	first := make(chan *scriptspec.ScriptTestResult)
	go func() {
		r, err := (&scriptspec.RuntimeTester{}).TestScript(t.Context(), s)
		assert.NoError(t, err)
		first <- r
	}()
	require.Eventually(t, func() bool { _, err := os.Stat(filepath.Join(out, "out.txt")); return err == nil }, time.Minute, time.Millisecond)
	idle := scripted(t, "def main(output_paths):\n    pass\n")
	idle.OutputPaths = s.OutputPaths
	result := run(t, idle)
	assert.Equal(t, scriptspec.OutcomeOutputUnusable, result.Outcome, result.Details())
	write(t, filepath.Join(out, "go"), "")
	assert.True(t, (<-first).Success)
}

// An optional input that leads nowhere is missing, and an optional output may be gone or empty.
func TestOptionalThatIsNotThere(t *testing.T) {
	t.Parallel()
	s := scripted(t, writesOutput+"def main(input_paths, output_paths):\n    done(output_paths)\n    os.rmdir(output_paths['extra'])\n    open(output_paths['more'] + '/_SUCCESS', 'w').close()\n    print(sorted(input_paths))\n")
	dir := t.TempDir()
	require.NoError(t, os.Symlink("nothing", filepath.Join(dir, "link")))
	write(t, filepath.Join(dir, "file"), "x")
	s.AddInputPath("dangling", filepath.Join(dir, "link"))
	s.AddInputPath("below", filepath.Join(dir, "file", "x"))
	s.AddOutputPath("extra", filepath.Join(dir, "extra"))
	s.AddOutputPath("more", filepath.Join(dir, "more"))
	s.Optional = []string{"dangling", "below", "extra", "more"}
	result := run(t, s)
	assert.True(t, result.Success, result.Details())
	assert.Equal(t, "['data_input']", strings.TrimSpace(result.Stdout.Text))
}
