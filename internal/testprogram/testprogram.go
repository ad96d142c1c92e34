// Package testprogram writes the programs that tests start: interpreters and clusters of their own.
package testprogram

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// Write writes a program that can be started at once. A process that a parallel test forks while the file is open for writing
// has it open too until it becomes another program, and until then the system starts the file for nobody ("text file
// busy"); so nothing is forked while it is written.
func Write(t testing.TB, path, text string) {
	t.Helper()
	syscall.ForkLock.RLock()
	err := os.WriteFile(path, []byte(text), 0o700)
	syscall.ForkLock.RUnlock()
	if err == nil {
		err = os.Chmod(path, 0o755) // also one that was there; for every user, as nodes of clusters have others
	}
	if err != nil {
		t.Fatal(err)
	}
}

// CopyAll writes the programs of a directory to another one.
func CopyAll(t testing.TB, from, to string) {
	t.Helper()
	entries, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(from, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		Write(t, filepath.Join(to, e.Name()), string(text))
	}
}
