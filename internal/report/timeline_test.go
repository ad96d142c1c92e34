package report

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ran is a node that ran so many seconds, from so many on.
func ran(name string, from, seconds float64) Node {
	return Node{Name: name, Status: Passed, Started: time.Duration(from * 1e9), Duration: time.Duration(seconds * 1e9)}
}

func TestCriticalPath(t *testing.T) {
	t.Parallel()
	nodes := []Node{ran("a", 0, 2), ran("b", 2, 5), ran("c", 2, 1), ran("d", 7, 1), {Name: "skipped", Status: Skipped}, ran("e", 0, 4), ran("apart", 0, 5)}
	edges := func(pairs ...string) (list []Edge) {
		for _, pair := range pairs {
			from, to, _ := strings.Cut(pair, ">")
			list = append(list, Edge{Source: from, Dest: to})
		}
		return list
	}
	for name, c := range map[string]struct {
		edges []Edge
		path  string
		took  time.Duration
	}{
		"diamond":                        {edges("a>b", "a>c", "b>d", "c>d"), "a b d", 8 * time.Second},
		"whatever the order":             {edges("c>d", "b>d", "a>c", "a>b"), "a b d", 8 * time.Second},
		"through what took no time":      {edges("b>skipped", "skipped>e"), "b e", 9 * time.Second},
		"one node longer than any chain": {edges("a>c"), "b", 5 * time.Second}, // the first of equals
		"edges of nowhere":               {edges("x>a", "a>x", "a>c"), "b", 5 * time.Second},
		"none":                           {nil, "", 0},
		"cycle":                          {edges("a>b", "b>a"), "", 0},
		"self":                           {edges("a>a"), "", 0},
	} {
		path, took := criticalPath(&Run{Nodes: nodes, Edges: c.edges})
		var names []string
		for _, i := range path {
			names = append(names, nodes[i].Name)
		}
		assert.Equal(t, c.path, strings.Join(names, " "), name)
		assert.Equal(t, c.took, took, name)
	}
	long := &Run{Nodes: []Node{{Name: "a", Duration: math.MaxInt64}, {Name: "b", Duration: math.MaxInt64}}, Edges: edges("a>b")}
	_, took := criticalPath(long)
	assert.Equal(t, time.Duration(math.MaxInt64), took)
}

func TestLanes(t *testing.T) {
	t.Parallel()
	lane, count := lanesOf([]Node{ran("a", 0, 3), ran("b", 0, 1), {Name: "not run"}, ran("c", 1, 5), ran("d", 2, 1), ran("e", 3, 1)})
	assert.Equal(t, []int{1, 2, 0, 2, 3, 1}, lane)
	assert.Equal(t, 3, count)
}

func TestTimelineIsInItsScale(t *testing.T) {
	t.Parallel()
	for _, r := range []*Run{
		{Kind: Store, Nodes: []Node{ran("a", 0, 3), ran("b", 1, 4)}},
		{Kind: Store, Duration: time.Second, Nodes: []Node{{Duration: math.MaxInt64, Started: math.MaxInt64}, {Duration: 1, Started: math.MinInt64}, {Duration: math.MinInt64, Started: 5}}},
		{Kind: Pipeline, Duration: math.MaxInt64, Nodes: []Node{ran("a", 0, 3), ran("b", 1, 4)}},
		{Kind: Pipeline, Duration: math.MinInt64, Nodes: []Node{ran("a", 0, 1e-9), ran("b", 1e-9, 1e-9)}},
	} {
		tl := newTimeline(r)
		require.NotNil(t, tl)
		assert.NotEmpty(t, tl.Ticks)
		assert.LessOrEqual(t, len(tl.Ticks), 8)
		for _, b := range tl.bars {
			var x, w float64
			_, err := fmt.Sscanf(b.X+" "+b.W, "%f%% %f%%", &x, &w)
			require.NoError(t, err, "%+v", b)
			assert.GreaterOrEqual(t, x, 0.0)
			assert.GreaterOrEqual(t, w, 0.0)
			assert.LessOrEqual(t, x+w, 100.02)
		}
	}
	assert.Nil(t, newTimeline(&Run{Kind: Store, Nodes: []Node{ran("a", 0, 3), ran("b", 0, 4)}}), "it is not known when they began")
	assert.Nil(t, newTimeline(&Run{Kind: Pipeline, Nodes: []Node{ran("a", 1, 3)}}))
	for span, want := range map[time.Duration]time.Duration{
		0: time.Millisecond, 3217 * time.Millisecond: time.Second, 18 * time.Second: 5 * time.Second, 206 * time.Second: time.Minute, 50 * time.Hour: 12 * time.Hour,
		1000 * time.Hour: 250 * time.Hour,
	} {
		assert.Equal(t, want, tickStep(span), span)
	}
}

// The timeline marks the critical path, in the list of nodes and in the graph, and says so in words.
func TestPageMarksTheCriticalPath(t *testing.T) {
	t.Parallel()
	r := &Run{Kind: Pipeline, Success: true, Duration: 9 * time.Second, Nodes: []Node{ran("A", 0, 2), ran("B", 2, 5), ran("C", 2, 1)},
		Edges: []Edge{{Source: "A", Dest: "B"}, {Source: "A", Dest: "C"}}}
	r.Nodes[1].Level, r.Nodes[2].Level = 1, 1
	var b strings.Builder
	require.NoError(t, r.WriteHTML(&b))
	page := b.String()
	assert.Contains(t, page, "Critical path, 7s of 9s: A \u2192 B")
	assert.Equal(t, 2, strings.Count(page, `class="passed on-path"`))
	assert.Contains(t, page, `aria-label="ran from 2s to 7s, on the critical path"`)
	assert.Contains(t, page, `aria-label="ran from 2s to 3s"`)
	assert.Contains(t, page, `class="line idle on-path"`)
	assert.Equal(t, 1, strings.Count(page, "idle on-path"))

	r.Kind, r.Edges = Store, nil
	b.Reset()
	require.NoError(t, r.WriteHTML(&b))
	assert.Contains(t, b.String(), `>lane 2</text>`)
	assert.NotContains(t, b.String(), "Critical path")
}
