package scriptspec_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// A test in any package runs the store that the command has made.
func TestStoreOfTheProject(t *testing.T) {
	python(t)
	project := t.TempDir()
	write(t, filepath.Join(project, "scripts", "half.py"), writesOutput+"def main(input_paths, output_paths):\n    done(output_paths)\n    input_paths['rows']\n")
	testData := filepath.Join(project, "testdata")
	made := openStore(t, testData, &scriptspec.StoreOptions{Base: scriptspec.BaseOfProject})
	assert.Equal(t, project, made.Base())
	builder := &scriptspec.SpecBuilder{Store: made, ScriptDirs: []string{filepath.Join(project, "scripts")}}
	p, err := builder.FromDAG(&scriptspec.DAG{Nodes: []string{"Half"}})
	require.NoError(t, err)
	s := p.Specs["Half"].(*scriptspec.ScriptExecutionSpec)
	assert.Equal(t, "scripts/half.py", s.ScriptPath)
	require.NoError(t, made.SaveStep(s))
	p.Name = "halves"
	require.NoError(t, made.SavePipeline(p))
	rows := s.InputPaths["rows"]
	write(t, filepath.Join(project, rows), "1")

	pkg := filepath.Join(project, "pkg")
	require.NoError(t, os.Mkdir(pkg, 0o700))
	t.Chdir(pkg)
	dir, err := scriptspec.FindStore("")
	require.NoError(t, err)
	assert.Equal(t, testData, dir)
	store := openStore(t, dir, &scriptspec.StoreOptions{Base: scriptspec.BaseOfProject})
	scriptspec.RunStore(t, store, nil)
	p, err = store.LoadPipeline("halves")
	require.NoError(t, err)
	scriptspec.RunPipeline(t, nil, p, nil)

	// With another base the message names it, and the one that is meant.
	for base, from := range map[string]string{
		"":                     "(relative to the working directory, " + pkg,
		pkg:                    "(scripts/half.py relative to the base, " + pkg,
		scriptspec.BaseOfStore: "(scripts/half.py relative to the base, " + testData,
	} {
		want := from + "; it is in " + project + ": open the store with StoreOptions{Base: scriptspec.BaseOfProject})"
		store := openStore(t, dir, &scriptspec.StoreOptions{Base: base})
		lines := recorded(t, store, nil)
		assert.Contains(t, strings.Join(lines, "\n"), want, base)
		r, err := (&scriptspec.RuntimeTester{}).TestStore(t.Context(), store, nil)
		require.NoError(t, err)
		assert.Contains(t, r.Specs[0].Result.ErrorMessage, want, base)
		for _, err := range store.ValidateAll(t.Context(), nil) {
			assert.ErrorContains(t, err, want, base)
		}
		p, err := store.LoadPipeline("halves")
		require.NoError(t, err)
		_, err = (&scriptspec.RuntimeTester{}).TestPipeline(t.Context(), p, nil)
		assert.ErrorContains(t, err, strings.ReplaceAll(want, "scripts/half.py", rows), base)
		full := p.Specs["Half"].Basic()
		full.AddInputPath("rows", filepath.Join(project, rows))
		p.Specs["Half"] = full
		piped, err := (&scriptspec.RuntimeTester{}).TestPipeline(t.Context(), p, &scriptspec.PipelineOptions{WorkDir: t.TempDir()})
		require.NoError(t, err)
		assert.Contains(t, piped.Nodes[0].Result.ErrorMessage, want, base)
	}
	s.ScriptPath = "scripts/gone.py"
	require.NoError(t, made.SaveStep(s))
	lines := strings.Join(recorded(t, store, nil), "\n")
	assert.Contains(t, lines, "(scripts/gone.py relative to the base, "+project+")", "it is nowhere")
}
