package daglayout_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec/internal/daglayout"
)

// random returns a graph of n boxes in which most lines lead to one of the next levels.
func random(seed uint64, n int) ([]daglayout.Node, []daglayout.Edge) {
	r := rand.New(rand.NewPCG(seed, 1))
	nodes := make([]daglayout.Node, n)
	var edges []daglayout.Edge
	for i := range nodes {
		nodes[i] = daglayout.Node{Width: 100 + r.IntN(150), Height: 40 + r.IntN(20)}
		for range r.IntN(4) {
			if i > 0 {
				from := max(0, i-1-r.IntN(12))
				nodes[i].Level = max(nodes[i].Level, nodes[from].Level+1)
				edges = append(edges, daglayout.Edge{From: from, To: i, Width: r.IntN(120), Height: r.IntN(2) * 30})
			}
		}
	}
	return nodes, edges
}

type rect struct {
	name                   string
	left, top, right, down int
}

func (a rect) meets(b rect) bool {
	return a.left < b.right && b.left < a.right && a.top < b.down && b.top < a.down
}

func check(t testing.TB, nodes []daglayout.Node, edges []daglayout.Edge) *daglayout.Drawing {
	t.Helper()
	d, ok := daglayout.Layout(nodes, edges)
	require.True(t, ok)
	require.Len(t, d.Nodes, len(nodes))
	require.Len(t, d.Edges, len(edges))
	var boxes, all []rect
	for i, p := range d.Nodes {
		boxes = append(boxes, rect{fmt.Sprint("box ", i), p.X, p.Y, p.X + nodes[i].Width, p.Y + nodes[i].Height})
	}
	all = append(all, boxes...)
	for i, r := range d.Edges {
		if len(r.Points) == 0 {
			continue
		}
		e := edges[i]
		if e.Height > 0 {
			x, y := r.Label.X-e.Width/2, r.Label.Y-e.Height/2
			all = append(all, rect{fmt.Sprint("label ", i), x, y, x + e.Width, y + e.Height})
		}
		first, last := r.Points[0], r.Points[len(r.Points)-1]
		from, to := boxes[e.From], boxes[e.To]
		require.Equal(t, from.down, first.Y)
		require.Equal(t, to.top, last.Y)
		require.True(t, from.left < first.X && first.X < from.right, "it begins at its box")
		require.True(t, to.left < last.X && last.X < to.right, "it ends at its box")
		for j := 1; j < len(r.Points); j++ {
			a, b := r.Points[j-1], r.Points[j]
			require.LessOrEqual(t, a.Y, b.Y, "it leads down")
			piece := rect{"piece", min(a.X, b.X), a.Y, max(a.X, b.X) + 1, b.Y}
			for _, box := range boxes {
				require.False(t, piece.meets(box), "line %d crosses %s", i, box.name)
			}
		}
	}
	for i, a := range all {
		require.True(t, a.left >= 0 && a.top >= 0 && a.right <= d.Width && a.down <= d.Height, a.name)
		for _, b := range all[:i] {
			require.False(t, a.meets(b), "%s on %s", a.name, b.name)
		}
	}
	return d
}

// Whatever the graph, boxes and labels have their places for themselves, and lines pass boxes by.
func TestNothingOverlaps(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		nodes, edges := random(seed, 1+int(seed))
		first := check(t, nodes, edges)
		again, _ := daglayout.Layout(nodes, edges)
		require.Equal(t, first, again)
	}
	nodes, edges := random(1, 200)
	check(t, nodes, edges)
}

func TestChainIsStraight(t *testing.T) {
	t.Parallel()
	nodes := []daglayout.Node{{0, 100, 40}, {1, 200, 40}, {5, 150, 40}}
	d := check(t, nodes, []daglayout.Edge{{0, 1, 90, 30}, {1, 2, 80, 30}})
	for _, e := range d.Edges {
		assert.NotContains(t, e.Path(), "C")
	}
	assert.Equal(t, 228, d.Width)
}

func TestDiamondIsSymmetric(t *testing.T) {
	t.Parallel()
	box := func(level int) daglayout.Node { return daglayout.Node{Level: level, Width: 100, Height: 40} }
	d := check(t, []daglayout.Node{box(0), box(1), box(1), box(2)},
		[]daglayout.Edge{{0, 1, 60, 20}, {0, 2, 60, 20}, {1, 3, 60, 20}, {2, 3, 60, 20}})
	assert.InDelta(t, d.Nodes[0].X, d.Nodes[3].X, 1)
	assert.InDelta(t, d.Nodes[1].X+d.Nodes[2].X, 2*d.Nodes[0].X, 2)
	assert.Equal(t, d.Nodes[1].Y, d.Nodes[2].Y)
}

// Lines of one box leave and arrive in the order in which they lie, so that they do not cross there.
func TestLinesOfABoxLieSideBySide(t *testing.T) {
	t.Parallel()
	const n = 5
	nodes := []daglayout.Node{{0, 300, 40}}
	var edges []daglayout.Edge
	for level := range 2 {
		for range n {
			nodes = append(nodes, daglayout.Node{Level: level, Width: 100, Height: 40})
		}
	}
	for i := range n { // pairs that fix the order of the second row
		edges = append(edges, daglayout.Edge{From: 1 + i, To: 1 + n + i, Width: 50, Height: 20})
	}
	for _, i := range []int{3, 0, 4, 1, 2} {
		edges = append(edges, daglayout.Edge{From: 0, To: 1 + n + i, Width: 50, Height: 20}, daglayout.Edge{From: 1 + n + i, To: 1 + 2*n, Width: 50, Height: 20})
	}
	d := check(t, append(nodes, daglayout.Node{Level: 2, Width: 300, Height: 40}), edges)
	for i, a := range d.Edges {
		for j, b := range d.Edges[:i] {
			aEdge, bEdge := edges[i], edges[j]
			if aEdge.From == bEdge.From {
				assert.Equal(t, a.Label.X < b.Label.X, a.Points[0].X < b.Points[0].X)
			}
			if aEdge.To == bEdge.To {
				assert.Equal(t, a.Label.X < b.Label.X, a.Points[len(a.Points)-1].X < b.Points[len(b.Points)-1].X)
			}
		}
	}
}

// Two pairs that were given crosswise are put side by side.
func TestCrossingsAreUndone(t *testing.T) {
	t.Parallel()
	nodes := []daglayout.Node{{0, 100, 40}, {0, 100, 40}, {1, 100, 40}, {1, 100, 40}}
	d := check(t, nodes, []daglayout.Edge{{0, 3, 0, 0}, {1, 2, 0, 0}})
	assert.Equal(t, d.Nodes[0].X, d.Nodes[3].X)
	assert.Equal(t, d.Nodes[1].X, d.Nodes[2].X)
}

func TestWhatCannotBeDrawn(t *testing.T) {
	t.Parallel()
	nodes := []daglayout.Node{{1 << 60, 100, 40}, {-1 << 60, 100, 40}}
	d := check(t, nodes, []daglayout.Edge{{1, 0, 10, 10}, {0, 1, 10, 10}, {0, 0, 10, 10}, {0, 7, 1, 1}, {-1, 0, 1, 1}})
	assert.NotEmpty(t, d.Edges[0].Points)
	for _, e := range d.Edges[1:] {
		assert.Empty(t, e.Points)
	}
	check(t, nil, nil)
	_, ok := daglayout.Layout(make([]daglayout.Node, 30_000), nil)
	assert.False(t, ok)
	chain := make([]daglayout.Node, 1000)
	var edges []daglayout.Edge
	for i := range chain {
		chain[i].Level = i
		edges = append(edges, daglayout.Edge{From: 0, To: i})
	}
	_, ok = daglayout.Layout(chain, edges)
	assert.False(t, ok, "half a million pieces of lines")
}

func BenchmarkLayout(b *testing.B) {
	nodes, edges := random(1, 200)
	for b.Loop() {
		daglayout.Layout(nodes, edges)
	}
}
