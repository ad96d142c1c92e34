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
		names, err := l.files()
		if err != nil {
			yield(Line{}, err)
			return
		}
		first := ""
		if !from.IsZero() {
			first = nameOf(from)
		}
		block := make([]byte, indexBlock)
		for _, name := range slices.Backward(names) {
			if name < first {
				return
			}
			f, err := l.dir.OpenFile(name)
			if errors.Is(err, fs.ErrNotExist) {
				continue // it was pruned
			}
			more := false
			if err == nil {
				more, err = backward(f, name, block, yield)
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

func backward(f *os.File, name string, block []byte, yield func(Line, error) bool) (more bool, err error) {
	info, err := f.Stat()
	if err != nil {
		return true, err
	}
	goesOn := false // the last line of a block, which is longer than a whole one
	for end := info.Size(); end > 0; {
		from := max(0, end-int64(len(block)))
		text := block[:end-from]
		if n, err := f.ReadAt(text, from); n < len(text) {
			return true, errors.Join(io.ErrUnexpectedEOF, err)
		}
		if from > 0 {
			begin := bytes.IndexByte(text, '\n') + 1
			if begin == 0 || begin == len(text) {
				goesOn, end = true, from
				continue
			}
			text, from = text[begin:], from+int64(begin)
		}
		end = from
		if goesOn && text[len(text)-1] == '\n' { // and begins where this block ends
			if goesOn = false; !yield(Line{File: name}, nil) {
				return false, nil
			}
		}
		for len(text) > 0 {
			line := bytes.TrimSuffix(text, []byte{'\n'})
			begin := bytes.LastIndexByte(line, '\n') + 1
			if line = line[begin:]; goesOn || len(line) >= MaxLine {
				line = nil
			}
			if !yield(Line{File: name, Text: line}, nil) {
				return false, nil
			}
			text, goesOn = text[:begin], false
		}
	}
	return true, nil
}
