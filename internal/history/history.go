// Package history keeps lines of text in files by month, to which processes append and which readers stream: a line that
// was torn off costs no other one.
package history

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"regexp"
	"slices"
	"time"

	"github.com/scriptspec/scriptspec/internal/atomicfile"
)

// DirName is the directory of the files, in another one. It has a .gitignore of its own.
const DirName = ".history"

// MaxLine is how long a line may be in bytes, with its end: one write of so many is whole on every file system.
const MaxLine = 4 << 10

// ErrTooLong is returned for a line that is longer than MaxLine.
var ErrTooLong = fmt.Errorf("the line is longer than %d bytes", MaxLine)

var monthFile = regexp.MustCompile(`^[0-9]{4}-(0[1-9]|1[0-2])\.jsonl$`)

const month = "2006-01"

func nameOf(at time.Time) string { return at.UTC().Format(month) + ".jsonl" }

// Log is the directory of the files. Appending and pruning need the lock of the directory that it is in.
type Log struct{ dir *atomicfile.Dir }

// Open returns the log in a directory, which is made with perm if asked to.
func Open(parent *atomicfile.Dir, create bool, perm fs.FileMode) (*Log, error) {
	if create {
		if _, err := parent.Mkdir(DirName, perm); err != nil {
			return nil, err
		}
	}
	dir, err := parent.Sub(DirName)
	if err != nil {
		return nil, err
	}
	return &Log{dir}, nil
}

// Close releases the directory.
func (l *Log) Close() error { return l.dir.Close() }

// Append adds a line, which has no end yet, to the file of a month.
func (l *Log) Append(at time.Time, line []byte, perm fs.FileMode) error {
	if len(line) >= MaxLine {
		return ErrTooLong
	}
	name := nameOf(at)
	if _, err := l.dir.Stat(name); errors.Is(err, fs.ErrNotExist) {
		if err := l.ignore(perm); err != nil {
			return err
		}
	}
	return l.dir.Append(name, append(line[:len(line):len(line)], '\n'), perm)
}

// ignore keeps the files out of git, unless someone has decided otherwise.
func (l *Log) ignore(perm fs.FileMode) error {
	const name = ".gitignore"
	if _, err := l.dir.Stat(name); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return l.dir.Append(name, []byte("*\n"), perm)
}

// files returns the names of the files from a month on, oldest first. The zero time is before all of them.
func (l *Log) files(from time.Time) ([]string, error) {
	names, err := l.dir.Names()
	if err != nil {
		return nil, err
	}
	first := nameOf(from)
	names = slices.DeleteFunc(names, func(name string) bool { return !monthFile.MatchString(name) || name < first })
	slices.Sort(names)
	return names, nil
}

// Line is a line of a file.
type Line struct {
	File   string
	Number int    // from 1
	Text   []byte // without its end, until the next line is asked for; nil if it is too long for one of Append
}

// Lines iterates over the lines of all files from a month on, oldest file first, in the order in which they were written.
// A line without an end is one like all others: whoever wrote it was cut off. A file that cannot be read yields a line
// without text and the error, and the others go on.
func (l *Log) Lines(from time.Time) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		names, err := l.files(from)
		if err != nil {
			yield(Line{}, err)
			return
		}
		r := bufio.NewReaderSize(nil, 16*MaxLine)
		for _, name := range names {
			if !l.lines(r, name, yield) {
				return
			}
		}
	}
}

func (l *Log) lines(r *bufio.Reader, name string, yield func(Line, error) bool) (more bool) {
	f, err := l.dir.OpenFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return true // it was pruned
	}
	if err != nil {
		return yield(Line{File: name}, err)
	}
	defer f.Close()
	r.Reset(f)
	for line := (Line{File: name, Number: 1}); ; line.Number++ {
		text, err := r.ReadSlice('\n')
		line.Text = bytes.TrimSuffix(text, []byte{'\n'})
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = r.ReadSlice('\n')
			line.Text = nil
		}
		if len(line.Text) >= MaxLine {
			line.Text = nil
		}
		switch {
		case err != nil && !errors.Is(err, io.EOF):
			return yield(Line{File: name}, err)
		case err != nil && len(text) == 0:
			return true
		}
		if !yield(line, nil) {
			return false
		}
		if err != nil {
			return true
		}
	}
}

// Limits is how much Prune keeps.
type Limits struct {
	// Since is the time before which a month is dropped, as a whole; the zero time drops none.
	Since time.Time
	// Bytes is how large all files may be together; 0 is no bound. The oldest are dropped first, and of the newest, if it is too large
	// alone, the first half.
	Bytes int64
}

// Prune drops what is beyond the limits, and returns how many bytes that were. What is no file, whatever its name, is not of the log; a
// file that cannot be dropped yields an error, and the others go on.
func (l *Log) Prune(keep Limits) (freed int64, err error) {
	l.dir.Sweep() // of a cut that was killed
	names, err := l.files(time.Time{})
	if err != nil {
		return 0, err
	}
	type file struct {
		name string
		size int64
	}
	var files []file
	var errs []error
	total := int64(0)
	for _, name := range names {
		id, err := l.dir.Stat(name)
		switch {
		case err == nil:
			files = append(files, file{name, id.Size})
			total += id.Size
		case !errors.Is(err, atomicfile.ErrNotRegular) && !errors.Is(err, fs.ErrNotExist):
			errs = append(errs, err)
		}
	}
	for i, f := range files {
		begin, err := time.Parse(month, f.name[:len(month)])
		old := err == nil && begin.AddDate(0, 1, 0).Before(keep.Since)
		large := keep.Bytes > 0 && total > keep.Bytes
		size := f.size
		switch {
		case !old && !large:
			continue
		case !old && i == len(files)-1:
			size, err = l.cut(f.name, keep.Bytes/2)
		default:
			err = l.dir.Remove(f.name)
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		freed += size
		total -= size
	}
	return freed, errors.Join(errs...)
}

// cut drops the first lines of a file, so that about so many bytes are left.
func (l *Log) cut(name string, left int64) (freed int64, err error) {
	f, err := l.dir.OpenFile(name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	text, err := io.ReadAll(io.NewSectionReader(f, info.Size()-left, left))
	if err != nil {
		return 0, err
	}
	if end := bytes.IndexByte(text, '\n'); end >= 0 { // the line that the cut is in
		text = text[end+1:]
	}
	return info.Size() - int64(len(text)), l.dir.Write(name, text, 0o600, nil)
}
