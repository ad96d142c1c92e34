package workdir

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec/internal/atomicfile"
	"github.com/scriptspec/scriptspec/internal/snapshot"
)

func open(t *testing.T, path string) *Dir {
	t.Helper()
	d, err := Open(path, true)
	require.NoError(t, err)
	return d
}

func TestOpen(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "deep", "work")
	_, err := Open(path, false)
	require.ErrorIs(t, err, fs.ErrNotExist)
	d := open(t, path)
	assert.Equal(t, path, d.Path())
	_, err = Open(path, true)
	require.ErrorIs(t, err, atomicfile.ErrLocked, "one run at a time")
	d.Close()
	again, err := Open(path, false)
	require.NoError(t, err, "made by a run")
	again.Close()
}

// What a user has put somewhere is not cleared.
func TestOpenRefusesWhatIsNotOurs(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	file := filepath.Join(path, "thesis.tex")
	require.NoError(t, os.WriteFile(file, []byte("x"), 0o600))
	_, err := Open(path, true)
	ne, ok := errors.AsType[*NotEmptyError](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, NotEmptyError{path, file}, *ne)
	assert.FileExists(t, file)
	assert.NoDirExists(t, filepath.Join(path, ownDir))
}

func TestClear(t *testing.T) {
	t.Parallel()
	d := open(t, filepath.Join(t.TempDir(), "work"))
	defer d.Close()
	file := filepath.Join(d.Path(), "Train", "model", "old.bin")
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
	require.NoError(t, os.WriteFile(file, []byte("x"), 0o600))
	require.NoError(t, d.Clear("Train"))
	entries, err := os.ReadDir(filepath.Join(d.Path(), "Train"))
	require.NoError(t, err)
	assert.Empty(t, entries)

	outside := t.TempDir()
	kept := filepath.Join(outside, "kept")
	require.NoError(t, os.WriteFile(kept, []byte("x"), 0o600))
	if os.Symlink(outside, filepath.Join(d.Path(), "Link")) != nil {
		t.Skip("needs links")
	}
	require.NoError(t, d.Clear("Link"))
	assert.FileExists(t, kept, "a link is replaced, not followed")
}

func TestRecords(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "work")
	d := open(t, path)
	_, ok := d.Record("Train")
	assert.False(t, ok)
	want := Record{Node: "Train", Status: "passed", Digest: "d", Data: map[string]snapshot.Digest{"model": {Stamp: "m"}}}
	require.NoError(t, d.SetRecord(want))
	want.Version = recordVersion
	d.Close()
	d = open(t, path)
	defer d.Close()
	got, ok := d.Record("Train")
	assert.True(t, ok)
	assert.Equal(t, want, got)
	require.NoError(t, d.Forget("Train"))
	_, ok = d.Record("Train")
	assert.False(t, ok)
	require.NoError(t, os.WriteFile(filepath.Join(path, recordName("Train")), []byte(`{"version": 99}`), 0o600))
	_, ok = d.Record("Train")
	assert.False(t, ok, "of another version")
}

func TestKey(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "work")
	d := open(t, path)
	key, err := d.Key()
	require.NoError(t, err)
	require.Len(t, key, 32)
	again, err := d.Key()
	require.NoError(t, err)
	assert.Equal(t, key, again)
	for name, put := range map[string]func(file string) error{
		"short": func(file string) error { return os.WriteFile(file, []byte("x"), 0o600) },
		"link":  func(file string) error { return os.Symlink("elsewhere", file) },
	} {
		file := filepath.Join(path, ownDir, keyFile)
		require.NoError(t, os.Remove(file))
		require.NoError(t, put(file))
		other, err := d.Key()
		require.NoError(t, err, name)
		require.Len(t, other, 32, name)
		assert.NotEqual(t, key, other, name)
		assert.NoFileExists(t, filepath.Join(path, ownDir, "elsewhere"))
	}
	d.Close()
}

// Runs that share a directory exclude one that does not, and each other from their nodes.
func TestOpenShared(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "work")
	shared := func() *Dir {
		d, err := OpenShared(path, true)
		require.NoError(t, err)
		return d
	}
	one, other := shared(), shared()
	_, err := Open(path, true)
	require.ErrorIs(t, err, atomicfile.ErrLocked, "a run of all")
	key, err := one.Key()
	require.NoError(t, err)
	same, err := other.Key()
	require.NoError(t, err)
	assert.Equal(t, key, same)

	require.NoError(t, one.LockNodes([]string{"Left"}, []string{"Load"}))
	require.NoError(t, other.LockNodes([]string{"Right"}, []string{"Load"}), "both read what Load has made")
	for name, lock := range map[string]func(*Dir) error{
		"run, and run":  func(d *Dir) error { return d.LockNodes([]string{"Left"}, nil) },
		"run, and read": func(d *Dir) error { return d.LockNodes([]string{"Join"}, []string{"Right"}) },
		"read, and run": func(d *Dir) error { return d.LockNodes([]string{"Load"}, nil) },
	} {
		d := shared()
		require.ErrorIs(t, lock(d), atomicfile.ErrLocked, name)
		d.Close()
	}
	one.Close()
	other.Close()
	all := open(t, path)
	_, err = OpenShared(path, true)
	require.ErrorIs(t, err, atomicfile.ErrLocked, "a run of all has it")
	all.Close()
	one = shared()
	require.NoError(t, one.LockNodes([]string{"Left", "Load"}, nil), "as all have ended")
	one.Close()
}

// Of those that begin at the same time one makes the key.
func TestKeyIsOne(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "work")
	const runs = 8
	keys := make(chan string, runs)
	for range runs {
		go func() {
			d, err := OpenShared(path, true)
			if err != nil {
				keys <- err.Error()
				return
			}
			defer d.Close()
			key, err := d.Key()
			if err != nil {
				key = []byte(err.Error())
			}
			keys <- string(key)
		}()
	}
	first := <-keys
	assert.Len(t, first, 32, "%q", first)
	for range runs - 1 {
		assert.Equal(t, first, <-keys)
	}
}
