package scriptspec

import (
	"context"
	"time"
)

// PastOf returns what the history has of a step, or of an example of it.
func (h *History) PastOf(step, example string) PastRuns {
	return h.past(pastKey{step: step, example: example}, ownRun{}, likeness{}, mostLooked)
}

// PastOfOneLike returns what the history has of runs before one that is like a record.
func (h *History) PastOfOneLike(r *Record) PastRuns {
	return h.past(r.key(), ownRun{run: newRunID()}, r.like(), mostWanted)
}

// Patience is how long the next record waits for the lock.
func (h *History) Patience() *time.Duration { return &h.patience }

// Lock takes the lock of the store.
func (st *Store) Lock(ctx context.Context) (unlock func(), err error) {
	files, err := st.open(true)
	if err != nil {
		return nil, err
	}
	return st.lock(ctx, files)
}

// AskGit waits for what git says of the store.
func (h *History) AskGit() {
	h.git.ask(h.store.dir)
	<-h.git.pending
}

// RunForRecord runs a spec without a history, and returns what would record the run in one.
func RunForRecord(ctx context.Context, t *RuntimeTester, h *History, s Spec) (record func(), err error) {
	basic := s.self().Basic()
	python, source, err := findPython(t.Python)
	if err != nil {
		return nil, err
	}
	run, err := newScriptRun(t, basic, python, source, time.Minute, t.masker(s))
	if err != nil {
		return nil, err
	}
	run.given, run.job = s, &job{runID: runID{Run: newRunID()}, spec: basic}
	if run.prepare(nil) {
		e, err := run.launch(ctx)
		if err != nil {
			return nil, err
		}
		run.classify(e)
		run.verifyFiles()
	}
	run.close()
	return func() { h.record(run) }, nil
}
