package scriptspec_test

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// stepOf is a spec of a step that depends on others.
func stepOf(name string, steps ...string) *scriptspec.ScriptExecutionSpec {
	s := scriptspec.New(scriptspec.ToSnakeCase(name), name, "x.py")
	s.DependsOn.Steps = steps
	return s
}

// The graph of the steps that specs depend on does not depend on their order.
func TestFromSpecs(t *testing.T) {
	t.Parallel()
	specs := []scriptspec.Spec{
		stepOf("Load"), stepOf("Prep", "Load"), stepOf("Train", "Prep", "Load"), scriptspec.Enhance(stepOf("Eval", "Train", "Prep"), nil),
	}
	want := &scriptspec.DAG{
		Nodes: []string{"Eval", "Load", "Prep", "Train"},
		Edges: [][2]string{{"Load", "Prep"}, {"Load", "Train"}, {"Prep", "Eval"}, {"Prep", "Train"}, {"Train", "Eval"}},
	}
	b := &scriptspec.SpecBuilder{}
	for range 20 {
		rand.Shuffle(len(specs), func(i, j int) { specs[i], specs[j] = specs[j], specs[i] })
		p, err := b.FromSpecs(specs)
		require.NoError(t, err)
		assert.Equal(t, want, p.DAG)
		assert.Len(t, p.Specs, 4)
	}
	_, err := b.FromSpecs([]scriptspec.Spec{stepOf("Load"), stepOf("Load"), stepOf("Prep", "Laod"), nil})
	assert.Equal(t, []problem{
		{"spec", scriptspec.CodeRequired, "spec is required"},
		{"specs[1]", scriptspec.CodeDuplicate, "two specs have the step_name Load"},
		{`specs["Prep"].depends_on.steps[0]`, scriptspec.CodeUnknownStep, "no spec or node has the step_name Laod"},
	}, problems(t, err))
	assert.ErrorContains(t, err, "did you mean Load?")
	_, err = b.FromSpecs([]scriptspec.Spec{stepOf("A", "B"), stepOf("B", "A")})
	_, isCycle := errors.AsType[*scriptspec.CycleError](err)
	assert.True(t, isCycle, "%v", err)
	_, err = b.FromSpecs([]scriptspec.Spec{stepOf("not a step")})
	assert.ErrorContains(t, err, `specs["not a step"].step_name`)
}

// What a spec depends on runs before it in a pipeline, or the pipeline is wrong.
func TestPipelineKeepsDependencies(t *testing.T) {
	t.Parallel()
	p := &scriptspec.PipelineTestingSpec{DAG: &scriptspec.DAG{Nodes: []string{"A", "B", "C", "D"}, Edges: [][2]string{{"A", "B"}, {"B", "C"}}}, Specs: map[string]scriptspec.Spec{
		"A": stepOf("A"), "B": stepOf("B", "C"), "C": stepOf("C", "A", "B"), "D": stepOf("D", "A", "Q"),
	}}
	p.Wires = []scriptspec.Wire{{Source: "A", Dest: "B"}, {Source: "B", Dest: "C"}}
	assert.Equal(t, []problem{
		{`specs["B"].depends_on.steps[0]`, scriptspec.CodeCycle, "B depends on C, and the graph runs it before that"},
		{`specs["D"].depends_on.steps[0]`, scriptspec.CodeUnknownStep, "D depends on A, which the graph does not run before it"},
		{`specs["D"].depends_on.steps[1]`, scriptspec.CodeUnknownStep, "no spec or node has the step_name Q"},
	}, problems(t, p.Validate()))
	assert.ErrorContains(t, p.Validate(), `add the edge ["A", "D"]`)

	// An edge that carries nothing is right where a spec says that it depends on the step.
	p = &scriptspec.PipelineTestingSpec{Name: "p", DAG: &scriptspec.DAG{Nodes: []string{"A", "B"}, Edges: [][2]string{{"A", "B"}}}, Specs: map[string]scriptspec.Spec{"A": stepOf("A"), "B": stepOf("B")}}
	assert.ErrorContains(t, p.Validate(), "no output of A matches an input of B")
	p.Specs["B"] = stepOf("B", "A")
	require.NoError(t, p.Validate())
	plan, err := p.Plan(nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"A"}, plan.Nodes[1].OrderOnly)
}
