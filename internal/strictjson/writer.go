package strictjson

import (
	"cmp"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// ValueError names the part of a value that JSON cannot carry. It never holds the part itself.
type ValueError struct {
	Path    []Step // inside the value that was to be written
	Message string
	Err     error // what a marshaler returned, or nil
}

func (e *ValueError) Error() string { return e.Message }

// Unwrap returns the marshaler's error.
func (e *ValueError) Unwrap() error { return e.Err }

// Writer appends JSON as Python's json.dump(indent=2, sort_keys=True, ensure_ascii=False) has it:
// two spaces a level, names sorted, floats as repr writes them. The zero Writer is ready.
type Writer struct {
	Buf []byte
	// Limit ends the writing soon after Buf has grown beyond it, in an error; 0 is for none.
	Limit int
	// Compact leaves out line breaks and indentation.
	Compact bool

	depth    int
	pointers int      // being followed at the moment
	keys     []string // of the objects being written, a stack
	budget   budget
}

// Reset makes w as new, keeping its memory.
func (w *Writer) Reset() { *w = Writer{Buf: w.Buf[:0], keys: w.keys[:0]} }

// At sets how many levels deep in a document the written text will be.
func (w *Writer) At(depth int) { w.depth = depth }

// Begin opens an object or a list, '{' or '['.
func (w *Writer) Begin(bracket byte) {
	w.Buf = append(w.Buf, bracket)
	w.depth++
}

// Item starts the next member or element on a line of its own.
func (w *Writer) Item(first bool) {
	if !first {
		w.Buf = append(w.Buf, ',')
	}
	w.newline()
}

// Name writes a member name that needs no escapes.
func (w *Writer) Name(name string) {
	w.Buf = append(w.Buf, '"')
	w.Buf = append(w.Buf, name...)
	w.Buf = append(w.Buf, '"', ':', ' ')
}

// End closes what Begin opened; empty means that nothing was written in between.
func (w *Writer) End(bracket byte, empty bool) {
	w.depth--
	if !empty {
		w.newline()
	}
	w.Buf = append(w.Buf, bracket)
}

func (w *Writer) newline() {
	if w.Compact {
		return
	}
	w.Buf = append(w.Buf, '\n')
	for range w.depth {
		w.Buf = append(w.Buf, ' ', ' ')
	}
}

// String writes a string, which must be valid UTF-8.
func (w *Writer) String(s string) error {
	w.budget.spend('"', 0)
	buf, err := jsontext.AppendQuote(w.Buf, s)
	if err != nil {
		return w.refuse("text that is not valid UTF-8", nil)
	}
	w.Buf = buf
	return nil
}

// StringMap writes an object of strings.
func (w *Writer) StringMap(m map[string]string) error {
	return writeObject(w, m, (*Writer).String)
}

// Readable reports whether a [Reader] will take what was written.
func (w *Writer) Readable() bool { return w.budget.spent <= max(freeCost, costPerByte*len(w.Buf)) }

// Cost returns how much of a Reader's budget the written text uses.
func (w *Writer) Cost() int { return w.budget.spent }

// Raw writes a JSON value given as text, laid out anew, its members in their order.
func (w *Writer) Raw(raw []byte) error {
	var r Reader
	r.Reset(raw)
	r.walk(true)
	r.End()
	if len(r.problems) > 0 {
		return w.refuse("raw text that is not valid JSON: "+r.problems[0].Message, nil)
	}
	r.Reset(raw)
	return w.copy(&r)
}

// copy writes the next value of r, keeping numbers and the order of members.
func (w *Writer) copy(r *Reader) error {
	switch kind := r.Kind(); kind {
	case '{':
		r.Object()
		if err := w.open('{'); err != nil {
			return err
		}
		first := true
		for name, ok := r.Name(); ok; name, ok = r.Name() {
			w.Item(first)
			first = false
			if err := w.String(string(name)); err != nil {
				return err
			}
			w.colon()
			if err := w.copy(r); err != nil {
				return err
			}
		}
		w.End('}', first)
	case '[':
		r.Array()
		if err := w.open('['); err != nil {
			return err
		}
		first := true
		for r.More() {
			w.Item(first)
			first = false
			if err := w.copy(r); err != nil {
				return err
			}
		}
		w.End(']', first)
	case '"':
		s, _ := r.String()
		return w.String(s)
	default:
		v, _ := r.value()
		w.budget.spend(kind, 0)
		w.Buf = append(w.Buf, v...)
	}
	return nil
}

// open begins an object or list, if that is not too deep and the text not too long already.
func (w *Writer) open(bracket byte) error {
	if w.depth >= MaxDepth {
		return w.refuse(tooDeep, nil)
	}
	if err := w.checkLimit(); err != nil {
		return err
	}
	w.budget.spend(bracket, 0)
	w.Begin(bracket)
	return nil
}

func (w *Writer) checkLimit() error {
	if w.Limit > 0 && len(w.Buf) > w.Limit {
		return w.refuse("more than "+strconv.Itoa(w.Limit)+" bytes of text", nil)
	}
	return nil
}

func (w *Writer) colon() {
	w.Buf = append(w.Buf, ':')
	if !w.Compact {
		w.Buf = append(w.Buf, ' ')
	}
}

// Value writes any value that JSON can carry: what [Reader.Any] returns, Go's numbers, strings,
// slices and maps with string keys as they are, and everything else as [encoding/json] has it.
// A float stays one: 1.0 and never 1. The error is a [*ValueError].
func (w *Writer) Value(v any) error {
	switch v.(type) {
	case nil, bool, json.Number, int, float64:
		w.budget.spend('0', 0)
	}
	switch v := v.(type) {
	case nil:
		w.Buf = append(w.Buf, "null"...)
	case bool:
		w.Buf = strconv.AppendBool(w.Buf, v)
	case string:
		return w.String(v)
	case json.Number:
		return w.number(v)
	case int:
		w.Buf = strconv.AppendInt(w.Buf, int64(v), 10)
	case float64:
		return w.float(v, 64)
	case []any:
		return writeList(w, len(v), func(i int) error { return w.Value(v[i]) })
	case map[string]any:
		return writeObject(w, v, (*Writer).Value)
	case map[string]string:
		return w.StringMap(v)
	case json.RawMessage:
		if len(v) == 0 {
			w.Buf = append(w.Buf, "null"...)
			return nil
		}
		return w.parsed(v)
	default:
		return w.reflected(v)
	}
	return nil
}

func (w *Writer) number(n json.Number) error {
	v := jsontext.Value(n)
	if len(v) == 0 || v.Kind() != '0' || !v.IsValid() || v[0] == ' ' || v[len(v)-1] <= ' ' {
		return w.refuse("a json.Number that is not a JSON number", nil)
	}
	w.Buf = append(w.Buf, n...)
	return nil
}

func (w *Writer) float(f float64, bits int) error {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return w.refuse("NaN or an infinity", nil)
	}
	start := len(w.Buf)
	format := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-4 || abs >= 1e16) {
		format = 'e' // where Python's repr changes over
	}
	w.Buf = strconv.AppendFloat(w.Buf, f, format, -1, bits)
	for _, c := range w.Buf[start:] {
		if c == '.' || c == 'e' {
			return nil
		}
	}
	w.Buf = append(w.Buf, ".0"...)
	return nil
}

func (w *Writer) reflected(v any) error {
	_, marshals := v.(json.Marshaler)
	_, texts := v.(encoding.TextMarshaler)
	if marshals || texts {
		return w.marshaled(v)
	}
	rv := reflect.ValueOf(v)
	if k := rv.Kind(); k >= reflect.Int && k <= reflect.Float64 {
		w.budget.spend('0', 0)
	}
	switch rv.Kind() {
	case reflect.Bool:
		return w.Value(rv.Bool())
	case reflect.String:
		return w.String(rv.String())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		w.Buf = strconv.AppendInt(w.Buf, rv.Int(), 10)
		return nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		w.Buf = strconv.AppendUint(w.Buf, rv.Uint(), 10)
		return nil
	case reflect.Float32, reflect.Float64:
		return w.float(rv.Float(), rv.Type().Bits())
	case reflect.Pointer:
		if rv.IsNil() {
			return w.Value(nil)
		}
		if w.pointers == MaxDepth { // a pointer to itself takes no depth
			return w.refuse(tooDeep, nil)
		}
		w.pointers++
		err := w.Value(rv.Elem().Interface())
		w.pointers--
		return err
	case reflect.Slice, reflect.Array:
		if rv.Kind() == reflect.Slice && (rv.IsNil() || rv.Type().Elem().Kind() == reflect.Uint8) {
			return w.marshaled(v) // null, base64
		}
		return writeList(w, rv.Len(), func(i int) error { return w.Value(rv.Index(i).Interface()) })
	case reflect.Map:
		if rv.Type().Key().Kind() == reflect.String && !rv.Type().Key().Implements(textMarshaler) {
			if rv.IsNil() {
				return w.Value(nil)
			}
			m := make(map[string]any, rv.Len())
			for key, value := range rv.Seq2() {
				m[key.String()] = value.Interface()
			}
			return writeObject(w, m, (*Writer).Value)
		}
	case reflect.Chan, reflect.Func, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer:
		return w.refuse("a value of type "+rv.Type().String(), nil)
	}
	return w.marshaled(v)
}

var textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()

// marshaled has encoding/json write v and formats the result like the rest.
func (w *Writer) marshaled(v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return w.refuse(fmt.Sprintf("a value of type %T that does not marshal", v), err)
	}
	return w.parsed(raw)
}

// parsed writes the value of a JSON text, so with its names sorted.
func (w *Writer) parsed(raw []byte) error {
	var r Reader
	r.Reset(raw)
	v, _ := r.Any()
	r.End()
	if len(r.problems) > 0 {
		return w.refuse("raw text that is not valid JSON: "+r.problems[0].Message, nil)
	}
	return w.Value(v)
}

func (w *Writer) refuse(what string, err error) error {
	return &ValueError{Message: what, Err: err}
}

// within prepends a step to the path of a refusal, on the way up. Of a long path the ends are kept.
func within(err error, step Step) error {
	const ends = 4
	ve, ok := errors.AsType[*ValueError](err)
	if !ok {
		return err
	}
	ve.Path = slices.Insert(ve.Path, 0, step)
	if len(ve.Path) > 2*ends+1 {
		ve.Path[ends] = Step{Index: -1}
		ve.Path = slices.Delete(ve.Path, ends+1, len(ve.Path)-ends)
	}
	return err
}

func writeList(w *Writer, n int, item func(i int) error) error {
	if err := w.open('['); err != nil {
		return err
	}
	for i := range n {
		w.Item(i == 0)
		if err := cmp.Or(item(i), w.checkLimit()); err != nil {
			w.depth--
			return within(err, Step{Index: int64(i)})
		}
	}
	w.End(']', n == 0)
	return nil
}

func writeObject[V any](w *Writer, m map[string]V, value func(*Writer, V) error) error {
	if err := w.open('{'); err != nil {
		return err
	}
	base := len(w.keys)
	for key := range m {
		w.keys = append(w.keys, key)
	}
	keys := w.keys[base:]
	slices.Sort(keys)
	for i, key := range keys {
		w.Item(i == 0)
		err := w.String(key)
		if err == nil {
			w.colon()
			err = cmp.Or(value(w, m[key]), w.checkLimit())
		}
		if err != nil {
			w.depth--
			w.keys = w.keys[:base]
			name := key // key itself would be allocated each time
			return within(err, Step{Name: &name})
		}
	}
	w.keys = w.keys[:base]
	w.End('}', len(m) == 0)
	return nil
}
