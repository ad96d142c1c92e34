package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

const blanks = " \t\r\n"

// jsonc is JSON as editors write it, with comments and a comma behind the last value.
type jsonc struct {
	text []byte
	// Comments are spaces in bare, and commas that nothing follows are so in plain too, so that every offset stays.
	bare, plain []byte
	members     map[string]span // of the top object
	top         span
}

// span is where a value is in a text.
type span struct{ start, end int }

// parseJSONC reads a text that must have one object.
func parseJSONC(text []byte) (*jsonc, error) {
	j := &jsonc{text: text, bare: bytes.Clone(text), members: map[string]span{}}
	commas := j.blankComments()
	j.plain = bytes.Clone(j.bare)
	for _, comma := range commas {
		j.plain[comma] = ' '
	}
	d := json.NewDecoder(bytes.NewReader(j.plain))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, errors.Join(errors.New("not an object"), err)
	}
	j.top.start = int(d.InputOffset()) - 1
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		end := int(d.InputOffset())
		j.members[fmt.Sprint(name)] = span{end - len(value), end}
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	if j.top.end = int(d.InputOffset()); d.More() {
		return nil, errors.New("more than one value")
	}
	return j, nil
}

// blankComments makes comments spaces in bare, and returns the commas before a closing bracket.
func (j *jsonc) blankComments() (commas []int) {
	comma := -1 // one that nothing follows yet
	for i := 0; i < len(j.text); i++ {
		rest, end := j.text[i:], 0
		switch {
		case bytes.HasPrefix(rest, []byte("//")):
			if end = bytes.IndexByte(rest, '\n'); end < 0 {
				end = len(rest)
			}
		case bytes.HasPrefix(rest, []byte("/*")):
			if end = 2 + bytes.Index(rest[2:], []byte("*/")) + 2; end < 4 {
				return nil // it has no end: what is left is not JSON
			}
		case rest[0] == '"':
			for i++; i < len(j.text) && j.text[i] != '"'; i++ {
				if j.text[i] == '\\' {
					i++
				}
			}
			comma = -1
		case rest[0] == ',':
			comma = i
		case (rest[0] == ']' || rest[0] == '}') && comma >= 0:
			commas, comma = append(commas, comma), -1
		case !strings.ContainsRune(blanks, rune(rest[0])):
			comma = -1
		}
		for k := range end {
			j.bare[i+k] = ' '
		}
		i += max(end-1, 0)
	}
	return commas
}

// insert returns the text with further items in the object or list at a place, each on lines of its own behind what is
// there; null is an empty list. Everything else stays as it is, byte for byte.
func (j *jsonc) insert(at span, items []any, name string) ([]byte, error) {
	if string(j.bare[at.start:at.end]) == "null" {
		list := func(text []byte) []byte { return slices.Concat(text[:at.start], []byte("[]"), text[at.end:]) }
		j, at.end = &jsonc{text: list(j.text), bare: list(j.bare)}, at.start+len("[]")
	}
	line, unit := "\n", "  "
	if bytes.Contains(j.text, []byte("\r\n")) {
		line = "\r\n"
	}
	for text := range bytes.Lines(j.text) {
		if indent := text[:len(text)-len(bytes.TrimLeft(text, " \t"))]; len(indent) > 0 && len(bytes.TrimSpace(text)) > 0 {
			unit = string(indent)
			break
		}
	}
	first := bytes.LastIndexByte(j.text[:at.start], '\n') + 1
	outer := string(j.text[first : first+len(j.text[first:at.start])-len(bytes.TrimLeft(j.text[first:at.start], " \t"))])
	var added strings.Builder
	for i, item := range items {
		text, err := json.MarshalIndent(item, "", unit)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			added.WriteByte(',')
		}
		if name != "" {
			text = append([]byte(`"`+name+`": `), text...)
		}
		added.WriteString(line + outer + unit + strings.ReplaceAll(string(text), "\n", line+outer+unit))
	}
	closing := at.end - 1
	last := len(bytes.TrimRight(j.bare[:closing], blanks)) // behind the last value, its comma, or the opening bracket
	comma := ","
	if last == at.start+1 || j.bare[last-1] == ',' {
		comma = ""
	}
	tail := max(last, len(bytes.TrimRight(j.text[:closing], blanks))) // behind what a person says of the last value
	return []byte(string(j.text[:last]) + comma + string(j.text[last:tail]) + added.String() + line + outer + string(j.text[closing:])), nil
}

// with returns the text with a further member of the top object.
func (j *jsonc) with(name string, value any) ([]byte, error) {
	return j.insert(j.top, []any{value}, name)
}
