package scriptspec

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/scriptspec/scriptspec/internal/atomicfile"
	"github.com/scriptspec/scriptspec/internal/history"
)

// specsDir is the directory of a store inside of its test data directory.
const specsDir = ".specs"

// StoreOptions changes what a [Store] does. Nil means the zero value.
type StoreOptions struct {
	// FileMode and DirMode are the permission bits of new spec files and of a new .specs; 0 means
	// 0600 and 0700, because a spec may hold secrets.
	FileMode, DirMode fs.FileMode
	// LockTimeout bounds the wait for other processes, which then fails with [ErrLocked]; 0 means 10
	// seconds.
	LockTimeout time.Duration
	// Base is the directory that relative paths of the specs count from in ValidateAll and RunStore, and that a
	// SpecBuilder writes paths relative to; "" means the working directory, and absolute paths from a builder.
	// BaseOfProject is the directory that contains the test data directory, as for the command, and BaseOfStore the test data
	// directory: with them one store works wherever it is checked out, and from the tests of any package.
	Base string
	// Warn is called by Save and SaveStep for each path that they have saved and that runs refuse: a URL, or one with ~ or
	// a variable, which only RuntimeTester.PathVars expand. The problem has CodeNotLocal. Nil hears of none.
	Warn func(file string, problem *FieldError)
}

// Store keeps specs in <test_data_dir>/.specs: a file for each script, and with [Store.SaveStep] one for
// each script and job type. Pipelines have files of their own there. It never reads or writes outside
// that directory, whatever links are in it. Any number of goroutines and processes may use one directory
// at the same time.
//
// It caches the specs that it has loaded and does not decode files again that have not changed. Callers
// get copies.
type Store struct {
	dir, specs        string
	fileMode, dirMode fs.FileMode
	lockTimeout       time.Duration
	base              string // absolute, or ""
	warn              func(file string, problem *FieldError)
	cache             specCache
	history           History

	mu      sync.Mutex
	files   *atomicfile.Dir // of .specs; nil until it is there
	durable bool            // the directory entry of .specs is on disk
	swept   time.Time
	closed  bool
}

// OpenStore returns the store of a test data directory. Nothing is created before the first save; a
// store that does not exist yet has no specs.
func OpenStore(testDataDir string, o *StoreOptions) (*Store, error) {
	dir, err := filepath.Abs(testDataDir)
	if err != nil {
		return nil, err
	}
	st := &Store{
		dir: dir, specs: filepath.Join(dir, specsDir),
		fileMode: 0o600, dirMode: 0o700, lockTimeout: 10 * time.Second,
	}
	st.history.store, st.history.lines, st.history.patience = st, history.NewIndex(recordKeys()), lockWait
	if o != nil && o.FileMode != 0 {
		st.fileMode = o.FileMode.Perm()
	}
	if o != nil && o.DirMode != 0 {
		st.dirMode = o.DirMode.Perm()
	}
	if o != nil && o.LockTimeout > 0 {
		st.lockTimeout = o.LockTimeout
	}
	if o != nil {
		st.warn = o.Warn
	}
	if o != nil && o.Base != "" {
		switch o.Base {
		case BaseOfProject:
			st.base = filepath.Dir(dir)
		case BaseOfStore:
			st.base = dir
		default:
			if st.base, err = filepath.Abs(o.Base); err != nil {
				return nil, err
			}
		}
	}
	if _, err := st.open(false); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return st, nil
}

// Base returns the absolute path of StoreOptions.Base, for RuntimeTester.Base and ValidateOptions.Base; "" if
// there is none.
func (st *Store) Base() string { return st.base }

// paths turns the paths of its specs into those of files.
func (st *Store) paths() pathResolver { return pathResolver{base: st.base, dir: st.dir} }

// Close releases the directory. Later calls fail with [fs.ErrClosed].
func (st *Store) Close() error {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.closed = true
	if st.files == nil {
		return nil
	}
	err := st.files.Close()
	st.files = nil
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

// Save writes the spec to its script's file, like [ScriptExecutionSpec.Save], and creates the directory
// if necessary. Two nodes with the same script share that file; see SaveStep.
func (st *Store) Save(s Spec) error {
	if isNil(s) {
		return validateRules(s)
	}
	name := *s.common().scriptName + specFileSuffix
	return st.warned(s, name, st.save(s, name))
}

// warned says what is odd about a spec that was saved.
func (st *Store) warned(s Spec, name string, err error) error {
	if err == nil && st.warn != nil {
		for _, problem := range localErrors(s) {
			st.warn(filepath.Join(st.specs, name), problem)
		}
	}
	return err
}

// Load reads the basic spec of a script; see [Load]. It refuses a file with the spec of another script
// with [ErrMismatch].
func (st *Store) Load(scriptName string) (*ScriptExecutionSpec, error) {
	s, err := st.load(scriptName, scriptName+specFileSuffix)
	if err != nil {
		return nil, st.withNearest(err, scriptName, specFileSuffix)
	}
	return asBasic(s, st.Path(scriptName), "LoadEnhanced")
}

// LoadEnhanced reads the spec of a script, of either kind; see [LoadEnhanced].
func (st *Store) LoadEnhanced(scriptName string) (*EnhancedScriptExecutionSpec, error) {
	s, err := st.load(scriptName, scriptName+specFileSuffix)
	if err != nil {
		return nil, st.withNearest(err, scriptName, specFileSuffix)
	}
	return asEnhanced(s), nil
}

// Update loads a script's basic spec, lets fn change it and saves it. Meanwhile no other process or
// goroutine saves, updates or deletes in this store, so that no change is lost. If fn changes something,
// UpdatedAt is stamped; if it changes nothing or returns an error, nothing is saved. Waiting for others
// ends with ctx or after the store's LockTimeout, with [ErrLocked]. fn must not save to the store.
func (st *Store) Update(ctx context.Context, scriptName string, fn func(*ScriptExecutionSpec) error) error {
	if code := checkScriptName(scriptName); code != "" {
		return nameError(fieldScriptName, scriptName, code)
	}
	err := st.update(ctx, scriptName, scriptName+specFileSuffix, "LoadEnhanced", fn)
	return st.withNearest(err, scriptName, specFileSuffix)
}

// update is Update for a file of the store. The method reads it if it holds an enhanced spec.
func (st *Store) update(ctx context.Context, scriptName, name, method string, fn func(*ScriptExecutionSpec) error) error {
	file := filepath.Join(st.specs, name)
	files, err := st.open(false)
	if err != nil {
		return atPath("update", err, file)
	}
	unlock, err := st.lock(ctx, files)
	if err != nil {
		return atPath("update", err, file)
	}
	defer unlock()
	loaded, _, err := st.loadFrom(files, scriptName, name, maxSpecFile)
	if err != nil {
		return err
	}
	s, err := asBasic(loaded, file, method)
	if err != nil {
		return err
	}
	before := s.Clone()
	if err := fn(s); err != nil {
		return err
	}
	unstamped := s.Clone()
	if unstamped.UpdatedAt = before.UpdatedAt; unstamped.Equal(before) {
		return nil
	}
	if s.ScriptName != scriptName {
		return fileError(file, fmt.Sprintf("update changed script_name to %q", printable(s.ScriptName)), ErrMismatch)
	}
	if !s.UpdatedAt.instant().After(before.UpdatedAt.instant()) {
		s.UpdatedAt = before.UpdatedAt // never earlier, whatever fn did
		s.UpdateTimestamp()
	}
	e, err := encodeToSave(s, file)
	if err != nil {
		return err
	}
	defer e.release()
	return atPath("update", files.Write(name, e.w.Buf, st.fileMode, nil), file)
}

// Delete removes a script's spec, but not those of its steps.
func (st *Store) Delete(scriptName string) error {
	if code := checkScriptName(scriptName); code != "" {
		return nameError(fieldScriptName, scriptName, code)
	}
	return st.withNearest(st.remove(scriptName+specFileSuffix), scriptName, specFileSuffix)
}

// remove deletes a file of the store.
func (st *Store) remove(name string) error {
	file := filepath.Join(st.specs, name)
	files, err := st.open(false)
	if err != nil {
		return atPath("delete", err, file)
	}
	if _, err := files.Stat(name); errors.Is(err, fs.ErrNotExist) {
		return atPath("delete", err, file) // no need to wait for the lock
	}
	unlock, err := st.lock(context.Background(), files)
	if err != nil {
		return atPath("delete", err, file)
	}
	defer unlock()
	return atPath("delete", files.Remove(name), file)
}

// save writes a spec to a file of the store.
func (st *Store) save(s Spec, name string) error {
	file := filepath.Join(st.specs, name)
	e, err := encodeToSave(s, file)
	if err != nil {
		return err
	}
	defer e.release()
	data := e.w.Buf
	return st.write(file, data, func(old []byte) bool { return sameSpec(old, data, s) }, nil)
}

// write writes to a file of the store, unless that has the same content. The lock is held only while the
// new file takes its name: by then the data is on disk. If check is not nil, it is called with what the file holds
// then, nil for nothing, and an error ends the writing.
func (st *Store) write(file string, data []byte, same func(old []byte) bool, check func(old []byte) error) error {
	name := filepath.Base(file)
	files, err := st.open(true)
	if err != nil {
		return err
	}
	buf := buffers.Get().(*[]byte)
	defer releaseBuffer(buf)
	if old, id, err := files.Read(name, maxSpecFile, *buf); err == nil {
		*buf = old
		if same(old) {
			return atPath("save", files.Flush(name, id), file)
		}
	}
	return atPath("save", files.Write(name, data, st.fileMode, func() (func(), error) {
		unlock, err := st.lock(context.Background(), files)
		if err != nil || check == nil {
			return unlock, err
		}
		old, _, err := files.Read(name, maxSpecFile, nil)
		if err == nil {
			err = check(old)
		} else {
			err = nil // there is no spec in its place
		}
		if err != nil {
			unlock()
			return nil, err
		}
		return unlock, nil
	}), file)
}

// lock takes the lock of the store. Once in a while it removes what killed processes have left.
func (st *Store) lock(ctx context.Context, files *atomicfile.Dir) (unlock func(), err error) {
	return st.lockFor(ctx, files, st.lockTimeout)
}

func (st *Store) lockFor(ctx context.Context, files *atomicfile.Dir, timeout time.Duration) (unlock func(), err error) {
	if unlock, err = files.Lock(ctx, timeout); err != nil {
		return nil, err
	}
	if at, err := files.IsAt(st.specs); err != nil || !at {
		unlock()
		return nil, errors.Join(err, errReplaced)
	}
	const often = time.Hour
	st.mu.Lock()
	due := time.Since(st.swept) > often
	if due {
		st.swept = time.Now()
	}
	st.mu.Unlock()
	if due {
		files.Sweep()
	}
	return unlock, nil
}

var errReplaced = errors.New("the directory was moved or replaced in the meantime; try again")

// load reads a file of the store, which must hold a spec of the script.
func (st *Store) load(scriptName, name string) (Spec, error) {
	if code := checkScriptName(scriptName); code != "" {
		return nil, nameError(fieldScriptName, scriptName, code)
	}
	files, err := st.open(false)
	if err != nil {
		return nil, atPath("open", err, filepath.Join(st.specs, name))
	}
	s, _, err := st.loadFrom(files, scriptName, name, maxSpecFile)
	return s, err
}

func (st *Store) loadFrom(files *atomicfile.Dir, scriptName, name string, limit int64) (Spec, *cachedSpec, error) {
	s, kept, err := st.cache.load(files, st.specs, name, limit)
	if err != nil {
		return nil, nil, err
	}
	if got := *s.common().scriptName; got != scriptName {
		return nil, nil, fileError(filepath.Join(st.specs, name), fmt.Sprintf("holds the spec of script_name %q", printable(got)), ErrMismatch)
	}
	return s, kept, nil
}

// open returns .specs, creating it if asked to. If the directory was replaced since the store was opened,
// it returns the new one.
func (st *Store) open(create bool) (*atomicfile.Dir, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.closed {
		return nil, &fs.PathError{Op: "open", Path: st.specs, Err: fs.ErrClosed}
	}
	if st.files != nil && (st.durable || !create) {
		if at, err := st.files.IsAt(st.specs); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, atPath("open", err, st.specs)
		} else if at {
			return st.files, nil
		}
	}
	// The old directory may be in use. Its descriptor is closed when it is collected.
	st.files, st.durable = nil, false
	if create {
		if err := atomicfile.MakeAll(st.dir); err != nil {
			return nil, atPath("mkdir", err, st.dir)
		}
	}
	parent, err := os.OpenRoot(st.dir)
	if err != nil {
		return nil, err
	}
	defer parent.Close()
	made := false
	if create {
		err := parent.Mkdir(specsDir, st.dirMode)
		if made = err == nil; err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, atPath("mkdir", err, st.specs)
		}
	}
	info, err := parent.Lstat(specsDir)
	if err != nil {
		return nil, atPath("open", err, st.specs)
	}
	if !info.IsDir() {
		return nil, fileError(st.specs, "is "+atomicfile.Kind(info.Mode())+" and not a directory; move it away", atomicfile.ErrNotRegular)
	}
	root, err := parent.OpenRoot(specsDir)
	if err != nil {
		return nil, atPath("open", err, st.specs)
	}
	files, err := atomicfile.Open(root)
	if err != nil {
		return nil, atPath("open", errors.Join(err, root.Close()), st.specs)
	}
	// A link that replaced the directory in between has been followed.
	if at, err := files.IsAt(st.specs); err != nil || !at {
		return nil, errors.Join(atPath("open", cmp.Or(err, errReplaced), st.specs), files.Close())
	}
	if made { // regardless of the umask
		if err := files.Chmod(st.dirMode); err != nil {
			return nil, errors.Join(atPath("chmod", err, st.specs), files.Close())
		}
	}
	if create {
		// Even if another process made the directory: it may not have synced it yet.
		if err := atomicfile.SyncPath(st.dir); err != nil {
			return nil, errors.Join(atPath("sync", err, st.dir), files.Close())
		}
		st.durable = true
	}
	st.files = files
	return files, nil
}

// scriptOfFile returns the script of a spec file from its name; ok is false for other files.
func scriptOfFile(name string) (script string, ok bool) {
	stem, ok := strings.CutSuffix(name, specFileSuffix)
	if !ok {
		return "", false
	}
	script, step, isStep := strings.Cut(stem, ".")
	return script, checkScriptName(script) == "" && (!isStep || isStepPart(step))
}
