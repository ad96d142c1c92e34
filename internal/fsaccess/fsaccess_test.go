package fsaccess

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCreatable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.NoError(t, os.Symlink("nowhere", filepath.Join(dir, "dangling")))

	require.NoError(t, Creatable(filepath.Join(dir, "new")))
	require.NoError(t, Creatable(filepath.Join(dir, "a", "b", "c")))
	require.ErrorIs(t, Creatable(filepath.Join(file, "below")), syscall.ENOTDIR)
	require.ErrorIs(t, Creatable(filepath.Join(file, "far", "below")), syscall.ENOTDIR)
	require.ErrorIs(t, Creatable(filepath.Join(dir, "dangling", "x")), fs.ErrNotExist)

	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, entries, 2, "nothing was created")
}

// Relative paths are judged from the working directory, which exists and can be written here.
func TestCreatableRelative(t *testing.T) {
	t.Parallel()
	require.NoError(t, Creatable("no/such/directory"))
	_, err := os.Stat("no")
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestReadableAndWritable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, Readable(dir))
	require.NoError(t, Writable(dir))
	require.ErrorIs(t, Readable(filepath.Join(dir, "absent")), fs.ErrNotExist)
	require.ErrorIs(t, Writable(filepath.Join(dir, "absent")), fs.ErrNotExist)

	if os.Geteuid() == 0 {
		return // root may do everything; the mode bits below would not show
	}
	closed := filepath.Join(dir, "closed")
	require.NoError(t, os.WriteFile(closed, nil, 0o000))
	require.ErrorIs(t, Readable(closed), fs.ErrPermission)
	require.ErrorIs(t, Writable(closed), fs.ErrPermission)
}
