package scriptspec_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// What a run finds are runs before it, none of its own attempts, also if another tester has recorded them since the last look.
func TestPastOfARunIsBeforeIt(t *testing.T) {
	t.Parallel()
	s := scripted(t, "def main(output_paths):\n    raise ValueError\n")
	s.Retries = 2
	dir := t.TempDir()
	h := openStore(t, dir, nil).History()
	tester := &scriptspec.RuntimeTester{Python: python(t), History: h}
	run := func() scriptspec.PastRuns {
		t.Helper()
		r, err := tester.TestScript(t.Context(), s)
		require.NoError(t, err)
		require.Len(t, r.Attempts, 3)
		return r.Past
	}
	assert.Zero(t, run())
	past := run()
	assert.Len(t, past.Recent, 3)
	all, _ := records(h, nil)
	for i, p := range past.Recent {
		assert.Equal(t, all[i].At, p.At, "oldest first")
	}
	other := openStore(t, dir, nil).History()
	require.NoError(t, other.Append(all[5]))
	assert.Len(t, run().Recent, 7)
}

// The first run of a session is none that a later one is compared with, from the second one on.
func TestPastOfASession(t *testing.T) {
	t.Parallel()
	s := scripted(t, writesOutput+"def main(output_paths):\n    done(output_paths)\n")
	h := openStore(t, t.TempDir(), nil).History()
	for _, want := range [][]int{{0, 0, 1, 2}, {3, 3, 4}} {
		tester := &scriptspec.RuntimeTester{Python: python(t), History: h}
		var runs []int
		for range want {
			r, err := tester.TestScript(t.Context(), s)
			require.NoError(t, err)
			require.True(t, r.Success, r)
			runs = append(runs, r.Past.Comparable.Runs)
		}
		assert.Equal(t, want, runs)
	}
}

// Times are compared with those of the last runs that are like this one, however many others came after them, and these are those
// that Stats has.
func TestPastRunsThatAreComparable(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(15, 1))
	for round := range 20 {
		st := openStore(t, t.TempDir(), nil)
		var all []scriptspec.Record
		for i := range 10 + 30*round {
			r := aRecord("Prep", i)
			r.Run = fmt.Sprint("R", i-random.IntN(3)) // some are of the same call, or of the same session
			r.Session = []string{"", fmt.Sprint("S", i/5)}[random.IntN(2)]
			r.Duration = time.Duration(random.IntN(1e6)) * time.Microsecond
			r.Warm = random.IntN(4) == 0
			r.Python = []string{"3.12.4", "3.13.0"}[random.IntN(5)/4]
			r.InputDigest = []string{"00112233445566cc", "00112233445566dd", ""}[random.IntN(5)/2]
			if random.IntN(5) == 0 {
				r.Outcome = scriptspec.OutcomeException
			}
			all = append(all, r)
		}
		for range 30 * (round % 3) { // later runs of which no one is comparable
			r := aRecord("Prep", len(all))
			r.InputDigest = ""
			all = append(all, r)
		}
		require.NoError(t, st.History().Append(all...))
		stats, err := st.Stats(t.Context(), nil)
		require.NoError(t, err)
		last := len(all) - 1
		for all[last].InputDigest == "" || !all[last].Passed() {
			last--
		}
		past, step := st.History().PastOfOneLike(&all[last]), stats.Steps[0]
		require.Equal(t, scriptspec.PastTimes{Runs: step.Window, Median: step.Median, P90: step.P90, Min: step.Min}, past.Comparable, "round %d", round)
		unknown := all[last]
		unknown.InputDigest = ""
		require.Zero(t, st.History().PastOfOneLike(&unknown).Comparable, "two inputs of which nothing is known may differ")
		text, err := json.Marshal(past)
		require.NoError(t, err)
		var again scriptspec.PastRuns
		require.NoError(t, json.Unmarshal(text, &again))
		require.Equal(t, past, again)
	}
}

// What was run in a pipeline and by itself are two things, to whatever looks at earlier runs.
func TestRunsOfAPipelineAreApart(t *testing.T) {
	t.Parallel()
	var all []scriptspec.Record
	for i := range 40 {
		r := daysAgo(aRecord("Prep", i), 10)
		if r.At.Time = r.At.Add(time.Duration(i) * time.Second); i%2 > 0 {
			r.Pipeline, r.Outcome, r.Duration = "churn", scriptspec.OutcomeException, time.Hour
		}
		all = append(all, r)
	}
	st := smallSuite(t, []string{"Prep", "Other"}, all)
	require.NoError(t, st.History().Append(daysAgo(aRecord("Other", 1), 5)))

	past, inPipeline := st.History().PastOfOneLike(&all[0]), st.History().PastOfOneLike(&all[1])
	require.Len(t, past.Recent, 20)
	for i := range 20 {
		assert.Equal(t, scriptspec.OutcomePassed, past.Recent[i].Outcome)
		assert.Equal(t, scriptspec.OutcomeException, inPipeline.Recent[i].Outcome)
	}
	assert.Equal(t, 20, past.Comparable.Runs)
	assert.Zero(t, inPipeline.Comparable)

	stats, err := st.Stats(t.Context(), nil)
	require.NoError(t, err)
	var names []string
	for _, s := range stats.Steps {
		names = append(names, s.Name())
		assert.Zero(t, s.Flaky)
		assert.Contains(t, []int{0, s.Runs}, s.Passed)
	}
	assert.Equal(t, []string{"Prep (churn)", "Prep", "Other"}, names)
	cold := scriptspec.ColdRuns([]scriptspec.Record{all[0], func() scriptspec.Record { r := all[1]; r.Run = all[0].Run; return r }()})
	assert.Equal(t, []bool{false, false}, cold)

	tester := &scriptspec.RuntimeTester{Python: python(t)}
	first := func(o scriptspec.SuiteOptions) string {
		o.Change = func(*scriptspec.ScriptExecutionSpec) error { return errors.New("seen") }
		r, err := tester.TestStore(t.Context(), st, &o)
		require.NoError(t, err)
		return r.Specs[0].Name
	}
	assert.Equal(t, "other", first(scriptspec.SuiteOptions{FailedFirst: true}), "by itself it has passed")
	assert.Equal(t, "other", first(scriptspec.SuiteOptions{LastFailed: true}), "so that nothing has failed")
	assert.Equal(t, "other", first(scriptspec.SuiteOptions{Shard: scriptspec.Shard{Index: 1, Count: 1}}), "or has taken long")
}

// The last records are those that all of them end with, and what is before them is not read.
func TestLastRecords(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := openStore(t, dir, nil).History()
	none, errs := records(h, &scriptspec.HistoryFilter{Last: 3})
	assert.Empty(t, none)
	assert.Empty(t, errs)
	for i := range 60 {
		require.NoError(t, h.Append(aRecord([]string{"Prep", "Train"}[i%2], i*24*60)))
	}
	all, _ := records(h, nil)
	for last := range 62 {
		got, errs := records(h, &scriptspec.HistoryFilter{Last: last})
		require.Empty(t, errs)
		require.Equal(t, all[max(0, len(all)-cmp.Or(last, 60)):], got, last)
	}
	f := &scriptspec.HistoryFilter{Last: 3, Steps: []string{"Train"}, Until: all[40].At.Time}
	got, _ := records(h, f)
	assert.Equal(t, []scriptspec.Record{all[35], all[37], all[39]}, got)
	f.Since = all[38].At.Time
	got, _ = records(h, f)
	assert.Equal(t, []scriptspec.Record{all[39]}, got)
	for range h.Records(&scriptspec.HistoryFilter{Last: 3}) {
		break // a reader may have seen enough
	}

	history := filepath.Join(dir, ".specs", ".history")
	write(t, filepath.Join(history, "2027-02.jsonl"), "foreign\n")
	require.NoError(t, os.Mkdir(filepath.Join(history, "2027-03.jsonl"), 0o700))
	got, errs = records(h, &scriptspec.HistoryFilter{Last: 3})
	assert.Equal(t, all[57:], got)
	require.Len(t, errs, 2)
	assert.Contains(t, errs[1].Error(), "2027-02.jsonl: one of its last lines is no record of a history")
	write(t, filepath.Join(history, "2026-10.jsonl"), "foreign\n")
	_, errs = records(h, &scriptspec.HistoryFilter{Last: 3})
	assert.Len(t, errs, 2, "it is not read")
}
