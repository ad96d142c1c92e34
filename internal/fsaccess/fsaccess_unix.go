//go:build unix

package fsaccess

import (
	"io/fs"

	"golang.org/x/sys/unix"
)

// Readable returns nil if the system would let this process read path.
func Readable(path string) error { return access(path, unix.R_OK) }

// Writable returns nil if the system would let this process write to path.
func Writable(path string) error { return access(path, unix.W_OK) }

func enterable(dir string) error { return access(dir, unix.W_OK|unix.X_OK) }

func access(path string, mode uint32) error {
	for {
		err := unix.Access(path, mode)
		switch err {
		case nil:
			return nil
		case unix.EINTR:
			continue
		}
		return &fs.PathError{Op: "access", Path: path, Err: err}
	}
}
