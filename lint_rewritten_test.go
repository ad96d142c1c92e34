package scriptspec_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// A program that knows version 1 alone drops the members of version 2. Git has them, and the fix of lint puts them back.
func TestLintRewritten(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("git"); err != nil && os.Getenv("CI") == "" {
		t.Skip("git is not installed")
	}
	dir := t.TempDir()
	st := openStore(t, filepath.Join(dir, "testdata"), nil)
	write(t, filepath.Join(dir, "train.py"), "def main(output_paths):\n    pass\n")
	spec := func(name, more string) string {
		return "{\n  \"script_name\": \"" + name + "\",\n  \"step_name\": \"Train\",\n  \"script_path\": \"" + filepath.Join(dir, "train.py") + "\"" + more + "\n}\n"
	}
	news := ",\n  \"spec_version\": 2,\n  \"tags\": [ \"nightly\" ],\n  \"x-team\": {\"a\": 1.0}"
	aliases := ",\n  \"output_path_specs\": {\"o\": {\"logical_name\": \"out\", \"path\": \"x\", \"aliases\": [\"result\"]}, \"gone\": {\"logical_name\": \"gone\", \"path\": \"y\", \"aliases\": []}},\n  \"spec_version\": 2"
	committed := map[string]string{"enhanced": spec("enhanced", aliases),
		"rewritten": spec("rewritten", news), "kept": spec("kept", news), "plain": spec("plain", ""), "broken": "{", "without": spec("without", ",\n  \"spec_version\": 2,\n  \"timeout\": 5"),
	}
	for name, text := range committed {
		write(t, st.Path(name), text)
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "-A"}, {"-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false", "commit", "-q", "-m", "all"}} {
		out, err := exec.Command("git", append([]string{"-C", dir}, args...)...).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	now := spec("rewritten", ",\n  \"job_args\": {\"rows\":  3}")
	write(t, st.Path("rewritten"), now)
	write(t, st.Path("broken"), spec("broken", ""))
	write(t, st.Path("without"), spec("without", ",\n  \"spec_version\": 2")) // on purpose: the version stayed
	write(t, st.Path("new"), spec("new", ""))

	write(t, st.Path("enhanced"), spec("enhanced", ",\n  \"output_paths\": {\"o\": \"later\", \"new\": \"n\"}"))

	text := func(o *scriptspec.LintOptions) string {
		r, err := st.Lint(t.Context(), o)
		require.NoError(t, err)
		return linted(t, r, func(r *scriptspec.LintResult, b *bytes.Buffer) error { return r.WriteText(b) })
	}
	const finding = "rewritten_runtime_test_spec.json:1:1: warning: lost spec_version, tags and x-team, which the last commit has: " +
		"it was rewritten by a program that knows only version 1 (a fix restores them; or commit the file without them)"
	assert.Contains(t, text(nil), finding+" [rewritten]\n")
	assert.Contains(t, text(nil), "enhanced_runtime_test_spec.json:1:1: warning: lost output_path_specs and spec_version, which")
	got, err := os.ReadFile(st.Path("rewritten"))
	require.NoError(t, err)
	assert.Equal(t, now, string(got))

	assert.Contains(t, text(&scriptspec.LintOptions{Fix: true}), finding+" (fixed) [rewritten]\n")
	enhanced, err := st.LoadEnhanced("enhanced")
	require.NoError(t, err)
	assert.Equal(t, map[string]scriptspec.PathSpec{
		"o": {LogicalName: "out", Path: "later", Aliases: []string{"result"}}, "new": {LogicalName: "new", Path: "n", Aliases: []string{}},
	}, enhanced.OutputPathSpecs)
	got, err = os.ReadFile(st.Path("rewritten"))
	require.NoError(t, err)
	assert.Equal(t, strings.Replace(now, "\n}\n", news+"\n}\n", 1), string(got))
	assert.Empty(t, text(nil))
	s, err := st.Load("rewritten")
	require.NoError(t, err)
	assert.Equal(t, []string{"nightly"}, s.Tags)
}
