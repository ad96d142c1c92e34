package scriptspec

import (
	"cmp"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/scriptspec/scriptspec/internal/fsaccess"
	printline "github.com/scriptspec/scriptspec/internal/printable"
)

var (
	errLeftBefore = errors.New("the hook Before ended the test, whose log says why")
	errHooks      = errors.New("the hook Before or After failed the test, whose log says why")
)

// runSpec runs a spec in a test and says what came of it, also if a hook leaves the test.
func runSpec[T testingT[T]](t T, st *Store, o *HarnessOptions, j job, end func(*ScriptTestResult, error)) {
	t.Helper()
	var result *ScriptTestResult
	err := errLeftBefore
	defer func() {
		if t.Skipped() {
			return
		}
		if err == nil && result.Outcome == expected(j.expect) && t.Failed() {
			err = errHooks
		}
		end(result, err)
	}()
	spec := j.spec.self().Basic()
	if !o.KeepOutputs {
		moveOutputs(spec, outputDir(t))
		j.moved = true
		j.clear = func() error { return clearTrees(spec.OutputPaths) }
	}
	tester := o.Tester
	if tester == nil {
		tester = &RuntimeTester{}
	}
	spec, j.from = tester.ofStore(st, spec)
	hooked, _ := any(t).(*testing.T)
	if o.Before != nil && hooked != nil {
		o.Before(hooked, spec)
	}
	if verbose() {
		t.Logf("%s: running", subject(spec))
	}
	j.spec = spec
	result, err = tester.wait(t.Context(), j)
	next := ""
	if err == nil && result.Outcome != expected(j.expect) {
		next = st.next(tester, result)
	}
	showSpec(t, result, j.expect, next, err)
	if o.After != nil && hooked != nil {
		o.After(hooked, spec, result)
	}
}

// expected returns the outcome that a run must have.
func expected(o Outcome) Outcome { return cmp.Or(o, OutcomePassed) }

// outputDir returns a directory for what a script makes. It goes with a test that passes, and stays, where the
// log says, if one fails that has something in it.
func outputDir[T testingT[T]](t T) string {
	t.Helper()
	if f := flag.Lookup("test.artifacts"); f != nil && f.Value.String() == "true" {
		return t.ArtifactDir()
	}
	dir, err := os.MkdirTemp("", "scriptspec-outputs-")
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() {
		if t.Failed() && holdsFiles(dir) {
			t.Logf("what the script made is kept in %s", dir)
		} else if err := fsaccess.RemoveTree(dir); err != nil {
			t.Errorf("the outputs cannot be removed: %v", err)
		}
	})
	return dir
}

// clearTrees removes what is at these paths.
func clearTrees(paths map[string]string) error {
	var errs []error
	for _, name := range sortedKeys(paths) {
		if err := fsaccess.RemoveTree(paths[name]); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// holdsFiles reports whether there is anything in the directories below dir.
func holdsFiles(dir string) bool {
	outputs, err := os.ReadDir(dir)
	return err != nil || slices.ContainsFunc(outputs, func(o os.DirEntry) bool {
		entries, err := os.ReadDir(filepath.Join(dir, o.Name()))
		return err != nil || len(entries) > 0
	})
}

// short reports whether go test was given -short. A host's test may call this before flags are parsed.
func short() bool { return testing.Testing() && flag.Parsed() && testing.Short() }

// verbose reports whether go test was given -v, and so shows what is logged at once.
func verbose() bool { return testing.Testing() && flag.Parsed() && testing.Verbose() }

// showSpec reports a spec's result to a test, with what is to be done about it.
func showSpec[T testingT[T]](t T, result *ScriptTestResult, expect Outcome, next string, err error) {
	t.Helper()
	switch {
	case err != nil:
		t.Fatalf("%s", printline.Log(err.Error()))
	case result.Outcome == expected(expect):
		t.Logf("%v", result)
	case expect != "":
		t.Errorf("expected outcome %s\n%s", expect, withNext(result.Details(), next))
	case !result.Success:
		t.Errorf("%s", withNext(result.Details(), next))
	default:
		t.Logf("%v", result)
	}
}
