package jobdir

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What a driver that was killed has left is ended by the next one, and nothing of one that runs or is on another host.
func TestOwned(t *testing.T) {
	t.Parallel()
	parent := filepath.Join(t.TempDir(), "jobs")
	var ended []Dir
	var refuse error
	end := func(d Dir) error {
		ended = append(ended, d)
		return refuse
	}
	var living, killed, elsewhere Owned
	attempt := func(o *Owned) Dir {
		place, release, err := o.Place(parent, end)
		require.NoError(t, err)
		t.Cleanup(release)
		dir, err := Create(place)
		require.NoError(t, err)
		return dir
	}
	kept, left, foreign := attempt(&living), attempt(&killed), attempt(&elsewhere)
	require.NoError(t, os.WriteFile(filepath.Join(elsewhere.dir, ownerFile), []byte("another.host"), 0o600))
	killed.unlock()
	elsewhere.unlock()
	killed.unlock, elsewhere.unlock = func() {}, func() {}
	assert.Empty(t, ended)

	refuse = errors.New("it may still run")
	var next Owned
	_, release, err := next.Place(parent, end)
	require.NoError(t, err)
	assert.Equal(t, []Dir{left}, ended)
	assert.DirExists(t, string(left), "the next one tries again")
	release()
	assert.NoDirExists(t, next.dir)
	refuse = nil
	_, release, err = next.Place(parent, end)
	require.NoError(t, err)
	defer release()
	assert.Equal(t, []Dir{left, left}, ended)
	assert.NoDirExists(t, killed.dir)
	assert.DirExists(t, string(kept))
	assert.DirExists(t, string(foreign))

	_, second, err := next.Place(parent, end)
	require.NoError(t, err)
	second()
	assert.DirExists(t, next.dir, "there is another job")
}
