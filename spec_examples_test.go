package scriptspec_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

func TestWithExample(t *testing.T) {
	t.Parallel()
	s := noted()
	s.AddInputPath("data", "all")
	s.JobArgs = scriptspec.JobArgs{"rows": 100, "deep": map[string]any{"a": 1}}
	s.Examples = []scriptspec.Example{{
		Name: "small", Description: "a few rows", InputPaths: map[string]string{"data": "few"},
		EnvironVars: map[string]string{"MODE": "fast"}, JobArgs: scriptspec.JobArgs{"rows": 10}, Expect: scriptspec.OutcomeException,
	}, {Name: "plain"}}
	before := s.Clone()
	got, err := scriptspec.WithExample(s, "small")
	require.NoError(t, err)
	want := s.Clone()
	want.Description, want.Examples = "a few rows", nil
	want.InputPaths["data"], want.EnvironVars["MODE"], want.JobArgs["rows"] = "few", "fast", 10
	assert.True(t, want.Equal(got.Basic()), "%v", got)
	assert.True(t, before.Equal(s), "the spec is as it was")

	e := scriptspec.Enhance(s, func(name string) []string { return []string{name + "_alias"} })
	got, err = scriptspec.WithExample(e, "small")
	require.NoError(t, err)
	assert.Equal(t, scriptspec.PathSpec{LogicalName: "data", Path: "few", Aliases: []string{"data_alias"}},
		got.(*scriptspec.EnhancedScriptExecutionSpec).InputPathSpecs["data"])

	_, err = scriptspec.WithExample(s, "smal")
	require.EqualError(t, err, "examples: there is no example smal (did you mean small?)")
	_, err = scriptspec.WithExample(nil, "small")
	require.Error(t, err)
}

// Each example is a subtest, and passes if the run ends as it says.
func TestRunStoreExamples(t *testing.T) {
	t.Parallel()
	for _, keep := range []bool{false, true} {
		st := openStore(t, t.TempDir(), nil)
		s := scripted(t, writesOutput+"def main(output_paths, job_args):\n    done(output_paths)\n    if job_args.rows < 0:\n        raise ValueError('no rows')\n")
		s.AddJobArg("rows", 1)
		s.Examples = []scriptspec.Example{
			{Name: "refused", JobArgs: scriptspec.JobArgs{"rows": -1}, Expect: scriptspec.OutcomeException},
			{Name: "late", Expect: scriptspec.OutcomeException},
			{Name: "many", JobArgs: scriptspec.JobArgs{"rows": 1000}},
		}
		require.NoError(t, st.Save(s))
		var lines []string
		var result *scriptspec.StoreTestResult
		r := &recorder{t: t, name: "Test", mu: new(sync.Mutex), lines: &lines}
		r.do(func(r *recorder) {
			result = scriptspec.RunStoreAs(r, st, &scriptspec.HarnessOptions{KeepOutputs: keep})
		})
		told := strings.Join(lines, "\n")
		for _, part := range []string{
			"log refused: TabularPreprocessing_training: exception in", "error late: expected outcome exception\nTabularPreprocessing_training: passed in",
			"log many: TabularPreprocessing_training: passed in", "log tabular_preprocessing: TabularPreprocessing_training: passed in",
		} {
			assert.Contains(t, told, part)
		}
		var names []string
		for _, s := range result.Specs {
			names = append(names, s.Name)
			assert.NotNil(t, s.Result, s.Name)
		}
		assert.Equal(t, []string{"tabular_preprocessing", "tabular_preprocessing/refused", "tabular_preprocessing/late", "tabular_preprocessing/many"}, names)
		assert.False(t, result.Success)
		assert.Contains(t, result.String(), ": 3 of 4 specs passed in ")
		elements := checkJUnit(t, written(t, result.WriteJUnit))
		assert.Len(t, elements["testcase"], 4)
		assert.Len(t, elements["failure"], 1)
		assert.Contains(t, written(t, result.WriteText), "expected outcome exception, got passed")
	}
}
