// Package snapshot records what is at a path, to find out later what has changed.
package snapshot

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/scriptspec/scriptspec/internal/datafiles"
	"github.com/scriptspec/scriptspec/internal/fsaccess"
)

// Output is what was found at an output path. Temporary files do not count.
type Output struct {
	Path    string
	Exists  bool
	Files   int   // regular files, in subdirectories too
	Bytes   int64 // of these files
	Written int   // files that are not empty and were created or changed since the snapshot
}

// Snapshot is what was at a path.
type Snapshot struct {
	top   string // the path with its links resolved
	files files
}

// Top returns the path with its links resolved.
func (s Snapshot) Top() string { return s.top }

// files is the state of every file below a path, by path relative to it; "." for a single file.
type files map[string]fileState

// fileState differs between two versions of a file.
type fileState struct {
	size     int64
	modified int64 // nanoseconds since 1970
	changed  int64 // of the status, where the system has it: a script can set the other time back
	kind     fs.FileMode
	link     bool // of a link that was followed the rest is what it leads to
	hash     [sha256.Size]byte
}

// Input takes a snapshot of an input, with hash of the contents too. Links to files are followed.
func Input(path string, hash bool) Snapshot { return walk{links: true, hash: hash}.resolve(path) }

// OutputDir takes a snapshot of an output. Links to files elsewhere and temporary files are not data.
func OutputDir(path string) Snapshot { return walk{data: true}.resolve(path) }

// Written takes a snapshot of what a process wrote to a directory that it was given: a link there
// leads to what it did not write.
func Written(path string) Snapshot {
	return Snapshot{top: path, files: walk{links: true}.files(path)}
}

// walk says how files are recorded. Nothing that might block is opened.
type walk struct {
	links bool  // follow links to files, not to directories
	data  bool  // ignore temporary files
	hash  bool  // read contents
	since files // if not nil, follow only links that were there, and read only files of their old size
}

// resolve takes a snapshot after following the links in a path.
func (w walk) resolve(path string) Snapshot {
	top, err := filepath.EvalSymlinks(path)
	if err != nil {
		top = path
	}
	return Snapshot{top: top, files: w.files(top)}
}

// files records a file, or a directory with everything below it. What cannot be read does not count.
func (w walk) files(top string) files {
	found := files{}
	_ = filepath.WalkDir(top, func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil
		case w.data && file != top && datafiles.Temporary(entry.Name(), entry.IsDir()):
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.IsDir():
			return nil
		}
		name, err := filepath.Rel(top, file)
		info, errInfo := entry.Info()
		if err == nil && errInfo == nil {
			name = filepath.ToSlash(name)
			found[name] = w.state(file, name, info)
		}
		return nil
	})
	return found
}

func (w walk) state(file, name string, info fs.FileInfo) fileState {
	old, known := w.since[name]
	link := info.Mode()&fs.ModeSymlink != 0
	if link && w.links && (w.since == nil || known && old.link) {
		if target, err := os.Stat(file); err == nil && !target.IsDir() {
			info = target
		}
	}
	state := fileState{
		size: info.Size(), modified: info.ModTime().UnixNano(), changed: fsaccess.Changed(info), kind: info.Mode().Type(), link: link,
	}
	if w.hash && info.Mode().IsRegular() && (w.since == nil || known && old.size == state.size) {
		state.hash = hashFile(file)
	}
	return state
}

// hashFile returns the zero hash for a file that cannot be read.
func hashFile(path string) (sum [sha256.Size]byte) {
	f, err := os.Open(path)
	if err != nil {
		return sum
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err == nil {
		h.Sum(sum[:0])
	}
	return sum
}

// Output compares an output with what was there before.
func (s Snapshot) Output(path string) Output {
	out := Output{Path: path}
	if top, err := os.Lstat(s.top); err != nil || !top.IsDir() {
		return out // gone, or replaced by something else
	}
	out.Exists = true
	for name, state := range (walk{data: true}).files(s.top) {
		if state.kind != 0 {
			continue
		}
		out.Files++
		out.Bytes += state.size
		if old, ok := s.files[name]; state.size > 0 && (!ok || old != state) {
			out.Written++
		}
	}
	return out
}

// Difference is a file that is no longer as it was.
type Difference struct {
	What string // "added", "changed" or "deleted"
	Name string // relative to the path, with slashes; "." is the path itself
}

// String returns "changed part.csv", or "changed" for the path itself.
func (d Difference) String() string {
	if d.Name == "." {
		return d.What
	}
	return d.What + " " + d.Name
}

// Differences returns what has changed at an input, sorted by what and name; of contents only with hash.
// Temporary files may be added, and whatever is at or below one of the paths in except may change.
func (s Snapshot) Differences(hash bool, except ...string) []Difference {
	after := walk{links: true, hash: hash, since: s.files}.files(s.top)
	var list []Difference
	for name, old := range s.files {
		now, ok := after[name]
		old.changed, now.changed = 0, 0 // a mere chmod or link changes it
		if !hash {
			old.hash, now.hash = [sha256.Size]byte{}, [sha256.Size]byte{}
		}
		switch {
		case !ok:
			list = append(list, Difference{"deleted", name})
		case now != old:
			list = append(list, Difference{"changed", name})
		}
	}
	for name := range after {
		if _, ok := s.files[name]; !ok && !isTemporary(name) {
			list = append(list, Difference{"added", name})
		}
	}
	list = slices.DeleteFunc(list, func(d Difference) bool {
		file := s.file(d.Name)
		return slices.ContainsFunc(except, func(dir string) bool { return isWithin(file, dir) })
	})
	slices.SortFunc(list, func(a, b Difference) int {
		return cmp.Or(strings.Compare(a.What, b.What), strings.Compare(a.Name, b.Name))
	})
	return list
}

// Change returns the first difference as a file and what became of it: "is gone", "was changed" or "was
// added". ok is false if there is none.
func (s Snapshot) Change() (file, what string, ok bool) {
	list := s.Differences(false)
	if len(list) == 0 {
		return "", "", false
	}
	what = map[string]string{"deleted": "is gone", "changed": "was changed", "added": "was added"}[list[0].What]
	return s.file(list[0].Name), what, true
}

// Digest sums up names, sizes and times of the files.
func (s Snapshot) Digest() string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(s.files)) {
		state := s.files[name]
		fmt.Fprintf(h, "%q %d %d %v\n", name, state.size, state.modified, state.kind)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (s Snapshot) file(name string) string { return filepath.Join(s.top, filepath.FromSlash(name)) }

// isTemporary reports whether a file, or a directory that it is in, is a temporary one.
func isTemporary(name string) bool {
	dirs, file := path.Split(name)
	inTemporary := slices.ContainsFunc(strings.Split(dirs, "/"), func(dir string) bool { return datafiles.Temporary(dir, true) })
	return inTemporary || datafiles.Temporary(file, false)
}

// isWithin reports whether a file is a directory or below it.
func isWithin(file, dir string) bool {
	file, errFile := filepath.Abs(file)
	dir, errDir := filepath.Abs(dir)
	rel, err := filepath.Rel(dir, file)
	return errFile == nil && errDir == nil && err == nil && filepath.IsLocal(rel)
}
