package report

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// enoughRuns is how many runs a median is shown of: fewer say nothing yet.
const enoughRuns = 6

// news is what the result of a node is beside its last runs.
type news int

const (
	noNews     news = iota
	newFailure      // it failed, and passed the last time
	oldFailure      // it failed, as it did the last time
	fixed           // it passed, and failed the last time
	firstRun        // it ran, and is not on record as others are
)

// newsOf returns what is new of a node, and in words: "passed in the 12 runs before".
func (r *Run) newsOf(n Node) (news, string) {
	if n.Status != Passed && n.Status != Failed {
		return noNews, ""
	}
	if len(n.Past) == 0 {
		if n.Script != nil && n.Runs == 0 && slices.ContainsFunc(r.Nodes, func(n Node) bool { return len(n.Past) > 0 }) {
			return firstRun, "first run on record"
		}
		return noNews, ""
	}
	last, runs := n.Past[len(n.Past)-1].Passed, 0
	for i := len(n.Past) - 1; i >= 0 && n.Past[i].Passed == last; i-- {
		runs++
	}
	before := "the run before"
	if runs > 1 {
		before = fmt.Sprintf("the %d runs before", runs)
	}
	switch {
	case n.Status == Failed && last:
		return newFailure, "passed in " + before
	case n.Status == Failed:
		return oldFailure, "failed in " + before + ", too"
	case !last:
		return fixed, "failed in " + before
	}
	return noNews, ""
}

// pastTimes are the times of the runs that passed.
type pastTimes struct {
	n                int
	min, max, median time.Duration
}

func timesOf(past []Past) pastTimes {
	var passed []time.Duration
	for _, p := range past {
		if p.Passed {
			passed = append(passed, p.Duration)
		}
	}
	if len(passed) == 0 {
		return pastTimes{}
	}
	slices.Sort(passed)
	n := len(passed)
	low, high := passed[(n-1)/2], passed[n/2]
	return pastTimes{n, passed[0], passed[n-1], low + (high-low)/2}
}

// took is the time of the attempt that counts, as it is on record of others; that of a node may have several.
func (n Node) took() time.Duration {
	if n.Script != nil && n.Script.ExecutionTime > 0 {
		return n.Script.ExecutionTime
	}
	return n.Duration
}

// usual is the median of the runs that passed, "" if there are too few of them: "median 812ms of 12".
func usual(past []Past) string {
	t := timesOf(past)
	if t.n < enoughRuns {
		return ""
	}
	return fmt.Sprintf("median %s of %d", formatDuration(t.median), t.n)
}

// describePast sums up the last runs: "12 runs before: 10 passed in 690ms to 1.4s, 2 failed (exception)". Outcomes are as they
// came.
func describePast(past []Past) string {
	var outcomes []string
	failed := 0
	for _, p := range past {
		if !p.Passed {
			failed++
			if !slices.Contains(outcomes, p.Outcome) {
				outcomes = append(outcomes, p.Outcome)
			}
		}
	}
	var parts []string
	if t := timesOf(past); t.n > 0 {
		span := formatDuration(t.min)
		if t.max > t.min {
			span += " to " + formatDuration(t.max)
		}
		parts = append(parts, fmt.Sprintf("%d passed in %s", t.n, span))
	}
	if failed > 0 {
		slices.Sort(outcomes)
		parts = append(parts, fmt.Sprintf("%d failed (%s)", failed, strings.Join(outcomes, ", ")))
	}
	return plural(len(past), "run") + " before: " + strings.Join(parts, ", ")
}
