//go:build unix

package atomicfile

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// A file is read with four system calls. os.File would ask the poller, which regular files do not
// have, and os.Root follows links that stay inside, which would have to be found out afterwards.
// O_NOFOLLOW on a single name below a directory that is held open has neither problem.
const openFlags = unix.O_RDONLY | unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_NOCTTY | unix.O_CLOEXEC

// Read returns the content of a regular file, if that is at most limit bytes, and which version it
// was. A link, FIFO, device or directory is refused without waiting for it. The content is put into
// buf if that is large enough.
func (d *Dir) Read(name string, limit int64, buf []byte) ([]byte, ID, error) {
	if err := d.acquire(); err != nil {
		return nil, ID{}, err
	}
	defer d.release()
	return read(int(d.self.Fd()), name, limit, buf)
}

// ReadFile is [Dir.Read] for a path, whose directories are trusted.
func ReadFile(path string, limit int64, buf []byte) ([]byte, ID, error) {
	return read(unix.AT_FDCWD, path, limit, buf)
}

// Stat returns which version of a regular file there is now.
func (d *Dir) Stat(name string) (ID, error) {
	if err := d.acquire(); err != nil {
		return ID{}, err
	}
	defer d.release()
	st, err := stat(int(d.self.Fd()), name)
	if err != nil {
		return ID{}, &fs.PathError{Op: "stat", Path: name, Err: err}
	}
	if mode := fileMode(uint32(st.Mode)); !mode.IsRegular() { //nolint:unconvert // 16 bits elsewhere
		return ID{}, notRegular("stat", name, mode)
	}
	return idOf(&st), nil
}

// Self returns which version of the directory there is now: one with other entries has another ID.
func (d *Dir) Self() (ID, error) {
	if err := d.acquire(); err != nil {
		return ID{}, err
	}
	defer d.release()
	var st unix.Stat_t
	err := unix.Fstat(int(d.self.Fd()), &st)
	for err == unix.EINTR {
		err = unix.Fstat(int(d.self.Fd()), &st)
	}
	return idOf(&st), err
}

// IsAt reports whether the directory is what is at a path, and not behind a link there.
func (d *Dir) IsAt(path string) (bool, error) {
	there, err := stat(unix.AT_FDCWD, path)
	if err != nil {
		return false, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	at := idOf(&there)
	return at.Device == d.id.Device && at.Inode == d.id.Inode, nil
}

// lstat returns the mode of an entry.
func (d *Dir) lstat(name string) (fs.FileMode, error) {
	st, err := stat(int(d.self.Fd()), name)
	if err != nil {
		return 0, &fs.PathError{Op: "stat", Path: name, Err: err}
	}
	return fileMode(uint32(st.Mode)) | fs.FileMode(st.Mode&0o777), nil //nolint:unconvert // 16 bits elsewhere
}

// stat does not follow a link.
func stat(dir int, name string) (st unix.Stat_t, err error) {
	err = unix.Fstatat(dir, name, &st, unix.AT_SYMLINK_NOFOLLOW)
	for err == unix.EINTR {
		err = unix.Fstatat(dir, name, &st, unix.AT_SYMLINK_NOFOLLOW)
	}
	return st, err
}

func read(dir int, name string, limit int64, buf []byte) ([]byte, ID, error) {
	var fd int
	err := again(func() (err error) {
		fd, err = unix.Openat(dir, name, openFlags, 0)
		return err
	})
	switch {
	case err == nil:
	case errors.Is(err, unix.ELOOP):
		return nil, ID{}, notRegular("open", name, fs.ModeSymlink)
	case errors.Is(err, unix.ENXIO):
		return nil, ID{}, notRegular("open", name, fs.ModeSocket)
	default:
		return nil, ID{}, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	defer unix.Close(fd) //nolint:errcheck // nothing was written
	var st unix.Stat_t
	if err := again(func() error { return unix.Fstat(fd, &st) }); err != nil {
		return nil, ID{}, &fs.PathError{Op: "stat", Path: name, Err: err}
	}
	if mode := fileMode(uint32(st.Mode)); !mode.IsRegular() { //nolint:unconvert // 16 bits elsewhere
		return nil, ID{}, notRegular("open", name, mode)
	}
	if st.Size > limit {
		return nil, ID{}, tooLarge(name)
	}
	// One byte more than the file had shows its end, or that it grew.
	if int64(cap(buf)) <= st.Size {
		buf = make([]byte, 0, st.Size+1)
	}
	buf = buf[:0]
	for {
		n := 0
		err := again(func() (err error) {
			n, err = unix.Read(fd, buf[len(buf):cap(buf)])
			return err
		})
		if err != nil {
			return nil, ID{}, &fs.PathError{Op: "read", Path: name, Err: err}
		}
		buf = buf[:len(buf)+n]
		// A short read behind the size that the file had is its end; before it, some file systems
		// have more.
		whole := n == 0 || int64(len(buf)) >= st.Size && len(buf) < cap(buf)
		if int64(len(buf)) > limit {
			return nil, ID{}, tooLarge(name)
		}
		if whole {
			return buf, idOf(&st), nil
		}
		buf = append(buf, 0)[:len(buf)]
	}
}

// again repeats a call that a signal interrupted.
func again(call func() error) error {
	for {
		if err := call(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

func idOf(st *unix.Stat_t) ID {
	return ID{
		Device: uint64(st.Dev), Inode: uint64(st.Ino), Size: st.Size, //nolint:unconvert // other widths elsewhere
		Modified: st.Mtim.Nano(), Change: st.Ctim.Nano(),
	}
}

func fileMode(mode uint32) fs.FileMode {
	switch mode & unix.S_IFMT {
	case unix.S_IFREG:
		return 0
	case unix.S_IFDIR:
		return fs.ModeDir
	case unix.S_IFLNK:
		return fs.ModeSymlink
	case unix.S_IFIFO:
		return fs.ModeNamedPipe
	case unix.S_IFSOCK:
		return fs.ModeSocket
	default:
		return fs.ModeDevice
	}
}

func syncDir(dir *os.File) error {
	err := dir.Sync()
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOTSUP) {
		return nil // not supported by the file system
	}
	return err
}

func rename(root *os.Root, from, to string) error { return root.Rename(from, to) }
