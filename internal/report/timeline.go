package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/scriptspec/scriptspec/internal/amount"
	"github.com/scriptspec/scriptspec/internal/graph"
	"github.com/scriptspec/scriptspec/internal/printable"
)

// timeline is what ran when.
type timeline struct {
	Span  time.Duration // from the start of the run to the end of the scale
	Ticks []tick
	Path  []int         // the critical path, as numbers of nodes; none where nothing waits for anything
	Took  time.Duration // of the critical path
	Lanes int           // how many ran at a time; 0 where lanes are not shown
	bars  map[int]*bar  // by number of node
}

// tick is a mark of the scale.
type tick struct {
	X      string // of the width
	Label  string
	Anchor string // of the label
}

// bar is when a node ran.
type bar struct {
	X, W      string // of the width
	Critical  bool
	Lane      int    // from 1; 0 where lanes are not shown
	LabelX    string // beside the bar, where there is room
	Anchor    string
	Nudge     int    // of the label, away from the bar
	Describes string // for those who cannot see it
}

// newTimeline returns what ran when; nil where fewer than two nodes ran, or it is not known when.
func newTimeline(r *Run) *timeline {
	ran, known := 0, false
	t := &timeline{Span: max(r.Duration, 0), bars: map[int]*bar{}}
	for _, n := range r.Nodes {
		if n.Duration > 0 {
			ran++
			known = known || n.Started > 0
			t.Span = max(t.Span, later(max(n.Started, 0), n.Duration))
		}
	}
	if ran < 2 || !known {
		return nil
	}
	for at, step := time.Duration(0), tickStep(t.Span); (at == 0 || at <= t.Span-step/4) && len(t.Ticks) < 8; at = later(at, step) {
		mark := tick{percent(t.part(at)), strings.Replace(amount.Time(at), "m0s", "m", 1), "middle"}
		if at == 0 {
			mark.Anchor = "start"
		} else if t.part(at) > 0.94 {
			mark.Anchor = "end"
		}
		t.Ticks = append(t.Ticks, mark)
	}
	var lanes []int
	if r.Kind == Store {
		lanes, t.Lanes = lanesOf(r.Nodes)
	}
	t.Path, t.Took = criticalPath(r)
	critical := map[int]bool{}
	for _, i := range t.Path {
		critical[i] = true
	}
	for i, n := range r.Nodes {
		if n.Duration <= 0 {
			continue
		}
		from := max(n.Started, 0)
		start, end := t.part(from), t.part(later(from, n.Duration))
		b := &bar{X: percent(start), W: percent(end - start), Critical: critical[i]}
		b.Describes = fmt.Sprintf("ran from %s to %s", amount.Time(from), amount.Time(later(from, n.Duration)))
		if b.Critical {
			b.Describes += ", on the critical path"
		}
		if t.Lanes > 1 {
			b.Lane = lanes[i]
			b.Describes += fmt.Sprintf(", on lane %d", b.Lane)
		}
		b.LabelX, b.Anchor, b.Nudge = percent(end), "start", 5
		if end > 0.8 {
			b.LabelX, b.Anchor, b.Nudge = percent(start), "end", -5
		}
		t.bars[i] = b
	}
	return t
}

// part is a time as a part of the scale.
func (t *timeline) part(at time.Duration) float64 {
	return min(max(float64(at)/float64(max(t.Span, 1)), 0), 1)
}

// summary names the critical path: "12.3s of 14s: Load, Train".
func (t *timeline) summary(r *Run) string {
	if len(t.Path) == 0 {
		return ""
	}
	text := amount.Time(t.Took)
	if r.Duration >= t.Took {
		text += " of " + amount.Time(r.Duration)
	}
	var names []string
	for _, i := range t.Path {
		names = append(names, printable.Line(r.Nodes[i].Name))
	}
	return text + ": " + strings.Join(shortList(names, 6), " \u2192 ")
}

// shortList leaves out the middle of a long list.
func shortList(list []string, limit int) []string {
	if len(list) <= limit {
		return list
	}
	return slices.Concat(list[:limit-2], []string{fmt.Sprintf("\u2026 %d more \u2026", len(list)-limit+1)}, list[len(list)-1:])
}

// percent writes a part of 1 for an attribute.
func percent(part float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.2f", 100*part), "0"), ".") + "%"
}

// later adds times, of which a file may hold any.
func later(at, by time.Duration) time.Duration {
	if by > math.MaxInt64-at {
		return math.MaxInt64
	}
	return at + by
}

// tickStep returns a round time of which a scale has three to six.
func tickStep(span time.Duration) time.Duration {
	for _, unit := range []struct {
		size  time.Duration
		steps []int64
	}{
		{time.Millisecond, []int64{1, 2, 5, 10, 20, 50, 100, 200, 500}},
		{time.Second, []int64{1, 2, 5, 10, 15, 30}},
		{time.Minute, []int64{1, 2, 5, 10, 15, 30}},
		{time.Hour, []int64{1, 2, 6, 12}},
	} {
		for _, n := range unit.steps {
			if step := time.Duration(n) * unit.size; span <= 5*step {
				return step
			}
		}
	}
	return max(span/4/time.Hour, 1) * time.Hour
}

// criticalPath returns the nodes that the end of a run waited for if it never waited for anything else: of all paths along the
// edges the one that took longest, without the nodes that took no time.
func criticalPath(r *Run) (path []int, took time.Duration) {
	number := map[string]int{}
	for i, n := range r.Nodes {
		number[n.Name] = i
	}
	var edges [][2]int
	for _, e := range r.Edges {
		from, known := number[e.Source]
		to, known2 := number[e.Dest]
		if known && known2 {
			edges = append(edges, [2]int{from, to})
		}
	}
	g := graph.New(len(r.Nodes), edges)
	order, cycle := g.Order()
	if len(edges) == 0 || cycle != nil {
		return nil, 0
	}
	takes := make([]time.Duration, len(r.Nodes))
	for i, n := range r.Nodes {
		takes[i] = n.Duration
	}
	return g.Critical(order, takes)
}

// lanesOf gives each node that ran the first lane that is free when it begins, and counts them.
func lanesOf(nodes []Node) (lane []int, count int) {
	var order []int
	for i, n := range nodes {
		if n.Duration > 0 {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(nodes[a].Started, nodes[b].Started) })
	lane = make([]int, len(nodes))
	var free []time.Duration // when each is, from then on
	for _, i := range order {
		from := max(nodes[i].Started, 0)
		at := slices.IndexFunc(free, func(t time.Duration) bool { return t <= from })
		if at < 0 {
			at, free = len(free), append(free, 0)
		}
		free[at], lane[i] = later(from, nodes[i].Duration), at+1
	}
	return lane, len(free)
}
