package scriptspec

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"
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
	// FailFast starts no more runs once one has not ended as it should.
	FailFast bool
	// Change is called with each spec before it is run, and may change it.
	Change func(s *ScriptExecutionSpec) error
}

// TestStore runs the specs of a store, and their examples, as [RunStore] does without go test: as many at the same time
// as Parallelism allows. The error is for a selection of which a word is of no spec, a store that cannot be read, or
// ctx that has ended; then there is a result of what was run.
func (t *RuntimeTester) TestStore(ctx context.Context, st *Store, o *SuiteOptions) (*StoreTestResult, error) {
	o = cmp.Or(o, &SuiteOptions{})
	all, failed, err := st.stored(ctx)
	if err != nil {
		return nil, err
	}
	chosen, err := cmp.Or(o.Select, &Selector{}).choose(all)
	if err != nil {
		return nil, err
	}
	if err := t.missing(); err != nil {
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
	s := suite{tester: t, o: o, base: st.base, id: newRunID()}
	s.result = &StoreTestResult{Dir: st.specs, StartedAt: now(), Specs: []SpecTestResult{}}
	ctx, s.stop = context.WithCancelCause(ctx)
	defer s.stop(nil)
	for _, err := range failed {
		s.result.end(s.result.add(fileOf(err), ""), nil, err)
	}
	var running sync.WaitGroup
	for i, c := range all {
		if !chosen[i] {
			continue
		}
		if o.Example == "" || o.Example == "-" {
			s.start(ctx, &running, c.spec, runID{Name: c.stem}, "")
		}
		for _, e := range c.spec.common().meta.Examples {
			if o.Example == "" || o.Example == e.Name {
				s.start(ctx, &running, withExample(c.spec, e), runID{Name: c.stem + "/" + e.Name, Example: e.Name}, e.Expect)
			}
		}
	}
	running.Wait()
	t.flush()
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, errFailFast) {
		return s.result, cause
	}
	return s.result, nil
}

var errFailFast = errors.New("not begun, as another has failed")

// fileOf returns the name of a spec from an error about its file.
func fileOf(err error) string {
	if de, ok := errors.AsType[*DecodeError](err); ok {
		return strings.TrimSuffix(filepath.Base(de.File), specFileSuffix)
	}
	return "?"
}

type suite struct {
	tester *RuntimeTester
	o      *SuiteOptions
	base   string
	id     string // of the run
	result *StoreTestResult
	stop   context.CancelCauseFunc
}

func (s *suite) start(ctx context.Context, running *sync.WaitGroup, spec Spec, id runID, expect Outcome) {
	number := s.result.add(id.Name, expect)
	id.Run = s.id
	queued := job{runID: id, expect: expect}
	s.tester.tell(queued.event(EventQueued))
	running.Go(func() {
		result, err := s.run(ctx, spec, id, expect)
		if err != nil && context.Cause(ctx) != nil {
			err = context.Cause(ctx)
		}
		s.result.end(number, result, err)
		end := SpecTestResult{Name: id.Name, Expect: expect, Result: result}
		if err != nil {
			end.Error = err.Error()
		}
		if !end.passed() && s.o.FailFast {
			s.stop(errFailFast)
		}
		s.tester.tell(queued.finished(result, err))
	})
}

func (s *suite) run(ctx context.Context, spec Spec, id runID, expect Outcome) (*ScriptTestResult, error) {
	release, err := s.tester.slot(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	basic := spec.self().Basic()
	dir := filepath.Join(s.o.OutputDir, filename.Element(id.Name))
	if s.o.OutputDir == "" {
		if dir, err = s.tester.tempDir("scriptspec-outputs-"); err != nil {
			return nil, err
		}
	}
	basic.OutputPaths = newPaths(dir, slices.Sorted(maps.Keys(basic.OutputPaths)))
	if s.tester.Base == "" {
		resolved, _ := pathResolver{base: s.base}.resolve(basic) // it has no variables that could be unknown
		basic = resolved.Basic()
	}
	if s.o.Change != nil {
		if err := s.o.Change(basic); err != nil {
			return nil, err
		}
	}
	j := job{runID: id, spec: basic, masker: s.tester.masker(basic), expect: expect}
	if s.o.OutputDir == "" {
		j.clear = func() error { return clearTrees(basic.OutputPaths) }
	}
	result, err := s.tester.run(ctx, j)
	if s.o.OutputDir == "" && (err == nil && result.Outcome == expected(expect) || !holdsFiles(dir)) {
		err = errors.Join(err, fsaccess.RemoveTree(dir))
	}
	return result, err
}
