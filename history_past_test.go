package scriptspec_test

import (
	"testing"

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
