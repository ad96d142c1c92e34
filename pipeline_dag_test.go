package scriptspec_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

func TestLoadDAG(t *testing.T) {
	t.Parallel()
	d, err := scriptspec.LoadDAG("testdata/dags/plain.dag.json")
	require.NoError(t, err)
	assert.Equal(t, &scriptspec.DAG{Nodes: []string{"A", "B", "C", "D"}, Edges: [][2]string{{"A", "D"}, {"B", "C"}}}, d)
	d, err = scriptspec.LoadDAG("testdata/dags/churn.dag.json")
	require.NoError(t, err)
	assert.Len(t, d.Nodes, 4)
	assert.Len(t, d.Edges, 3)
	require.NoError(t, d.Validate())
	_, err = scriptspec.LoadDAG("testdata/dags/none.json")
	require.Error(t, err)
	_, err = scriptspec.LoadDAG("")
	require.Error(t, err)
}

// The graphs of a public project, where they are present: every one can be ordered.
func TestLoadDAGsOfAPublicProject(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../shared/fixtures/dags/*.json")
	require.NoError(t, err)
	for _, file := range files {
		d, err := scriptspec.LoadDAG(file)
		require.NoError(t, err, file)
		order, err := d.TopologicalSort()
		require.NoError(t, err, file)
		assertOrdered(t, d, order)
		for _, node := range d.Nodes {
			_, err := scriptspec.ParseStepName(node)
			require.NoError(t, err, node)
		}
	}
}

func assertOrdered(t *testing.T, d *scriptspec.DAG, order []string) {
	t.Helper()
	at := map[string]int{}
	for i, node := range order {
		at[node] = i
	}
	require.Len(t, at, len(d.Nodes))
	for _, e := range d.Edges {
		require.Less(t, at[e[0]], at[e[1]], "%s -> %s", e[0], e[1])
	}
}

func TestLoadDAGRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		text string
		want []string
	}{
		"everything": {"{\"edges\": [[\"A\", \"X\"],\n [\"B\", \"B\"], [\"A\"], \"e\", [1, \"A\"]],\n\"nodes\": [\"A\", \"B\", \"A\", \"\", 7]}", []string{
			"f:1:18: edges[0][1]: edge A -> X: there is no node X",
			"f:2:8: edges[1][1]: edge B -> B leads from a node to itself",
			"f:2:14: edges[2]: an edge is a list of two nodes",
			"f:2:21: edges[3]: want a list, found a string",
			"f:2:26: edges[4]: an edge is a list of two nodes",
			"f:2:27: edges[4][0]: want a string, found a number",
			"f:3:21: nodes[2]: duplicate node A, first at nodes[0]",
			"f:3:26: nodes[3]: a node without a name",
			"f:3:30: nodes[4]: want a string, found a number",
		}},
		"no nodes":  {`{"edges": []}`, []string{"f:1:1: nodes: missing; a graph needs it"}},
		"twice":     {"{\"nodes\": [\"A\"],\n\"dag\": {\"nodes\": [\"B\"]}}", []string{`f:2:9: dag["nodes"]: duplicate; a file has one graph`}},
		"no object": {`[]`, []string{"f:1:1: want an object, found a list"}},
		"cut off":   {`{"nodes": ["A"`, []string{"f:1:15: nodes: the document ends too early; the file was cut off"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "f")
			write(t, file, test.text)
			d, err := scriptspec.LoadDAG(file)
			assert.Nil(t, d)
			_, ok := errors.AsType[*scriptspec.DecodeError](err)
			require.True(t, ok, "%v", err)
			var got []string
			for line := range strings.SplitSeq(err.Error(), "\n") {
				got = append(got, strings.Replace(line, file, "f", 1))
			}
			assert.Equal(t, test.want, got)
		})
	}
}

func TestTopologicalSort(t *testing.T) {
	t.Parallel()
	d := &scriptspec.DAG{Nodes: []string{"d", "c", "b", "a", "e"}, Edges: [][2]string{{"a", "d"}, {"a", "d"}, {"b", "c"}, {"d", "e"}}}
	for range 25 {
		order, err := d.TopologicalSort()
		require.NoError(t, err)
		require.Equal(t, []string{"b", "c", "a", "d", "e"}, order, "of those that could come next the first in Nodes does")
	}
	order, err := (&scriptspec.DAG{}).TopologicalSort()
	require.NoError(t, err)
	assert.Empty(t, order)

	bad := &scriptspec.DAG{Nodes: []string{"a", "a"}, Edges: [][2]string{{"a", "x"}, {"a", "a"}}}
	_, err = bad.TopologicalSort()
	assert.Equal(t, []problem{
		{"nodes[1]", scriptspec.CodeDuplicate, "duplicate node a, first at nodes[0]"},
		{"edges[0][1]", scriptspec.CodeUnknownNode, "edge a -> x: there is no node x"},
		{"edges[1][1]", scriptspec.CodeSelfEdge, "edge a -> a leads from a node to itself"},
	}, problems(t, err))
}

func TestLevels(t *testing.T) {
	t.Parallel()
	d := &scriptspec.DAG{
		Nodes: []string{"report", "b", "load", "a", "alone"},
		Edges: [][2]string{{"load", "a"}, {"load", "b"}, {"a", "report"}, {"b", "report"}, {"load", "report"}},
	}
	levels, err := d.Levels()
	require.NoError(t, err)
	assert.Equal(t, [][]string{{"load", "alone"}, {"b", "a"}, {"report"}}, levels)
	levels, err = (&scriptspec.DAG{}).Levels()
	require.NoError(t, err)
	assert.Empty(t, levels)
	d.Edges = append(d.Edges, [2]string{"report", "load"})
	_, err = d.Levels()
	_, ok := errors.AsType[*scriptspec.CycleError](err)
	assert.True(t, ok)
}

func TestCycleError(t *testing.T) {
	t.Parallel()
	d := &scriptspec.DAG{
		Nodes: []string{"start", "x", "c", "a", "b", "after"},
		Edges: [][2]string{{"start", "a"}, {"a", "b"}, {"b", "c"}, {"c", "a"}, {"c", "after"}, {"after", "x"}},
	}
	for range 25 {
		_, err := d.TopologicalSort()
		ce, ok := errors.AsType[*scriptspec.CycleError](err)
		require.True(t, ok, "%v", err)
		require.Equal(t, []string{"c", "a", "b"}, ce.Cycle, "in the order of its edges, the first of the graph first")
		require.EqualError(t, err, "the graph has a cycle of 3 nodes: c -> a -> b -> c; remove one of its edges")
	}
	ring := &scriptspec.DAG{}
	for i := range 1000 {
		ring.Nodes = append(ring.Nodes, fmt.Sprintf("n%d", i))
		ring.Edges = append(ring.Edges, [2]string{fmt.Sprintf("n%d", i), fmt.Sprintf("n%d", (i+1)%1000)})
	}
	_, err := ring.TopologicalSort()
	ce, ok := errors.AsType[*scriptspec.CycleError](err)
	require.True(t, ok)
	assert.Equal(t, ring.Nodes, ce.Cycle)
	assert.Less(t, len(err.Error()), 300)
}

// chain is a graph of n nodes with two edges from each.
func chain(n int) *scriptspec.DAG {
	d := &scriptspec.DAG{}
	for i := range n {
		d.Nodes = append(d.Nodes, fmt.Sprintf("Node%d", i))
	}
	for i := range n {
		for _, to := range []int{i + 1, i + 7} {
			if to < n {
				d.Edges = append(d.Edges, [2]string{d.Nodes[i], d.Nodes[to]})
			}
		}
	}
	slices.Reverse(d.Nodes)
	return d
}

// BenchmarkDAG shows the time for a node and edge, which stays about the same: of sorting, of planning
// and of validating a pipeline of these nodes.
func BenchmarkDAG(b *testing.B) {
	for _, n := range []int{amount(1_000), amount(10_000), amount(100_000)} {
		d := chain(n)
		p := &scriptspec.PipelineTestingSpec{DAG: d, Specs: map[string]scriptspec.Spec{}}
		for _, node := range d.Nodes {
			s := scriptspec.New("node", node, "node.py")
			s.AddInputPath("data", "/in/"+node)
			s.AddOutputPath("data", "/out/"+node)
			p.Specs[node] = s
		}
		for name, work := range map[string]func() error{
			"sort":     func() error { _, err := d.TopologicalSort(); return err },
			"levels":   func() error { _, err := d.Levels(); return err },
			"validate": p.Validate,
		} {
			b.Run(name+"/"+strconv.Itoa(n), func(b *testing.B) {
				for b.Loop() {
					must(b, work())
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(d.Nodes)+len(d.Edges)), "ns/part")
			})
		}
	}
}
