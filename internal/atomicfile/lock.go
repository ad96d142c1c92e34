package atomicfile

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrLocked is returned if another process or goroutine held the lock for too long.
var ErrLocked = errors.New("locked by another process or goroutine")

// Lock waits until ctx ends, and no longer than a timeout, for the directory's lock, which excludes
// other processes as well as other goroutines, and returns a function that releases it. The lock ends
// with the process that holds it. Waiters are served in the order of arrival. A timeout of 0 does not wait.
func (d *Dir) Lock(ctx context.Context, timeout time.Duration) (unlock func(), err error) {
	if ctx.Err() != nil {
		return nil, locked(ctx)
	}
	if err := d.acquire(); err != nil {
		return nil, err
	}
	// Only those who have to wait need a timer.
	p := &patience{ctx: ctx, timeout: timeout}
	defer p.end()
	select {
	case d.held <- struct{}{}:
	default:
		ctx := p.begin()
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
	release, err := d.lock(p, false)
	if err != nil {
		free()
		return nil, err
	}
	return func() {
		release()
		free()
	}, nil
}

// LockShared is Lock for one of several holders, who exclude those of Lock and not each other. Of one that waits with
// Lock they take no notice.
func (d *Dir) LockShared(ctx context.Context, timeout time.Duration) (unlock func(), err error) {
	return d.hold(ctx, timeout, func(p *patience) (func(), error) { return d.lock(p, true) })
}

// LockName is Lock, or LockShared, for what a name in the directory stands for: an empty file with the name, which is
// never deleted. Whoever has locked the directory is not excluded.
func (d *Dir) LockName(ctx context.Context, name string, shared bool, timeout time.Duration) (unlock func(), err error) {
	return d.hold(ctx, timeout, func(p *patience) (release func(), err error) {
		err = do("lock", func() error {
			release, err = d.lockNamed(p, name, shared)
			return err
		})
		return release, err
	})
}

// hold keeps the directory open while something in it is locked.
func (d *Dir) hold(ctx context.Context, timeout time.Duration, lock func(p *patience) (func(), error)) (unlock func(), err error) {
	if ctx.Err() != nil {
		return nil, locked(ctx)
	}
	if err := d.acquire(); err != nil {
		return nil, err
	}
	p := &patience{ctx: ctx, timeout: timeout}
	defer p.end()
	release, err := lock(p)
	if err != nil {
		d.release()
		return nil, err
	}
	return func() {
		release()
		d.release()
	}, nil
}

func (d *Dir) lock(p *patience, shared bool) (release func(), err error) {
	err = do("lock", func() error {
		release, err = d.lockFile(p, shared)
		return err
	})
	return release, err
}

// patience is a context with a timeout that begins when it is first needed.
type patience struct {
	ctx     context.Context
	timeout time.Duration
	cancel  context.CancelFunc
}

func (p *patience) begin() context.Context {
	if p.cancel == nil {
		p.ctx, p.cancel = context.WithTimeout(p.ctx, p.timeout)
	}
	return p.ctx
}

func (p *patience) end() {
	if p.cancel != nil {
		p.cancel()
	}
}

func locked(ctx context.Context) error {
	return fmt.Errorf("%w: %w", ErrLocked, context.Cause(ctx))
}
