package scriptspec_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// counting is a script that counts its runs in a file, fails in the first ones and then writes its output.
const counting = `
import os, signal, sys, time

def main(input_paths, output_paths, environ_vars, job_args):
    with open(job_args.counter, "a+") as f:
        f.write("x")
        f.flush()
        f.seek(0)
        run = len(f.read())
    output = output_paths["data_output"]
    found = sorted(os.listdir(output))
    with open(os.path.join(output, "part-%d.csv" % run), "w") as f:
        f.write("a,b\n1,2\n")
    if run <= job_args.failures:
        exec(job_args.failure)
    return found
`

// failing returns the counting script with the way in which its first runs fail, and the file that counts.
func failing(t *testing.T, failures int, failure string) (*scriptspec.ScriptExecutionSpec, string) {
	t.Helper()
	s := scripted(t, counting)
	counter := filepath.Join(t.TempDir(), "counter")
	s.AddJobArg("counter", counter)
	s.AddJobArg("failures", failures)
	s.AddJobArg("failure", failure)
	return s, counter
}

func runsIn(t *testing.T, counter string) int {
	t.Helper()
	data, err := os.ReadFile(counter)
	require.NoError(t, err)
	return len(data)
}

func TestRetries(t *testing.T) {
	t.Parallel()
	python(t)
	for name, c := range map[string]struct {
		failures int
		failure  string
		most     int // of the tester
		retries  int // of the spec
		runs     int
		outcome  scriptspec.Outcome
		flaky    bool
	}{
		"none asked for":          {1, `raise OSError("busy")`, 0, 0, 1, scriptspec.OutcomeException, false},
		"an exception":            {1, `raise OSError("busy")`, 1, 0, 2, scriptspec.OutcomePassed, true},
		"by the spec":             {2, `raise OSError("busy")`, 0, 2, 3, scriptspec.OutcomePassed, true},
		"the spec allows more":    {2, `raise OSError("busy")`, 1, 2, 3, scriptspec.OutcomePassed, true},
		"the spec allows less":    {2, `raise OSError("busy")`, 2, 1, 3, scriptspec.OutcomePassed, true},
		"too often":               {9, `raise OSError("busy")`, 1, 0, 2, scriptspec.OutcomeException, false},
		"no need":                 {0, ``, 3, 0, 1, scriptspec.OutcomePassed, false},
		"exit code 1":             {1, `sys.exit(1)`, 1, 0, 2, scriptspec.OutcomePassed, true},
		"wrong flags":             {1, `sys.exit(2)`, 1, 0, 1, scriptspec.OutcomeExit, false},
		"a message":               {1, `sys.exit("busy")`, 1, 0, 2, scriptspec.OutcomePassed, true},
		"a signal":                {1, `os.kill(os.getpid(), signal.SIGKILL)`, 1, 0, 2, scriptspec.OutcomePassed, true},
		"a crash":                 {1, `os._exit(3)`, 1, 0, 2, scriptspec.OutcomePassed, true},
		"no output":               {1, `os.truncate(os.path.join(output, "part-1.csv"), 0)`, 1, 0, 2, scriptspec.OutcomePassed, true},
		"a changed input":         {1, `open(input_paths["data_input"], "a").write("3,4\\n"); raise OSError()`, 1, 0, 1, scriptspec.OutcomeException, false},
		"an interrupt of its own": {1, `raise KeyboardInterrupt`, 1, 0, 1, scriptspec.OutcomeInterrupted, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, counter := failing(t, c.failures, c.failure)
			s.Retries = c.retries
			tester := &scriptspec.RuntimeTester{Retries: c.most}
			r, err := tester.TestScript(t.Context(), s)
			require.NoError(t, err)
			assert.Equal(t, c.runs, runsIn(t, counter))
			assert.Equal(t, c.outcome, r.Outcome, r.Details())
			assert.Equal(t, c.outcome == scriptspec.OutcomePassed, r.Success)
			assert.Equal(t, c.flaky, r.Flaky)
			if c.runs == 1 {
				assert.Empty(t, r.Attempts)
				return
			}
			require.Len(t, r.Attempts, c.runs)
			last := *r
			last.Attempts, last.Flaky = nil, false
			assert.Equal(t, last, r.Attempts[c.runs-1])
			for i, attempt := range r.Attempts[:c.runs-1] {
				assert.False(t, attempt.Success)
				assert.False(t, attempt.StartedAt.After(r.Attempts[i+1].StartedAt.Time), "attempts are in order")
			}
		})
	}
}

func TestRetriesAfterTimeout(t *testing.T) {
	t.Parallel()
	python(t)
	s, counter := failing(t, 1, "time.sleep(600)")
	s.Timeout = 4
	tester := &scriptspec.RuntimeTester{Retries: 1, Grace: 200 * time.Millisecond}
	r, err := tester.TestScript(t.Context(), s)
	require.NoError(t, err)
	assert.Equal(t, 2, runsIn(t, counter))
	require.Len(t, r.Attempts, 2)
	assert.Equal(t, scriptspec.OutcomeTimeout, r.Attempts[0].Outcome)
	assert.True(t, r.Flaky, r.Details())
}

// What a failed attempt has left in the outputs is no data of the next one: where the directories are the tester's
// own, it is gone.
func TestRetriesBeginWithEmptyOutputs(t *testing.T) {
	t.Parallel()
	python(t)
	t.Run("of a spec they stay", func(t *testing.T) {
		t.Parallel()
		s, _ := failing(t, 1, `raise OSError("busy")`)
		r, err := (&scriptspec.RuntimeTester{Retries: 1}).TestScript(t.Context(), s)
		require.NoError(t, err)
		assert.JSONEq(t, `["part-1.csv"]`, string(r.ReturnValue))
	})
	t.Run("of a suite", func(t *testing.T) {
		t.Parallel()
		s, counter := failing(t, 1, `raise OSError("busy")`)
		st, err := scriptspec.OpenStore(t.TempDir(), nil)
		require.NoError(t, err)
		require.NoError(t, st.Save(s))
		r, err := (&scriptspec.RuntimeTester{Retries: 1}).TestStore(t.Context(), st, nil)
		require.NoError(t, err)
		require.Len(t, r.Specs, 1)
		assert.True(t, r.Success)
		assert.True(t, r.Specs[0].Result.Flaky)
		assert.JSONEq(t, `[]`, string(r.Specs[0].Result.ReturnValue))
		assert.Equal(t, 2, runsIn(t, counter))
	})
	t.Run("of a harness", func(t *testing.T) {
		t.Parallel()
		s, counter := failing(t, 1, `raise OSError("busy")`)
		st, err := scriptspec.OpenStore(t.TempDir(), nil)
		require.NoError(t, err)
		require.NoError(t, st.Save(s))
		var r *scriptspec.StoreTestResult
		t.Run("store", func(t *testing.T) {
			r = scriptspec.RunStore(t, st, &scriptspec.HarnessOptions{Tester: &scriptspec.RuntimeTester{Retries: 1}})
		})
		if testing.Short() {
			return
		}
		assert.JSONEq(t, `[]`, string(r.Specs[0].Result.ReturnValue))
		assert.Equal(t, 2, runsIn(t, counter))
	})
	t.Run("of a pipeline", func(t *testing.T) {
		t.Parallel()
		s, counter := failing(t, 1, `raise OSError("busy")`)
		p := &scriptspec.PipelineTestingSpec{
			Name: "alone", DAG: &scriptspec.DAG{Nodes: []string{"TabularPreprocessing_training"}}, Specs: map[string]scriptspec.Spec{"TabularPreprocessing_training": s},
		}
		r, err := (&scriptspec.RuntimeTester{Retries: 1}).TestPipeline(t.Context(), p, &scriptspec.PipelineOptions{WorkDir: t.TempDir()})
		require.NoError(t, err)
		require.True(t, r.Success)
		assert.True(t, r.Nodes[0].Result.Flaky)
		assert.JSONEq(t, `[]`, string(r.Nodes[0].Result.ReturnValue))
		assert.Equal(t, 2, runsIn(t, counter))
	})
}

// An example that is to fail is not run again because it does.
func TestRetriesOfExpectedFailure(t *testing.T) {
	t.Parallel()
	python(t)
	s, counter := failing(t, 9, `raise OSError("busy")`)
	s.Examples = []scriptspec.Example{{Name: "busy", Expect: scriptspec.OutcomeException}}
	st, err := scriptspec.OpenStore(t.TempDir(), nil)
	require.NoError(t, err)
	require.NoError(t, st.Save(s))
	r, err := (&scriptspec.RuntimeTester{Retries: 3}).TestStore(t.Context(), st, &scriptspec.SuiteOptions{Example: "busy"})
	require.NoError(t, err)
	assert.True(t, r.Success)
	assert.False(t, r.Specs[0].Result.Flaky)
	assert.Equal(t, 1, runsIn(t, counter))
}

func TestImportTime(t *testing.T) {
	t.Parallel()
	python(t)
	s := scripted(t, "import time\nbegun = time.perf_counter()\nwhile time.perf_counter() - begun < 0.05: pass\n"+
		"time.perf_counter = lambda: 1e6\n"+
		"def main(output_paths):\n    open(output_paths['data_output'] + '/a', 'w').write('1')\n")
	r, err := (&scriptspec.RuntimeTester{}).TestScript(t.Context(), s)
	require.NoError(t, err)
	require.True(t, r.Success, r.Details())
	assert.GreaterOrEqual(t, r.ImportTime, 50*time.Millisecond)
	assert.Less(t, r.ImportTime, r.ExecutionTime)
	data, err := json.Marshal(r)
	require.NoError(t, err)
	var back scriptspec.ScriptTestResult
	require.NoError(t, json.Unmarshal(data, &back))
	assert.Equal(t, r.ImportTime, back.ImportTime)
	assert.True(t, r.StartedAt.Equal(back.StartedAt))
}

// Results of both versions are read, and no newer one.
func TestResultVersions(t *testing.T) {
	t.Parallel()
	for kind, text := range map[string]string{
		"pipeline": `{"version": %d, "name": "p", "success": true, "nodes": [], "edges": []}`,
		"store":    `{"version": %d, "dir": "d", "success": true, "specs": [{"name": "a", "error": "", "result": {"outcome": "passed", "execution_time": 1.5}}]}`,
	} {
		for _, version := range []int{1, 2} {
			r, err := scriptspec.ParseResult([]byte(fmt.Sprintf(text, version)))
			require.NoError(t, err, kind)
			assert.True(t, r.Succeeded())
		}
		for _, version := range []int{0, 3} {
			_, err := scriptspec.ParseResult([]byte(fmt.Sprintf(text, version)))
			var de *scriptspec.DecodeError
			require.ErrorAs(t, err, &de, kind)
			assert.Equal(t, "version", de.Path)
		}
	}
}

func TestRetriesInWords(t *testing.T) {
	t.Parallel()
	failed := scriptspec.ScriptTestResult{StepName: "Train", Outcome: scriptspec.OutcomeException, ErrorType: "OSError", ErrorMessage: "busy", ExecutionTime: time.Second}
	passed := scriptspec.ScriptTestResult{StepName: "Train", Outcome: scriptspec.OutcomePassed, Success: true, ExecutionTime: 2 * time.Second}
	flaky := passed
	flaky.Flaky, flaky.Attempts = true, []scriptspec.ScriptTestResult{failed, passed}
	flaky.Budget = []scriptspec.BudgetUse{{What: "duration", Value: 2, Limit: 1}}
	assert.Equal(t, "Train: passed in 2s on attempt 2 (flaky); duration is 2s, over the budget of 1s", flaky.String())
	assert.Contains(t, flaky.Details(), "\n-- attempt 1\nTrain: exception in 1s: OSError: busy")
	never := failed
	never.Attempts = []scriptspec.ScriptTestResult{failed, failed}
	assert.Equal(t, "Train: exception in 1s on the last of 2 attempts: OSError: busy", never.String())
}

// endedOnce is a context that has ended once a script has run.
type endedOnce struct {
	context.Context
	counter string
}

func (c endedOnce) Err() error {
	if _, err := os.Stat(c.counter); err == nil {
		return context.Canceled
	}
	return nil
}

// A run whose context has ended when an attempt has failed has no further attempt, and has the result of this one.
func TestNoRetryWhenTheContextHasEnded(t *testing.T) {
	t.Parallel()
	python(t)
	s, counter := failing(t, 1, `raise OSError("busy")`)
	r, err := (&scriptspec.RuntimeTester{Retries: 1}).TestScript(endedOnce{t.Context(), counter}, s)
	require.NoError(t, err)
	assert.Equal(t, scriptspec.OutcomeException, r.Outcome, r.Details())
	assert.Equal(t, 1, runsIn(t, counter))
}

// What fails six times is not run a seventh time: whoever asks for it is told.
func TestRetriesAreBounded(t *testing.T) {
	t.Parallel()
	python(t)
	s, counter := failing(t, 9, `raise OSError("busy")`)
	tester := &scriptspec.RuntimeTester{Retries: 6}
	_, err := tester.TestScript(t.Context(), s)
	var fe *scriptspec.FieldError
	require.ErrorAs(t, err, &fe)
	assert.Equal(t, "RuntimeTester.Retries", fe.Path)
	_, err = tester.TestStore(t.Context(), openStore(t, t.TempDir(), nil), nil)
	require.ErrorAs(t, err, &fe, "of the tester, and of no spec")
	assert.NoFileExists(t, counter)
	s.Retries = 6
	assert.Equal(t, []problem{{"retries", scriptspec.CodeFormat, "retries is more than 5"}}, problems(t, s.Validate()))
	tester.Retries, s.Retries = 0, 5
	r, err := tester.TestScript(t.Context(), s)
	require.NoError(t, err)
	assert.Len(t, r.Attempts, 6)
}
