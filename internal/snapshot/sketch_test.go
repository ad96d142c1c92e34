package snapshot_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec/internal/snapshot"
)

func TestSketch(t *testing.T) {
	t.Parallel()
	fill := func() string {
		dir := t.TempDir()
		for i := range 20 {
			require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("part-%02d.csv", i)), []byte("a,b\n1,2\n"), 0o600))
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, "large.bin"), zeros(100<<10), 0o600))
		return dir
	}
	dir, other := fill(), fill()
	sketch := func(dir string) string {
		digest, _ := snapshot.Input(dir, false).Sketch()
		return digest
	}
	first, size := snapshot.Input(dir, false).Sketch()
	assert.Len(t, first, 16)
	assert.Equal(t, int64(20*8+100<<10), size)
	old := time.Now().Add(-time.Hour)
	require.NoError(t, os.Chtimes(filepath.Join(other, "part-00.csv"), old, old))
	require.NoError(t, os.WriteFile(filepath.Join(other, ".cache.tmp"), []byte("x"), 0o600))
	assert.Equal(t, first, sketch(other), "where, when and temporary files do not count")
	change := func(name string, text []byte) (now string) {
		file := filepath.Join(other, name)
		before, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(file, text, 0o600))
		now = sketch(other)
		require.NoError(t, os.WriteFile(file, before, 0o600))
		return now
	}
	assert.NotEqual(t, first, change("part-03.csv", []byte("a,b\n1,3\n")), "contents of the first files")
	assert.NotEqual(t, first, change("part-19.csv", []byte("a,b\n1,20\n")), "sizes of all")
	large := zeros(100 << 10)
	large[len(large)-1] = 1
	assert.NotEqual(t, first, change("large.bin", large), "the end of a large one")
	large[len(large)-1], large[50<<10] = 0, 1
	assert.Equal(t, first, change("large.bin", large), "the middle of a large one is not looked at")
	require.NoError(t, os.Rename(filepath.Join(other, "part-19.csv"), filepath.Join(other, "part-20.csv")))
	assert.NotEqual(t, first, sketch(other), "names of all")

	file := filepath.Join(t.TempDir(), "x.csv")
	require.NoError(t, os.WriteFile(file, []byte("x"), 0o600))
	digest, size := snapshot.Input(file, false).Sketch()
	assert.NotEmpty(t, digest)
	assert.Equal(t, int64(1), size)
	taken := snapshot.Input(file, false)
	require.NoError(t, os.Remove(file))
	digest, _ = taken.Sketch()
	assert.Empty(t, digest, "it is gone")
}

func zeros(n int) []byte { return bytes.Repeat([]byte{0}, n) }
