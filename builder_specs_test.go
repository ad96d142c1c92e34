package scriptspec_test

import (
	"errors"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
	"github.com/scriptspec/scriptspec/internal/testprogram"
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

func TestFromDAG(t *testing.T) {
	t.Parallel()
	python(t)
	dir := t.TempDir()
	b := &scriptspec.SpecBuilder{
		Store: openStore(t, dir, nil), ScriptDirs: []string{"testdata/scripts"}, Scripts: map[string]string{"ChurnDataLoading": ""},
	}
	d, err := scriptspec.LoadDAG("testdata/dags/churn.dag.json")
	require.NoError(t, err)
	p, err := b.FromDAG(d)
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"ChurnDataLoading": "the step is declared to have no script"}, p.Skip)
	assert.Len(t, p.Specs, 3)
	err = p.Validate()
	assert.Equal(t, []problem{{"edges[2]", scriptspec.CodeNoMatch, "no output of TabularPreprocessing_training matches an input of ModelEvaluation_training"}}, problems(t, err),
		"data_output and data_input need an alias")
	for _, node := range []string{"TabularPreprocessing_training", "ModelEvaluation_training"} {
		p.Specs[node] = scriptspec.Enhance(p.Specs[node].Basic(), scriptspec.DefaultAliases)
	}
	require.NoError(t, p.Validate())

	d.Nodes = append(d.Nodes, "Unknown_training", "Other")
	p, err = b.FromDAG(d)
	nf, ok := errors.AsType[*scriptspec.NotFoundError](err)
	require.True(t, ok)
	assert.Equal(t, "Unknown_training", nf.Node)
	scripts := abs(t, filepath.Join("testdata", "scripts"))
	lines := strings.Split(err.Error(), "\n")
	require.Len(t, lines, 6, "one list, of all of them: %v", err)
	assert.Equal(t, "nodes of the graph without a spec: 2", lines[0])
	assert.Equal(t, "  Unknown_training: no script; tried "+filepath.Join(scripts, "unknown.py")+", every "+filepath.Join(scripts, "*.py")+" that is equal to unknown", lines[1])
	assert.Contains(t, lines[2], "  Other: no script; tried ")
	assert.Equal(t, `add to SpecBuilder.Scripts, with the right files, or "" for a node that has none:`, lines[3])
	assert.Contains(t, lines[4], `  "Unknown_training": "path/to/script.py", // nearest: `)
	assert.Contains(t, lines[5], `  "Other": "path/to/script.py",`)
	assert.Len(t, p.Specs, 3)
	_, err = b.FromDAG(nil)
	require.Error(t, err)
	_, err = b.FromDAG(&scriptspec.DAG{Nodes: []string{"A", "A"}})
	require.Error(t, err)
}

// Python is started to read scripts for new specs, and for nothing else.
func TestLookupRunsNoPython(t *testing.T) {
	t.Parallel()
	if !onLinux {
		t.Skip("needs a shell script as an interpreter")
	}
	b, _ := scriptTree(t, "scripts/step_a.py", "more/x.py")
	dir := t.TempDir()
	started := filepath.Join(dir, "started")
	b.Python = filepath.Join(dir, "python")
	testprogram.Write(t, b.Python, "#!/bin/sh\necho >> '"+started+"'\nexit 1\n")
	stored := scriptspec.New("step_a", "StepA", "step_a.py")
	require.NoError(t, b.Store.Save(stored))

	_, err := b.Resolve("StepA")
	require.NoError(t, err)
	_, created, err := b.LoadOrCreate("StepA")
	require.NoError(t, err)
	assert.False(t, created)
	_, err = b.FromDAG(&scriptspec.DAG{Nodes: []string{"StepA", "StepA_training"}})
	require.NoError(t, err)
	assert.NoFileExists(t, started)

	s, err := b.SpecFromNode("StepA")
	require.NoError(t, err)
	assert.FileExists(t, started)
	assert.Contains(t, s.InputPaths, "data_input", "the names of the note, since the script was not read")
}
