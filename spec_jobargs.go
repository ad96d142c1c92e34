package scriptspec

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/scriptspec/scriptspec/internal/strictjson"
)

// JobArgs holds the job arguments of a run: anything that JSON can represent. The script gets them as
// the attributes of an argparse.Namespace.
//
// Python distinguishes 1 from 1.0, so numbers are read as [json.Number], with their digits as written, and
// a float64 is written with a fraction: float64(1) as 1.0. [JobArg] converts.
type JobArgs map[string]any

// JobArg returns an argument as a T: an int, a float64, a string, a []string, a struct, whatever its
// JSON unmarshals to. Neither 1.5 nor 1.0 is an int, and 300 is not an int8; a float64 is the one
// nearest to the digits. The caller owns the result. The error is a [*FieldError] with CodeMissing or
// CodeType.
func JobArg[T any](args JobArgs, key string) (T, error) {
	var zero T
	v, ok := args[key]
	if !ok {
		return zero, jobArgError(key, CodeMissing, nil, "Missing required job arguments: %s", key)
	}
	if _, ok := v.(T); ok {
		return cloneValue(v, 1).(T), nil
	}
	if v == nil {
		switch reflect.TypeFor[T]().Kind() {
		case reflect.Interface, reflect.Pointer, reflect.Slice, reflect.Map:
			return zero, nil
		}
		return zero, jobArgTypeError[T](key, v, []byte("null"), nil)
	}
	raw, err := JobArgs{key: v}.value(key)
	if err != nil {
		return zero, unsupported(fieldJobArgs, keyed("job_args", key), key, err)
	}
	var t T
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&t); err != nil {
		return zero, jobArgTypeError[T](key, v, raw, err)
	}
	return t, nil
}

func jobArgTypeError[T any](key string, v any, raw []byte, err error) *FieldError {
	fe := jobArgError(key, CodeType, err, "job argument is not of type %s", reflect.TypeFor[T]().String()).
		hintf("it is %s", string(raw[:min(len(raw), 100)]))
	if isSecretName(key) {
		fe.Hint = ""
		return fe
	}
	fe.Value = v
	return fe
}

// MarshalJSON writes the arguments compactly, sorted by name.
func (a JobArgs) MarshalJSON() ([]byte, error) {
	if a == nil {
		return []byte("null"), nil
	}
	var w strictjson.Writer
	if err := a.write(&w); err != nil {
		return nil, unsupported(fieldJobArgs, "job_args", "", err)
	}
	return w.Buf, nil
}

// UnmarshalJSON reads an object; null means no arguments. Unlike encoding/json on its own it refuses
// duplicate names and keeps the digits of numbers.
func (a *JobArgs) UnmarshalJSON(data []byte) error {
	var r strictjson.Reader
	r.Reset(data)
	if r.Kind() == 'n' {
		*a = nil
		return nil
	}
	v, _ := r.Any()
	r.End()
	if ps := r.Problems(); len(ps) > 0 {
		return decodeError(data, "", "job_args"+stepsText(ps[0].Path), ps[0])
	}
	m, ok := v.(map[string]any)
	if !ok {
		return fieldErrorf(rank{section: int(fieldJobArgs)}, "job_args", CodeType, "job_args must be an object")
	}
	*a = m
	return nil
}

// value returns the JSON form of one argument.
func (a JobArgs) value(key string) ([]byte, error) {
	const depth = 2 // in a file it is inside of job_args, which is inside of the document
	w := strictjson.Writer{Compact: true, Limit: maxSpecFile}
	w.At(depth)
	err := w.Value(a[key])
	if !utf8.ValidString(key) {
		err = errNotUTF8
	}
	return w.Buf, err
}

// write appends the arguments as an object.
func (a JobArgs) write(w *strictjson.Writer) error { return w.Value(map[string]any(a)) }

// flaws returns every argument that JSON cannot represent.
func (a JobArgs) flaws() (flaws []flaw) {
	for key, v := range a {
		if utf8.ValidString(key) && isPlain(v, 1) {
			continue
		}
		if _, err := a.value(key); err != nil {
			flaws = append(flaws, flaw{place: keyed("", key), key: key, err: err})
		}
	}
	return flaws
}

// isPlain reports whether a value can be written as JSON, for the usual ones. False means that it does not know: only
// writing it tells.
func isPlain(v any, depth int) bool {
	const deepest = 16
	switch v := v.(type) {
	case nil, bool, int:
		return true
	case string:
		return utf8.ValidString(v)
	case float64:
		return !math.IsNaN(v) && !math.IsInf(v, 0)
	case json.Number:
		return isInteger(strings.TrimPrefix(string(v), "-"))
	case map[string]any:
		for key, element := range v {
			if depth == deepest || !utf8.ValidString(key) || !isPlain(element, depth+1) {
				return false
			}
		}
		return true
	case []any:
		return depth < deepest && !slices.ContainsFunc(v, func(element any) bool { return !isPlain(element, depth+1) })
	}
	return false
}

// isInteger reports whether text is a natural number as JSON writes it.
func isInteger(text string) bool {
	return text == "0" || text != "" && text[0] != '0' && strings.Trim(text, "0123456789") == ""
}

// problems returns flaws as errors of the field.
func (a JobArgs) problems() []*FieldError {
	var errs []*FieldError
	for _, found := range below(fields[fieldJobArgs].name, "", a.flaws()) {
		errs = append(errs, unwritable(fieldJobArgs, found))
	}
	return errs
}

func (a JobArgs) clone() JobArgs {
	if a == nil {
		return nil
	}
	c := maps.Clone(a)
	for key, v := range a {
		switch v.(type) {
		case nil, bool, string, json.Number, int, float64: // copied with the map
		default:
			c[key] = cloneValue(v, 1)
		}
	}
	return c
}

// equal reports whether both would be written as the same JSON. What JSON cannot represent is
// compared by [reflect.DeepEqual].
func (a JobArgs) equal(b JobArgs) bool {
	return maps.EqualFunc(a, b, func(x, y any) bool {
		if sameScalar(x, y) {
			return true
		}
		wx, wy := strictjson.Writer{Compact: true}, strictjson.Writer{Compact: true}
		if wx.Value(x) != nil || wy.Value(y) != nil {
			return reflect.DeepEqual(x, y)
		}
		return slices.Equal(wx.Buf, wy.Buf)
	})
}

// sameScalar answers the common cases without writing JSON. False means that it does not know.
func sameScalar(x, y any) bool {
	switch x := x.(type) {
	case nil:
		return y == nil
	case string:
		s, ok := y.(string)
		return ok && s == x
	case json.Number:
		n, ok := y.(json.Number)
		return ok && n == x
	case bool:
		b, ok := y.(bool)
		return ok && b == x
	}
	return false
}

// cloneValue copies slices, maps, arrays and the exported fields of structs, at any depth. Pointers are
// copied as they are, and so is what is nested too deep to be written, such as a map that holds
// itself.
func cloneValue(v any, depth int) any {
	switch v := v.(type) {
	case nil, bool, string, json.Number, int, int64, float64:
		return v
	}
	return cloneReflected(reflect.ValueOf(v), depth).Interface()
}

func cloneReflected(v reflect.Value, depth int) reflect.Value {
	if depth > strictjson.MaxDepth {
		return v
	}
	switch {
	case v.Kind() == reflect.Slice && !v.IsNil():
		c := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			c.Index(i).Set(cloneReflected(v.Index(i), depth+1))
		}
		return c
	case v.Kind() == reflect.Map && !v.IsNil():
		c := reflect.MakeMapWithSize(v.Type(), v.Len())
		for key, e := range v.Seq2() {
			c.SetMapIndex(key, cloneReflected(e, depth+1))
		}
		return c
	case v.Kind() == reflect.Array, v.Kind() == reflect.Struct:
		c := reflect.New(v.Type()).Elem()
		c.Set(v)
		for i := range parts(c) {
			if part := partOf(c, i); part.CanSet() {
				part.Set(cloneReflected(part, depth+1))
			}
		}
		return c
	case v.Kind() == reflect.Interface && !v.IsNil():
		c := reflect.New(v.Type()).Elem()
		c.Set(cloneReflected(v.Elem(), depth)) // an interface is not a level of its own
		return c
	}
	return v
}

// parts returns the number of elements of an array or fields of a struct.
func parts(v reflect.Value) int {
	if v.Kind() == reflect.Array {
		return v.Len()
	}
	return v.NumField()
}

func partOf(v reflect.Value, i int) reflect.Value {
	if v.Kind() == reflect.Array {
		return v.Index(i)
	}
	return v.Field(i)
}

func jobArgError(key string, code Code, err error, format string, args ...any) *FieldError {
	fe := fieldErrorf(rank{section: int(fieldJobArgs), key: key}, keyed("job_args", key), code, format, args...)
	fe.Err = err
	return fe
}

// unsupported returns the error for a part of a field that JSON cannot represent.
func unsupported(f field, path, key string, err error) *FieldError {
	fe := fieldErrorf(rank{section: int(f), key: key}, path, CodeUnsupported, "holds what JSON cannot carry: %s", err).
		hintf("store null, a string or a number instead")
	fe.Err = err
	if ve, ok := errors.AsType[*strictjson.ValueError](err); ok {
		fe.Path, fe.Err = path+stepsText(ve.Path), ve.Err
	}
	return fe
}

// stepsText returns steps as they follow a field name: ["x"][0].
func stepsText(steps []strictjson.Step) string {
	var b []byte
	for _, s := range steps {
		b = append(b, '[')
		switch {
		case s.Name != nil:
			b = strconv.AppendQuote(b, clip(*s.Name))
		case s.Index < 0:
			b = append(b, "..."...)
		default:
			b = strconv.AppendInt(b, s.Index, 10)
		}
		b = append(b, ']')
	}
	return string(b)
}
