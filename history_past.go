package scriptspec

import (
	"encoding/json"
	"time"

	"github.com/scriptspec/scriptspec/internal/stats"
)

// PastRuns is what a history has of a step, or of an example of it, from before a run.
type PastRuns struct {
	// Runs counts all of them.
	Runs int `json:"runs"`
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

// past are the runs that a history had when it was read.
type past map[pastKey]*PastRuns

// of returns the past of a step or of an example of it.
func (p past) of(step, example string) PastRuns {
	if runs := p[pastKey{step, example}]; runs != nil {
		return *runs
	}
	return PastRuns{}
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

// recent reads the past of all steps. What cannot be read is not there: a run does not depend on it. A nil History has none.
func (h *History) recent() past {
	if h == nil {
		return nil
	}
	h.git.ask(h.store.dir) // the first record will want it
	p := past{}
	for d, err := range h.read(time.Time{}, false, map[string]*skippedLines{}) {
		if err != nil {
			continue
		}
		key := pastKey{d.StepName, d.Example}
		runs := p[key]
		if runs == nil {
			runs = &PastRuns{}
			p[key] = runs
		}
		runs.Runs++
		if len(runs.Recent) == recentRuns {
			copy(runs.Recent, runs.Recent[1:])
			runs.Recent = runs.Recent[:recentRuns-1]
		}
		runs.Recent = append(runs.Recent, PastRun{d.At, d.Outcome, d.Duration, d.like()})
	}
	return p
}
