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

// commit makes a repository of a directory, or commits what has changed in it.
func commit(t *testing.T, dir string) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil && os.Getenv("CI") == "" {
		t.Skip("git is not installed")
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "-A"}, {"-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false", "commit", "-q", "-m", "all"}} {
		out, err := exec.Command("git", append([]string{"-C", dir}, args...)...).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
}

func TestSelectChanged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	st := openStore(t, filepath.Join(dir, "testdata"), &scriptspec.StoreOptions{Base: dir})
	for _, name := range []string{"a", "b", "c", "d"} {
		s := scriptspec.New(name, strings.ToUpper(name), "scripts/"+name+".py")
		if name == "c" {
			s.DependsOn.Files = []string{"lib", "[odd] name.json"}
		}
		require.NoError(t, st.Save(s))
		write(t, filepath.Join(dir, "scripts", name+".py"), "def main(): pass\n")
	}
	write(t, filepath.Join(dir, "lib", "deep.py"), "")
	write(t, filepath.Join(dir, ".gitignore"), "ignored.py\n")
	_, err := selected(t, st, "changed")
	require.ErrorContains(t, err, "is not in a git work tree")
	commit(t, dir)

	_, err = selected(t, st, "changed")
	require.EqualError(t, err, "select: no spec has changed since HEAD")
	for _, step := range []struct {
		file, text, want string
	}{
		{"scripts/b.py", "def main(): print()\n", "B"},
		{"lib/deep.py", "x = 1\n", "B C"},
		{"README.md", "of no spec", "B C"},
		{"scripts/ignored.py", "", "B C"},
		{"testdata/.specs/d_runtime_test_spec.json", `{"script_name": "d", "step_name": "D", "script_path": "scripts/d.py", "timeout": 9}`, "B C D"},
		{"testdata/.specs/new_runtime_test_spec.json", `{"script_name": "new", "step_name": "New", "script_path": "scripts/a.py"}`, "B C D New"},
	} {
		write(t, filepath.Join(dir, step.file), step.text)
		got, err := selected(t, st, "changed")
		require.NoError(t, err)
		assert.Equal(t, step.want, strings.Join(got, " "), step.file)
	}
	commit(t, dir)
	write(t, filepath.Join(dir, "[odd] name.json"), "{}")
	require.NoError(t, os.Remove(filepath.Join(dir, "scripts", "a.py")))
	for words, want := range map[string]string{"changed": "A C New", "changed,c": "C", "changed:HEAD~1": "A B C D New"} {
		got, err := selected(t, st, strings.Fields(words)...)
		require.NoError(t, err)
		assert.Equal(t, want, strings.Join(got, " "), words)
	}
	for word, want := range map[string]string{
		"changed:HEAD~9": `select: changed:HEAD~9: git has no revision "HEAD~9"`, "changed:--output=x": `select: changed:--output=x: git has no revision "--output=x"`,
	} {
		_, err := selected(t, st, word)
		require.EqualError(t, err, want)
		var fe *scriptspec.FieldError
		require.ErrorAs(t, err, &fe)
		assert.Equal(t, scriptspec.CodeBadSelector, fe.Code)
	}
	assert.NoFileExists(t, "x")
}

func TestSelectPipelinesAndFiles(t *testing.T) {
	t.Parallel()
	st := shelf(t)
	dir := filepath.Dir(st.Path("x"))
	write(t, filepath.Join(dir, "churn_pipeline_testing_spec.json"), `{"name": "churn", "dag": {"nodes": ["Load", "Train", "Prep_training"]}, "specs": {"Load": "load", "Prep_training": "prep"}}`)
	write(t, filepath.Join(dir, "fraud_pipeline_testing_spec.json"), `{"name": "fraud", "dag": {"nodes": ["Eval"]}, "specs": {"Eval": "eval"}}`)
	train := filepath.Join(dir, "train_runtime_test_spec.json")
	for words, want := range map[string]string{
		"pipeline:churn": "Load Prep_training", "pipeline:*": "Eval Load Prep_training", "pipeline:churn,tag:nightly": "Prep_training", "+pipeline:fraud": "Eval Load Prep_training Prep_validation Train",
		train: "Train", "load " + filepath.Join(dir, ".", "prep.training_runtime_test_spec.json"): "Load Prep_training",
	} {
		got, err := selected(t, st, strings.Fields(words)...)
		require.NoError(t, err, words)
		assert.Equal(t, want, strings.Join(got, " "), words)
	}
	for words, want := range map[string]string{
		"pipeline:chrun":                                   "select: there is no pipeline chrun (did you mean churn?)",
		"x/none_runtime_test_spec.json":                    "select: x/none_runtime_test_spec.json is not in " + dir,
		filepath.Join(dir, "trian_runtime_test_spec.json"): "select: no spec matches ",
	} {
		_, err := selected(t, st, words)
		require.ErrorContains(t, err, want)
	}
	write(t, filepath.Join(dir, "fraud_pipeline_testing_spec.json"), "{")
	_, err := selected(t, st, "pipeline:fraud")
	var de *scriptspec.DecodeError
	require.ErrorAs(t, err, &de)
}
