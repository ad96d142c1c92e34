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

// Variables and a base are the tester's in a pipeline too.
func TestPipelinePathVars(t *testing.T) {
	t.Parallel()
	f := loadAndTrain(t)
	for _, s := range f.p.Specs {
		s := s.(*scriptspec.ScriptExecutionSpec)
		s.ScriptPath = "${HERE}/" + filepath.Base(s.ScriptPath)
	}
	load := f.p.Specs["Load"].(*scriptspec.ScriptExecutionSpec)
	load.AddInputPath("raw", "raw.txt")
	load.AddOutputPath("data", "s3://bucket/data") // which a pipeline does not use
	require.NoError(t, f.p.Validate())
	f.tester.PathVars = map[string]string{"HERE": f.dir}
	f.tester.Base = f.dir
	assert.True(t, f.run(nil).Success)

	f.tester.PathVars = map[string]string{"HER": f.dir}
	_, err := f.tester.TestPipeline(t.Context(), f.p, nil)
	assert.Equal(t, []string{
		`specs["Load"].script_path: the path has ${HERE}, which has no value: ${HERE}/load.py (did you mean ${HER}?)`,
		`specs["Train"].script_path: the path has ${HERE}, which has no value: ${HERE}/train.py (did you mean ${HER}?)`,
	}, strings.Split(strings.ReplaceAll(err.Error(), "\n  ", "\n"), "\n")[1:])
}

// A pipeline of a store with a base knows where its paths count from.
func TestPipelineOfAStoreWithABase(t *testing.T) {
	t.Parallel()
	f := loadAndTrain(t)
	st := openStore(t, filepath.Join(f.dir, "testdata"), &scriptspec.StoreOptions{Base: scriptspec.BaseOfStore})
	b := &scriptspec.SpecBuilder{Store: st, ScriptDirs: []string{f.dir}}
	p, err := b.FromDAG(&scriptspec.DAG{Nodes: []string{"Load"}})
	require.NoError(t, err)
	load := p.Specs["Load"].(*scriptspec.ScriptExecutionSpec)
	assert.Equal(t, "../load.py", load.ScriptPath)
	load.AddInputPath("raw", "../raw.txt")
	load.AddOutputPath("data", "out/data")
	work := filepath.Join(f.dir, "work")
	r, err := f.tester.TestPipeline(t.Context(), p, &scriptspec.PipelineOptions{WorkDir: work})
	require.NoError(t, err)
	assert.True(t, r.Success, statuses(r))
	p.Name = "load_only"
	require.NoError(t, st.SavePipeline(p))
	p, err = st.LoadPipeline("load_only")
	require.NoError(t, err)
	r, err = f.tester.TestPipeline(t.Context(), p, &scriptspec.PipelineOptions{WorkDir: work})
	require.NoError(t, err)
	assert.True(t, r.Success, statuses(r))

	// A single spec does not; the message says what would help.
	result := run(t, load)
	assert.Contains(t, result.ErrorMessage, "Script file does not exist: ../load.py (relative to the working directory, ")
	assert.NoDirExists(t, "out", "nothing is made for a script that is not there")
	load.ScriptPath = "../laod.py"
	result = runWith(t, &scriptspec.RuntimeTester{Base: st.Base()}, load)
	assert.Contains(t, result.ErrorMessage, "(../laod.py relative to the base, "+st.Base()+")")
	assert.ErrorContains(t, load.ValidateSpec(&scriptspec.ValidateOptions{Base: st.Base()}), "(../laod.py relative to the base, ")
}

func TestBasesThatAreNone(t *testing.T) {
	t.Parallel()
	for base, want := range map[string]string{
		scriptspec.BaseOfStore: "Base: BaseOfStore is for StoreOptions.Base (use the Base method of the store)",
		"s3://bucket":          "Base: a URL is not a local path: s3://bucket",
		"~/data":               "Base: ~ is not expanded in paths: ~/data",
	} {
		_, err := (&scriptspec.RuntimeTester{Base: base}).TestScript(t.Context(), noted())
		assert.ErrorContains(t, err, want)
	}
}

// A directory may have a name that looks like a variable.
func TestDollarInADirectory(t *testing.T) {
	t.Parallel()
	s := scripted(t, writesOutput+"def main(output_paths):\n    done(output_paths)\n")
	dir := filepath.Join(t.TempDir(), "we$ird")
	write(t, filepath.Join(dir, "script.py"), writesOutput+"def main(output_paths):\n    done(output_paths)\n")
	s.ScriptName, s.ScriptPath = "script", "script.py"
	s.AddOutputPath("data_output", "out")
	result := runWith(t, &scriptspec.RuntimeTester{Base: dir}, s)
	assert.True(t, result.Success, result.Details())
	found, err := scriptspec.Inspect(t.Context(), filepath.Join(dir, "script.py"))
	require.NoError(t, err)
	assert.Empty(t, found[0].Error)
	s.AddOutputPath("data_output", filepath.Join(filepath.Dir(dir), "$OTHER", "out"))
	assert.ErrorContains(t, s.ValidateSpec(nil), "variables are not expanded in paths")
	s.AddOutputPath("data_output", "$DATA/x")
	assert.ErrorContains(t, s.ValidateSpec(&scriptspec.ValidateOptions{PathVars: map[string]string{"DATA": dir}}), "write ${DATA}")

	home := filepath.Join(t.TempDir(), "x")
	s.OutputPaths = map[string]string{"a": "~/" + filepath.Base(home), "b": "s3://b/c", "c": "$HOME_OF_NOBODY/x"}
	assert.Empty(t, s.AutoFixCommonIssues())
	for _, name := range []string{"~", "s3:", "$HOME_OF_NOBODY"} {
		_, err := os.Lstat(name)
		assert.ErrorIs(t, err, os.ErrNotExist)
	}
}

// What is optional on both sides may be missing on the way.
func TestOptionalAlongAnEdge(t *testing.T) {
	t.Parallel()
	f := newFactory(t)
	load := f.node("Load", "def main(output_paths):\n    open(output_paths['data'] + '/data.txt', 'w').write('x')\n", nil, []string{"data", "metrics"})
	next := f.node("Next", "def main(input_paths, output_paths):\n    print(sorted(input_paths))\n    open(output_paths['more'] + '/x', 'w').write('x')\n", []string{"data", "metrics"}, []string{"more"})
	f.edge("Load", "Next")
	load.Optional, next.Optional = []string{"metrics"}, []string{"metrics"}
	r := f.run(nil)
	assert.True(t, r.Success, "%v %v", statuses(r), r.Edges)
	assert.Equal(t, "['data']\n", r.Nodes[1].Result.Stdout.Text)

	next.Optional = nil
	r = f.run(nil)
	assert.False(t, r.Success)
	assert.Equal(t, []string{"there is no file with content"}, r.Edges[0].Transfers[1].Problems)
}

// A pair of one stem is suggested whatever else flows along the edge, with the wire that makes it count.
func TestStemBesideOtherPairs(t *testing.T) {
	t.Parallel()
	f := newFactory(t)
	f.node("A", joins, nil, []string{"data", "model_output"})
	f.node("B", joins, []string{"data", "model_input"}, []string{"more"})
	f.edge("A", "B")
	plan, err := f.p.Plan(nil)
	require.NoError(t, err)
	assert.Equal(t, []scriptspec.Wire{{Source: "A", Output: "model_output", Dest: "B", Input: "model_input"}}, plan.Suggested)
	f.p.Wires = plan.Suggested
	plan, err = f.p.Plan(nil)
	require.NoError(t, err)
	assert.Empty(t, plan.Suggested)
	assert.Len(t, plan.Nodes[1].Inputs, 2)

	f.p.Wires = []scriptspec.Wire{
		{Source: "AA", Output: "x", Dest: "B", Input: "data"}, {Source: "A", Output: "model_outpt", Dest: "B", Input: "data"},
		{Source: "A", Output: "data", Dest: "B", Input: "zzz"},
	}
	err = f.p.Validate()
	for _, part := range []string{"there is no node AA (there are A and B)", "A has no such output (did you mean model_output?)", "B has no such input (there are data and model_input)"} {
		assert.ErrorContains(t, err, part)
	}
}

// A file that was copied by hand to a step's long name is refused as one with a short name is.
func TestCopiedLongStepFile(t *testing.T) {
	t.Parallel()
	st := openStore(t, t.TempDir(), nil)
	for _, step := range []string{"ChampionEval_validation", "ChallengerEval_validation"} {
		require.NoError(t, st.SaveStep(scriptspec.New("model_eval", step, "x.py")))
	}
	text, err := os.ReadFile(st.StepPath("ChallengerEval_validation", "model_eval"))
	require.NoError(t, err)
	write(t, strings.Replace(st.StepPath("ChallengerEval_validation", "model_eval"), "challenger_eval", "third_eval", 1), string(text))
	_, err = st.LoadStep("ThirdEval_validation", "model_eval")
	require.ErrorIs(t, err, scriptspec.ErrMismatch)
	assert.ErrorContains(t, err, "holds the spec of step ChallengerEval_validation, not of ThirdEval_validation")
}
