package fsaccess

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// asNobody runs do as a user who is not root, for whom permissions count. The user is changed for one thread,
// which ends with it.
func asNobody(t *testing.T, do func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		do()
		return
	}
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked
		const nobody = 65534
		if _, _, errno := syscall.RawSyscall(syscall.SYS_SETRESUID, nobody, nobody, nobody); errno != 0 {
			done <- errno
			return
		}
		do()
		done <- nil
	}()
	require.NoError(t, <-done)
}

// What a script has made read-only can be removed, and nothing outside.
func TestRemoveTree(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	for dir := base; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		require.NoError(t, os.Chmod(dir, 0o777))
	}
	asNobody(t, func() {
		outside := filepath.Join(base, "outside")
		assert.NoError(t, os.MkdirAll(outside, 0o500))
		tree := filepath.Join(base, "tree")
		for _, mode := range []os.FileMode{0o555, 0o000, 0o500} {
			deep := filepath.Join(tree, "a", "b")
			assert.NoError(t, os.MkdirAll(deep, 0o700))
			assert.NoError(t, os.WriteFile(filepath.Join(deep, "file"), []byte("x"), 0o400))
			assert.NoError(t, os.Symlink(outside, filepath.Join(deep, "link")))
			assert.NoError(t, os.Chmod(deep, mode))
			assert.NoError(t, os.Chmod(filepath.Dir(deep), mode))
			assert.Error(t, os.RemoveAll(tree), "or the test shows nothing")
			assert.NoError(t, RemoveTree(tree), mode)
			assert.NoDirExists(t, tree)
		}
		info, err := os.Stat(outside)
		assert.NoError(t, err)
		assert.Equal(t, os.FileMode(0o500), info.Mode().Perm())
	})
	assert.NoError(t, RemoveTree(filepath.Join(base, "none")))
}
