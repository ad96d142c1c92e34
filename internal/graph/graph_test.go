package graph

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOrder(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		nodes                int
		edges                [][2]int
		order, cycle, levels []int
	}{
		"empty":       {0, nil, []int{}, nil, []int{}},
		"no edges":    {3, nil, []int{0, 1, 2}, nil, []int{0, 0, 0}},
		"diamond":     {4, [][2]int{{3, 1}, {3, 2}, {1, 0}, {2, 0}}, []int{3, 1, 2, 0}, nil, []int{2, 1, 1, 0}},
		"edge twice":  {2, [][2]int{{1, 0}, {1, 0}}, []int{1, 0}, nil, []int{1, 0}},
		"cycle":       {4, [][2]int{{0, 3}, {3, 2}, {2, 1}, {1, 3}}, nil, []int{1, 3, 2}, nil},
		"itself":      {2, [][2]int{{0, 1}, {1, 1}}, nil, []int{1}, nil},
		"behind one":  {3, [][2]int{{1, 2}, {2, 1}, {1, 0}}, nil, []int{1, 2}, nil},
		"lowest next": {5, [][2]int{{4, 0}}, []int{1, 2, 3, 4, 0}, nil, []int{1, 0, 0, 0, 0}},
	} {
		g := New(test.nodes, test.edges)
		order, cycle := g.Order()
		assert.Equal(t, test.order, order, name)
		assert.Equal(t, test.cycle, cycle, name)
		if order != nil {
			assert.Equal(t, test.levels, g.Levels(order), name)
		}
	}
}

// Any graph has an order in which edges lead forward, or a cycle that is one.
func TestOrderOfAnyGraph(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		n := 1 + rng.IntN(12)
		edges := make([][2]int, rng.IntN(2*n))
		for i := range edges {
			edges[i] = [2]int{rng.IntN(n), rng.IntN(n)}
		}
		order, cycle := New(n, edges).Order()
		if cycle != nil {
			for i, node := range cycle {
				assert.Contains(t, edges, [2]int{node, cycle[(i+1)%len(cycle)]})
			}
			continue
		}
		assert.Len(t, order, n)
		for _, e := range edges {
			assert.Less(t, slices.Index(order, e[0]), slices.Index(order, e[1]))
		}
	}
}

func TestCritical(t *testing.T) {
	t.Parallel()
	critical := func(edges [][2]int, takes ...time.Duration) (path []int, total time.Duration) {
		g := New(len(takes), edges)
		order, cycle := g.Order()
		require.Empty(t, cycle)
		return g.Critical(order, takes)
	}
	diamond := [][2]int{{0, 1}, {0, 2}, {1, 3}, {2, 3}}
	for _, c := range []struct {
		edges [][2]int
		takes []time.Duration
		path  []int
		total time.Duration
	}{
		{nil, nil, nil, 0},
		{diamond, []time.Duration{1, 5, 2, 1}, []int{0, 1, 3}, 7},
		{diamond, []time.Duration{1, 2, 5, 1}, []int{0, 2, 3}, 7},
		{diamond, []time.Duration{1, 2, 2, 1}, []int{0, 1, 3}, 4},
		{diamond, []time.Duration{0, 0, 0, 0}, nil, 0},
		{diamond, []time.Duration{2, 0, -9, 3}, []int{0, 3}, 5},
		{[][2]int{{0, 1}}, []time.Duration{1, 1, 3}, []int{2}, 3},
		{nil, []time.Duration{3, 4, 4}, []int{1}, 4},
		{[][2]int{{0, 1}}, []time.Duration{math.MaxInt64, 2}, []int{0}, math.MaxInt64},
	} {
		path, total := critical(c.edges, c.takes...)
		assert.Equal(t, c.path, path)
		assert.Equal(t, c.total, total)
	}
}

func TestQueue(t *testing.T) {
	t.Parallel()
	var q Queue
	for _, node := range []int{3, 1, 2, 1, 9, 0} {
		q.Push(node)
	}
	var got []int
	for q.Len() > 0 {
		got = append(got, q.Pop())
	}
	assert.Equal(t, []int{0, 1, 1, 2, 3, 9}, got)
}
