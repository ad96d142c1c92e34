//go:build unix

package fsaccess

import (
	"io/fs"
	"syscall"
)

// IDOf returns the identity of a file, which it has under each of its names.
func IDOf(info fs.FileInfo) ID {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return ID{uint64(st.Dev), st.Ino} //nolint:unconvert // its type differs between systems
	}
	return ID{}
}
