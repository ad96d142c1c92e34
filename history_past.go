package scriptspec

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/scriptspec/scriptspec/internal/history"
	"github.com/scriptspec/scriptspec/internal/stats"
)

// PastRuns is what a history has of a step, or of an example of it, from before a run: of a node of a pipeline the runs in this
// pipeline, and else those outside of any.
type PastRuns struct {
	// Recent are the last 20, oldest first.
	Recent []PastRun `json:"recent"`
	// Comparable sums up the last 20 that passed and are like this one: with the same inputs, interpreter, platform and kind of
	// start. The first of several in one session that started cold is left out. It is zero if the inputs are not known, as in a job of an
	// engine. Only the last 50 runs are looked at, or the last 1000 if the budget of the spec bounds the regression.
	Comparable PastTimes `json:"comparable,omitzero"`
}

// PastTimes are the times of several runs, seconds in JSON.
type PastTimes struct {
	Runs   int           `json:"runs"`
	Median time.Duration `json:"-"`
	P90    time.Duration `json:"-"`
	Min    time.Duration `json:"-"`
}

type plainTimes PastTimes // without methods

type timesJSON struct {
	*plainTimes
	Median float64 `json:"median"`
	P90    float64 `json:"p90"`
	Min    float64 `json:"min"`
}

// MarshalJSON writes times in seconds.
func (p PastTimes) MarshalJSON() ([]byte, error) {
	return json.Marshal(timesJSON{(*plainTimes)(&p), p.Median.Seconds(), p.P90.Seconds(), p.Min.Seconds()})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (p *PastTimes) UnmarshalJSON(data []byte) error {
	v := timesJSON{plainTimes: (*plainTimes)(p)}
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	p.Median, p.P90, p.Min = fromSeconds(v.Median), fromSeconds(v.P90), fromSeconds(v.Min)
	return nil
}

// PastRun is one attempt of an earlier run.
type PastRun struct {
	At       Timestamp     `json:"at"`
	Outcome  Outcome       `json:"outcome"`
	Duration time.Duration `json:"-"` // seconds in JSON
}

type plainPast PastRun // without methods

type pastJSON struct {
	*plainPast
	Duration float64 `json:"duration"`
}

// MarshalJSON writes the duration in seconds.
func (p PastRun) MarshalJSON() ([]byte, error) {
	return json.Marshal(pastJSON{(*plainPast)(&p), p.Duration.Seconds()})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (p *PastRun) UnmarshalJSON(data []byte) error {
	v := pastJSON{plainPast: (*plainPast)(p)}
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	p.Duration = fromSeconds(v.Duration)
	return nil
}

const (
	recentRuns = 20   // how many past runs are shown, and compared with
	mostLooked = 50   // how many are looked at for those to compare with
	mostWanted = 1000 // and how many if a budget asks for them
)

// pastKey is what runs are of: runs of a step in a pipeline, on what others hand over, say nothing of those on data of its own, nor
// the other way round.
type pastKey struct{ step, example, pipeline string }

// String names it as a person does: "Prep_training/small", and of a pipeline "Prep_training (churn)".
func (k pastKey) String() string {
	text := k.step
	if k.example != "" {
		text += "/" + k.example
	}
	if k.pipeline != "" {
		text += " (" + k.pipeline + ")"
	}
	return text
}

func (k pastKey) compare(to pastKey) int {
	return cmp.Or(strings.Compare(k.step, to.step), strings.Compare(k.example, to.example), strings.Compare(k.pipeline, to.pipeline))
}

func (k pastKey) members() []string { return []string{k.step, k.example, k.pipeline} }

func (r *Record) key() pastKey { return pastKey{r.StepName, r.Example, r.Pipeline} }

// recordKeys are the members of a line that make its pastKey.
func recordKeys() history.Key {
	return history.Key{Members: []string{"step_name", "example", "pipeline"}, Begin: fmt.Sprintf(`{"v":%d,"run":`, recordVersion), End: "attempt"}
}

// likeness is what runs must have in common for their times to be compared.
type likeness struct {
	warm                    bool
	python, platform, input string
}

// ownRun is a run whose past is asked for: the run of its attempts, which are none of its past, and the session if it started cold.
type ownRun struct{ run, coldIn string }

func (r *Record) like() likeness { return likeness{r.Warm, r.Python, r.Platform, r.InputDigest} }

// comparable reports whether the times of two runs can be compared. Inputs that are not known may be any.
func (l likeness) comparable(to likeness) bool { return l == to && l.input != "" }

// comparables collects the times of runs that can be compared with another one, newest first. The first of several in one session
// that started cold counts only as long as no other of the session is known.
type comparables struct {
	times  []float64
	cold   map[string]coldRuns // by session
	firsts int                 // in times, of sessions with several runs
}

// coldRuns are the runs of a session that started cold: how many, and where in times the first of them is, -1 if it is not.
type coldRuns struct{ runs, first int }

func (c *comparables) add(r *Record, like likeness) {
	at := -1
	if r.Passed() && like.comparable(r.like()) {
		at = len(c.times)
		c.times = append(c.times, r.Duration.Seconds())
	}
	session := r.coldIn()
	if session == "" {
		return
	}
	before, known := c.cold[session]
	if known && before.runs > 1 && before.first >= 0 {
		c.firsts--
	}
	if known && at >= 0 {
		c.firsts++
	}
	c.cold[session] = coldRuns{before.runs + 1, at}
}

func (c *comparables) enough() bool { return len(c.times)-c.firsts >= recentRuns }

// sum returns what there is to say of the last ones.
func (c *comparables) sum() PastTimes {
	for _, of := range c.cold {
		if of.runs > 1 && of.first >= 0 {
			c.times[of.first] = -1
		}
	}
	times := slices.DeleteFunc(c.times, func(took float64) bool { return took < 0 })
	times = times[:min(len(times), recentRuns)]
	if len(times) == 0 {
		return PastTimes{}
	}
	return PastTimes{len(times), fromSeconds(stats.Median(times)), fromSeconds(stats.Quantile(times, 0.9)), fromSeconds(slices.Min(times))}
}

// index calls do with what is known of the files. One that cannot be opened is as one that is not there: a run does not depend on it.
func (h *History) index(do func(*history.Index, *history.Log) error) {
	files, err := h.store.open(false)
	if err != nil {
		return
	}
	log, err := history.Open(files, false, 0)
	if err != nil {
		return
	}
	defer log.Close()    //nolint:errcheck // nothing was written
	_ = do(h.lines, log) // likewise
}

// ahead looks for the past of runs while one of them is under way, so that it does not take longer. wait returns when that
// is done. A nil History has no past.
func (h *History) ahead(key pastKey) (wait func()) {
	if h == nil {
		return func() {}
	}
	h.git.ask(h.store.dir) // the first record will want it
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.index(func(x *history.Index, log *history.Log) error { return x.Reach(log, key.members(), mostLooked) })
	}()
	return func() { <-done }
}

// past reads what there is of runs before a run that is like others. It reads the newest months from their ends, and no more than
// it needs: most is how many runs are looked at.
func (h *History) past(key pastKey, of ownRun, like likeness, most int) PastRuns {
	var p PastRuns
	if h == nil {
		return p
	}
	h.index(func(x *history.Index, log *history.Log) error {
		d, looked := &recordDecoder{texts: history.Texts{}}, 0
		times := comparables{cold: map[string]coldRuns{}}
		if of.coldIn != "" {
			times.cold[of.coldIn] = coldRuns{1, -1} // a later run of its session
		}
		err := x.Last(log, key.members(), func(line []byte) bool {
			if !d.read(line) || d.key() != key {
				return true
			}
			if of.run != "" && d.Run == of.run {
				return true
			}
			if looked++; len(p.Recent) < recentRuns {
				p.Recent = append(p.Recent, PastRun{d.At, d.Outcome, d.Duration})
			}
			times.add(&d.Record, like)
			return looked < most && (looked < recentRuns || like.input != "" && !times.enough())
		})
		p.Comparable = times.sum()
		return err
	})
	slices.Reverse(p.Recent)
	return p
}
