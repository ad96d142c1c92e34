package atomicfile

import (
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAppend(t *testing.T) {
	t.Parallel()
	d, dir := openTemp(t)
	file := filepath.Join(dir, "f")
	text := func() string {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		return string(data)
	}
	require.NoError(t, d.Append("f", []byte("one\n"), 0o640))
	require.NoError(t, d.Append("f", []byte("two\n"), 0o640))
	assert.Equal(t, "one\ntwo\n", text())
	require.NoError(t, os.Truncate(file, 6))
	require.NoError(t, d.Append("f", []byte("three\n"), 0o640))
	assert.Equal(t, "one\ntw\nthree\n", text(), "a line that was torn off has its end")
	if runtime.GOOS != "windows" {
		info, err := os.Stat(file)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o640), info.Mode().Perm())
	}
	f, err := d.OpenFile("f")
	require.NoError(t, err)
	data, err := io.ReadAll(f)
	require.NoError(t, err)
	assert.Equal(t, text(), string(data))
	require.NoError(t, f.Close())
}

func TestAppendRefusesWhatIsNoFile(t *testing.T) {
	t.Parallel()
	d, dir := openTemp(t)
	made, err := d.Mkdir("sub", 0o700)
	require.NoError(t, err)
	assert.True(t, made)
	made, err = d.Mkdir("sub", 0o700)
	require.NoError(t, err)
	assert.False(t, made)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "real"), []byte("x\n"), 0o600))
	require.NoError(t, os.Symlink("real", filepath.Join(dir, "link")))
	require.NoError(t, os.Symlink("nowhere", filepath.Join(dir, "dangling")))
	for _, name := range []string{"sub", "link", "dangling"} {
		assert.ErrorIs(t, d.Append(name, []byte("y\n"), 0o600), ErrNotRegular, name)
		_, err := d.OpenFile(name)
		assert.ErrorIs(t, err, ErrNotRegular, name)
	}
	_, err = d.OpenFile("none")
	assert.ErrorIs(t, err, os.ErrNotExist)
	assert.NoFileExists(t, filepath.Join(dir, "nowhere"))
	data, err := os.ReadFile(filepath.Join(dir, "real"))
	require.NoError(t, err)
	assert.Equal(t, "x\n", string(data))
}
