package scriptspec

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/scriptspec/scriptspec/internal/datafiles"
	"github.com/scriptspec/scriptspec/internal/fsaccess"
)

// OutputInfo is what was found at an output path. Temporary files do not count: names that begin with
// a dot or end in "~", .tmp, .temp, .part or .swp, and what is in __pycache__.
type OutputInfo struct {
	Path   string `json:"path"`
	Exists bool   `json:"exists"`
	Files  int    `json:"files"` // regular files, in subdirectories too
	Bytes  int64  `json:"bytes"` // of these files
	// Written counts the files that are not empty and were made or changed in the run.
	Written int `json:"written"`
}

// fileState tells whether a file has changed.
type fileState struct {
	size     int64
	modified int64 // nanoseconds since 1970
	changed  int64 // of the status, where the system has it: a script can set the other time back
	kind     fs.FileMode
	link     bool // what is told is what it leads to, if it was followed
	hash     [sha256.Size]byte
}

// snapshot is what is below a path: by path relative to it, "." for a single file.
type snapshot map[string]fileState

// watched is a path of a spec with what stood there before the run.
type watched struct {
	top    string // the path, without the links in it
	before snapshot
}

// watchInput looks at an input. Contents count if hash is set.
func watchInput(path string, hash bool) watched { return walk{links: true, hash: hash}.watch(path) }

// watchOutput looks at an output. Links to files elsewhere, and temporary files, are no data.
func watchOutput(path string) watched { return walk{data: true}.watch(path) }

// watchOwn looks at what a script has written where we told it to: it is no link, or nothing of ours.
func watchOwn(path string) watched {
	return watched{top: path, before: walk{links: true}.snapshot(path)}
}

// walk says how files are looked at. Nothing that could be waited for is opened.
type walk struct {
	links bool     // follow links to files, not to directories
	data  bool     // pass over temporary files
	hash  bool     // read contents
	since snapshot // if not nil, follow only links that were there, and read only what has its old size
}

// watch looks at a path, following the links in it.
func (w walk) watch(path string) watched {
	top, err := filepath.EvalSymlinks(path)
	if err != nil {
		top = path
	}
	return watched{top: top, before: w.snapshot(top)}
}

// snapshot looks at a file or a directory with everything below it. What cannot be looked at does not
// count.
func (w walk) snapshot(top string) snapshot {
	shot := snapshot{}
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
			shot[name] = w.state(file, name, info)
		}
		return nil
	})
	return shot
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

// output compares what is at an output path with what was there before the run.
func (w watched) output(path string) OutputInfo {
	info := OutputInfo{Path: path}
	if top, err := os.Lstat(w.top); err != nil || !top.IsDir() {
		return info // gone, or something else has taken its place
	}
	info.Exists = true
	for name, state := range (walk{data: true}).snapshot(w.top) {
		if state.kind != 0 {
			continue
		}
		info.Files++
		info.Bytes += state.size
		if old, there := w.before[name]; state.size > 0 && (!there || old != state) {
			info.Written++
		}
	}
	return info
}

// hasData is what an output must be like unless RuntimeTester.OutputCheck says otherwise.
func hasData(_ string, o OutputInfo) error {
	switch {
	case !o.Exists:
		return errors.New("it is not there any more")
	case o.Files == 0:
		return errors.New("it has no files")
	case o.Bytes == 0:
		return errors.New("its files are empty")
	case o.Written == 0:
		return errors.New("its files were there before the run")
	}
	return nil
}

// difference is a file that is no longer as it was.
type difference struct{ what, name string }

// differences lists what became of the files of a snapshot, sorted by what and name; of their contents
// only with hash. Temporary files may come.
func differences(before, after snapshot, hash bool) []difference {
	var list []difference
	for name, old := range before {
		now, there := after[name]
		old.changed, now.changed = 0, 0 // moves with a mere chmod or link
		if !hash {
			old.hash, now.hash = [sha256.Size]byte{}, [sha256.Size]byte{}
		}
		switch {
		case !there:
			list = append(list, difference{"deleted", name})
		case now != old:
			list = append(list, difference{"changed", name})
		}
	}
	for name := range after {
		if _, there := before[name]; !there && !passing(name) {
			list = append(list, difference{"added", name})
		}
	}
	slices.SortFunc(list, func(a, b difference) int {
		return cmp.Or(strings.Compare(a.what, b.what), strings.Compare(a.name, b.name))
	})
	return list
}

// changes lists what a run has done to an input, sorted. What lies below an output is the script's to
// change.
func (w watched) changes(hash bool, outputs map[string]watched) []string {
	var changes []string
	for _, d := range differences(w.before, walk{links: true, hash: hash, since: w.before}.snapshot(w.top), hash) {
		file := filepath.Join(w.top, filepath.FromSlash(d.name))
		excepted := false
		for _, output := range outputs {
			excepted = excepted || within(file, output.top)
		}
		switch {
		case excepted:
		case d.name == ".":
			changes = append(changes, d.what)
		default:
			changes = append(changes, d.what+" "+d.name)
		}
	}
	return changes
}

// change says what is no longer as it was, "" if nothing is. Of several things it names the first.
func (w watched) change() string {
	list := differences(w.before, walk{links: true, since: w.before}.snapshot(w.top), false)
	if len(list) == 0 {
		return ""
	}
	became := map[string]string{"deleted": "is gone", "changed": "was changed", "added": "was added"}
	return printable(filepath.Join(w.top, filepath.FromSlash(list[0].name))) + " " + became[list[0].what]
}

// digest tells one state of the files from another.
func (w watched) digest() string {
	h := sha256.New()
	for _, name := range sortedKeys(w.before) {
		state := w.before[name]
		fmt.Fprintf(h, "%q %d %d %v\n", name, state.size, state.modified, state.kind)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// passing tells whether a file, or a directory that it is in, is a temporary one.
func passing(name string) bool {
	dirs, file := path.Split(name)
	inTemporary := slices.ContainsFunc(strings.Split(dirs, "/"), func(dir string) bool { return datafiles.Temporary(dir, true) })
	return inTemporary || datafiles.Temporary(file, false)
}

// within tells whether a file is a directory or below it.
func within(file, dir string) bool {
	file, errFile := filepath.Abs(file)
	dir, errDir := filepath.Abs(dir)
	rel, err := filepath.Rel(dir, file)
	return errFile == nil && errDir == nil && err == nil && filepath.IsLocal(rel)
}
