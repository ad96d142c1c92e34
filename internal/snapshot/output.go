package snapshot

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync"
	"time"

	"github.com/scriptspec/scriptspec/internal/fsaccess"
)

// Output is what was found at an output path. Temporary files do not count.
type Output struct {
	Path    string
	Exists  bool
	Files   int   // regular files, in subdirectories too
	Bytes   int64 // of these files
	Written int   // files that are not empty and were created or written since the snapshot
}

// Before is what was at an output path before a process was to write there.
type Before struct {
	path   string
	top    string // with its links resolved
	linked bool   // the path is a link
	taken  time.Time
	tick   time.Time // taken, by the clock of files: what is made from now on is not before it
	byID   map[fsaccess.ID]fileState
	files  files
	unseen bool   // temporary files were there as well, and are not among these
	watch  *watch // nil if there was nothing that could be written again
	clock  sync.Once
	skew   time.Duration

	settled bool // what is made from now on is younger than what was there, by the clock of files
	// Err is a *BoundsError if the files are not all here.
	Err error
}

// OutputDir takes a snapshot of an output. Links and temporary files are not data. Close is to be called.
func OutputDir(path string) *Before {
	b := &Before{path: path, top: resolved(path), taken: time.Now(), tick: fsaccess.Now(), byID: map[fsaccess.ID]fileState{}}
	if info := lstat(path); info != nil {
		b.linked = info.Mode()&fs.ModeSymlink != 0
	}
	r := walk{data: true}.files(b.top)
	b.files, b.unseen, b.Err = r.found, r.temporary, r.err
	for _, state := range b.files {
		b.byID[state.id] = state
	}
	if len(b.files) > 0 {
		b.watch = newWatch(b.top, b.files)
	}
	return b
}

// Settle is to be called before a process begins to write. It waits for the next tick of the clock of files, a few
// milliseconds at most, so that nothing that was there can be taken for new. Where all that was is of an earlier tick, and
// time matters, a caller need not insist: what a process moves there from elsewhere may then be of the same tick.
func (b *Before) Settle(insist bool) {
	const longest = 50 * time.Millisecond
	if !insist && !b.unseen && !b.hasRecent() {
		return
	}
	for start := time.Now(); time.Since(start) < longest; time.Sleep(200 * time.Microsecond) {
		if fsaccess.Now().After(b.taken) {
			b.settled = true
			return
		}
	}
}

// hasRecent reports whether a file is of the tick of the snapshot, so that a process could write it again, or make another
// in its place, with the same time.
func (b *Before) hasRecent() bool {
	tick := b.tick.UnixNano()
	for _, state := range b.files {
		if max(state.modified, state.changed, state.born) >= tick {
			return true
		}
	}
	return false
}

// Top returns the path with its links resolved.
func (b *Before) Top() string { return b.top }

// Close ends the watch for writers.
func (b *Before) Close() {
	if b.watch != nil {
		b.watch.close()
	}
}

// Output compares an output with what was there before. An old file counts as written only if its content
// was: not by a rename, a link or another mode or time. Elsewhere is where a link leads that has taken the
// place of the output, other than one that led to a directory beside it already.
func (b *Before) Output() (out Output, elsewhere string, err error) {
	out = Output{Path: b.path}
	top := b.top
	if now := resolved(b.path); now != b.top {
		parent := filepath.Dir(b.top)
		if !b.linked || now == parent || !IsWithin(now, parent) {
			if info := lstat(b.path); info != nil && info.Mode()&fs.ModeSymlink != 0 {
				elsewhere = now
			}
			return out, elsewhere, nil
		}
		top = now
	}
	if info := lstat(top); info == nil || !info.IsDir() {
		return out, "", nil // gone, or replaced by something else
	}
	out.Exists = true
	after := walk{data: true}.files(top)
	isWritten := b.isNew
	if top == b.top {
		isWritten = b.written()
	}
	const most = 100 // files that are looked into
	for name, state := range after.found {
		if !state.kind.IsRegular() {
			continue
		}
		out.Files++
		out.Bytes += state.size
		if state.size > 0 && isWritten(name, state) &&
			(out.Written >= most || !fsaccess.IsHole(filepath.Join(top, filepath.FromSlash(name)))) {
			out.Written++
		}
	}
	return out, "", after.err
}

// since reports whether a time of a file is after the snapshot, by the clock of its file system.
func (b *Before) since(nanoseconds int64) bool {
	start := b.taken.UnixNano()
	switch {
	case nanoseconds%int64(time.Second) == 0:
		start -= int64(2 * time.Second) // it has whole seconds, or FAT's two
	case !b.settled:
		start = b.tick.UnixNano()
	}
	return nanoseconds >= start || nanoseconds >= start+int64(b.ahead())
}

// ahead is how far the clock of the file system is ahead of that of this machine: far behind, if it cannot be
// told, so that no file is called old for that.
func (b *Before) ahead() time.Duration {
	b.clock.Do(func() {
		b.skew = -1 << 62
		f, err := os.CreateTemp(b.top, ".scriptspec-clock-")
		if err != nil {
			return
		}
		defer os.Remove(f.Name()) //nolint:errcheck // it is temporary by its name
		defer f.Close()
		if info, err := f.Stat(); err == nil {
			if b.skew = time.Until(info.ModTime()); b.skew.Abs() < time.Second {
				b.skew = 0
			}
		}
	})
	return b.skew
}

// known returns the file that an entry was when the snapshot was taken. An inode number may have been given to
// another file since.
func (b *Before) known(name string, now fileState) (old fileState, ok bool) {
	if old, ok = b.byID[now.id]; now.id == (fsaccess.ID{}) {
		old, ok = b.files[name]
	}
	return old, ok && old.born == now.born
}

// isNew reports whether a file was made since. One that was there, and came from elsewhere, was not.
func (b *Before) isNew(name string, now fileState) bool {
	if _, ok := b.known(name, now); ok {
		return false
	}
	if now.born != 0 {
		return b.since(now.born)
	}
	return b.since(now.modified)
}

// trace is what a watch has seen: by the names that files had at first, but for origins.
type trace struct {
	complete bool              // nothing was missed in these directories
	watched  map[string]bool   // relative to the top
	origins  map[string]string // what a name had been called at first, "" for a new file; else it is as it was
	modified map[string]bool   // files that were written to
	touched  map[string]bool   // files that were given another time, mode or link
}

// written returns what decides about a file of the directory that was there before.
func (b *Before) written() func(name string, now fileState) bool {
	var tr trace
	if b.watch != nil {
		tr = b.watch.finish()
	}
	modified, touched := map[fsaccess.ID]bool{}, map[fsaccess.ID]bool{}
	for name := range tr.modified {
		modified[b.files[name].id] = true
	}
	for name := range tr.touched {
		touched[b.files[name].id] = true
	}
	return func(name string, now fileState) bool {
		old, known := b.known(name, now)
		covered := tr.complete && tr.watched[path.Dir(name)]
		origin, moved := tr.origins[name]
		switch {
		case !known && now.born != 0: // if it is old it did not count before: a temporary file, or one from elsewhere
			return b.since(now.born) || covered && moved && tr.modified[origin]
		case covered && moved && origin == "" && now.born == 0: // a new file, with the inode number of an old one
			return b.since(now.modified)
		case covered && moved && !known:
			return tr.modified[origin]
		case !known:
			return b.since(now.modified)
		case old.size != now.size:
			return true
		case !tr.complete:
			return old.modified != now.modified
		case modified[now.id]:
			return true
		}
		// Writing by a mapping, or by a link elsewhere, is seen by the time alone.
		return covered && !moved && !touched[now.id] && old.modified != now.modified
	}
}
