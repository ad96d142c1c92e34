package snapshot

import (
	"io/fs"
	"path/filepath"
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
	byID   map[fsaccess.ID]fileState
	files  files
	watch  *watch // nil if there was nothing that could be written again
	// Err is a *BoundsError if the files are not all here.
	Err error
}

// OutputDir takes a snapshot of an output. Links and temporary files are not data. Close is to be called.
func OutputDir(path string) *Before {
	b := &Before{path: path, top: resolved(path), taken: time.Now(), byID: map[fsaccess.ID]fileState{}}
	if info := lstat(path); info != nil {
		b.linked = info.Mode()&fs.ModeSymlink != 0
	}
	r := walk{data: true}.files(b.top)
	b.files, b.Err = r.found, r.err
	for _, state := range b.files {
		b.byID[state.id] = state
	}
	if len(b.files) > 0 {
		b.watch = newWatch(b.top, b.files)
	}
	return b
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
	written := b.written(after.found)
	for name, state := range after.found {
		if !state.kind.IsRegular() {
			continue
		}
		out.Files++
		out.Bytes += state.size
		if state.size > 0 && (top == b.top && written(name, state) || top != b.top && b.isNew(state)) {
			out.Written++
		}
	}
	return out, "", after.err
}

// isNew reports whether a file of a directory that a link was turned to was written since.
func (b *Before) isNew(state fileState) bool {
	tick := 20 * time.Millisecond // the clock of file systems is behind by as much as this
	if state.modified%int64(time.Second) == 0 {
		tick = 2 * time.Second // it has whole seconds, or FAT's two
	}
	_, known := b.byID[state.id]
	return !known && state.modified >= b.taken.Add(-tick).UnixNano()
}

// written returns what decides about a file.
func (b *Before) written(after files) func(name string, now fileState) bool {
	seen := map[fsaccess.ID]bool{}
	complete := false
	if b.watch != nil {
		var old, added map[string]bool
		old, added, complete = b.watch.finish()
		for name := range old {
			seen[b.files[name].id] = true
		}
		for name := range added {
			seen[after[name].id] = true
		}
	}
	return func(name string, now fileState) bool {
		old, known := b.byID[now.id]
		if now.id == (fsaccess.ID{}) {
			old, known = b.files[name]
		}
		switch {
		case !known, old.size != now.size:
			return true
		case complete && b.watch.covers(name):
			return seen[now.id]
		}
		return old.modified != now.modified
	}
}
