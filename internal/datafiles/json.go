package datafiles

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// lenient allows duplicate names: finding them would mean remembering every name.
var lenient = []jsontext.Options{jsontext.AllowDuplicateNames(true)}

// IsJSON reports whether a file is a JSON document or JSON Lines, by its name.
func IsJSON(name string) bool {
	ext := extension(name)
	return ext == "json" || isLines(ext)
}

func isLines(ext string) bool { return ext == "jsonl" || ext == "ndjson" }

// JSON reads a JSON document, or JSON Lines, to its end and returns the first [*Problem], or why ctx
// ended.
func (p *Place) JSON(ctx context.Context, name string) error {
	f, err := p.Open(name)
	if err != nil {
		return &Problem{name, 0, 0, "cannot be read", err}
	}
	defer f.Close()
	check := document
	if isLines(extension(name)) {
		check = lines
	}
	problem, err := check(ctx, f)
	if problem != nil {
		problem.File = name
		return problem
	}
	return err
}

// document checks a file with one document.
func document(ctx context.Context, f io.ReadSeeker) (*Problem, error) {
	m := &meter{r: f}
	dec := jsontext.NewDecoder(m, lenient...)
	complete := false
	for n := 0; ; n++ {
		if n&0x3ff == 0 && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		m.done()
		_, err := dec.ReadToken()
		if err == nil && !complete {
			complete = dec.StackDepth() == 0
			continue
		}
		var syntax *jsontext.SyntacticError
		switch {
		case err == nil:
			return problemAt(f, dec.InputOffset()-1, "a second document stands here; JSON Lines are named .jsonl"), nil
		case errors.Is(err, io.EOF) && complete:
			return nil, nil
		case errors.Is(err, io.EOF):
			return &Problem{Message: "is empty"}, nil
		case errors.Is(err, errTooLong):
			return &Problem{Message: "a value is longer than 16 MiB"}, nil
		case errors.Is(err, io.ErrUnexpectedEOF):
			return &Problem{Message: "ends before the document does"}, nil
		case errors.As(err, &syntax):
			return problemAt(f, syntax.ByteOffset, "is not JSON"), nil
		default:
			return &Problem{Message: "cannot be read", Err: err}, nil
		}
	}
}

// lines checks a file with a document on each line. Blank lines are ignored.
func lines(ctx context.Context, f io.ReadSeeker) (*Problem, error) {
	s := lineReader(f)
	n, documents := 0, 0
	for s.Scan() {
		if n&0x3ff == 0 && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		n++
		line := bytes.TrimSpace(s.Bytes())
		if len(line) == 0 {
			continue
		}
		documents++
		if !jsontext.Value(line).IsValid(lenient...) {
			return &Problem{Line: n, Column: 1, Message: "is not one JSON document"}, nil
		}
	}
	switch err := s.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return &Problem{Line: n + 1, Column: 1, Message: "the line is longer than 16 MiB"}, nil
	case err != nil:
		return &Problem{Message: "cannot be read", Err: err}, nil
	case documents == 0:
		return &Problem{Message: "is empty"}, nil
	}
	return nil, nil
}

// problemAt finds the line and column of a byte. It reads the file again, so that good files need no
// counting; if that fails the place stays unknown.
func problemAt(f io.ReadSeeker, offset int64, message string) *Problem {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return &Problem{Message: message}
	}
	r := io.LimitReader(f, offset)
	buf := make([]byte, 32<<10)
	line, column := 1, 1
	for {
		n, err := r.Read(buf)
		line += bytes.Count(buf[:n], []byte("\n"))
		if last := bytes.LastIndexByte(buf[:n], '\n'); last >= 0 {
			column = n - last
		} else {
			column += n
		}
		if err != nil {
			return &Problem{Line: line, Column: column, Message: message}
		}
	}
}
