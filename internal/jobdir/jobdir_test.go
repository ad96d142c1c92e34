package jobdir

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func create(t *testing.T) Dir {
	t.Helper()
	d, err := Create(filepath.Join(t.TempDir(), "jobs", "Train"))
	require.NoError(t, err)
	return d
}

func TestAttempts(t *testing.T) {
	t.Parallel()
	parent := filepath.Join(t.TempDir(), "jobs")
	assert.Empty(t, All(parent))
	for range 11 {
		_, err := Create(parent)
		require.NoError(t, err)
	}
	require.NoError(t, os.Mkdir(filepath.Join(parent, "other"), 0o700))
	all := All(parent)
	require.Len(t, all, 11)
	assert.Equal(t, Dir(filepath.Join(parent, "11")), all[0], "by number")
	require.NoError(t, all[5].Remove())
	next, err := Create(parent)
	require.NoError(t, err)
	assert.Equal(t, Dir(filepath.Join(parent, "12")), next, "never one that is there")
}

// The request is read by its owner only, by one helper, once.
func TestRequest(t *testing.T) {
	t.Parallel()
	d := create(t)
	require.NoError(t, d.SetRequest([]byte("secret")))
	info, err := os.Stat(filepath.Join(string(d), requestFile))
	require.NoError(t, err)
	if runtime.GOOS != "windows" {
		assert.Equal(t, fs.FileMode(0o600), info.Mode().Perm())
	}
	var taken sync.Map
	var helpers sync.WaitGroup
	for i := range 8 {
		helpers.Go(func() {
			if data, err := d.TakeRequest(); err == nil {
				taken.Store(i, string(data))
			} else {
				assert.ErrorIs(t, err, ErrTaken)
			}
		})
	}
	helpers.Wait()
	count := 0
	taken.Range(func(_, text any) bool {
		assert.Equal(t, "secret", text)
		count++
		return true
	})
	assert.Equal(t, 1, count)
	entries, err := os.ReadDir(string(d))
	require.NoError(t, err)
	assert.Empty(t, entries)
	require.NoError(t, d.Remove())
	_, err = d.TakeRequest()
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestRecordBegunReply(t *testing.T) {
	t.Parallel()
	d := create(t)
	_, ok := d.Record()
	assert.False(t, ok)
	require.NoError(t, d.SetRecord(Record{Version: 1, Name: "scriptspec-X"}))
	want := Record{Version: 1, Name: "scriptspec-X", ID: "7", Digest: "d"}
	require.NoError(t, d.SetRecord(want))
	got, ok := d.Record()
	assert.True(t, ok)
	assert.Equal(t, want, got)

	_, ok = d.Begun()
	assert.False(t, ok)
	require.NoError(t, d.SetBegun(Begun{Job: "7", Host: "n1", PID: 4}))
	begun, ok := d.Begun()
	assert.True(t, ok)
	assert.Equal(t, Begun{Job: "7", Host: "n1", PID: 4}, begun)

	_, ok, err := d.Reply()
	require.NoError(t, err)
	assert.False(t, ok)
	require.NoError(t, d.SetReply([]byte("{}")))
	data, ok, err := d.Reply()
	require.NoError(t, err)
	assert.True(t, ok)
	assert.Equal(t, "{}", string(data))

	require.NoError(t, d.SetRequest([]byte("secret")))
	assert.False(t, d.Withdrawn())
	require.NoError(t, d.Withdraw())
	require.NoError(t, d.Withdraw(), "again")
	assert.True(t, d.Withdrawn())
	_, ok = d.Begun()
	assert.False(t, ok)
	_, err = d.TakeRequest()
	require.ErrorIs(t, err, ErrTaken)
	require.NoError(t, d.Remove())
	_, _, err = d.Reply()
	require.ErrorIs(t, err, fs.ErrNotExist)
}
