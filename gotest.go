package scriptspec

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// declare tells go test that the result of a test depends on files. Its cache takes notice of what a test
// process looks at by package os, and neither of what scripts import nor of what is read below a directory
// that is held open.
func declare(paths ...string) {
	if !testing.Testing() {
		return
	}
	for _, path := range paths {
		info, err := os.Stat(path)
		for errors.Is(err, syscall.ENOTDIR) { // a module in an archive
			path = filepath.Dir(path)
			info, err = os.Stat(path)
		}
		if err != nil || !info.IsDir() && !info.Mode().IsRegular() {
			continue // opening it might block
		}
		if f, err := os.Open(path); err == nil {
			_ = f.Close()
		}
	}
}
