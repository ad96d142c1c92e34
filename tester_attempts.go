package scriptspec

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/scriptspec/scriptspec/internal/mask"
)

// job is one script to be run, with what its caller decides.
type job struct {
	runID
	spec    Spec
	timeout time.Duration // replaces that of the spec and the tester, unless it is 0
	masker  *mask.Masker
	within  []string     // directories that links in inputs may lead to, besides the inputs
	expect  Outcome      // "" means OutcomePassed
	clear   func() error // empties the outputs before a further attempt; nil leaves them as they are
	place   *jobPlace    // of the engine's jobs; nil outside of a pipeline
	moved   bool         // its outputs are not where the spec has them
	from    *asGiven     // nil if the paths are those that its caller gave
}

// asGiven is a spec before its paths became those of files.
type asGiven struct {
	spec  Spec
	paths pathResolver
}

// ofStore returns a spec of a store as it is run, with the paths of files unless the tester has a base of its own, and what it was.
func (t *RuntimeTester) ofStore(st *Store, s *ScriptExecutionSpec) (*ScriptExecutionSpec, *asGiven) {
	from := &asGiven{s.Clone(), st.paths()}
	if t.Base != "" {
		from.paths.base, from.paths.vars = t.Base, t.PathVars
		return s, from
	}
	resolved, _ := from.paths.resolve(s) // it has no variables that could be unknown
	return resolved.Basic(), from
}

// runID is where an attempt belongs.
type runID struct {
	Run      string // that of all results of one call
	Name     string // as the result calls it: of a node, a spec or an example of one
	Pipeline string // "" outside of one
	Example  string // "" for the spec itself
	Shard    string // "2/4"; "" for all of a suite
	Round    int    // from 1; 0 for a suite that is not repeated
	Attempt  int    // from 1
}

// finished returns the last event of the job.
func (j *job) finished(result *ScriptTestResult, err error) Event {
	e := j.event(EventFinished)
	e.Result, e.Expect, e.Status = result, j.expect, lostStatus(err)
	if result != nil {
		e.Attempt = max(1, len(result.Attempts))
	}
	if err != nil {
		e.Error = err.Error()
	}
	return e
}

// newRunID returns an identity for a run.
func newRunID() string { return rand.Text() }

// run runs a script, and runs it again while it fails in a way that may be chance and attempts are left. The
// caller bounds concurrency.
func (t *RuntimeTester) run(ctx context.Context, j job) (*ScriptTestResult, error) {
	given := j.spec
	s, errs := pathResolver{base: t.Base, vars: t.PathVars}.resolve(given)
	errs = joinByPath(errs, runErrors(s))
	if fe := t.retriesError(); fe != nil {
		errs = append(errs, fe)
	}
	if len(errs) > 0 {
		return nil, newValidationError(subject(s), errs)
	}
	j.spec, j.timeout = s, cmp.Or(max(j.timeout, 0), timeoutOf(s), max(t.Timeout, 0), 5*time.Minute)
	allowed := 1 + max(t.Retries, s.common().meta.Retries)
	key := pastKey{*s.common().stepName, j.Example, j.Pipeline}
	wait := t.History.ahead(key)
	defer wait()
	var attempts []ScriptTestResult
	for {
		j.Attempt = len(attempts) + 1
		t.tell(j.event(EventStarted))
		result, err := t.attempt(ctx, j, given)
		if err != nil {
			return nil, fmt.Errorf("test of %s: %w", subject(s), err)
		}
		attempts = append(attempts, *result)
		if j.Attempt == allowed || result.Outcome == expected(j.expect) || !mayBeChance(result) || ctx.Err() != nil {
			result = summarised(attempts, expected(j.expect))
			budget, most := &s.common().meta.Budget, mostLooked
			if budget.Regression > 0 {
				most = mostWanted
			}
			result.Past = t.History.past(key, ownRun{j.Run, result.coldIn}, result.like, most)
			if result.Success {
				result.Budget, result.UncheckedBudget = budget.uses(result), budget.unchecked(result, t.History != nil)
			}
			return result, nil
		}
		if j.clear != nil {
			if err := j.clear(); err != nil {
				return nil, fmt.Errorf("test of %s: outputs of attempt %d: %w", subject(s), j.Attempt, err)
			}
		}
	}
}

func (t *RuntimeTester) retriesError() *FieldError {
	if t.Retries <= mostRetries {
		return nil
	}
	return (&FieldError{
		Path: "RuntimeTester.Retries", Code: CodeFormat, Value: t.Retries, Message: fmt.Sprintf("Retries is more than %d", mostRetries),
	}).hintf(retriesHint)
}

// mostRetries bounds Retries, of a tester and of a spec.
const (
	mostRetries = 5
	retriesHint = "what fails six times in a row hardly does so by chance"
)

// mayBeChance reports whether the same script, run on the same inputs, may end otherwise. One that was not started,
// cannot be called, used too much memory or changed its inputs would end in the same way, or not be run on the same.
func mayBeChance(r *ScriptTestResult) bool {
	switch r.Outcome {
	case OutcomeException, OutcomeSignal, OutcomeTimeout, OutcomeCrashed, OutcomeNoOutput, OutcomeUnfinished, OutcomeExitMessage:
		return len(r.ChangedInputs) == 0
	case OutcomeExit:
		const usage = 2 // argparse's for flags that it does not know
		return r.ExitCode != usage && len(r.ChangedInputs) == 0
	}
	return false
}

// summarised returns the last of several attempts, with all of them in it if there was more than one.
func summarised(attempts []ScriptTestResult, expect Outcome) *ScriptTestResult {
	last := attempts[len(attempts)-1]
	if len(attempts) > 1 {
		last.Attempts = attempts
		last.Flaky = last.Outcome == expect
	}
	return &last
}
