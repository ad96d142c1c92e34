// Package datafiles examines data that one program wrote for another: which files there are, what
// their formats are, and whether tables and JSON are well formed. It opens regular files only, never
// waits for a FIFO or device, follows no symbolic link below the place it is given, and needs no more
// memory for a large file than for a small one.
package datafiles

import (
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Problem is what is wrong with a file.
type Problem struct {
	File         string // relative to the place, with slashes
	Line, Column int    // from 1, a column being a byte; 0 where the whole file is meant
	Message      string // the rule that was broken; never data
	Err          error  // the cause, or nil
}

// Error returns file:line:column: message.
func (p *Problem) Error() string {
	if p.Line > 0 {
		return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Message)
	}
	return p.File + ": " + p.Message
}

// Unwrap returns the cause.
func (p *Problem) Unwrap() error { return p.Err }

// Place is where data is: a regular file, or a directory.
type Place struct {
	root *os.Root
	only string // the name of the file, where the place is one
}

// Open opens a place. A symbolic link that is the place itself is followed.
func Open(name string) (*Place, error) {
	target, err := filepath.EvalSymlinks(name)
	if err != nil {
		return nil, err
	}
	info, err := os.Lstat(target)
	if err != nil {
		return nil, err
	}
	p := &Place{}
	switch {
	case info.IsDir():
	case info.Mode().IsRegular():
		target, p.only = filepath.Dir(target), filepath.Base(target)
	default:
		return nil, &fs.PathError{Op: "open", Path: name, Err: fmt.Errorf("neither a directory nor a regular file: %w", fs.ErrInvalid)}
	}
	p.root, err = os.OpenRoot(target)
	return p, err
}

// Close releases the place.
func (p *Place) Close() error { return p.root.Close() }

// File is a regular file of a place.
type File struct {
	Name string // relative to the place, with slashes
	Size int64
}

// Files yields the regular files, sorted by directory and name, without the temporary ones. An error
// is for a directory or file that cannot be read, with its name; what comes after it is yielded
// all the same.
func (p *Place) Files() iter.Seq2[File, error] {
	return func(yield func(File, error) bool) {
		if p.only != "" {
			info, err := p.root.Lstat(p.only)
			if err != nil {
				yield(File{Name: p.only}, err)
			} else if info.Mode().IsRegular() {
				yield(File{p.only, info.Size()}, nil)
			}
			return
		}
		p.walk(".", yield)
	}
}

// walk yields the files of a directory and reports whether to go on. It is not [fs.WalkDir], which takes no
// names but in UTF-8.
func (p *Place) walk(dir string, yield func(File, error) bool) bool {
	entries, err := p.readDir(dir)
	if err != nil && !yield(File{Name: dir}, err) {
		return false
	}
	for _, entry := range entries {
		name := path.Join(dir, entry.Name())
		switch {
		case Temporary(entry.Name(), entry.IsDir()):
		case entry.IsDir():
			if !p.walk(name, yield) {
				return false
			}
		case entry.Type().IsRegular():
			f := File{Name: name}
			info, err := entry.Info()
			if err == nil {
				f.Size = info.Size()
			}
			if !yield(f, err) {
				return false
			}
		}
	}
	return true
}

// readDir returns the entries of a directory by name, as far as they can be read.
func (p *Place) readDir(name string) ([]fs.DirEntry, error) {
	dir, err := p.root.Open(filepath.FromSlash(name))
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	entries, err := dir.ReadDir(-1)
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, err
}

// Temporary reports whether a file has the name of one that programs leave behind while they write.
func Temporary(name string, dir bool) bool {
	if strings.HasPrefix(name, ".") || dir && name == "__pycache__" {
		return true
	}
	for _, ending := range [...]string{"~", ".tmp", ".temp", ".part", ".swp"} {
		if !dir && strings.HasSuffix(name, ending) {
			return true
		}
	}
	return false
}

// Open opens a regular file of the place for reading.
func (p *Place) Open(name string) (*os.File, error) {
	// The name may have become a FIFO since it was listed, so opening must not wait for a writer.
	f, err := p.root.OpenFile(filepath.FromSlash(name), os.O_RDONLY|nonblock, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: name, Err: fmt.Errorf("not a regular file: %w", fs.ErrInvalid)}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
