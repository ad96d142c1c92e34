package snapshot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/scriptspec/scriptspec/internal/datafiles"
	"github.com/scriptspec/scriptspec/internal/fsaccess"
)

// maxEntries bounds a walk: what has more is not compared.
const maxEntries = 1_000_000

// BoundsError says why the files at a path are not compared.
type BoundsError struct {
	Path string // where the walk ended
	Rule string // "has more than ..."
}

func (e *BoundsError) Error() string { return e.Path + " " + e.Rule }

// files is the state of every entry below a path, by path relative to it; "." is the path itself.
type files map[string]fileState

// fileState differs between two versions of an entry.
type fileState struct {
	size     int64
	modified int64 // nanoseconds since 1970
	changed  int64 // of the status, which a program cannot set; 0 where the system does not say
	born     int64 // of data; 0 where the system does not say
	id       fsaccess.ID
	kind     fs.FileMode
	link     string // where a link leads, as it is written; the rest is what it leads to, if that was followed
	hash     [sha256.Size]byte
}

// walk says how entries are recorded. Nothing that might block is opened.
type walk struct {
	links  bool     // follow links to files, and to directories below the path or within
	within []string // directories that links may lead into, resolved
	data   bool     // ignore temporary files, and directories, which are no data
	hash   bool     // read contents
	since  files    // if not nil, follow only links to files that were there, and read only files of their old size
}

// walker is a walk under way.
type walker struct {
	walk
	top        string
	found      files
	followed   []string // directories that links have led to
	count      int
	unreadable []string
	temporary  bool  // something was ignored that is temporary by its name
	err        error // a *BoundsError that has ended the walk
}

// files records a file, or a directory with everything below it.
func (w walk) files(top string) *walker {
	r := &walker{walk: w, top: top, found: files{}}
	if info, err := os.Lstat(top); err == nil {
		r.entry(top, ".", info)
	}
	return r
}

func (w *walker) entry(path, name string, info fs.FileInfo) {
	if w.count++; w.count > maxEntries {
		w.err = &BoundsError{w.top, fmt.Sprintf("has more than %d files and directories", maxEntries)}
		return
	}
	switch {
	case info.IsDir():
		if !w.data {
			w.found[name] = fileState{kind: fs.ModeDir}
		}
		w.dir(path, name)
	case info.Mode()&fs.ModeSymlink != 0 && w.links:
		w.link(path, name, info)
	default:
		w.found[name] = w.state(path, name, info)
	}
}

func (w *walker) dir(path, name string) {
	entries, err := os.ReadDir(path)
	if errors.Is(err, syscall.ENAMETOOLONG) {
		w.err = &BoundsError{path, "is nested more deeply than the paths of the system reach"}
		return
	}
	if err != nil {
		w.unreadable = append(w.unreadable, path)
	}
	for _, entry := range entries {
		if w.data && datafiles.Temporary(entry.Name(), entry.IsDir()) {
			w.temporary = true
			continue
		}
		file := filepath.Join(path, entry.Name())
		info, err := entry.Info()
		if errors.Is(err, syscall.ENAMETOOLONG) {
			w.err = &BoundsError{path, "is nested more deeply than the paths of the system reach"}
		} else if err == nil { // else it is gone already
			w.entry(file, join(name, entry.Name()), info)
		}
		if w.err != nil {
			return
		}
	}
}

// join is path.Join for a name that may be ".".
func join(dir, name string) string {
	if dir == "." {
		return name
	}
	return dir + "/" + name
}

// link records a link, with what it leads to.
func (w *walker) link(path, name string, info fs.FileInfo) {
	old, known := w.since[name]
	target, err := os.Stat(path)
	follow := err == nil && (target.IsDir() || w.since == nil || known && old.link != "")
	if follow {
		info = target
	}
	if !follow || !target.IsDir() {
		state := w.state(path, name, info)
		state.link, _ = os.Readlink(path)
		w.found[name] = state
		return
	}
	state := fileState{kind: fs.ModeDir}
	state.link, _ = os.Readlink(path)
	w.found[name] = state
	real, err := filepath.EvalSymlinks(path)
	switch inside := func(dir string) bool { return IsWithin(real, dir) }; {
	case err != nil, inside(w.top): // which is walked anyway
	case !slices.ContainsFunc(w.within, inside):
		w.err = &BoundsError{path, "leads out of the directory: " + real}
	case slices.ContainsFunc(w.followed, inside): // a way round
	default:
		w.followed = append(w.followed, real)
		w.dir(real, name)
	}
}

func (w *walker) state(path, name string, info fs.FileInfo) fileState {
	state := fileState{
		size: info.Size(), modified: info.ModTime().UnixNano(), changed: fsaccess.Changed(info), id: fsaccess.IDOf(info), kind: info.Mode().Type(),
	}
	if !info.Mode().IsRegular() {
		return state
	}
	if w.data {
		state.born = fsaccess.Born(path)
	}
	old, known := w.since[name]
	if w.hash && (w.since == nil || known && old.size == state.size) {
		state.hash, _ = hashFile(context.Background(), path, state.size)
	}
	if w.links && w.since == nil && fsaccess.Readable(path) != nil {
		w.unreadable = append(w.unreadable, path)
	}
	return state
}

// hashFile returns the zero hash for a file that cannot be read. No more than its size is read: files of /proc
// have none, and some of them no end.
func hashFile(ctx context.Context, path string, size int64) (sum [sha256.Size]byte, ok bool) {
	if size == 0 {
		return sum, true
	}
	f, err := os.Open(path)
	if err != nil {
		return sum, false
	}
	defer f.Close()
	h := sha256.New()
	const at = 1 << 20 // bytes between two looks at ctx
	for left := size; left > 0; left -= at {
		if _, err := io.CopyN(h, f, min(left, at)); err != nil && !errors.Is(err, io.EOF) || ctx.Err() != nil {
			return sum, false
		}
	}
	h.Sum(sum[:0])
	return sum, true
}

// HashFile returns the digest of a regular file's content; ok is false if it is none, is larger than limit, or
// cannot be read before ctx ends.
func HashFile(ctx context.Context, path string, limit int64) (digest string, size int64, ok bool) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > limit { // opening a FIFO would block
		return "", 0, false
	}
	sum, ok := hashFile(ctx, path, info.Size())
	return hex.EncodeToString(sum[:]), info.Size(), ok
}

// IsWithin reports whether a file is a directory or below it.
func IsWithin(file, dir string) bool {
	file, errFile := filepath.Abs(file)
	dir, errDir := filepath.Abs(dir)
	rel, err := filepath.Rel(dir, file)
	return errFile == nil && errDir == nil && err == nil && filepath.IsLocal(rel)
}
