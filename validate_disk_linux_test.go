package scriptspec_test

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// asNobody runs do as a user who is not root: root may do everything, and no check would be seen to
// work. The user is changed for one thread, which ends with it.
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

// passable makes the test's directories passable for others.
func passable(t *testing.T, dir string) string {
	t.Helper()
	for p := dir; p != os.TempDir() && p != "/"; p = filepath.Dir(p) {
		if err := os.Chmod(p, 0o755); err != nil {
			break
		}
	}
	return dir
}

func TestAccessIsWhatTheSystemSays(t *testing.T) {
	t.Parallel()
	s := onDisk(t)
	dir := passable(t, filepath.Dir(s.ScriptPath))
	mode := func(name string, m os.FileMode) string {
		path := filepath.Join(dir, name)
		if filepath.Ext(name) == "" {
			require.NoError(t, os.Mkdir(path, 0o700))
		} else {
			write(t, path, "x")
		}
		require.NoError(t, os.Chmod(path, m))
		return path
	}
	t.Cleanup(func() { _ = os.Chmod(filepath.Join(dir, "sealed"), 0o700) })
	s.ScriptPath = mode("script.py", 0o000)
	sealed := mode("sealed", 0o700)
	closed, readOnly, below, noEntry := mode("closed.csv", 0o000), mode("readonly", 0o555), mode("below", 0o555), mode("noentry", 0o222)
	open := mode("open", 0o777)
	s.InputPaths = map[string]string{"closed": closed, "hidden": filepath.Join(sealed, "x"), "ok": mode("ok.csv", 0o444)}
	s.OutputPaths = map[string]string{
		"readonly": readOnly, "below": filepath.Join(below, "a", "b"), "noentry": filepath.Join(noEntry, "x"),
		"open": filepath.Join(open, "a", "b"), "there": mode("there", 0o777),
	}
	asNobody(t, func() {
		err := s.ValidateSpec(nil)
		assert.Equal(t, []problem{
			{"script_path", scriptspec.CodeNotReadable, "Script file is not readable: " + s.ScriptPath},
			{`input_paths["closed"]`, scriptspec.CodeNotReadable, "Input path 'closed' is not readable: " + closed},
			{`input_paths["hidden"]`, scriptspec.CodeNotReadable, "Input path 'hidden' is not readable: " + filepath.Join(sealed, "x")},
			{`output_paths["below"]`, scriptspec.CodeNotCreatable, "Cannot create output path 'below': " + filepath.Join(below, "a", "b") + " - " + below + ": permission denied"},
			{`output_paths["noentry"]`, scriptspec.CodeNotCreatable, "Cannot create output path 'noentry': " + filepath.Join(noEntry, "x") + " - permission denied"},
			{`output_paths["readonly"]`, scriptspec.CodeNotWritable, "Output path 'readonly' is not writable: " + readOnly},
		}, problems(t, err))
		assert.ErrorIs(t, err, os.ErrPermission)
	})
	s.ScriptPath = filepath.Join(sealed, "script.py")
	asNobody(t, func() {
		assert.Contains(t, problems(t, s.ValidateSpec(nil)),
			problem{"script_path", scriptspec.CodeNotReadable, "Script file is not readable: " + s.ScriptPath})
	})
	entries, err := os.ReadDir(open)
	require.NoError(t, err)
	assert.Empty(t, entries, "nothing was made")
}

func TestSaveWithoutPermission(t *testing.T) {
	t.Parallel()
	dir := passable(t, t.TempDir())
	store := openStore(t, dir, &scriptspec.StoreOptions{DirMode: 0o755, FileMode: 0o644})
	require.NoError(t, store.Save(noted()))
	changed := noted()
	changed.ScriptPath = "other.py"
	before := tree(t, dir)
	asNobody(t, func() {
		assert.ErrorIs(t, store.Save(changed), os.ErrPermission)
		assert.NoError(t, store.Save(noted()), "nothing to do")
		loaded, err := store.Load("tabular_preprocessing")
		assert.NoError(t, err)
		assert.True(t, noted().Equal(loaded))
		assert.ErrorIs(t, noted().Save(filepath.Join(dir, "x.json")), os.ErrPermission)
	})
	assert.Equal(t, before, tree(t, dir))
}
