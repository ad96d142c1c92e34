package scriptspec_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

const mainScript = `
import os
def main(input_paths, output_paths, environ_vars, job_args):
    open(input_paths["raw"]), input_paths.get("optional"), output_paths["clean"], os.environ["NEEDED"], job_args.rate
`

// scriptTree is a directory with scripts and a builder over it.
func scriptTree(t *testing.T, names ...string) (*scriptspec.SpecBuilder, string) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		write(t, filepath.Join(dir, name), mainScript)
	}
	return &scriptspec.SpecBuilder{Store: openStore(t, filepath.Join(dir, "data"), nil), ScriptDirs: []string{filepath.Join(dir, "scripts"), filepath.Join(dir, "more")}}, dir
}

func TestResolve(t *testing.T) {
	t.Parallel()
	b, dir := scriptTree(t,
		"scripts/tabular_preprocessing.py", "scripts/xgboost_model_evaluation.py", "more/lightgbm_training.py", "more/tabular_preprocessing.py",
		"more/package.py", "more/Risk-Table Mapping.py", "scripts/model_calibration.py", "more/own.py", "scripts/README.md",
		"scripts/sub/hidden_step.py", "more/s3_upload.py", "scripts/reg_params_eval.py", "scripts/lightgbmmt_training.py",
	)
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "scripts", "directory.py"), 0o700))
	require.NoError(t, os.Symlink(filepath.Join(dir, "more", "own.py"), filepath.Join(dir, "scripts", "linked.py")))
	b.Scripts = map[string]string{
		"Special_training": filepath.Join(dir, "more", "own.py"), "Special": filepath.Join(dir, "more", "package.py"),
		"DataLoading": "", "Registration": "", "Gone": filepath.Join(dir, "gone.py"),
	}
	for node, want := range map[string]struct {
		file, name string
		method     scriptspec.ResolveMethod
	}{
		"Special_training":                   {"more/own.py", "own", scriptspec.ResolvedByTable},
		"Special_testing":                    {"more/package.py", "package", scriptspec.ResolvedByTable},
		"TabularPreprocessing_training":      {"scripts/tabular_preprocessing.py", "tabular_preprocessing", scriptspec.ResolvedExact},
		"TabularPreprocessing_ssl_selection": {"scripts/tabular_preprocessing.py", "tabular_preprocessing", scriptspec.ResolvedExact},
		"ModelCalibration_us_east_1":         {"scripts/model_calibration.py", "model_calibration", scriptspec.ResolvedExact},
		"S3Upload":                           {"more/s3_upload.py", "s3_upload", scriptspec.ResolvedExact},
		"Linked":                             {"scripts/linked.py", "linked", scriptspec.ResolvedExact},
		"XGBoostModelEval_evaluation":        {"scripts/xgboost_model_evaluation.py", "xgboost_model_evaluation", scriptspec.ResolvedEqual},
		"LightGBMTraining":                   {"more/lightgbm_training.py", "lightgbm_training", scriptspec.ResolvedExact},
		"LightGBMMTTraining_pretrain":        {"scripts/lightgbmmt_training.py", "lightgbmmt_training", scriptspec.ResolvedExact},
		"RiskTableMapping_training_v2":       {"more/Risk-Table Mapping.py", "risk_table_mapping", scriptspec.ResolvedEqual},
		"RegistrationParametersEvaluation":   {"scripts/reg_params_eval.py", "reg_params_eval", scriptspec.ResolvedEqual},
	} {
		r, err := b.Resolve(node)
		require.NoError(t, err, node)
		assert.Equal(t, filepath.Join(dir, want.file), r.ScriptPath, node)
		assert.Equal(t, want.name, r.ScriptName, node)
		assert.Equal(t, want.method, r.Method, node)
		assert.Equal(t, node, r.Node)
		assert.Equal(t, node, r.Step.String())
	}
	for _, node := range []string{"DataLoading", "DataLoading_training", "Registration_us_east_1"} {
		_, err := b.Resolve(node)
		require.ErrorIs(t, err, scriptspec.ErrNoScript, node)
		require.NotErrorIs(t, err, fs.ErrNotExist)
	}
	for _, node := range []string{"TabularPreprocess", "Tabular", "XGBoostTraining", "HiddenStep", "Directory", "Gone", "ModelCalibrations", "README"} {
		_, err := b.Resolve(node)
		nf, ok := errors.AsType[*scriptspec.NotFoundError](err)
		if node == "TabularPreprocess" { // "preprocess" is an abbreviation, and two directories have the script
			_, ok := errors.AsType[*scriptspec.AmbiguousError](err)
			require.True(t, ok, "%v", err)
			continue
		}
		require.True(t, ok, "%s: %v", node, err)
		require.ErrorIs(t, err, fs.ErrNotExist)
		assert.Equal(t, node, nf.Node)
		assert.NotEmpty(t, nf.Tried)
		assert.Len(t, nf.Suggestions, 3, node)
	}
	_, err := b.Resolve("XGBoostTraining")
	nf, ok := errors.AsType[*scriptspec.NotFoundError](err)
	require.True(t, ok)
	assert.Contains(t, nf.Suggestions, filepath.Join(dir, "more", "lightgbm_training.py"), "near, and for that very reason not taken")
	assert.Contains(t, err.Error(), "SpecBuilder.Scripts")
	for _, node := range []string{"", "tabular", "A b", "../X"} {
		_, err := b.Resolve(node)
		_, ok := errors.AsType[*scriptspec.FieldError](err)
		require.True(t, ok, "%q: %v", node, err)
	}
}

func TestResolveAmbiguous(t *testing.T) {
	t.Parallel()
	b, dir := scriptTree(t, "scripts/model_eval.py", "more/ModelEvaluation.py", "scripts/x.py")
	_, err := b.Resolve("Model_evaluation")
	require.Error(t, err)
	_, err = b.Resolve("ModelEvals")
	require.ErrorIs(t, err, fs.ErrNotExist)
	for range 25 {
		_, err = b.Resolve("MODELEvaluation")
		ae, ok := errors.AsType[*scriptspec.AmbiguousError](err)
		require.True(t, ok, "%v", err)
		require.Equal(t, []string{filepath.Join(dir, "more/ModelEvaluation.py"), filepath.Join(dir, "scripts/model_eval.py")}, ae.Candidates)
	}
	r, err := b.Resolve("ModelEval")
	require.NoError(t, err, "an exact file comes first")
	assert.Equal(t, scriptspec.ResolvedExact, r.Method)
}

// What is no step's script is none, whatever its name is equal to.
func TestResolveOnlyScripts(t *testing.T) {
	t.Parallel()
	for node, file := range map[string]string{
		"Init": "__init__.py", "Main": "__main__.py", "Foo": ".foo.py", "Foo_a": "._foo.py", "Foo_b": "foo~.py", "Foo_c": "#foo.py",
		"Foo_d": "foo.py.py", "Foo_e": "_foo.py", "Foo_f": "foo..py", "ModelV12": "model_v1_2.py",
	} {
		b, _ := scriptTree(t, "scripts/"+file, "more/x.py")
		_, err := b.Resolve(node)
		require.ErrorIs(t, err, fs.ErrNotExist, "%s %s", node, file)
	}
	b, dir := scriptTree(t, "scripts/tabular_preprocess.py", "more/x.py")
	r, err := b.Resolve("TabularPreProcess")
	require.NoError(t, err, "equal without spelling anything out")
	assert.Equal(t, filepath.Join(dir, "scripts", "tabular_preprocess.py"), r.ScriptPath)

	b.ScriptDirs = nil
	twice := &scriptspec.SpecBuilder{ScriptDirs: []string{filepath.Join(dir, "scripts"), filepath.Join(dir, "scripts"), filepath.Join(dir, "link")}}
	require.NoError(t, os.Symlink("scripts", filepath.Join(dir, "link")))
	_, err = twice.Resolve("TABULARPreprocess")
	require.NoError(t, err, "one directory three times is one")
}

// A script that is gone is never an answer, and one that came is.
func TestResolveFollowsTheDisk(t *testing.T) {
	t.Parallel()
	b, dir := scriptTree(t, "scripts/foo.py", "more/x.py", "real/own.py")
	linked := filepath.Join(dir, "scripts", "linked.py")
	require.NoError(t, os.Symlink(filepath.Join(dir, "real", "own.py"), linked))
	for _, node := range []string{"Foo", "Linked"} {
		_, err := b.Resolve(node)
		require.NoError(t, err)
	}
	require.NoError(t, os.Remove(filepath.Join(dir, "real", "own.py")))
	_, err := b.Resolve("Linked")
	require.ErrorIs(t, err, fs.ErrNotExist)
	write(t, filepath.Join(dir, "real", "own.py"), mainScript)
	_, err = b.Resolve("Linked")
	require.NoError(t, err)

	// A refresh that fails half way must not make the old index look new.
	more := filepath.Join(dir, "more")
	require.NoError(t, os.Rename(more, more+"x"))
	require.NoError(t, os.Remove(filepath.Join(dir, "scripts", "foo.py")))
	write(t, filepath.Join(dir, "scripts", "new.py"), mainScript)
	_, err = b.Resolve("Foo")
	require.Error(t, err)
	require.ErrorContains(t, err, "script directory")
	require.NoError(t, os.Rename(more+"x", more))
	_, err = b.Resolve("Foo")
	nf, ok := errors.AsType[*scriptspec.NotFoundError](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, "Foo", nf.Node)
	_, err = b.Resolve("New")
	require.NoError(t, err)
}

// What the table answers needs no directory, and is the same wherever the process stands.
func TestResolveTable(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"one/own.py", "two/own.py", "scripts/kept.py"} {
		write(t, filepath.Join(dir, name), mainScript)
	}
	t.Chdir(filepath.Join(dir, "one"))
	b := &scriptspec.SpecBuilder{
		ScriptDirs: []string{filepath.Join(dir, "missing"), filepath.Join(dir, "scripts")},
		Scripts:    map[string]string{"Load": "", "Own": "own.py", "Kept": "kept.py"},
	}
	for _, cwd := range []string{"one", "two"} {
		t.Chdir(filepath.Join(dir, cwd))
		_, err := b.Resolve("Load")
		require.ErrorIs(t, err, scriptspec.ErrNoScript)
		r, err := b.Resolve("Own")
		require.NoError(t, err)
		assert.Equal(t, filepath.Join(dir, "one", "own.py"), r.ScriptPath)
		r, err = b.Resolve("Kept")
		require.NoError(t, err)
		assert.Equal(t, filepath.Join(dir, "scripts", "kept.py"), r.ScriptPath)
	}
	_, err := b.Resolve("Other")
	require.ErrorContains(t, err, "script directory")
}

// Logical names come from a script and may be anything; each has a path of its own below the node's.
func TestSpecFromNodePaths(t *testing.T) {
	t.Parallel()
	python(t)
	b, dir := scriptTree(t, "more/x.py")
	write(t, filepath.Join(dir, "scripts", "step.py"), `
def main(input_paths, output_paths, environ_vars, job_args):
    input_paths["a/b"], input_paths["a_b"], input_paths[""], input_paths[".."], input_paths["x\x00"]
`)
	s, err := b.SpecFromNode("Step")
	require.NoError(t, err)
	in := filepath.Join(dir, "data", "Step", "input")
	assert.Equal(t, map[string]string{"a/b": filepath.Join(in, "a_b"), "a_b": filepath.Join(in, "a_b_2"), "..": filepath.Join(in, "__")}, s.InputPaths)
	require.NoError(t, s.Validate())
}

func TestResolveTerms(t *testing.T) {
	t.Parallel()
	b, dir := scriptTree(t, "scripts/fast_text.py", "more/x.py")
	b.Terms = map[string]string{"FastText": "fasttext"}
	r, err := b.Resolve("FastText")
	require.NoError(t, err)
	assert.Equal(t, scriptspec.ResolvedEqual, r.Method, "fasttext.py is not there, and fast_text.py is equal")
	write(t, filepath.Join(dir, "more", "fasttext.py"), mainScript)
	r, err = b.Resolve("FastText")
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(dir, "more", "fasttext.py"), r.ScriptPath, "a new file is seen")
	assert.Equal(t, scriptspec.ResolvedExact, r.Method)
}

// Resolving and failing to reads each directory once, and leaves everything as it was.
func TestResolveTouchesNothing(t *testing.T) {
	t.Parallel()
	b, dir := scriptTree(t, "scripts/step_a.py", "more/step_b.py")
	b.Scripts = map[string]string{"Load": ""}
	before := tree(t, dir)
	for i := range 1000 {
		node := []string{"StepA_training", "StepB", "Nothing", "Load", "STEP_A", "bad node"}[i%6]
		_, resolveErr := b.Resolve(node)
		_, specErr := b.SpecFromNode(node)
		_, _, loadErr := b.LoadOrCreate(node)
		require.Equal(t, resolveErr == nil, specErr == nil)
		require.Equal(t, resolveErr == nil, loadErr == nil)
		if s, err := b.SpecFromNode(node); err == nil {
			_ = s.ValidateSpec(nil)
		}
	}
	assert.Equal(t, before, tree(t, dir))
	_, err := b.FromDAG(&scriptspec.DAG{Nodes: []string{"StepA", "Nothing"}})
	require.Error(t, err)
	assert.Equal(t, before, tree(t, dir))

	// What was read is not read again: a file that came without the directory's time is not seen.
	scripts := filepath.Join(dir, "scripts")
	info, err := os.Stat(scripts)
	require.NoError(t, err)
	write(t, filepath.Join(scripts, "late.py"), mainScript)
	require.NoError(t, os.Chtimes(scripts, time.Time{}, info.ModTime()))
	_, err = b.Resolve("Late")
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestResolveDoesNotDependOnTheWorkingDirectory(t *testing.T) {
	b, dir := scriptTree(t, "scripts/step_a.py", "more/x.py")
	decoy := t.TempDir()
	for _, name := range []string{"step_b.py", "scripts/step_b.py", "step_a.py"} {
		write(t, filepath.Join(decoy, name), mainScript)
	}
	t.Chdir(decoy)
	r, err := b.Resolve("StepA")
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(dir, "scripts", "step_a.py"), r.ScriptPath)
	_, err = b.Resolve("StepB")
	require.ErrorIs(t, err, fs.ErrNotExist)

	relative := &scriptspec.SpecBuilder{ScriptDirs: []string{"scripts"}}
	_, err = relative.Resolve("StepB")
	require.NoError(t, err)
	t.Chdir(dir)
	r, err = relative.Resolve("StepB")
	require.NoError(t, err, "a relative directory is that of the first use")
	assert.Equal(t, filepath.Join(decoy, "scripts", "step_b.py"), r.ScriptPath)
}

func TestSpecFromNode(t *testing.T) {
	t.Parallel()
	python(t)
	b, dir := scriptTree(t, "scripts/step_a.py", "more/broken.py")
	write(t, filepath.Join(dir, "more", "broken.py"), "def main(:\n")
	s, err := b.SpecFromNode("StepA_us_east_1")
	require.NoError(t, err)
	data := filepath.Join(dir, "data", "StepA_us_east_1")
	assert.Equal(t, "step_a", s.ScriptName)
	assert.Equal(t, "StepA_us_east_1", s.StepName)
	assert.Equal(t, filepath.Join(dir, "scripts", "step_a.py"), s.ScriptPath)
	assert.Equal(t, map[string]string{"raw": filepath.Join(data, "input", "raw"), "optional": filepath.Join(data, "input", "optional")}, s.InputPaths)
	assert.Equal(t, map[string]string{"clean": filepath.Join(data, "output", "clean")}, s.OutputPaths)
	assert.Equal(t, scriptspec.JobArgs{"job_type": "us_east_1"}, s.JobArgs)
	assert.Empty(t, s.EnvironVars)
	assert.False(t, s.CreatedAt.IsZero())

	other, err := b.SpecFromNode("StepA")
	require.NoError(t, err)
	assert.NotEqual(t, s.OutputPaths["clean"], other.OutputPaths["clean"], "two nodes of a script share no directory")
	assert.Empty(t, other.JobArgs)

	s, err = b.SpecFromNode("Broken")
	require.NoError(t, err)
	assert.Len(t, s.InputPaths, 2)
	assert.Contains(t, s.InputPaths, "data_input", "the names of the note")

	_, err = (&scriptspec.SpecBuilder{ScriptDirs: b.ScriptDirs}).SpecFromNode("StepA")
	require.Error(t, err)
}

// Without an interpreter a spec has the note's names.
func TestSpecFromNodeWithoutPython(t *testing.T) {
	b, _ := scriptTree(t, "scripts/step_a.py", "more/x.py")
	t.Setenv("SCRIPTSPEC_PYTHON", "/no/such/python")
	s, err := b.SpecFromNode("StepA")
	require.NoError(t, err)
	assert.Contains(t, s.InputPaths, "config")
	assert.Contains(t, s.InputPaths, "data_input")
	assert.Contains(t, s.OutputPaths, "data_output")
	assert.Contains(t, s.OutputPaths, "metrics")
}

func TestLoadOrCreate(t *testing.T) {
	t.Parallel()
	b, dir := scriptTree(t, "scripts/step_a.py", "more/rich.py")
	s, created, err := b.LoadOrCreate("StepA_training")
	require.NoError(t, err)
	assert.True(t, created)
	assert.Equal(t, "step_a", s.ScriptName)
	assert.NoDirExists(t, filepath.Join(dir, "data"), "it is not saved")

	require.NoError(t, b.Store.Save(named("step_a", "StepA")))
	own := named("step_a", "StepA_training")
	own.AddJobArg("own", true)
	require.NoError(t, b.Store.SaveStep(own))
	before := tree(t, filepath.Join(dir, "data"))
	s, created, err = b.LoadOrCreate("StepA_training")
	require.NoError(t, err)
	assert.False(t, created)
	assert.True(t, own.Equal(s), "the step's own file")
	for _, node := range []string{"StepA_testing", "StepA_Training", "StepA"} {
		s, created, err = b.LoadOrCreate(node)
		require.NoError(t, err)
		assert.False(t, created)
		assert.True(t, named("step_a", node).Equal(s), "the script's file for %s", node)
	}
	write(t, filepath.Join(dir, "data", ".specs", "step_a.bad_runtime_test_spec.json"), "{")
	_, _, err = b.LoadOrCreate("StepA_bad")
	require.ErrorIs(t, err, scriptspec.ErrCorrupt, "a bad file is no reason for a new spec")
	require.NoError(t, os.Remove(filepath.Join(dir, "data", ".specs", "step_a.bad_runtime_test_spec.json")))
	require.NoError(t, os.Chtimes(filepath.Join(dir, "data", ".specs"), time.Time{}, time.Now()))
	assert.Len(t, tree(t, filepath.Join(dir, "data")), len(before))

	require.NoError(t, b.Store.Save(scriptspec.Enhance(named("rich", "Rich"), nil)))
	_, _, err = b.LoadOrCreate("Rich")
	require.ErrorIs(t, err, scriptspec.ErrEnhanced)
	require.NoError(t, b.Store.SaveStep(scriptspec.Enhance(named("rich", "Rich_testing"), nil)))
	_, _, err = b.LoadOrCreate("Rich_testing")
	require.ErrorContains(t, err, "rich.testing_runtime_test_spec.json", "the file that was taken")
	p, err := b.FromDAG(&scriptspec.DAG{Nodes: []string{"Rich"}})
	require.NoError(t, err)
	assert.IsType(t, &scriptspec.EnhancedScriptExecutionSpec{}, p.Specs["Rich"])
}

// Every node of the public project's graphs is a name that resolves or is said to be missing, and
// never a wrong file.
func TestResolveNodesOfAPublicProject(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../shared/fixtures/dags/*.json")
	require.NoError(t, err)
	b, _ := scriptTree(t, "scripts/tabular_preprocessing.py", "scripts/xgboost_training.py", "scripts/xgboost_model_evaluation.py",
		"scripts/pytorch_training.py", "scripts/package.py", "scripts/payload.py", "scripts/lightgbmmt_training.py", "more/dummy_training.py")
	want := map[string]string{
		"TabularPreprocessing": "tabular_preprocessing", "XGBoostTraining": "xgboost_training", "XGBoostModelEval": "xgboost_model_evaluation",
		"PyTorchTraining": "pytorch_training", "Package": "package", "Payload": "payload", "LightGBMMTTraining": "lightgbmmt_training", "DummyTraining": "dummy_training",
	}
	for _, file := range files {
		d, err := scriptspec.LoadDAG(file)
		require.NoError(t, err)
		for _, node := range d.Nodes {
			step, err := scriptspec.ParseStepName(node)
			require.NoError(t, err)
			r, err := b.Resolve(node)
			if name, ok := want[step.Base]; ok {
				require.NoError(t, err, node)
				assert.Equal(t, name, r.ScriptName, node)
				continue
			}
			require.ErrorIs(t, err, fs.ErrNotExist, node)
		}
	}
}

func BenchmarkResolve(b *testing.B) {
	dir := b.TempDir()
	for i := range 1000 {
		must(b, os.WriteFile(filepath.Join(dir, fmt.Sprintf("step%d.py", i)), nil, 0o600))
	}
	builder := &scriptspec.SpecBuilder{ScriptDirs: []string{dir}}
	i := 0
	for b.Loop() {
		_, err := builder.Resolve(fmt.Sprintf("Step%d", i%1000))
		must(b, err)
		i++
	}
}
