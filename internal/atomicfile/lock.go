package atomicfile

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/gofrs/flock"
)

// ErrLocked is returned if another process or goroutine had the lock for too long.
var ErrLocked = errors.New("locked by another process or goroutine")

// LockName is the file whose lock stands for the directory. It is made once, stays empty and is
// never deleted: whoever waits for a deleted file's lock waits for nothing.
const LockName = ".lock"

const lockPoll = 2 * time.Millisecond

// Lock waits until ctx ends for the directory's lock, which excludes other processes as well as
// other goroutines, and returns what releases it. The lock ends with the process that has it.
func (d *Dir) Lock(ctx context.Context) (unlock func(), err error) {
	select {
	case d.held <- struct{}{}:
	case <-ctx.Done():
		return nil, locked(ctx)
	}
	defer func() {
		if err != nil {
			<-d.held
		}
	}()
	for tries := 0; ; tries++ {
		lock, err := d.tryLock(ctx)
		if err != nil {
			return nil, err
		}
		if lock != nil {
			return func() {
				_ = lock.Unlock() // closing the descriptor, which it also does, ends the lock
				<-d.held
			}, nil
		}
		// Made a moment ago, or replaced: at once the first time, then with pauses.
		pause := time.Duration(0)
		if tries > 0 {
			pause = lockPoll
		}
		select {
		case <-ctx.Done():
			return nil, locked(ctx)
		case <-time.After(pause):
		}
	}
}

// tryLock returns nil where the lock it got is not, or no longer, that of the directory's lock file.
func (d *Dir) tryLock(ctx context.Context) (*flock.Flock, error) {
	if err := step("lock"); err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(d.root.Name(), LockName), flock.SetFlag(os.O_RDONLY|lockFlags))
	ok, err := lock.TryLockContext(ctx, lockPoll)
	if ctx.Err() != nil && !ok {
		return nil, locked(ctx)
	}
	if errors.Is(err, syscall.EINTR) {
		return nil, nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, d.makeLock()
	}
	if err != nil {
		return nil, err
	}
	have, err := lock.Stat()
	if err == nil {
		var want fs.FileInfo
		if want, err = d.root.Lstat(LockName); err == nil && os.SameFile(have, want) {
			return lock, nil
		}
	}
	if e := lock.Unlock(); e != nil {
		return nil, e
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return nil, nil
}

// makeLock makes the lock file inside of the root: what is locked by its path is only ever opened.
func (d *Dir) makeLock() error {
	f, err := d.root.OpenFile(LockName, os.O_RDONLY|os.O_CREATE|lockFlags, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func locked(ctx context.Context) error {
	return errors.Join(ErrLocked, context.Cause(ctx))
}
