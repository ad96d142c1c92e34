package report

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// runs are earlier runs of a second each, from a text: + passed, - failed.
func runs(text string) []Past {
	var list []Past
	for i, r := range text {
		p := Past{At: time.Date(2026, 1, 1+i, 0, 0, 0, 0, time.UTC), Outcome: "passed", Passed: true, Duration: time.Second}
		if r == '-' {
			p.Passed, p.Outcome, p.Duration = false, "exception", time.Second/2
		}
		list = append(list, p)
	}
	return list
}

func TestNews(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status Status
		past   string
		news   news
		text   string
	}{
		{Failed, "++", newFailure, "passed in the 2 runs before"},
		{Failed, "-+", newFailure, "passed in the run before"},
		{Failed, "+---", oldFailure, "failed in the 3 runs before, too"},
		{Passed, "++-", fixed, "failed in the run before"},
		{Passed, "-+", noNews, ""},
		{Passed, "", firstRun, "first run on record"},
		{Failed, "", firstRun, "first run on record"},
		{Blocked, "++", noNews, ""},
		{Cancelled, "++", noNews, ""},
	} {
		n := Node{Status: c.status, Past: runs(c.past), Script: &Script{}}
		r := &Run{Nodes: []Node{n, {Past: runs("+")}}}
		is, text := r.newsOf(n)
		assert.Equal(t, c.news, is, "%+v", c)
		assert.Equal(t, c.text, text)
	}
	n := Node{Status: Passed, Script: &Script{}}
	is, _ := (&Run{Nodes: []Node{n}}).newsOf(n)
	assert.Equal(t, noNews, is, "nothing is on record")
}

func TestUsual(t *testing.T) {
	t.Parallel()
	assert.Empty(t, Usual{5, time.Second}.String(), "too few")
	past := runs("-++++++")
	past[1].Duration, past[2].Duration = 3*time.Second, 2*time.Second
	assert.Equal(t, "median 1s of 6 like it", Usual{6, time.Second}.String())
	assert.Equal(t, "7 runs before: 6 passed in 1s to 3s, 1 failed (exception)", describePast(past))
	assert.Equal(t, "1 run before: 1 passed in 1s", describePast(runs("+")))
}

func TestChart(t *testing.T) {
	t.Parallel()
	assert.Nil(t, newChart(Node{Duration: 1}, sparkStep, sparkBar, sparkHeight))
	odd := runs(strings.Repeat("+-", 40))
	odd[70].Duration, odd[71].Duration, odd[72].Duration = math.MaxInt64, math.MinInt64, 0
	for _, n := range []Node{
		{Status: Passed, Duration: 2 * time.Second, Past: runs("+-+")}, {Status: Failed, Duration: time.Second, Past: odd}, {Status: Blocked, Past: runs("+")},
	} {
		for _, size := range [][3]int{{sparkStep, sparkBar, sparkHeight}, {plotStep, plotBar, plotHeight}} {
			c := newChart(n, size[0], size[1], size[2])
			assert.LessOrEqual(t, len(c.Bars), chartRuns+1)
			for i, b := range c.Bars {
				assert.GreaterOrEqual(t, b.X, 0)
				assert.LessOrEqual(t, b.X+b.W, c.Width)
				assert.GreaterOrEqual(t, b.Y, 0)
				assert.Equal(t, c.Base, b.Y+b.H)
				assert.Equal(t, b.Class == string(Failed), b.Cross != "", "what failed is known without colours")
				assert.Equal(t, i == len(c.Bars)-1 && n.Duration > 0, b.Now)
				if i > 0 {
					assert.Greater(t, b.X, c.Bars[i-1].X+b.W-1)
				}
			}
		}
	}
	c := newChart(Node{Status: Passed, Duration: 2 * time.Second, Past: runs("+-+")}, sparkStep, sparkBar, sparkHeight)
	assert.Equal(t, "3 runs before: 2 passed in 1s, 1 failed (exception); this run: passed, 2s", c.Describes)
	assert.Equal(t, "2026-01-02 00:00:00 +00:00: exception, 500ms", c.Bars[1].Describes)
	assert.Equal(t, []string{"passed", "failed", "passed", "passed"}, []string{c.Bars[0].Class, c.Bars[1].Class, c.Bars[2].Class, c.Bars[3].Class})
	assert.Greater(t, c.Bars[3].H, c.Bars[0].H)
	assert.Greater(t, c.Bars[0].H, c.Bars[1].H)
}

// The page says first what is new, and has the earlier runs of each node.
func TestPageOfPastRuns(t *testing.T) {
	t.Parallel()
	r := &Run{Kind: Store, Duration: 4 * time.Second, Nodes: []Node{ran("fails", 0, 1), ran("mended", 0.5, 1), ran("steady", 1, 1), ran("young", 2, 1)}}
	r.Nodes[0].Status = Failed
	r.Nodes[0].Past, r.Nodes[1].Past, r.Nodes[2].Past = runs("++++++++"), runs("+--"), runs("+")
	r.Nodes[0].Usual = Usual{7, 800 * time.Millisecond}
	r.Nodes[0].Duration, r.Nodes[0].Script = 3*time.Second, &Script{ExecutionTime: 2 * time.Second}
	r.Nodes[3].Script = &Script{Success: true}
	var b strings.Builder
	require.NoError(t, r.WriteHTML(&b))
	page := b.String()
	assert.Regexp(t, `fails<wbr></a> <b class="tag">new failure</b>`, page)
	assert.Regexp(t, `<b>fixed:</b> <a href="#n1">mended`, page)
	assert.Regexp(t, `<b>first run on record:</b> <a href="#n3">young`, page)
	assert.Contains(t, page, "1 run before: 1 passed in 1s")
	assert.Equal(t, 6, strings.Count(page, `<svg class="spark"`), "a small and a large one of each with a past")
	assert.Equal(t, 3, strings.Count(page, "<summary>Earlier runs"))
	assert.Contains(t, page, "passed in 1s; median 800ms of 7 like it</p>", "and not of the bars, which may be of other data")
	assert.Regexp(t, `<td class="number median" role="cell">800ms</td><td class="number time" role="cell">2s</td>`, page, "the process beside processes, without the time around it")
	assert.Equal(t, 1, strings.Count(page, `<path class="median"`), "in the large one")

	// Long lists are cut, and the slowest are named first.
	many := &Run{Kind: Store}
	for i := range 200 {
		n := ran("N"+strconv.Itoa(i), float64(i), 1+float64(i%17))
		n.Past = runs("-")
		many.Nodes = append(many.Nodes, n)
	}
	b.Reset()
	require.NoError(t, many.WriteHTML(&b))
	assert.Contains(t, b.String(), "and 195 more</li>")
	assert.Equal(t, slowest, strings.Count(b.String(), `<span class="took">17s`))
	assert.Less(t, b.Len(), 2<<20)
}

// What a file of history holds is text in every report.
func TestPastRunsAreHarmless(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"</script><script>alert(1)</script>", "\"' onclick=x", "\x1b[31mred\x00", "a\n::error::b", "\u202egnp.exe", "\xff\xed\xa0\x80", "{{.}}", "]]>", strings.Repeat("<", 1<<20),
	} {
		s := &Script{Outcome: text, ErrorType: text, ErrorMessage: text, Traceback: text, OverBudget: []Excess{{What: text, Value: 2, Limit: 1, Text: text}}}
		n := Node{Name: text, Status: Failed, Reason: text, Started: 1, Duration: 1, Script: s, Attempts: []*Script{s, nil, s},
			Past: []Past{{Outcome: text}, {At: time.Unix(1<<40, 0), Outcome: text, Duration: math.MaxInt64}, {Outcome: text, Passed: true, Duration: -1}}}
		m := n
		m.Status, m.Flaky = Passed, true
		r := &Run{Kind: Pipeline, Nodes: []Node{n, m, n}, Edges: []Edge{{Source: text, Dest: text}}}
		var b strings.Builder
		require.NoError(t, r.WriteHTML(&b))
		page := b.String()
		assert.Equal(t, 1, strings.Count(page, "<script"), "%.60q", text)
		assert.NotRegexp(t, ` on[a-z]+=`, strings.ReplaceAll(page, `&#34;&#39; onclick=x`, ""))
		assert.False(t, strings.ContainsFunc(page, func(r rune) bool {
			return unicode.IsControl(r) && r != '\n' && r != '\t' || unicode.Is(unicode.Bidi_Control, r)
		}), "%.60q", text)
		assert.Less(t, len(page), 8<<20)
		b.Reset()
		require.NoError(t, r.WriteText(&b))
		for line := range strings.Lines(b.String()) {
			assert.False(t, strings.HasPrefix(strings.TrimSpace(line), "::"), line)
		}
		b.Reset()
		require.NoError(t, r.WriteGitHub(&b))
		for line := range strings.Lines(b.String()) {
			assert.Regexp(t, `^::(error|warning|notice) title=`, line)
		}
		for _, write := range []func() error{
			func() error { return r.WriteJUnit(&b) }, func() error { return r.WriteMarkdown(&b) }, func() error { return r.WritePrometheus(&b) },
			func() error { return r.WriteOTLP(&b, text) },
		} {
			b.Reset()
			require.NoError(t, write())
			assert.Less(t, b.Len(), 4<<20)
		}
	}
}
