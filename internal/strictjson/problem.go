package strictjson

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Kind classifies a [Problem].
type Kind uint8

// The kinds of problems.
const (
	Syntax    Kind = iota // the text is not JSON
	Empty                 // there is no text
	Truncated             // the text ends inside the document
	Trailing              // text follows the document
	Encoding              // the text is not UTF-8
	Duplicate             // an object has a name twice
	TooDeep               // nested beyond MaxDepth
	Semantic              // JSON, but not what the caller asked for
)

// Problem is one refusal.
type Problem struct {
	Offset  int64 // of the first byte concerned, from 0
	Path    []Step
	Kind    Kind
	Message string // never holds a value of the document
}

// Step is one step of a path: a member name or, where Name is nil, an index.
type Step struct {
	Name  *string
	Index int64
}

// Position returns line and column of an offset, from 1; a column is a byte of its line.
func Position(data []byte, offset int64) (line, column int) {
	head := data[:min(max(offset, 0), int64(len(data)))]
	line = 1 + bytes.Count(head, []byte{'\n'})
	return line, len(head) - bytes.LastIndexByte(head, '\n')
}

// pathOf returns the place of the value or name that dec read last.
func pathOf(dec *jsontext.Decoder) []Step { return steps(dec, dec.StackPointer()) }

// steps takes a pointer apart. What dec is inside of tells indexes from names.
func steps(dec *jsontext.Decoder, pointer jsontext.Pointer) []Step {
	var list []Step
	for token := range pointer.Tokens() {
		if level := len(list) + 1; level <= dec.StackDepth() {
			if kind, _ := dec.StackIndex(level); kind == '[' {
				index, _ := strconv.ParseInt(token, 10, 64)
				list = append(list, Step{Index: index})
				continue
			}
		}
		list = append(list, Step{Name: &token})
	}
	return list
}

// startOf returns where the token that follows the offset begins.
func startOf(data []byte, offset int64) int64 {
	for offset < int64(len(data)) && bytes.IndexByte([]byte(" \t\r\n,:"), data[offset]) >= 0 {
		offset++
	}
	return offset
}

// precheck refuses what is no UTF-8 JSON text by its first bytes.
func precheck(data []byte) (Problem, bool) {
	switch {
	case len(bytes.TrimLeft(data, " \t\r\n")) == 0:
		return Problem{Kind: Empty, Message: "the file is empty"}, true
	case bytes.HasPrefix(data, []byte{0xEF, 0xBB, 0xBF}):
		return Problem{Kind: Encoding, Message: "byte order mark; save the file as UTF-8 without BOM (Python's json refuses it too)"}, true
	case bytes.HasPrefix(data, []byte{0xFF, 0xFE}), bytes.HasPrefix(data, []byte{0xFE, 0xFF}),
		len(data) > 1 && (data[0] == 0) != (data[1] == 0):
		return Problem{Kind: Encoding, Message: "UTF-16 or UTF-32; save the file as UTF-8"}, true
	}
	return Problem{}, false
}

// Duplicate notes that the name read last was in its object already, and where.
func (r *Reader) Duplicate() {
	p := Problem{
		Offset: startOf(r.data, r.last), Path: pathOf(r.dec), Kind: Duplicate,
		Message: "name stands twice in one object; keep one of them",
	}
	if r.duplicates++; r.duplicates > maxLookups {
		r.note(p)
		return
	}
	// The walk does not keep where every name was: only a refusal pays for that, and not often.
	pointer, depth := r.dec.StackPointer(), r.dec.StackDepth()
	name := pointer.LastToken()
	again := jsontext.NewDecoder(bytes.NewReader(r.data), decoderOptions)
	for {
		start := startOf(r.data, again.InputOffset())
		tok, err := again.ReadToken()
		if err != nil || start >= p.Offset {
			break
		}
		if again.StackDepth() != depth || tok.Kind() != '"' || tok.String() != name {
			continue
		}
		if kind, n := again.StackIndex(depth); kind == '{' && n%2 == 1 && again.StackPointer() == pointer {
			line, column := Position(r.data, start)
			p.Message = fmt.Sprintf("name stands twice in one object, first at %d:%d; keep one of them", line, column)
			break
		}
	}
	r.note(p)
}

// explain looks at the text near offset to say what a person did there.
func explain(data []byte, offset int64) (int64, string) {
	at := int(offset)
	if bad := invalidUTF8(data); bad >= 0 && bad <= at+utf8.UTFMax {
		return int64(bad), "invalid UTF-8"
	}
	// The decoder may stop inside of a word; its start is what a person looks for.
	for at > 0 && at <= len(data) && isWord(data[at-1]) && (at == len(data) || isWord(data[at])) {
		at--
	}
	rest := string(data[at:min(at+16, len(data))])
	before := bytes.TrimRight(data[:at], " \t\r\n")
	after := strings.TrimLeft(rest, " \t\r\n,")
	switch {
	case hasWord(rest, "NaN"), hasWord(rest, "Infinity"), hasWord(rest, "-Infinity"):
		return int64(at), "NaN and Infinity are not JSON; Python's json.dump writes this, use null or a string"
	case strings.HasPrefix(rest, "//"), strings.HasPrefix(rest, "/*"), strings.HasPrefix(rest, "#"):
		return int64(at), "JSON has no comments; remove it"
	case strings.HasPrefix(rest, "'"):
		return int64(at), "strings stand in double quotation marks"
	case len(before) > 0 && before[len(before)-1] == ',' && (strings.HasPrefix(rest, "}") || strings.HasPrefix(rest, "]")),
		strings.HasPrefix(rest, ",") && (after == "" || after[0] == '}' || after[0] == ']'):
		return int64(at), "no comma before a closing bracket"
	case strings.HasPrefix(rest, `\u`) || strings.Contains(rest, `\ud`) || strings.Contains(rest, `\uD`):
		return int64(at), "invalid escape; a surrogate must be one of a pair"
	case hasWord(rest, "True"), hasWord(rest, "False"), hasWord(rest, "None"):
		return int64(at), "Python literal; JSON has true, false and null"
	case strings.HasPrefix(rest, "\x00"):
		return int64(at), "NUL byte; the file was not written whole"
	case len(rest) > 0 && rest[0] < 0x20:
		return int64(at), "control character; inside of a string write it as an escape"
	}
	if len(rest) > 0 && isWord(rest[0]) && rest[0] > '9' {
		return int64(at), "not a JSON value; text and names stand in double quotation marks"
	}
	if len(before) > 0 && (isWord(before[len(before)-1]) || strings.IndexByte(`"}]`, before[len(before)-1]) >= 0) {
		return int64(at), "invalid JSON; a comma or a colon is missing here"
	}
	return int64(at), "invalid JSON; a value or a name is missing here"
}

func isWord(c byte) bool {
	return c == '-' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func hasWord(s, word string) bool {
	return strings.HasPrefix(s, word) && (len(s) == len(word) || !isWord(s[len(word)]))
}

func invalidUTF8(data []byte) int {
	if utf8.Valid(data) {
		return -1
	}
	for i := 0; i < len(data); {
		c, n := utf8.DecodeRune(data[i:])
		if c == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}

func kindName(k jsontext.Kind) string {
	switch k {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case 't', 'f':
		return "a boolean"
	default:
		return "null"
	}
}

// unquoteBytes returns the text of a valid JSON string; it aliases v where v has no escapes.
func unquoteBytes(v jsontext.Value) []byte {
	if bytes.IndexByte(v, '\\') < 0 {
		return v[1 : len(v)-1]
	}
	text, _ := jsontext.AppendUnquote(nil, v) // v was validated when it was read
	return text
}

// depth returns how deep valid JSON is nested.
func depth(v []byte) int {
	deepest, now, inString := 0, 0, false
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case inString && c == '\\':
			i++
		case inString:
			inString = c != '"'
		case c == '"':
			inString = true
		case c == '{' || c == '[':
			now++
			deepest = max(deepest, now)
		case c == '}' || c == ']':
			now--
		}
	}
	return deepest
}
