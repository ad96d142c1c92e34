package scriptspec_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// A file that a spec depends on is there before its script is started, and its path is one as any other.
func TestDependsOnFiles(t *testing.T) {
	t.Parallel()
	s := scripted(t, writesOutput+"def main(output_paths):\n    done(output_paths)\n")
	dir := t.TempDir()
	s.DependsOn.Files = []string{filepath.Join(dir, "codes.json"), "${DATA}/more.json", "s3://bucket/x"}
	assert.Equal(t, []problem{
		{"depends_on.files[0]", scriptspec.CodeNotExist, "file '" + s.DependsOn.Files[0] + "', which the spec depends on, does not exist"},
		{"depends_on.files[1]", scriptspec.CodeNotExist, "file '" + filepath.Join(dir, "more.json") + "', which the spec depends on, does not exist"},
		{"depends_on.files[2]", scriptspec.CodeNotLocal, "a URL is not a local path: s3://bucket/x"},
	}, problems(t, s.ValidatePaths(&scriptspec.ValidateOptions{PathVars: map[string]string{"DATA": dir}})))

	s.DependsOn.Files = []string{"codes.json"}
	tester := &scriptspec.RuntimeTester{Base: dir}
	python(t)
	result, err := tester.TestScript(t.Context(), s)
	require.NoError(t, err)
	assert.Equal(t, scriptspec.OutcomeInputMissing, result.Outcome)
	assert.Contains(t, result.ErrorMessage, "codes.json', which the spec depends on, does not exist (codes.json relative to the base, "+dir+")")
	write(t, filepath.Join(dir, "codes.json"), "{}")
	require.True(t, runWith(t, tester, s).Success)
	assert.Equal(t, []string{"codes.json"}, s.DependsOn.Files, "the spec itself is not changed")

	p := &scriptspec.PipelineTestingSpec{Name: "p", DAG: &scriptspec.DAG{Nodes: []string{s.StepName}}, Specs: map[string]scriptspec.Spec{s.StepName: s}}
	require.NoError(t, os.Remove(filepath.Join(dir, "codes.json")))
	_, err = tester.TestPipeline(t.Context(), p, nil)
	assert.ErrorContains(t, err, `specs["`+s.StepName+`"].depends_on.files[0]`)
}

// An example's inputs are paths as any other, which are there unless the example is of what comes then.
func TestPathsOfExamples(t *testing.T) {
	t.Parallel()
	s := scripted(t, writesOutput+"def main(output_paths):\n    done(output_paths)\n")
	dir := t.TempDir()
	s.Examples = []scriptspec.Example{
		{Name: "odd", InputPaths: map[string]string{"a": "s3://bucket/x", "b": "${DATA}/none", "c": dir}},
		{Name: "missing", InputPaths: map[string]string{"a": "${DATA}/none"}, Expect: scriptspec.OutcomeInputMissing},
	}
	assert.Equal(t, []problem{
		{`examples[0].input_paths["a"]`, scriptspec.CodeNotLocal, "a URL is not a local path: s3://bucket/x"},
		{`examples[0].input_paths["b"]`, scriptspec.CodeNotExist, "input 'b' of the example odd does not exist: " + filepath.Join(dir, "none")},
	}, problems(t, s.ValidatePaths(&scriptspec.ValidateOptions{PathVars: map[string]string{"DATA": dir}})))
	assert.Equal(t, "${DATA}/none", s.Examples[0].InputPaths["b"], "the spec itself is not changed")
}
