// Package strictjson reads and writes JSON documents for programs that must agree with others on
// what a document means. Duplicate names, bad UTF-8, lone surrogates, text behind the document and
// deep nesting are refused; numbers keep their text. Every refusal has a place.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"

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
	texts    strings.Builder // strings are parts of it
	src      bytes.Buffer
	dec      *jsontext.Decoder
	problems []Problem
	broken   bool
	last     int64 // offset before the value read last

	duplicates int
	values     int // how many more there may be
}

const (
	// maxProblems ends the walk: whoever has made so many mistakes knows enough.
	maxProblems = 100
	// maxLookups is for how many duplicates the first place is looked up, in a walk of its own.
	maxLookups = 5
	// minValues and bytesPerValue bound how many values a document may have, which in memory take
	// many times the bytes of their text: a million, or one for every 16 bytes where that is more.
	minValues     = 1 << 20
	bytesPerValue = 16
)

// note adds a problem.
func (r *Reader) note(p Problem) {
	r.problems = append(r.problems, p)
	if len(r.problems) >= maxProblems {
		r.broken = true
	}
}

// Strings are cut from blocks, which is faster and takes less memory than an allocation for each. A
// string that is kept keeps its block, so blocks are small.
const maxBlock = 2048

// Duplicate names are found here: the decoder would stop at the first.
var decoderOptions = jsontext.AllowDuplicateNames(true)

// Reset makes r ready to read data, which must not change until the walk is over.
func (r *Reader) Reset(data []byte) {
	r.data, r.problems, r.broken, r.last, r.duplicates = data, nil, false, 0, 0
	r.values = max(minValues, len(data)/bytesPerValue)
	r.texts.Reset()
	r.src = *bytes.NewBuffer(data) // which the decoder reads in place
	if r.dec == nil {
		r.dec = jsontext.NewDecoder(&r.src, decoderOptions)
	} else {
		r.dec.Reset(&r.src, decoderOptions)
	}
	if p, bad := precheck(data); bad {
		r.note(p)
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
	return r.unquote(v), true
}

// Text returns a name as a string.
func (r *Reader) Text(name []byte) string {
	if len(name) > maxBlock/4 {
		return string(name)
	}
	start := r.texts.Len()
	if r.texts.Cap()-start < len(name) {
		// A new block, for the half of the text that is not names of fields and punctuation.
		left := len(r.data) - int(r.dec.InputOffset())
		r.texts.Reset()
		r.texts.Grow(min(max(left/2, len(name)), maxBlock))
		start = 0
	}
	r.texts.Write(name)
	return r.texts.String()[start:]
}

// unquote returns the text of the JSON string that was read last.
func (r *Reader) unquote(v jsontext.Value) string { return r.Text(unquoteBytes(v)) }

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
	return r.number(v), ok
}

func (r *Reader) number(v jsontext.Value) json.Number { return json.Number(r.Text(v)) }

// Raw reads any value as it stands in the text.
func (r *Reader) Raw() (json.RawMessage, bool) {
	v, ok := r.value()
	if !ok {
		return nil, false
	}
	raw := json.RawMessage(v.Clone())
	if raw[0] == '{' || raw[0] == '[' {
		// Walked on its own, for the duplicates and the depth in it.
		start := r.dec.InputOffset() - int64(len(raw))
		inner := Reader{}
		inner.Reset(raw)
		inner.Any()
		for _, p := range inner.problems {
			p.Offset, p.Path = p.Offset+start, append(pathOf(r.dec), p.Path...)
			r.note(p)
		}
		if depth(raw)+r.dec.StackDepth() > MaxDepth && len(inner.problems) == 0 {
			r.tooDeep()
			return nil, false
		}
	}
	return raw, true
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
	if r.values--; r.values < 0 && !r.broken {
		r.note(Problem{Offset: r.Here(), Path: pathOf(r.dec), Kind: TooDeep, Message: "more values than a document of its size may have"})
		r.broken = true
	}
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
		return r.unquote(v), true
	default:
		return r.number(v), true
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
		key := r.Text(name)
		if _, twice := m[key]; twice {
			r.Duplicate()
		}
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
		r.note(Problem{
			Offset: int64(len(r.data) - len(rest)), Kind: Trailing,
			Message: "text after the end of the document; a file holds one document",
		})
	}
}

// Refuse notes a problem of the caller's with the value (or name) read last.
func (r *Reader) Refuse(message string) { r.RefuseAt(startOf(r.data, r.last), message) }

// RefuseAt is Refuse for an object or list, which began at offset.
func (r *Reader) RefuseAt(offset int64, message string) {
	r.note(Problem{
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
	r.note(Problem{
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
	r.note(r.diagnose(err))
}

func (r *Reader) tooDeep() {
	r.broken = true
	p := pathOf(r.dec)
	if len(p) > 8 {
		p = p[:8]
	}
	r.note(Problem{
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
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		p.Kind, p.Offset = Truncated, int64(len(r.data))
		p.Message = "the document ends too early; the file was cut off"
	default:
		p.Offset, p.Message = explain(r.data, p.Offset)
	}
	return p
}
