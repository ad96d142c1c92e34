package scriptspec

import (
	"cmp"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/scriptspec/scriptspec/internal/similarity"
)

// scriptIndex is what is known of the files in the script directories. A directory is read again
// only when it has changed.
type scriptIndex struct {
	dirs  []dirState
	files []scriptFile        // in the order of the directories, then of their names
	known map[string]bool     // by path
	byKey map[string][]string // paths by equalKey, sorted
	reads map[string]scriptRead
}

type dirState struct {
	info  fs.FileInfo
	files []scriptFile
}

type scriptFile struct{ path, stem string }

// scriptRead is what reading a script gave.
type scriptRead struct {
	size    int64
	changed time.Time
	script  *ScriptInterface
	unread  string
}

// refresh looks whether the directories are as they were, and reads those that are not.
func (x *scriptIndex) refresh(dirs []string, terms termReplacer) error {
	if x.dirs == nil {
		x.dirs = make([]dirState, len(dirs))
		x.reads = map[string]scriptRead{}
	}
	changed := x.known == nil
	for i, dir := range dirs {
		info, err := os.Stat(dir)
		if err != nil {
			return err
		}
		was := x.dirs[i].info
		if was != nil && os.SameFile(was, info) && was.ModTime().Equal(info.ModTime()) {
			continue
		}
		files, err := scriptFiles(dir)
		if err != nil {
			return err
		}
		x.dirs[i], changed = dirState{info, files}, true
	}
	if changed {
		x.build(terms)
	}
	return nil
}

// scriptFiles lists the Python files of a directory.
func scriptFiles(dir string) ([]scriptFile, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []scriptFile
	for _, entry := range entries {
		stem, ok := strings.CutSuffix(entry.Name(), ".py")
		if !ok {
			continue
		}
		path := filepath.Join(dir, entry.Name())
		if entry.Type()&fs.ModeSymlink != 0 {
			if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
				continue
			}
		} else if !entry.Type().IsRegular() {
			continue
		}
		files = append(files, scriptFile{path, stem})
	}
	return files, nil
}

func (x *scriptIndex) build(terms termReplacer) {
	x.files, x.known, x.byKey = nil, map[string]bool{}, map[string][]string{}
	for _, dir := range x.dirs {
		x.files = append(x.files, dir.files...)
	}
	for _, f := range x.files {
		if x.known[f.path] {
			continue // a directory that is listed twice
		}
		x.known[f.path] = true
		if key := equalKey(f.stem, terms); key != "" {
			x.byKey[key] = append(x.byKey[key], f.path)
		}
	}
	for _, paths := range x.byKey {
		slices.Sort(paths)
	}
}

// equalKey is what two names have in common that differ in case, separators and abbreviations only.
func equalKey(name string, terms termReplacer) string {
	var b strings.Builder
	for word := range strings.SplitSeq(toSnakeCase(name, terms), "_") {
		b.WriteString(similarity.Expand(word))
	}
	return b.String()
}

func (x *scriptIndex) has(path string) bool { return x.known[path] }

// equal returns the files that are equal to a name but for case, separators and abbreviations.
func (x *scriptIndex) equal(name string, terms termReplacer) []string {
	return slices.Clone(x.byKey[equalKey(name, terms)])
}

// nearest returns the three files whose names are most similar.
func (x *scriptIndex) nearest(name string) []string {
	type scored struct {
		path  string
		score float64
	}
	var list []scored
	for _, f := range x.files {
		if s := similarity.Compare(name, f.stem); s > 0 {
			list = append(list, scored{f.path, s})
		}
	}
	slices.SortFunc(list, func(a, b scored) int {
		return cmp.Or(cmp.Compare(b.score, a.score), strings.Compare(a.path, b.path))
	})
	var paths []string
	for _, s := range list[:min(len(list), 3)] {
		paths = append(paths, s.path)
	}
	return paths
}

// read returns what is in a script, or why that cannot be told. The first time it reads every script
// there is and the further ones, with one start of the interpreter.
func (x *scriptIndex) read(path string, further []string) (*ScriptInterface, string) {
	if r, ok := x.fresh(path); ok {
		return r.script, r.unread
	}
	todo := []string{path}
	for _, f := range x.files {
		further = append(further, f.path)
	}
	for _, p := range further {
		if _, ok := x.fresh(p); !ok && !slices.Contains(todo, p) {
			todo = append(todo, p)
		}
	}
	infos := make([]fs.FileInfo, len(todo))
	for i, p := range todo {
		infos[i], _ = os.Stat(p) // before it is read, so that a change in between shows
	}
	found, err := Inspect(context.Background(), todo...)
	for i, p := range todo {
		r := scriptRead{}
		if infos[i] != nil {
			r.size, r.changed = infos[i].Size(), infos[i].ModTime()
		}
		switch {
		case err != nil:
			r.unread = err.Error()
		case found[i].Error != "":
			r.unread = found[i].Error
		default:
			r.script = found[i]
		}
		x.reads[p] = r
	}
	return x.reads[path].script, x.reads[path].unread
}

// fresh returns what was read in a script, if that has not changed since.
func (x *scriptIndex) fresh(path string) (scriptRead, bool) {
	r, ok := x.reads[path]
	if !ok {
		return r, false
	}
	info, err := os.Stat(path)
	return r, err == nil && info.Size() == r.size && info.ModTime().Equal(r.changed)
}
