package scriptspec

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/scriptspec/scriptspec/internal/atomicfile"
)

// testingT is what the harness needs of a *testing.T, so that its own tests can watch one fail.
type testingT[T any] interface {
	ArtifactDir() string
	Cleanup(f func())
	Context() context.Context
	Errorf(format string, args ...any)
	Failed() bool
	Fatalf(format string, args ...any)
	Helper()
	Logf(format string, args ...any)
	Parallel()
	Run(name string, f func(t T)) bool
	Skipf(format string, args ...any)
	Skipped() bool
}

// HarnessOptions changes what [RunStore] does. Nil means the zero value.
type HarnessOptions struct {
	// Tester runs the scripts; nil means the zero RuntimeTester.
	Tester *RuntimeTester
	// Only picks specs by script_name, step_name or the name of their subtest; nil means all. One that is
	// empty and not nil, as a filter may leave it, skips the test. A name that picks nothing fails it.
	Only []string
	// Select picks specs by a selection besides; nil means what the environment variable SCRIPTSPEC_SELECT says,
	// words with spaces between them, and without that all. A selection of which a word picks nothing fails the test.
	Select *Selector
	// WithoutPipelines leaves out the specs to which a pipeline of the store refers for a node with an edge,
	// and logs which. [RunPipeline] tests them on the data that flows to them.
	WithoutPipelines bool
	// KeepOutputs lets scripts write to the output paths of their specs. Otherwise each logical name
	// gets a directory below one of the subtest's own. A spec whose outputs overlap with those of one
	// before it is a failed subtest, as both run at the same time.
	KeepOutputs bool
	// Before is called in the subtest of a spec before its script is started, with the spec as it is to be
	// run: what it changes counts for this run. After is called when the script has ended, passed or not: for
	// golden files, or a metric that must be reached. A subtest that one of them fails is a failed one in the
	// result too.
	Before func(t *testing.T, s *ScriptExecutionSpec)
	After  func(t *testing.T, s *ScriptExecutionSpec, r *ScriptTestResult)
}

// RunStore runs every spec of a store as a parallel subtest of t, with its Context. A subtest has the name
// of the spec's file without the suffix: tabular_preprocessing, or tabular_preprocessing.training for the
// spec of a step. Each example of a spec is a subtest of its own, tabular_preprocessing/small, that passes if the run
// ends as the example expects. One that fails shows outcome, exception, traceback, the ends of stdout and stderr, and a
// command that runs the script again; what its script has made is kept, and the log says where: with -artifacts
// where that puts it, else in the temporary directory. A spec that cannot be loaded or run is a failed subtest,
// and a store without specs a failed test. With -short the subtests are skipped. The result is complete when the
// subtests have ended, as in a function that was given to t.Cleanup.
//
//	func TestScripts(t *testing.T) {
//		st, err := scriptspec.OpenStore("testdata", nil)
//		if err != nil {
//			t.Fatal(err)
//		}
//		scriptspec.RunStore(t, st, nil)
//	}
func RunStore(t *testing.T, st *Store, o *HarnessOptions) *StoreTestResult {
	t.Helper()
	return runStore(t, st, o)
}

func runStore[T testingT[T]](t T, st *Store, o *HarnessOptions) *StoreTestResult {
	t.Helper()
	if o == nil {
		o = &HarnessOptions{}
	}
	files, names, err := st.names()
	if err != nil {
		t.Fatalf("%v", err)
	}
	if len(names) == 0 {
		t.Fatalf("there are no specs in %s", st.specs)
	}
	results, run := &StoreTestResult{Dir: st.specs, StartedAt: now()}, newRunID()
	if o.Only != nil && len(o.Only) == 0 {
		t.Skipf("Only names no spec, so that nothing is run")
		return results // a T of a test's own may go on
	}
	missing := map[string]bool{}
	for _, name := range o.Only {
		missing[name] = true
	}
	leftOut := map[string]string{}
	if o.WithoutPipelines {
		if leftOut, err = st.specsOfPipelines(); err != nil {
			t.Fatalf("what belongs to a pipeline cannot be told: %v", err)
		}
	}
	selected, err := o.selected(t.Context(), st)
	if err != nil {
		t.Fatalf("%v", err)
	}
	var outputs outputsInUse
	var known []string
	for _, name := range names {
		script, _ := scriptOfFile(name)
		s, _, err := st.loadFrom(files, script, name, maxSpecFile)
		subtest := strings.TrimSuffix(name, specFileSuffix)
		answersTo := []string{subtest}
		if err == nil {
			answersTo = append(answersTo, *s.common().scriptName, *s.common().stepName)
		}
		known = append(known, answersTo...)
		if len(o.Only) > 0 && !picked(missing, o.Only, answersTo) {
			continue
		}
		if selected != nil && !selected[name] {
			continue
		}
		if pipeline, ok := leftOut[name]; ok {
			t.Logf("%s is left out, as pipeline %s has it", subtest, pipeline)
			continue
		}
		if o.KeepOutputs && err == nil {
			if _, problem := outputs.claim(s.self().Basic()); problem != nil {
				err = newValidationError(subject(s), []*FieldError{problem})
			}
		}
		number := results.add(runID{Name: subtest}, "")
		var examples []Example
		if err == nil {
			examples = s.common().meta.Examples
			for _, e := range examples {
				results.add(runID{Name: subtest + "/" + e.Name, Example: e.Name}, e.Expect)
			}
		}
		t.Run(subtest, func(t T) {
			t.Helper()
			t.Parallel()
			if err != nil {
				results.end(number, nil, err)
				t.Fatalf("%v", err)
			}
			if short() {
				t.Skipf("runs a script: -short")
			}
			for i, e := range examples {
				t.Run(e.Name, func(t T) {
					t.Helper()
					if !o.KeepOutputs { // else all write to one place, one after the other
						t.Parallel()
					}
					runSpec(t, st, o, job{runID: runID{Run: run, Name: subtest + "/" + e.Name, Example: e.Name}, spec: withExample(s, e), expect: e.Expect}, func(result *ScriptTestResult, err error) { results.end(number+1+i, result, err) })
				})
			}
			runSpec(t, st, o, job{runID: runID{Run: run, Name: subtest}, spec: s}, func(result *ScriptTestResult, err error) { results.end(number, result, err) })
		})
	}
	for _, name := range slices.Sorted(maps.Keys(missing)) {
		t.Errorf("no spec in %s has the script_name, step_name or subtest %s%s", st.specs, printable(name), doubt(known, name))
	}
	for _, name := range misnamed(files) {
		t.Errorf("%s is in %s and is no spec by its name, so that it is not run; want <script_name>%s", printable(name), st.specs, specFileSuffix)
	}
	if len(results.Specs) == 0 && len(missing) == 0 {
		t.Skipf("every spec is left out, so that nothing is run")
	}
	return results
}

// selected returns the files of the specs that are selected, nil if all are.
func (o *HarnessOptions) selected(ctx context.Context, st *Store) (map[string]bool, error) {
	sel := o.Select
	if words := strings.Fields(os.Getenv("SCRIPTSPEC_SELECT")); sel == nil && len(words) > 0 {
		var err error
		if sel, err = ParseSelector(words...); err != nil {
			return nil, fmt.Errorf("SCRIPTSPEC_SELECT: %w", err)
		}
	}
	if sel == nil {
		return nil, nil
	}
	all, err := st.stored(ctx)
	if err != nil {
		return nil, err
	}
	chosen, err := st.choose(ctx, sel, all)
	files := map[string]bool{}
	for i, c := range all {
		files[c.stem+specFileSuffix] = chosen[i]
	}
	return files, err
}

// misnamed returns the files that were to be specs, as it seems, and have a name that is passed over.
func misnamed(files *atomicfile.Dir) []string {
	names, _ := files.Names()
	slices.Sort(names)
	return slices.DeleteFunc(names, func(name string) bool {
		_, isSpec := scriptOfFile(name)
		low := strings.ToLower(name)
		return isSpec || strings.HasPrefix(name, ".") || !strings.Contains(low, "_runtime_test_spec") || !strings.HasSuffix(low, ".json")
	})
}

// picked reports whether a spec that answers to these names was asked for, and removes those from missing.
func picked(missing map[string]bool, only, names []string) bool {
	found := false
	for _, name := range names {
		if slices.Contains(only, name) {
			delete(missing, name)
			found = true
		}
	}
	return found
}

// specsOfPipelines returns the files of the specs to which a pipeline refers for a node with an edge, each with
// the pipeline.
func (st *Store) specsOfPipelines() (map[string]string, error) {
	names, err := st.Pipelines()
	if err != nil {
		return nil, err
	}
	files := map[string]string{}
	for _, name := range names {
		p, fileOf, err := st.refsOfPipeline(name)
		if err != nil {
			return nil, err
		}
		for _, edge := range p.DAG.Edges {
			for _, node := range edge {
				if file, ok := fileOf[node]; ok {
					files[file] = name
				}
			}
		}
	}
	return files, nil
}
