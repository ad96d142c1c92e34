//go:build !linux

package cli

import "os"

// size takes every character device for a terminal, and does not know its columns.
func size(f *os.File) (columns int, ok bool) {
	info, err := f.Stat()
	return 0, err == nil && info.Mode()&os.ModeCharDevice != 0
}
