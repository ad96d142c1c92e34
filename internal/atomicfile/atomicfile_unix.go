//go:build unix

package atomicfile

import (
	"os"
	"syscall"
)

// openFlags keep an open from waiting for the other end of a FIFO and from following a link.
const openFlags = syscall.O_NONBLOCK | syscall.O_NOFOLLOW

func syncDir(dir *os.File) error { return dir.Sync() }
