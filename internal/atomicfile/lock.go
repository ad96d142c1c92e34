package atomicfile

import (
	"context"
	"errors"
	"fmt"
)

// ErrLocked is returned if another process or goroutine had the lock for too long.
var ErrLocked = errors.New("locked by another process or goroutine")

// Lock waits until ctx ends for the directory's lock, which excludes other processes as well as
// other goroutines, and returns what releases it. The lock ends with the process that has it. Who
// waits is served in the order of arrival.
func (d *Dir) Lock(ctx context.Context) (unlock func(), err error) {
	if ctx.Err() != nil {
		return nil, locked(ctx)
	}
	if err := d.acquire(); err != nil {
		return nil, err
	}
	select {
	case d.held <- struct{}{}:
	default:
		select {
		case d.held <- struct{}{}:
		case <-ctx.Done():
			d.release()
			return nil, locked(ctx)
		}
	}
	free := func() {
		<-d.held
		d.release()
	}
	var release func()
	if err := do("lock", func() (err error) {
		release, err = d.lockFile(ctx)
		return err
	}); err != nil {
		free()
		return nil, err
	}
	return func() {
		release()
		free()
	}, nil
}

func locked(ctx context.Context) error {
	return fmt.Errorf("%w: %w", ErrLocked, context.Cause(ctx))
}
