package scriptspec_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// joined is a pipeline of two nodes with these outputs and inputs.
func joined(outputs, inputs []string) *scriptspec.PipelineTestingSpec {
	a, b := scriptspec.New("a", "A", "a.py"), scriptspec.New("b", "B", "b.py")
	for _, name := range outputs {
		a.AddOutputPath(name, "out/"+name)
	}
	for _, name := range inputs {
		b.AddInputPath(name, "in/"+name)
	}
	return &scriptspec.PipelineTestingSpec{
		Name: "p", DAG: &scriptspec.DAG{Nodes: []string{"A", "B"}, Edges: [][2]string{{"A", "B"}}},
		Specs: map[string]scriptspec.Spec{"A": a, "B": b},
	}
}

// The two sides of one thing are suggested, never bound, and accepted all at once.
func TestPlanSuggestsStems(t *testing.T) {
	t.Parallel()
	for names, want := range map[[2]string]bool{
		{"model_output", "model_input"}:    true,
		{"model_artifacts", "model_input"}: true,
		{"calibration_out", "calibration"}: true,
		{"output_scores", "scores_in"}:     true,
		{"model_output", "data_input"}:     false,
		{"output", "input"}:                false,
		{"processed_data", "input_path"}:   false,
	} {
		p := joined([]string{names[0], "other_thing"}, []string{names[1]})
		plan, err := p.Plan(&scriptspec.PipelineOptions{AllowSemantic: names[0] == "model_output"})
		if !want {
			assert.Empty(t, plan.Suggested, names)
			continue
		}
		wire := scriptspec.Wire{Source: "A", Output: names[0], Dest: "B", Input: names[1]}
		if len(plan.Nodes[1].Inputs) > 0 { // their names are similar besides
			continue
		}
		require.Equal(t, []scriptspec.Wire{wire}, plan.Suggested, names)
		got := problems(t, err)
		require.Len(t, got, 1)
		assert.Equal(t, scriptspec.CodeUnconfirmed, got[0].code)
		p.Wires = plan.Suggested
		plan, err = p.Plan(nil)
		require.NoError(t, err)
		assert.Empty(t, plan.Suggested)
		assert.Equal(t, scriptspec.MatchWired, plan.Nodes[1].Inputs[0].MatchType)
	}
	p := joined([]string{"fraud_output"}, []string{"fraud_input"})
	p.Wires = []scriptspec.Wire{{Source: "A", Dest: "B"}}
	plan, err := p.Plan(nil)
	require.NoError(t, err)
	assert.Empty(t, plan.Suggested, "the edge is for the order")
}

// An edge without a match says what could be meant.
func TestPlanExplainsAnEdgeWithoutAMatch(t *testing.T) {
	t.Parallel()
	_, err := joined([]string{"processed_data", "metrics"}, []string{"input_path"}).Plan(nil)
	assert.ErrorContains(t, err, `outputs are metrics and processed_data and inputs are input_path`)
	assert.ErrorContains(t, err, `; nearest: processed_data -> input_path (0.`)
	assert.ErrorContains(t, err, `add to wires: {"source":"A","output":"processed_data","dest":"B","input":"input_path"}`)
	_, err = joined(nil, []string{"x"}).Plan(nil)
	assert.ErrorContains(t, err, `outputs are none and inputs are x; add what A writes to the outputs of its spec, or if the edge is for the order only, add to wires: {"source":"A","output":"","dest":"B","input":""}`)
	assert.NotContains(t, err.Error(), "logical name", "there is nothing to give one to")
	_, err = joined([]string{"y"}, nil).Plan(nil)
	assert.ErrorContains(t, err, `outputs are y and inputs are none; add what B reads to the inputs of its spec, or if the edge is for the order only, add`)
	assert.NotContains(t, err.Error(), "logical name")
	_, err = pipelineOf([][2]string{{"A", "B"}, {"C", "B"}}, step("A", nil, []string{"apples"}), step("B", []string{"zebra"}, nil), step("C", nil, []string{"zebra"})).Plan(nil)
	assert.ErrorContains(t, err, `outputs are apples and inputs are zebra, and other nodes feed all of these inputs; if the edge is for the order only, add`)
	assert.NotContains(t, err.Error(), "logical name")
}

// What only the order of names has decided is in the plan.
func TestPlanReportsTies(t *testing.T) {
	t.Parallel()
	p := joined([]string{"train", "test"}, []string{"rows"})
	a, b := scriptspec.Enhance(p.Specs["A"].Basic(), func(string) []string { return []string{"dataset"} }), scriptspec.Enhance(p.Specs["B"].Basic(), func(string) []string { return []string{"dataset"} })
	p.Specs["A"], p.Specs["B"] = a, b
	plan, err := p.Plan(nil)
	require.NoError(t, err)
	require.Len(t, plan.Nodes[1].Ties, 1)
	assert.Len(t, plan.Nodes[1].Ties[0], 2)
	assert.Empty(t, plan.Nodes[0].Ties)
}
