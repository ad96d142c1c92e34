//go:build !unix

package fsaccess

import (
	"io/fs"
	"os"
)

// Readable returns nil if path exists: Windows has no access call, and as in Python's os.access
// everything that exists counts as readable.
func Readable(path string) error {
	_, err := os.Stat(path)
	return err
}

// Writable returns nil if path exists and is not marked read-only.
func Writable(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.IsDir() && info.Mode().Perm()&0o200 == 0 {
		return &fs.PathError{Op: "access", Path: path, Err: fs.ErrPermission}
	}
	return nil
}

func enterable(dir string) error { return Writable(dir) }
