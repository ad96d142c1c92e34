package scriptspec_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"

	"github.com/scriptspec/scriptspec"
)

// TestPipelineCases runs the archives of testdata/pipelines. The text before the first file says what a case
// shows. Its files are written to a directory of the test's own, where ROOT in a text becomes the directory:
//
//	pipeline.json  a pipeline file named p, with its specs
//	scripts/...    its scripts
//	...            whatever else they read
//	want           a line for each node, "status Node: reason", and success or failure; -update writes it
//	want/...       files of the work directory, as <node>/<logical name>/<file>
//
// To add a case, add an archive.
func TestPipelineCases(t *testing.T) {
	t.Parallel()
	python(t)
	archives, err := filepath.Glob("testdata/pipelines/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, archives)
	for _, path := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(path)
			require.NoError(t, err)
			root := t.TempDir()
			for _, f := range archive.Files {
				name := f.Name
				if name == "want" || strings.HasPrefix(name, "want/") {
					continue
				}
				if name == "pipeline.json" {
					name = ".specs/p_pipeline_testing_spec.json"
				}
				write(t, filepath.Join(root, filepath.FromSlash(name)), strings.ReplaceAll(string(f.Data), "ROOT", filepath.ToSlash(root)))
			}
			require.True(t, slices.ContainsFunc(archive.Files, func(f txtar.File) bool { return f.Name == "want" }), "a case without what is wanted")
			got := pipelineCase(t, root)
			for i, f := range archive.Files {
				switch name, isOutput := strings.CutPrefix(f.Name, "want/"); {
				case isOutput:
					data, err := os.ReadFile(filepath.Join(root, "work", filepath.FromSlash(name)))
					require.NoError(t, err)
					assert.Equal(t, string(f.Data), string(data)+"\n", name) // a file of an archive ends in one
				case f.Name == "want" && *update:
					archive.Files[i].Data = []byte(got)
					require.NoError(t, os.WriteFile(path, txtar.Format(archive), 0o644))
				case f.Name == "want":
					assert.Equal(t, string(f.Data), got)
				}
			}
		})
	}
}

// pipelineCase runs the pipeline of a directory and returns what came of it.
func pipelineCase(t *testing.T, root string) string {
	t.Helper()
	p, err := openStore(t, root, nil).LoadPipeline("p")
	require.NoError(t, err)
	o := p.Options
	o.WorkDir = filepath.Join(root, "work")
	result, err := (&scriptspec.RuntimeTester{}).TestPipeline(t.Context(), p, &o)
	var b strings.Builder
	if err != nil {
		fmt.Fprintf(&b, "error: %v\n", err)
		return strings.ReplaceAll(b.String(), root, "ROOT")
	}
	for _, n := range result.Nodes {
		fmt.Fprintln(&b, strings.TrimSuffix(fmt.Sprintf("%s %s: %s", n.Status, n.Node, n.Reason), ": "))
	}
	for _, e := range result.Edges {
		for _, tr := range e.Transfers {
			for _, problem := range tr.Problems {
				fmt.Fprintf(&b, "data %s.%s -> %s.%s: %s\n", e.Source, tr.Output, e.Dest, tr.Input, problem)
			}
		}
	}
	fmt.Fprintln(&b, map[bool]string{true: "success", false: "failure"}[result.Success])
	return strings.ReplaceAll(b.String(), root, "ROOT")
}
