package report

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/scriptspec/scriptspec/internal/amount"
	"github.com/scriptspec/scriptspec/internal/printable"
)

const (
	fewNodes   = 8 // whose bars are seen at a glance, without a list of the slowest
	slowest    = 5 // are listed
	namesShown = 5 // of those of which the same is new
)

// pageAnswers is what a page says first: what failed, what is new, what to look at besides, and what took long.
type pageAnswers struct {
	Wrong    []pageProblem
	News     []pageNews
	Warnings []pageProblem
	Slowest  []pageSlow
}

type pageProblem struct{ Subject, ID, Class, Text, New string }

type pageNews struct {
	Class, Word string
	Nodes       []*pageNode
	More        int // that are not named
}

type pageSlow struct {
	*pageNode
	W string // of its bar, as a part of the slowest
}

// pagePast is a row of the table of earlier runs.
type pagePast struct{ At, Class, Outcome, Took string }

// pageAttempt is a run of a node that was run more than once.
type pageAttempt struct {
	N                   int
	Class, Ending, Took string
	Text                string
}

// count fills the line of figures at the top.
func (p *page) count(r *Run) {
	add := func(class, word string, n int) {
		if n > 0 {
			p.Counts = append(p.Counts, pageCount{class, word, n})
		}
	}
	byStatus, byNews := map[Status]int{}, map[news]int{}
	for _, n := range r.Nodes {
		byStatus[n.Status]++
		is, _ := r.newsOf(n)
		byNews[is]++
	}
	for _, s := range statuses() {
		add(string(s), string(s), byStatus[s])
	}
	add("flaky", "flaky", r.flaky())
	add("budget", "over budget", r.overBudget())
}

// answer fills the lists at the beginning of the overview.
func (p *page) answer(r *Run, ids map[string]string) {
	fresh := map[news]*pageNews{fixed: {Class: string(Passed), Word: "fixed"}, firstRun: {Class: "first", Word: "first run on record"}}
	for i, n := range p.Nodes {
		if n.Class == string(Failed) || n.Class == string(Lost) {
			p.Wrong = append(p.Wrong, pageProblem{n.Name, n.ID, n.Class, n.Reason, n.New})
		}
		for _, w := range r.Nodes[i].warnings() {
			p.Warnings = append(p.Warnings, pageProblem{n.Name, n.ID, warningClass(w.Code), block(w.Text), ""})
		}
		is, _ := r.newsOf(r.Nodes[i])
		if of := fresh[is]; of != nil {
			if len(of.Nodes) < namesShown {
				of.Nodes = append(of.Nodes, n)
			} else {
				of.More++
			}
		}
	}
	for _, f := range r.Findings() {
		p.Wrong = append(p.Wrong, pageProblem{f.Subject, ids[f.Dest], "data", block(f.Text), ""})
	}
	for _, is := range []news{fixed, firstRun} {
		if len(fresh[is].Nodes) > 0 {
			p.News = append(p.News, *fresh[is])
		}
	}
	p.rank(r)
}

// took is what the lists of a page show of a node: beside earlier runs, of which the process is on record, that of this one, and else all
// of it.
func (p *page) took(n Node) time.Duration {
	if p.Charts {
		return n.took()
	}
	return n.Duration
}

// rank fills the list of the nodes that took longest, if there are many.
func (p *page) rank(r *Run) {
	var ran []int
	for i, n := range r.Nodes {
		if p.took(n) > 0 {
			ran = append(ran, i)
		}
	}
	if len(ran) <= fewNodes {
		return
	}
	slices.SortStableFunc(ran, func(a, b int) int { return cmp.Compare(p.took(r.Nodes[b]), p.took(r.Nodes[a])) })
	longest := float64(p.took(r.Nodes[ran[0]]))
	for _, i := range ran[:slowest] {
		p.Slowest = append(p.Slowest, pageSlow{p.Nodes[i], percent(float64(p.took(r.Nodes[i])) / longest)})
	}
}

func warningClass(code string) string {
	if code == codeFlaky {
		return "flaky"
	}
	return "budget"
}

// addPast adds to a node what its attempts and its last runs were.
func (p *pageNode) addPast(r *Run, n Node) {
	p.Spark, p.Plot = newChart(n, sparkStep, sparkBar, sparkHeight), newChart(n, plotStep, plotBar, plotHeight)
	p.Flaky, p.Usual = n.Flaky, n.Usual.String()
	if n.Usual.known() {
		p.Median = amount.Time(n.Usual.Median)
	}
	is, text := r.newsOf(n)
	p.News = text
	p.New = map[news]string{newFailure: "new failure", fixed: "fixed", firstRun: "first run"}[is]
	if len(n.Past) > 0 {
		p.Caption = printable.Line(describePast(n.Past))
	}
	for _, past := range slices.Backward(n.Past) {
		row := pagePast{startedAt(past.At, false), string(Passed), printable.Line(past.Outcome), amount.Time(past.Duration)}
		if !past.Passed {
			row.Class = string(Failed)
		}
		p.Past = append(p.Past, row)
	}
	for _, w := range n.warnings() {
		p.Warnings = append(p.Warnings, block(w.Text))
	}
	if tried := n.triedText(); tried != "" {
		p.Warnings = append(p.Warnings, block(tried))
	}
	for i, s := range n.Attempts {
		a := pageAttempt{N: i + 1, Class: string(Failed), Ending: printable.Line(s.ending())}
		last := i == len(n.Attempts)-1
		if last {
			a.Class = p.Class
		}
		if s != nil {
			a.Took = amount.Time(s.ExecutionTime)
			if !last { // of the last one the page has all
				a.Text = strings.TrimRight(printable.Tail(failureText(s), pageStream), "\n")
			}
		}
		p.Attempts = append(p.Attempts, a)
	}
}

// Label is what stands beside a bar: the lane.
func (b *bar) Label() string {
	if b.Lane == 0 {
		return ""
	}
	return "lane " + strconv.Itoa(b.Lane)
}
