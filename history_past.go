package scriptspec

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/scriptspec/scriptspec/internal/history"
	"github.com/scriptspec/scriptspec/internal/stats"
)

// PastRuns is what a history has of a step, or of an example of it, from before a run.
type PastRuns struct {
	// Runs counts all of them if RuntimeTester.CountPast is set, else it is 0.
	Runs int `json:"runs,omitzero"`
	// Recent are the last 20, oldest first.
	Recent []PastRun `json:"recent"`
}

// PastRun is one attempt of an earlier run.
type PastRun struct {
	At       Timestamp     `json:"at"`
	Outcome  Outcome       `json:"outcome"`
	Duration time.Duration `json:"-"` // seconds in JSON

	like likeness
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

// recentRuns is how many past runs are kept of each step.
const recentRuns = 20

// pastKey is what runs are of.
type pastKey struct{ step, example string }

func (k pastKey) members() []string { return []string{k.step, k.example} }

func (r *Record) key() pastKey { return pastKey{r.StepName, r.Example} }

// recordKeys are the members of a line that make its pastKey.
func recordKeys() history.Key {
	return history.Key{Members: []string{"step_name", "example"}, Begin: fmt.Sprintf(`{"v":%d,"run":`, recordVersion), End: "attempt"}
}

// likeness is what runs must have in common for their times to be compared.
type likeness struct {
	warm                    bool
	python, platform, input string
}

func (r *Record) like() likeness { return likeness{r.Warm, r.Python, r.Platform, r.InputDigest} }

// usual returns the median duration of the runs before that passed and can be compared with this one, 0 if there are too few
// to tell a difference from noise.
func (r *ScriptTestResult) usual() time.Duration {
	var took []float64
	for _, p := range r.Past.Recent {
		if p.Outcome == OutcomePassed && p.like == r.like {
			took = append(took, p.Duration.Seconds())
		}
	}
	if len(took) < fewestRuns {
		return 0
	}
	return fromSeconds(stats.Median(took))
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
		h.index(func(x *history.Index, log *history.Log) error { return x.Reach(log, key.members(), 2*recentRuns) })
	}()
	return func() { <-done }
}

// past reads what there is of runs before a run. It reads the newest months from their ends, and no more than it needs.
func (h *History) past(key pastKey, run string, count bool) PastRuns {
	var p PastRuns
	if h == nil {
		return p
	}
	h.index(func(x *history.Index, log *history.Log) error {
		d, own := &recordDecoder{texts: history.Texts{}}, 0
		err := x.Last(log, key.members(), func(line []byte) bool {
			switch {
			case !d.read(line) || d.key() != key:
			case run != "" && d.Run == run:
				own++
			default:
				p.Recent = append(p.Recent, PastRun{d.At, d.Outcome, d.Duration, d.like()})
			}
			return len(p.Recent) < recentRuns
		})
		if err != nil || !count {
			return err
		}
		all, err := x.Count(log, key.members())
		p.Runs = all - own
		return err
	})
	slices.Reverse(p.Recent)
	return p
}
