package scriptspec_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// hookedHosts are tests of a host, some of which are to fail: they are run by TestRunStoreHooks.
var hookedHosts = map[string]func(t *testing.T){
	"passes": func(t *testing.T) {
		var result *scriptspec.StoreTestResult
		t.Cleanup(func() { t.Logf("success %v", result.Success) })
		result = scriptspec.RunStore(t, suiteOf(t, "def main(output_paths):\n    done(output_paths)\n    print(os.environ['PORT'])"), &scriptspec.HarnessOptions{
			Before: func(t *testing.T, s *scriptspec.ScriptExecutionSpec) {
				s.AddEnvironVar("PORT", "of the fake") // what Before changes counts
				t.Logf("before %s", s.StepName)
			},
			After: func(t *testing.T, s *scriptspec.ScriptExecutionSpec, r *scriptspec.ScriptTestResult) {
				assert.FileExists(t, filepath.Join(s.OutputPaths["data_output"], "out.txt"))
				t.Logf("after %s %s", s.StepName, r.Outcome)
			},
		})
	},
	"before": func(t *testing.T) {
		result := scriptspec.RunStore(t, suiteOf(t, "def main(output_paths):\n    done(output_paths)"), &scriptspec.HarnessOptions{
			Before: func(t *testing.T, _ *scriptspec.ScriptExecutionSpec) { t.Fatal("no database") },
			After:  func(t *testing.T, _ *scriptspec.ScriptExecutionSpec, _ *scriptspec.ScriptTestResult) { t.Log("called") },
		})
		t.Cleanup(func() { t.Logf("success %v, %s", result.Success, result.Specs[0].Error) })
	},
	"after": func(t *testing.T) {
		result := scriptspec.RunStore(t, suiteOf(t, "def main(output_paths):\n    done(output_paths)"), &scriptspec.HarnessOptions{
			After: func(t *testing.T, _ *scriptspec.ScriptExecutionSpec, _ *scriptspec.ScriptTestResult) {
				t.Error("golden differs")
			},
		})
		t.Cleanup(func() {
			t.Logf("success %v, %s, %s", result.Success, result.Specs[0].Error, result)
			t.Logf("%s", written(t, result.WriteText))
		})
	},
	"pipeline": func(t *testing.T) {
		f := loadAndTrain(t)
		scriptspec.RunPipeline(t, f.tester, f.p, nil)
	},
}

// suiteOf is a store with a spec of one script.
func suiteOf(t *testing.T, script string) *scriptspec.Store {
	t.Helper()
	st := openStore(t, t.TempDir(), nil)
	require.NoError(t, st.Save(scripted(t, writesOutput+script)))
	return st
}

func TestHookedHost(t *testing.T) {
	name := os.Getenv("SCRIPTSPEC_TEST_HOOKED")
	if name == "" {
		t.Skip("run by TestRunStoreHooks")
	}
	hookedHosts[name](t)
}

// host runs a test of hookedHosts in a process of its own, and returns what it printed.
func host(t *testing.T, name string, flags ...string) (string, error) {
	t.Helper()
	command := exec.Command(os.Args[0], append([]string{"-test.v", "-test.run=^TestHookedHost$"}, flags...)...)
	command.Env = append(os.Environ(), "SCRIPTSPEC_TEST_HOOKED="+name)
	out, err := command.CombinedOutput()
	return string(out), err
}

func TestRunStoreHooks(t *testing.T) {
	t.Parallel()
	python(t)
	out, err := host(t, "passes")
	require.NoError(t, err, out)
	for _, want := range []string{
		"before TabularPreprocessing_training", "TabularPreprocessing_training: running", "after TabularPreprocessing_training passed", "success true",
	} {
		assert.Contains(t, out, want)
	}
	assert.NotContains(t, out, "kept in")

	out, err = host(t, "before")
	require.Error(t, err)
	assert.Contains(t, out, "no database")
	assert.Contains(t, out, "success false, the hook Before ended the test, whose log says why")
	assert.NotContains(t, out, "called")
	assert.NotContains(t, out, "running", "no script is started")

	out, err = host(t, "after")
	require.Error(t, err)
	assert.Contains(t, out, "golden differs")
	assert.Contains(t, out, "success false, the hook Before or After failed the test, whose log says why, ")
	assert.Contains(t, out, ": 0 of 1 specs passed in ")
	kept := regexp.MustCompile(`what the script made is kept in (\S+)`).FindStringSubmatch(out)
	require.NotNil(t, kept, out)
	assert.FileExists(t, filepath.Join(kept[1], "data_output", "out.txt"))
	require.NoError(t, os.RemoveAll(kept[1]))

	artifacts := t.TempDir()
	out, err = host(t, "after", "-test.artifacts", "-test.outputdir="+artifacts)
	require.Error(t, err)
	assert.NotContains(t, out, "kept in")
	dir := regexp.MustCompile(`=== ARTIFACTS TestHookedHost/\S+ (\S+)`).FindStringSubmatch(out)
	require.NotNil(t, dir, out)
	assert.FileExists(t, filepath.Join(dir[1], "data_output", "out.txt"))

	out, err = host(t, "pipeline")
	require.NoError(t, err, out)
	at := strings.Index(out, "Load: running")
	assert.Positive(t, at, out)
	assert.Greater(t, strings.Index(out, "Train: passed in"), at, out)
}

func TestRunStoreOnlyOfNothing(t *testing.T) {
	t.Parallel()
	lines := recorded(t, suite(t), &scriptspec.HarnessOptions{Only: []string{}})
	assert.Equal(t, []string{"skip Test: Only names no spec, so that nothing is run"}, lines)
}

// What a pipeline tests on the data that flows is not tested without it as well, where asked.
func TestRunStoreWithoutPipelines(t *testing.T) {
	t.Parallel()
	f := loadAndTrain(t)
	alone := f.node("Alone", joins, []string{"raw"}, []string{"data"})
	st := openStore(t, f.dir, nil)
	f.p.Refs = map[string]string{"Load": "load", "Train": "train", "Alone": "alone"}
	for _, s := range f.p.Specs {
		require.NoError(t, st.Save(s))
	}
	require.NoError(t, st.SavePipeline(f.p))
	names, err := st.Pipelines()
	require.NoError(t, err)
	assert.Equal(t, []string{"p"}, names)

	lines := recorded(t, st, &scriptspec.HarnessOptions{WithoutPipelines: true})
	require.Len(t, lines, 4, "%q", lines)
	assert.Contains(t, lines[0], "log alone: "+alone.StepName+": passed in ", "no edge feeds it, nor does it feed one")
	assert.Equal(t, []string{"log Test: load is left out, as pipeline p has it", "log Test: train is left out, as pipeline p has it"}, lines[2:])

	require.NoError(t, st.Delete("alone"))
	delete(f.p.Refs, "Alone")
	require.NoError(t, st.SavePipeline(f.p))
	lines = recorded(t, st, &scriptspec.HarnessOptions{WithoutPipelines: true})
	assert.Equal(t, "skip Test: every spec is left out, so that nothing is run", lines[len(lines)-1])

	require.NoError(t, st.Delete("load"))
	lines = recorded(t, st, &scriptspec.HarnessOptions{WithoutPipelines: true})
	require.Len(t, lines, 1, "%q", lines)
	assert.Contains(t, lines[0], "fatal Test: what belongs to a pipeline cannot be told: pipeline p: specs[\"Load\"]: node Load refers to the spec of script load")

	none, err := openStore(t, filepath.Join(t.TempDir(), "none"), nil).Pipelines()
	require.NoError(t, err)
	assert.Empty(t, none)
}

// A file that was to be a spec is not passed over without a word.
func TestRunStoreNamesMisnamedFiles(t *testing.T) {
	t.Parallel()
	st := suiteOf(t, "def main(output_paths):\n    done(output_paths)\n")
	dir := filepath.Dir(st.Path("x"))
	for _, name := range []string{"two_runtime_test_specs.json", "Three_runtime_test_spec.json", "notes.json", ".four_runtime_test_spec.json"} {
		write(t, filepath.Join(dir, name), "{}")
	}
	lines := recorded(t, st, nil)
	require.Len(t, lines, 4, "%q", lines)
	assert.Contains(t, lines[2], "error Test: Three_runtime_test_spec.json is in "+dir+" and is no spec by its name")
	assert.Contains(t, lines[3], "error Test: two_runtime_test_specs.json is in ")
}
