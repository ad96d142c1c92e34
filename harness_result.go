package scriptspec

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/scriptspec/scriptspec/internal/amount"
)

// StoreTestResult is what came of the specs that [RunStore] has run. Environment values do not appear in
// it. It is complete when the parallel subtests have ended: in a function that was given to t.Cleanup.
type StoreTestResult struct {
	// Dir is the directory of the specs.
	Dir string `json:"dir"`
	// Success reports whether every spec has been run and has passed.
	Success bool `json:"success"`
	// StartedAt is when RunStore was called.
	StartedAt Timestamp `json:"started_at"`
	// Duration is from then to the end of the last spec; seconds in JSON.
	Duration time.Duration `json:"-"`
	// Specs are in the order of the store: sorted by the name of the spec, which comes before its examples. With
	// SuiteOptions.Repeat all of that is there for each round.
	Specs []SpecTestResult `json:"specs"`
	// Shard says which part of a suite they are, with SuiteOptions.Shard; nil if they are all of it.
	Shard *ShardResult `json:"shard,omitempty"`

	mu sync.Mutex
}

// SpecTestResult is what came of one spec of a store. With -short there is neither result nor error.
type SpecTestResult struct {
	// Name is that of the subtest: of a spec, or of an example behind it and a slash.
	Name string `json:"name"`
	// Example is the name of the example, "" for the spec itself.
	Example string `json:"example,omitzero"`
	// Round counts from 1 if there were several, with SuiteOptions.Repeat; else it is 0. Reports call the second one prep#2.
	Round int `json:"round,omitzero"`
	// Error says why there was no test, the spec cannot be loaded or run, or which hook failed it.
	Error string `json:"error"`
	// Expect is how the run had to end; "" means with OutcomePassed.
	Expect Outcome `json:"expect,omitzero"`
	// Status is NodeSkipped for a run that was not begun when [RuntimeTester.TestStore] was ended or FailFast wanted no more,
	// NodeCancelled for one that was running when it was ended, and NodeLost for one whose job ended without a verdict: Error says
	// why. It is "" for all others.
	Status NodeStatus `json:"status,omitzero"`
	// Result is what the tester reports of the script.
	Result *ScriptTestResult `json:"result"`
}

func (s *SpecTestResult) passed() bool {
	return s.Error == "" && s.Result != nil && s.Result.Outcome == expected(s.Expect)
}

// inRound returns the name as reports show it: with the round behind it, which the first one lacks.
func (s *SpecTestResult) inRound() string {
	if s.Round < 2 {
		return s.Name
	}
	return s.Name + "#" + strconv.Itoa(s.Round)
}

// add returns the index of a further spec.
func (r *StoreTestResult) add(id runID, expect Outcome) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Specs = append(r.Specs, SpecTestResult{Name: id.Name, Example: id.Example, Round: id.Round, Expect: expect})
	return len(r.Specs) - 1
}

// end notes what came of a spec.
func (r *StoreTestResult) end(i int, result *ScriptTestResult, err error) {
	r.endAs(i, lostStatus(err), result, err)
}

// endAs notes what came of a spec whose run has no verdict.
func (r *StoreTestResult) endAs(i int, status NodeStatus, result *ScriptTestResult, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := &r.Specs[i]
	s.Status, s.Result = status, result
	if err != nil {
		s.Error = err.Error()
	}
	r.Duration = time.Since(r.StartedAt.Time)
	r.Success = true
	for i := len(r.Specs) - 1; i >= 0 && r.Success; i-- { // those at the end are the last to pass
		r.Success = r.Specs[i].passed()
	}
}

// passed reports whether a spec has ended as it should.
func (r *StoreTestResult) passed(i int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.Specs[i].passed()
}

// lostStatus returns the status of a run by the error that kept it from a verdict, "" for all but one whose job was lost.
func lostStatus(err error) NodeStatus {
	if errors.Is(err, ErrLost) {
		return NodeLost
	}
	return ""
}

// String returns one line: the directory and how many specs have passed.
func (r *StoreTestResult) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	passed := 0
	for _, s := range r.Specs {
		if s.passed() {
			passed++
		}
	}
	return fmt.Sprintf("%s: %d of %d specs passed in %s", printable(r.Dir), passed, len(r.Specs), amount.Time(r.Duration))
}

// MarshalJSON writes a version, snake_case members and the duration in seconds.
func (r *StoreTestResult) MarshalJSON() ([]byte, error) {
	type plain StoreTestResult // without methods
	r.mu.Lock()
	defer r.mu.Unlock()
	return json.Marshal(struct {
		Version int `json:"version"`
		*plain
		Duration float64          `json:"duration"`
		Specs    []SpecTestResult `json:"specs"`
	}{reportVersion, (*plain)(r), r.Duration.Seconds(), orNone(r.Specs)})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (r *StoreTestResult) UnmarshalJSON(data []byte) error {
	type plain StoreTestResult // without methods
	read := struct {
		*plain
		Duration float64 `json:"duration"`
	}{plain: (*plain)(r)}
	if err := checkReportVersion(data, "store"); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := json.Unmarshal(data, &read); err != nil {
		return err
	}
	r.Duration = fromSeconds(read.Duration)
	return nil
}
