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

func TestFiles(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil && os.Getenv("CI") == "" {
		t.Skip("git is not installed")
	}
	top := t.TempDir()
	dir := filepath.Join(top, "deep", ".specs")
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "sub"), 0o700))
	put := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	git := func(args ...string) {
		command := exec.Command("git", append([]string{"-C", top, "-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false"}, args...)...)
		out, err := command.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	names := []string{"a.json", "none.json", "long.json", "sub", "b.json", "bad\nname", "odd name.json"}
	ask := func() map[string][]byte { return githead.Files(t.Context(), dir, names, 10) }
	assert.Empty(t, ask(), "outside of a work tree")
	git("init", "-q")
	assert.Empty(t, ask(), "before the first commit")
	put("a.json", "{}\n\n")
	put("b.json", "")
	put("long.json", "12345678901")
	put("odd name.json", "odd")
	put("sub/x", "x")
	git("add", "-A")
	git("commit", "-q", "-m", "all")
	put("a.json", "changed since")
	want := map[string][]byte{"a.json": []byte("{}\n\n"), "b.json": {}, "odd name.json": []byte("odd")}
	assert.Equal(t, want, ask())
	t.Setenv("GIT_DIR", filepath.Join(top, "other")) // as in a hook
	assert.Equal(t, want, ask())
	assert.Empty(t, githead.Files(t.Context(), dir, nil, 10))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	assert.Empty(t, githead.Files(ended, dir, names, 10))
	t.Setenv("PATH", "")
	assert.Empty(t, ask(), "without git")
}
