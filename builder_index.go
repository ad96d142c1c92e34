package scriptspec

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
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
	path  string
	info  fs.FileInfo
	files []scriptFile
}

type scriptFile struct{ path, stem string }

// scriptRead is what reading a script gave.
type scriptRead struct {
	size    int64
	changed time.Time
	script  *ScriptInterface // nil if it cannot be read
}

// refresh reads the directories that have changed.
func (x *scriptIndex) refresh(dirs []string, terms termReplacer) error {
	now := make([]dirState, 0, len(dirs))
	changed := len(x.dirs) == 0
	for _, dir := range dirs {
		info, err := os.Stat(dir)
		if err != nil {
			return fmt.Errorf("script directory: %w", err)
		}
		if slices.ContainsFunc(now, func(d dirState) bool { return os.SameFile(d.info, info) }) {
			continue // listed twice, or by a link
		}
		if n := len(now); n < len(x.dirs) {
			if was := x.dirs[n]; was.path == dir && os.SameFile(was.info, info) && was.info.ModTime().Equal(info.ModTime()) {
				now = append(now, was)
				continue
			}
		}
		files, err := scriptFiles(dir)
		if err != nil {
			return fmt.Errorf("script directory: %w", err)
		}
		now, changed = append(now, dirState{dir, info, files}), true
	}
	// The index is replaced only now that all of them could be read.
	x.dirs = now
	if changed {
		x.build(terms)
	}
	return nil
}

// indexed are the names that a step's script may have: not __init__.py, hidden files and the copies
// that editors leave.
var indexed = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9 _-]*$`)

// scriptFiles lists the Python files of a directory. What a link leads to is looked at when it is
// used: that may change without the directory.
func scriptFiles(dir string) ([]scriptFile, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []scriptFile
	for _, entry := range entries {
		stem, ok := strings.CutSuffix(entry.Name(), ".py")
		if ok && indexed.MatchString(stem) && (entry.Type().IsRegular() || entry.Type()&fs.ModeSymlink != 0) {
			files = append(files, scriptFile{filepath.Join(dir, entry.Name()), stem})
		}
	}
	return files, nil
}

func (x *scriptIndex) build(terms termReplacer) {
	x.files, x.known, x.byKey = nil, map[string]bool{}, map[string][]string{}
	for _, dir := range x.dirs {
		x.files = append(x.files, dir.files...)
	}
	for _, f := range x.files {
		x.known[f.path] = true
		for _, key := range equalKeys(f.stem, terms) {
			x.byKey[key] = append(x.byKey[key], f.path)
		}
	}
}

// equalKeys are what two names have in common that differ in case, separators and abbreviations
// only: the words with and without their abbreviations spelt out. Two numbers stay apart, or v1_2
// would be v12.
func equalKeys(name string, terms termReplacer) []string {
	var plain, spelt strings.Builder
	var last byte
	for word := range strings.SplitSeq(toSnakeCase(name, terms), "_") {
		if word == "" {
			continue
		}
		if isDigit(last) && isDigit(word[0]) {
			plain.WriteByte('_')
			spelt.WriteByte('_')
		}
		last = word[len(word)-1]
		plain.WriteString(word)
		spelt.WriteString(similarity.Expand(word))
	}
	keys := []string{plain.String(), spelt.String()}
	return slices.DeleteFunc(slices.Compact(keys), func(k string) bool { return k == "" })
}

func (x *scriptIndex) has(path string) bool { return x.known[path] && isFile(path) }

// isFile reports whether there is a regular file now, or a link to one.
func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// equal returns the files that are equal to a name but for case, separators and abbreviations.
func (x *scriptIndex) equal(name string, terms termReplacer) []string {
	var paths []string
	for _, key := range equalKeys(name, terms) {
		paths = append(paths, x.byKey[key]...)
	}
	slices.Sort(paths)
	return slices.DeleteFunc(slices.Compact(paths), func(p string) bool { return !isFile(p) })
}

// nearest returns the three files whose names are most similar.
func (x *scriptIndex) nearest(name string) []string {
	type scored struct {
		path  string
		score float64
	}
	var list []scored
	for _, f := range x.files {
		list = append(list, scored{f.path, similarity.Compare(name, f.stem)})
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

// read returns the interface of a script, nil if it cannot be read. The first time it reads every script there is
// and the further ones, with one start of the interpreter.
func (x *scriptIndex) read(python, path string, further []string) *ScriptInterface {
	if r, ok := x.fresh(path); ok {
		return r.script
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
	found, err := inspect(context.Background(), python, todo)
	if err != nil && len(todo) > 1 { // one of them may be the cause
		todo = todo[:1]
		found, err = inspect(context.Background(), python, todo)
	}
	if err != nil {
		return nil // not the script's fault, so not kept
	}
	for i, p := range todo {
		r := scriptRead{script: found[i]}
		if infos[i] != nil {
			r.size, r.changed = infos[i].Size(), infos[i].ModTime()
		}
		if found[i].Error != "" {
			r.script = nil
		}
		setEntry(&x.reads, p, r)
	}
	return x.reads[path].script
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
