package snapshot

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

func TestDifferences(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(t *testing.T, dir string)
		hash   bool
		want   []string
	}{
		"nothing": {func(*testing.T, string) {}, true, nil},
		"changed": {func(t *testing.T, dir string) { write(t, dir+"/a.csv", "longer") }, false, []string{"changed a.csv"}},
		"deleted": {func(t *testing.T, dir string) { require.NoError(t, os.Remove(dir+"/deep/b.csv")) }, false, []string{"deleted deep/b.csv"}},
		"added": {func(t *testing.T, dir string) {
			write(t, dir+"/c.csv", "")
			write(t, dir+"/c.csv.tmp", "")
			write(t, dir+"/.cache/x", "")
		}, false, []string{"added c.csv"}},
		"moved": {func(t *testing.T, dir string) {
			require.NoError(t, os.Rename(dir+"/a.csv", dir+"/z.csv"))
		}, false, []string{"added z.csv", "deleted a.csv"}},
		"excepted": {func(t *testing.T, dir string) { write(t, dir+"/out/x", "") }, false, nil},
		"time only": {func(t *testing.T, dir string) {
			require.NoError(t, os.Chmod(dir+"/a.csv", 0o640))
		}, false, nil},
		"hidden change": {hideChange, true, []string{"changed a.csv"}},
		"not asked for": {hideChange, false, nil},
		"gone":          {func(t *testing.T, dir string) { require.NoError(t, os.RemoveAll(dir)) }, false, []string{"deleted a.csv", "deleted deep/b.csv"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "in")
			write(t, filepath.Join(dir, "a.csv"), "1,2\n")
			write(t, filepath.Join(dir, "deep", "b.csv"), "1,2\n")
			before := Input(dir, test.hash)
			test.change(t, dir)
			var got []string
			for _, d := range before.Differences(test.hash, filepath.Join(dir, "out")) {
				got = append(got, d.String())
			}
			assert.Equal(t, test.want, got)
		})
	}
}

// hideChange leaves size and time of a file as they were.
func hideChange(t *testing.T, dir string) {
	t.Helper()
	file := filepath.Join(dir, "a.csv")
	info, err := os.Stat(file)
	require.NoError(t, err)
	write(t, file, "2,1\n")
	require.NoError(t, os.Chtimes(file, info.ModTime(), info.ModTime()))
}

func TestChangeOfASingleFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "raw.txt")
	write(t, file, "raw")
	before := Input(file, false)
	_, _, changed := before.Change()
	assert.False(t, changed)
	digest := Input(file, false).Digest()
	assert.Equal(t, digest, before.Digest())

	write(t, file, "other")
	where, what, changed := before.Change()
	assert.True(t, changed)
	assert.Equal(t, before.Top(), where)
	assert.Equal(t, "was changed", what)
	assert.Equal(t, []Difference{{"changed", "."}}, before.Differences(false))
	assert.NotEqual(t, digest, Input(file, false).Digest())
	require.NoError(t, os.Remove(file))
	_, what, _ = before.Change()
	assert.Equal(t, "is gone", what)
}

func TestOutput(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "old.csv"), "1")
	before := OutputDir(dir)
	assert.Equal(t, Output{Path: "p", Exists: true, Files: 1, Bytes: 1}, before.Output("p"))
	for _, name := range []string{"a.tmp", ".hidden", "b~", "__pycache__/x.pyc", "deep/d.temp", "e.swp"} {
		write(t, filepath.Join(dir, filepath.FromSlash(name)), "x")
	}
	write(t, filepath.Join(dir, "empty"), "")
	write(t, filepath.Join(dir, "deep", "new.csv"), "22")
	assert.Equal(t, Output{Path: "p", Exists: true, Files: 3, Bytes: 3, Written: 1}, before.Output("p"))
	if os.Symlink(filepath.Join(dir, "old.csv"), filepath.Join(dir, "link.csv")) == nil {
		assert.Equal(t, 3, before.Output("p").Files, "a link is not data")
	}
	require.NoError(t, os.RemoveAll(dir))
	assert.Equal(t, Output{Path: "p"}, before.Output("p"))
}
