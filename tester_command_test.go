package scriptspec_test

import (
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

	program.AddJobArg("long", strings.Repeat("x", 100<<10))
	assert.Less(t, len(run(t, program).Command), 10<<10)
}
