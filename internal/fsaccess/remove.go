package fsaccess

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// RemoveAll removes what has the name in a directory, also if directories in it do not let their entries be
// removed.
func RemoveAll(root *os.Root, name string) error {
	err := root.RemoveAll(name)
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}
	allow(root, name)
	return root.RemoveAll(name)
}

// allow gives the owner all permissions of a directory and those in it, as far as that is possible.
func allow(root *os.Root, name string) {
	if info, err := root.Lstat(name); err != nil || !info.IsDir() {
		return
	}
	const all = 0o700
	_ = root.Chmod(name, all) // what fails shows when it is removed
	dir, err := root.Open(name)
	if err != nil {
		return
	}
	entries, _ := dir.ReadDir(-1)
	_ = dir.Close()
	for _, entry := range entries {
		if entry.IsDir() {
			allow(root, filepath.Join(name, entry.Name()))
		}
	}
}

// RemoveTree is RemoveAll for a path.
func RemoveTree(path string) error {
	root, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer root.Close()
	return RemoveAll(root, filepath.Base(path))
}
