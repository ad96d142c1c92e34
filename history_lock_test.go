package scriptspec_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// A history that someone else has locked costs all attempts together no more than twice what the first one waits, changes no
// verdict, and is said.
func TestHistoryThatIsLocked(t *testing.T) {
	t.Parallel()
	s := scripted(t, "def main(output_paths):\n    raise ValueError\n")
	s.Retries = 3
	dir := t.TempDir()
	other := openStore(t, dir, nil)
	require.NoError(t, other.Save(s))
	h := openStore(t, dir, nil).History()
	first := *h.Patience()
	*h.Patience() = 16 * time.Millisecond // so that the test does not wait
	unlock, err := other.Lock(t.Context())
	require.NoError(t, err)
	tester := &scriptspec.RuntimeTester{Python: python(t), History: h}
	r, err := tester.TestScript(t.Context(), s)
	require.NoError(t, err)
	assert.Equal(t, scriptspec.OutcomeException, r.Outcome)
	assert.Len(t, r.Attempts, 4)
	require.ErrorIs(t, h.Err(), scriptspec.ErrLocked)
	assert.Contains(t, h.Err().Error(), "4 records are missing")
	assert.Equal(t, time.Millisecond, *h.Patience(), "half as long after each")
	var several sync.WaitGroup
	for range 20 {
		several.Go(func() { assert.ErrorIs(t, h.Append(aRecord("Prep", 1)), scriptspec.ErrLocked) })
	}
	several.Wait()
	assert.Equal(t, time.Millisecond, *h.Patience(), "and a moment at last, also of many at the same time")
	unlock()
	*h.Patience() = first / 2 // a process that is being started has the lock for a moment
	require.NoError(t, h.Append(aRecord("Prep", 1)))
	assert.Equal(t, first, *h.Patience(), "patient again")
	assert.LessOrEqual(t, first, time.Second)
}
