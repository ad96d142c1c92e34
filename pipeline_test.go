package scriptspec_test

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

func TestPipelineValidate(t *testing.T) {
	t.Parallel()
	good := func() *scriptspec.PipelineTestingSpec {
		return &scriptspec.PipelineTestingSpec{
			Name: "churn",
			DAG:  &scriptspec.DAG{Nodes: []string{"Load", "Prep", "Train"}, Edges: [][2]string{{"Load", "Prep"}, {"Prep", "Train"}}},
			Specs: map[string]scriptspec.Spec{
				"Prep":  step("Prep", []string{"raw"}, []string{"data"}),
				"Train": step("Train", []string{"data"}, []string{"model"}).Basic(),
			},
			Skip: map[string]string{"Load": "no script"},
		}
	}
	require.NoError(t, good().Validate())

	p := good()
	p.DAG.Nodes = append(p.DAG.Nodes, "Report")
	p.DAG.Edges = append(p.DAG.Edges, [2]string{"Train", "Prep"}, [2]string{"Report", "Nowhere"})
	p.Specs["Extra"] = step("Extra", nil, nil)
	p.Specs["Broken"] = &scriptspec.ScriptExecutionSpec{}
	same := step("Train", []string{"nothing_alike"}, []string{"model"})
	same.AddOutputPath("model", "/out/Prep/./data")
	p.Specs["Train"] = same
	p.Skip["Gone"] = "x"
	var got []problem
	for range 25 {
		again := problems(t, p.Validate())
		if got != nil {
			require.Equal(t, got, again)
		}
		got = again
	}
	assert.Equal(t, []problem{
		{"edges[3][1]", scriptspec.CodeUnknownNode, "edge Report -> Nowhere: there is no node Nowhere"},
		{`specs["Broken"]`, scriptspec.CodeFormat, "the spec of Broken cannot be run: script_name is required, and 2 more"},
		{`specs["Broken"]`, scriptspec.CodeUnknownNode, "there is no node Broken for this spec"},
		{`specs["Extra"]`, scriptspec.CodeUnknownNode, "there is no node Extra for this spec"},
		{`skip["Gone"]`, scriptspec.CodeUnknownNode, "there is no node Gone to skip"},
		{`specs["Report"]`, scriptspec.CodeMissing, "node Report has no spec, and is not declared to have no script"},
		{`specs["Train"].output_path_specs["model"]`, scriptspec.CodeDuplicate, "output model of Train is also output data of Prep: /out/Prep/./data"},
		{"edges[1]", scriptspec.CodeNoMatch, "no output of Prep matches an input of Train"},
		{"edges[2]", scriptspec.CodeNoMatch, "no output of Train matches an input of Prep"},
	}, got)

	p = good()
	p.Specs["Load"] = step("Prep", nil, []string{"raw"})
	relative := step("Train", []string{"data"}, nil)
	here, err := filepath.Abs("out")
	require.NoError(t, err)
	relative.AddOutputPath("one", "out")
	relative.AddOutputPath("two", here)
	p.Specs["Train"] = relative
	assert.Equal(t, []problem{
		{`specs["Load"]`, scriptspec.CodeFormat, "the spec of node Load has the step_name Prep"},
		{`specs["Train"].output_path_specs["two"]`, scriptspec.CodeDuplicate, "output two of Train is also output one of Train: " + here},
	}, problems(t, p.Validate())[:2])

	p = good()
	p.DAG.Edges = append(p.DAG.Edges, [2]string{"Train", "Load"})
	ce, ok := errors.AsType[*scriptspec.CycleError](p.Validate())
	require.True(t, ok)
	assert.Equal(t, []string{"Load", "Prep", "Train"}, ce.Cycle)

	for _, none := range []*scriptspec.PipelineTestingSpec{nil, {}} {
		assert.Equal(t, []problem{{"dag", scriptspec.CodeRequired, "dag is required"}}, problems(t, none.Validate()))
	}
}
