package scriptspec

import (
	"context"
	"flag"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/scriptspec/scriptspec/internal/fsaccess"
	printline "github.com/scriptspec/scriptspec/internal/printable"
)

// testingT is what the harness needs of a *testing.T, so that its own tests can watch one fail.
type testingT[T any] interface {
	Context() context.Context
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Helper()
	Logf(format string, args ...any)
	Parallel()
	Run(name string, f func(t T)) bool
	Skipf(format string, args ...any)
	TempDir() string
}

// HarnessOptions changes what [RunStore] does. Nil means the zero value.
type HarnessOptions struct {
	// Tester runs the scripts; nil means the zero RuntimeTester.
	Tester *RuntimeTester
	// Only picks specs by script_name, step_name or the name of their subtest; empty means all. A
	// name that picks nothing fails the test.
	Only []string
	// KeepOutputs lets scripts write to the output paths of their specs. Otherwise each logical name
	// gets a directory below the TempDir of its subtest. A spec whose outputs overlap with those of one
	// before it is a failed subtest, as both run at the same time.
	KeepOutputs bool
}

// RunStore runs every spec of a store as a parallel subtest of t, with its Context. A subtest has the name
// of the spec's file without the suffix: tabular_preprocessing, or tabular_preprocessing.training for the
// spec of a step. One that fails shows outcome, exception, traceback, the ends of stdout and stderr, and a
// command that runs the script again. A spec that cannot be loaded or run is a failed subtest, and a store
// without specs a failed test. With -short the subtests are skipped. The result is complete when the subtests
// have ended, as in a function that was given to t.Cleanup.
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
	tester := o.Tester
	if tester == nil {
		tester = &RuntimeTester{}
	}
	files, names, err := st.names()
	if err != nil {
		t.Fatalf("%v", err)
	}
	if len(names) == 0 {
		t.Fatalf("there are no specs in %s", st.specs)
	}
	results := &StoreTestResult{Dir: st.specs, StartedAt: now()}
	missing := map[string]bool{}
	for _, name := range o.Only {
		missing[name] = true
	}
	var outputs outputsInUse
	for _, name := range names {
		script, _ := scriptOfFile(name)
		s, _, err := st.loadFrom(files, script, name, maxSpecFile)
		subtest := strings.TrimSuffix(name, specFileSuffix)
		if len(o.Only) > 0 && !picked(missing, o.Only, subtest, s) {
			continue
		}
		if o.KeepOutputs && err == nil {
			if _, problem := outputs.claim(s.self().Basic()); problem != nil {
				err = newValidationError(subject(s), []*FieldError{problem})
			}
		}
		number := results.add(subtest)
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
			if !o.KeepOutputs {
				s = withOutputs(s, t.TempDir())
			}
			if tester.Base == "" {
				s, _ = pathResolver{base: st.base}.resolve(s) // it has no variables that could be unknown
			}
			result, err := tester.TestScript(t.Context(), s)
			results.end(number, result, err)
			showSpec(t, result, err)
		})
	}
	for _, name := range slices.Sorted(maps.Keys(missing)) {
		t.Errorf("no spec in %s has the script_name, step_name or subtest %s", st.specs, printable(name))
	}
	return results
}

// picked reports whether a spec was asked for, and removes the names it was asked for by from missing.
func picked(missing map[string]bool, only []string, subtest string, s Spec) bool {
	found := false
	names := []string{subtest}
	if !isNil(s) {
		names = append(names, *s.common().scriptName, *s.common().stepName)
	}
	for _, name := range names {
		if slices.Contains(only, name) {
			delete(missing, name)
			found = true
		}
	}
	return found
}

// short reports whether go test was given -short. A host's test may call this before flags are parsed.
func short() bool { return testing.Testing() && flag.Parsed() && testing.Short() }

// withOutputs returns a copy of s that writes below dir.
func withOutputs(s Spec, dir string) *ScriptExecutionSpec {
	c := s.self().Basic()
	c.OutputPaths = newPaths(dir, slices.Sorted(maps.Keys(c.OutputPaths)))
	return c
}

// showSpec reports a spec's result to a test.
func showSpec[T testingT[T]](t T, result *ScriptTestResult, err error) {
	t.Helper()
	switch {
	case err != nil:
		t.Fatalf("%s", printline.Log(err.Error()))
	case !result.Success:
		t.Errorf("%s", result.Details())
	default:
		t.Logf("%v", result)
	}
}

// RunPipeline runs a pipeline as one test with a subtest for each node, in topological order, and returns
// the result. A node that fails shows what [RunStore] shows of a spec; data that does not fit fails the
// node that it was handed to; nodes that were blocked, skipped or reused are skipped subtests with the
// reason. The scripts have ended when the subtests begin, so that -run picks what is shown and not what is
// run. With -short nothing is run.
//
// A nil tester is the zero RuntimeTester, nil options are those of the pipeline. Without a work directory it is
// a temporary one, which is removed if all went well and else kept, for the commands that run scripts again.
func RunPipeline(t *testing.T, tester *RuntimeTester, p *PipelineTestingSpec, o *PipelineOptions) *PipelineTestResult {
	t.Helper()
	return runPipeline(t, tester, p, o)
}

func runPipeline[T testingT[T]](t T, tester *RuntimeTester, p *PipelineTestingSpec, o *PipelineOptions) *PipelineTestResult {
	t.Helper()
	if short() {
		t.Skipf("runs scripts: -short")
	}
	if tester == nil {
		tester = &RuntimeTester{}
	}
	var options PipelineOptions
	if o != nil {
		options = *o
	} else if p != nil {
		options = p.Options
	}
	result, err := tester.TestPipeline(t.Context(), p, &options)
	if result == nil {
		t.Fatalf("%v", err)
		return nil // a T of a test's own may go on
	}
	if options.WorkDir == "" && result.Success {
		if err := fsaccess.RemoveTree(result.WorkDir); err != nil {
			t.Errorf("the work directory cannot be removed: %v", err)
		}
	}
	misfits := map[string][]string{}
	for _, f := range result.report().Findings() {
		misfits[f.Dest] = append(misfits[f.Dest], f.Subject+": "+printline.Block(f.Text))
	}
	for _, n := range result.Nodes {
		t.Run(n.Node, func(t T) {
			t.Helper()
			showNode(t, n, misfits[n.Node])
		})
	}
	if err != nil {
		t.Errorf("%v", err)
	}
	return result
}

// showNode reports a node's result to a test.
func showNode[T testingT[T]](t T, n NodeResult, misfits []string) {
	t.Helper()
	if len(misfits) > 0 {
		t.Errorf("the data does not fit:\n%s", printline.Log(strings.Join(misfits, "\n")))
	}
	switch n.Status {
	case NodePassed:
		t.Logf("%v", n.Result)
	case NodeSkipped, NodeBlocked, NodeReused:
		t.Skipf("%s: %s", n.Status, printline.Log(printable(n.Reason)))
	default:
		text := string(n.Status) + ": " + printline.Log(printable(n.Reason))
		if n.Result != nil && !n.Result.Success {
			text += "\n" + n.Result.Details()
		}
		t.Errorf("%s", text)
	}
}
