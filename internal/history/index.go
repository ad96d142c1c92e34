package history

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/scriptspec/scriptspec/internal/atomicfile"
)

// Key says what lines belong together by.
type Key struct {
	// Members are the members of a line, all of them texts, that make its key. A line without the first one has none.
	Members []string
	// Begin is how a line begins whose members are in an order that is known: the first of Members, then the others, then End.
	// All of another line is read.
	Begin, End string
}

// Index finds the last lines with a key. It reads the files from their ends, no further than it is asked to, and remembers where
// lines are, so that later only what was appended is read. Its methods may be called at the same time.
type Index struct {
	of           Key
	begin, first []byte

	mu     sync.Mutex
	months []*indexed // oldest first
	keys   map[string]int

	values [][]byte // of a line, as they are written; as are those below, used again
	text   []byte   // of a key
	block  []byte
}

// indexed is what is known of a file: where the lines between tail.begin and end are that have a key.
type indexed struct {
	name string
	id   atomicfile.ID
	tail
	end          int64
	newer, older [][]int64 // by key; in newer oldest first, as they were appended, in older newest first, as they were found
}

// NewIndex returns an index of which nothing has been read.
func NewIndex(of Key) *Index {
	return &Index{
		of: of, begin: []byte(of.Begin), first: []byte(`"` + of.Members[0] + `":`), keys: map[string]int{}, values: make([][]byte, len(of.Members)),
	}
}

// Last calls take with the lines that have a key, newest month first and in each the last line first, until it returns false. What
// cannot be read is passed over.
func (x *Index) Last(l *Log, key []string, take func(line []byte) bool) error {
	return x.walk(l, key, func(f *os.File, at int64) bool {
		line := x.lineAt(f, at)
		return line == nil || take(line)
	})
}

// Reach looks for as many lines with a key as Last will be asked for, without reading them.
func (x *Index) Reach(l *Log, key []string, lines int) error {
	return x.walk(l, key, func(*os.File, int64) bool {
		lines--
		return lines > 0
	})
}

func (x *Index) walk(l *Log, key []string, take func(f *os.File, at int64) bool) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.refresh(l); err != nil {
		return err
	}
	number := x.number([]byte(strings.Join(key, string(rune(keyEnd)))))
	for _, m := range slices.Backward(x.months) {
		if !x.walkMonth(l, m, number, take) {
			return nil
		}
	}
	return nil
}

func (x *Index) walkMonth(l *Log, m *indexed, key int, take func(f *os.File, at int64) bool) (more bool) {
	f, err := l.dir.OpenFile(m.name)
	if err != nil {
		return true
	}
	defer f.Close()
	for _, at := range slices.Backward(placesOf(m.newer, key)) {
		if !take(f, at) {
			return false
		}
	}
	for i := 0; ; i++ {
		for len(placesOf(m.older, key)) == i {
			if m.begin == 0 || x.extend(f, m) != nil {
				return true
			}
		}
		if !take(f, m.older[key][i]) {
			return false
		}
	}
}

func placesOf(list [][]int64, key int) []int64 {
	if key < len(list) {
		return list[key]
	}
	return nil
}

// refresh sees which files there are, and what was appended to those that are known.
func (x *Index) refresh(l *Log) error {
	names, err := l.files(time.Time{})
	if err != nil {
		return err
	}
	var months []*indexed
	for _, name := range names {
		id, err := l.dir.Stat(name)
		if err != nil {
			continue
		}
		at, known := slices.BinarySearchFunc(x.months, name, func(m *indexed, name string) int { return cmp.Compare(m.name, name) })
		m := &indexed{name: name, id: id, tail: tail{begin: id.Size}, end: id.Size}
		if known && x.months[at].goesOn(id) {
			m = x.months[at]
			m.id = id
		}
		months = append(months, m)
		if m.end == id.Size {
			continue
		}
		if f, err := l.dir.OpenFile(name); err == nil {
			x.appended(f, m, id.Size)
			f.Close()
		}
	}
	x.months = months
	return nil
}

// goesOn reports whether a file is still the one that is known, to which at most something was appended.
func (m *indexed) goesOn(id atomicfile.ID) bool {
	return m.id.Device == id.Device && m.id.Inode == id.Inode && id.Size >= m.id.Size && (id.Size > m.id.Size || id.Modified == m.id.Modified)
}

// appended reads on to a size. A line that has no end yet is left for the next time.
func (x *Index) appended(f *os.File, m *indexed, size int64) {
	for m.end < size {
		text, err := x.read(f, m.end, min(size-m.end, blockSize))
		if err != nil {
			return
		}
		last := bytes.LastIndexByte(text, '\n')
		if last < 0 {
			if len(text) == blockSize { // no line of ours
				m.end += int64(len(text))
				continue
			}
			return
		}
		for line := range bytes.Lines(text[:last+1]) {
			if key, ok := x.keyOf(line); ok && len(line) <= MaxLine {
				m.newer = grown(m.newer, key)
				m.newer[key] = append(m.newer[key], m.end)
			}
			m.end += int64(len(line))
		}
	}
}

// extend reads on towards the beginning.
func (x *Index) extend(f *os.File, m *indexed) error {
	_, err := m.read(f, x.buffer(), func(line []byte, at int64) bool {
		if key, ok := x.keyOf(line); ok {
			m.older = grown(m.older, key)
			m.older[key] = append(m.older[key], at)
		}
		return true
	})
	return err
}

func grown(list [][]int64, key int) [][]int64 {
	if key < len(list) {
		return list
	}
	return append(list, make([][]int64, key+1-len(list))...)
}

// buffer returns what blocks are read into, one after the other.
func (x *Index) buffer() []byte {
	if x.block == nil {
		x.block = make([]byte, blockSize)
	}
	return x.block
}

// read returns a part of a file, until the next is read.
func (x *Index) read(f *os.File, from, size int64) ([]byte, error) {
	block := x.buffer()
	n, err := f.ReadAt(block[:size], from)
	if errors.Is(err, io.EOF) && n > 0 {
		err = nil
	}
	return block[:n], err
}

// lineAt returns the line that begins at a place, until the next is read; nil if there is none of ours any more.
func (x *Index) lineAt(f *os.File, at int64) []byte {
	text, err := x.read(f, at, MaxLine)
	if err != nil {
		return nil
	}
	end := bytes.IndexByte(text, '\n')
	switch {
	case end >= 0:
		return text[:end]
	case len(text) < MaxLine:
		return text // the last one, which has no end
	}
	return nil
}

// keyOf returns the number of the key of a line.
func (x *Index) keyOf(line []byte) (number int, ok bool) {
	if !x.ordered(line) {
		clear(x.values)
		var whole bool
		for name, value := range Object(line).Members(&whole) {
			x.note(name, value)
		}
	}
	if len(x.values[0]) == 0 {
		return 0, false
	}
	x.text = x.text[:0]
	for i, value := range x.values {
		if i > 0 {
			x.text = append(x.text, keyEnd)
		}
		if len(value) >= 2 && bytes.IndexByte(value, '\\') < 0 {
			x.text = append(x.text, value[1:len(value)-1]...)
			continue
		}
		text, _ := Text(value)
		x.text = append(x.text, text...)
	}
	return x.number(x.text), true
}

// ordered notes the values of a line of which it is known where they are, and reports whether it is one.
func (x *Index) ordered(line []byte) bool {
	at := bytes.Index(line, x.first)
	if at < 0 || !bytes.HasPrefix(line, x.begin) {
		return false
	}
	clear(x.values)
	s := scanner{text: line, at: at}
	for {
		name, ok := s.value()
		if !ok || len(name) < 2 || !s.accept(':') {
			return false
		}
		if name = name[1 : len(name)-1]; string(name) == x.of.End {
			return true
		}
		value, ok := s.value()
		if !ok || !s.accept(',') {
			return false
		}
		x.note(name, value)
	}
}

func (x *Index) note(name, value []byte) {
	for i, member := range x.of.Members {
		if string(name) == member {
			x.values[i] = value
		}
	}
}

// keyEnd is between the texts of a key. JSON has no such byte in a text.
const keyEnd = 0

// number returns what stands for a key.
func (x *Index) number(text []byte) int {
	number, known := x.keys[string(text)]
	if !known {
		number = len(x.keys)
		x.keys[string(text)] = number
	}
	return number
}
