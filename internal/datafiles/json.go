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

// document checks a file with one document, or with one on each line: several libraries call that .json too.
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
			return severalDocuments(ctx, f, dec.InputOffset()-1)
		case errors.Is(err, io.EOF) && complete:
			return nil, nil
		case errors.Is(err, io.EOF):
			return &Problem{Message: "is empty"}, nil
		case errors.Is(err, errTooLong):
			return &Problem{Message: "a value is longer than 16 MiB"}, nil
		case errors.Is(err, io.ErrUnexpectedEOF):
			return &Problem{Message: "ends before the document does"}, nil
		case errors.As(err, &syntax):
			return problemAt(f, syntax.ByteOffset, notJSON(f, syntax.ByteOffset)), nil
		default:
			return &Problem{Message: "cannot be read", Err: err}, nil
		}
	}
}

// severalDocuments checks a file in which a second document was found at an offset.
func severalDocuments(ctx context.Context, f io.ReadSeeker, second int64) (*Problem, error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return &Problem{Message: "cannot be read", Err: err}, nil
	}
	problem, err := lines(ctx, f)
	if problem == nil || err != nil {
		return nil, err
	}
	return problemAt(f, second, "a second document begins here; JSON Lines have each on a line of its own"), nil
}

// notJSON names what is at the offset of a syntax error, if it is what Python writes for a float without JSON.
func notJSON(f io.ReadSeeker, offset int64) string {
	buf := make([]byte, len("-Infinity"))
	n := 0
	if _, err := f.Seek(offset, io.SeekStart); err == nil {
		n, _ = io.ReadFull(f, buf) // what there is
	}
	for _, word := range []string{"NaN", "Infinity", "-Infinity"} {
		if bytes.HasPrefix(buf[:n], []byte(word)) {
			return word + " is not JSON"
		}
	}
	return "is not JSON"
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
			return lineProblem(line, n), nil
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

// lineProblem says what is wrong with a line.
func lineProblem(line []byte, number int) *Problem {
	dec := jsontext.NewDecoder(bytes.NewReader(line), lenient...)
	_, err := dec.ReadValue()
	if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		if message := notJSON(bytes.NewReader(line), syntax.ByteOffset); message != "is not JSON" {
			return &Problem{Line: number, Column: int(syntax.ByteOffset) + 1, Message: message}
		}
	}
	return &Problem{Line: number, Column: 1, Message: "is not one JSON document"}
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
