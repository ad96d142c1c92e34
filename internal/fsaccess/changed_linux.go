package fsaccess

import (
	"io/fs"
	"syscall"
)

// Changed returns when the status of a file was changed last, in nanoseconds since 1970, or 0 where the system
// does not say. Unlike the time of modification, programs cannot set it.
func Changed(info fs.FileInfo) int64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return st.Ctim.Nano()
	}
	return 0
}
