package strictjson

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

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
	TooDeep               // nested beyond MaxDepth, or too much in all
	Semantic              // JSON, but not what the caller asked for
)

// Problem is one refusal.
type Problem struct {
	Offset  int64 // of the first byte concerned, from 0
	Path    []Step
	Kind    Kind
	Message string // never holds a value of the document
	Rule    string // what the caller calls the rule that is broken; "" if it has no name

	object int64  // for a Duplicate: where its object begins,
	name   string // the name,
	worded bool   // and whether the message says where it was first
}

// Step is one step of a path: a member name or, if Name is nil, an index. A negative index represents
// steps that were left out.
type Step struct {
	Name  *string
	Index int64
}

// maxProblems ends the walk: a file with so many problems is hardly a spec at all.
const maxProblems = 100

// note adds a problem.
func (r *Reader) note(p Problem) {
	if len(r.problems) >= maxProblems {
		return
	}
	r.problems = append(r.problems, p)
	if len(r.problems) >= maxProblems {
		r.broken = true
	}
}

// Problems returns what was refused, in the order of the text.
func (r *Reader) Problems() []Problem {
	r.findFirsts()
	slices.SortStableFunc(r.problems, func(a, b Problem) int { return int(a.Offset - b.Offset) })
	return r.problems
}

// Refuse notes a problem of the caller's with the value (or name) read last, which breaks a rule.
func (r *Reader) Refuse(rule, message string) { r.RefuseAt(startOf(r.data, r.last), rule, message) }

// RefuseAt is Refuse for an object or list, which began at offset.
func (r *Reader) RefuseAt(offset int64, rule, message string) {
	r.note(Problem{Offset: offset, Path: pathOf(r.dec), Kind: Semantic, Rule: rule, Message: message})
}

// RefuseMember notes a problem with a member, which may be missing, of the object that was read last.
func (r *Reader) RefuseMember(offset int64, name, rule, message string) {
	r.note(Problem{Offset: offset, Path: append(pathOf(r.dec), Step{Name: &name}), Kind: Semantic, Rule: rule, Message: message})
}

// Duplicate notes that the name read last was in its object already.
func (r *Reader) Duplicate() {
	p := Problem{
		Offset: startOf(r.data, r.last), Path: pathOf(r.dec), Kind: Duplicate,
		Message: "duplicate name; keep one of them",
		object:  r.starts[len(r.starts)-1], name: strings.Clone(r.dec.StackPointer().LastToken()),
	}
	r.note(p)
}

// findFirsts looks up where duplicate names were first. The walk does not remember the place of every
// name, so each object that has duplicates is walked again, once. Nested objects could make that take
// long; beyond a limit some messages do not mention the first place.
func (r *Reader) findFirsts() {
	const most = 64 << 20 // bytes to be looked at again
	looked := int64(0)
	for i := range r.problems {
		if p := &r.problems[i]; p.Kind == Duplicate && !p.worded && looked < most {
			looked += r.findFirstsIn(p.object)
		}
	}
}

// findFirstsIn completes the messages for the duplicates of one object, and returns how many bytes it
// read.
func (r *Reader) findFirstsIn(object int64) int64 {
	of := func(p *Problem) bool { return p.Kind == Duplicate && p.object == object && !p.worded }
	firsts := map[string]int64{} // -1 for those to be found
	for i := range r.problems {
		if p := &r.problems[i]; of(p) {
			firsts[p.name] = -1
		}
	}
	missing := len(firsts)
	again := jsontext.NewDecoder(bytes.NewBuffer(r.data[object:]), decoderOptions)
	_, err := again.ReadToken()
	for err == nil && missing > 0 && again.PeekKind() == '"' {
		start := startOf(r.data, object+again.InputOffset())
		var tok jsontext.Token
		if tok, err = again.ReadToken(); err != nil {
			break
		}
		if first, ok := firsts[tok.String()]; ok && first < 0 {
			firsts[tok.String()] = start
			missing--
		}
		err = again.SkipValue()
	}
	for i := range r.problems {
		p := &r.problems[i]
		if !of(p) {
			continue
		}
		p.worded = true
		if first := firsts[p.name]; first >= 0 {
			line, column := Position(r.data, first)
			p.Message = fmt.Sprintf("duplicate name, first at %d:%d; keep one of them", line, column)
		}
	}
	return again.InputOffset()
}

// Position returns line and column of an offset, from 1; a column is a byte of its line.
func Position(data []byte, offset int64) (line, column int) {
	head := data[:min(max(offset, 0), int64(len(data)))]
	line = 1 + bytes.Count(head, []byte{'\n'})
	return line, len(head) - bytes.LastIndexByte(head, '\n')
}

// Here returns the offset of the next value or name.
func (r *Reader) Here() int64 {
	if r.broken {
		return int64(len(r.data))
	}
	return startOf(r.data, r.dec.InputOffset())
}

// startOf returns where the token that follows the offset begins.
func startOf(data []byte, offset int64) int64 {
	for offset < int64(len(data)) && (data[offset] <= ' ' || data[offset] == ',' || data[offset] == ':') {
		offset++
	}
	return offset
}

// pathOf returns the place of the value or name that dec read last.
func pathOf(dec *jsontext.Decoder) []Step { return steps(dec, dec.StackPointer()) }

// steps splits a pointer into steps; what dec is in decides which of them are indexes. However deep
// the place and however long the names, the result is short: the first and the last steps.
func steps(dec *jsontext.Decoder, pointer jsontext.Pointer) []Step {
	const ends, longest = 4, 256
	total := strings.Count(string(pointer), "/")
	var list []Step
	level := 0
	for token := range pointer.Tokens() {
		level++
		switch {
		case total > 2*ends && level == ends+1:
			list = append(list, Step{Index: -1})
			continue
		case total > 2*ends && level > ends && level <= total-ends:
			continue
		}
		if level <= dec.StackDepth() {
			if kind, _ := dec.StackIndex(level); kind == '[' {
				index, _ := strconv.ParseInt(token, 10, 64)
				list = append(list, Step{Index: index})
				continue
			}
		}
		if len(token) > longest {
			token = token[:longest] + "..."
		}
		name := strings.Clone(token)
		list = append(list, Step{Name: &name})
	}
	return list
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
