package scriptspec_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// saveChain saves a pipeline in which each step waits for the one before.
func saveChain(t testing.TB, st *scriptspec.Store, name string, steps ...string) {
	t.Helper()
	p := &scriptspec.PipelineTestingSpec{Name: name, DAG: &scriptspec.DAG{Nodes: steps}, Specs: map[string]scriptspec.Spec{}}
	for step, s := range saveSteps(t, st, steps...) {
		p.Specs[step] = s
	}
	for i := range len(steps) - 1 {
		p.DAG.Edges = append(p.DAG.Edges, [2]string{steps[i], steps[i+1]})
		p.Wires = append(p.Wires, scriptspec.Wire{Source: steps[i], Output: "data", Dest: steps[i+1], Input: "data"})
	}
	require.NoError(t, st.SavePipeline(p))
}

// Earlier attempts of a node are part of its time, and so of the critical path: nothing waits while they run.
func TestStatsOfRetriedPipelines(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	st := openStore(t, dir, nil)
	saveChain(t, st, "churn", "Prep", "Train")
	var all []scriptspec.Record
	for i := range 10 {
		record := func(step string, attempt int, outcome scriptspec.Outcome, end time.Duration) {
			r := aRecord(step, 24*60*i)
			r.Pipeline, r.Attempt, r.Outcome, r.Duration = "churn", attempt, outcome, 2*time.Second
			r.At.Time = r.At.Add(end)
			all = append(all, r)
		}
		record("Prep", 1, scriptspec.OutcomePassed, 2*time.Second)
		record("Train", 1, scriptspec.OutcomeTimeout, 4*time.Second)
		record("Train", 2, scriptspec.OutcomeTimeout, 6*time.Second)
		record("Train", 3, scriptspec.OutcomePassed, 8*time.Second)
	}
	writeHistory(t, dir, all)
	s := statsOf(t, st, &scriptspec.StatsOptions{All: true})
	assert.Equal(t, []scriptspec.PipelineStats{{
		Name: "churn", Runs: 10, Wall: 8 * time.Second, Busy: 8 * time.Second, Critical: 8 * time.Second, Path: []string{"Prep", "Train"},
	}}, s.Pipelines)
	for _, suggestion := range s.Suggestions {
		assert.NotEqual(t, "U7", suggestion.ID)
	}
}

// What all nodes took is a sum that does not depend on the order in which they are added.
func TestStatsOfPipelinesAreEqual(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	st := openStore(t, dir, nil)
	var steps []string
	for i := range 9 {
		steps = append(steps, fmt.Sprintf("Step%c", 'A'+i))
	}
	saveChain(t, st, "churn", steps...)
	var all []scriptspec.Record
	for i, step := range steps {
		r := aRecord(step, 1)
		r.Pipeline, r.Duration = "churn", time.Duration(i*i)*1000*time.Hour+time.Duration(1+7*i)*time.Microsecond
		all = append(all, r)
	}
	writeHistory(t, dir, all)
	found := map[time.Duration]bool{}
	for range 25 {
		found[statsOf(t, st, nil).Pipelines[0].Busy] = true
	}
	assert.Len(t, found, 1)
}
