package scriptspec_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
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
	assert.Zero(t, past.Runs, "they are not counted unless asked for")
	all, _ := records(h, nil)
	for i, p := range past.Recent {
		assert.Equal(t, all[i].At, p.At, "oldest first")
	}
	other := openStore(t, dir, nil).History()
	require.NoError(t, other.Append(all[5]))
	tester.CountPast = true
	past = run()
	assert.Len(t, past.Recent, 7)
	assert.Equal(t, 7, past.Runs)
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
			r.Run = fmt.Sprint("R", i-random.IntN(3)) // some are of the same call
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
