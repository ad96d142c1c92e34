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

const manyFlags = `
import argparse
JOBS = ["training", "validation"]
parser = argparse.ArgumentParser()
parser.add_argument("--job_type", choices=JOBS, required=True)
parser.add_argument("--batch-size", "-b", type=int, default=32)
parser.add_argument("--rates", nargs="*", type=float)
parser.add_argument("--depth", type=int, choices=[2, 4])
parser.add_argument("--verbose", action="store_true")
parser.add_argument("--shuffle", action=argparse.BooleanOptionalAction)
parser.add_argument("--limit", nargs="?", type=int)
parser.add_argument("--odd", type=lambda text: text, nargs=argparse.REMAINDER)
parser.add_argument("--pair", nargs=2, dest="both", metavar=("A", "B"))
parser.add_argument("--own", action=Own)
parser.add_argument("--set", choices={"b", "a"}, default=object())
`

func inspectText(t *testing.T, text string) *scriptspec.ScriptInterface {
	t.Helper()
	python(t)
	file := filepath.Join(t.TempDir(), "the_script.py")
	write(t, file, text)
	found, err := scriptspec.Inspect(t.Context(), file)
	require.NoError(t, err)
	require.Empty(t, found[0].Error)
	return found[0]
}

func TestInspectFlags(t *testing.T) {
	t.Parallel()
	r := inspectText(t, manyFlags)
	assert.Equal(t, []scriptspec.ScriptFlag{
		{Names: []string{"--job_type"}, Dest: "job_type", Type: "str", Takes: "one", Choices: []any{"training", "validation"}, Required: true},
		{Names: []string{"--batch-size", "-b"}, Dest: "batch_size", Type: "int", Takes: "one", Default: jsonNumber("32")},
		{Names: []string{"--rates"}, Dest: "rates", Type: "float", Takes: "many"},
		{Names: []string{"--depth"}, Dest: "depth", Type: "int", Takes: "one", Choices: []any{jsonNumber("2"), jsonNumber("4")}},
		{Names: []string{"--verbose"}, Dest: "verbose", Type: "str", Takes: "none", Action: "store_true"},
		{Names: []string{"--shuffle"}, Dest: "shuffle", Type: "str", Takes: "none", Action: "BooleanOptionalAction"},
		{Names: []string{"--limit"}, Dest: "limit", Type: "int", Takes: "maybe"},
		{Names: []string{"--odd"}, Dest: "odd"},
		{Names: []string{"--pair"}, Dest: "both", Type: "str", Takes: "many"},
		{Names: []string{"--own"}, Dest: "own", Type: "str", Action: "Own"},
		{Names: []string{"--set"}, Dest: "set", Type: "str", Takes: "one", Choices: []any{"a", "b"}},
	}, r.Flags)
	assert.Empty(t, r.Dynamic)

	for _, text := range []string{
		"p.add_argument('--x'); p.parse_known_args()", "p.add_argument(name)", "p.add_argument('--x', **options)",
		"p.add_argument(*names)", "p.add_subparsers()",
	} {
		assert.Contains(t, inspectText(t, text).Dynamic, "flags", text)
	}
}

// What argparse would refuse is drift of a program; the last column is what Compare says.
func TestProgramDrift(t *testing.T) {
	t.Parallel()
	script := inspectText(t, manyFlags)
	for _, tc := range []struct {
		name  string
		value any
		want  string
	}{
		{"batch-size", 64, ""},
		{"batch-size", "64", ""},
		{"batch", 64, ""}, // argparse completes it
		{"batch-size", 6.5, `job_args["batch-size"]: argparse makes a whole number of it, and the spec has 6.5`},
		{"batch-size", "many", `job_args["batch-size"]: argparse makes a whole number of it, and the spec has "many"`},
		{"batch-size", []any{1, 2}, `job_args["batch-size"]: the flag takes one value, and the spec has a list of 2`},
		{"batch-size", true, `job_args["batch-size"]: true is passed as a flag without a value, and this one takes one`},
		{"batch_size", 64, `job_args["batch_size"]: no flag of the script is called --batch_size, and argparse refuses those it does not know; the script has --batch-size and -b`},
		{"verbos_e", true, `job_args["verbos_e"]: no flag of the script is called --verbos_e, and argparse refuses those it does not know (did you mean verbose?)`},
		{"rates", []any{1, 0.5, "1e-3"}, ""},
		{"rates", []any{1, "fast"}, `job_args["rates"]: argparse makes a number of it, and the spec has "fast"`},
		{"depth", 4, ""},
		{"depth", "4", ""},
		{"depth", 3, `job_args["depth"]: argparse takes one of 2 and 4, and the spec has 3`},
		{"verbose", true, ""},
		{"verbose", false, ""},
		{"verbose", "yes", `job_args["verbose"]: the flag takes no value; true passes it, and false leaves it out`},
		{"limit", true, ""},
		{"limit", 3, ""},
		{"odd", []any{"x"}, ""},
		{"both", 3, `job_args["both"]: no flag of the script is called --both, and argparse refuses those it does not know; the script has --pair`},
		{"set", "c", `job_args["set"]: argparse takes one of a and b, and the spec has "c"`},
		{"api_token", "c", `job_args["api_token"]: no flag of the script is called --api_token, and argparse refuses those it does not know`},
	} {
		s := scriptspec.New("the_script", "TheScript_training", "the_script.py")
		s.AddJobArg("job_type", "training")
		s.AddJobArg(tc.name, tc.value)
		var got strings.Builder
		for _, d := range script.Compare(s) {
			if d.Kind == scriptspec.DriftMain {
				assert.True(t, d.Optional)
				assert.Contains(t, d.Message, "listed under command_line")
				continue
			}
			assert.False(t, d.Optional, "argparse ends the program")
			got.WriteString(d.String())
		}
		assert.Equal(t, tc.want, got.String(), "%s %v", tc.name, tc.value)
	}

	s := scriptspec.New("the_script", "TheScript_testing", "the_script.py")
	s.AddJobArg("job_type", "testing") // also if the builder has added it
	assert.Equal(t, `job_args["job_type"]: argparse takes one of training and validation, and the spec has "testing"`, script.Compare(s)[1].String())
	s.JobArgs = nil
	assert.Equal(t, `job_args["job_type"]: argparse requires --job_type and the spec lacks it`, script.Compare(s)[1].String())
	s.AddJobArg("job_type", false)
	assert.Equal(t, `job_args["job_type"]: null and false leave the flag out, and argparse requires it`, script.Compare(s)[1].String())

	positional := inspectText(t, "import argparse\np = argparse.ArgumentParser()\np.add_argument('data_dir')\np.add_argument('rest', nargs='*')\n")
	s.JobArgs = nil
	assert.Equal(t, `job_args["data_dir"]: argparse takes it by its position, and job arguments are passed as flags`, positional.Compare(s)[1].String())
	assert.Len(t, positional.Compare(s), 2)

	secret := inspectText(t, "p.add_argument('--api_token', type=int)")
	s.AddJobArg("api_token", "hunter2hunter2")
	assert.Equal(t, `job_args["api_token"]: argparse makes a whole number of it, and the spec has something else`, secret.Compare(s)[1].String())
	assert.Equal(t, scriptspec.DriftValue, secret.Compare(s)[1].Kind)
}

// A main is given values as they are, so that what argparse would have made of them is said and no more.
func TestFlagsOfAMain(t *testing.T) {
	t.Parallel()
	script := inspectText(t, manyFlags+"\ndef main(input_paths, output_paths, environ_vars, job_args):\n    print(job_args)\n")
	for _, tc := range []struct {
		name  string
		value any
		want  string
	}{
		{"job_type", "training", ""},
		{"job_type", "calibration", `job_args["job_type"]: argparse takes one of training and validation, and the spec has "calibration"`},
		{"batch_size", 64, ""},
		{"batch_size", "64", `job_args["batch_size"]: argparse makes a whole number of it, and the spec has "64"`},
		{"batch_size", true, `job_args["batch_size"]: argparse makes a whole number of it, and the spec has true`},
		{"rates", 3, ""},
		{"depth", 3, `job_args["depth"]: argparse takes one of 2 and 4, and the spec has 3`},
		{"set", 3, `job_args["set"]: argparse makes a text of it, and the spec has 3`},
		{"another", 3, ""},
	} {
		s := scriptspec.New("the_script", "TheScript", "the_script.py")
		s.AddJobArg(tc.name, tc.value)
		var got strings.Builder
		for _, d := range script.Compare(s) {
			assert.True(t, d.Optional)
			got.WriteString(d.String())
		}
		assert.Equal(t, tc.want, got.String(), "%s %v", tc.name, tc.value)
	}
}

// What Compare finds to be right runs, and what it finds to be wrong does not.
func TestProgramDriftIsTrue(t *testing.T) {
	t.Parallel()
	const program = "import argparse, os\nparser = argparse.ArgumentParser()\n" +
		"parser.add_argument('--size', type=int, choices=[1, 2])\nparser.add_argument('--rates', nargs='*', type=float)\nparser.add_argument('--on', action='store_true')\n" +
		"if __name__ == '__main__':\n    print(parser.parse_args())\n    open(os.environ['OUT'] + '/x', 'w').write('x')\n"
	for _, args := range []scriptspec.JobArgs{
		{"size": 1}, {"size": "2"}, {"size": 3}, {"size": "x"}, {"size": 1.0}, {"size": true}, {"size": []any{1}}, {"size": []any{1, 2}}, {"size": nil},
		{"rates": []any{1, 2.5}}, {"rates": 1}, {"rates": "inf"}, {"rates": true}, {"on": true}, {"on": false}, {"on": 1}, {"siz": 1}, {"other": 1},
	} {
		s := scripted(t, program)
		s.JobArgs = args
		s.InputPaths = nil
		out := s.OutputPaths["data_output"]
		require.NoError(t, os.MkdirAll(out, 0o700))
		s.EnvironVars = map[string]string{"OUT": out}
		result, err := (&scriptspec.RuntimeTester{CommandLine: []string{s.ScriptName}}).TestScript(t.Context(), s)
		require.NoError(t, err)
		script, err := scriptspec.Inspect(t.Context(), s.ScriptPath)
		require.NoError(t, err)
		var drifts []scriptspec.Drift
		for _, d := range script[0].Compare(s) {
			if len(d.Path) > 8 && d.Path[:8] == "job_args" {
				drifts = append(drifts, d)
			}
		}
		assert.Equal(t, result.Success, len(drifts) == 0, "%v: %v, %v", args, result, drifts)
	}
}

// A program may have a main of its own, without anything that could be passed to it.
func TestProgramWithAMain(t *testing.T) {
	t.Parallel()
	const program = "import argparse\ndef main():\n    parser = argparse.ArgumentParser()\n    parser.add_argument('--seed', type=int, required=True)\n" +
		"    print(parser.parse_args())\nif __name__ == '__main__':\n    main()\n"
	script := inspectText(t, program)
	s := scriptspec.New("the_script", "TheScript_training", script.Path)
	s.AddJobArg("seed", "x")
	drifts := script.Compare(s)
	require.Len(t, drifts, 2)
	assert.True(t, drifts[0].Optional)
	assert.Equal(t, `job_args["seed"]: argparse makes a whole number of it, and the spec has "x"`, drifts[1].String())

	b := &scriptspec.SpecBuilder{Store: openStore(t, t.TempDir(), nil), ScriptDirs: []string{filepath.Dir(script.Path)}}
	made, err := b.SpecFromNode("TheScript_training")
	require.NoError(t, err)
	assert.Empty(t, made.JobArgs, "argparse would refuse job_type")

	result := run(t, s)
	assert.Equal(t, scriptspec.OutcomeBadMain, result.Outcome)
	assert.Contains(t, result.ErrorMessage, "if the script is a program, list it under command_line")
	result = runWith(t, &scriptspec.RuntimeTester{CommandLine: []string{"the_script"}}, s)
	assert.Equal(t, "2 (argument --seed: invalid int value: 'x')", result.ErrorMessage)
	write(t, script.Path, "import argparse\nargparse.ArgumentParser().parse_args(['--x'])\n")
	assert.Contains(t, run(t, s).ErrorMessage, "2 (unrecognized arguments: --x; if the script is a program, ")
}

// A script that is listed as a program is called as one, whatever it looks like, and is told of paths by job arguments alone: once
// it is, nothing is left to be said.
func TestLintOfListedPrograms(t *testing.T) {
	t.Parallel()
	python(t)
	dir := t.TempDir()
	st := openStore(t, filepath.Join(dir, "testdata"), &scriptspec.StoreOptions{Base: scriptspec.BaseOfProject})
	write(t, filepath.Join(dir, "data", "rows.csv"), "1")
	scripts := map[string]string{
		"argparse": "import argparse\np = argparse.ArgumentParser()\np.add_argument('--rows')\np.add_argument('--out')\nif __name__ == '__main__':\n    p.parse_args()\n",
		"argv":     "import sys\ndef main(argv):\n    print(argv)\nif __name__ == '__main__':\n    main(sys.argv)\n",
		"click":    "import click\n@click.command()\ndef main(rows, out):\n    print(rows)\n",
		"plain":    "import sys\nprint(sys.argv)\n",
	}
	var names []string
	for name, text := range scripts {
		names = append(names, name)
		write(t, filepath.Join(dir, name+".py"), text)
		s := scriptspec.New(name, strings.ToUpper(name[:1])+name[1:], name+".py")
		s.SpecVersion = scriptspec.SpecVersion
		s.AddInputPath("rows", "data")
		s.AddOutputPath("out", "out/"+name)
		s.AddJobArg("rows", "data/rows.csv")
		s.AddJobArg("out", "out/"+name)
		require.NoError(t, st.Save(s))
	}
	lint := func(listed []string) (texts []string) {
		r, err := st.Lint(t.Context(), &scriptspec.LintOptions{Scripts: true, CommandLine: listed})
		require.NoError(t, err)
		for _, f := range r.Findings {
			if f.Code == scriptspec.CodeDrift {
				texts = append(texts, filepath.Base(f.File)+": "+string(f.Severity)+": "+f.Path+": "+f.Message)
			}
		}
		return texts
	}
	assert.Empty(t, lint(names))
	unlisted := strings.Join(lint(nil), "\n")
	assert.Contains(t, unlisted, "argparse_runtime_test_spec.json: note: script_path: the script has no main with the four parameters; it is a program")
	assert.Contains(t, unlisted, "argv_runtime_test_spec.json: warning: script_path: main has a parameter argv")

	s, err := st.Load("argparse")
	require.NoError(t, err)
	s.JobArgs = scriptspec.JobArgs{"rows": "elsewhere"}
	require.NoError(t, st.Save(s))
	assert.Equal(t, []string{
		`argparse_runtime_test_spec.json: note: input_paths["rows"]: the program is not told of it: no job argument of this name is this path`,
		`argparse_runtime_test_spec.json: note: output_paths["out"]: the program is not told of it: no job argument of this name is this path`,
	}, lint(names))
}
