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

// role is what a path is to a spec, which decides how it is looked at.
type role uint8

const (
	roleScript role = iota
	roleInput
	roleOutput  // must be there or creatable
	roleCreated // is created if it is not there
)

// finding is what is wrong with a path; the zero finding is nothing.
type finding struct {
	code Code
	err  error
	mode fs.FileMode // of what was found, for CodeNotFile
}

// looker looks at a path. Nothing is opened, so that no FIFO or device is waited for.
type looker func(r role, path string) finding

func look(r role, path string) finding {
	switch r {
	case roleScript:
		return lookScript(path)
	case roleInput:
		return lookInput(path)
	default:
		return lookOutput(path, r == roleCreated)
	}
}

// lookOnce returns a looker that looks at each path once in each role, however many ask at the same
// time.
func lookOnce() looker {
	type key struct {
		role role
		path string
	}
	type entry struct {
		once    sync.Once
		finding finding
	}
	var mu sync.Mutex
	seen := map[key]*entry{}
	return func(r role, path string) finding {
		mu.Lock()
		e := seen[key{r, path}]
		if e == nil {
			e = new(entry)
			seen[key{r, path}] = e
		}
		mu.Unlock()
		e.once.Do(func() { e.finding = look(r, path) })
		return e.finding
	}
}

func lookScript(path string) finding {
	info, err := os.Stat(path)
	switch {
	case err != nil && errors.Is(err, fs.ErrPermission):
		return finding{code: CodeNotReadable, err: err}
	case err != nil:
		return finding{code: CodeNotExist, err: err}
	case !strings.HasSuffix(path, ".py"):
		return finding{code: CodeNotPython}
	case !info.Mode().IsRegular():
		return finding{code: CodeNotFile, mode: info.Mode()}
	}
	if err := fsaccess.Readable(path); err != nil {
		return finding{code: CodeNotReadable, err: err}
	}
	return finding{}
}

func lookInput(path string) finding {
	_, err := os.Stat(path)
	if err != nil && !errors.Is(err, fs.ErrPermission) {
		return finding{code: CodeNotExist, err: err}
	}
	if err == nil {
		err = fsaccess.Readable(path)
	}
	if err != nil {
		return finding{code: CodeNotReadable, err: err}
	}
	return finding{}
}

// makeDir makes a directory with its parents, or nothing at all.
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
			_ = os.Remove(dir) // what was not made, or has something in it by now, stays
		}
	}
	return err
}

func lookOutput(path string, create bool) finding {
	info, err := os.Stat(path)
	if err == nil && create && !info.IsDir() {
		return finding{code: CodeNotCreatable, err: &fs.PathError{Op: "mkdir", Path: path, Err: syscall.ENOTDIR}}
	}
	if err == nil {
		if err := fsaccess.Writable(path); err != nil {
			return finding{code: CodeNotWritable, err: err}
		}
		return finding{}
	}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		if create {
			err = makeDir(path)
		} else {
			err = fsaccess.Creatable(path)
		}
	}
	if err != nil {
		return finding{code: CodeNotCreatable, err: err}
	}
	return finding{}
}
