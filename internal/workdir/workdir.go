// Package workdir manages a directory of outputs, with a directory and a record for each node.
package workdir

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/scriptspec/scriptspec/internal/atomicfile"
	"github.com/scriptspec/scriptspec/internal/fsaccess"
	"github.com/scriptspec/scriptspec/internal/printable"
	"github.com/scriptspec/scriptspec/internal/snapshot"
)

// ownDir has the records, and says that runs may clear the directories of nodes beside it.
const ownDir = ".scriptspec"

// NotEmptyError is returned for a directory that has what no run has put there.
type NotEmptyError struct {
	Dir   string
	Entry string // the first one, as a path
}

func (e *NotEmptyError) Error() string {
	return "work directory has what no run has put there: " + printable.Line(e.Entry)
}

// Dir is a work directory, held by one run, or by several that share it. Nothing outside of it is cleared or written,
// whatever links are in it.
type Dir struct {
	path   string // absolute
	root   *os.Root
	own    *atomicfile.Dir
	shared bool
	unlock []func() // the directory first, then nodes
}

// lockWait is how long a lock is waited for: another run may be about to end.
const lockWait = time.Second

// Open opens and locks a work directory, "" for a new temporary one. It creates the directory only if told
// to. The errors are *NotEmptyError, atomicfile.ErrLocked if another run has it, and the system's.
func Open(path string, create bool) (*Dir, error) { return take(path, create, false) }

// OpenShared is Open for one of several runs that have the directory at the same time. Each has to lock the nodes that
// it is about.
func OpenShared(path string, create bool) (*Dir, error) { return take(path, create, true) }

func take(path string, create, shared bool) (*Dir, error) {
	var err error
	if path == "" {
		path, err = os.MkdirTemp("", "scriptspec-pipeline-")
	} else if path, err = filepath.Abs(path); err == nil && create {
		err = os.MkdirAll(path, 0o777)
	}
	if err != nil {
		return nil, fmt.Errorf("work directory: %w", err)
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("work directory: %w", err)
	}
	d := &Dir{path: path, root: root, shared: shared}
	if err := d.lock(create); err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return d, nil
}

// lock makes sure that the directory is a work directory, and that no other run has it.
func (d *Dir) lock(create bool) error {
	if _, err := d.root.Lstat(ownDir); errors.Is(err, fs.ErrNotExist) && create {
		if err := d.claim(); err != nil {
			return err
		}
	}
	own, err := d.root.OpenRoot(ownDir)
	if err != nil {
		return d.failed("open", err, ownDir)
	}
	if d.own, err = atomicfile.Open(own); err != nil {
		return errors.Join(err, own.Close())
	}
	lock := d.own.Lock
	if d.shared {
		lock = d.own.LockShared
	}
	unlock, err := lock(context.Background(), lockWait)
	if err != nil {
		return errors.Join(fmt.Errorf("work directory %s belongs to another run: %w", printable.Line(d.path), err), d.own.Close())
	}
	d.unlock = append(d.unlock, unlock)
	return nil
}

// LockNodes locks nodes of a shared directory until Close: those that are to be run, which no other run may use
// meanwhile, and those whose outputs are to be read, which others may read as well. The error is atomicfile.ErrLocked
// if another run has one of them.
func (d *Dir) LockNodes(run, read []string) error {
	for i, node := range slices.Concat(run, read) {
		unlock, err := d.own.LockName(context.Background(), node+lockSuffix, i >= len(run), lockWait)
		if err != nil {
			return fmt.Errorf("node %s in work directory %s is in use by another run: %w", printable.Line(node), printable.Line(d.path), err)
		}
		d.unlock = append(d.unlock, unlock)
	}
	return nil
}

const lockSuffix = ".lock"

// claim turns an empty directory into a work directory. A user's files must never be cleared.
func (d *Dir) claim() error {
	entries, err := fs.ReadDir(d.root.FS(), ".")
	if err != nil {
		return d.failed("read", err, ".")
	}
	if _, err := d.root.Lstat(ownDir); err == nil {
		return nil // by another run, just now, and so are the entries
	}
	if len(entries) > 0 {
		return &NotEmptyError{d.path, filepath.Join(d.path, entries[0].Name())}
	}
	if err := d.root.Mkdir(ownDir, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
		return d.failed("mkdir", err, ownDir)
	}
	return nil
}

// failed puts the whole path into an error of a call inside the directory.
func (d *Dir) failed(op string, err error, name string) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		err = pe.Err
	}
	return fmt.Errorf("work directory: %w", &fs.PathError{Op: op, Path: printable.Line(filepath.Join(d.path, name)), Err: err})
}

// Path returns the absolute path.
func (d *Dir) Path() string { return d.path }

// Close gives the directory to the next run.
func (d *Dir) Close() {
	for _, unlock := range slices.Backward(d.unlock) {
		unlock()
	}
	_ = d.own.Close() // nothing is left to be written
	_ = d.root.Close()
}

// Clear empties a node's directory.
func (d *Dir) Clear(node string) error {
	err := fsaccess.RemoveAll(d.root, node)
	if err == nil {
		err = d.root.Mkdir(node, 0o777)
	}
	if err == nil {
		return nil
	}
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		err = pe.Err
	}
	return &fs.PathError{Op: "clear", Path: printable.Line(filepath.Join(d.path, node)), Err: err}
}

// Record is what is known of a node's last run, so that a later run can build on it.
type Record struct {
	Version int    `json:"version"`
	Node    string `json:"node"`
	Status  string `json:"status"`
	// Run tells one run of the node from another.
	Run string `json:"run"`
	// Digest is of its spec and wires.
	Digest string `json:"digest"`
	// After has the Run of each node that it depends on, or Skipped.
	After map[string]string `json:"after"`
	// Environ has keyed digests of the values of its variables.
	Environ map[string]string `json:"environ"`
	// Code has digests of its script and of the modules that it imported, by file.
	Code map[string]string `json:"code"`
	// Inputs are of what it read from outside of the pipeline, Data of its outputs.
	Inputs map[string]snapshot.Digest `json:"inputs"`
	Data   map[string]snapshot.Digest `json:"data"`
	// Changed says what of its data was changed after the node had ended.
	Changed string `json:"changed"`
}

// Skipped is the Run of a node that was skipped.
const Skipped = "skipped"

const recordVersion = 2

func recordName(node string) string { return filepath.Join(ownDir, node+".json") }

// Record returns what is known of a node. A record that cannot be read counts as none.
func (d *Dir) Record(node string) (Record, bool) {
	const longest = 16 << 20
	var rec Record
	data, _, err := d.own.Read(node+".json", longest, nil)
	if err != nil || json.Unmarshal(data, &rec) != nil || rec.Version != recordVersion {
		return Record{}, false
	}
	return rec, true
}

// SetRecord stores what is known of a node. It need not survive a power cut: the node is then run again.
func (d *Dir) SetRecord(rec Record) error {
	rec.Version = recordVersion
	data, err := json.Marshal(rec)
	if err != nil {
		return err
	}
	if err := d.Forget(rec.Node); err != nil {
		return err
	}
	// A new file: a script may have put a link or FIFO in its place.
	f, err := d.root.OpenFile(recordName(rec.Node), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(append(data, '\n'))
	return errors.Join(err, f.Close())
}

// Key returns the key of this directory's keyed digests, which it makes if there is none.
func (d *Dir) Key() ([]byte, error) {
	if d.shared { // others may be about to make it
		const wait = 10 * time.Second // for as many as begin together
		unlock, err := d.own.LockName(context.Background(), keyLock, false, wait)
		if err != nil {
			return nil, fmt.Errorf("work directory %s: %w", printable.Line(d.path), err)
		}
		defer unlock()
	}
	const size = 32
	key, _, err := d.own.Read(keyFile, size, nil)
	if err == nil && len(key) == size {
		return key, nil
	}
	if key = make([]byte, size); err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, atomicfile.ErrNotRegular) {
		_, _ = rand.Read(key) // never fails
		err = d.root.RemoveAll(filepath.Join(ownDir, keyFile))
	}
	if err != nil {
		return nil, d.failed("read", err, filepath.Join(ownDir, keyFile))
	}
	f, err := d.root.OpenFile(filepath.Join(ownDir, keyFile), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, d.failed("create", err, filepath.Join(ownDir, keyFile))
	}
	_, err = f.Write(key)
	return key, errors.Join(err, f.Close())
}

// keyFile has no suffix, which the records of nodes have, and keyLock begins as no node does.
const (
	keyFile = "key"
	keyLock = ".key.lock"
)

// Jobs returns the directory for the jobs of a node.
func (d *Dir) Jobs(node string) string { return filepath.Join(d.path, ownDir, jobsDir, node) }

// jobsDir has a directory for each node that was run by an engine.
const jobsDir = "jobs"

// JobNodes returns the nodes that have jobs.
func (d *Dir) JobNodes() []string {
	entries, _ := fs.ReadDir(d.root.FS(), filepath.ToSlash(filepath.Join(ownDir, jobsDir))) // there may be none
	var nodes []string
	for _, e := range entries {
		if e.IsDir() {
			nodes = append(nodes, e.Name())
		}
	}
	return nodes
}

// Forget drops what is known of a node.
func (d *Dir) Forget(node string) error { return d.root.RemoveAll(recordName(node)) }
