package scriptspec

import (
	"strconv"
	"strings"

	"github.com/scriptspec/scriptspec/internal/strictjson"
)

// Locate returns where in the text of a file the value at a place is, as FieldError.Path has it: line and column from 1,
// columns in bytes. Where there is no such value it is the nearest one above; ok reports whether it is the value
// itself.
func Locate(data []byte, path string) (line, column int, ok bool) {
	offset, found := strictjson.Find(data, stepsOf(path))
	line, column = strictjson.Position(data, offset)
	return line, column, found
}

// located returns a problem as one with the text that it is in.
func located(fe *FieldError, data []byte, file string) *DecodeError {
	e := &DecodeError{File: file, Path: fe.Path, Message: strings.TrimPrefix(fe.Message, fe.Path+" "), Err: fe}
	if fe.Hint != "" {
		e.Message += " (" + fe.Hint + ")"
	}
	e.Line, e.Column, _ = Locate(data, fe.Path)
	return e
}

// stepsOf reads a place: input_path_specs["data"].aliases[2].
func stepsOf(path string) []strictjson.Step {
	var steps []strictjson.Step
	name := func(text string) {
		if text != "" {
			steps = append(steps, strictjson.Step{Name: &text})
		}
	}
	for path != "" {
		i := strings.IndexAny(path, ".[")
		if i < 0 {
			name(path)
			break
		}
		name(path[:i])
		if path = path[i:]; path[0] == '.' {
			path = path[1:]
			continue
		}
		if quoted, err := strconv.QuotedPrefix(path[1:]); err == nil {
			text, _ := strconv.Unquote(quoted) // it is quoted
			name(text)
			if text == "" {
				steps = append(steps, strictjson.Step{Name: &text})
			}
			path = strings.TrimPrefix(path[1+len(quoted):], "]")
			continue
		}
		digits, rest, _ := strings.Cut(path[1:], "]")
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil {
			break
		}
		steps = append(steps, strictjson.Step{Index: n})
		path = rest
	}
	return steps
}

// Diff returns what differs between two specs, sorted by place: members of one kind that the other has as well, and
// the kinds' own ones as what was added and removed. Times are left out. Values that nobody is to see are not shown.
func Diff(a, b Spec) ([]Change, error) {
	if isNil(a) || isNil(b) {
		return nil, validateRules(nil)
	}
	documents := [2]map[string]any{}
	for i, s := range []Spec{a, b} {
		document, err := documentOf(s)
		if err != nil {
			return nil, err
		}
		for _, f := range []field{fieldCreatedAt, fieldUpdatedAt, fieldVersion} {
			delete(document, fields[f].name)
		}
		documents[i] = document
	}
	return changesBetween(func(name string) bool { return a.common().isSecret(name) || b.common().isSecret(name) }, nil, documents[0], documents[1]), nil
}
