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
// skipped, so that one walk finds all of them. A syntax error ends the walk: from then on no
// method makes progress. The zero Reader is ready for [Reader.Reset].
type Reader struct {
	data     []byte
	texts    strings.Builder // strings are parts of it
	src      bytes.Buffer
	dec      *jsontext.Decoder
	problems []Problem
	broken   bool
	last     int64   // offset before the value read last
	starts   []int64 // of the objects and lists that the reader is in
	budget   budget
}

// Strings are cut from blocks, which is faster and takes less memory than an allocation for each. A
// string that is kept keeps its block, so blocks are small.
const maxBlock = 2048

// Duplicate names are found here: the decoder would stop at the first.
var decoderOptions = jsontext.AllowDuplicateNames(true)

// Reset makes r ready to read data, which must not change until the walk is over.
func (r *Reader) Reset(data []byte) {
	r.data, r.problems, r.broken, r.last, r.starts = data, nil, false, 0, r.starts[:0]
	r.budget = budget{}
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

// Release drops the reference to the document. The next call must be Reset.
func (r *Reader) Release() {
	r.data, r.problems, r.broken = nil, nil, true
	r.texts.Reset()
}

// Size returns the length of the document.
func (r *Reader) Size() int { return len(r.data) }

// Broken reports whether the text stopped being JSON.
func (r *Reader) Broken() bool { return r.broken }

// Object enters an object. It reports false if the value is not one, or nothing is left to read.
func (r *Reader) Object() bool { return r.begin('{') }

// Array enters an array, like [Reader.Object].
func (r *Reader) Array() bool { return r.begin('[') }

func (r *Reader) begin(kind jsontext.Kind) bool {
	if !r.want(kind) {
		return false
	}
	start := r.Here()
	if _, err := r.dec.ReadToken(); err != nil {
		r.fail(err)
		return false
	}
	r.starts = append(r.starts, start)
	if r.dec.StackDepth() > MaxDepth {
		r.stop(start, TooDeep, tooDeep)
		return false
	}
	return r.spend(kind)
}

// Name returns the next member name of the object entered last, decoded. It reports false at the end
// of the object, which it leaves. The bytes are valid until the next call.
func (r *Reader) Name() ([]byte, bool) {
	if r.end('}') {
		return nil, false
	}
	v, ok := r.value()
	if !ok || len(v) < 2 || v[0] != '"' {
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
		return true
	}
	r.starts = r.starts[:len(r.starts)-1]
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

// Number reads a number as it is written.
func (r *Reader) Number() (json.Number, bool) {
	if !r.want('0') {
		return "", false
	}
	v, ok := r.value()
	return r.number(v), ok
}

func (r *Reader) number(v jsontext.Value) json.Number { return json.Number(r.Text(v)) }

// Bool reads true or false.
func (r *Reader) Bool() (value, ok bool) {
	if r.Kind() == 'f' {
		_, ok = r.value()
		return false, ok
	}
	if !r.want('t') {
		return false, false
	}
	_, ok = r.value()
	return true, ok
}

// Raw reads any value as it is written, which has been checked for duplicates.
func (r *Reader) Raw() (json.RawMessage, bool) {
	start := r.Here()
	if !r.walk(true) {
		return nil, false
	}
	return bytes.Clone(r.data[start:r.dec.InputOffset()]), true
}

// Skip reads over the next value.
func (r *Reader) Skip() { r.walk(false) }

// walk goes through the next value, token by token: depth is bounded here and not by the decoder,
// and every problem has its exact place.
func (r *Reader) walk(findDuplicates bool) bool {
	switch r.Kind() {
	case '{':
		if !r.Object() {
			return false
		}
		var seen map[string]struct{}
		for name, ok := r.Name(); ok; name, ok = r.Name() {
			if findDuplicates {
				if _, twice := seen[string(name)]; twice {
					r.Duplicate()
				} else {
					if seen == nil {
						seen = map[string]struct{}{}
					}
					seen[string(name)] = struct{}{}
				}
			}
			if !r.walk(findDuplicates) {
				return false
			}
		}
	case '[':
		if !r.Array() {
			return false
		}
		for r.More() {
			if !r.walk(findDuplicates) {
				return false
			}
		}
	default:
		if _, ok := r.value(); !ok {
			return false
		}
	}
	return !r.broken
}

// Any reads any value: nil, bool, string, [json.Number], []any or map[string]any.
func (r *Reader) Any() (any, bool) {
	switch r.Kind() {
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

// want checks the kind of the next value; a value of another kind is noted and skipped.
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
	start := r.Here()
	if r.Skip(); !r.broken {
		r.RefuseAt(start, "", "want "+kindName(kind)+", found "+kindName(got))
	}
	return false
}

// value reads the next scalar or name.
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
	return v, r.spend('"')
}

// spend takes from the budget what a value will cost in memory.
func (r *Reader) spend(kind jsontext.Kind) bool {
	if r.budget.spend(byte(kind), len(r.data)) {
		return true
	}
	r.stop(r.Here(), TooDeep, tooMuch)
	return false
}

// fail notes a syntax error, which ends the walk.
func (r *Reader) fail(err error) {
	if r.broken || err == nil {
		return
	}
	r.broken = true
	r.note(r.diagnose(err))
}

// stop ends the walk where JSON would go on.
func (r *Reader) stop(offset int64, kind Kind, message string) {
	r.broken = true
	r.note(Problem{Offset: offset, Path: pathOf(r.dec), Kind: kind, Message: message})
}

// diagnose words a syntax error itself: the decoder's messages differ between versions of Go and may
// quote the text.
func (r *Reader) diagnose(err error) Problem {
	p := Problem{Kind: Syntax, Offset: r.dec.InputOffset(), Path: pathOf(r.dec)}
	if se, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		p.Offset, p.Path = se.ByteOffset, steps(r.dec, se.JSONPointer)
	}
	p.Offset = min(max(p.Offset, 0), int64(len(r.data)))
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		p.Kind, p.Offset = Truncated, int64(len(r.data))
		p.Message = "the document ends too early; the file was cut off"
		return p
	}
	p.Offset, p.Message = explain(r.data, p.Offset)
	return p
}
