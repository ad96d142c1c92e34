package scriptspec_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// pipelineOf makes a pipeline of edges and the specs of its nodes, in the order of the specs.
func pipelineOf(edges [][2]string, specs ...*scriptspec.EnhancedScriptExecutionSpec) *scriptspec.PipelineTestingSpec {
	p := &scriptspec.PipelineTestingSpec{Name: "p", DAG: &scriptspec.DAG{Edges: edges}, Specs: map[string]scriptspec.Spec{}}
	for _, s := range specs {
		p.DAG.Nodes = append(p.DAG.Nodes, s.StepName)
		p.Specs[s.StepName] = s
	}
	return p
}

func nodeOf(t *testing.T, plan *scriptspec.PipelinePlan, name string) scriptspec.PlannedNode {
	t.Helper()
	for _, n := range plan.Nodes {
		if n.Node == name {
			return n
		}
	}
	t.Fatalf("no node %s in the plan", name)
	return scriptspec.PlannedNode{}
}

// feeds writes what a node gets: input<-source.output type.
func feeds(pairs []scriptspec.AssignedPair) []string {
	list := []string{}
	for _, p := range pairs {
		list = append(list, fmt.Sprintf("%s<-%s.%s %s", p.DestLogicalName, p.Source, p.SourceLogicalName, p.MatchType))
	}
	return list
}

func TestPlan(t *testing.T) {
	t.Parallel()
	p := pipelineOf([][2]string{{"Load", "Prep"}, {"Prep", "Train"}, {"Prep", "Eval"}, {"Train", "Eval"}, {"Train", "Eval"}, {"Eval", "Report"}},
		step("Eval", []string{"data", "model_in:model", "config"}, []string{"metrics"}),
		step("Train", []string{"dataset:data"}, []string{"model"}),
		step("Prep", []string{"raw"}, []string{"data"}),
		step("Load", nil, []string{"raw"}),
	)
	p.DAG.Nodes = append(p.DAG.Nodes, "Report")
	p.Skip = map[string]string{"Load": "its data is there", "Report": "no script"}
	var plan *scriptspec.PipelinePlan
	for range 25 {
		again, err := p.Plan(nil)
		require.NoError(t, err)
		if plan != nil {
			require.Equal(t, plan, again)
		}
		plan = again
	}
	order, err := p.DAG.TopologicalSort()
	require.NoError(t, err)
	for i, n := range plan.Nodes {
		assert.Equal(t, order[i], n.Node)
	}
	levels, err := p.DAG.Levels()
	require.NoError(t, err)
	assert.Equal(t, levels, plan.Levels)

	eval := nodeOf(t, plan, "Eval")
	assert.Equal(t, 3, eval.Level)
	assert.Equal(t, []string{"Prep", "Train"}, eval.After)
	assert.Equal(t, []string{"data<-Prep.data exact_logical", "model_in<-Train.model logical_to_alias"}, feeds(eval.Inputs))
	assert.Equal(t, []string{"config"}, eval.FromSpec)
	assert.Empty(t, eval.OrderOnly)
	assert.Equal(t, []string{"raw<-Load.raw exact_logical"}, feeds(nodeOf(t, plan, "Prep").Inputs))
	assert.True(t, nodeOf(t, plan, "Load").Skipped)
	assert.Equal(t, []string{"Eval"}, nodeOf(t, plan, "Report").OrderOnly)
	require.NoError(t, p.Validate())
}

func TestPlanRefuses(t *testing.T) {
	t.Parallel()
	plan, err := (&scriptspec.PipelineTestingSpec{}).Plan(nil)
	require.Error(t, err)
	assert.Nil(t, plan)

	p := pipelineOf([][2]string{{"A", "B"}, {"B", "A"}}, step("A", []string{"b"}, []string{"a"}), step("B", []string{"a"}, []string{"b"}))
	plan, err = p.Plan(nil)
	ce, ok := errors.AsType[*scriptspec.CycleError](err)
	require.True(t, ok)
	assert.Equal(t, []string{"A", "B"}, ce.Cycle)
	assert.Nil(t, plan)

	p = pipelineOf([][2]string{{"A", "C"}, {"B", "C"}},
		step("A", nil, []string{"data"}), step("B", nil, []string{"data"}), step("C", []string{"data"}, nil))
	delete(p.Specs, "B")
	plan, err = p.Plan(nil)
	assert.Equal(t, []problem{{`specs["B"]`, scriptspec.CodeMissing, "node B has no spec, and is not declared to have no script"}}, problems(t, err))
	require.NotNil(t, plan, "what can be planned is")
	assert.Equal(t, []string{"data<-A.data exact_logical"}, feeds(nodeOf(t, plan, "C").Inputs))

	// An input has one source: the other edge carries nothing, unless that is what it is for.
	p.Specs["B"] = step("B", nil, []string{"data"})
	_, err = p.Plan(nil)
	assert.Equal(t, []problem{{"edges[1]", scriptspec.CodeNoMatch, "every input of C that an output of B matches is fed by another node"}}, problems(t, err))
	p.Wires = []scriptspec.Wire{{Source: "B", Dest: "C"}}
	plan, err = p.Plan(nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"B"}, nodeOf(t, plan, "C").OrderOnly)
	p.Wires = []scriptspec.Wire{{Source: "B", Output: "data", Dest: "C", Input: "data"}, {Source: "A", Dest: "C"}}
	plan, err = p.Plan(nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"data<-B.data wired"}, feeds(nodeOf(t, plan, "C").Inputs))
	require.NoError(t, p.Validate())

	p = pipelineOf([][2]string{{"A", "B"}}, step("A", nil, []string{"apples"}), step("B", []string{"zebra"}, nil))
	_, err = p.Plan(nil)
	assert.Equal(t, []problem{{"edges[0]", scriptspec.CodeNoMatch, "no output of A matches an input of B"}}, problems(t, err))
	assert.Equal(t, problems(t, p.Validate()), problems(t, err))
	p.Wires = []scriptspec.Wire{{Source: "A", Output: "apples", Dest: "B", Input: "zebra"}}
	_, err = p.Plan(nil)
	require.NoError(t, err)
	require.NoError(t, p.Validate())
}

// What only similar names speak for is suggested, and used once a wire or an option says so.
func TestPlanSemanticPairs(t *testing.T) {
	t.Parallel()
	p := pipelineOf([][2]string{{"A", "B"}}, step("A", nil, []string{"training_data"}), step("B", []string{"train_data"}, nil))
	plan, err := p.Plan(nil)
	require.Error(t, err)
	ve, ok := errors.AsType[*scriptspec.ValidationError](err)
	require.True(t, ok)
	require.Equal(t, 1, ve.Len())
	var wire scriptspec.Wire
	for fe := range ve.All() {
		assert.Equal(t, scriptspec.CodeUnconfirmed, fe.Code)
		assert.Equal(t, "edges[0]", fe.Path)
		wire, ok = fe.Value.(scriptspec.Wire)
		require.True(t, ok)
	}
	assert.Equal(t, scriptspec.Wire{Source: "A", Output: "training_data", Dest: "B", Input: "train_data"}, wire)
	b := nodeOf(t, plan, "B")
	assert.Empty(t, b.Inputs)
	assert.Equal(t, []string{"train_data"}, b.FromSpec)
	assert.Equal(t, []string{"train_data<-A.training_data semantic"}, feeds(b.Suggested))

	plan, err = p.Plan(&scriptspec.PipelineOptions{AllowSemantic: true})
	require.NoError(t, err)
	assert.Equal(t, []string{"train_data<-A.training_data semantic"}, feeds(nodeOf(t, plan, "B").Inputs))

	p.Wires = []scriptspec.Wire{wire}
	plan, err = p.Plan(nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"train_data<-A.training_data wired"}, feeds(nodeOf(t, plan, "B").Inputs))
	assert.Empty(t, nodeOf(t, plan, "B").Suggested)

	// Beside an edge that carries something else, a suggestion is none of an error.
	p = pipelineOf([][2]string{{"A", "B"}}, step("A", nil, []string{"model", "training_data"}), step("B", []string{"model", "train_data"}, nil))
	plan, err = p.Plan(nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"model<-A.model exact_logical"}, feeds(nodeOf(t, plan, "B").Inputs))
	assert.Len(t, nodeOf(t, plan, "B").Suggested, 1)
	p.Options.AllowSemantic = true
	plan, err = p.Plan(nil)
	require.NoError(t, err)
	assert.Len(t, nodeOf(t, plan, "B").Inputs, 2, "the pipeline's own options count")
}

func TestPipelineNames(t *testing.T) {
	t.Parallel()
	bad := []string{"..", ".hidden", "a/b", `a\b`, "a:b", "a*", "x ", "Train.", "Modèle", "a\nb"}
	p := &scriptspec.PipelineTestingSpec{DAG: &scriptspec.DAG{Nodes: append(bad, "Train", "TRAIN", "x-1.5 (b)")}, Skip: map[string]string{}}
	for _, node := range p.DAG.Nodes {
		p.Skip[node] = "only its name counts"
	}
	got := problems(t, p.Validate())
	require.Len(t, got, len(bad)+1)
	for i := range bad {
		assert.Equal(t, fmt.Sprintf("nodes[%d]", i), got[i].path)
		assert.Equal(t, scriptspec.CodeFormat, got[i].code)
	}
	assert.Equal(t, problem{"nodes[11]", scriptspec.CodeDuplicate, "node TRAIN differs from Train only in case"}, got[len(bad)])
}

func TestPipelineWires(t *testing.T) {
	t.Parallel()
	p := pipelineOf([][2]string{{"A", "B"}, {"C", "B"}}, step("A", nil, []string{"x"}), step("B", []string{"x", "y"}, []string{"z"}), step("C", nil, []string{"y"}))
	p.Wires = []scriptspec.Wire{
		{Source: "B", Output: "z", Dest: "A", Input: "x"},
		{Source: "A", Output: "x", Dest: "B"},
		{Source: "A", Output: "no", Dest: "B", Input: "x"},
		{Source: "A", Output: "x", Dest: "B", Input: "no"},
		{Source: "A", Output: "x", Dest: "B", Input: "x"},
		{Source: "C", Output: "y", Dest: "B", Input: "x"},
		{Source: "C", Output: "y", Dest: "B", Input: "y"},
	}
	assert.Equal(t, []problem{
		{"wires[0]", scriptspec.CodeUnknownNode, "wire from B.z to A.x follows no edge"},
		{"wires[1]", scriptspec.CodeEmpty, "wire from A.x to B. has only one end"},
		{"wires[2]", scriptspec.CodeNoMatch, "wire from A.no to B.x: A has no such output"},
		{"wires[3]", scriptspec.CodeNoMatch, "wire from A.x to B.no: B has no such input"},
		{"wires[5]", scriptspec.CodeDuplicate, "wire from C.y to B.x: the input is fed by wires[4] already"},
	}, problems(t, p.Validate()))
}

// The graphs of a public project, where they are present: with specs made for their nodes they load,
// plan and validate, also from a file.
func TestPipelinesOfAPublicProject(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../shared/fixtures/dags/*.json")
	require.NoError(t, err)
	if len(files) == 0 {
		t.Skip("needs ../shared/fixtures/dags")
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			d, err := scriptspec.LoadDAG(file)
			require.NoError(t, err)
			p := generated(d)
			plan, err := p.Plan(nil)
			require.NoError(t, err)
			order, err := d.TopologicalSort()
			require.NoError(t, err)
			assertOrdered(t, d, order)
			require.Len(t, plan.Nodes, len(order))
			require.NoError(t, p.Validate())
			store, err := scriptspec.OpenStore(t.TempDir(), nil)
			require.NoError(t, err)
			defer store.Close()
			require.NoError(t, store.SavePipeline(p))
			loaded, err := store.LoadPipeline(p.Name)
			require.NoError(t, err)
			again, err := loaded.Plan(nil)
			require.NoError(t, err)
			assert.Equal(t, plan, again)
		})
	}
}

// generated makes a pipeline of a graph: each node has an output of its own name, and an input for
// each node that leads to it. Nodes that load data have no script.
func generated(d *scriptspec.DAG) *scriptspec.PipelineTestingSpec {
	p := &scriptspec.PipelineTestingSpec{Name: "generated", DAG: d, Specs: map[string]scriptspec.Spec{}, Skip: map[string]string{}}
	specs := map[string]*scriptspec.EnhancedScriptExecutionSpec{}
	for i, node := range d.Nodes {
		name := fmt.Sprintf("output_of_%d", i)
		specs[node] = step(node, nil, []string{name})
		p.Specs[node] = specs[node]
		if base, _ := scriptspec.ParseStepName(node); base.Base == "CradleDataLoading" {
			p.Skip[node] = "its data is there"
		}
	}
	for _, e := range d.Edges {
		for name := range specs[e[0]].OutputPathSpecs {
			specs[e[1]].AddInputPathSpec(scriptspec.PathSpec{LogicalName: name, Path: "/in/" + name})
		}
	}
	return p
}

// A wire takes its output and its input out of what names decide.
func TestPlanWires(t *testing.T) {
	t.Parallel()
	p := pipelineOf([][2]string{{"A", "C"}, {"B", "C"}},
		step("A", nil, []string{"data", "extra"}), step("B", nil, []string{"other"}), step("C", []string{"data", "extra", "other"}, nil))
	p.Wires = []scriptspec.Wire{{Source: "B", Output: "other", Dest: "C", Input: "data"}}
	plan, err := p.Plan(nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"data<-B.other wired", "extra<-A.extra exact_logical"}, feeds(nodeOf(t, plan, "C").Inputs))
	assert.Equal(t, []string{"other"}, nodeOf(t, plan, "C").FromSpec)

	// Several inputs may have one output, if each has a wire.
	p.Wires = append(p.Wires, scriptspec.Wire{Source: "B", Output: "other", Dest: "C", Input: "other"})
	plan, err = p.Plan(nil)
	require.NoError(t, err)
	assert.Len(t, nodeOf(t, plan, "C").Inputs, 3)

	p.Wires = []scriptspec.Wire{{Source: "A", Dest: "C"}}
	plan, err = p.Plan(nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"other<-B.other exact_logical"}, feeds(nodeOf(t, plan, "C").Inputs))
	assert.Equal(t, []string{"data", "extra"}, nodeOf(t, plan, "C").FromSpec)
}

func TestPlanOfSkippedNodes(t *testing.T) {
	t.Parallel()
	p := pipelineOf([][2]string{{"A", "B"}, {"B", "D"}, {"C", "D"}},
		step("A", nil, []string{"data"}), step("B", []string{"data"}, []string{"x"}), step("C", nil, []string{"y"}), step("D", []string{"x", "y"}, nil))
	a, c := p.Specs["A"].(*scriptspec.EnhancedScriptExecutionSpec), p.Specs["C"].(*scriptspec.EnhancedScriptExecutionSpec)
	a.StepName, a.ScriptName, a.ScriptPath = "", "", "" // nobody runs it
	c.AddOutputPath("y", a.OutputPathSpecs["data"].Path)
	p.Skip = map[string]string{"A": "there", "C": "there too, in the same place"}
	require.NoError(t, p.Validate())
	plan, err := p.Plan(nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"data<-A.data exact_logical"}, feeds(nodeOf(t, plan, "B").Inputs))
	assert.Equal(t, 2, nodeOf(t, plan, "D").Level, "the longest path counts, not the last")

	a.AddOutputPath("", "/x")
	assert.Equal(t, []problem{{`specs["A"]`, scriptspec.CodeFormat, "the spec of A cannot be taken for its outputs: output_path_specs[\"\"]: logical name in output_path_specs is empty, and 1 more"}}, problems(t, p.Validate()))

	// An edge to what is skipped carries nothing and is no error.
	p = pipelineOf([][2]string{{"A", "B"}}, step("A", nil, []string{"apples"}), step("B", []string{"zebra"}, nil))
	p.Skip = map[string]string{"B": "not today"}
	require.NoError(t, p.Validate())
	_, err = p.Plan(nil)
	require.NoError(t, err)
}

// Names that some system does not take are refused on all.
func TestPipelineNodeNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"CON", "nul.txt", "Com1", "LPT9", "A:B", "A?", "A.", "A ", ".A", "..", "A/B", "A|B"} {
		p := &scriptspec.PipelineTestingSpec{DAG: &scriptspec.DAG{Nodes: []string{name}}, Skip: map[string]string{name: "x"}}
		got := problems(t, p.Validate())
		require.Len(t, got, 1, name)
		assert.Equal(t, "nodes[0]", got[0].path)
		assert.Equal(t, scriptspec.CodeFormat, got[0].code, name)
	}
	for _, name := range []string{"Console", "Nuls", "COMB", "A.b", "LPT10", "Train_us_east_1"} {
		p := &scriptspec.PipelineTestingSpec{DAG: &scriptspec.DAG{Nodes: []string{name}}, Skip: map[string]string{name: "x"}}
		require.NoError(t, p.Validate(), name)
	}
}

// A skipped node without a spec has nothing that a wire could take.
func TestPlanWireFromNothing(t *testing.T) {
	t.Parallel()
	p := &scriptspec.PipelineTestingSpec{
		DAG:   &scriptspec.DAG{Nodes: []string{"Load", "Next"}, Edges: [][2]string{{"Load", "Next"}}},
		Specs: map[string]scriptspec.Spec{"Next": step("Next", []string{"data"}, nil)}, Skip: map[string]string{"Load": "x"},
		Wires: []scriptspec.Wire{{Source: "Load", Output: "data", Dest: "Next", Input: "data"}},
	}
	assert.Equal(t, []problem{
		{"wires[0]", scriptspec.CodeNoMatch, "wire from Load.data to Next.data: Load is skipped and has no spec to take the output from"},
	}, problems(t, p.Validate()))
}
