//go:build unix

package atomicfile

import "syscall"

// lockFlags keep opening the lock file from following a link and from waiting at a FIFO.
const lockFlags = syscall.O_NOFOLLOW | syscall.O_NONBLOCK
