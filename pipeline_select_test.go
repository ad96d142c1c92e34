package scriptspec_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

func (f *factory) refused(o *scriptspec.PipelineOptions) []problem {
	f.t.Helper()
	o.WorkDir = f.work()
	r, err := f.tester.TestPipeline(f.t.Context(), f.p, o)
	assert.Nil(f.t, r)
	require.ErrorIs(f.t, err, fs.ErrNotExist)
	return problems(f.t, err)
}

func TestPipelineParts(t *testing.T) {
	t.Parallel()
	f := diamond(t)
	f.node("Eval", joins, []string{"model"}, []string{"report"})
	f.edge("Train", "Eval")
	require.True(t, f.run(nil).Success)
	const reused, outside = "reused: passed in an earlier run", "skipped: not part of this run"
	const declared = "skipped: its data is there"
	for name, test := range map[string]struct {
		o    scriptspec.PipelineOptions
		want map[string]string
	}{
		"from": {scriptspec.PipelineOptions{From: []string{"Train"}}, map[string]string{
			"Load": declared, "Prep_training": reused, "Prep_validation": reused, "Train": "passed", "Eval": "passed",
		}},
		"from two": {scriptspec.PipelineOptions{From: []string{"Eval", "Prep_training"}}, map[string]string{
			"Load": declared, "Prep_training": "passed", "Prep_validation": reused, "Train": "passed", "Eval": "passed",
		}},
		"to": {scriptspec.PipelineOptions{To: []string{"Prep_validation"}}, map[string]string{
			"Load": declared, "Prep_training": outside, "Prep_validation": "passed", "Train": outside, "Eval": outside,
		}},
		"from and to": {scriptspec.PipelineOptions{From: []string{"Prep_training"}, To: []string{"Train"}}, map[string]string{
			"Load": declared, "Prep_training": "passed", "Prep_validation": reused, "Train": "passed", "Eval": outside,
		}},
		"only": {scriptspec.PipelineOptions{Only: []string{"Prep_training", "Eval"}}, map[string]string{
			"Load": declared, "Prep_training": "passed", "Prep_validation": outside, "Train": reused, "Eval": "passed",
		}},
		"only a skipped one": {scriptspec.PipelineOptions{Only: []string{"Load"}}, map[string]string{
			"Load": declared, "Prep_training": outside, "Prep_validation": outside, "Train": outside, "Eval": outside,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			f := *f
			f.t = t
			require.True(t, f.run(nil).Success)
			r := f.run(&test.o)
			assert.True(t, r.Success)
			assert.Equal(t, test.want, statuses(r))
		})
	}
}

func TestPipelinePartsRefused(t *testing.T) {
	t.Parallel()
	f := diamond(t)
	f.node("Eval", joins, []string{"model"}, []string{"report"})
	f.edge("Train", "Eval")
	onlyEval := func() *scriptspec.PipelineOptions { return &scriptspec.PipelineOptions{Only: []string{"Eval"}} }

	assert.Equal(t, []problem{{`nodes["Train"]`, scriptspec.CodeNoResult, "node Train is not part of this run and has no result of an earlier run in " + f.work()}}, f.refused(onlyEval()))
	_, err := os.Stat(f.work())
	require.ErrorIs(t, err, fs.ErrNotExist, "nothing was made")
	_, err = f.tester.TestPipeline(t.Context(), f.p, onlyEval())
	assert.Equal(t, []problem{{"options.work_dir", scriptspec.CodeRequired, "a part of a pipeline needs the work directory of an earlier run"}}, problems(t, err))

	require.True(t, f.run(&scriptspec.PipelineOptions{To: []string{"Train"}}).Success)
	require.True(t, f.run(onlyEval()).Success, "what is there now")

	// Run again, the node before it has made other data than Train was made of.
	require.True(t, f.run(&scriptspec.PipelineOptions{Only: []string{"Prep_training"}}).Success)
	assert.Equal(t, "node Train is not part of this run and was not run since Prep_training was, on which it depends", f.refused(onlyEval())[0].message)
	require.True(t, f.run(&scriptspec.PipelineOptions{Only: []string{"Train"}}).Success)
	require.True(t, f.run(onlyEval()).Success)

	// While a node runs, what its last run left is not taken for anything, even if nobody lives to say so.
	record := filepath.Join(f.work(), ".scriptspec", "Train.json")
	require.FileExists(t, record)
	f.run(&scriptspec.PipelineOptions{Only: []string{"Train"}, Progress: func(e scriptspec.PipelineEvent) {
		if e.Result == nil {
			assert.NoFileExists(t, record)
		}
	}})

	// Another spec, or value of a variable; not one that differs in times only.
	train := f.p.Specs["Train"].(*scriptspec.ScriptExecutionSpec)
	train.AddEnvironVar("TOKEN", "1")
	require.True(t, f.run(&scriptspec.PipelineOptions{From: []string{"Train"}}).Success)
	train.AddEnvironVar("TOKEN", "1")
	require.True(t, f.run(onlyEval()).Success)
	train.AddEnvironVar("TOKEN", "2")
	assert.Equal(t, "node Train is not part of this run and passed with another value of the environment variable TOKEN", f.refused(onlyEval())[0].message)
	train.AddJobArg("epochs", 3)
	assert.Equal(t, "node Train is not part of this run and passed with another spec or other wires, its own or those of a node before it", f.refused(onlyEval())[0].message)

	// Data that is no longer there.
	require.True(t, f.run(nil).Success)
	require.NoError(t, os.RemoveAll(filepath.Join(f.work(), "Train", "model")))
	assert.Equal(t, "node Train is not part of this run and its output model is no longer there: "+filepath.Join(f.work(), "Train", "model"), f.refused(onlyEval())[0].message)

	// A node that did not pass, and one that was not run because of that.
	validation := f.p.Specs["Prep_validation"].(*scriptspec.ScriptExecutionSpec)
	validation.ScriptPath = filepath.Join(t.TempDir(), "prep.py") // the other node's stays
	write(t, validation.ScriptPath, alwaysFails)
	assert.False(t, f.run(&scriptspec.PipelineOptions{From: []string{"Prep_validation"}}).Success)
	assert.Equal(t, []problem{
		{`nodes["Prep_validation"]`, scriptspec.CodeNoResult, "node Prep_validation is not part of this run and did not pass in the last run: failed"},
	}, f.refused(&scriptspec.PipelineOptions{From: []string{"Train"}}))
	assert.Equal(t, "node Train is not part of this run and did not pass in the last run: blocked", f.refused(onlyEval())[0].message)

	// A record that is damaged is none.
	write(t, filepath.Join(f.work(), ".scriptspec", "Train.json"), "{")
	assert.Contains(t, f.refused(onlyEval())[0].message, "has no result")
}

// What a skipped node hands on is not made of what is before it, and needs no earlier run.
func TestPipelinePartsBehindASkippedNode(t *testing.T) {
	t.Parallel()
	f := newFactory(t)
	f.node("A", joins, []string{"raw"}, []string{"a"})
	middle := f.node("B", alwaysFails, []string{"a"}, []string{"b"})
	f.p.Skip["B"] = "takes too long"
	write(t, filepath.Join(middle.OutputPaths["b"], "b.txt"), "from before")
	f.node("C", joins, []string{"b"}, []string{"c"})
	f.node("D", joins, []string{"c"}, []string{"d"})
	f.edge("A", "B")
	f.edge("B", "C")
	f.edge("C", "D")
	require.True(t, f.run(&scriptspec.PipelineOptions{From: []string{"C"}}).Success)
	assert.Equal(t, "D(C(from before))", f.output("D", "d"))
	require.True(t, f.run(&scriptspec.PipelineOptions{Only: []string{"A"}}).Success)
	require.True(t, f.run(&scriptspec.PipelineOptions{Only: []string{"D"}}).Success)

	// A failure before it does not block what is behind it.
	write(t, f.p.Specs["A"].Basic().ScriptPath, alwaysFails)
	r := f.run(nil)
	assert.Equal(t, map[string]string{"A": "failed: ValueError: no rows", "B": "skipped: takes too long", "C": "passed", "D": "passed"}, statuses(r))
}
