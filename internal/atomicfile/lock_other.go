//go:build !unix

package atomicfile

import (
	"errors"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// lockName is the file whose lock stands for the directory. It is never deleted.
const lockName = ".lock"

func (d *Dir) lockFile(p *patience, shared bool) (release func(), err error) {
	return d.lockNamed(p, lockName, shared)
}

// lockNamed locks a file in the directory.
func (d *Dir) lockNamed(p *patience, name string, shared bool) (release func(), err error) {
	lock := flock.New(filepath.Join(d.root.Name(), name))
	now, later := lock.TryLock, lock.TryLockContext
	if shared {
		now, later = lock.TryRLock, lock.TryRLockContext
	}
	ok, err := now()
	switch {
	case ok || err != nil:
	case p.timeout == 0:
		return nil, ErrLocked
	default:
		ctx := p.begin()
		const poll = 2 * time.Millisecond
		if ok, err = later(ctx, poll); ctx.Err() != nil && !ok {
			return nil, locked(ctx)
		}
	}
	if err == nil && !ok {
		err = errors.New("not locked")
	}
	if err != nil {
		return nil, err
	}
	return func() { _ = lock.Close() }, nil
}
