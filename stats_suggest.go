package scriptspec

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/scriptspec/scriptspec/internal/amount"
	"github.com/scriptspec/scriptspec/internal/stats"
)

// What the rules go by, besides fewestRuns.
const (
	importPart  = 0.4                    // of the time of a run
	importLeast = 50 * time.Millisecond  // else there is nothing to save
	timeoutWide = 10                     // times the slowest of 100 runs
	timeoutNear = 0.7                    // of the timeout
	memoryLarge = 1 << 30                // without a bound
	memoryNear  = 0.8                    // of the bound
	budgetLeast = 10 * time.Second       // of a median, for a budget to be worth it
	sizeRho     = 0.9                    // between bytes and time
	sizeLeast   = time.Second            // of a median, for smaller inputs to be worth it
	outputLarge = 1 << 20                // bytes that nobody reads
	sharedLeast = 2                      // values that specs have in common
	sharedSpecs = 3                      // for a base to be worth it
	wallOver    = 1.25                   // times the critical path
	shardOver   = 1.25                   // times the mean of all shards
	flakyLeast  = 2                      // runs with an attempt that passed, and with one that did not
	waitLeast   = 100 * time.Millisecond // of wall time, for more parallelism to be worth it
)

// suggest fills in the suggestions.
func (r *statsReport) suggest(all bool) {
	var list []Suggestion
	for _, rule := range []func() []Suggestion{
		r.suggestWarm, r.suggestTimeouts, r.suggestMemory, r.suggestRunning, r.suggestBase, r.suggestUnread, r.suggestParallel, r.suggestShards,
		r.suggestFlaky, r.suggestSnapshots, r.suggestBudgets, r.suggestSmaller,
	} {
		list = append(list, rule()...)
	}
	slices.SortStableFunc(list, func(a, b Suggestion) int { return cmp.Compare(b.Saving, a.Saving) })
	if !all && len(list) > mostSuggestions {
		r.stats.MoreSuggestions = len(list) - mostSuggestions
		list = list[:mostSuggestions]
	}
	r.stats.Suggestions = append(r.stats.Suggestions, list...)
}

// window is what of a step, or of an example of it, suggestions go by.
type stepWindow struct {
	*series
	spec  common
	runs  []*attempt // at least six comparable ones that passed, at most 20
	times []float64  // in seconds
}

// windows returns those of all steps that have a spec, by step and example.
func (r *statsReport) windows() []stepWindow {
	if r.shown != nil {
		return r.shown
	}
	list := []stepWindow{}
	for _, s := range r.history.series {
		spec, ok := r.specs[s.key.step]
		runs := window(s.comparable())
		if ok && len(runs) >= fewestRuns {
			list = append(list, stepWindow{s, spec, runs, values(runs, seconds)})
		}
	}
	r.shown = list
	return list
}

// finding is what is to be said of one of several steps that share a suggestion.
type finding struct {
	step, evidence string
	saving         time.Duration
}

// together makes one suggestion of what was found of several steps.
func together(id, message, command string, found []finding) []Suggestion {
	if len(found) == 0 {
		return nil
	}
	s := Suggestion{ID: id, Command: command}
	var evidence []string
	for _, f := range found {
		s.Steps = append(s.Steps, f.step)
		s.Saving += f.saving
		evidence = append(evidence, f.evidence)
	}
	slices.Sort(s.Steps)
	s.Steps = slices.Compact(s.Steps)
	if len(evidence) > maxListed {
		evidence = append(evidence[:maxListed], fmt.Sprintf("and %d more", len(found)-maxListed))
	}
	s.Message, s.Evidence = fmt.Sprintf(message, listed(s.Steps)), strings.Join(evidence, "; ")
	if strings.Contains(command, "%s") {
		s.Command = fmt.Sprintf(command, strings.Join(s.Steps, " "))
	}
	return []Suggestion{s}
}

// suggestWarm finds steps that spend their time on imports (U1).
func (r *statsReport) suggestWarm() []Suggestion {
	var found []finding
	for _, w := range r.windows() {
		imports := stats.Median(values(w.runs, func(x *attempt) float64 { return x.imports.Seconds() }))
		part := stats.Median(values(w.runs, func(x *attempt) float64 { return x.imports.Seconds() / max(x.duration.Seconds(), 1e-9) }))
		if w.runs[0].warm || part < importPart || imports < importLeast.Seconds() {
			continue
		}
		found = append(found, finding{
			w.key.step, fmt.Sprintf("%s: %s of %s (%d runs)", w.name(), shortTime(imports), shortTime(stats.Median(w.times)), len(w.runs)),
			fromSeconds(imports * r.history.weekly(len(w.attempts))),
		})
	}
	return together("U1", "keep an interpreter warm with the imports of %s, which take 40 %% of the time or more",
		"scriptspec run %s --warm --preload MODULES", found)
}

// suggestTimeouts finds timeouts that are far above what is needed, or near it (U2).
func (r *statsReport) suggestTimeouts() []Suggestion {
	var wide, near []finding
	for _, w := range r.windows() {
		bound, p99 := w.spec.meta.Timeout, stats.Quantile(w.times, 0.99)
		evidence := func(better float64) string {
			return fmt.Sprintf("%s: timeout %s, 99 %% of %d runs took at most %s; %s would do", w.name(), shortTime(bound), len(w.runs), shortTime(p99), shortTime(better))
		}
		switch better := roundUp(max(3*p99, 10)); {
		case bound == 0:
		case bound > timeoutWide*p99 && better <= bound/2:
			lost := 0
			for _, x := range w.attempts {
				if Outcome(w.of.names[x.outcome]) == OutcomeTimeout {
					lost++
				}
			}
			wide = append(wide, finding{w.key.step, evidence(better), fromSeconds((bound - better) * r.history.weekly(lost))})
		case p99 > timeoutNear*bound:
			near = append(near, finding{w.key.step, evidence(roundUp(2 * p99)), 0})
		}
	}
	return slices.Concat(
		together("U2", "lower the timeout of %s: a script that hangs is noticed late", "", wide),
		together("U2", "raise the timeout of %s: a slow machine would fail the run", "", near))
}

// suggestMemory finds steps that need much memory without a bound, or nearly all that they may have (U3).
func (r *statsReport) suggestMemory() []Suggestion {
	var open, near []finding
	for _, w := range r.windows() {
		bound, peak := float64(w.spec.meta.MaxMemory), slices.Max(values(w.runs, memory))
		better := math.Ceil(1.5*peak/(64<<20)) * (64 << 20)
		evidence := fmt.Sprintf("%s: at most %s in %d runs; max_memory %.0f would do", w.name(), amount.Bytes(peak), len(w.runs), better)
		switch {
		case bound == 0 && peak >= memoryLarge:
			open = append(open, finding{w.key.step, evidence, 0})
		case bound > 0 && peak > memoryNear*bound:
			near = append(near, finding{w.key.step, evidence, 0})
		}
	}
	return slices.Concat(
		together("U3", "set max_memory of %s: a leak would take the machine's memory", "", open),
		together("U3", "raise max_memory of %s: the next run may fail by it", "", near))
}

// suggestFlaky finds steps whose outcome changes though nothing else does (U9).
func (r *statsReport) suggestFlaky() []Suggestion {
	var list []Suggestion
	for _, s := range r.history.series {
		same := s.same()
		score, n := flakiness(same)
		good := 0
		for _, x := range same {
			if x.passed {
				good++
			}
		}
		if _, known := r.specs[s.key.step]; !known || min(good, n-good) < flakyLeast {
			continue
		}
		all, passed, failed := map[number]bool{}, map[number]bool{}, map[number]bool{} // runs, each with one attempt or more
		counts, spent := map[string]int{}, time.Duration(0)
		for _, x := range same {
			all[x.run] = true
			if x.passed {
				passed[x.run] = true
				continue
			}
			failed[x.run] = true
			counts[s.of.names[x.outcome]]++
			spent += x.duration
		}
		if len(all) < fewestRuns || min(len(passed), len(failed)) < flakyLeast {
			continue // one may be anything
		}
		var ends []string
		for _, outcome := range sortedKeys(counts) {
			ends = append(ends, fmt.Sprintf("%d %s", counts[outcome], printable(outcome)))
		}
		since := fmt.Sprintf("since %s, spec %s", time.UnixMicro(same[0].at).UTC().Format(time.DateOnly), s.of.names[same[0].spec])
		if commit := s.of.names[same[0].commit]; commit != "" {
			since += ", commit " + printable(commit[:min(len(commit), 12)])
		}
		list = append(list, Suggestion{
			ID: "U9", Steps: []string{s.key.step}, Saving: fromSeconds(spent.Seconds() / r.history.weeks()),
			Message:  fmt.Sprintf("find out why %s does not always end in the same way: spec, script and inputs were the same", printable(s.name())),
			Evidence: fmt.Sprintf("%s of %s in %s, %s; flaky %s", strings.Join(ends, ", "), counted(n, "attempt"), counted(len(all), "run"), since, shortScore(score)),
			Command:  "scriptspec history " + s.key.step,
		})
	}
	return list
}

// suggestBudgets finds slow steps of which a regression would go unnoticed (U11).
func (r *statsReport) suggestBudgets() []Suggestion {
	var found []finding
	for _, w := range r.windows() {
		p90 := stats.Quantile(w.times, 0.9)
		if w.spec.meta.Budget.Duration == 0 && w.spec.meta.Budget.Regression == 0 && stats.Median(w.times) >= budgetLeast.Seconds() {
			found = append(found, finding{w.key.step, fmt.Sprintf("%s: 90 %% of %d runs took at most %s; budget.duration %.0f would do",
				w.name(), len(w.runs), shortTime(p90), roundUp(1.5*p90)), 0})
		}
	}
	return together("U11", "give %s a budget: no one is told when a run takes longer", "", found)
}

// suggestSmaller finds steps whose time is that of reading their inputs (U12).
func (r *statsReport) suggestSmaller() []Suggestion {
	var list []Suggestion
	for _, s := range r.history.series {
		if _, ok := r.specs[s.key.step]; !ok {
			continue
		}
		last := s.attempts[len(s.attempts)-1]
		var runs []*attempt
		for i := range s.attempts {
			x := &s.attempts[i]
			if x.passed && !x.cold && x.warm == last.warm && x.runtime == last.runtime && x.inputBytes > 0 {
				runs = append(runs, x)
			}
		}
		runs = window(runs)
		sizes, times := values(runs, func(x *attempt) float64 { return float64(x.inputBytes) }), values(runs, seconds)
		distinct := slices.Compact(slices.Sorted(slices.Values(sizes)))
		if len(distinct) < fewestRuns || stats.Median(times) < sizeLeast.Seconds() {
			continue
		}
		if rho := stats.Spearman(sizes, times); rho > sizeRho {
			saved := stats.Median(times) - slices.Min(times)
			list = append(list, Suggestion{
				ID: "U12", Steps: []string{s.key.step}, Saving: fromSeconds(saved * r.history.weekly(len(s.attempts))),
				Message: fmt.Sprintf("give %s smaller inputs: its time grows with them", printable(s.name())),
				Evidence: fmt.Sprintf("inputs of %s to %s, %s to %s, rank correlation %.2f in %d runs",
					amount.Bytes(distinct[0]), amount.Bytes(distinct[len(distinct)-1]), shortTime(slices.Min(times)), shortTime(slices.Max(times)), rho, len(runs)),
			})
		}
	}
	return list
}

// roundUp returns seconds that a person would write, no fewer than s.
func roundUp(s float64) float64 {
	step := 1.0
	switch {
	case s > 300:
		step = 60
	case s > 60:
		step = 10
	}
	return math.Ceil(s/step) * step
}
