package scriptspec_test

import (
	"encoding/json"
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// fixture returns a spec for a script of testdata/scripts/outcomes, with data of the test's own.
func fixture(t *testing.T, name string) *scriptspec.ScriptExecutionSpec {
	t.Helper()
	python(t)
	s := onDisk(t)
	s.ScriptName = name
	s.ScriptPath = filepath.Join("testdata", "scripts", "outcomes", name+".py")
	s.AddJobArg("batch_size", 32)
	return s
}

// ending is how the run of a fixture ends.
type ending struct {
	outcome   scriptspec.Outcome
	errorType string
	message   string // a part of it
	code      int
	hasMain   bool
}

var endings = map[string]ending{
	"passed":              {scriptspec.OutcomePassed, "", "", 0, true},
	"exit_zero":           {scriptspec.OutcomePassed, "", "", 0, true},
	"exception":           {scriptspec.OutcomeException, "ValueError", "no rows", 1, true},
	"exception_empty":     {scriptspec.OutcomeException, "KeyError", "without a message", 1, true},
	"exception_at_import": {scriptspec.OutcomeException, "ModuleNotFoundError", "No module named 'no_such_module'", 1, false},
	"interrupted":         {scriptspec.OutcomeInterrupted, "KeyboardInterrupt", "without a message", 1, true},
	"exit":                {scriptspec.OutcomeExit, "SystemExit", "3", 3, true},
	"exit_message":        {scriptspec.OutcomeExitMessage, "SystemExit", "gave up", 1, true},
	"killed":              {scriptspec.OutcomeSignal, "", "ended by SIGKILL", -1, true},
	"crashed":             {scriptspec.OutcomeCrashed, "", "ended without a report and with exit code 0", 0, true},
	"crashed_at_exit":     {scriptspec.OutcomeCrashed, "", "the script returned and the process ended with exit code 5", 5, true},
	"bad_report":          {scriptspec.OutcomeBadReport, "", "something else than the driver wrote to the result pipe", 0, true},
	"timeout":             {scriptspec.OutcomeTimeout, "", "still running after 4s", -1, true},
	"memory":              {scriptspec.OutcomeMemory, "", "took more than 256 MiB of memory", -1, true},
	"no_main":             {scriptspec.OutcomeNoMain, "", "has no function main", 1, false},
	"bad_main":            {scriptspec.OutcomeBadMain, "", "a further parameter without a default: model", 1, true},
	"bad_main_empty":      {scriptspec.OutcomeBadMain, "", "main takes none of input_paths", 1, true},
	"no_output":           {scriptspec.OutcomeNoOutput, "", "'data_output': its files are empty", 0, true},
	"input_changed":       {scriptspec.OutcomeInputChanged, "", "'data_input': changed", 0, true},
	"input_missing":       {scriptspec.OutcomeInputMissing, "", "Input path 'gone' does not exist: /no/such/input", 0, false},
	"out_of_bounds":       {scriptspec.OutcomeOutOfBounds, "", "input 'data_input' cannot be compared: ", 0, false},
	"unfinished":          {scriptspec.OutcomeUnfinished, "", "was ended while it wrote to an output: ", 0, true},
	"package_missing":     {scriptspec.OutcomePackageMissing, "", "needs no-such-package >=1, which is not installed", 1, false},
	"output_unusable":     {scriptspec.OutcomeOutputUnusable, "", "Cannot create output path 'no_directory'", 0, false},
}

// prepareFixture changes what a fixture needs to come to its end.
func prepareFixture(s *scriptspec.ScriptExecutionSpec, tester *scriptspec.RuntimeTester) {
	switch s.ScriptName {
	case "timeout":
		tester.Timeout, tester.Grace = 4*time.Second, 200*time.Millisecond
	case "memory":
		tester.MaxMemory, tester.Grace = 256<<20, 200*time.Millisecond
	case "input_missing":
		s.AddInputPath("gone", "/no/such/input")
	case "package_missing":
		s.DependsOn.Packages = map[string]string{"no-such-package": ">=1"}
	case "out_of_bounds":
		inside := filepath.Join(filepath.Dir(s.ScriptPath), "..") // no script is below it by this path
		s.AddInputPath("data_input", s.OutputPaths["data_output"]+"_in")
		_ = os.Mkdir(s.InputPaths["data_input"], 0o700)
		abs, _ := filepath.Abs(inside)
		_ = os.Symlink(abs, filepath.Join(s.InputPaths["data_input"], "link"))
	case "unfinished":
		tester.Grace = 200 * time.Millisecond
	case "output_unusable":
		s.AddOutputPath("no_directory", filepath.Join(s.InputPaths["data_input"], "x"))
	}
}

func (e ending) check(t *testing.T, r *scriptspec.ScriptTestResult) {
	t.Helper()
	assert.Equal(t, e.outcome, r.Outcome, r.String())
	assert.Equal(t, e.outcome == scriptspec.OutcomePassed, r.Success)
	assert.Equal(t, e.errorType, r.ErrorType)
	assert.Contains(t, r.ErrorMessage, e.message)
	assert.Equal(t, e.message == "", r.ErrorMessage == "", "every failure has a message: %s", r.ErrorMessage)
	assert.Equal(t, e.hasMain, r.HasMainFunction)
	assert.Equal(t, "TabularPreprocessing_training", r.StepName)
	if e.outcome == scriptspec.OutcomeMemory || e.outcome == scriptspec.OutcomeTimeout {
		return // by the interrupt or by the kill
	}
	assert.Equal(t, e.code, r.ExitCode)
	if e.errorType != "" {
		assert.Contains(t, r.Traceback, e.errorType)
		assert.Contains(t, r.Traceback, r.ScriptName+".py")
		assert.NotContains(t, r.Traceback, "driver.py", "the frames are the script's")
		assert.NotContains(t, r.Traceback, "rare.py", "the frames are the script's")
	}
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	for name, want := range endings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, tester := fixture(t, name), &scriptspec.RuntimeTester{}
			if name == "memory" && !onLinux {
				t.Skip("memory is bounded on Linux only")
			}
			prepareFixture(s, tester)
			result, err := tester.TestScript(t.Context(), s)
			require.NoError(t, err)
			want.check(t, result)
		})
	}
}

// Every outcome has a fixture, and every fixture a row.
func TestOutcomesAreComplete(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{string(scriptspec.OutcomeScriptMissing): true} // which has no script by its nature
	for _, want := range endings {
		seen[string(want.outcome)] = true
	}
	declared := 0
	for _, file := range parsePackage(t) {
		for _, decl := range file.Decls {
			group, ok := decl.(*ast.GenDecl)
			if !ok || group.Tok != token.CONST {
				continue
			}
			for _, spec := range group.Specs {
				value := spec.(*ast.ValueSpec)
				if kind, ok := value.Type.(*ast.Ident); ok && kind.Name == "Outcome" {
					declared++
					assert.True(t, seen[strings.Trim(value.Values[0].(*ast.BasicLit).Value, `"`)],
						"%s needs a script in testdata/scripts/outcomes and its row in endings", value.Names[0].Name)
				}
			}
		}
	}
	assert.Len(t, seen, declared, "endings has an outcome that is not declared")
	entries, err := os.ReadDir(filepath.Join("testdata", "scripts", "outcomes"))
	require.NoError(t, err)
	assert.Len(t, entries, len(endings))
	for _, entry := range entries {
		assert.Contains(t, endings, strings.TrimSuffix(entry.Name(), ".py"))
	}
}

// What the system keeps of a code is what counts.
func TestExitCodes(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]ending{
		"True":      {scriptspec.OutcomeExit, "SystemExit", "True", 1, true},
		"2**80 + 7": {scriptspec.OutcomeExit, "SystemExit", "1208925819614629174706183", 255, true},
		"256":       {scriptspec.OutcomeExit, "SystemExit", "256", 0, true},
		"[1]":       {scriptspec.OutcomeExitMessage, "SystemExit", "[1]", 1, true},
		"''":        {scriptspec.OutcomeExitMessage, "SystemExit", "without a message", 1, true},
	} {
		result := run(t, scripted(t, "import sys\ndef main(output_paths):\n    sys.exit("+code+")"))
		result.ScriptName = "tabular_preprocessing"
		want.check(t, result)
	}
}

func TestResultJSON(t *testing.T) {
	t.Parallel()
	r := scriptspec.ScriptTestResult{
		ScriptName: "a", StepName: "A", Outcome: scriptspec.OutcomeTimeout, ErrorMessage: "slow",
		ExecutionTime: 1500 * time.Millisecond, UserTime: time.Second, SystemTime: 250 * time.Millisecond, PeakMemory: 1 << 20,
		ExitCode: -1, Signal: "SIGKILL", ReturnValue: json.RawMessage(`{"rows":1.0}`), Command: "python3 a.py",
		Outputs: map[string]scriptspec.OutputInfo{"o": {Path: "/o"}}, Leftover: []string{"sleep"},
		ChangedInputs: map[string][]string{"i": {"deleted x"}},
	}
	data, err := json.Marshal(r)
	require.NoError(t, err)
	assert.JSONEq(t, `{"script_name":"a","step_name":"A","success":false,"outcome":"timeout","error_type":"",
		"error_message":"slow","traceback":"","return_value":{"rows":1.0},"execution_time":1.5,"user_time":1,"system_time":0.25,
		"peak_memory":1048576,"has_main_function":false,"warm":false,"exit_code":-1,"signal":"SIGKILL",
		"stdout":{"text":"","bytes":0,"truncated":false},"stderr":{"text":"","bytes":0,"truncated":false},
		"outputs":{"o":{"path":"/o","exists":false,"files":0,"bytes":0,"written":0}},
		"changed_inputs":{"i":["deleted x"]},"leftover":["sleep"],"command":"python3 a.py"}`, string(data))
	var back scriptspec.ScriptTestResult
	require.NoError(t, json.Unmarshal(data, &back))
	assert.Equal(t, r, back)
	assert.Equal(t, "A: timeout in 1.5s: slow", r.String())
}
