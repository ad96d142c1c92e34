package scriptspec_test

import (
	"math"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

func TestNew(t *testing.T) {
	t.Parallel()
	s := scriptspec.New("tabular_preprocessing", "TabularPreprocessing_training", "/s/tabular_preprocessing.py")
	assert.Equal(t, "tabular_preprocessing", s.ScriptName)
	assert.Equal(t, "TabularPreprocessing_training", s.StepName)
	assert.Equal(t, "/s/tabular_preprocessing.py", s.ScriptPath)
	assert.False(t, s.CreatedAt.IsZero())
	assert.True(t, s.CreatedAt.Equal(s.UpdatedAt))
	assert.False(t, s.CreatedAt.IsNaive())
	require.NoError(t, s.Validate())
}

// adders is what both kinds of spec offer.
type adders interface {
	scriptspec.Spec
	AddInputPath(logicalName, path string)
	AddOutputPath(logicalName, path string)
	AddEnvironVar(key, value string)
	AddJobArg(key string, value any)
	UpdateTimestamp()
	ExecutionEnvironment() map[string]string
	AutoFixCommonIssues() []scriptspec.Fix
	ValidateSpec(o *scriptspec.ValidateOptions) error
	ValidatePaths(o *scriptspec.ValidateOptions) error
	ValidateJobArgs(required ...string) error
	IsValid() bool
	Save(path string) error
}

func TestZeroValuesWork(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]adders{
		"basic":    &scriptspec.ScriptExecutionSpec{},
		"enhanced": &scriptspec.EnhancedScriptExecutionSpec{},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Empty(t, s.SpecFileName())
			require.Error(t, s.Validate())
			assert.False(t, s.IsValid())
			assert.Empty(t, s.AutoFixCommonIssues())

			s.AddInputPath("in", "/in")
			s.AddOutputPath("out", "/out")
			s.AddEnvironVar("SOME_NAME", "value")
			s.AddJobArg("n", 1)
			basic := s.Basic()
			assert.Equal(t, map[string]string{"in": "/in"}, basic.InputPaths)
			assert.Equal(t, map[string]string{"out": "/out"}, basic.OutputPaths)
			assert.Equal(t, map[string]string{"SOME_NAME": "value"}, basic.EnvironVars)
			assert.Equal(t, scriptspec.JobArgs{"n": 1}, basic.JobArgs)
			assert.False(t, basic.UpdatedAt.IsZero())
			assert.True(t, basic.CreatedAt.IsZero(), "when it was made is not known")
		})
	}
}

func TestAddReplacesAndStamps(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]adders{"basic": noted(), "enhanced": notedEnhanced()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for field, add := range map[string]func(){
				"input":  func() { s.AddInputPath("config", "/other") },
				"output": func() { s.AddOutputPath("metrics", "/other") },
				"env":    func() { s.AddEnvironVar("CURSUS_ENV", "other") },
				"arg":    func() { s.AddJobArg("batch_size", 2) },
			} {
				at := reset(s)
				add()
				assert.True(t, s.Basic().UpdatedAt.After(at.Time), field)
			}
			b := s.Basic()
			assert.Equal(t, "/other", b.InputPaths["config"])
			assert.Equal(t, "/other", b.OutputPaths["metrics"])
			assert.Equal(t, "other", b.EnvironVars["CURSUS_ENV"])
			assert.Equal(t, 2, b.JobArgs["batch_size"])
			assert.True(t, b.CreatedAt.Equal(noted().CreatedAt))
		})
	}
}

// reset sets updated_at to the past and returns it.
func reset(s scriptspec.Spec) scriptspec.Timestamp {
	at := noted().UpdatedAt
	switch s := s.(type) {
	case *scriptspec.ScriptExecutionSpec:
		s.UpdatedAt = at
	case *scriptspec.EnhancedScriptExecutionSpec:
		s.UpdatedAt = at
	}
	return at
}

func TestLookups(t *testing.T) {
	t.Parallel()
	s := noted()
	path, ok := s.InputPath("config")
	assert.True(t, ok)
	assert.Equal(t, "/test_data/config/preprocessing_config.json", path)
	path, ok = s.OutputPath("metrics")
	assert.True(t, ok)
	assert.Equal(t, "/test_data/output/preprocessing_metrics", path)
	_, ok = s.InputPath("metrics")
	assert.False(t, ok)
	_, ok = s.OutputPath("config")
	assert.False(t, ok)
}

func TestSpecFileName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"tabular_preprocessing":    "tabular_preprocessing_runtime_test_spec.json",
		"xgboost_model_evaluation": "xgboost_model_evaluation_runtime_test_spec.json",
		"con":                      "con_runtime_test_spec.json",
		"":                         "",
		"../x":                     "",
		"/x":                       "",
		"a/b":                      "",
		"..":                       "",
		"a\x00":                    "",
		"a\n":                      "",
		"MyScript":                 "",
		"d\u0430ta":                "", // Cyrillic a
		"\uff44ata":                "", // full width d
		"data\u202e":               "",
	} {
		assert.Equal(t, want, (&scriptspec.ScriptExecutionSpec{ScriptName: name}).SpecFileName(), "%q", name)
		assert.Equal(t, want, (&scriptspec.EnhancedScriptExecutionSpec{ScriptName: name}).SpecFileName(), "%q", name)
	}
}

func TestExecutionEnvironment(t *testing.T) {
	t.Setenv("SCRIPTSPEC_TEST_KEPT", "from the process")
	t.Setenv("SCRIPTSPEC_TEST_OVER", "from the process")
	t.Setenv("SCRIPTSPEC_TEST_EQUALS", "a=b=c")
	for name, s := range map[string]adders{"basic": noted(), "enhanced": notedEnhanced()} {
		s.AddEnvironVar("SCRIPTSPEC_TEST_OVER", "from the spec")
		env := s.ExecutionEnvironment()
		assert.Equal(t, "from the process", env["SCRIPTSPEC_TEST_KEPT"], name)
		assert.Equal(t, "from the spec", env["SCRIPTSPEC_TEST_OVER"], name)
		assert.Equal(t, "a=b=c", env["SCRIPTSPEC_TEST_EQUALS"], name)
		assert.Equal(t, "testing", env["CURSUS_ENV"], name)
		assert.Len(t, env, len(os.Environ())+2, name) // PYTHONPATH and CURSUS_ENV are the spec's

		env["CURSUS_ENV"] = "changed"
		assert.Equal(t, "testing", s.ExecutionEnvironment()["CURSUS_ENV"], "the map is the caller's")
		_, set := os.LookupEnv("CURSUS_ENV")
		assert.False(t, set, "the process is not touched")
	}
}

func TestUpdateTimestampNeverMovesBack(t *testing.T) {
	t.Parallel()
	future := scriptspec.NewTimestamp(time.Now().UTC().Add(48 * time.Hour))
	s := noted()
	s.CreatedAt = future
	s.UpdateTimestamp()
	assert.True(t, s.UpdatedAt.Equal(future), "not before created_at")
	s.UpdateTimestamp()
	assert.True(t, s.UpdatedAt.Equal(future), "not before it was")

	s = noted()
	s.UpdateTimestamp()
	assert.WithinDuration(t, time.Now(), s.UpdatedAt.Time, time.Hour)
	assert.False(t, s.UpdatedAt.IsNaive())
}

func TestCloneIsDeep(t *testing.T) {
	t.Parallel()
	s := noted()
	s.JobArgs["list"] = []any{map[string]any{"deep": []string{"x"}}}
	s.Extra = map[string]jsonRaw{"notes": jsonRaw(`"n"`)}
	c := s.Clone()
	require.True(t, s.Equal(c))
	require.True(t, c.Equal(s))

	c.InputPaths["config"] = "changed"
	c.OutputPaths["metrics"] = "changed"
	c.EnvironVars["CURSUS_ENV"] = "changed"
	c.JobArgs["list"].([]any)[0].(map[string]any)["deep"].([]string)[0] = "changed"
	c.Extra["notes"][1] = 'X'
	assert.Equal(t, "/test_data/config/preprocessing_config.json", s.InputPaths["config"])
	assert.Equal(t, "/test_data/output/preprocessing_metrics", s.OutputPaths["metrics"])
	assert.Equal(t, "testing", s.EnvironVars["CURSUS_ENV"])
	assert.Equal(t, "x", s.JobArgs["list"].([]any)[0].(map[string]any)["deep"].([]string)[0])
	assert.Equal(t, `"n"`, string(s.Extra["notes"]))

	assert.Nil(t, (*scriptspec.ScriptExecutionSpec)(nil).Clone())
}

func TestAddJobArgCopies(t *testing.T) {
	t.Parallel()
	metrics := []string{"auc"}
	s := noted()
	s.AddJobArg("metrics", metrics)
	metrics[0] = "changed"
	assert.Equal(t, []string{"auc"}, s.JobArgs["metrics"])

	loop := map[string]any{}
	loop["self"] = loop
	s.AddJobArg("loop", loop) // refused when saved; must not hang here
	require.Error(t, s.Save(t.TempDir()+"/x.json"))
}

// Every difference counts, and nothing else does.
func TestEqual(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*scriptspec.ScriptExecutionSpec){
		"script_name":    func(s *scriptspec.ScriptExecutionSpec) { s.ScriptName = "x" },
		"step_name":      func(s *scriptspec.ScriptExecutionSpec) { s.StepName = "X" },
		"script_path":    func(s *scriptspec.ScriptExecutionSpec) { s.ScriptPath = "/x" },
		"input path":     func(s *scriptspec.ScriptExecutionSpec) { s.InputPaths["config"] = "/x" },
		"input name":     func(s *scriptspec.ScriptExecutionSpec) { delete(s.InputPaths, "config"); s.InputPaths["c"] = "" },
		"output path":    func(s *scriptspec.ScriptExecutionSpec) { s.OutputPaths["metrics"] = "/x" },
		"environ_vars":   func(s *scriptspec.ScriptExecutionSpec) { s.EnvironVars["CURSUS_ENV"] = "x" },
		"job_args":       func(s *scriptspec.ScriptExecutionSpec) { s.JobArgs["batch_size"] = 1001 },
		"int and float":  func(s *scriptspec.ScriptExecutionSpec) { s.JobArgs["batch_size"] = 1000.0 },
		"null argument":  func(s *scriptspec.ScriptExecutionSpec) { s.JobArgs["batch_size"] = nil },
		"created_at":     func(s *scriptspec.ScriptExecutionSpec) { s.CreatedAt.Time = s.CreatedAt.Add(time.Microsecond) },
		"updated_at":     func(s *scriptspec.ScriptExecutionSpec) { s.UpdatedAt = scriptspec.Timestamp{} },
		"unknown member": func(s *scriptspec.ScriptExecutionSpec) { s.Extra = map[string]jsonRaw{"x": jsonRaw("1")} },
	} {
		s := noted()
		change(s)
		assert.False(t, s.Equal(noted()), name)
		assert.False(t, noted().Equal(s), name)
		assert.False(t, scriptspec.Enhance(s, nil).Equal(scriptspec.Enhance(noted(), nil)), "enhanced: %s", name)
	}

	loaded := noted()
	loaded.JobArgs = scriptspec.JobArgs{"batch_size": jsonNumber("1000"), "validation_split": jsonNumber("0.2")}
	assert.True(t, loaded.Equal(noted()), "numbers are what their JSON is")
	nanos := noted()
	nanos.CreatedAt.Time = nanos.CreatedAt.Add(999)
	assert.True(t, nanos.Equal(noted()), "times count to the microsecond")
	a, b := noted(), noted()
	a.Extra, b.Extra = map[string]jsonRaw{"x": jsonRaw(`{"k": [1]}`)}, map[string]jsonRaw{"x": jsonRaw(`{ "k":[1] }`)}
	assert.True(t, a.Equal(b), "white space in unknown members")
	assert.True(t, (&scriptspec.ScriptExecutionSpec{}).Equal(&scriptspec.ScriptExecutionSpec{InputPaths: map[string]string{}, JobArgs: scriptspec.JobArgs{}}))
	nan := noted()
	nan.JobArgs["x"] = math.NaN()
	assert.False(t, nan.Equal(nan.Clone()), "NaN equals nothing")

	var none *scriptspec.ScriptExecutionSpec
	assert.True(t, none.Equal(nil))
	assert.False(t, none.Equal(noted()))
	assert.False(t, noted().Equal(none))
}
