package scriptspec_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// A program that is listed, and of no spec, would be run in no other way than before.
func TestLintSettings(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	st := openStore(t, dir, nil)
	s := scripted(t, "def main():\n    pass\n")
	require.NoError(t, st.Save(s))
	settings := func(text string) []string {
		write(t, filepath.Join(dir, ".specs", "scriptspec.json"), text)
		r, err := st.Lint(t.Context(), &scriptspec.LintOptions{Select: &scriptspec.Selector{}})
		require.NoError(t, err)
		assert.Contains(t, r.Files, filepath.Join(r.Dir, "scriptspec.json"))
		var found []string
		for _, f := range r.Findings {
			if filepath.Base(f.File) == "scriptspec.json" {
				found = append(found, f.Path+": "+f.Message+" ("+f.Hint+")")
				assert.Positive(t, f.Column)
			}
		}
		return found
	}
	name := s.ScriptName
	assert.Empty(t, settings(`{"command_line": ["`+name+`"]}`))
	found := settings(`{"command_line": ["` + name + `", "` + name + `x", "nope"]}`)
	require.Len(t, found, 2)
	assert.Equal(t, "command_line[1]: no spec is of the script "+name+"x (did you mean "+name+"?)", found[0])
	assert.Equal(t, "command_line[2]: no spec is of the script nope (there is "+name+")", found[1])
	assert.Len(t, settings(`{"command_lin": []}`), 1)

	write(t, filepath.Join(dir, ".specs", "p_pipeline_testing_spec.json"), `{"name": "p", "dag": {"nodes": ["A"]}, "specs": {"A": {"script_name": "own", "step_name": "A"}}}`)
	assert.Len(t, settings(`{"command_line": ["own", "nope"]}`), 1, "a pipeline has a spec of its own")
	write(t, filepath.Join(dir, ".specs", "p_pipeline_testing_spec.json"), `{"name": "p", `)
	assert.Empty(t, settings(`{"command_line": ["nope"]}`), "which it may have")
}
