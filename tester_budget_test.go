package scriptspec_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

func TestBudget(t *testing.T) {
	t.Parallel()
	s := scripted(t, "def main(output_paths):\n    open(output_paths['data_output'] + '/a', 'w').write('x' * 100)\n")
	s.Budget = scriptspec.Budget{Duration: 1e-4, PeakMemory: 1024, OutputBytes: 99}
	r := run(t, s)
	assert.True(t, r.Success, "a budget fails nothing")
	require.NotEmpty(t, r.OverBudget())
	assert.Equal(t, scriptspec.BudgetUse{What: "duration", Value: r.ExecutionTime.Seconds(), Limit: 1e-4}, r.OverBudget()[0])
	last := r.OverBudget()[len(r.OverBudget())-1]
	assert.Equal(t, scriptspec.BudgetUse{What: "output_bytes", Value: 100, Limit: 99}, last)
	if r.PeakMemory > 0 { // where the system tells
		assert.Equal(t, "peak_memory", r.OverBudget()[1].What)
	}

	s.Budget = scriptspec.Budget{Duration: 600, PeakMemory: 1 << 40, OutputBytes: 100}
	r = run(t, s)
	assert.Empty(t, r.OverBudget())
	assert.Equal(t, scriptspec.BudgetUse{What: "duration", Value: r.ExecutionTime.Seconds(), Limit: 600}, r.Budget[0])
	assert.Equal(t, scriptspec.BudgetUse{What: "output_bytes", Value: 100, Limit: 100}, r.Budget[len(r.Budget)-1])
	s.Budget.Regression = 0.1
	assert.Len(t, run(t, s).Budget, len(r.Budget), "of which nothing is known without a history")
	s.Budget = scriptspec.Budget{}
	assert.Empty(t, run(t, s).Budget)
}

func TestBudgetOfFailedRun(t *testing.T) {
	t.Parallel()
	s := scripted(t, "def main(output_paths):\n    raise ValueError()\n")
	s.Budget.Duration = 1e-4
	r := run(t, s)
	assert.False(t, r.Success)
	assert.Empty(t, r.OverBudget(), "that it failed is what counts")
}

func TestBudgetUseString(t *testing.T) {
	t.Parallel()
	for want, e := range map[string]scriptspec.BudgetUse{
		"duration is 1m12s, over the budget of 1m0s":                  {What: "duration", Value: 72, Limit: 60},
		"duration is 1.23s, over the budget of 0.1ms":                 {What: "duration", Value: 1.2345678, Limit: 1e-4},
		"duration is 60.0004s, over the budget of 60s":                {What: "duration", Value: 60.0004, Limit: 60},
		"peak_memory is 1.5 GiB, over the budget of 1 GiB":            {What: "peak_memory", Value: 1536 << 20, Limit: 1 << 30},
		"peak_memory is 37 MiB, over the budget of 32 MiB":            {What: "peak_memory", Value: 37 << 20, Limit: 32 << 20},
		"output_bytes is 512 KiB, over the budget of 1 B":             {What: "output_bytes", Value: 1 << 19, Limit: 1},
		"output_bytes is 1000 B, over the budget of 998 B":            {What: "output_bytes", Value: 1000, Limit: 998},
		"output_bytes is 104857601 B, over the budget of 104857600 B": {What: "output_bytes", Value: 100<<20 + 1, Limit: 100 << 20},
		"regression is 31 %, over the budget of 25 %":                 {What: "regression", Value: 0.31, Limit: 0.25},
		"regression is 1024 %, over the budget of 0.001 %":            {What: "regression", Value: 10.24, Limit: 1e-5},
		"duration is 1m0s, within the budget of 1m0s":                 {What: "duration", Value: 60, Limit: 60},
		"regression is 25.00001 %, over the budget of 25 %":           {What: "regression", Value: 0.2500001, Limit: 0.25},
	} {
		assert.Equal(t, want, e.String())
	}
}

// A regression is told from noise by the median of comparable runs: six at least, and 50 ms.
func TestBudgetOfRegression(t *testing.T) {
	t.Parallel()
	s := scripted(t, "import time\ndef main(output_paths):\n    time.sleep(0.1)\n    open(output_paths['data_output'] + '/a', 'w').write('1')\n")
	s.Budget.Regression = 0.25
	st, err := scriptspec.OpenStore(t.TempDir(), nil)
	require.NoError(t, err)
	tester := &scriptspec.RuntimeTester{History: st.History()}
	first, err := tester.TestScript(t.Context(), s)
	require.NoError(t, err)
	require.Zero(t, first.Past)
	assert.Equal(t, []scriptspec.UncheckedBudget{{What: "regression", Why: "too few comparable runs (0 of 6)"}}, first.UncheckedBudget)
	assert.True(t, first.Success, "which is no failure")
	var record scriptspec.Record
	for r, err := range st.History().Records(nil) {
		require.NoError(t, err)
		record = r
	}
	record.Duration = time.Millisecond // as if it had been that fast
	for range 20 {
		require.NoError(t, st.History().Append(record))
	}
	r, err := tester.TestScript(t.Context(), s)
	require.NoError(t, err)
	require.Len(t, r.Past.Recent, 20)
	require.Len(t, r.OverBudget(), 1)
	assert.Equal(t, "regression", r.OverBudget()[0].What)
	assert.Empty(t, r.UncheckedBudget)
	record.InputDigest = "0000000000000000" // of other data: not comparable
	for range 150 {
		require.NoError(t, st.History().Append(record))
	}
	r, err = tester.TestScript(t.Context(), s)
	require.NoError(t, err)
	assert.Len(t, r.OverBudget(), 1, "those that are comparable count, even if none of the last ones is")
	r, err = (&scriptspec.RuntimeTester{}).TestScript(t.Context(), s)
	require.NoError(t, err)
	assert.Empty(t, r.OverBudget())
	require.Len(t, r.UncheckedBudget, 1)
	assert.Equal(t, "regression was not checked: there is no history to compare with", r.UncheckedBudget[0].String())
}

// A regression needs six comparable runs, and 50 ms beside their median.
func TestBudgetOfRegressionIsNoNoise(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		runs         int
		median, took time.Duration
		over         bool
	}{
		{6, 100 * time.Millisecond, 150 * time.Millisecond, true},
		{6, 100 * time.Millisecond, 150*time.Millisecond - 1, false},
		{5, 100 * time.Millisecond, 900 * time.Millisecond, false},
		{20, 10 * time.Second, 12500 * time.Millisecond, false}, // as much as the budget allows
		{20, 10 * time.Second, 12501 * time.Millisecond, true},
		{20, 0, time.Second, false},
	} {
		r := &scriptspec.ScriptTestResult{ExecutionTime: c.took}
		r.Past.Comparable = scriptspec.PastTimes{Runs: c.runs, Median: c.median}
		r.Budget = scriptspec.UsesOf(scriptspec.Budget{Regression: 0.25}, r)
		assert.Equal(t, c.over, len(r.OverBudget()) > 0, "%+v", c)
	}
}

// What is over the budget is also written as a member of its own, and read where it is all that a file has.
func TestOverBudgetInJSON(t *testing.T) {
	t.Parallel()
	uses := []scriptspec.BudgetUse{{What: "duration", Value: 2, Limit: 1}, {What: "output_bytes", Value: 1, Limit: 2}}
	r := &scriptspec.ScriptTestResult{StepName: "Prep", Outcome: scriptspec.OutcomePassed, Budget: uses}
	data, err := json.Marshal(r)
	require.NoError(t, err)
	assert.Contains(t, string(data), `"over_budget":[{"what":"duration","value":2,"limit":1}]`)
	var again scriptspec.ScriptTestResult
	require.NoError(t, json.Unmarshal(data, &again))
	assert.Equal(t, uses, again.Budget)
	assert.Equal(t, uses[:1], again.OverBudget())
	var old scriptspec.ScriptTestResult
	require.NoError(t, json.Unmarshal([]byte(`{"over_budget":[{"what":"duration","value":2,"limit":1}]}`), &old))
	assert.Equal(t, uses[:1], old.OverBudget())
}
