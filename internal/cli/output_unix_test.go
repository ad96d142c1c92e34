//go:build unix

package cli

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A file that is written again keeps its mode, and a new one has what the umask leaves; a link stays one, even if there is
// nothing behind it yet.
func TestFilesKeepModesAndLinks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	require.NoError(t, os.WriteFile(at("plain"), nil, 0o666))
	plain, err := os.Stat(at("plain"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(at("private"), []byte("old"), 0o600))
	require.NoError(t, os.WriteFile(at("fixed"), []byte("old"), 0o444))
	require.NoError(t, os.Mkdir(at("real"), 0o755))
	require.NoError(t, os.Symlink("real", at("dir")))
	require.NoError(t, os.WriteFile(at("real/there"), []byte("old"), 0o640))
	require.NoError(t, os.Symlink("../real/there", at("real/link")))
	require.NoError(t, os.Symlink("../to", at("real/deep")))
	require.NoError(t, os.Symlink("real/later", at("to")))
	for name, want := range map[string]struct {
		file string
		mode os.FileMode
	}{
		"private": {"private", 0o600}, "fixed": {"fixed", 0o444}, "new/er": {"new/er", plain.Mode()},
		"dir/link": {"real/there", 0o640}, "dir/deep": {"real/later", plain.Mode()},
	} {
		require.NoError(t, replaceFile(at(name), []byte(name)))
		text, err := os.ReadFile(at(want.file))
		require.NoError(t, err)
		assert.Equal(t, name, string(text))
		info, err := os.Lstat(at(want.file))
		require.NoError(t, err)
		assert.Equal(t, want.mode, info.Mode(), name)
	}
	for _, link := range []string{"dir", "to", "real/link", "real/deep"} {
		info, err := os.Lstat(at(link))
		require.NoError(t, err)
		assert.Equal(t, os.ModeSymlink, info.Mode().Type(), link)
	}
	left, err := filepath.Glob(at("*/.scriptspec-*"))
	require.NoError(t, err)
	assert.Empty(t, left)
	assert.Error(t, replaceFile(at("private/x"), nil), "a file is no directory")
}

// What must not be there yet is not replaced, and not written through a link.
func TestWriteNew(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	there, link := filepath.Join(dir, "there"), filepath.Join(dir, "link")
	require.NoError(t, os.WriteFile(there, []byte("old"), 0o600))
	require.NoError(t, os.Symlink(filepath.Join(dir, "nowhere"), link))
	require.NoError(t, writeNew(filepath.Join(dir, "deep", "new"), []byte("new")))
	for _, path := range []string{there, link} {
		require.ErrorIs(t, writeNew(path, []byte("new")), fs.ErrExist)
	}
	text, err := os.ReadFile(there)
	require.NoError(t, err)
	require.Equal(t, "old", string(text))
	require.NoFileExists(t, filepath.Join(dir, "nowhere"))
}
