// Package atomicfile reads and replaces whole files inside a directory held as an [os.Root], so
// that a reader sees the old or the new content and a power cut leaves one of them.
package atomicfile

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
)

// Errors that say what is wrong with the thing in a file's place.
var (
	ErrNotRegular = errors.New("not a regular file")
	ErrTooLarge   = errors.New("file is too large")
)

const (
	tempPrefix = ".scriptspec-"
	tempSuffix = ".tmp"
)

// IsTemp reports whether name is that of a temporary file of [Write].
func IsTemp(name string) bool {
	return strings.HasPrefix(name, tempPrefix) && strings.HasSuffix(name, tempSuffix)
}

// Read returns the content of the regular file name in root, if that is at most limit bytes. A
// link is refused even if it leads to a file in root, a FIFO or device without being waited for.
func Read(root *os.Root, name string, limit int64) ([]byte, error) {
	f, info, err := open(root, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info.Size() > limit {
		return nil, &fs.PathError{Op: "read", Path: name, Err: ErrTooLarge}
	}
	// The file may grow while it is read: one byte more than it had finds its end, or that it did.
	data := make([]byte, 0, info.Size()+1)
	for {
		n, err := f.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case int64(len(data)) > limit:
			return nil, &fs.PathError{Op: "read", Path: name, Err: ErrTooLarge}
		case err == io.EOF:
			return data, nil
		case err != nil:
			return nil, err
		}
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
	}
}

// open opens a regular file. Opening follows links that stay inside of the root, so the file that
// was opened must be the one that has the name; a save in between makes it look like a link, hence
// the second try.
func open(root *os.Root, name string) (*os.File, fs.FileInfo, error) {
	const tries = 100
	for range tries {
		before, err := root.Lstat(name)
		if err != nil {
			return nil, nil, err
		}
		if !before.Mode().IsRegular() {
			return nil, nil, notRegular(name, before.Mode())
		}
		f, err := root.OpenFile(name, os.O_RDONLY|openFlags, 0)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ELOOP) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		after, err := f.Stat()
		if err == nil && os.SameFile(before, after) && after.Mode().IsRegular() {
			return f, after, nil
		}
		f.Close()
		if err != nil {
			return nil, nil, err
		}
	}
	return nil, nil, &fs.PathError{Op: "open", Path: name, Err: errors.New("replaced again and again while it was opened")}
}

func notRegular(name string, mode fs.FileMode) error {
	kind := "a special file"
	switch {
	case mode.IsDir():
		kind = "a directory"
	case mode&fs.ModeSymlink != 0:
		kind = "a symbolic link"
	case mode&fs.ModeNamedPipe != 0:
		kind = "a FIFO"
	case mode&fs.ModeSocket != 0:
		kind = "a socket"
	case mode&fs.ModeDevice != 0:
		kind = "a device"
	}
	return &fs.PathError{Op: "open", Path: name, Err: fmt.Errorf("%w: it is %s", ErrNotRegular, kind)}
}

// Write replaces the file name in root by one with the given content, durably: when it returns
// nil, the content survives a power cut. An existing file keeps its permission bits, a new one gets
// perm; a link is replaced, never written through. On an error the old file is untouched and no
// temporary file is left.
func Write(root *os.Root, name string, data []byte, perm fs.FileMode) (err error) {
	if info, err := root.Lstat(name); err == nil {
		if info.IsDir() {
			return notRegular(name, info.Mode())
		}
		if info.Mode().IsRegular() {
			perm = info.Mode().Perm()
		}
	}
	temp := tempPrefix + rand.Text() + tempSuffix
	f, err := root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			err = errors.Join(err, ignoreNotExist(root.Remove(temp)))
		}
	}()
	if _, err := f.Write(data); err != nil {
		return err
	}
	if perm != 0o600 {
		if err := f.Chmod(perm); err != nil {
			return err
		}
	}
	if err := f.Sync(); err != nil { // not tried again: a second fsync may hide what the first found
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := root.Rename(temp, name); err != nil {
		return err
	}
	return SyncDir(root)
}

// SyncDir makes the entries of root durable.
func SyncDir(root *os.Root) error {
	dir, err := root.Open(".")
	if err != nil {
		return err
	}
	defer dir.Close()
	return syncDir(dir)
}

func ignoreNotExist(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
