//go:build unix

package atomicfile

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// lockName is the file whose lock stands for the directory's where directories cannot be locked.
const lockName = ".lock"

// lockFile locks the directory itself, by a descriptor of its own: there is no file that could be
// deleted, replaced or linked elsewhere while someone holds or awaits its lock, and no path to be
// swapped. Closing the descriptor releases the lock, as does the end of the process.
func (d *Dir) lockFile(p *patience, shared bool) (release func(), err error) {
	fd, err := openAt(int(d.self.Fd()), ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC)
	if err != nil {
		return nil, err
	}
	err = flock(p, fd, shared)
	if cannotLock(err) { // NFS locks files only
		return d.lockNamed(p, lockName, shared)
	}
	if err != nil {
		return nil, err
	}
	return func() { _ = unix.Close(fd) }, nil
}

// lockNamed locks a file in the directory. It is opened for writing, since NFS makes the lock one of its bytes.
func (d *Dir) lockNamed(p *patience, name string, shared bool) (release func(), err error) {
	fd, err := openAt(int(d.self.Fd()), name, unix.O_RDWR|unix.O_CREAT|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC)
	if err != nil {
		return nil, err
	}
	if err := flock(p, fd, shared); err != nil {
		return nil, err
	}
	return func() { _ = unix.Close(fd) }, nil
}

func cannotLock(err error) bool {
	return errors.Is(err, unix.EBADF) || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.ENOLCK)
}

// flock takes the lock of fd, or closes it. A wait that is given up goes on behind the scenes, since the
// system offers no way to end it, until the lock comes free; then it is let go.
func flock(p *patience, fd int, shared bool) error {
	how := unix.LOCK_EX
	if shared {
		how = unix.LOCK_SH
	}
	err := again(func() error { return unix.Flock(fd, how|unix.LOCK_NB) })
	if !errors.Is(err, syscall.EWOULDBLOCK) {
		if err != nil {
			_ = unix.Close(fd)
		}
		return err
	}
	if p.timeout == 0 {
		_ = unix.Close(fd)
		return ErrLocked
	}
	ctx := p.begin()
	got := make(chan error)
	go func() {
		err := again(func() error { return unix.Flock(fd, how) }) // the system serves in order
		select {
		case got <- err:
		case <-ctx.Done():
			_ = unix.Close(fd)
		}
	}()
	select {
	case err := <-got:
		if err != nil {
			_ = unix.Close(fd)
		}
		return err
	case <-ctx.Done():
		return locked(ctx)
	}
}

func openAt(dir int, name string, flags int) (fd int, err error) {
	err = again(func() (err error) {
		fd, err = unix.Openat(dir, name, flags, 0o600)
		return err
	})
	return fd, err
}
