// Package atomicfile reads and replaces whole files of one directory, which is held as an
// [os.Root]: a reader sees the old or the new content, a power cut leaves one of them, and nothing
// outside the directory is touched, whatever links are in it or appear in it.
package atomicfile

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Errors for what is found in a file's place instead of a regular file.
var (
	ErrNotRegular = errors.New("not a regular file")
	ErrTooLarge   = errors.New("file is too large")
)

const (
	tempPrefix = ".scriptspec-"
	tempSuffix = ".tmp"
	// tempLife is how long a temporary file is left alone: longer than any save takes.
	tempLife = time.Hour
)

// ID identifies a version of a file: one that was replaced or changed has another ID, unless the clock
// of the file system did not tick in between.
type ID struct {
	Device, Inode    uint64
	Size             int64
	Modified, Change int64 // nanoseconds since 1970
}

// Dir is a directory whose files are read and replaced whole. Its methods may be called at the same
// time. File names must be single path elements.
type Dir struct {
	root *os.Root
	self *os.File      // for reading and flushing the directory
	held chan struct{} // holds a value while a goroutine of this process has the lock
	id   ID            // device and inode of self

	// uses counts the calls under way; closing takes a large number from it. The last one closes.
	uses atomic.Int64
}

const closing = 1 << 40

// acquire keeps the directory open until release.
func (d *Dir) acquire() error {
	if d.uses.Add(1) < 0 {
		d.release()
		return fs.ErrClosed
	}
	return nil
}

func (d *Dir) release() {
	if d.uses.Add(-1) == -closing {
		_ = d.close() // Close has returned; nothing was left to be written
	}
}

func (d *Dir) close() error { return errors.Join(d.self.Close(), d.root.Close()) }

// Open returns the directory of root, which Close closes.
func Open(root *os.Root) (*Dir, error) {
	self, err := root.Open(".")
	if err != nil {
		return nil, err
	}
	d := &Dir{root: root, self: self, held: make(chan struct{}, 1)}
	if d.id, err = d.Self(); err != nil {
		return nil, errors.Join(err, self.Close())
	}
	return d, nil
}

// OpenPath returns the directory at a path that is trusted.
func OpenPath(path string) (*Dir, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	d, err := Open(root)
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return d, nil
}

// Sub returns a directory in this one, to which no link leads outside.
func (d *Dir) Sub(name string) (*Dir, error) {
	if err := d.acquire(); err != nil {
		return nil, err
	}
	defer d.release()
	root, err := d.root.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	sub, err := Open(root)
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return sub, nil
}

// Close releases the directory as soon as the calls under way have returned, for which it does not wait.
// Later ones fail with [fs.ErrClosed].
func (d *Dir) Close() error {
	if d.uses.Add(-closing) == -closing {
		return d.close()
	}
	return nil
}

// sync makes the entries of the directory durable.
func (d *Dir) sync() error {
	return do("sync directory", func() error { return syncDir(d.self) })
}

// Chmod sets the permission bits of the directory.
func (d *Dir) Chmod(perm fs.FileMode) error {
	if err := d.acquire(); err != nil {
		return err
	}
	defer d.release()
	return d.self.Chmod(perm)
}

// Names returns the names of the directory's entries, in no particular order.
func (d *Dir) Names() ([]string, error) {
	if err := d.acquire(); err != nil {
		return nil, err
	}
	defer d.release()
	dir, err := d.root.Open(".") // a new one: the position of d.self is shared
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return dir.Readdirnames(-1)
}

// Write replaces the file name by one with the given content, durably: when it returns nil, the
// content survives a power cut. An existing file keeps its permission bits, a new one gets perm; a
// link is replaced, never written through. On an error the old file is untouched, unless the error is
// that the directory cannot be flushed: then the new one is there and may not survive a power cut. No
// temporary file is left. If guard is not nil, it is called before the file appears and what it returns
// afterwards, so that a lock need not be held while data is flushed.
func (d *Dir) Write(name string, data []byte, perm fs.FileMode, guard func() (release func(), err error)) (err error) {
	if err := d.acquire(); err != nil {
		return err
	}
	defer d.release()
	info, err := d.lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case info.IsRegular():
		perm = info.Perm()
	case info&fs.ModeSymlink == 0:
		return notRegular("replace", name, info)
	}
	temp := tempPrefix + rand.Text() + tempSuffix
	var f *os.File
	if err := do("create", func() (err error) {
		f, err = d.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		return err
	}); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close() // what matters has failed already
			if e := d.root.Remove(temp); e != nil && !errors.Is(e, fs.ErrNotExist) {
				err = errors.Join(err, e)
			}
		}
	}()
	if err := fill(f, data, perm); err != nil {
		return err
	}
	if guard != nil {
		release, err := guard()
		if err != nil {
			return err
		}
		defer release()
	}
	if err := do("rename", func() error { return rename(d.root, temp, name) }); err != nil {
		return err
	}
	if err := d.sync(); err != nil {
		return err
	}
	if id, err := d.Stat(name); err == nil {
		durable.add(id)
	}
	return nil
}

// Flush makes a file durable that already has the wanted content: its writer may have been killed, or
// may not have flushed it. It does nothing for a version that was flushed before, or is
// old enough for the system to have written it.
func (d *Dir) Flush(name string, id ID) error {
	if durable.has(id) {
		return nil
	}
	if err := d.acquire(); err != nil {
		return err
	}
	defer d.release()
	f, err := d.root.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := do("flush", f.Sync); err != nil {
		return err
	}
	if err := d.sync(); err != nil {
		return err
	}
	durable.add(id)
	return nil
}

// durable remembers versions of files that are on disk.
var durable versions

type versions struct {
	mu  sync.Mutex
	ids map[ID]struct{}
}

func (v *versions) add(id ID) {
	const most = 4096
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.ids == nil || len(v.ids) >= most {
		v.ids = map[ID]struct{}{} // forgetting costs a flush
	}
	v.ids[id] = struct{}{}
}

func (v *versions) has(id ID) bool {
	v.mu.Lock()
	_, ok := v.ids[id]
	v.mu.Unlock()
	const writtenBack = int64(2 * time.Minute) // Linux writes after 30 seconds
	return ok || time.Now().UnixNano()-max(id.Change, id.Modified) > writtenBack
}

// fill writes, flushes and closes a new file.
func fill(f *os.File, data []byte, perm fs.FileMode) error {
	if err := do("write", func() error { _, err := f.Write(data); return err }); err != nil {
		return err
	}
	if perm != 0o600 {
		if err := do("chmod", func() error { return f.Chmod(perm) }); err != nil {
			return err
		}
	}
	// Not tried again: a second fsync may hide what the first found.
	if err := do("sync", f.Sync); err != nil {
		return err
	}
	return do("close", f.Close)
}

// Remove removes a file, durably.
func (d *Dir) Remove(name string) error {
	if err := d.acquire(); err != nil {
		return err
	}
	defer d.release()
	mode, err := d.lstat(name)
	if err != nil {
		return err
	}
	if mode.IsDir() {
		return notRegular("remove", name, mode)
	}
	if err := d.root.Remove(name); err != nil {
		return err
	}
	return d.sync()
}

// Sweep removes the temporary files of killed processes, which are those too old for any save to be
// using. What cannot be removed stays; that is not the caller's error.
func (d *Dir) Sweep() {
	if d.acquire() != nil {
		return
	}
	defer d.release()
	names, err := d.Names()
	if err != nil {
		return
	}
	for _, name := range names {
		if !isTemp(name) {
			continue
		}
		info, err := d.root.Lstat(name)
		if err == nil && info.Mode().IsRegular() && time.Since(info.ModTime()) > tempLife {
			_ = d.root.Remove(name)
		}
	}
}

func isTemp(name string) bool {
	return strings.HasPrefix(name, tempPrefix) && strings.HasSuffix(name, tempSuffix)
}

// WriteFile is [Dir.Write] for a path.
func WriteFile(path string, data []byte, perm fs.FileMode) error {
	d, name, err := openParent(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Write(name, data, perm, nil)
}

// FlushFile is [Dir.Flush] for a path.
func FlushFile(path string, id ID) error {
	if durable.has(id) {
		return nil
	}
	d, name, err := openParent(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Flush(name, id)
}

// openParent opens the directory that the path names, not the one it would name if .. could be
// taken back without looking at links.
func openParent(path string) (d *Dir, name string, err error) {
	dir, name := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	d, err = OpenPath(dir)
	return d, name, err
}

func notRegular(op, name string, mode fs.FileMode) error {
	return &fs.PathError{Op: op, Path: name, Err: fmt.Errorf("%w: it is %s", ErrNotRegular, Kind(mode))}
}

// Kind names what is not a regular file: "a directory".
func Kind(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "a directory"
	case mode&fs.ModeSymlink != 0:
		return "a symbolic link"
	case mode&fs.ModeNamedPipe != 0:
		return "a FIFO"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "a special file"
}

func tooLarge(name string) error { return &fs.PathError{Op: "read", Path: name, Err: ErrTooLarge} }

// do makes a system call of a write.
func do(name string, call func() error) error {
	if err := step(name); err != nil {
		return err
	}
	return call()
}

// step is called before each of these. Tests of this package make it fail or end the process.
var step = func(string) error { return nil }

// MakeAll makes the directory at a path that is trusted, with its parents, durably.
func MakeAll(path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil
	}
	parent := filepath.Dir(path)
	if parent != path {
		if err := MakeAll(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(path, 0o777); err != nil {
		if info, e := os.Stat(path); e != nil || !info.IsDir() {
			return err
		}
	}
	return SyncPath(parent)
}

// SyncPath makes the entries of the directory at a path that is trusted durable.
func SyncPath(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	return do("sync parent", func() error { return syncDir(dir) })
}
