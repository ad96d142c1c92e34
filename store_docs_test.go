package scriptspec_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// Pages stay in their directory, one for each spec, and are not written again when nothing has changed.
func TestWriteDocs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	st := openStore(t, dir, nil)
	for name, text := range map[string]string{
		"prep":   `{"script_name": "prep", "step_name": "Prep", "environ_vars": {"KEY": "` + sentinel + `"}, "job_args": {"a": 1.0, "api_key": "` + sentinel + `"}, "depends_on": {"files": ["a` + "``" + `b"]}}`,
		"other":  `{"script_name": "other", "step_name": "Prep"}`,
		"lower":  `{"script_name": "lower", "step_name": "PREP"}`,
		"escape": `{"script_name": "escape", "step_name": "../../Escaped", "description": "Title\n=====\n\u001b[31mred\n::error::x"}`,
	} {
		write(t, st.Path(name), text)
	}
	pages := filepath.Join(dir, "deep", "pages")
	written, err := st.WriteDocs(t.Context(), pages, nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"escape.md", "PREP-lower.md", "Prep-other.md", "Prep-prep.md"}, relativeTo(pages, written))
	text, err := os.ReadFile(filepath.Join(pages, "Prep-prep.md"))
	require.NoError(t, err)
	assert.Equal(t, "# Prep\n\nScript: `  `\n\n## Environment variables\n\n- `KEY`\n\n## Job arguments\n\n- `a`: `1.0`\n- `api_key`: `\"[redacted]\"`\n\n## Depends on\n\n- ```a``b```\n\n", string(text))
	text, err = os.ReadFile(filepath.Join(pages, "escape.md"))
	require.NoError(t, err)
	assert.NotContains(t, string(text), "\x1b")
	assert.NotContains(t, string(text), "\n::")
	assert.NotContains(t, string(text), "\n==")

	sel, err := scriptspec.ParseSelector("other")
	require.NoError(t, err)
	written, err = st.WriteDocs(t.Context(), pages, nil)
	require.NoError(t, err)
	assert.Empty(t, written)
	written, err = st.WriteDocs(t.Context(), pages, sel)
	require.NoError(t, err)
	assert.Equal(t, []string{"Prep.md"}, relativeTo(pages, written))
	write(t, st.Path("broken"), "{")
	_, err = st.WriteDocs(t.Context(), pages, nil)
	require.Error(t, err)
	require.Error(t, scriptspec.WriteSpecMarkdown(&bytes.Buffer{}, nil))
}

func relativeTo(dir string, files []string) []string {
	names := make([]string, len(files))
	for i, file := range files {
		names[i], _ = filepath.Rel(dir, file)
	}
	return names
}

func TestLoadRevision(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	st := openStore(t, dir, nil)
	s := scriptspec.New("prep", "Prep_training", "prep.py")
	require.NoError(t, st.SaveStep(s))
	_, err := st.LoadRevision(t.Context(), "HEAD", "prep.training")
	require.ErrorContains(t, err, "git has no HEAD:./prep.training_runtime_test_spec.json: ")
	commit(t, dir)
	s.ScriptPath = "later.py"
	require.NoError(t, st.SaveStep(s))
	old, err := st.LoadRevision(t.Context(), "HEAD", "prep.training")
	require.NoError(t, err)
	assert.Equal(t, "prep.py", old.Basic().ScriptPath)
	for _, test := range [][2]string{{"HEAD~9", "prep.training"}, {"--batch", "prep.training"}, {"HEAD", "none"}} {
		_, err := st.LoadRevision(t.Context(), test[0], test[1])
		require.ErrorContains(t, err, "git has no "+test[0])
	}
	var fe *scriptspec.FieldError
	_, err = st.LoadRevision(t.Context(), "HEAD", "../prep")
	require.ErrorAs(t, err, &fe)
}
