package scriptspec_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
	"github.com/scriptspec/scriptspec/internal/testprogram"
)

// scripted returns a spec for a script with the given text.
func scripted(t *testing.T, text string) *scriptspec.ScriptExecutionSpec {
	t.Helper()
	python(t)
	s := onDisk(t)
	write(t, s.ScriptPath, text)
	return s
}

const writesOutput = `
import os
def done(output_paths):
    with open(os.path.join(output_paths["data_output"], "out.txt"), "w") as f:
        f.write("done")
`

func run(t *testing.T, s scriptspec.Spec) *scriptspec.ScriptTestResult {
	t.Helper()
	result, err := (&scriptspec.RuntimeTester{}).TestScript(t.Context(), s)
	require.NoError(t, err)
	assert.Equal(t, result.Success, result.Outcome == scriptspec.OutcomePassed)
	return result
}

func TestScriptGetsItsParameters(t *testing.T) {
	t.Parallel()
	s := scripted(t, writesOutput+`
import argparse, json, sys
AT_IMPORT = os.environ.get("SCRIPT_SETTING")

def main(input_paths, output_paths, environ_vars, job_args):
    assert isinstance(job_args, argparse.Namespace), type(job_args)
    done(output_paths)
    print(json.dumps({
        "inputs": sorted(input_paths), "outputs": sorted(output_paths), "environ_vars": sorted(environ_vars),
        "at_import": AT_IMPORT == environ_vars["SCRIPT_SETTING"] != None, "name": __name__, "argv": len(sys.argv),
        "args": {k: repr(v) for k, v in vars(job_args).items()}, "read": open(input_paths["data_input"]).read(),
        "stdin": sys.stdin.read(), "path0": sys.path[0] == os.path.dirname(os.path.abspath(__file__)),
        "driver": [p for p in sys.path if "scriptspec-run" in p],
    }))
    print("to stderr", file=sys.stderr)
`)
	s.AddEnvironVar("SCRIPT_SETTING", "set before the import\nwith = and a line break")
	for key, value := range map[string]any{
		"int": 1, "float": 1.0, "big": jsonNumber("123456789012345678901234567890"), "text": "é🚀\x00", "none": nil,
		"yes": true, "list": []any{1, []string{}}, "dict": map[string]any{"k": 0.5}, "with-dash": "x", "self": 1,
	} {
		s.AddJobArg(key, value)
	}
	for name, spec := range map[string]scriptspec.Spec{"basic": s, "enhanced": scriptspec.Enhance(s, nil)} {
		result := run(t, spec)
		require.True(t, result.Success, "%s: %v\n%s", name, result, result.Traceback)
		assert.True(t, result.HasMainFunction)
		assert.Zero(t, result.ExitCode)
		assert.Positive(t, result.ExecutionTime)
		assert.Equal(t, "to stderr\n", result.Stderr.Text)
		var got map[string]any
		require.NoError(t, json.Unmarshal([]byte(result.Stdout.Text), &got), result.Stdout.Text)
		assert.Equal(t, map[string]any{
			"inputs": []any{"data_input"}, "outputs": []any{"data_output"}, "environ_vars": []any{"SCRIPT_SETTING"},
			"at_import": true, "name": "tabular_preprocessing", "argv": 1.0, "read": "a,b\n1,2\n", "stdin": "", "path0": true, "driver": []any{},
			"args": map[string]any{
				"int": "1", "float": "1.0", "big": "123456789012345678901234567890", "text": `'é🚀\x00'`, "none": "None",
				"yes": "True", "list": "[1, []]", "dict": "{'k': 0.5}", "with-dash": "'x'", "self": "1",
			},
		}, got)
		assert.Equal(t, scriptspec.OutputInfo{Path: s.OutputPaths["data_output"], Exists: true, Files: 1, Bytes: 4, Written: 1}, result.Outputs["data_output"])
	}
	entries, err := os.ReadDir(filepath.Dir(s.ScriptPath))
	require.NoError(t, err)
	assert.Len(t, entries, 3, "script, data and output: no bytecode in the user's tree")
}

// Whatever the environment says, nothing is written beside the script, and nothing that was printed is lost.
func TestScriptLeavesNoBytecodeAndLosesNoOutput(t *testing.T) {
	t.Parallel()
	s := scripted(t, "import os, sibling\ndef main(output_paths):\n    print('printed')\n    os._exit(0)")
	write(t, filepath.Join(filepath.Dir(s.ScriptPath), "sibling.py"), "")
	s.AddEnvironVar("PYTHONDONTWRITEBYTECODE", "")
	s.AddEnvironVar("PYTHONUNBUFFERED", "")
	for _, warm := range []bool{false, true} {
		tester := &scriptspec.RuntimeTester{Warm: warm}
		result, err := tester.TestScript(t.Context(), s)
		require.NoError(t, err)
		require.NoError(t, tester.Close())
		assert.Equal(t, scriptspec.OutcomeCrashed, result.Outcome)
		assert.Equal(t, "printed\n", result.Stdout.Text)
		assert.NoDirExists(t, filepath.Join(filepath.Dir(s.ScriptPath), "__pycache__"))
	}
}

// Modules of the script's directory are the script's to import, whatever they are called; the driver
// has its own.
func TestScriptBesideStandardLibraryNames(t *testing.T) {
	t.Parallel()
	s := scripted(t, "import argparse\ndef main(**kwargs):\n    raise ValueError(argparse.OWN)")
	for _, name := range []string{"argparse", "traceback", "json", "importlib", "textwrap"} {
		write(t, filepath.Join(filepath.Dir(s.ScriptPath), name+".py"), "OWN = 'mine'")
	}
	result := run(t, s)
	assert.Equal(t, scriptspec.OutcomeException, result.Outcome)
	assert.Equal(t, "mine", result.ErrorMessage)
	assert.Contains(t, result.Traceback, "ValueError")
	assert.True(t, result.HasMainFunction)
}

// Children that multiprocessing starts anew import the script by its name.
func TestScriptWithSpawnedChildren(t *testing.T) {
	t.Parallel()
	s := scripted(t, writesOutput+`
import multiprocessing
def square(x):
    return x * x
def main(output_paths, **kwargs):
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pool.map(square, [1, 2, 3]))
    done(output_paths)
`)
	result := run(t, s)
	assert.True(t, result.Success, "%v\n%s", result, result.Stderr.Text)
	assert.Equal(t, "[1, 4, 9]\n", result.Stdout.Text)
}

func TestScriptContext(t *testing.T) {
	t.Parallel()
	s := scripted(t, "import threading\ndef main(**kwargs):\n    threading.Event().wait()")
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for !dirExists(s.OutputPaths["data_output"]) { // the run has begun
			if ctx.Err() != nil {
				return
			}
		}
		cancel()
	}()
	_, err := (&scriptspec.RuntimeTester{}).TestScript(ctx, s)
	require.ErrorIs(t, err, context.Canceled)
	_, err = (&scriptspec.RuntimeTester{}).TestScript(ctx, s)
	require.ErrorIs(t, err, context.Canceled, "already ended")
}

func dirExists(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// What is missing is said before any process starts: the interpreter here would fail.
func TestScriptIsNotStarted(t *testing.T) {
	t.Parallel()
	notPython := filepath.Join(t.TempDir(), "not-python")
	testprogram.Write(t, notPython, "#!/bin/sh\nexit 42\n")
	tester := &scriptspec.RuntimeTester{Python: notPython}
	for name, test := range map[string]struct {
		change  func(*scriptspec.ScriptExecutionSpec)
		outcome scriptspec.Outcome
		message string
	}{
		"script": {func(s *scriptspec.ScriptExecutionSpec) { s.ScriptPath += ".no.py" }, scriptspec.OutcomeScriptMissing, "Script file does not exist: "},
		"directory": {func(s *scriptspec.ScriptExecutionSpec) {
			s.ScriptPath = filepath.Join(filepath.Dir(s.ScriptPath), "d.py")
			require.NoError(t, os.Mkdir(s.ScriptPath, 0o700))
		}, scriptspec.OutcomeScriptMissing, "not a directory: "},
		"input":  {func(s *scriptspec.ScriptExecutionSpec) { s.InputPaths["x"] = "/no/such/input" }, scriptspec.OutcomeInputMissing, "Input path 'x' does not exist: /no/such/input"},
		"output": {func(s *scriptspec.ScriptExecutionSpec) { s.OutputPaths["x"] = s.ScriptPath + "/x" }, scriptspec.OutcomeOutputUnusable, "Cannot create output path 'x': "},
	} {
		s := onDisk(t)
		test.change(s)
		result, err := tester.TestScript(t.Context(), s)
		require.NoError(t, err, name)
		assert.Equal(t, test.outcome, result.Outcome, name)
		assert.Contains(t, result.ErrorMessage, test.message, name)
		assert.False(t, result.Success, name)
	}
}

func TestScriptCannotBeTested(t *testing.T) {
	t.Parallel()
	_, err := (&scriptspec.RuntimeTester{Python: "/no/such/python"}).TestScript(t.Context(), onDisk(t))
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = (&scriptspec.RuntimeTester{Python: "no-such-python"}).TestScript(t.Context(), onDisk(t))
	require.ErrorIs(t, err, exec.ErrNotFound)
	_, err = (&scriptspec.RuntimeTester{Dir: "/no/such/dir"}).TestScript(t.Context(), scripted(t, ""))
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "/no/such/dir")

	bad := onDisk(t)
	bad.EnvironVars = map[string]string{"A=B": sentinel}
	channel := onDisk(t)
	channel.JobArgs = scriptspec.JobArgs{"x": make(chan int)}
	for _, s := range []scriptspec.Spec{bad, channel, nil, (*scriptspec.ScriptExecutionSpec)(nil), &scriptspec.EnhancedScriptExecutionSpec{}} {
		_, err = (&scriptspec.RuntimeTester{}).TestScript(t.Context(), s)
		_, ok := errors.AsType[*scriptspec.ValidationError](err)
		require.True(t, ok, "%v", err)
		assert.NotContains(t, err.Error(), sentinel)
	}
}

func TestScriptJobTypesAreOpen(t *testing.T) {
	t.Parallel()
	s := scripted(t, writesOutput+"def main(output_paths, **kwargs):\n    done(output_paths)")
	s.StepName = "TabularPreprocessing_us_east_1"
	assert.True(t, run(t, s).Success)
}

func TestScriptEnvironment(t *testing.T) {
	t.Setenv("SCRIPT_TEST_LEAK", "from the harness")
	t.Setenv("SCRIPT_TEST_PASSED", "from the harness")
	s := scripted(t, writesOutput+`
def main(output_paths, **kwargs):
    done(output_paths)
    print(*(name for name in sorted(os.environ) if name.startswith("SCRIPT_")))
`)
	s.AddEnvironVar("SCRIPT_OWN", "x")
	assert.Equal(t, "SCRIPT_OWN SCRIPT_TEST_LEAK SCRIPT_TEST_PASSED\n", run(t, s).Stdout.Text)
	clean := &scriptspec.RuntimeTester{CleanEnv: true, PassEnv: []string{"SCRIPT_TEST_PASSED"}}
	result, err := clean.TestScript(t.Context(), s)
	require.NoError(t, err)
	assert.Equal(t, "SCRIPT_OWN SCRIPT_TEST_PASSED\n", result.Stdout.Text)
}

func TestScriptInterpreterFromEnvironment(t *testing.T) {
	s := scripted(t, writesOutput+"def main(output_paths, **kwargs):\n    done(output_paths)")
	executable, err := exec.Command(python(t), "-c", "import sys; print(sys.executable)").Output()
	require.NoError(t, err)
	t.Setenv("SCRIPTSPEC_PYTHON", strings.TrimSpace(string(executable)))
	t.Setenv("PATH", "")
	assert.True(t, run(t, s).Success)
}

func TestScriptDir(t *testing.T) {
	t.Parallel()
	s := scripted(t, writesOutput+`
def main(input_paths, output_paths, **kwargs):
    done(output_paths)
    print(os.getcwd())
    open(input_paths["data_input"]).read()
`)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "json.py"), "raise SystemExit('a json.py in the working directory was imported')")
	here, err := os.Getwd()
	require.NoError(t, err)
	s.InputPaths["data_input"], err = filepath.Rel(here, s.InputPaths["data_input"])
	require.NoError(t, err)
	result, err := (&scriptspec.RuntimeTester{Dir: dir}).TestScript(t.Context(), s)
	require.NoError(t, err)
	require.True(t, result.Success, "%v\n%s", result, result.Traceback)
	real, err := filepath.EvalSymlinks(dir)
	require.NoError(t, err)
	assert.Equal(t, real+"\n", result.Stdout.Text)
}

func runWith(t *testing.T, tester *scriptspec.RuntimeTester, s scriptspec.Spec) *scriptspec.ScriptTestResult {
	t.Helper()
	result, err := tester.TestScript(t.Context(), s)
	require.NoError(t, err)
	assert.Equal(t, tester.Warm, result.Warm)
	return result
}

// bothWays runs a test with new interpreters and with a warm one.
func bothWays(t *testing.T, test func(t *testing.T, tester *scriptspec.RuntimeTester)) {
	t.Helper()
	python(t)
	for _, warm := range []bool{false, true} {
		t.Run(fmt.Sprintf("warm %v", warm), func(t *testing.T) {
			t.Parallel()
			tester := &scriptspec.RuntimeTester{Warm: warm, Timeout: time.Minute, Grace: 300 * time.Millisecond}
			defer func() { require.NoError(t, tester.Close()) }()
			test(t, tester)
		})
	}
}
