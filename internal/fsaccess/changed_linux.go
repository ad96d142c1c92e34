package fsaccess

import (
	"io/fs"
	"syscall"
)

// Changed returns the time of the last change of a file's status, in nanoseconds since 1970, or 0 where
// the system does not tell. Unlike the time of modification, programs cannot set it.
func Changed(info fs.FileInfo) int64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return st.Ctim.Nano()
	}
	return 0
}
