// Package strictjson reads and writes JSON documents for programs that must agree with others on
// what a document means. Duplicate names, bad UTF-8, lone surrogates, text behind the document and
// deep nesting are refused; numbers keep their text. Every refusal has a place.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// MaxDepth is how deep lists and objects may be nested.
const MaxDepth = 1000

const tooDeep = "nested more than 1000 deep"

// Reader walks one document, value by value. A value of the wrong type is noted as a [Problem] and
// passed over, so that one walk finds all of them. A syntax error ends the walk: from then on no
// method makes progress and [Reader.Err] says so. The zero Reader is ready for [Reader.Reset].
type Reader struct {
	data     []byte
	src      bytes.Reader
	dec      *jsontext.Decoder
	problems []Problem
	broken   bool
	last     int64 // offset before the value read last
}

// Reset makes r ready to read data, which must not change until the walk is over.
func (r *Reader) Reset(data []byte) {
	r.data, r.problems, r.broken, r.last = data, nil, false, 0
	r.src.Reset(data)
	if r.dec == nil {
		r.dec = jsontext.NewDecoder(&r.src)
	} else {
		r.dec.Reset(&r.src)
	}
	if p, bad := precheck(data); bad {
		r.problems = append(r.problems, p)
		r.broken = true
	}
}

// Problems returns what was refused so far, in the order of the text.
func (r *Reader) Problems() []Problem { return r.problems }

// Broken reports whether the text stopped being JSON.
func (r *Reader) Broken() bool { return r.broken }

// Object enters an object. It reports false where the value is none, or nothing is left to read.
func (r *Reader) Object() bool { return r.begin('{') }

// Array enters an array, like [Reader.Object].
func (r *Reader) Array() bool { return r.begin('[') }

func (r *Reader) begin(kind jsontext.Kind) bool {
	if !r.want(kind) {
		return false
	}
	if _, err := r.dec.ReadToken(); err != nil {
		r.fail(err)
		return false
	}
	if r.dec.StackDepth() > MaxDepth {
		r.tooDeep()
		return false
	}
	return true
}

// Name returns the next member name of the object entered last, as the text between the quotation
// marks if that has no escapes, else decoded. It reports false at the end of the object, which it
// leaves. The bytes are valid until the next call.
func (r *Reader) Name() ([]byte, bool) {
	if r.end('}') {
		return nil, false
	}
	v, ok := r.value()
	if !ok {
		return nil, false
	}
	return unquoteBytes(v), true
}

// More reports whether the array entered last has another element; at its end it leaves the array.
func (r *Reader) More() bool { return !r.end(']') && !r.broken }

func (r *Reader) end(kind jsontext.Kind) bool {
	if r.broken {
		return true
	}
	if r.dec.PeekKind() != kind {
		return false
	}
	if _, err := r.dec.ReadToken(); err != nil {
		r.fail(err)
	}
	return true
}

// String reads a string.
func (r *Reader) String() (string, bool) {
	if !r.want('"') {
		return "", false
	}
	v, ok := r.value()
	if !ok {
		return "", false
	}
	return string(unquoteBytes(v)), true
}

// Kind returns the kind of the next value: n, f, t, ", 0, {, [ or, where there is none, 0.
func (r *Reader) Kind() byte {
	if r.broken {
		return 0
	}
	return byte(r.dec.PeekKind())
}

// Number reads a number as it stands in the text.
func (r *Reader) Number() (json.Number, bool) {
	if !r.want('0') {
		return "", false
	}
	v, ok := r.value()
	return json.Number(v), ok
}

// Raw reads any value as it stands in the text.
func (r *Reader) Raw() (json.RawMessage, bool) {
	v, ok := r.value()
	if !ok {
		return nil, false
	}
	if depth(v)+r.dec.StackDepth() > MaxDepth {
		r.tooDeep()
		return nil, false
	}
	return json.RawMessage(v.Clone()), true
}

// Skip passes over the next value.
func (r *Reader) Skip() {
	if r.broken {
		return
	}
	r.last = r.dec.InputOffset()
	if err := r.dec.SkipValue(); err != nil {
		r.fail(err)
	}
}

// Any reads any value: nil, bool, string, [json.Number], []any or map[string]any.
func (r *Reader) Any() (any, bool) {
	if r.broken {
		return nil, false
	}
	switch r.dec.PeekKind() {
	case '{':
		return r.anyObject()
	case '[':
		if !r.Array() {
			return nil, false
		}
		list := []any{}
		for r.More() {
			v, ok := r.Any()
			if !ok {
				return nil, false
			}
			list = append(list, v)
		}
		return list, !r.broken
	}
	v, ok := r.value()
	if !ok {
		return nil, false
	}
	switch v.Kind() {
	case 'n':
		return nil, true
	case 't':
		return true, true
	case 'f':
		return false, true
	case '"':
		return string(unquoteBytes(v)), true
	default:
		return json.Number(v), true
	}
}

func (r *Reader) anyObject() (any, bool) {
	if !r.Object() {
		return nil, false
	}
	m := map[string]any{}
	for {
		name, ok := r.Name()
		if !ok {
			return m, !r.broken
		}
		key := string(name)
		v, ok := r.Any()
		if !ok {
			return nil, false
		}
		m[key] = v
	}
}

// End requires that nothing but white space follows.
func (r *Reader) End() {
	if r.broken {
		return
	}
	at := r.dec.InputOffset()
	rest := bytes.TrimLeft(r.data[at:], " \t\r\n")
	if len(rest) > 0 {
		r.broken = true
		r.problems = append(r.problems, Problem{
			Offset: int64(len(r.data) - len(rest)), Kind: Trailing,
			Message: "text after the end of the document; a file holds one document",
		})
	}
}

// Refuse notes a problem of the caller's with the value (or name) read last.
func (r *Reader) Refuse(message string) { r.RefuseAt(startOf(r.data, r.last), message) }

// RefuseAt is Refuse for an object or list, which began at offset.
func (r *Reader) RefuseAt(offset int64, message string) {
	r.problems = append(r.problems, Problem{
		Offset: offset, Path: pathOf(r.dec), Kind: Semantic, Message: message,
	})
}

// Here returns the offset of the next value or name.
func (r *Reader) Here() int64 {
	if r.broken {
		return int64(len(r.data))
	}
	return startOf(r.data, r.dec.InputOffset())
}

// RefuseMember notes a problem with a member of the document's outermost object.
func (r *Reader) RefuseMember(offset int64, name, message string) {
	r.problems = append(r.problems, Problem{
		Offset: offset, Path: []Step{{Name: &name}}, Kind: Semantic, Message: message,
	})
}

// want checks the kind of the next value; a value of another kind is noted and passed over.
func (r *Reader) want(kind jsontext.Kind) bool {
	if r.broken {
		return false
	}
	got := r.dec.PeekKind()
	if got == kind {
		return true
	}
	if got == jsontext.KindInvalid {
		_, err := r.dec.ReadToken()
		r.fail(err)
		return false
	}
	if r.Skip(); !r.broken {
		r.Refuse("want " + kindName(kind) + ", found " + kindName(got))
	}
	return false
}

// value reads the next value or name.
func (r *Reader) value() (jsontext.Value, bool) {
	if r.broken {
		return nil, false
	}
	r.last = r.dec.InputOffset()
	v, err := r.dec.ReadValue()
	if err != nil {
		r.fail(err)
		return nil, false
	}
	return v, true
}

// fail notes a syntax error, which ends the walk.
func (r *Reader) fail(err error) {
	if r.broken || err == nil {
		return
	}
	r.broken = true
	r.problems = append(r.problems, r.diagnose(err))
}

func (r *Reader) tooDeep() {
	r.broken = true
	p := pathOf(r.dec)
	if len(p) > 8 {
		p = p[:8]
	}
	r.problems = append(r.problems, Problem{
		Offset: r.dec.InputOffset() - 1, Path: p, Kind: TooDeep,
		Message: tooDeep,
	})
}

// diagnose says in our own words what is wrong: those of the decoder differ between versions of Go
// and may quote the text.
func (r *Reader) diagnose(err error) Problem {
	p := Problem{Kind: Syntax, Offset: r.dec.InputOffset()}
	se, ok := errors.AsType[*jsontext.SyntacticError](err)
	p.Path = pathOf(r.dec)
	if ok {
		p.Offset, p.Path = se.ByteOffset, steps(r.dec, se.JSONPointer)
	}
	p.Offset = min(max(p.Offset, 0), int64(len(r.data)))
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName) && ok:
		return r.duplicate(p, se)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		p.Kind, p.Offset = Truncated, int64(len(r.data))
		p.Message = "the document ends too early; the file was cut off"
	default:
		p.Offset, p.Message = explain(r.data, p.Offset)
	}
	return p
}
