package atomicfile

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func openTemp(t *testing.T) (root *os.Root, dir string) {
	t.Helper()
	dir = t.TempDir()
	root, err := os.OpenRoot(dir)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, root.Close()) })
	return root, dir
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
	root, dir := openTemp(t)
	for _, text := range []string{"first", "", strings.Repeat("longer ", 10000), "short"} {
		require.NoError(t, Write(root, "f", []byte(text), 0o600))
		got, err := Read(root, "f", 1<<20)
		require.NoError(t, err)
		assert.Equal(t, text, string(got))
	}
	assert.Equal(t, []string{"f"}, names(t, dir), "no temporary file is left")
}

func TestWriteKeepsMode(t *testing.T) {
	t.Parallel()
	root, dir := openTemp(t)
	path := filepath.Join(dir, "f")
	require.NoError(t, Write(root, "f", []byte("x"), 0o600))
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o600), info.Mode(), "a new file")

	for _, mode := range []fs.FileMode{0o640, 0o664, 0o400} {
		require.NoError(t, os.Chmod(path, mode))
		require.NoError(t, Write(root, "f", []byte("y"), 0o600))
		info, err := os.Stat(path)
		require.NoError(t, err)
		assert.Equal(t, mode, info.Mode())
	}
}

func TestWriteReplacesALink(t *testing.T) {
	t.Parallel()
	root, dir := openTemp(t)
	outside := filepath.Join(t.TempDir(), "outside")
	require.NoError(t, os.WriteFile(outside, []byte("untouched"), 0o600))
	require.NoError(t, os.Symlink(outside, filepath.Join(dir, "f")))

	_, err := Read(root, "f", 1<<20)
	require.ErrorIs(t, err, ErrNotRegular)
	require.NoError(t, Write(root, "f", []byte("new"), 0o600))

	got, err := os.ReadFile(outside)
	require.NoError(t, err)
	assert.Equal(t, "untouched", string(got))
	got, err = Read(root, "f", 1<<20)
	require.NoError(t, err)
	assert.Equal(t, "new", string(got))
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	root, dir := openTemp(t)
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
		_, err := Read(root, name, 10)
		assert.ErrorIs(t, err, want, name)
	}
	data, err := Read(root, "file", 11)
	require.NoError(t, err)
	assert.Len(t, data, 11)
}

func TestWriteRefusesADirectory(t *testing.T) {
	t.Parallel()
	root, dir := openTemp(t)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "d"), 0o700))
	require.ErrorIs(t, Write(root, "d", []byte("x"), 0o600), ErrNotRegular)
	assert.Equal(t, []string{"d"}, names(t, dir))
}

// A reader beside writers sees one whole version, always.
func TestReadBesideWrite(t *testing.T) {
	t.Parallel()
	root, _ := openTemp(t)
	version := func(b byte) []byte { return bytes.Repeat([]byte{b}, 5000) }
	require.NoError(t, Write(root, "f", version('a'), 0o600))
	var writers sync.WaitGroup
	for _, b := range []byte("bc") {
		writers.Go(func() {
			for range 20 {
				assert.NoError(t, Write(root, "f", version(b), 0o600))
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
		data, err := Read(root, "f", 1<<20)
		if !assert.NoError(t, err) || !assert.Equal(t, version(data[0]), data) {
			break
		}
	}
	<-done
}

func TestIsTemp(t *testing.T) {
	t.Parallel()
	assert.True(t, IsTemp(".scriptspec-ABC.tmp"))
	for _, name := range []string{"x.tmp", ".scriptspec-", "a_runtime_test_spec.json", ".scriptspec-x.tmp.bak"} {
		assert.False(t, IsTemp(name), name)
	}
}
