// Package fsaccess asks the operating system what this process may do with a path, without opening
// it: mode bits alone say nothing of root, access lists and read-only mounts.
package fsaccess

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// ID tells one file from another while both exist. The zero ID is not known.
type ID struct{ device, inode uint64 }

// Creatable returns nil if a directory could be made at path, which does not exist: its nearest
// existing ancestor must be a directory in which entries may be made.
func Creatable(path string) error {
	dir := filepath.Clean(path)
	for {
		// Even a dangling link is in the way: a directory cannot be made over it.
		if _, err := os.Lstat(dir); err == nil {
			break
		} else if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
			return err
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return &fs.PathError{Op: "stat", Path: dir, Err: fs.ErrNotExist}
		}
		dir = parent
	}
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return &fs.PathError{Op: "mkdir", Path: dir, Err: syscall.ENOTDIR}
	}
	return enterable(dir)
}
