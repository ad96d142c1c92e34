package scriptspec

import (
	"context"
	"flag"
	"maps"
	"slices"
	"strings"
)

// TestingT is what [RunStore] needs of a test: *testing.T has it. This package does not import testing,
// which would give every program that embeds it the flags of go test.
type TestingT[T any] interface {
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
	// KeepOutputs has scripts write to the output paths of their specs. Otherwise each logical name
	// gets a directory below the TempDir of its subtest.
	KeepOutputs bool
}

// RunStore runs every spec of a store as a parallel subtest of t, with t.Context. A subtest is called
// as the spec's file without its suffix: tabular_preprocessing, or tabular_preprocessing.training for
// the spec of a step. One that fails shows outcome, exception, traceback, the ends of stdout and stderr,
// and a command that reproduces it. A spec that cannot be loaded or run is a failed subtest, and a store
// without specs a failed test. With -short the subtests are skipped.
//
//	func TestScripts(t *testing.T) {
//		st, err := scriptspec.OpenStore("testdata", nil)
//		if err != nil {
//			t.Fatal(err)
//		}
//		scriptspec.RunStore(t, st, nil)
//	}
func RunStore[T TestingT[T]](t T, st *Store, o *HarnessOptions) {
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
	missing := map[string]bool{}
	for _, name := range o.Only {
		missing[name] = true
	}
	for _, name := range names {
		script, _ := scriptOfFile(name)
		s, _, err := st.loadFrom(files, script, name, maxSpecFile)
		subtest := strings.TrimSuffix(name, specFileSuffix)
		if len(o.Only) > 0 && !picked(missing, o.Only, subtest, s) {
			continue
		}
		t.Run(subtest, func(t T) {
			t.Helper()
			t.Parallel()
			if err != nil {
				t.Fatalf("%v", err)
			}
			if short() {
				t.Skipf("runs a script: -short")
			}
			if !o.KeepOutputs {
				s = withOutputs(s, t.TempDir())
			}
			runSpec(t, tester, s)
		})
	}
	for _, name := range slices.Sorted(maps.Keys(missing)) {
		t.Errorf("no spec in %s has the script_name, step_name or subtest %s", st.specs, printable(name))
	}
}

// picked tells whether a spec was asked for, and strikes off the names it was asked for by.
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

// short tells whether go test was given -short.
func short() bool {
	f := flag.Lookup("test.short")
	return f != nil && f.Value.String() == "true"
}

// withOutputs returns a copy of s that writes below dir.
func withOutputs(s Spec, dir string) *ScriptExecutionSpec {
	c := s.self().Basic()
	c.OutputPaths = newPaths(dir, slices.Sorted(maps.Keys(c.OutputPaths)))
	return c
}

// runSpec runs one spec as a test.
func runSpec[T TestingT[T]](t T, tester *RuntimeTester, s Spec) {
	t.Helper()
	result, err := tester.TestScript(t.Context(), s)
	switch {
	case err != nil:
		t.Fatalf("%v", err)
	case !result.Success:
		t.Errorf("%s", result.Details())
	default:
		t.Logf("%v", result)
	}
}
