package scriptspec_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
	"github.com/scriptspec/scriptspec/internal/testprogram"
)

const manyUses = `
import os, argparse
from os import environ, getenv
KEY = "by_constant"
TWICE = "a"
TWICE = "b"
open("/tmp/scriptspec-inspect-was-run", "w")  # never done: the script is only read
if True:
    def helper(input_paths, environ_vars):
        return input_paths[KEY], input_paths[TWICE], environ_vars.get("HELPED", "yes")

async def main(input_paths, output_paths, environ_vars, job_args, logger=None, *, extra=1, **kwargs):
    a = input_paths["data_input"], input_paths.get("optional", None), input_paths[a]
    if "asked" in input_paths:
        pass
    output_paths["data_output"], output_paths.get("data_output")
    for name in output_paths.items():
        pass
    os.environ["NEEDED"], os.environ.get("WITH", 3), os.getenv("GOT"), environ["SHORT"], getenv("SHORTER", "x"), os.environ.get(a)
    os.environ["SET"] = "x"
    environ_vars["OWN"], environ_vars.get("OPEN", [1, {"k": None}])
    job_args.rate, job_args.rate, getattr(job_args, "soft", 0.5), getattr(job_args, "hard"), vars(job_args)["dict"], vars(job_args).get("dictget", object())
    hasattr(job_args, "asked"), job_args.get("likedict", 2)
    job_args.written = 1
`

func TestInspect(t *testing.T) {
	t.Parallel()
	python(t)
	dir := t.TempDir()
	rich, bare, broken, text := filepath.Join(dir, "rich.py"), filepath.Join(dir, "bare.py"), filepath.Join(dir, "broken.py"), filepath.Join(dir, "x.txt")
	write(t, rich, manyUses)
	write(t, bare, "x = 1\n")
	write(t, broken, "def main(input_paths:\n")
	write(t, text, "")
	found, err := scriptspec.Inspect(t.Context(), rich, filepath.Join(dir, "none.py"), bare, broken, text, dir)
	require.NoError(t, err)
	require.Len(t, found, 6)
	r := found[0]
	assert.Empty(t, r.Error)
	assert.True(t, r.HasMain)
	assert.True(t, r.IsAsync)
	assert.Equal(t, []scriptspec.ScriptParameter{
		{Name: "input_paths", Kind: "positional_or_keyword"}, {Name: "output_paths", Kind: "positional_or_keyword"},
		{Name: "environ_vars", Kind: "positional_or_keyword"}, {Name: "job_args", Kind: "positional_or_keyword"},
		{Name: "logger", Kind: "positional_or_keyword", HasDefault: true}, {Name: "extra", Kind: "keyword_only", HasDefault: true},
		{Name: "kwargs", Kind: "var_keyword", HasDefault: true},
	}, r.Parameters)
	assert.Equal(t, []scriptspec.ScriptUse{{Name: "asked"}, {Name: "by_constant", Required: true}, {Name: "data_input", Required: true}, {Name: "optional"}}, r.InputPaths)
	assert.Equal(t, []scriptspec.ScriptUse{{Name: "data_output", Required: true}}, r.OutputPaths)
	assert.Equal(t, []scriptspec.ScriptUse{
		{Name: "GOT"}, {Name: "HELPED", Default: "yes"}, {Name: "NEEDED", Required: true},
		{Name: "OPEN", Default: []any{jsonNumber("1"), map[string]any{"k": nil}}},
		{Name: "OWN", Required: true}, {Name: "SET"}, {Name: "SHORT", Required: true}, {Name: "SHORTER", Default: "x"}, {Name: "WITH", Default: jsonNumber("3")},
	}, r.EnvironVars)
	assert.Equal(t, []scriptspec.ScriptUse{
		{Name: "asked"}, {Name: "dict", Required: true}, {Name: "dictget"}, {Name: "hard", Required: true}, {Name: "likedict", Default: jsonNumber("2")}, {Name: "rate", Required: true},
		{Name: "soft", Default: jsonNumber("0.5")}, {Name: "written"},
	}, r.JobArgs)
	assert.Equal(t, []string{"environ_vars", "input_paths", "output_paths"}, r.Dynamic)
	assert.NoFileExists(t, "/tmp/scriptspec-inspect-was-run")

	assert.Contains(t, found[1].Error, "does not exist")
	assert.False(t, found[2].HasMain)
	assert.Empty(t, found[2].Error)
	assert.Contains(t, found[3].Error, "line 1")
	assert.Contains(t, found[4].Error, "Python file")
	assert.NotEmpty(t, found[5].Error)
	for i, path := range []string{rich, filepath.Join(dir, "none.py"), bare, broken, text, dir} {
		assert.Equal(t, path, found[i].Path)
	}
	assert.Len(t, tree(t, dir), 5, "nothing was written")
}

// A table that goes anywhere else may be read there: nothing is called unused then.
func TestInspectFollowsNoTables(t *testing.T) {
	t.Parallel()
	python(t)
	dir := t.TempDir()
	const head = "import os\nLOOP = 'first'\nTYPED: str = 'typed'\n" +
		"def own(input_paths, x=None): return input_paths['a']\n" +
		"def twice(input_paths): pass\ntry:\n    from fast import twice\nexcept ImportError:\n    pass\n" +
		"def main(input_paths, output_paths, environ_vars, job_args):\n    "
	for body, want := range map[string][]string{
		"inp = input_paths; inp['a']":              {"input_paths"},
		"run(output_paths)":                        {"output_paths"},
		"{**input_paths}":                          {"input_paths"},
		"sorted(input_paths.items())":              {"input_paths"},
		"list(input_paths), job_args":              {"input_paths", "job_args"},
		"env = os.environ; env['A']":               {"environ_vars"},
		"dict(os.environ)":                         {"environ_vars"},
		"from os import environ as e; e['A']":      {"environ_vars"},
		"own(input_paths=input_paths, x=job_args)": {"job_args"},
		"step(input_paths=input_paths)":            {"input_paths"},
		"x.own(input_paths=input_paths)":           {"input_paths"},
		"own(output_paths=output_paths)":           {"output_paths"},
		"twice(input_paths=input_paths)":           {"input_paths"},
		"[input_paths[LOOP] for LOOP in 'ab']":     {"input_paths"},
		"(lambda LOOP: input_paths[LOOP])('a')":    {"input_paths"},
		"for LOOP in 'ab': input_paths[LOOP]":      {"input_paths"},
		"input_paths[LOOP]":                        nil,
		"input_paths[TYPED]":                       nil,
		"input_paths['a'], os.environ.get('B'), job_args.c, 'd' in output_paths": nil,
	} {
		script := filepath.Join(dir, "step.py")
		write(t, script, head+body+"\n")
		found, err := scriptspec.Inspect(t.Context(), script)
		require.NoError(t, err)
		assert.Empty(t, found[0].Error, body)
		assert.ElementsMatch(t, want, found[0].Dynamic, body)
	}
}

func TestInspectFindsMain(t *testing.T) {
	t.Parallel()
	python(t)
	dir := t.TempDir()
	for text, want := range map[string]struct{ has, opaque bool }{
		"main = lambda input_paths, **kw: None":                             {true, false},
		"def run(**kw): pass\nmain = run":                                   {true, false},
		"with open('x') as f:\n    def main(**kw): pass":                    {true, false},
		"for i in []:\n    def main(**kw): pass":                            {true, false},
		"try:\n    import x\nexcept ImportError:\n    def main(**kw): pass": {true, false},
		"class main: pass":                                                  {true, true},
		"from x import main":                                                {true, true},
		"from x import *":                                                   {true, true},
		"main = make()":                                                     {true, true},
		"@inject\ndef main(job_args): pass":                                 {true, true},
		"@inject\ndef run(job_args): pass\nmain = run":                      {true, true},
		"def run(**kw): pass\nmain: object = run":                           {true, false},
		"main: object":                                                      {false, false},
		"main, other = make()":                                              {true, true},
		"with make() as main:\n    pass":                                    {true, true},
		"for main in make():\n    pass":                                     {true, true},
		"if (main := make()):\n    pass":                                    {true, true},
		"def main(**kw): pass\ndel main":                                    {false, false},
		"def other():\n    def main(): pass":                                {false, false},
		"class C:\n    def main(self): pass":                                {false, false},
		"import x\nx.main = 1":                                              {false, false},
	} {
		script := filepath.Join(dir, "step.py")
		write(t, script, text+"\n")
		found, err := scriptspec.Inspect(t.Context(), script)
		require.NoError(t, err)
		assert.Equal(t, want, struct{ has, opaque bool }{found[0].HasMain, found[0].Opaque}, text)
		if want.opaque {
			assert.Empty(t, found[0].Compare(scriptspec.New("step", "Step", script)), text)
		}
	}
}

// One script cannot cost the answers for the others, and what lies beside them is not imported.
func TestInspectOddScripts(t *testing.T) {
	python(t)
	dir := t.TempDir()
	for name, text := range map[string]string{
		"good.py": "def main(**kw): pass\n", "nul.py": "x = 1\x00\n", "deep.py": strings.Repeat("(", 5000), "latin.py": "# coding: latin-1\nx = '\xe9'\n",
		"large.py": strings.Repeat("x = 1\n", 1<<19), "ast.py": "raise SystemExit('imported')", "json.py": "raise SystemExit('imported')",
	} {
		write(t, filepath.Join(dir, name), text)
	}
	t.Chdir(dir)
	found, err := scriptspec.Inspect(t.Context(), "nul.py", "deep.py", "good.py", "latin.py", "large.py")
	require.NoError(t, err)
	assert.NotEmpty(t, found[0].Error)
	assert.NotEmpty(t, found[1].Error)
	assert.True(t, found[2].HasMain)
	assert.Empty(t, found[3].Error)
	assert.Contains(t, found[4].Error, "larger than")
}

// An interpreter that hangs, floods or lies is no interpreter, and ends with the context.
func TestInspectWithOddInterpreters(t *testing.T) {
	python(t)
	s := onDisk(t)
	for name, text := range map[string]string{
		"hangs":    "#!/bin/sh\nsleep 1000\n",
		"floods":   "#!/bin/sh\nhead -c 3000000 /dev/zero | tr '\\0' x 1>&2; exit 1\n",
		"lies":     "#!/bin/sh\necho '[{}]'\n",
		"babbles":  "#!/bin/sh\nhead -c 9000000 /dev/zero\n",
		"is false": "#!/bin/sh\nexit 3\n",
	} {
		interpreter := filepath.Join(t.TempDir(), "python")
		testprogram.Write(t, interpreter, text)
		t.Setenv("SCRIPTSPEC_PYTHON", interpreter)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		if name == "hangs" {
			cancel()
			ctx, cancel = context.WithTimeout(t.Context(), 100*time.Millisecond)
		}
		_, err := scriptspec.Inspect(ctx, s.ScriptPath)
		require.Error(t, err, name)
		assert.Less(t, len(err.Error()), 1000, name)
		assert.NotContains(t, err.Error(), "\n")
		if name == "hangs" {
			require.ErrorIs(t, err, context.DeadlineExceeded)
		}
		cancel()
	}
}

func TestInspectWithoutPython(t *testing.T) {
	t.Setenv("SCRIPTSPEC_PYTHON", "/no/such/python")
	s := onDisk(t)
	_, err := scriptspec.Inspect(t.Context(), s.ScriptPath)
	require.Error(t, err)
	found, err := scriptspec.Inspect(t.Context(), "/no/such/script.py")
	require.NoError(t, err, "there is nothing to read")
	assert.NotEmpty(t, found[0].Error)
}

func TestCompare(t *testing.T) {
	t.Parallel()
	python(t)
	dir := t.TempDir()
	script := filepath.Join(dir, "step.py")
	write(t, script, `
import os
def main(input_paths, output_paths, environ_vars, job_args):
    input_paths["raw"], input_paths.get("hint"), output_paths["clean"], os.environ["TOKEN"], os.getenv("SOFT"), job_args.rate, getattr(job_args, "soft", 1)
`)
	found, err := scriptspec.Inspect(t.Context(), script)
	require.NoError(t, err)
	s := scriptspec.New("step", "Step", script)
	for name := range map[string]bool{"raw": true, "old": true} {
		s.AddInputPath(name, "/x")
	}
	s.AddOutputPath("clean", "/y")
	s.AddEnvironVar("PYTHONPATH", "/src")
	s.AddJobArg("speed", 1)
	var got []string
	for _, d := range found[0].Compare(s) {
		got = append(got, string(d.Kind)+" "+d.String()+map[bool]string{true: " (optional)"}[d.Optional])
	}
	assert.Equal(t, []string{
		`missing input_paths["hint"]: the script reads it and the spec lacks it; the script can do without (optional)`,
		`unused input_paths["old"]: the spec has it and the script never reads it`,
		`missing environ_vars["SOFT"]: the script reads it and the spec lacks it; the script can do without (optional)`,
		`missing environ_vars["TOKEN"]: the script reads it and the spec lacks it`,
		`unused environ_vars["PYTHONPATH"]: the spec has it and the script never reads it (optional)`,
		`missing job_args["rate"]: the script reads it and the spec lacks it`,
		`missing job_args["soft"]: the script reads it and the spec lacks it; the script can do without (optional)`,
		`unused job_args["speed"]: the spec has it and the script never reads it`,
	}, got)
	enhanced := found[0].Compare(scriptspec.Enhance(s, nil))
	assert.Equal(t, `input_path_specs["hint"]`, enhanced[0].Path)
	assert.Empty(t, found[0].Compare(nil))
	assert.Empty(t, (*scriptspec.ScriptInterface)(nil).Compare(s))
}

// Of a table that the script goes through, nothing is called unused.
func TestCompareDynamic(t *testing.T) {
	t.Parallel()
	s := scriptspec.New("step", "Step", "step.py")
	s.AddInputPath("shard_1", "/x")
	script := &scriptspec.ScriptInterface{HasMain: true, Opaque: true, Dynamic: []string{"input_paths"}}
	assert.Empty(t, script.Compare(s))
	script.Dynamic = nil
	assert.Len(t, script.Compare(s), 1)
}

func TestCompareMain(t *testing.T) {
	t.Parallel()
	python(t)
	dir := t.TempDir()
	for text, want := range map[string][]string{
		"x = 1":                    {"the script has no function main"},
		"def main(**kwargs): pass": nil,
		"def main(*, input_paths, output_paths, environ_vars, job_args=None): pass":      nil,
		"def main(input_paths, output_paths, environ_vars, job_args, logger=None): pass": nil,
		"def main(input_paths, output_paths, environ_vars, job_args, model): pass": {
			"main has a parameter model without a default, which nothing is passed for"},
		"def main(input_paths, output_paths, environ_vars): pass": {"main has no parameter job_args"},
		"def main(input_paths, job_args): pass":                   nil, // the spec has nothing else
		"def main(x=1): pass": {"main has no parameter input_paths", "main has no parameter output_paths",
			"main has no parameter environ_vars", "main has no parameter job_args"},
		"def main(input_paths, /, output_paths, environ_vars, job_args): pass": {
			"main takes input_paths by position only; it is called by name", "main has no parameter input_paths"},
		"def main(": {"the script cannot be read: line 1: "},
	} {
		script := filepath.Join(dir, "step.py")
		write(t, script, text)
		found, err := scriptspec.Inspect(t.Context(), script)
		require.NoError(t, err)
		s := scriptspec.New("step", "Step", script)
		s.AddJobArg("depth", 1)
		s.AddInputPath("data", "data")
		drifts := slices.DeleteFunc(found[0].Compare(s), func(d scriptspec.Drift) bool { return d.Path != "script_path" })
		require.Len(t, drifts, len(want), "%s: %v", text, drifts)
		for i, d := range drifts {
			assert.Equal(t, "script_path", d.Path)
			assert.Contains(t, d.Message, want[i])
		}
	}
}

// What could not be read of keys is said with its line, until someone has added others.
func TestInspectSaysWhatCouldNotBeRead(t *testing.T) {
	t.Parallel()
	python(t)
	dir := t.TempDir()
	const head = "import os\nfrom lib import helper\ndef main(input_paths, output_paths, environ_vars, job_args):\n"
	for body, want := range map[string]map[string]int{
		"for name in ('a', 'b'):\n        output_paths[name]":                            {"output_paths": 5},
		"input_paths.get('x_' + str(1))\n    input_paths[str(1)], os.environ['A' + 'B']": {"input_paths": 4, "environ_vars": 5},
		"helper(output_paths)":                                                  {"output_paths": 4},
		"helper(output_paths), output_paths['a']":                               nil,
		"for k in input_paths: input_paths[k]":                                  nil,
		"for k, v in sorted(output_paths.items()): output_paths[k]":             nil,
		"[input_paths[k] for k in input_paths]":                                 nil,
		"input_paths['a'], output_paths['b'], dict(os.environ), vars(job_args)": nil,
	} {
		path := filepath.Join(dir, "step.py")
		write(t, path, head+"    "+body+"\n")
		found, err := scriptspec.Inspect(t.Context(), path)
		require.NoError(t, err)
		assert.Equal(t, want, found[0].Unread, body)
	}
	s := scriptspec.New("step", "Step", filepath.Join(dir, "step.py"))
	write(t, s.ScriptPath, head+"    output_paths['a']\n    for name in 'bc': output_paths[name]\n")
	s.AddOutputPath("a", filepath.Join(dir, "a"))
	found, err := scriptspec.Inspect(t.Context(), s.ScriptPath)
	require.NoError(t, err)
	assert.Equal(t, []scriptspec.Drift{{
		Kind: scriptspec.DriftUnread, Path: "output_paths", Optional: true, Message: "the script uses keys of it that could not be read (step.py:5); add them",
	}}, found[0].Compare(s))
	s.AddOutputPath("b", filepath.Join(dir, "b"))
	assert.Empty(t, found[0].Compare(s))
}
