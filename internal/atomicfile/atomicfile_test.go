package atomicfile

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func openTemp(t *testing.T) (d *Dir, path string) {
	t.Helper()
	path = t.TempDir()
	d, err := OpenPath(path)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, d.Close()) })
	return d, path
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	list := make([]string, len(entries))
	for i, e := range entries {
		list[i] = e.Name()
	}
	return list
}

func TestWriteAndRead(t *testing.T) {
	t.Parallel()
	d, path := openTemp(t)
	var buf []byte
	for _, text := range []string{"first", "", strings.Repeat("longer ", 10000), "short"} {
		require.NoError(t, d.Write("f", []byte(text), 0o600, nil))
		got, id, err := d.Read("f", 1<<20, buf)
		require.NoError(t, err)
		assert.Equal(t, text, string(got))
		now, err := d.Stat("f")
		require.NoError(t, err)
		assert.Equal(t, now, id)
		buf = got
		whole, _, err := ReadFile(filepath.Join(path, "f"), 1<<20, nil)
		require.NoError(t, err)
		assert.Equal(t, text, string(whole))
	}
	assert.Equal(t, []string{"f"}, names(t, path), "no temporary file is left")
	require.NoError(t, d.Remove("f"))
	require.ErrorIs(t, d.Remove("f"), fs.ErrNotExist)
}

func TestWriteKeepsMode(t *testing.T) {
	t.Parallel()
	d, dir := openTemp(t)
	path := filepath.Join(dir, "f")
	require.NoError(t, d.Write("f", []byte("x"), 0o600, nil))
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o600), info.Mode(), "a new file")

	for _, mode := range []fs.FileMode{0o640, 0o664, 0o400} {
		require.NoError(t, os.Chmod(path, mode|fs.ModeSetuid))
		require.NoError(t, WriteFile(path, []byte("y"), 0o600))
		info, err := os.Stat(path)
		require.NoError(t, err)
		assert.Equal(t, mode, info.Mode(), "no setuid")
	}
}

func TestWriteReplacesALink(t *testing.T) {
	t.Parallel()
	d, dir := openTemp(t)
	outside := filepath.Join(t.TempDir(), "outside")
	require.NoError(t, os.WriteFile(outside, []byte("untouched"), 0o600))
	require.NoError(t, os.Symlink(outside, filepath.Join(dir, "f")))

	_, _, err := d.Read("f", 1<<20, nil)
	require.ErrorIs(t, err, ErrNotRegular)
	_, err = d.Stat("f")
	require.ErrorIs(t, err, ErrNotRegular)
	require.NoError(t, d.Write("f", []byte("new"), 0o600, nil))

	got, err := os.ReadFile(outside)
	require.NoError(t, err)
	assert.Equal(t, "untouched", string(got))
	got, _, err = d.Read("f", 1<<20, nil)
	require.NoError(t, err)
	assert.Equal(t, "new", string(got))
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	d, dir := openTemp(t)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "dir"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "file"), make([]byte, 11), 0o600))
	require.NoError(t, os.Symlink("file", filepath.Join(dir, "link")))
	sparse, err := os.Create(filepath.Join(dir, "sparse"))
	require.NoError(t, err)
	require.NoError(t, sparse.Truncate(1<<40))
	require.NoError(t, sparse.Close())

	for name, want := range map[string]error{
		"absent": fs.ErrNotExist,
		"dir":    ErrNotRegular,
		"link":   ErrNotRegular,
		"file":   ErrTooLarge,
		"sparse": ErrTooLarge,
	} {
		_, _, err := d.Read(name, 10, nil)
		assert.ErrorIs(t, err, want, name)
		_, _, err = ReadFile(filepath.Join(dir, name), 10, nil)
		assert.ErrorIs(t, err, want, name)
	}
	data, _, err := d.Read("file", 11, nil)
	require.NoError(t, err)
	assert.Len(t, data, 11)
	require.ErrorIs(t, d.Write("dir", []byte("x"), 0o600, nil), ErrNotRegular)
	require.ErrorIs(t, d.Remove("dir"), ErrNotRegular)
	assert.Equal(t, []string{"dir", "file", "link", "sparse"}, names(t, dir))
}

// A reader beside writers sees one whole version, always.
func TestReadBesideWrite(t *testing.T) {
	t.Parallel()
	d, _ := openTemp(t)
	version := func(b byte) []byte { return bytes.Repeat([]byte{b}, 5000) }
	require.NoError(t, d.Write("f", version('a'), 0o600, nil))
	var writers sync.WaitGroup
	for _, b := range []byte("bc") {
		writers.Go(func() {
			for range 20 {
				assert.NoError(t, d.Write("f", version(b), 0o600, nil))
			}
		})
	}
	done := make(chan struct{})
	go func() { writers.Wait(); close(done) }()
	for reading := true; reading; {
		select {
		case <-done:
			reading = false
		default:
		}
		data, _, err := d.Read("f", 1<<20, nil)
		if !assert.NoError(t, err) || !assert.Equal(t, version(data[0]), data) {
			break
		}
	}
	<-done
}

func TestSweep(t *testing.T) {
	t.Parallel()
	d, dir := openTemp(t)
	old := time.Now().Add(-2 * time.Hour)
	for name, at := range map[string]time.Time{
		".scriptspec-OLD.tmp": old, ".scriptspec-NEW.tmp": time.Now(), "x.tmp": old, ".scriptspec-": old,
		"a_runtime_test_spec.json": old, ".scriptspec-x.tmp.bak": old, ".gitignore": old,
	} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, nil, 0o600))
		require.NoError(t, os.Chtimes(path, at, at))
	}
	require.NoError(t, os.Mkdir(filepath.Join(dir, ".scriptspec-DIR.tmp"), 0o700))
	d.Sweep()
	assert.Equal(t, []string{".gitignore", ".scriptspec-", ".scriptspec-DIR.tmp", ".scriptspec-NEW.tmp", ".scriptspec-x.tmp.bak",
		"a_runtime_test_spec.json", "x.tmp"}, names(t, dir))
}

func TestLockExcludes(t *testing.T) {
	t.Parallel()
	d, path := openTemp(t)
	other, err := OpenPath(path) // as another process would
	require.NoError(t, err)
	defer other.Close()
	var counter atomic.Int64
	var group sync.WaitGroup
	for _, dir := range []*Dir{d, d, other, other} {
		group.Go(func() {
			for range 25 {
				unlock, err := dir.Lock(t.Context(), time.Minute)
				if !assert.NoError(t, err) {
					return
				}
				n := counter.Load() // not Add: without the lock this loses counts
				runtime.Gosched()
				counter.Store(n + 1)
				unlock()
			}
		})
	}
	group.Wait()
	assert.Equal(t, int64(100), counter.Load())
}

func TestLockIsBounded(t *testing.T) {
	t.Parallel()
	d, path := openTemp(t)
	other, err := OpenPath(path)
	require.NoError(t, err)
	defer other.Close()
	unlock, err := d.Lock(t.Context(), time.Minute)
	require.NoError(t, err)
	for _, waiting := range []*Dir{d, other} {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		_, err = waiting.Lock(ctx, time.Minute)
		cancel()
		require.ErrorIs(t, err, ErrLocked)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	}
	unlock()
	unlock, err = other.Lock(t.Context(), time.Minute)
	require.NoError(t, err)
	unlock()
}

// There is no lock file that could be taken away while someone has the lock: everything in the
// directory may go.
func TestLockHasNoFile(t *testing.T) {
	t.Parallel()
	d, path := openTemp(t)
	unlock, err := d.Lock(t.Context(), time.Minute)
	require.NoError(t, err)
	assert.Empty(t, names(t, path))
	other, err := OpenPath(path)
	require.NoError(t, err)
	defer other.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err = other.Lock(ctx, time.Minute)
	require.ErrorIs(t, err, ErrLocked)
	_, err = other.Lock(t.Context(), 0)
	require.ErrorIs(t, err, ErrLocked, "without waiting")
	unlock()
	again, err := other.Lock(t.Context(), time.Minute) // the wait that was given up lets go
	require.NoError(t, err)
	again()
	require.Eventually(t, func() bool { // a process that another test is starting may have the lock's descriptor for a moment
		at, err := other.Lock(t.Context(), 0)
		if err == nil {
			at()
		}
		return err == nil
	}, time.Minute, time.Millisecond)
}

// Calls under way come to their end; later ones are told.
func TestCloseDuringUse(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	for range 50 {
		d, err := OpenPath(path)
		require.NoError(t, err)
		started := make(chan struct{})
		var group sync.WaitGroup
		group.Go(func() {
			err := d.Write("f", []byte("x"), 0o600, func() (func(), error) {
				close(started)
				return d.Lock(t.Context(), time.Minute)
			})
			if err != nil {
				assert.ErrorIs(t, err, fs.ErrClosed)
			}
		})
		<-started
		require.NoError(t, d.Close())
		_, _, err = d.Read("f", 10, nil)
		require.ErrorIs(t, err, fs.ErrClosed)
		require.ErrorIs(t, d.Write("f", nil, 0o600, nil), fs.ErrClosed)
		_, err = d.Lock(t.Context(), time.Minute)
		require.ErrorIs(t, err, fs.ErrClosed)
		group.Wait()
	}
	for _, name := range names(t, path) {
		assert.False(t, isTemp(name), name)
	}
}

func TestMakeAll(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "b")
	require.NoError(t, MakeAll(dir))
	require.NoError(t, MakeAll(dir))
	assert.DirExists(t, dir)
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.Error(t, MakeAll(filepath.Join(file, "below")))
	require.Error(t, MakeAll(file))
}

func TestWriteGuard(t *testing.T) {
	t.Parallel()
	d, dir := openTemp(t)
	refused := errors.New("refused")
	err := d.Write("f", []byte("x"), 0o600, func() (func(), error) { return nil, refused })
	require.ErrorIs(t, err, refused)
	assert.Empty(t, names(t, dir))
	released := false
	require.NoError(t, d.Write("f", []byte("x"), 0o600, func() (func(), error) {
		assert.NoFileExists(t, filepath.Join(dir, "f"), "not there before the guard")
		return func() {
			assert.FileExists(t, filepath.Join(dir, "f"))
			released = true
		}, nil
	}))
	assert.True(t, released)
}
