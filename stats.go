package scriptspec

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"
)

// statsVersion is that of the JSON form of Stats.
const statsVersion = 1

// StatsOptions changes what [Store.Stats] looks at. Nil means the zero value.
type StatsOptions struct {
	// Since and Until bound the time of records that count: from the first one on, and before the second; the zero time is no bound.
	Since, Until time.Time
	// NewFrom has each Trend compare the runs from this time on with those before; the zero time those since spec or script were
	// changed.
	NewFrom time.Time
	// Select picks specs; nil means all, and also what was recorded of specs that are no longer there.
	Select *Selector
	// All has all suggestions in the result, not only the ten that save the most.
	All bool
}

// check refuses bounds between which there is no time.
func (o *StatsOptions) check() error {
	return cmp.Or(timesInOrder("until", "since", o.Since, o.Until), timesInOrder("new_from", "since", o.Since, o.NewFrom), timesInOrder("until", "new_from", o.NewFrom, o.Until))
}

// Stats is what a history says of the specs of a store. Equal histories and stores have equal Stats.
type Stats struct {
	// Since and Until are the times of the first and the last record.
	Since Timestamp `json:"since"`
	Until Timestamp `json:"until"`
	// Records counts attempts, Runs calls of the tester, Passed the attempts that ended as they should.
	Records int `json:"records"`
	Runs    int `json:"runs"`
	Passed  int `json:"passed"`
	// Skipped counts the lines of the history that are no records.
	Skipped int `json:"skipped"`
	// Unread says of each file of the history that could not be read why, sorted; what is in it is missing from all else here.
	Unread []string `json:"unread"`
	// Steps are sorted by the time that they took in all, longest first, and by name where that is the same.
	Steps []StepStats `json:"steps"`
	// Pipelines are sorted by name.
	Pipelines []PipelineStats `json:"pipelines"`
	// NeverRun are the steps of which there is no record of any time, sorted; none if some of the history is Unread.
	NeverRun []string `json:"never_run"`
	// Suggestions are sorted by what they save.
	Suggestions []Suggestion `json:"suggestions"`
	// MoreSuggestions counts those that were left out; see StatsOptions.All.
	MoreSuggestions int `json:"more_suggestions"`

	others bool // there are records, if only of other times or steps
}

// StepStats is what a history says of a step, or of an example of it.
type StepStats struct {
	StepName string `json:"step_name"`
	Example  string `json:"example,omitzero"`
	// Pipeline is the one in which it was run as a node, "" outside of any: what is run both ways has statistics of each.
	Pipeline   string `json:"pipeline,omitzero"`
	ScriptName string `json:"script_name"`
	// Runs counts attempts, Passed those that ended as they should, Outcomes all of them by how they ended.
	Runs     int             `json:"runs"`
	Passed   int             `json:"passed"`
	Outcomes map[Outcome]int `json:"outcomes"`
	// LastRun is the time of the last attempt, LastOutcome how it ended.
	LastRun     Timestamp `json:"last_run"`
	LastOutcome Outcome   `json:"last_outcome"`
	// Flaky is how often the outcome changed from one attempt to the next, as a part of how often it could have, among those
	// of the spec, script and inputs of the last attempt; FlakyRuns is how many these are.
	Flaky     float64 `json:"flaky"`
	FlakyRuns int     `json:"flaky_runs"`
	// Window is how many runs Median, P90 and Min, in seconds in JSON, and PeakMemory, a median in bytes, are of: the last 20 that passed
	// and are comparable with the last one of them, with the same inputs, interpreter, platform and kind of start.
	Window     int           `json:"window"`
	Median     time.Duration `json:"-"`
	P90        time.Duration `json:"-"`
	Min        time.Duration `json:"-"`
	PeakMemory int64         `json:"peak_memory"`
	// Total is the time of all attempts, seconds in JSON, Share its part of that of all steps.
	Total time.Duration `json:"-"`
	Share float64       `json:"share"`
	// Duration and Memory say whether the newest comparable runs differ from those before, in seconds and bytes.
	Duration Trend `json:"duration"`
	Memory   Trend `json:"memory"`
}

func (s *StepStats) key() pastKey { return pastKey{s.StepName, s.Example, s.Pipeline} }

// Name names what the statistics are of: "Prep_training", "Prep_training/small" for an example, and in a pipeline "Prep_training (churn)".
func (s *StepStats) Name() string { return s.key().String() }

// Verdict is what a [Trend] comes to. The set is closed.
type Verdict string

// The verdicts.
const (
	VerdictTooFew Verdict = "too_few" // fewer than six runs on a side
	VerdictSame   Verdict = "same"    // no difference that is larger than noise
	VerdictMore   Verdict = "more"    // takes more now
	VerdictLess   Verdict = "less"    // takes less now
)

// Trend compares the runs since spec or script were changed, at most 20, or else the last six, with the 20 before. They differ if a
// two-sided Mann-Whitney U test says so at a level of 1 % for all tests of a report together, and the medians differ by 10 % and
// by 50 ms or 8 MiB at least. A few runs of another spec or script, fewer than six in a row and with
// others before and after them, are tries, as with run --set, and left out.
type Trend struct {
	Verdict Verdict `json:"verdict"`
	// Old and New are medians, OldRuns and NewRuns how many runs they are of.
	Old     float64 `json:"old"`
	New     float64 `json:"new"`
	OldRuns int     `json:"old_runs"`
	NewRuns int     `json:"new_runs"`
	// P is the p-value with Holm's correction, 1 where there was no test.
	P float64 `json:"p"`
}

// PipelineStats is what a history says of whole runs of a pipeline in which every node passed. Times are medians, seconds in JSON.
type PipelineStats struct {
	Name string `json:"name"`
	Runs int    `json:"runs"`
	// Wall is from the start of the first node to the end of the last, Busy what all nodes took together, with all attempts of each.
	Wall time.Duration `json:"-"`
	Busy time.Duration `json:"-"`
	// Critical is what the nodes of Path took, which is the longest way through the graph: no run can be shorter.
	Critical time.Duration `json:"-"`
	Path     []string      `json:"path"`
}

// Suggestion is something to do, with what speaks for it.
type Suggestion struct {
	// ID is that of the rule, "U1" to "U12"; docs/suggestions.md describes each.
	ID string `json:"id"`
	// Steps are the steps, or the pipelines, that it is about, sorted.
	Steps []string `json:"steps"`
	// Message says what to do, Evidence what was measured, of how many runs.
	Message  string `json:"message"`
	Evidence string `json:"evidence"`
	// Saving is about how much time a week it saves, seconds in JSON; 0 for what saves no time.
	Saving time.Duration `json:"-"`
	// Command is a call of the command that shows or does it; "" if there is none.
	Command string `json:"command,omitzero"`
}

// mostSuggestions is how many are shown unless all are asked for.
const mostSuggestions = 10

// Stats returns what the history says of the specs of the store, and what to do about it. Nothing is written or run. The error
// is for times that are not in order, a selection of which a word is of no spec, a store or a whole history that cannot be read, and ctx that has ended.
func (st *Store) Stats(ctx context.Context, o *StatsOptions) (*Stats, error) {
	o = cmp.Or(o, &StatsOptions{})
	if err := o.check(); err != nil {
		return nil, err
	}
	all, err := st.stored(ctx)
	if err != nil {
		return nil, err
	}
	var only map[string]bool
	if o.Select != nil {
		chosen, err := st.choose(ctx, o.Select, all)
		if err != nil {
			return nil, err
		}
		only = map[string]bool{}
		any := false
		for i, c := range all {
			any = any || chosen[i] && c.err == nil
			if chosen[i] {
				err = errors.Join(err, c.err)
			}
			if c.err != nil {
				continue
			}
			only[*c.spec.common().stepName] = only[*c.spec.common().stepName] || chosen[i]
		}
		if !any && err != nil {
			return nil, err
		}
	}
	h, err := readSeries(ctx, &st.history, o, only)
	if err != nil {
		return nil, err
	}
	r := &statsReport{store: st, history: h, specs: map[string]common{}, newFrom: o.NewFrom, stats: &Stats{
		Records: h.records, Runs: len(h.runs), Passed: h.passed, Skipped: h.skipped, Unread: h.unread, others: len(h.ran) > 0,
		Steps: []StepStats{}, Pipelines: []PipelineStats{}, NeverRun: []string{}, Suggestions: []Suggestion{},
	}}
	if h.records > 0 {
		r.stats.Since, r.stats.Until = NewTimestamp(h.first), NewTimestamp(h.last)
	}
	for _, c := range all {
		if c.err != nil {
			continue
		}
		if step := *c.spec.common().stepName; only == nil || only[step] {
			r.specs[step] = c.spec.common()
		}
	}
	r.steps()
	if err := r.pipelines(); err != nil {
		return nil, err
	}
	r.neverRun()
	r.suggest(o.All)
	return r.stats, context.Cause(ctx)
}

// statsReport is Stats in the making.
type statsReport struct {
	store   *Store
	history *seriesOfSteps
	specs   map[string]common // by step
	loaded  []*PipelineTestingSpec
	newFrom time.Time
	shown   []stepWindow // once asked for
	stats   *Stats
}

func (r *statsReport) steps() {
	total := time.Duration(0)
	var trends []comparison
	for _, s := range r.history.series {
		stats := s.stats(r.newFrom)
		total = added(total, stats.Total)
		r.stats.Steps = append(r.stats.Steps, stats)
	}
	for i := range r.stats.Steps {
		s := &r.stats.Steps[i]
		trends = append(trends, comparison{&s.Duration, leastChange.Seconds()}, comparison{&s.Memory, leastMemory})
		if total > 0 {
			s.Share = float64(s.Total) / float64(total)
		}
	}
	decide(trends)
	slices.SortStableFunc(r.stats.Steps, func(a, b StepStats) int { return cmp.Compare(b.Total, a.Total) }) // else as series are sorted
}

func (r *statsReport) neverRun() {
	if len(r.stats.Unread) > 0 {
		return // there may be a record of it
	}
	for _, step := range sortedKeys(r.specs) {
		if !r.history.ran[step] {
			r.stats.NeverRun = append(r.stats.NeverRun, step)
		}
	}
}

// readSeries reads a history, of some steps or of all. All of it is read, whatever the options bound, to know what was never run.
func readSeries(ctx context.Context, h *History, o *StatsOptions, only map[string]bool) (*seriesOfSteps, error) {
	all, filter := newSeriesOfSteps(), HistoryFilter{Since: o.Since, Until: o.Until}
	skipped := map[string]*skippedLines{}
	var errs []error
	for d, err := range h.read(time.Time{}, false, skipped) {
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case err != nil:
			errs = append(errs, err)
		default:
			all.ran[d.StepName] = true
			if (only == nil || only[d.StepName]) && filter.holds(&d.Record) {
				all.add(d)
			}
		}
	}
	if len(errs) > 0 && len(all.ran) == 0 {
		return nil, errors.Join(errs...)
	}
	for _, err := range errs {
		all.unread = append(all.unread, err.Error())
	}
	slices.Sort(all.unread)
	for _, lines := range skipped {
		all.skipped += lines.count
	}
	all.sort()
	return all, nil
}
