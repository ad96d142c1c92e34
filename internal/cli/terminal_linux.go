package cli

import (
	"os"
	"syscall"
	"unsafe"
)

// size returns the columns of a terminal, and false for what is none.
func size(f *os.File) (columns int, ok bool) {
	var window struct{ rows, columns, x, y uint16 }
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), syscall.TIOCGWINSZ, uintptr(unsafe.Pointer(&window)))
	return int(window.columns), errno == 0
}
