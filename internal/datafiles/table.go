package datafiles

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// recordLimit bounds a row, a line and a token: what is longer is refused, not read into memory.
const recordLimit = 16 << 20

var errTooLong = errors.New("a row, line or value is longer than 16 MiB")

// meter is a reader that refuses to read more than recordLimit bytes beyond a mark, and keeps no more
// of what it read than its reader asks for.
type meter struct {
	r          io.Reader
	read, mark int64
}

func (m *meter) Read(p []byte) (int, error) {
	if m.read-m.mark > recordLimit {
		return 0, errTooLong
	}
	n, err := m.r.Read(p)
	m.read += int64(n)
	return n, err
}

// done marks all that was read as dealt with.
func (m *meter) done() { m.mark = m.read }

// TableRule is what a table must have besides rows as long as its header.
type TableRule struct {
	MinRows int // below 0, the rows are not read at all
	Columns []string
}

// IsTable reports whether a file is a table, by its name.
func IsTable(name string) bool {
	ext := extension(name)
	return ext == "csv" || ext == "tsv"
}

// Table reads a table to its end and returns the first [*Problem], or why ctx ended.
func (p *Place) Table(ctx context.Context, name string, rule TableRule) error {
	fail := func(line, column int, message string, err error) error {
		return &Problem{name, line, column, message, err}
	}
	f, err := p.Open(name)
	if err != nil {
		return fail(0, 0, "cannot be read", err)
	}
	defer f.Close()
	comma, kind, err := separator(f, extension(name))
	switch {
	case err != nil:
		return fail(0, 0, "cannot be read", err)
	case kind == "empty":
		return fail(0, 0, "is empty; a table has a header", nil)
	case kind != "":
		return fail(0, 0, "is no text table: its content is "+kind, nil)
	}
	m := &meter{r: f}
	r := csv.NewReader(m)
	r.ReuseRecord, r.Comma = true, comma
	r.LazyQuotes = comma == '\t' // most tab-separated files have no quoting
	header, err := r.Read()
	if err != nil {
		return fail(tableError(err, nil, 0))
	}
	columns := len(header)
	if message := checkHeader(header, rule.Columns); message != "" {
		return fail(1, 1, message, nil)
	}
	if rule.MinRows < 0 {
		return nil
	}
	rows := 0
	for ; ; rows++ {
		if rows&0x3ff == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		m.done()
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fail(tableError(err, record, columns))
		}
	}
	if rows < rule.MinRows {
		return fail(0, 0, fmt.Sprintf("has %d rows below its header; want at least %d", rows, rule.MinRows), nil)
	}
	return nil
}

// Header returns the names of the columns of a table, nil if it cannot be read as one.
func (p *Place) Header(name string) []string {
	f, err := p.Open(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	comma, kind, err := separator(f, extension(name))
	if err != nil || kind != "" {
		return nil
	}
	r := csv.NewReader(&meter{r: f})
	r.Comma, r.LazyQuotes = comma, comma == '\t'
	header, _ := r.Read()
	return header
}

// separator examines the beginning of a file and leaves it after a byte order mark. The kind is set if
// the content is not text.
func separator(f *os.File, ext string) (comma rune, kind string, err error) {
	buf := make([]byte, sniffBytes)
	n, err := io.ReadFull(f, buf)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return 0, "", err
	}
	head := buf[:n]
	if kind = signature(head); kind == "" && !isText(head) {
		kind = "binary"
	}
	text, hasMark := bytes.CutPrefix(head, []byte("\ufeff"))
	if len(bytes.TrimSpace(text)) == 0 {
		kind = "empty"
	}
	start := int64(0)
	if hasMark {
		start = int64(n - len(text))
	}
	if _, err := f.Seek(start, io.SeekStart); err != nil {
		return 0, "", err
	}
	line, _, _ := bytes.Cut(bytes.TrimLeft(text, "\r\n"), []byte("\n"))
	comma = ','
	if ext == "tsv" {
		comma = '\t'
	} else if separators(line, ',') == 0 {
		for _, sep := range []byte(";\t|") {
			if separators(line, sep) > 0 {
				comma = rune(sep)
				break
			}
		}
	}
	return comma, kind, nil
}

// checkHeader returns the rule that the column names break, or "". The first may be empty: that is
// how pandas writes an index.
func checkHeader(header, want []string) string {
	at := make(map[string]int, len(header))
	for i, name := range header {
		name = strings.Clone(strings.TrimSpace(name))
		if name == "" && i > 0 {
			return fmt.Sprintf("column %d has no name", i+1)
		}
		if first, twice := at[name]; twice {
			return fmt.Sprintf("columns %d and %d have one name", first+1, i+1)
		}
		at[name] = i
	}
	for _, name := range want {
		if _, ok := at[name]; !ok {
			return fmt.Sprintf("there is no column %q", name)
		}
	}
	return ""
}

// tableError words an error of encoding/csv without any data.
func tableError(err error, record []string, columns int) (line, column int, message string, cause error) {
	var pe *csv.ParseError
	switch {
	case errors.Is(err, errTooLong):
		return 0, 0, "a row is longer than 16 MiB; is a quote not closed?", nil
	case !errors.As(err, &pe):
		return 0, 0, "cannot be read", err
	case errors.Is(err, csv.ErrFieldCount):
		return pe.StartLine, 1, fmt.Sprintf("the row has %d fields, the header %d", len(record), columns), nil
	case errors.Is(err, csv.ErrBareQuote):
		return pe.Line, pe.Column, "a quote inside a field that is not quoted", nil
	default:
		return pe.StartLine, 1, "a quoted field does not end with its quote", nil
	}
}

// lineReader returns a scanner whose lines are bounded.
func lineReader(r io.Reader) *bufio.Scanner {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 0, 64<<10), recordLimit)
	return s
}
