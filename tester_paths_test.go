package scriptspec_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// copies is a program: all that it knows of paths are its flags.
const copies = `
import argparse
p = argparse.ArgumentParser()
for flag in ("--source", "--target", "--column"):
    p.add_argument(flag, default="")
a = p.parse_args()
text = open(a.source).read() if a.source else "nothing"
with open(a.target, "w") as f:
    f.write(text + " " + a.column)
`

// storedProgram is a store in the directory of a project with the spec of a program, whose flags are paths of the spec.
func storedProgram(t *testing.T) (*scriptspec.Store, *scriptspec.ScriptExecutionSpec, *scriptspec.RuntimeTester) {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "copies.py"), copies)
	write(t, filepath.Join(dir, "data", "raw.csv"), "raw")
	write(t, filepath.Join(dir, "small", "raw.csv"), "small")
	s := scriptspec.New("copies", "Copies", "copies.py")
	s.AddInputPath("source", "data")
	s.AddOutputPath("target", "data/out")
	s.AddJobArg("source", "data/raw.csv")
	s.AddJobArg("target", "./data/out/copy.csv")
	s.AddJobArg("column", "data") // the path of an input, but not by its name
	return openStore(t, filepath.Join(dir, "testdata"), &scriptspec.StoreOptions{Base: dir}), s,
		&scriptspec.RuntimeTester{Python: python(t), CommandLine: []string{"copies", "again"}}
}

func fileText(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(text)
}

// In a store, an output is in a directory of the run's own, and an example may have another input.
func TestProgramsGetThePathsOfARun(t *testing.T) {
	t.Parallel()
	st, s, tester := storedProgram(t)
	s.Examples = []scriptspec.Example{{Name: "small", InputPaths: map[string]string{"source": "small"}}}
	require.NoError(t, st.Save(s))
	tester.History = st.History()
	for range 2 {
		dir := t.TempDir()
		r, err := tester.TestStore(t.Context(), st, &scriptspec.SuiteOptions{OutputDir: dir})
		require.NoError(t, err)
		require.True(t, r.Success, r)
		for name, want := range map[string]string{"copies": "raw data", "copies/small": "small data"} {
			found, err := filepath.Glob(filepath.Join(dir, "*", "target", "copy.csv"))
			require.NoError(t, err)
			require.Len(t, found, 2)
			assert.Contains(t, []string{fileText(t, found[0]), fileText(t, found[1])}, want, name)
		}
	}
	digests := map[string]bool{}
	for r, err := range tester.History.Records(nil) {
		require.NoError(t, err)
		digests[r.Example+r.SpecDigest] = true
	}
	assert.Len(t, digests, 2, "the spec of a run is the same wherever its outputs are")
	loaded, err := st.Load("copies")
	require.NoError(t, err)
	assert.True(t, s.Equal(loaded.Basic()), "and the file is as it was")
}

func TestProgramsGetThePathsOfAPipeline(t *testing.T) {
	t.Parallel()
	st, s, tester := storedProgram(t)
	write(t, filepath.Join(st.Base(), "again.py"), copies)
	again := scriptspec.New("again", "Again", "again.py")
	again.AddInputPath("source", "somewhere")
	again.AddOutputPath("target", "elsewhere")
	again.AddJobArg("source", "somewhere/copy.csv")
	again.AddJobArg("target", "elsewhere/copy.csv")
	again.AddJobArg("column", "again")
	p := &scriptspec.PipelineTestingSpec{
		Name: "p", DAG: &scriptspec.DAG{Nodes: []string{"Copies", "Again"}, Edges: [][2]string{{"Copies", "Again"}}},
		Specs: map[string]scriptspec.Spec{"Copies": s, "Again": again},
		Wires: []scriptspec.Wire{{Source: "Copies", Output: "target", Dest: "Again", Input: "source"}},
	}
	tester.Base = st.Base()
	work := t.TempDir()
	r, err := tester.TestPipeline(t.Context(), p, &scriptspec.PipelineOptions{WorkDir: work})
	require.NoError(t, err)
	require.True(t, r.Success, statuses(r))
	assert.Equal(t, "raw data again", fileText(t, filepath.Join(work, "Again", "target", "copy.csv")))

	again.Optional, s.Optional = []string{"source"}, []string{"target"}
	write(t, filepath.Join(st.Base(), "copies.py"), "import argparse\nargparse.ArgumentParser().parse_known_args()\n")
	r, err = tester.TestPipeline(t.Context(), p, &scriptspec.PipelineOptions{WorkDir: work})
	require.NoError(t, err)
	require.True(t, r.Success, statuses(r))
	assert.Equal(t, "nothing again", fileText(t, filepath.Join(work, "Again", "target", "copy.csv")), "there is no flag for data that there is not")
}

// A single run has the paths of its spec, which are absolute where it runs elsewhere.
func TestProgramsGetThePathsOfASpec(t *testing.T) {
	t.Parallel()
	st, s, tester := storedProgram(t)
	tester.Base, tester.Dir = st.Base(), t.TempDir()
	require.True(t, runWith(t, tester, s).Success)
	assert.Equal(t, "raw data", fileText(t, filepath.Join(st.Base(), "data", "out", "copy.csv")))
}
