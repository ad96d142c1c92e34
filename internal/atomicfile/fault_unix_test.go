//go:build unix

package atomicfile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The test binary runs itself as a process that saves, and meets a fault at a chosen step.
const (
	faultDir  = "ATOMICFILE_TEST_DIR"
	faultAt   = "ATOMICFILE_TEST_STEP"  // number of the step, from 1
	faultWith = "ATOMICFILE_TEST_ERRNO" // 0: SIGKILL
)

func TestMain(m *testing.M) {
	dir := os.Getenv(faultDir)
	if dir == "" {
		os.Exit(m.Run())
	}
	at, _ := strconv.Atoi(os.Getenv(faultAt))
	errno, _ := strconv.Atoi(os.Getenv(faultWith))
	n := 0
	step = func(name string) error {
		if n++; n != at {
			return nil
		}
		fmt.Println(name)
		if errno == 0 {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
		return syscall.Errno(errno)
	}
	d, err := OpenPath(dir)
	if err == nil {
		err = d.Write("f", []byte("new"), 0o640, func() (func(), error) { return d.Lock(context.Background(), time.Minute) })
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(3)
	}
	os.Exit(0)
}

// fault saves "new" over "old" in a process that meets a fault at a step, and returns the step's
// name, or "" if the save came to its end before it.
func fault(t *testing.T, dir string, at int, errno syscall.Errno) string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), faultDir+"="+dir, faultAt+"="+strconv.Itoa(at), faultWith+"="+strconv.Itoa(int(errno)))
	out, err := cmd.Output()
	if err == nil {
		return ""
	}
	exit, ok := errors.AsType[*exec.ExitError](err)
	require.True(t, ok)
	if errno == 0 {
		require.False(t, exit.Exited(), "killed: %s", out)
	} else {
		require.Equal(t, 3, exit.ExitCode(), "refused: %s", out)
	}
	name, _, _ := strings.Cut(string(out), "\n")
	return name
}

// Killed before any step, a save leaves the old or the new file, whole, and a directory that can be
// saved to. An error does that too, and leaves nothing else behind.
func TestFaultsOfASave(t *testing.T) {
	t.Parallel()
	for _, errno := range []syscall.Errno{0, syscall.ENOSPC, syscall.EIO, syscall.EROFS, syscall.EDQUOT, syscall.EMFILE, syscall.EXDEV} {
		t.Run(fmt.Sprintf("errno %d", int(errno)), func(t *testing.T) {
			t.Parallel()
			var steps []string
			for at := 1; ; at++ {
				d, dir := openTemp(t)
				path := filepath.Join(dir, "f")
				require.NoError(t, os.WriteFile(path, []byte("old"), 0o640))
				name := fault(t, dir, at, errno)
				if name == "" {
					break
				}
				steps = append(steps, name)
				want := "old"
				if name == "sync directory" {
					want = "new" // it is there already, only not yet durable
				}
				data, err := os.ReadFile(path)
				require.NoError(t, err)
				assert.Equal(t, want, string(data), "at %s", name)
				var left []string
				for _, entry := range names(t, dir) {
					if entry != "f" {
						left = append(left, entry)
					}
				}
				if errno != 0 {
					assert.Empty(t, left, "at %s", name)
				}
				for _, entry := range left {
					assert.True(t, isTemp(entry), entry)
				}
				unlock, err := d.Lock(t.Context(), time.Minute)
				require.NoError(t, err, "the lock ended with the process")
				unlock()
				require.NoError(t, d.Write("f", []byte("newer"), 0o600, nil))
				data, err = os.ReadFile(path)
				require.NoError(t, err)
				assert.Equal(t, "newer", string(data))
			}
			assert.Equal(t, []string{"create", "write", "chmod", "sync", "close", "lock", "rename", "sync directory"}, steps)
		})
	}
}

// Opening a FIFO that nobody writes to would wait for ever.
func TestReadRefusesSpecialFiles(t *testing.T) {
	t.Parallel()
	d, dir := openTemp(t)
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600))
	_, _, err := d.Read("fifo", 10, nil)
	require.ErrorIs(t, err, ErrNotRegular)
	_, _, err = ReadFile("/dev/zero", 10, nil)
	require.ErrorIs(t, err, ErrNotRegular)
	_, err = d.Stat("fifo")
	require.ErrorIs(t, err, ErrNotRegular)
	require.ErrorIs(t, d.Write("fifo", nil, 0o600, nil), ErrNotRegular)
}
