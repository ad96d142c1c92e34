package scriptspec_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// What is not a path of this machine is refused by name, and no directory is made that is called so.
func TestPathsThatAreNotLocal(t *testing.T) {
	s := scripted(t, doesNothing)
	t.Chdir(filepath.Dir(s.ScriptPath))
	for path, message := range map[string]string{
		"s3://team-bucket/x": "a URL is not a local path: s3://team-bucket/x",
		"file:///tmp/x":      "a URL is not a local path: file:///tmp/x",
		"~/x":                "~ is not expanded in paths: ~/x",
		"${WORKDIR}/x":       "variables are not expanded in paths: ${WORKDIR}/x",
		"data/$DAY/x":        "variables are not expanded in paths: data/$DAY/x",
	} {
		for _, field := range []string{"script_path", `input_paths["p"]`, `output_paths["p"]`} {
			c := s.Clone()
			switch field {
			case "script_path":
				c.ScriptPath = path + ".py"
				message += ".py"
			case `input_paths["p"]`:
				c.AddInputPath("p", path)
			default:
				c.AddOutputPath("p", path)
			}
			want := problem{field, scriptspec.CodeNotLocal, message}
			if field == "script_path" {
				message = message[:len(message)-len(".py")]
			}
			assert.Equal(t, []problem{want}, problems(t, c.ValidateSpec(&scriptspec.ValidateOptions{CreateOutputs: true})))
			require.NoError(t, c.Validate(), "it may be stored")
			_, err := (&scriptspec.RuntimeTester{}).TestScript(t.Context(), c)
			assert.Equal(t, []problem{want}, problems(t, err))
		}
	}
	for _, path := range []string{"data/a~b", "C$1/x", "cost$", "a:b"} {
		c := s.Clone()
		c.AddOutputPath("p", path)
		assert.NoError(t, c.ValidateSpec(nil), path)
	}
	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	assert.Len(t, entries, 3, "the script, its input and the output of the run that was to be")
}

// One store works from any directory if its paths count from the store.
func TestPathsCountFromTheStore(t *testing.T) {
	python(t)
	dir := t.TempDir()
	store := openStore(t, dir, &scriptspec.StoreOptions{Base: scriptspec.BaseOfStore})
	assert.Equal(t, dir, store.Base())
	write(t, filepath.Join(dir, "scripts", "tabular_preprocessing.py"), writesOutput+"def main(input_paths, output_paths):\n    done(output_paths)\n    print(open(input_paths['data_input']).read())\n")
	write(t, filepath.Join(dir, "TabularPreprocessing_training", "input", "data_input"), "rows")
	builder := &scriptspec.SpecBuilder{Store: store, ScriptDirs: []string{filepath.Join(dir, "scripts")}}
	s, err := builder.SpecFromNode("TabularPreprocessing_training")
	require.NoError(t, err)
	assert.Equal(t, "scripts/tabular_preprocessing.py", s.ScriptPath)
	assert.Equal(t, map[string]string{"data_input": "TabularPreprocessing_training/input/data_input"}, s.InputPaths)
	assert.Equal(t, map[string]string{"data_output": "TabularPreprocessing_training/output/data_output"}, s.OutputPaths)
	require.NoError(t, store.Save(s))

	t.Chdir(t.TempDir())
	for s, err := range store.ValidateAll(t.Context(), nil) {
		require.NoError(t, err, "%v", s)
	}
	wd, err := os.Getwd()
	require.NoError(t, err)
	err = s.ValidateSpec(nil)
	require.ErrorIs(t, err, os.ErrNotExist)
	assert.ErrorContains(t, err, "Script file does not exist: scripts/tabular_preprocessing.py (relative to the working directory, "+wd+")")
	require.NoError(t, s.ValidateSpec(&scriptspec.ValidateOptions{Base: store.Base()}))
	scriptspec.RunStore(t, store, nil)
	result, err := (&scriptspec.RuntimeTester{Base: store.Base()}).TestScript(t.Context(), s)
	require.NoError(t, err)
	assert.True(t, result.Success, result.Details())
	assert.Equal(t, "rows\n", result.Stdout.Text)
	assert.FileExists(t, filepath.Join(dir, "TabularPreprocessing_training", "output", "data_output", "out.txt"))
	result, err = (&scriptspec.RuntimeTester{}).TestScript(t.Context(), s)
	require.NoError(t, err)
	assert.Equal(t, "Script file does not exist: scripts/tabular_preprocessing.py (relative to the working directory, "+wd+")", result.ErrorMessage)

	p := &scriptspec.PipelineTestingSpec{Name: "p", DAG: &scriptspec.DAG{Nodes: []string{s.StepName}}, Specs: map[string]scriptspec.Spec{s.StepName: s}}
	r, err := (&scriptspec.RuntimeTester{Base: store.Base()}).TestPipeline(t.Context(), p, &scriptspec.PipelineOptions{WorkDir: filepath.Join(wd, "work")})
	require.NoError(t, err)
	assert.True(t, r.Success, "%v", r)
}

func TestPathVariables(t *testing.T) {
	t.Parallel()
	s := scripted(t, writesOutput+"def main(output_paths):\n    done(output_paths)\n")
	dir := filepath.Dir(s.ScriptPath)
	s.ScriptPath = "${ROOT}/" + filepath.Base(s.ScriptPath)
	s.AddInputPath("data_input", "${ROOT}/${NAME}.csv")
	s.AddOutputPath("data_output", "${ROOT}/out")
	vars := map[string]string{"ROOT": dir, "NAME": "data"}
	require.NoError(t, s.ValidateSpec(&scriptspec.ValidateOptions{PathVars: vars}))
	tester := &scriptspec.RuntimeTester{PathVars: vars}
	result, err := tester.TestScript(t.Context(), s)
	require.NoError(t, err)
	assert.True(t, result.Success, result.Details())
	assert.Equal(t, "${ROOT}/out", s.OutputPaths["data_output"])

	enhanced := scriptspec.Enhance(s, nil)
	result, err = tester.TestScript(t.Context(), enhanced)
	require.NoError(t, err)
	assert.True(t, result.Success, result.Details())

	s.AddInputPath("more", "${ROTO}/x")
	_, err = tester.TestScript(t.Context(), s)
	assert.Equal(t, []problem{{`input_paths["more"]`, scriptspec.CodeNotLocal, "the path has ${ROTO}, which has no value: ${ROTO}/x"}}, problems(t, err))
	assert.ErrorContains(t, err, "did you mean ${ROOT}?")
	s.AddInputPath("more", "${HOME}/x")
	_, err = tester.TestScript(t.Context(), s)
	assert.ErrorContains(t, err, "the path has ${HOME}, which has no value", "the environment is not asked")
}
