package githead_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec/internal/githead"
)

func TestStateOf(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil && os.Getenv("CI") == "" {
		t.Skip("git is not installed")
	}
	top := t.TempDir()
	dir := filepath.Join(top, "deep")
	require.NoError(t, os.Mkdir(dir, 0o700))
	git := func(args ...string) {
		command := exec.Command("git", append([]string{"-C", top, "-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false"}, args...)...)
		out, err := command.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	ask := func() githead.State { return githead.StateOf(t.Context(), dir) }
	assert.Zero(t, ask(), "outside of a work tree")
	git("init", "-q")
	assert.Zero(t, ask(), "before the first commit")
	file := filepath.Join(top, "a")
	require.NoError(t, os.WriteFile(file, []byte("a"), 0o600))
	git("add", "-A")
	git("commit", "-q", "-m", "all")
	clean := ask()
	assert.Regexp(t, `^[0-9a-f]{40,64}$`, clean.Commit)
	assert.True(t, clean.Known)
	assert.Equal(t, clean, githead.StateOf(t.Context(), filepath.Join(dir, "not", "yet")))
	assert.False(t, clean.Dirty)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "untracked"), nil, 0o600))
	assert.Equal(t, clean, ask(), "what git does not track does not count")
	require.NoError(t, os.WriteFile(file, []byte("b"), 0o600))
	assert.Equal(t, githead.State{Commit: clean.Commit, Dirty: true, Known: true}, ask())
	git("checkout", "-q", "a")
	index := filepath.Join(top, ".git", "index")
	require.NoError(t, os.Truncate(index, 5<<20))
	assert.Equal(t, githead.State{Commit: clean.Commit}, ask(), "of a large work tree it is not known")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	assert.Zero(t, githead.StateOf(ended, dir))
	t.Setenv("PATH", "")
	assert.Zero(t, ask(), "without git")
}
