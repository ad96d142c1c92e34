package scriptspec

import (
	"cmp"
	"crypto/sha256"
	"errors"
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
	hash     [sha256.Size]byte
}

// snapshot is what is below a path: by path relative to it, "." for a single file.
type snapshot map[string]fileState

// takeSnapshot looks at a file or a directory with everything below it. Links are followed to files
// and at the top, not to directories; nothing that could be waited for is opened.
func takeSnapshot(path string, hash bool) snapshot {
	return walkFiles(path, hash, func(string, bool) bool { return true })
}

// takeOutput is takeSnapshot without temporary files.
func takeOutput(path string) snapshot {
	return walkFiles(path, false, func(name string, dir bool) bool { return !datafiles.Temporary(name, dir) })
}

func walkFiles(path string, hash bool, counts func(name string, dir bool) bool) snapshot {
	shot := snapshot{}
	top, err := filepath.EvalSymlinks(path)
	if err != nil {
		return shot
	}
	_ = filepath.WalkDir(top, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil // what cannot be looked at does not count
		}
		if file != top && !counts(entry.Name(), entry.IsDir()) {
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if entry.IsDir() {
			return nil
		}
		info, err := entry.Info()
		if err == nil && info.Mode()&fs.ModeSymlink != 0 {
			if target, err := os.Stat(file); err == nil && !target.IsDir() {
				info = target
			}
		}
		if err != nil {
			return nil
		}
		state := fileState{size: info.Size(), modified: info.ModTime().UnixNano(), changed: fsaccess.Changed(info), kind: info.Mode().Type()}
		if hash && info.Mode().IsRegular() {
			state.hash = hashFile(file)
		}
		name, err := filepath.Rel(top, file)
		if err == nil {
			shot[filepath.ToSlash(name)] = state
		}
		return nil
	})
	return shot
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

// outputInfo compares what is at an output path with what was there before the run.
func outputInfo(path string, before, after snapshot) OutputInfo {
	_, err := os.Stat(path)
	info := OutputInfo{Path: path, Exists: err == nil}
	for name, state := range after {
		if state.kind != 0 {
			continue
		}
		info.Files++
		info.Bytes += state.size
		if old, there := before[name]; state.size > 0 && (!there || old != state) {
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

// differences lists what became of the files of a snapshot, sorted by what and name. Temporary files
// may come.
func differences(before, after snapshot) []difference {
	var list []difference
	for name, old := range before {
		now, there := after[name]
		old.changed, now.changed = 0, 0 // moves with a mere chmod or link
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

// inputChanges lists what a run has done to an input, sorted. What lies below an output is the
// script's to change.
func inputChanges(path string, before, after snapshot, outputs []string) []string {
	var changes []string
	for _, d := range differences(before, after) {
		file := filepath.Join(path, filepath.FromSlash(d.name))
		switch {
		case slices.ContainsFunc(outputs, func(output string) bool { return within(file, output) }):
		case d.name == ".":
			changes = append(changes, d.what)
		default:
			changes = append(changes, d.what+" "+d.name)
		}
	}
	return changes
}

// change says what at a path is no longer as it was when the snapshot was taken, "" if nothing is. Of
// several things it names the first.
func (s snapshot) change(path string) string {
	list := differences(s, takeSnapshot(path, false))
	if len(list) == 0 {
		return ""
	}
	became := map[string]string{"deleted": "is gone", "changed": "was changed", "added": "was added"}
	return printable(filepath.Join(path, filepath.FromSlash(list[0].name))) + " " + became[list[0].what]
}

// hasFiles tells whether there is any data at all.
func (s snapshot) hasFiles() bool {
	for _, state := range s {
		if state.kind.IsRegular() {
			return true
		}
	}
	return false
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
