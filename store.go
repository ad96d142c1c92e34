package scriptspec

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/scriptspec/scriptspec/internal/atomicfile"
)

// SpecsDir is the directory of a store inside of its test data directory.
const SpecsDir = ".specs"

// StoreOptions changes what a [Store] does. Nil means the zero value.
type StoreOptions struct {
	// FileMode and DirMode are the permission bits of new spec files and of a new .specs; 0 means
	// 0600 and 0700, because a spec may hold secrets.
	FileMode, DirMode fs.FileMode
}

// Store keeps specs in <test_data_dir>/.specs, one file for a script. It touches nothing outside of
// that directory, whatever links stand in it. All methods may be called at the same time.
type Store struct {
	dir, specs        string
	fileMode, dirMode fs.FileMode

	mu     sync.Mutex
	root   *os.Root // of .specs; nil until it is there
	closed bool
}

// OpenStore returns the store of a test data directory. Nothing is created before the first save:
// a store that is not there yet has no specs.
func OpenStore(testDataDir string, o *StoreOptions) (*Store, error) {
	dir, err := filepath.Abs(testDataDir)
	if err != nil {
		return nil, err
	}
	st := &Store{dir: dir, specs: filepath.Join(dir, SpecsDir), fileMode: 0o600, dirMode: 0o700}
	if o != nil && o.FileMode != 0 {
		st.fileMode = o.FileMode.Perm()
	}
	if o != nil && o.DirMode != 0 {
		st.dirMode = o.DirMode.Perm()
	}
	if _, err := st.open(false); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return st, nil
}

// Close releases the directory. What is asked of the store afterwards fails with [fs.ErrClosed].
func (st *Store) Close() error {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.closed = true
	if st.root == nil {
		return nil
	}
	err := st.root.Close()
	st.root = nil
	return err
}

// Path returns the file of a script's spec, or "" for a name that fails [IsScriptName] or is too
// long for a file name.
func (st *Store) Path(scriptName string) string {
	if checkScriptName(scriptName) != "" {
		return ""
	}
	return filepath.Join(st.specs, scriptName+specFileSuffix)
}

// Save writes the spec to its script's file, like [ScriptExecutionSpec.Save], and creates the
// directory if need be.
func (st *Store) Save(s Spec) error {
	data, err := encode(s)
	if err != nil {
		return err
	}
	name := s.SpecFileName()
	if len(data) > DefaultMaxBytes {
		return tooLarge(filepath.Join(st.specs, name), DefaultMaxBytes)
	}
	root, err := st.open(true)
	if err != nil {
		return err
	}
	return atPath("save", atomicfile.Write(root, name, data, st.fileMode), filepath.Join(st.specs, name))
}

// Load reads the basic spec of a script; see [Load]. A file with the spec of another script is
// refused with [ErrMismatch].
func (st *Store) Load(scriptName string) (*ScriptExecutionSpec, error) {
	s, err := st.load(scriptName)
	if err != nil {
		return nil, err
	}
	return asBasic(s, st.Path(scriptName))
}

// LoadEnhanced reads the spec of a script, of either kind; see [LoadEnhanced].
func (st *Store) LoadEnhanced(scriptName string) (*EnhancedScriptExecutionSpec, error) {
	s, err := st.load(scriptName)
	if err != nil {
		return nil, err
	}
	return asEnhanced(s), nil
}

func (st *Store) load(scriptName string) (Spec, error) {
	if code := checkScriptName(scriptName); code != "" {
		return nil, identityError(fieldScriptName, scriptName, code)
	}
	file := st.Path(scriptName)
	root, err := st.open(false)
	if err != nil {
		return nil, atPath("open", err, file)
	}
	s, err := loadIn(root, scriptName+specFileSuffix, file)
	if err != nil {
		return nil, err
	}
	if got := *s.core().scriptName; got != scriptName {
		return nil, fileError(file, fmt.Sprintf("holds the spec of script_name %q", printable(got)), ErrMismatch)
	}
	return s, nil
}

// open returns .specs, creating it if asked to.
func (st *Store) open(create bool) (*os.Root, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.closed {
		return nil, &fs.PathError{Op: "open", Path: st.specs, Err: fs.ErrClosed}
	}
	if st.root != nil {
		return st.root, nil
	}
	if create {
		if err := os.MkdirAll(st.dir, 0o777); err != nil {
			return nil, err
		}
	}
	parent, err := os.OpenRoot(st.dir)
	if err != nil {
		return nil, err
	}
	defer parent.Close()
	if create {
		if err := parent.Mkdir(SpecsDir, st.dirMode); err == nil {
			if err := atomicfile.SyncDir(parent); err != nil {
				return nil, err
			}
		} else if !errors.Is(err, fs.ErrExist) {
			return nil, atPath("open", err, st.specs)
		}
	}
	info, err := parent.Lstat(SpecsDir)
	if err != nil {
		return nil, atPath("open", err, st.specs)
	}
	if !info.IsDir() {
		return nil, fileError(st.specs, "is "+fileKind(info.Mode())+" and not a directory; move it away", atomicfile.ErrNotRegular)
	}
	root, err := parent.OpenRoot(SpecsDir)
	if err != nil {
		return nil, atPath("open", err, st.specs)
	}
	st.root = root
	return root, nil
}
