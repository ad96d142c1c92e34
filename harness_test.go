package scriptspec_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// recorder is a test that a harness runs in, which may fail without failing its own.
type recorder struct {
	t    *testing.T
	name string

	mu       *sync.Mutex
	lines    *[]string
	parallel bool
	failed   bool
	cleanups []func()
}

func (r *recorder) say(what, format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	*r.lines = append(*r.lines, what+" "+r.name+": "+fmt.Sprintf(format, args...))
}

// live are the lines that are logged while scripts run, with -v alone: the tests are to pass with and without.
var live = []string{"%s: running", "%s: %s: %s", "%s: %s in %v"}

func (r *recorder) Logf(format string, args ...any) {
	if !slices.Contains(live, format) {
		r.say("log", format, args...)
	}
}

func (r *recorder) Context() context.Context { return r.t.Context() }
func (r *recorder) Helper()                  {}
func (r *recorder) Parallel()                { r.parallel = true }
func (r *recorder) ArtifactDir() string      { return r.t.ArtifactDir() }
func (r *recorder) Skipped() bool            { return false }
func (r *recorder) Failed() bool             { return r.failed }
func (r *recorder) Cleanup(f func())         { r.cleanups = append(r.cleanups, f) }

func (r *recorder) Errorf(format string, args ...any) {
	r.failed = true
	r.say("error", format, args...)
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.failed = true
	r.say("fatal", format, args...)
	runtime.Goexit()
}

func (r *recorder) Skipf(format string, args ...any) {
	r.say("skip", format, args...)
	runtime.Goexit()
}

func (r *recorder) Run(name string, f func(*recorder)) bool {
	sub := &recorder{t: r.t, name: name, mu: r.mu, lines: r.lines}
	sub.do(f)
	r.say("ran", "%s, parallel %v", name, sub.parallel)
	return true
}

// do runs f as a test is run: in a goroutine that it may end.
func (r *recorder) do(f func(*recorder)) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			for _, f := range slices.Backward(r.cleanups) {
				f()
			}
		}()
		f(r)
	}()
	<-done
}

// recorded runs a store's specs and returns what the test was told.
func recorded(t *testing.T, st *scriptspec.Store, o *scriptspec.HarnessOptions) []string {
	t.Helper()
	var lines []string
	r := &recorder{t: t, name: "Test", mu: new(sync.Mutex), lines: &lines}
	r.do(func(r *recorder) { scriptspec.RunStoreAs(r, st, o) })
	return lines
}

// suite is a store with a step that passes, a script that fails, and a file that is no spec.
func suite(t *testing.T) *scriptspec.Store {
	t.Helper()
	st := openStore(t, t.TempDir(), nil)
	good := scripted(t, writesOutput+"def main(output_paths):\n    done(output_paths)")
	require.NoError(t, st.SaveStep(good))
	bad := fixture(t, "exception")
	bad.ScriptPath = abs(t, bad.ScriptPath)
	bad.StepName = "Exception"
	require.NoError(t, st.Save(bad))
	return st
}

func abs(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	require.NoError(t, err)
	return path
}

func TestRunStore(t *testing.T) {
	t.Parallel()
	st := suite(t)
	write(t, st.Path("broken"), "{")
	lines := recorded(t, st, nil)
	require.Len(t, lines, 6, "%q", lines)
	assert.Contains(t, lines[0], "fatal broken: "+st.Path("broken")+":1:2: ")
	assert.Equal(t, "ran Test: broken, parallel true", lines[1])
	assert.Contains(t, lines[2], "error exception: TabularPreprocessing_training: exception in"[:16])
	for _, part := range []string{"ValueError: no rows", "-- traceback\n", "exception.py", "-- run it again\n", " -B -u "} {
		assert.Contains(t, lines[2], part)
	}
	assert.Equal(t, "ran Test: exception, parallel true", lines[3])
	assert.Contains(t, lines[4], "log tabular_preprocessing.training: TabularPreprocessing_training: passed in ")
	assert.Equal(t, "ran Test: tabular_preprocessing.training, parallel true", lines[5])

	for s, err := range st.All() {
		if err == nil {
			assert.False(t, dirExists(s.Basic().OutputPaths["data_output"]), "outputs are the test's own")
		}
	}
	for _, only := range [][]string{{"tabular_preprocessing"}, {"TabularPreprocessing_training"}, {"tabular_preprocessing.training"}} {
		lines = recorded(t, st, &scriptspec.HarnessOptions{Only: only, KeepOutputs: true, Tester: &scriptspec.RuntimeTester{}})
		assert.Len(t, lines, 2, "%q", lines)
	}
	lines = recorded(t, st, &scriptspec.HarnessOptions{Only: []string{"no_such", "another"}})
	assert.Equal(t, []string{
		"error Test: no spec in " + filepath.Dir(st.Path("x")) + " has the script_name, step_name or subtest another",
		"error Test: no spec in " + filepath.Dir(st.Path("x")) + " has the script_name, step_name or subtest no_such",
	}, lines)

	empty := openStore(t, t.TempDir(), nil)
	lines = recorded(t, empty, nil)
	assert.Equal(t, []string{"fatal Test: there are no specs in " + filepath.Dir(empty.Path("x"))}, lines, "nothing that was tested is no success")
	require.NoError(t, empty.Close())
	assert.Contains(t, recorded(t, empty, nil)[0], "closed")
}

func TestRunStoreReal(t *testing.T) {
	t.Parallel()
	st := openStore(t, t.TempDir(), nil)
	require.NoError(t, st.SaveStep(scripted(t, writesOutput+"def main(output_paths):\n    done(output_paths)")))
	scriptspec.RunStore(t, st, nil)
}

// The host's go test decides what is run: -short, -run, -v.
func TestRunStoreInAHost(t *testing.T) {
	t.Parallel()
	python(t)
	for _, flags := range [][]string{{"-short"}, {"-run", "TestScripts/exception"}} {
		command := exec.Command(os.Args[0], append([]string{"-test.v"}, hostFlags(flags)...)...)
		command.Env = append(os.Environ(), "SCRIPTSPEC_TEST_HOST=1")
		out, err := command.CombinedOutput()
		switch flags[0] {
		case "-short":
			require.NoError(t, err, "%s", out)
			assert.Equal(t, 2, strings.Count(string(out), "--- SKIP: TestScripts/"), "%s", out)
		default:
			_, failed := errors.AsType[*exec.ExitError](err)
			assert.True(t, failed, "%s", out)
			assert.Contains(t, string(out), "--- FAIL: TestScripts/exception")
			assert.NotContains(t, string(out), "TestScripts/tabular_preprocessing")
		}
	}
}

func hostFlags(flags []string) []string {
	flags = slices.Clone(flags)
	for i, f := range flags {
		if name, ok := strings.CutPrefix(f, "-"); ok {
			flags[i] = "-test." + name
		}
	}
	if flags[0] != "-test.run" {
		flags = append(flags, "-test.run", "TestScripts")
	}
	return flags
}

// TestScripts is the host of TestRunStoreInAHost.
func TestScripts(t *testing.T) {
	if os.Getenv("SCRIPTSPEC_TEST_HOST") == "" {
		t.Skip("run by TestRunStoreInAHost")
	}
	scriptspec.RunStore(t, suite(t), nil)
}

// A program that imports this package has the flags that it defines, and none of go test's.
func TestImportAddsNoFlags(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds a program: -short")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "main.go")
	write(t, file, `package main

import (
	"flag"
	"fmt"

	"github.com/scriptspec/scriptspec"
)

func main() {
	_ = scriptspec.RunStore
	flag.VisitAll(func(f *flag.Flag) { fmt.Println(f.Name) })
}
`)
	out, err := exec.Command("go", "run", file).CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Empty(t, string(out))
}

// What RunStore returns is complete when the subtests have ended, and reports like any other result.
func TestRunStoreReturnsResults(t *testing.T) {
	t.Parallel()
	st := suite(t)
	write(t, st.Path("broken"), "{")
	var lines []string
	var result *scriptspec.StoreTestResult
	r := &recorder{t: t, name: "Test", mu: new(sync.Mutex), lines: &lines}
	r.do(func(r *recorder) { result = scriptspec.RunStoreAs(r, st, nil) })
	require.Len(t, result.Specs, 3)
	assert.False(t, result.Success)
	assert.Positive(t, result.Duration)
	assert.Equal(t, "broken", result.Specs[0].Name)
	assert.Contains(t, result.Specs[0].Error, "broken_runtime_test_spec.json:1:2: ")
	assert.Equal(t, scriptspec.OutcomeException, result.Specs[1].Result.Outcome)
	assert.True(t, result.Specs[2].Result.Success)
	assert.Contains(t, result.String(), ": 1 of 3 specs passed in ")
	elements := checkJUnit(t, written(t, result.WriteJUnit))
	assert.Len(t, elements["testcase"], 3)
	assert.Len(t, elements["failure"], 2)
}

// The cache of go test sees what a script has imported and read, and the specs.
func TestGoTestCache(t *testing.T) {
	t.Parallel()
	python(t)
	if testing.Short() {
		t.Skip("builds a test: -short")
	}
	root, err := os.Getwd()
	require.NoError(t, err)
	dir := t.TempDir()
	mod, err := os.ReadFile("go.mod")
	require.NoError(t, err)
	sum, err := os.ReadFile("go.sum")
	require.NoError(t, err)
	write(t, filepath.Join(dir, "go.mod"), strings.Replace(string(mod), "module github.com/scriptspec/scriptspec", "module cachecase", 1)+
		"\nrequire github.com/scriptspec/scriptspec v0.0.0\n\nreplace github.com/scriptspec/scriptspec => "+root+"\n")
	write(t, filepath.Join(dir, "go.sum"), string(sum))
	write(t, filepath.Join(dir, "cache_test.go"), `package cachecase

import (
	"testing"

	"github.com/scriptspec/scriptspec"
)

func TestCold(t *testing.T) { run(t, &scriptspec.RuntimeTester{}) }

func TestWarm(t *testing.T) {
	tester := &scriptspec.RuntimeTester{Warm: true}
	t.Cleanup(func() { tester.Close() })
	run(t, tester)
}

func run(t *testing.T, tester *scriptspec.RuntimeTester) {
	store, err := scriptspec.OpenStore("testdata", nil)
	if err != nil {
		t.Fatal(err)
	}
	scriptspec.RunStore(t, store, &scriptspec.HarnessOptions{Tester: tester})
}
`)
	write(t, filepath.Join(dir, "scripts", "clean_rows.py"), "import os\nfrom rules import row_rules\ndef main(input_paths, output_paths):\n    with open(output_paths['out'] + '/x.txt', 'w') as f:\n        f.write(row_rules.text())\n")
	write(t, filepath.Join(dir, "scripts", "rules", "row_rules.py"), "def text(): return 'ok'\n")
	write(t, filepath.Join(dir, "data", "raw", "part", "a.csv"), "a\n1\n")
	spec := scriptspec.New("clean_rows", "CleanRows", "scripts/clean_rows.py")
	spec.AddInputPath("raw", "data/raw")
	spec.AddOutputPath("out", "out")
	require.NoError(t, openStore(t, filepath.Join(dir, "testdata"), nil).Save(spec))

	longAgo := time.Now().Add(-time.Hour) // what is a few seconds old is not cached
	require.NoError(t, filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		return errors.Join(err, os.Chtimes(path, longAgo, longAgo))
	}))
	test := func() (string, error) {
		command := goCommand("test", "-mod=mod", "./...")
		command.Dir = dir
		command.Env = append(os.Environ(), "GOFLAGS=", "GOPROXY=off", "GOWORK=off")
		out, err := command.CombinedOutput()
		return string(out), err
	}
	out, err := test()
	require.NoError(t, err, out)
	out, err = test()
	require.NoError(t, err, out)
	require.Contains(t, out, "(cached)")
	for _, file := range []string{"data/raw/part/a.csv", "scripts/rules/row_rules.py", "testdata/.specs/clean_rows_runtime_test_spec.json"} {
		file = filepath.Join(dir, filepath.FromSlash(file))
		longAgo = longAgo.Add(time.Minute)
		require.NoError(t, os.Chtimes(file, longAgo, longAgo))
		out, err = test()
		require.NoError(t, err, out)
		assert.NotContains(t, out, "(cached)", file)
	}
	write(t, filepath.Join(dir, "scripts", "rules", "row_rules.py"), "raise ValueError('broken')\n")
	out, err = test()
	require.Error(t, err, out)
	assert.Contains(t, out, "broken")
}
