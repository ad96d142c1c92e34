package scriptspec_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// Runs that share a work directory have a node each, at the same time, and what they leave is a run of all.
func TestPipelineShared(t *testing.T) {
	t.Parallel()
	f, g := newFactory(t), newGate(t)
	f.node("Load", joins, []string{"raw"}, []string{"rows"})
	for _, side := range []string{"Left", "Right"} {
		f.waiting(g, side, []string{"rows"}, []string{scriptspec.ToSnakeCase(side)})
	}
	f.node("Join", joins, []string{"left", "right"}, []string{"both"})
	f.edge("Load", "Left", "Right")
	f.edge("Left", "Join")
	f.edge("Right", "Join")
	only := func(node string) *scriptspec.PipelineOptions {
		return &scriptspec.PipelineOptions{WorkDir: f.work(), Only: []string{node}, Shared: true}
	}
	locked := func(o *scriptspec.PipelineOptions) {
		_, err := f.tester.TestPipeline(t.Context(), f.p, o)
		require.ErrorIs(t, err, scriptspec.ErrLocked)
	}
	require.True(t, f.run(only("Load")).Success)

	var ended []<-chan outcome
	for _, side := range []string{"Left", "Right"} {
		ended = append(ended, f.start(t.Context(), only(side)))
	}
	assert.ElementsMatch(t, []string{"Left", "Right"}, []string{g.await(), g.await()}, "both at once")
	locked(only("Left"))
	locked(only("Load"))
	locked(&scriptspec.PipelineOptions{WorkDir: f.work()})
	for _, side := range []string{"Left", "Right"} {
		g.tell(side, "go on")
	}
	for _, done := range ended {
		end := <-done
		require.NoError(t, end.err)
		require.True(t, end.result.Success, "%v", end.result)
	}
	r := f.run(only("Join"))
	assert.Equal(t, map[string]string{
		"Load": "skipped: not part of this run", "Left": "reused: passed in an earlier run", "Right": "reused: passed in an earlier run", "Join": "passed",
	}, statuses(r))
	assert.True(t, f.run(&scriptspec.PipelineOptions{From: []string{"Join"}}).Success, "on what they have made")

	f.p.Specs["Left"].(*scriptspec.ScriptExecutionSpec).AddJobArg("other", 1)
	refused := f.refused(only("Join"))
	assert.Contains(t, refused[0].message, "node Left is not part of this run and passed with another spec")
	for field, o := range map[string]*scriptspec.PipelineOptions{
		"options.shared":   {WorkDir: f.work(), Shared: true},
		"options.work_dir": {Only: []string{"Load"}, Shared: true},
	} {
		_, err := f.tester.TestPipeline(t.Context(), f.p, o)
		assert.Equal(t, field, problems(t, err)[0].path)
	}
	onSlurm := &scriptspec.RuntimeTester{Engine: &scriptspec.Slurm{}}
	_, err := onSlurm.TestPipeline(t.Context(), f.p, only("Load"))
	assert.Equal(t, "options.shared", problems(t, err)[0].path)
}
