package scriptspec

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"

	"github.com/scriptspec/scriptspec/internal/filename"
	"github.com/scriptspec/scriptspec/internal/fsaccess"
)

// SuiteOptions changes what [RuntimeTester.TestStore] does. Nil means the zero value.
type SuiteOptions struct {
	// Select picks specs; nil means all.
	Select *Selector
	// Example runs only the example with this name, of the specs that have it; "" runs the specs themselves and all of
	// their examples, "-" the specs alone.
	Example string
	// WithoutPipelines is as in HarnessOptions.
	WithoutPipelines bool
	// OutputDir has the outputs of each run as <name>/<logical name>; "" means a temporary directory for each, which
	// goes if the run has ended as it should.
	OutputDir string
	// FailFast starts no more runs once one has not ended as it should. Those that have begun go on.
	FailFast bool
	// Shard is the part to run, if the suite is split among several machines.
	Shard Shard
	// LastFailed leaves out what ended as it should when it was last recorded in the history of the store. What is not on record is
	// run. If nothing is left, all is run. With a Shard all runs are dealt first, and a shard of which nothing is left runs nothing: shards
	// 1 to n run what failed once between them, also one after the other. FailedFirst starts what failed before everything else.
	LastFailed, FailedFirst bool
	// Repeat runs all of that so many times, one round after the other; 0 means once. What is run, and in which order, is the same in
	// each round. The result has the runs of rounds that were not begun as skipped: after the end of ctx, and with FailFast after the
	// round in which something has failed.
	Repeat int
	// Change is called with each spec before it is run, and may change it.
	Change func(s *ScriptExecutionSpec) error
}

// TestStore runs the specs of a store, and their examples, as [RunStore] does without go test: as many at the same time
// as Parallelism allows. The error is for a selection with a word that matches no spec, or a store that cannot be read. With
// a result it is that of ctx, if that has ended, or what kept every script from being tested, such as an interpreter that is
// not Python; problems of specs are in the result alone.
func (t *RuntimeTester) TestStore(ctx context.Context, st *Store, o *SuiteOptions) (*StoreTestResult, error) {
	o = cmp.Or(o, &SuiteOptions{})
	if err := o.Shard.check(); err != nil {
		return nil, err
	}
	if o.Repeat < 0 {
		return nil, (&FieldError{Path: "repeat", Code: CodeFormat, Value: o.Repeat, Message: "must not be negative"}).hintf("0 and 1 mean once")
	}
	runs, err := t.suiteRuns(ctx, st, o)
	if err != nil {
		return nil, err
	}
	s := suite{tester: t, o: o, store: st}
	s.result = &StoreTestResult{Dir: st.specs, StartedAt: now(), Specs: []SpecTestResult{}}
	s.starts, s.stop = context.WithCancelCause(ctx)
	defer s.stop(nil)
	s.turn = make(chan struct{})
	close(s.turn)
	runs = s.arrange(st, runs)                                 // for all rounds, before the first one writes to the history
	s.result.Success = len(runs) == 0 && s.result.Shard != nil // there may be more shards than runs
	rounds := max(o.Repeat, 1)
	ids := make([]runID, rounds) // of what all runs of a round have in common
	for round := range ids {     // also those that are never begun
		ids[round] = runID{Run: newRunID(), Shard: o.Shard.String()}
		if rounds > 1 {
			ids[round].Round = round + 1
		}
		for i, r := range slices.SortedFunc(slices.Values(runs), func(a, b *suiteRun) int { return cmp.Compare(a.place, b.place) }) {
			r.number = i // the result is in the order of the store
			s.result.add(r.in(ids[round]), r.expect)
		}
	}
	for round, id := range ids {
		s.round(ctx, runs, id, round*len(runs))
	}
	t.flush()
	if cause := context.Cause(ctx); cause != nil {
		return s.result, cause
	}
	return s.result, s.untested.reason()
}

// suiteRuns returns all runs that a suite has, in the order of the store.
func (t *RuntimeTester) suiteRuns(ctx context.Context, st *Store, o *SuiteOptions) ([]*suiteRun, error) {
	all, err := st.stored(ctx)
	if err != nil {
		return nil, err
	}
	chosen, err := st.choose(ctx, o.Select, all)
	if err != nil {
		return nil, err
	}
	if err := t.unfit(); err != nil {
		return nil, err
	}
	if o.WithoutPipelines {
		used, err := st.specsOfPipelines()
		if err != nil {
			return nil, err
		}
		for i, c := range all {
			chosen[i] = chosen[i] && used[c.stem+specFileSuffix] == ""
		}
	}
	var runs []*suiteRun
	add := func(r suiteRun) {
		r.place = len(runs)
		runs = append(runs, &r)
	}
	for i, c := range all {
		if !chosen[i] {
			continue
		}
		if c.err != nil {
			add(suiteRun{id: runID{Name: c.stem}, err: c.err})
			continue
		}
		if o.Example == "" || o.Example == "-" {
			add(suiteRun{id: runID{Name: c.stem}, spec: c.spec})
		}
		for _, e := range c.spec.common().meta.Examples {
			if o.Example == "" || o.Example == e.Name {
				add(suiteRun{id: runID{Name: c.stem + "/" + e.Name, Example: e.Name}, spec: withExample(c.spec, e), expect: e.Expect})
			}
		}
	}
	return runs, nil
}

// round makes each run once, and waits for all of them. The result has its runs from the first on. No
// round is begun after one in which nothing could be tested or, with FailFast, something has failed: its runs are skipped.
func (s *suite) round(ctx context.Context, runs []*suiteRun, id runID, first int) {
	var running sync.WaitGroup
	for _, r := range runs {
		if r.err != nil {
			s.result.end(first+r.number, nil, r.err)
			s.untested.note(nil, r.err)
			continue
		}
		s.start(ctx, &running, r, r.in(id), first+r.number)
	}
	running.Wait()
	if err := s.untested.reason(); err != nil {
		s.stop(err)
	}
	if s.o.FailFast && slices.ContainsFunc(runs, func(r *suiteRun) bool { return !s.result.passed(first + r.number) }) {
		s.stop(errFailFast)
	}
}

var errFailFast = errors.New("not started because another script failed")

type suite struct {
	tester   *RuntimeTester
	o        *SuiteOptions
	store    *Store
	result   *StoreTestResult
	starts   context.Context // ends when no more runs are to begin
	stop     context.CancelCauseFunc
	turn     chan struct{} // closed when the run that was started last has begun
	untested untested
}

// start has a run begin after those before it. The result has it under this number.
func (s *suite) start(ctx context.Context, running *sync.WaitGroup, r *suiteRun, id runID, number int) {
	spec, expect := r.spec, r.expect
	before, turn := s.turn, make(chan struct{})
	s.turn = turn
	queued := job{runID: id, expect: expect}
	s.tester.tell(queued.event(EventQueued))
	running.Go(func() {
		<-before // runs begin in their order
		release, err := s.tester.slot(s.starts)
		close(turn)
		var result *ScriptTestResult
		status := NodeSkipped
		if err == nil {
			defer release() // after FailFast has had its say
		}
		switch {
		case errors.Is(err, errFailFast):
		case err != nil:
			err = fmt.Errorf("not begun when the run was ended: %w", err)
		default:
			result, err = s.run(ctx, spec, id, expect)
			status = lostStatus(err)
			if cause := context.Cause(ctx); err != nil && cause != nil && !isSpecError(err) {
				status, err = NodeCancelled, fmt.Errorf("running when the run was ended: %w", cause)
			}
		}
		s.result.endAs(number, status, result, err)
		end := SpecTestResult{Name: id.Name, Expect: expect, Result: result}
		if err != nil {
			end.Error = err.Error()
		}
		if !end.passed() && s.o.FailFast {
			s.stop(errFailFast)
		}
		event := queued.finished(result, err)
		event.Status = status
		s.tester.tell(event)
	})
}

func (s *suite) run(ctx context.Context, spec Spec, id runID, expect Outcome) (result *ScriptTestResult, err error) {
	basic := spec.self().Basic()
	dir := filepath.Join(s.o.OutputDir, filename.Element(id.Name))
	if s.o.OutputDir == "" {
		if dir, err = s.tester.tempDir("scriptspec-outputs-"); err != nil {
			return nil, err
		}
		defer func() {
			if err == nil && result.Outcome == expected(expect) || !holdsFiles(dir) {
				err = errors.Join(err, fsaccess.RemoveTree(dir))
			}
		}()
	}
	moveOutputs(basic, dir)
	basic, from := s.tester.ofStore(s.store, basic)
	if s.o.Change != nil {
		if err := s.o.Change(basic); err != nil {
			return nil, err
		}
	}
	j := job{runID: id, spec: basic, masker: s.tester.masker(basic), expect: expect, moved: true, from: from}
	if s.o.OutputDir == "" {
		j.clear = func() error { return clearTrees(basic.OutputPaths) }
	}
	result, err = s.tester.run(ctx, j)
	s.untested.note(result, err)
	return result, err
}
