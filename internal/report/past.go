package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/scriptspec/scriptspec/internal/amount"
	"github.com/scriptspec/scriptspec/internal/stats"
)

// enoughRuns is how many runs a median is shown of: fewer say nothing yet.
const enoughRuns = stats.Fewest

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
		if n.Script != nil && slices.ContainsFunc(r.Nodes, func(n Node) bool { return len(n.Past) > 0 }) {
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

// took is the time of the attempt that counts, as it is on record of others; that of a node may have several.
func (n Node) took() time.Duration {
	if n.Script != nil && n.Script.ExecutionTime > 0 {
		return n.Script.ExecutionTime
	}
	return n.Duration
}

// known reports whether there are enough runs.
func (u Usual) known() bool { return u.Runs >= enoughRuns }

// String returns "median 812ms of 12 like it", "" if there are too few.
func (u Usual) String() string {
	if !u.known() {
		return ""
	}
	return fmt.Sprintf("median %s of %d like it", amount.Time(u.Median), u.Runs)
}

// describePast sums up the last runs: "12 runs before: 10 passed in 690ms to 1.4s, 2 failed (exception)". Outcomes are as they
// came.
func describePast(past []Past) string {
	var outcomes []string
	var passed []time.Duration
	failed := 0
	for _, p := range past {
		if p.Passed {
			passed = append(passed, p.Duration)
			continue
		}
		failed++
		if !slices.Contains(outcomes, p.Outcome) {
			outcomes = append(outcomes, p.Outcome)
		}
	}
	var parts []string
	if len(passed) > 0 {
		least, most := slices.Min(passed), slices.Max(passed)
		span := amount.Time(least)
		if most > least {
			span += " to " + amount.Time(most)
		}
		parts = append(parts, fmt.Sprintf("%d passed in %s", len(passed), span))
	}
	if failed > 0 {
		slices.Sort(outcomes)
		parts = append(parts, fmt.Sprintf("%d failed (%s)", failed, strings.Join(outcomes, ", ")))
	}
	return plural(len(past), "run") + " before: " + strings.Join(parts, ", ")
}
