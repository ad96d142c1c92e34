//go:build !unix

package atomicfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"time"
)

// Read returns the content of a regular file, if that is at most limit bytes, and which version it
// was. A link, device or directory is refused. The content is put into buf if that is large enough.
func (d *Dir) Read(name string, limit int64, buf []byte) ([]byte, ID, error) {
	if err := d.acquire(); err != nil {
		return nil, ID{}, err
	}
	defer d.release()
	f, info, err := d.open(name)
	if err != nil {
		return nil, ID{}, err
	}
	defer f.Close()
	if info.Size() > limit {
		return nil, ID{}, tooLarge(name)
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, ID{}, err
	}
	if int64(len(data)) > limit {
		return nil, ID{}, tooLarge(name)
	}
	return append(buf[:0], data...), idOf(info), nil
}

// ReadFile is [Dir.Read] for a path, whose directories are trusted.
func ReadFile(path string, limit int64, buf []byte) ([]byte, ID, error) {
	d, name, err := openParent(path)
	if err != nil {
		return nil, ID{}, err
	}
	defer d.Close()
	return d.Read(name, limit, buf)
}

// Stat returns which version of a regular file there is now.
func (d *Dir) Stat(name string) (ID, error) {
	if err := d.acquire(); err != nil {
		return ID{}, err
	}
	defer d.release()
	info, err := d.root.Lstat(name)
	if err != nil {
		return ID{}, err
	}
	if !info.Mode().IsRegular() {
		return ID{}, notRegular("stat", name, info.Mode())
	}
	return idOf(info), nil
}

// Self returns which version of the directory there is now. It is not known here, so no two are equal.
func (d *Dir) Self() (ID, error) { return ID{Modified: time.Now().UnixNano()}, nil }

// IsAt reports whether the directory is what is at a path, and not behind a link there.
func (d *Dir) IsAt(path string) (bool, error) {
	there, err := os.Lstat(path)
	if err != nil {
		return false, err
	}
	self, err := d.self.Stat()
	return err == nil && os.SameFile(there, self), err
}

// lstat returns the mode of an entry.
func (d *Dir) lstat(name string) (fs.FileMode, error) {
	info, err := d.root.Lstat(name)
	if err != nil {
		return 0, err
	}
	return info.Mode(), nil
}

// open opens a regular file. Opening follows links that stay inside of the root, so the file that
// was opened must be the one with the name; a save in between makes it look like a link, hence the
// retries.
func (d *Dir) open(name string) (*os.File, fs.FileInfo, error) {
	const tries = 100
	for range tries {
		before, err := d.root.Lstat(name)
		if err != nil {
			return nil, nil, err
		}
		if !before.Mode().IsRegular() {
			return nil, nil, notRegular("open", name, before.Mode())
		}
		f, err := d.root.Open(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		after, err := f.Stat()
		if err == nil && os.SameFile(before, after) {
			return f, after, nil
		}
		f.Close()
		if err != nil {
			return nil, nil, err
		}
	}
	return nil, nil, &fs.PathError{Op: "open", Path: name, Err: errors.New("replaced again and again while it was opened")}
}

func idOf(info fs.FileInfo) ID {
	return ID{Size: info.Size(), Modified: info.ModTime().UnixNano()}
}

// syncDir does nothing: a directory cannot be flushed here.
func syncDir(*os.File) error { return nil }

// rename retries while another program has the file open for a moment.
func rename(root *os.Root, from, to string) error {
	const tries, pause = 10, 10 * time.Millisecond
	var err error
	for range tries {
		if err = root.Rename(from, to); err == nil || errors.Is(err, fs.ErrNotExist) {
			return err
		}
		time.Sleep(pause)
	}
	return err
}
