//go:build unix

package scriptspec_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// A file that gets the number of the driver's pipe gets nothing else of it.
func TestReportGoesToNoFileOfTheScript(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, tester *scriptspec.RuntimeTester) {
		s := scripted(t, `
import os
def main(output_paths):
    os.closerange(3, 60)
    for i in range(60):
        os.open(os.path.join(output_paths["data_output"], "file%d" % i), os.O_RDWR | os.O_CREAT)
`)
		result := runWith(t, tester, s)
		assert.Equal(t, scriptspec.OutcomeCrashed, result.Outcome, result.Details())
		assert.Contains(t, result.ErrorMessage, "without a report")
		assert.Equal(t, int64(0), result.Outputs["data_output"].Bytes)
		assert.Equal(t, 60, result.Outputs["data_output"].Files)
	})
}

// What a script says that it has imported is not waited for.
func TestModuleThatIsNoFile(t *testing.T) {
	t.Parallel()
	f := newFactory(t)
	f.node("Load", "import os, sys, types\ndef main(output_paths):\n    with open(output_paths['data'] + '/x', 'w') as f:\n        f.write('x')\n"+
		"    for i, name in enumerate(('fifo', '../..', 'gone', 'a\\0b')):\n        module = types.ModuleType('odd%d' % i)\n        module.__file__ = os.path.join(output_paths['data'], name)\n        sys.modules['odd%d' % i] = module\n"+
		"    os.mkfifo(output_paths['data'] + '/fifo')\n", nil, []string{"data"})
	f.node("Next", "def main(output_paths):\n    pass\n", []string{"data"}, nil)
	f.edge("Load", "Next")
	o := &scriptspec.PipelineOptions{Checkers: []scriptspec.Checker{}}
	assert.Equal(t, map[string]string{"Load": "passed", "Next": "passed"}, statuses(f.run(o)))
	o.Only = []string{"Next"}
	assert.Equal(t, "reused: passed in an earlier run", statuses(f.run(o))["Load"])
}

// What a script does to the builtins is between it and them.
func TestPatchedBuiltins(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, tester *scriptspec.RuntimeTester) {
		s := scripted(t, writesOutput+`
import builtins
def main(output_paths, job_args):
    done(output_paths)
    def broken(*args, **kwargs):
        raise RuntimeError("patched")
    for name in ("len", "isinstance", "issubclass", "type", "str", "open", "getattr", "sorted", "list", "int", "__import__", "compile", "exec"):
        setattr(builtins, name, broken)
    os.write = os.getpid = os.fstat = broken
    if job_args.how == "raise":
        raise ValueError("the script's own")
    return {"a": [1]}
`)
		s.AddJobArg("how", "raise")
		result := runWith(t, tester, s)
		assert.Equal(t, scriptspec.OutcomeException, result.Outcome, result.Details())
		assert.Equal(t, "ValueError: the script's own", result.ErrorType+": "+result.ErrorMessage)
		s.AddJobArg("how", "return")
		result = runWith(t, tester, s)
		assert.True(t, result.Success, result.Details())
	})
}

// A script that is reached through a link imports from beside the file behind it, as with python3.
func TestScriptBehindALink(t *testing.T) {
	t.Parallel()
	const script = writesOutput + "import helpers\ndef main(output_paths):\n    done(output_paths)\n    print(helpers.WHERE, __name__)\nif __name__ == '__main__':\n    main({'data_output': os.environ['OUT']})\n"
	bothWays(t, func(t *testing.T, tester *scriptspec.RuntimeTester) {
		s := scripted(t, "")
		real, beside := t.TempDir(), filepath.Dir(s.ScriptPath)
		write(t, filepath.Join(real, "the_script.py"), script)
		write(t, filepath.Join(real, "helpers.py"), "WHERE = 'real'\n")
		write(t, filepath.Join(beside, "helpers.py"), "WHERE = 'beside the link'\n")
		require.NoError(t, os.Remove(s.ScriptPath))
		require.NoError(t, os.Symlink(filepath.Join(real, "the_script.py"), s.ScriptPath))
		s.AddEnvironVar("OUT", s.OutputPaths["data_output"])
		assert.Equal(t, "real tabular_preprocessing\n", runWith(t, tester, s).Stdout.Text)
		program := &scriptspec.RuntimeTester{CommandLine: []string{"tabular_preprocessing"}}
		result, err := program.TestScript(t.Context(), s)
		require.NoError(t, err)
		assert.Equal(t, "real __main__\n", result.Stdout.Text, result.Details())
	})
}

// Children that multiprocessing starts anew find a script whose name was taken.
func TestSpawnedChildrenOfAScriptWithATakenName(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, tester *scriptspec.RuntimeTester) {
		s := scripted(t, "")
		s.ScriptName, s.ScriptPath = "os", filepath.Join(filepath.Dir(s.ScriptPath), "os.py")
		write(t, s.ScriptPath, writesOutput+`
import multiprocessing
def square(x):
    return x * x
def main(output_paths, **kwargs):
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pool.map(square, [1, 2, 3]))
    done(output_paths)
`)
		result := runWith(t, tester, s)
		assert.True(t, result.Success, result.Details())
		assert.Equal(t, "[1, 4, 9]\n", result.Stdout.Text)
	})
}

// A value that is too large to be shown takes no memory to say so.
func TestLargeReturnValue(t *testing.T) {
	t.Parallel()
	if !onLinux {
		t.Skip("memory is bounded on Linux only")
	}
	s := scripted(t, writesOutput+`
def main(output_paths, job_args):
    done(output_paths)
    big = "x" * (150 << 20)
    return {"list": [big], "nested": [[big], {"a": big}], "object": [{1, big}]}[job_args.kind]
`)
	tester := &scriptspec.RuntimeTester{MaxMemory: 300 << 20}
	for _, kind := range []string{"list", "nested", "object"} {
		s.AddJobArg("kind", kind)
		result, err := tester.TestScript(t.Context(), s)
		require.NoError(t, err)
		assert.True(t, result.Success, result.String())
		assert.Less(t, len(result.ReturnValue), 2000)
		assert.Contains(t, string(result.ReturnValue), "builtins.list")
	}
}

// The command in a result sees what the driver has seen.
func TestCommandStartsWithCd(t *testing.T) {
	t.Parallel()
	s := scripted(t, "def main():\n    pass\n")
	wd, err := os.Getwd()
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(run(t, s).Command, "cd "+wd+" && "))
	s.AddInputPath("gone", "/no/such/input")
	assert.Empty(t, run(t, s).Command, "running it again would not help")
}
