//go:build unix

package datafiles

import "syscall"

const nonblock = syscall.O_NONBLOCK
