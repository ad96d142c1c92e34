//go:build unix

package scriptspec_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
	"github.com/scriptspec/scriptspec/internal/testprogram"
)

// wrapper is an interpreter as version managers and activation scripts make it: a shell script that does
// something and then starts Python. It notes each of its starts.
type wrapper struct {
	t          *testing.T
	path, runs string
}

func newWrapper(t *testing.T, before, start string) *wrapper {
	t.Helper()
	dir := t.TempDir()
	w := &wrapper{t: t, path: filepath.Join(dir, "python3"), runs: filepath.Join(dir, "runs")}
	w.write(before, start)
	return w
}

func (w *wrapper) write(before, start string) {
	w.t.Helper()
	text := fmt.Sprintf("#!/bin/sh\necho run >> '%s'\n%s\n%s\n", w.runs, before, strings.ReplaceAll(start, "python", "'"+interpreter(w.t)+"'"))
	testprogram.Write(w.t, w.path+".new", text)
	require.NoError(w.t, os.Rename(w.path+".new", w.path)) // one that runs cannot be written to
}

// started counts the starts.
func (w *wrapper) started() int {
	w.t.Helper()
	text, err := os.ReadFile(w.runs)
	require.NoError(w.t, err)
	return strings.Count(string(text), "\n")
}

// tells is a spec whose script prints what a wrapper may have changed.
func tells(t *testing.T) *scriptspec.ScriptExecutionSpec {
	t.Helper()
	return scripted(t, writesOutput+`
import sys
def main(output_paths):
    done(output_paths)
    mask = os.umask(0)
    os.umask(mask)
    print(os.environ.get("PROJ_DATA"), os.environ["PATH"].split(":")[0], os.getcwd(), oct(mask), sys.flags.dev_mode, sys.flags.isolated)
`)
}

const execs = `exec python "$@"`

// What a wrapper makes of an interpreter reaches the script in every run, through the wrapper or not.
func TestInterpreterBehindAWrapper(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		before, start string
		starts        int // of three runs
	}{
		"activation":      {"export PROJ_DATA=/opt/site/proj\nexport PATH=/opt/site/bin:$PATH", execs, 1},
		"waits for it":    {"export PROJ_DATA=/opt/site/proj", `python "$@"`, 1},
		"noisy":           {"echo activating env", execs, 1},
		"takes away":      {"unset PROJ_DATA", execs, 1},
		"options":         {"", `exec python -X dev "$@"`, 3},
		"another place":   {"cd /", execs, 3},
		"umask":           {"umask 027", execs, 3},
		"a limit":         {"ulimit -c 0; ulimit -n 200", execs, 3},
		"of one run only": {`export PROJ_DATA="$TMPDIR/x"`, execs, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWrapper(t, test.before, test.start)
			s := tells(t)
			s.AddEnvironVar("PROJ_DATA", "mine")
			tester := &scriptspec.RuntimeTester{Python: w.path}
			lines := map[string]bool{}
			for range 3 {
				result := runWith(t, tester, s)
				require.True(t, result.Success, result.Details())
				lines[lastLineOf(result.Stdout.Text)] = true
				assert.Equal(t, interpreter(t), result.Interpreter.Path)
			}
			if name != "of one run only" {
				assert.Len(t, lines, 1, "every run is the same: %v", lines)
			}
			assert.Equal(t, test.starts, w.started())
		})
	}
}

// In the C locale Python changes its environment by itself, which is not the wrapper's doing.
func TestInterpreterInTheCLocale(t *testing.T) {
	t.Parallel()
	w := newWrapper(t, "", execs)
	tester := &scriptspec.RuntimeTester{Python: w.path}
	s := tells(t)
	for name, value := range map[string]string{"LANG": "C", "LC_ALL": "", "LC_CTYPE": ""} {
		s.AddEnvironVar(name, value)
	}
	for range 3 {
		require.True(t, runWith(t, tester, s).Success)
	}
	assert.Equal(t, 1, w.started())
}

func lastLineOf(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// A fork gets what the wrapper of the warm interpreter has exported, though its environment is its own.
func TestWarmInterpreterBehindAWrapper(t *testing.T) {
	t.Parallel()
	w := newWrapper(t, "export PROJ_DATA=${PROJ_DATA:-/opt/site/proj}\nexport PATH=/opt/site/bin:$PATH", execs)
	tester := &scriptspec.RuntimeTester{Python: w.path, Warm: true}
	t.Cleanup(func() { assert.NoError(t, tester.Close()) })
	s := tells(t)
	s.AddEnvironVar("OTHER", "value")
	for range 2 {
		result := runWith(t, tester, s)
		require.True(t, result.Success && result.Warm, result.Details())
		assert.True(t, strings.HasPrefix(result.Stdout.Text, "/opt/site/proj /opt/site/bin "), result.Stdout.Text)
		assert.Equal(t, interpreter(t), result.Interpreter.Path)
	}
	assert.Equal(t, 1, w.started())

	s.AddEnvironVar("PROJ_DATA", "mine") // which the wrapper lets pass
	result, err := tester.TestScript(t.Context(), s)
	require.NoError(t, err)
	assert.False(t, result.Warm, "the warm interpreter was started without it")
	assert.True(t, strings.HasPrefix(result.Stdout.Text, "mine /opt/site/bin "), result.Stdout.Text)
}

// The interpreter is asked again where another answer is possible.
func TestInterpreterIsAskedAgain(t *testing.T) {
	t.Parallel()
	w := newWrapper(t, "export PROJ_DATA=${PROJ_DATA:-one}", execs)
	tester := &scriptspec.RuntimeTester{Python: w.path}
	s := tells(t)
	says := func(want string, starts int) {
		t.Helper()
		result := runWith(t, tester, s)
		require.True(t, result.Success, result.Details())
		assert.Equal(t, want, strings.Fields(result.Stdout.Text)[0])
		assert.Equal(t, starts, w.started())
	}
	says("one", 1)
	says("one", 1)
	s.AddEnvironVar("UNRELATED", "x")
	says("one", 1)
	s.AddEnvironVar("PROJ_DATA", "mine") // the wrapper decides by it
	says("mine", 2)
	says("mine", 2)
	s.AddEnvironVar("PYENV_VERSION", "3.11") // and shims by this
	says("mine", 3)
	w.write("export PROJ_DATA=new", execs)
	says("new", 4)
	says("new", 4)
	tester = &scriptspec.RuntimeTester{Python: w.path, Dir: t.TempDir()} // a version file may be there
	says("new", 5)
}

// Which interpreter it was, and why that one, is what a person needs who sees that a module is missing.
func TestMissingModuleNamesTheInterpreter(t *testing.T) {
	t.Parallel()
	python := interpreter(t)
	result := runWith(t, &scriptspec.RuntimeTester{Python: python}, scripted(t, "import no_such_module_anywhere\ndef main(output_paths):\n    pass"))
	assert.Equal(t, "ModuleNotFoundError", result.ErrorType)
	assert.Equal(t, fmt.Sprintf("No module named 'no_such_module_anywhere' (Python %s at %s, which is the configured one)",
		result.Interpreter.Version, python), result.ErrorMessage)
	assert.Regexp(t, `^3\.\d+\.\d+$`, result.Interpreter.Version)
}
