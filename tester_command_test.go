package scriptspec_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

const program = `
import argparse, json, os, sys
parser = argparse.ArgumentParser()
parser.add_argument("--batch_size", type=int)
parser.add_argument("--metrics", nargs="*")
parser.add_argument("--name")
parser.add_argument("--options", type=json.loads)
parser.add_argument("--verbose", action="store_true")
parser.add_argument("--quiet", action="store_true")
args = parser.parse_args()
def main():
    assert __name__ == "__main__" and sys.modules["__main__"].main is main
    with open(os.path.join(os.environ["OUT"], "args.json"), "w") as f:
        json.dump(vars(args), f, sort_keys=True)
    sys.exit(0)
if __name__ == "__main__":
    main()
`

func TestCommandLine(t *testing.T) {
	t.Parallel()
	s := scripted(t, program)
	s.AddEnvironVar("OUT", s.OutputPaths["data_output"])
	for name, value := range map[string]any{
		"batch_size": 32, "metrics": []any{"auc", 1.0}, "name": "-it's", "options": map[string]any{"a": []int{1}}, "verbose": true, "quiet": false, "absent": nil,
	} {
		s.AddJobArg(name, value)
	}
	assert.Equal(t, scriptspec.OutcomeBadMain, run(t, s).Outcome, "undeclared, it is imported")
	tester := &scriptspec.RuntimeTester{CommandLine: []string{"tabular_preprocessing"}}
	result, err := tester.TestScript(t.Context(), s)
	require.NoError(t, err)
	require.True(t, result.Success, result.Details())
	assert.True(t, result.HasMainFunction)
	want := `{"batch_size": 32, "metrics": ["auc", "1.0"], "name": "-it's", "options": {"a": [1]}, "quiet": false, "verbose": true}`
	file := filepath.Join(s.OutputPaths["data_output"], "args.json")
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, want, string(got))

	s.AddJobArg("name", "a\x00b")
	_, err = tester.TestScript(t.Context(), s)
	require.ErrorContains(t, err, `job_args["name"]: a NUL byte`)
}

// Lists reach argparse as they are, or are refused.
func TestCommandLineLists(t *testing.T) {
	t.Parallel()
	s := scripted(t, `
import argparse, json
parser = argparse.ArgumentParser()
parser.add_argument("--offsets", nargs="*", type=float)
parser.add_argument("--names", nargs="*")
parser.add_argument("--columns", nargs="*", default=["all"])
parser.add_argument("--seed", type=float)
print(json.dumps(vars(parser.parse_args()), sort_keys=True))
`)
	tester := &scriptspec.RuntimeTester{CommandLine: []string{"tabular_preprocessing"}}
	s.AddJobArg("offsets", []any{-1e-07, -2.5, json.Number("-1E+2"), 3e-9, -7})
	s.AddJobArg("names", []any{"-x"})
	s.AddJobArg("columns", []any{})
	s.AddJobArg("seed", -1e-07)
	result, err := tester.TestScript(t.Context(), s)
	require.NoError(t, err)
	assert.Equal(t, `{"columns": [], "names": ["-x"], "offsets": [-1e-07, -2.5, -100.0, 3e-09, -7.0], "seed": -1e-07}`+"\n", result.Stdout.Text, result.Details())
	for _, list := range [][]any{{"a", "-b"}, {"-b c", "a"}, {json.Number("-1e-999"), 1}} {
		s.AddJobArg("names", list)
		_, err = tester.TestScript(t.Context(), s)
		require.ErrorContains(t, err, `job_args["names"]: item`)
		require.ErrorContains(t, err, "argparse would take it for a flag")
	}
}

// A file that ends in sys.exit(main()) makes a failure of a number that main returns, as it does as a program.
func TestMainReturnsAnExitCode(t *testing.T) {
	t.Parallel()
	const main = writesOutput + "import asyncio, sys\ndef main(output_paths):\n    done(output_paths)\n    return "
	for end, want := range map[string]scriptspec.Outcome{
		"3\nif __name__ == '__main__':\n    sys.exit(main({}))":                                   scriptspec.OutcomeExit,
		"True\nif __name__ == '__main__':\n    raise SystemExit( main())":                         scriptspec.OutcomeExit,
		"3\nif __name__ == '__main__':\n    exit(asyncio.run(main({})))":                          scriptspec.OutcomeExit,
		"0\nif __name__ == '__main__':\n    sys.exit(main({}))":                                   scriptspec.OutcomePassed,
		"3\nif __name__ == '__main__':\n    print(main({}))":                                      scriptspec.OutcomePassed,
		"3\nif __name__ == '__main__':\n    sys.exit(0 if main() else 1)":                         scriptspec.OutcomePassed,
		"[3]\nif __name__ == '__main__':\n    sys.exit(main({}))":                                 scriptspec.OutcomeExitMessage,
		"'no rows'\nrc = main({}) if __name__ == '__main__' else 0\nsys.exit(rc) if rc else None": scriptspec.OutcomePassed,
		"3\nif __name__ == '__main__':\n    rc = main({})\n    sys.exit(rc)":                      scriptspec.OutcomeExit,
		"3\nif __name__ == '__main__':\n    import unittest\n    sys.exit(unittest.main())":       scriptspec.OutcomePassed,
		"3\ndef other():\n    sys.exit(main({}))":                                                 scriptspec.OutcomePassed,
	} {
		result := run(t, scripted(t, main+end+"\n"))
		assert.Equal(t, want, result.Outcome, "%s: %s", end, result.Details())
		if want == scriptspec.OutcomeExitMessage {
			assert.Equal(t, "main returned list, which the script gives to sys.exit", result.ErrorMessage)
			assert.Equal(t, 1, result.ExitCode)
		}
		if want == scriptspec.OutcomeExit {
			assert.Regexp(t, `^main returned [13], which the script gives to sys.exit$`, result.ErrorMessage)
			assert.Positive(t, result.ExitCode)
		}
	}
}

func TestCommandLineWithoutMain(t *testing.T) {
	t.Parallel()
	s := fixture(t, "no_main")
	result, err := (&scriptspec.RuntimeTester{CommandLine: []string{"no_main"}}).TestScript(t.Context(), s)
	require.NoError(t, err)
	assert.Equal(t, scriptspec.OutcomeNoOutput, result.Outcome, result.Details())
	assert.Equal(t, "hello\n", result.Stdout.Text)
	assert.False(t, result.HasMainFunction)
}

// The command in a result does what the run did, in a shell that has the variables.
func TestReproduction(t *testing.T) {
	t.Parallel()
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("needs a shell")
	}
	s := scripted(t, writesOutput+`
import sys
def main(output_paths, environ_vars, job_args):
    done(output_paths)
    print(environ_vars == {"API_TOKEN": os.environ["API_TOKEN"]}, len(os.environ["API_TOKEN"]), job_args.text, os.getcwd())
`)
	s.AddEnvironVar("API_TOKEN", sentinel)
	s.AddJobArg("text", `it's "quoted" $HOME \ ä`)
	dir := filepath.Join(t.TempDir(), "with space")
	require.NoError(t, os.Mkdir(dir, 0o700))
	tester := &scriptspec.RuntimeTester{Dir: dir}
	result, err := tester.TestScript(t.Context(), s)
	require.NoError(t, err)
	require.True(t, result.Success, result.Details())
	assert.NotContains(t, result.Command, sentinel)
	assert.Contains(t, result.Command, `: "${API_TOKEN?}" && `)
	command := exec.Command(sh, "-c", result.Command)
	command.Env = append(os.Environ(), "API_TOKEN="+sentinel)
	out, err := command.CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, result.Stdout.Text+"None\n", string(out))
	out, err = exec.Command(sh, "-c", result.Command).CombinedOutput()
	require.Error(t, err)
	assert.Contains(t, string(out), "API_TOKEN")

	program := scripted(t, "import sys\nprint(sys.argv[1:])\n")
	program.AddJobArg("name", "it's")
	result, err = (&scriptspec.RuntimeTester{CommandLine: []string{"tabular_preprocessing"}}).TestScript(t.Context(), program)
	require.NoError(t, err)
	out, err = exec.Command(sh, "-c", result.Command).CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, result.Stdout.Text, string(out))

	// Both can be copied from what go test shows, where all lines are indented.
	indented := func(command string) string {
		return "            " + strings.ReplaceAll(command, "\n", "\n            ")
	}
	multiline := "-it's\n\ttwo 50% \\n `lines` $HOME\n \"x\""
	program.AddJobArg("name", multiline)
	result, err = (&scriptspec.RuntimeTester{CommandLine: []string{"tabular_preprocessing"}}).TestScript(t.Context(), program)
	require.NoError(t, err)
	out, err = exec.Command(sh, "-c", indented(result.Command)).CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, result.Stdout.Text, string(out))
	s.AddJobArg("text", multiline)
	result, err = tester.TestScript(t.Context(), s)
	require.NoError(t, err)
	command = exec.Command(sh, "-c", indented(result.Command))
	command.Env = append(os.Environ(), "API_TOKEN="+sentinel)
	out, err = command.CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, result.Stdout.Text+"None\n", string(out))

	program.AddJobArg("long", strings.Repeat("x", 100<<10))
	assert.Less(t, len(run(t, program).Command), 10<<10)
}
