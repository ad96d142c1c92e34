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
// with the process that holds it. Waiters are served in the order of arrival.
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
	var release func()
	if err := do("lock", func() (err error) {
		release, err = d.lockFile(p)
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
