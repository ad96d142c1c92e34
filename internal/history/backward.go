package history

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"slices"
	"time"
)

// Backward is Lines in the opposite order, for a reader who has soon seen enough: no more is read than that. Lines have no numbers.
func (l *Log) Backward(from time.Time) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		names, err := l.files(from)
		if err != nil {
			yield(Line{}, err)
			return
		}
		block := make([]byte, blockSize)
		for _, name := range slices.Backward(names) {
			f, err := l.dir.OpenFile(name)
			if errors.Is(err, fs.ErrNotExist) {
				continue // it was pruned
			}
			more := true
			if err == nil {
				more, err = backward(f, block, func(line []byte, _ int64) bool { return yield(Line{File: name, Text: line}, nil) })
				f.Close()
			}
			if err != nil {
				more = yield(Line{File: name}, err)
			}
			if !more {
				return
			}
		}
	}
}

// backward yields all lines of a file, as tail has them.
func backward(f *os.File, block []byte, yield func(line []byte, at int64) bool) (more bool, err error) {
	info, err := f.Stat()
	if err != nil {
		return true, err
	}
	more = true
	for t := (tail{begin: info.Size()}); more && err == nil && t.begin > 0; {
		more, err = t.read(f, block, yield)
	}
	return more, err
}

// blockSize is how much is read of a file at a time.
const blockSize = 512 << 10

// tail is how far a file has been read from its end.
type tail struct {
	begin  int64 // what is from here on has been read
	within bool  // that begins in a line, which is longer than a block
}

// read reads a block on towards the beginning of a file, and yields the lines that begin in it, the last one first, with the places where
// they do. They are without their ends, and nil if they are too long for one of Append. None begins in a block within a long one.
func (t *tail) read(f io.ReaderAt, block []byte, yield func(line []byte, at int64) bool) (more bool, err error) {
	from := max(0, t.begin-int64(len(block)))
	text := block[:t.begin-from]
	if n, err := f.ReadAt(text, from); n < len(text) {
		return true, errors.Join(io.ErrUnexpectedEOF, err)
	}
	if t.within && text[len(text)-1] == '\n' { // and begins where this block ends
		if t.within = false; !yield(nil, t.begin) {
			return false, nil
		}
	}
	if from > 0 { // the line that the block begins in is read with the one before
		first := bytes.IndexByte(text, '\n') + 1
		if first == 0 || first == len(text) {
			t.begin, t.within = from, true
			return true, nil
		}
		text, from = text[first:], from+int64(first)
	}
	t.begin = from
	begins := make([]int, 1, 1<<10)
	for at := 0; ; {
		size := bytes.IndexByte(text[at:], '\n') + 1
		if at += size; size == 0 || at == len(text) {
			break
		}
		begins = append(begins, at)
	}
	for _, begin := range slices.Backward(begins) {
		line := bytes.TrimSuffix(text[begin:], []byte{'\n'})
		if t.within || len(line) >= MaxLine {
			line = nil
		}
		if !yield(line, from+int64(begin)) {
			return false, nil
		}
		text, t.within = text[:begin], false
	}
	return true, nil
}
