package scriptspec_test

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

func TestSaveAndLoad(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "spec.json")
	s := noted()
	require.NoError(t, s.Save(path))
	loaded, err := scriptspec.Load(path)
	require.NoError(t, err)
	assert.True(t, s.Equal(loaded))
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o600), info.Mode(), "a spec may hold secrets")

	enhanced, err := scriptspec.LoadEnhanced(path)
	require.NoError(t, err)
	assert.True(t, scriptspec.Enhance(s, nil).Equal(enhanced), "LoadEnhanced takes both kinds")

	require.NoError(t, notedEnhanced().Save(path))
	enhanced, err = scriptspec.LoadEnhanced(path)
	require.NoError(t, err)
	assert.True(t, notedEnhanced().Equal(enhanced))
	_, err = scriptspec.Load(path)
	require.ErrorIs(t, err, scriptspec.ErrEnhanced)
	assert.ErrorContains(t, err, path)
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.Len(t, entries, 1, "no temporary file is left")
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good := filepath.Join(dir, "good.json")
	require.NoError(t, noted().Save(good))
	link := filepath.Join(dir, "link.json")
	require.NoError(t, os.Symlink("good.json", link))
	broken := filepath.Join(dir, "broken.json")
	write(t, broken, "{")

	_, err := scriptspec.Load(filepath.Join(dir, "absent.json"))
	require.ErrorIs(t, err, fs.ErrNotExist)
	assert.ErrorContains(t, err, filepath.Join(dir, "absent.json"))
	_, err = scriptspec.Load(filepath.Join(dir, "absent", "x.json"))
	require.ErrorIs(t, err, fs.ErrNotExist)
	assert.ErrorContains(t, err, filepath.Join(dir, "absent", "x.json"))
	for _, path := range []string{"", dir + "/"} {
		_, err = scriptspec.Load(path)
		require.Error(t, err, "%q", path)
		require.Error(t, noted().Save(path), "%q", path)
	}
	for path, words := range map[string]string{link: "symbolic link", dir: "directory", broken: "1:2"} {
		_, err := scriptspec.Load(path)
		require.Error(t, err, path)
		assert.ErrorContains(t, err, path)
		assert.ErrorContains(t, err, words)
	}
	_, err = scriptspec.Load(broken)
	require.ErrorIs(t, err, scriptspec.ErrCorrupt)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	_, err = decode("")
	require.ErrorIs(t, err, scriptspec.ErrCorrupt)
	require.ErrorIs(t, err, io.EOF)
	data, err := os.ReadFile(broken)
	require.NoError(t, err)
	assert.Equal(t, "{", string(data), "left as it is")
	require.NoError(t, noted().Save(broken), "and can be saved over")
}

func TestLoadFS(t *testing.T) {
	t.Parallel()
	fsys := fstest.MapFS{
		"specs/a.json": {Data: []byte(notedJSON)},
		"specs/b.json": {Data: []byte("{")},
	}
	s, err := scriptspec.LoadFS(fsys, "specs/a.json")
	require.NoError(t, err)
	assert.True(t, noted().Equal(s.Basic()))
	_, err = scriptspec.LoadFS(fsys, "specs/none.json")
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = scriptspec.LoadFS(fsys, "specs")
	assert.ErrorContains(t, err, "directory")
	_, err = scriptspec.LoadFS(fsys, "specs/b.json")
	assert.ErrorContains(t, err, "specs/b.json:1:2")
}
