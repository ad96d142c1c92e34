// Package snapshot records what is at a path, to find out later what has changed.
package snapshot

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
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

// Snapshot is what was at a path.
type Snapshot struct {
	path   string // of an input, as it was given
	top    string // the path with its links resolved
	within []string
	files  files
	// Unreadable are the parts that this process may not read.
	Unreadable []string
	// Err is a *BoundsError if the files are not all here.
	Err error
}

// Top returns the path with its links resolved.
func (s Snapshot) Top() string { return s.top }

// Input takes a snapshot of an input, with hash of the contents too. Links to files are followed, and those to
// directories if these are within the path or one of the directories given.
func Input(path string, hash bool, within ...string) Snapshot {
	s := walk{links: true, hash: hash, within: within}.snapshot(resolved(path))
	s.path = path
	return s
}

// Written takes a snapshot of what a process wrote to a directory that it was given, like Input but for the
// path itself, which is not followed: a link there leads to what the process did not write.
func Written(path string, within ...string) Snapshot {
	return walk{links: true, within: within}.snapshot(path)
}

func (w walk) snapshot(top string) Snapshot {
	r := w.files(top)
	return Snapshot{top: top, within: w.within, files: r.found, Unreadable: r.unreadable, Err: r.err}
}

// resolved follows the links in a path.
func resolved(path string) string {
	if top, err := filepath.EvalSymlinks(path); err == nil {
		return top
	}
	return path
}

// Difference is an entry that is no longer as it was.
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
	if s.path != "" && resolved(s.path) != s.top {
		what := "changed" // a link on the way leads to something else
		if lstat(s.path) == nil {
			what = "deleted"
		}
		return []Difference{{what, "."}}
	}
	after := walk{links: true, hash: hash, since: s.files, within: s.within}.files(s.top)
	var list []Difference
	note := func(what, name string) {
		file := s.file(name)
		if !slices.ContainsFunc(except, func(dir string) bool { return IsWithin(file, dir) }) {
			list = append(list, Difference{what, name})
		}
	}
	for name, old := range s.files {
		if now, ok := after.found[name]; !ok || now.kind.IsDir() && !old.kind.IsDir() {
			note("deleted", name)
		} else if now.content(hash) != old.content(hash) {
			note("changed", name)
		}
	}
	for name, now := range after.found {
		if _, ok := s.files[name]; !ok && !isTemporary(name, now.kind.IsDir()) {
			note("added", name)
		}
	}
	if after.err != nil && len(list) == 0 {
		note("changed", ".")
	}
	slices.SortFunc(list, func(a, b Difference) int {
		return cmp.Or(strings.Compare(a.What, b.What), strings.Compare(a.Name, b.Name))
	})
	return s.withoutParents(list, after.found)
}

// content is what counts of an entry that is read: a mere chmod, hard link or equal copy changes nothing.
func (f fileState) content(hash bool) fileState {
	f.id, f.changed = fsaccess.ID{}, 0
	if !hash {
		f.hash = [sha256.Size]byte{}
	}
	return f
}

// withoutParents leaves out directories that came or went with something in them, which is in the list.
func (s Snapshot) withoutParents(list []Difference, after files) []Difference {
	parents := map[Difference]bool{}
	for _, d := range list {
		for dir := d.Name; dir != "."; {
			dir = path.Dir(dir)
			parents[Difference{d.What, dir}] = true
		}
	}
	return slices.DeleteFunc(list, func(d Difference) bool {
		return parents[d] && s.files[d.Name].kind|after[d.Name].kind == fs.ModeDir
	})
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

// Digest is what a snapshot comes to, for another to be compared with.
type Digest struct {
	// Stamp is of names, sizes, times, also of the last change of the status, and inodes. Equal ones mean that
	// nothing has changed.
	Stamp string `json:"stamp"`
	// Content is of names and contents, "" if it was not computed or could not be.
	Content string `json:"content,omitempty"`
}

// Digest returns the stamp alone.
func (s Snapshot) Digest() Digest {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(s.files)) {
		f := s.files[name]
		if name != "." && isTemporary(name, f.kind.IsDir()) {
			continue // it may come and go
		}
		fmt.Fprintf(h, "%q %d %d %d %v %q %v\n", name, f.size, f.modified, f.changed, f.kind, f.link, f.id)
	}
	fmt.Fprintf(h, "%v", s.Err)
	return Digest{Stamp: hex.EncodeToString(h.Sum(nil))}
}

// Content returns the digest of names and contents, "" if there are more than limit bytes, a part of it cannot
// be read, or ctx has ended.
func (s Snapshot) Content(ctx context.Context, limit int64) string {
	h := sha256.New()
	if s.Err != nil || len(s.Unreadable) > 0 {
		return ""
	}
	for _, name := range slices.Sorted(maps.Keys(s.files)) {
		f := s.files[name]
		if name != "." && isTemporary(name, f.kind.IsDir()) {
			continue // it may come and go
		}
		fmt.Fprintf(h, "%q %v %q\n", name, f.kind, f.link)
		if !f.kind.IsRegular() {
			continue
		}
		if limit -= f.size; limit < 0 || ctx.Err() != nil {
			return ""
		}
		sum, ok := hashFile(ctx, s.file(name), f.size)
		if !ok {
			return ""
		}
		h.Write(sum[:])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Is reports whether a snapshot is of what a digest is of. Contents are read only if the stamps differ.
func (s Snapshot) Is(ctx context.Context, d Digest, limit int64) bool {
	return s.Digest().Stamp == d.Stamp || d.Content != "" && s.Content(ctx, limit) == d.Content
}

func (s Snapshot) file(name string) string { return filepath.Join(s.top, filepath.FromSlash(name)) }

// isTemporary reports whether an entry, or a directory that it is in, is a temporary one.
func isTemporary(name string, isDir bool) bool {
	dirs, last := path.Split(name)
	inTemporary := slices.ContainsFunc(strings.Split(dirs, "/"), func(dir string) bool { return datafiles.Temporary(dir, true) })
	return inTemporary || datafiles.Temporary(last, isDir)
}

// lstat returns nothing for what is not there.
func lstat(path string) fs.FileInfo {
	info, err := os.Lstat(path)
	if err != nil {
		return nil
	}
	return info
}
