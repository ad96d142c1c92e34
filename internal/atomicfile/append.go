package atomicfile

import (
	"errors"
	"io/fs"
	"os"
)

// Mkdir makes a directory in this one, if there is nothing with the name. It reports whether it has.
func (d *Dir) Mkdir(name string, perm fs.FileMode) (made bool, err error) {
	if err := d.acquire(); err != nil {
		return false, err
	}
	defer d.release()
	err = do("mkdir", func() error { return d.root.Mkdir(name, perm) })
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	return err == nil, err
}

// Append adds lines to the end of a file by one write, and makes the file with perm if there is none. It flushes nothing: a
// power cut may take lines with it. A line before that was torn off gets its end, and of a write that fails nothing is
// left. The caller holds the lock.
func (d *Dir) Append(name string, lines []byte, perm fs.FileMode) (err error) {
	if err := d.acquire(); err != nil {
		return err
	}
	defer d.release()
	f, info, err := d.openRegular(name, os.O_RDWR|os.O_APPEND|os.O_CREATE, perm)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if size := info.Size(); size > 0 {
		var last [1]byte
		if _, err := f.ReadAt(last[:], size-1); err == nil && last[0] != '\n' {
			lines = append([]byte{'\n'}, lines...)
		}
	}
	if err := do("append", func() error { _, err := f.Write(lines); return err }); err != nil {
		return errors.Join(err, f.Truncate(info.Size()))
	}
	return nil
}

// OpenFile opens a regular file for reading. A link, FIFO, device or directory is refused without waiting for it.
func (d *Dir) OpenFile(name string) (*os.File, error) {
	if err := d.acquire(); err != nil {
		return nil, err
	}
	defer d.release()
	f, _, err := d.openRegular(name, os.O_RDONLY, 0)
	return f, err
}

// openRegular opens a file that is not replaced by something else meanwhile.
func (d *Dir) openRegular(name string, flags int, perm fs.FileMode) (*os.File, fs.FileInfo, error) {
	before, err := d.root.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && flags&os.O_CREATE != 0:
	case err != nil:
		return nil, nil, err
	case !before.Mode().IsRegular():
		return nil, nil, notRegular("open", name, before.Mode())
	}
	f, err := d.root.OpenFile(name, flags, perm)
	if err != nil {
		return nil, nil, err
	}
	opened, err := f.Stat()
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	if before != nil && !os.SameFile(before, opened) || !opened.Mode().IsRegular() {
		return nil, nil, errors.Join(notRegular("open", name, opened.Mode()), f.Close())
	}
	return f, opened, nil
}
