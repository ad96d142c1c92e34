package scriptspec

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/scriptspec/scriptspec/internal/stats"
)

const (
	windowRuns = 20 // how many runs are looked at
	fewestRuns = stats.Fewest
	levelOf    = 0.01 // of all tests of a report together
	leastPart  = 0.1  // of a median

	leastChange = 50 * time.Millisecond // of a duration
	leastMemory = 8 << 20
)

// seriesOfSteps is a history in memory: some 90 bytes for each record.
type seriesOfSteps struct {
	series   []*series // sorted by step, example and pipeline
	byKey    map[pastKey]*series
	names    []string // texts of records, by number
	numbers  map[string]number
	runtimes map[[2]number]number // by interpreter and platform
	runs     map[number]bool
	ran      map[string]bool // steps of which there is a record, also of another time
	records  int
	passed   int
	skipped  int
	unread   []string // why, of files
	first    time.Time
	last     time.Time
}

// number stands for a text that many records have.
type number uint32

// series are the attempts of a step or of an example, in the order of time.
type series struct {
	of       *seriesOfSteps
	key      pastKey
	script   number
	attempts []attempt
	outputs  [2 * windowRuns][]byte // of the last attempts, as they are written; nothing looks at those of others
}

// attempt is what of a record statistics are made of. It has no pointers, of which there would be hundreds of thousands.
type attempt struct {
	at                                                       int64 // microseconds since 1970
	duration, imports                                        time.Duration
	memory, inputBytes                                       int64
	outcome, run, pipeline, shard, spec, code, input, commit number
	coldIn                                                   number
	runtime                                                  number // interpreter and platform
	outputs                                                  uint8  // where those of the series are, from 1; 0 if they were not kept
	passed, warm                                             bool
	cold                                                     bool // the first of several in one session
}

func newSeriesOfSteps() *seriesOfSteps {
	return &seriesOfSteps{byKey: map[pastKey]*series{}, numbers: map[string]number{"": 0}, runtimes: map[[2]number]number{}, names: []string{""}, runs: map[number]bool{}, ran: map[string]bool{}, unread: []string{}}
}

func (a *seriesOfSteps) number(text string) number {
	n, ok := a.numbers[text]
	if !ok {
		n = number(len(a.names))
		a.names = append(a.names, text)
		a.numbers[text] = n
	}
	return n
}

func (a *seriesOfSteps) add(d *recordDecoder) {
	key := d.key()
	s := a.byKey[key]
	if s == nil {
		s = &series{of: a, key: key}
		a.byKey[key] = s
		a.series = append(a.series, s)
	}
	s.script = a.number(d.ScriptName)
	at := d.At.instant()
	if a.records == 0 || at.Before(a.first) {
		a.first = at
	}
	if a.records == 0 || at.After(a.last) {
		a.last = at
	}
	a.records++
	x := attempt{
		at: at.UnixMicro(), duration: d.Duration, imports: d.ImportTime, memory: d.PeakMemory, inputBytes: d.InputBytes,
		outcome: a.number(string(d.Outcome)), run: a.number(d.Run), coldIn: a.number(d.coldIn()), pipeline: a.number(d.Pipeline), shard: a.number(d.Shard),
		spec: a.number(d.SpecDigest), code: a.number(d.ScriptDigest), input: a.number(d.InputDigest), commit: a.number(d.Commit),
		runtime: a.runtime(d), outputs: s.keepOutputs(d.outputs), passed: d.Passed(), warm: d.Warm,
	}
	a.runs[x.run] = true
	if x.passed {
		a.passed++
	}
	s.attempts = append(s.attempts, x)
}

// keepOutputs keeps the outputs of the attempt that comes next, in the place of those that have been there the longest.
func (s *series) keepOutputs(text []byte) uint8 {
	n := len(s.attempts)
	if n >= len(s.outputs) {
		s.attempts[n-len(s.outputs)].outputs = 0
	}
	at := n % len(s.outputs)
	s.outputs[at] = append(s.outputs[at][:0], text...)
	return uint8(at + 1)
}

// outputsOf returns the outputs of an attempt that were kept.
func (s *series) outputsOf(x *attempt) map[string]RecordedOutput {
	if x.outputs == 0 {
		return nil
	}
	return decodedOutputs(s.outputs[x.outputs-1])
}

func (a *seriesOfSteps) runtime(d *recordDecoder) number {
	of := [2]number{a.number(d.Python), a.number(d.Platform)}
	n, ok := a.runtimes[of]
	if !ok {
		n = number(len(a.runtimes))
		a.runtimes[of] = n
	}
	return n
}

func (a *seriesOfSteps) sort() {
	slices.SortFunc(a.series, func(x, y *series) int {
		return x.key.compare(y.key)
	})
	for _, s := range a.series {
		slices.SortStableFunc(s.attempts, func(x, y attempt) int { return cmp.Compare(x.at, y.at) })
		sessions := make([]number, len(s.attempts))
		for i, x := range s.attempts {
			sessions[i] = x.coldIn
		}
		for i, first := range firsts(sessions) {
			s.attempts[i].cold = first
		}
	}
}

// weeks is how long the history is, at least one.
func (a *seriesOfSteps) weeks() float64 {
	const week = 7 * 24 * time.Hour
	return max(1, a.last.Sub(a.first).Hours()/week.Hours())
}

// weekly returns how often a week something happened.
func (a *seriesOfSteps) weekly(times int) float64 { return float64(times) / a.weeks() }

func (s *series) name() string { return s.key.String() }

// comparable returns the attempts that passed and can be compared with the last one that has, in the order of time. What reads data of
// which nothing is known can be compared with nothing.
func (s *series) comparable() []*attempt {
	list := make([]*attempt, 0, len(s.attempts))
	for i := len(s.attempts) - 1; i >= 0; i-- {
		x := &s.attempts[i]
		if !x.passed || x.cold || x.input == 0 {
			continue
		}
		if len(list) == 0 || x.warm == list[0].warm && x.runtime == list[0].runtime && x.input == list[0].input {
			list = append(list, x)
		}
	}
	slices.Reverse(list)
	return list
}

func window(list []*attempt) []*attempt { return list[max(0, len(list)-windowRuns):] }

func values(list []*attempt, of func(*attempt) float64) []float64 {
	all := make([]float64, len(list))
	for i, x := range list {
		all[i] = of(x)
	}
	return all
}

func seconds(x *attempt) float64 { return x.duration.Seconds() }

func memory(x *attempt) float64 { return float64(x.memory) }

// stats returns all that is said of a series by itself.
func (s *series) stats(newFrom time.Time) StepStats {
	last := s.attempts[len(s.attempts)-1]
	r := StepStats{
		StepName: s.key.step, Example: s.key.example, Pipeline: s.key.pipeline, ScriptName: s.of.names[s.script], Runs: len(s.attempts), Outcomes: map[Outcome]int{},
		LastRun: NewTimestamp(time.UnixMicro(last.at).UTC()), LastOutcome: Outcome(s.of.names[last.outcome]),
	}
	for _, x := range s.attempts {
		r.Total = added(r.Total, x.duration)
		r.Outcomes[Outcome(s.of.names[x.outcome])]++
		if x.passed {
			r.Passed++
		}
	}
	r.Flaky, r.FlakyRuns = flakiness(s.same())
	list := s.comparable()
	if shown := window(list); len(shown) > 0 {
		times := values(shown, seconds)
		r.Window, r.PeakMemory = len(shown), int64(stats.Median(values(shown, memory)))
		r.Median, r.P90, r.Min = fromSeconds(stats.Median(times)), fromSeconds(stats.Quantile(times, 0.9)), fromSeconds(slices.Min(times))
	}
	old, recent := split(list, newFrom)
	r.Duration, r.Memory = newTrend(old, recent, seconds), newTrend(old, recent, memory)
	return r
}

// added is a sum, or the longest time there is.
func added(a, b time.Duration) time.Duration { return a + min(b, math.MaxInt64-a) }

// same returns the attempts with the spec, script and inputs of the last one, as far as these are known.
func (s *series) same() []*attempt {
	last := s.attempts[len(s.attempts)-1]
	if last.spec == 0 || last.code == 0 || last.input == 0 {
		return nil
	}
	list := make([]*attempt, 0, len(s.attempts))
	for i := range s.attempts {
		x := &s.attempts[i]
		if x.spec == last.spec && x.code == last.code && x.input == last.input {
			list = append(list, x)
		}
	}
	return list
}

// flakiness returns how often the outcome changed, as a part of how often it could have.
func flakiness(list []*attempt) (score float64, runs int) {
	if len(list) < 2 {
		return 0, len(list)
	}
	flips := 0
	for i := 1; i < len(list); i++ {
		if list[i].outcome != list[i-1].outcome {
			flips++
		}
	}
	return float64(flips) / float64(len(list)-1), len(list)
}

// split returns the newest of comparable attempts and those before: new are those since the last change of spec or script, or the last
// six if there was none; or those from a time on.
func split(list []*attempt, newFrom time.Time) (old, recent []*attempt) {
	if !newFrom.IsZero() {
		begin, _ := slices.BinarySearchFunc(list, newFrom.UnixMicro(), func(x *attempt, at int64) int { return cmp.Compare(x.at, at) })
		return window(list[:begin]), window(list[begin:])
	}
	list, begin := sinceChange(list)
	if begin == 0 {
		begin = max(0, len(list)-fewestRuns)
	}
	begin = max(begin, len(list)-windowRuns)
	return list[max(0, begin-windowRuns):begin], list[begin:]
}

// sinceChange returns the attempts with the number of the first one since spec or script were changed. Fewer than six in a row of another
// spec or script, with others before and after them, are no change but tries, as with run --set, and left out.
func sinceChange(list []*attempt) (without []*attempt, begin int) {
	begin = len(list)
	for i := len(list) - 1; i >= 0 && begin-i <= fewestRuns; i-- {
		if last := list[len(list)-1]; list[i].spec == last.spec && list[i].code == last.code {
			begin = i
			without = append(without, list[i])
		}
	}
	slices.Reverse(without)
	return slices.Concat(list[:begin], without), begin
}

// newTrend makes the test, which decide corrects.
func newTrend(old, recent []*attempt, of func(*attempt) float64) Trend {
	t := Trend{Verdict: VerdictTooFew, OldRuns: len(old), NewRuns: len(recent), P: 1}
	before, after := values(old, of), values(recent, of)
	if len(old) > 0 {
		t.Old = stats.Median(before)
	}
	if len(recent) > 0 {
		t.New = stats.Median(after)
	}
	if min(len(old), len(recent)) >= fewestRuns {
		t.Verdict = VerdictSame
		if t.measured() {
			t.P = stats.MannWhitney(before, after)
		}
	}
	return t
}

// measured reports whether there is something to test, which of memory is not so on all systems.
func (t *Trend) measured() bool { return max(t.Old, t.New) > 0 }

// comparison is a trend, with the difference of medians below which it is no news.
type comparison struct {
	*Trend
	least float64
}

// decide corrects all tests of a report together, and says which of them are news.
func decide(trends []comparison) {
	var tested []comparison
	var p []float64
	for _, t := range trends {
		if t.Verdict == VerdictSame && t.measured() {
			tested, p = append(tested, t), append(p, t.P)
		}
	}
	for i, corrected := range stats.Holm(p) {
		t := tested[i]
		t.P = corrected
		switch {
		case t.P >= levelOf || !large(t.Old, t.New, t.least):
		case t.New > t.Old:
			t.Verdict = VerdictMore
		default:
			t.Verdict = VerdictLess
		}
	}
}

// large reports whether a difference is large enough to be news.
func large(old, recent, least float64) bool {
	const rounded = 1 + 1e-9 // 0.15 - 0.1 is a little less than 0.05
	change := math.Abs(recent-old) * rounded
	return change >= least && change >= leastPart*old
}

// String returns "+52 %", "-31 %", "~" for no difference, or "too few runs (4 of 6)".
func (t Trend) String() string {
	switch t.Verdict {
	case VerdictMore, VerdictLess:
		if t.Old <= 0 {
			return "new"
		}
		return fmt.Sprintf("%+.0f %%", 100*(t.New/t.Old-1))
	case VerdictSame:
		return "~"
	}
	return fmt.Sprintf("too few runs (%d of %d)", min(t.OldRuns, t.NewRuns), fewestRuns)
}
