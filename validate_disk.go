package scriptspec

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/scriptspec/scriptspec/internal/fsaccess"
)

// pathUse is the purpose of a path in a spec, which decides how it is checked.
type pathUse uint8

const (
	useScript pathUse = iota
	useInput
	useOutput  // must exist or be creatable
	useCreated // is created if missing
)

// pathProblem is what is wrong with a path. The zero value means nothing.
type pathProblem struct {
	code Code
	err  error
	mode fs.FileMode // of what was found, for CodeNotFile
}

// pathChecker checks a path. It opens nothing, because opening a FIFO or device may block.
type pathChecker func(use pathUse, path string) pathProblem

func checkPath(use pathUse, path string) pathProblem {
	switch use {
	case useScript:
		return checkScript(path)
	case useInput:
		return checkInput(path)
	default:
		return checkOutput(path, use == useCreated)
	}
}

// checkPathOnce returns a checker that checks each path once for each use, also when it is called
// concurrently.
func checkPathOnce() pathChecker {
	type key struct {
		use  pathUse
		path string
	}
	type entry struct {
		once    sync.Once
		problem pathProblem
	}
	var mu sync.Mutex
	seen := map[key]*entry{}
	return func(use pathUse, path string) pathProblem {
		mu.Lock()
		e := seen[key{use, path}]
		if e == nil {
			e = new(entry)
			seen[key{use, path}] = e
		}
		mu.Unlock()
		e.once.Do(func() { e.problem = checkPath(use, path) })
		return e.problem
	}
}

func checkScript(path string) pathProblem {
	info, err := os.Stat(path)
	switch {
	case err != nil && errors.Is(err, fs.ErrPermission):
		return pathProblem{code: CodeNotReadable, err: err}
	case err != nil:
		return pathProblem{code: CodeNotExist, err: err}
	case !strings.HasSuffix(path, ".py"):
		return pathProblem{code: CodeNotPython}
	case !info.Mode().IsRegular():
		return pathProblem{code: CodeNotFile, mode: info.Mode()}
	}
	if err := fsaccess.Readable(path); err != nil {
		return pathProblem{code: CodeNotReadable, err: err}
	}
	return pathProblem{}
}

func checkInput(path string) pathProblem {
	_, err := os.Stat(path)
	if err != nil && !errors.Is(err, fs.ErrPermission) {
		return pathProblem{code: CodeNotExist, err: err}
	}
	if err == nil {
		err = fsaccess.Readable(path)
	}
	if err != nil {
		return pathProblem{code: CodeNotReadable, err: err}
	}
	return pathProblem{}
}

// makeDir creates a directory with its parents. If that fails it removes those it has created.
func makeDir(path string) error {
	var missing []string // from the bottom up
	for dir := filepath.Clean(path); ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(dir); err == nil || dir == filepath.Dir(dir) {
			break
		}
		missing = append(missing, dir)
	}
	err := os.MkdirAll(path, 0o777)
	if err != nil {
		for _, dir := range missing {
			_ = os.Remove(dir) // a directory that is not empty stays
		}
	}
	return err
}

func checkOutput(path string, create bool) pathProblem {
	info, err := os.Stat(path)
	if err == nil && create && !info.IsDir() {
		return pathProblem{code: CodeNotCreatable, err: &fs.PathError{Op: "mkdir", Path: path, Err: syscall.ENOTDIR}}
	}
	if err == nil {
		if err := fsaccess.Writable(path); err != nil {
			return pathProblem{code: CodeNotWritable, err: err}
		}
		return pathProblem{}
	}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		if create {
			err = makeDir(path)
		} else {
			err = fsaccess.Creatable(path)
		}
	}
	if err != nil {
		return pathProblem{code: CodeNotCreatable, err: err}
	}
	return pathProblem{}
}
