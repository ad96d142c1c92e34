package scriptspec

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/scriptspec/scriptspec/internal/strictjson"
)

// Encode writes a spec as the JSON of spec files: indented by two spaces, members in the order of the
// design note, then Extra sorted by name, maps sorted by key, {} for an empty map, and a newline at the
// end. The same spec always gives the same bytes.
//
// Before it writes anything it refuses, with a [*ValidationError], a script name that fails
// [IsScriptName] or is too long for a file name, a step name that [ParseStepName] refuses, names of
// environment variables that no process can have, NUL in names, paths and values, and what JSON
// cannot represent. Whatever else Validate reports, such as empty paths, is written: a spec may be
// saved before it is finished. Decode reads all that Encode writes, and also names that need fixing.
func Encode(w io.Writer, s Spec) error {
	e, err := encode(s, 0)
	if err != nil {
		return err
	}
	defer e.release()
	n, err := w.Write(e.w.Buf)
	if err == nil && n < len(e.w.Buf) {
		err = io.ErrShortWrite
	}
	return err
}

// encoder writes the members of a spec and collects what cannot be written.
type encoder struct {
	w    strictjson.Writer
	errs []*FieldError

	// A reader bounds the cost of values, so that small files cannot fill its memory.
	costliest field // of the fields so far
	most      int   // its cost
	before    int   // of all fields before the current one
}

// encoders are reused for their buffers.
var encoders = sync.Pool{New: func() any { return new(encoder) }}

// encode returns an encoder with the text of the spec in its buffer, to be released after use. With a
// limit other than 0 it fails soon after the text is longer than that.
func encode(s Spec, limit int) (*encoder, error) { return encodeAt(s, limit, 0) }

// encodeAt is encode for a spec that is nested in another document, depth levels deep.
func encodeAt(s Spec, limit, depth int) (*encoder, error) {
	if isNil(s) {
		return nil, validateRules(s)
	}
	if errs := ruleErrors(s, storing); len(errs) > 0 {
		return nil, newValidationError(subject(s), errs)
	}
	e := encoders.Get().(*encoder)
	e.w.Limit = limit
	e.w.At(depth)
	e.document(s)
	if depth == 0 {
		e.w.Buf = append(e.w.Buf, '\n')
	}
	if limit > 0 && len(e.w.Buf) > limit { // other errors are its consequences
		e.release()
		return nil, errTooLong
	}
	if len(e.errs) == 0 && !e.w.Readable() {
		e.errs = append(e.errs, fieldErrorf(rank{section: int(e.costliest)}, fields[e.costliest].name, CodeUnsupported,
			"holds more values than a document of its size may have").hintf("keep them in a file of their own, as an input"))
	}
	if len(e.errs) > 0 {
		defer e.release()
		return nil, newValidationError(subject(s), e.errs)
	}
	return e, nil
}

// release returns the encoder to the pool.
func (e *encoder) release() {
	if cap(e.w.Buf) > keepBuffer {
		return
	}
	*e = encoder{w: e.w}
	e.w.Reset()
	encoders.Put(e)
}

// document writes a spec.
func (e *encoder) document(s Spec) {
	l, v := layoutOf(withVersion(s))
	e.members(l, v, func(i int, flaws []flaw) {
		for _, found := range flaws {
			e.errs = append(e.errs, unwritable(field(i), found))
		}
		e.count(field(i))
	})
}

var errTooLong = errors.New("longer than the limit")

var errNotUTF8 = errors.New("text that is not valid UTF-8")

// count adds the cost of a field.
func (e *encoder) count(f field) {
	if cost := e.w.Cost() - e.before; cost > e.most {
		e.costliest, e.most = f, cost
	}
	e.before = e.w.Cost()
}

// members writes the struct v as an object and calls done after each member with its flaws, and after
// those of Extra with the index after the last: their problems are reported last.
func (e *encoder) members(l *layout, v reflect.Value, done func(i int, flaws []flaw)) {
	e.w.Begin('{')
	empty, plain := true, l.isPlain(v)
	for i, c := range l.codecs {
		if !l.has(i) || plain && l.inMeta[i] {
			continue
		}
		p := l.at(v, i)
		if !l.table[i].always && c.empty(p) {
			continue
		}
		e.w.Item(empty)
		empty = false
		e.w.Name(l.names[i])
		flaws := c.write(e, p)
		if flaws != nil {
			flaws = below(l.names[i], "", flaws)
		}
		done(i, flaws)
	}
	if extra := l.extraOf(v); extra != nil && len(*extra) > 0 {
		done(len(l.table), e.extra(*extra, l.taken(v), empty))
		empty = false
	}
	e.w.End('}', empty)
}

// object writes the struct v as an object and returns its flaws.
func (e *encoder) object(l *layout, v reflect.Value) (all []flaw) {
	e.members(l, v, func(_ int, flaws []flaw) {
		if flaws != nil {
			all = append(all, below(".", "", flaws)...)
		}
	})
	return all
}

// extra writes unknown members, which must not have the names of known ones.
func (e *encoder) extra(extra map[string]json.RawMessage, known []string, first bool) (flaws []flaw) {
	for _, key := range sortedKeys(extra) {
		e.w.Item(first)
		first = false
		err := e.key(key)
		if err == nil {
			err = e.w.Raw(extra[key])
		}
		if err != nil {
			flaws = append(flaws, flaw{place: printable(key), key: key, err: err})
		}
		for _, name := range known {
			if strings.EqualFold(key, name) {
				flaws = append(flaws, flaw{place: printable(key), key: key, err: nameTakenError(name)})
			}
		}
	}
	return flaws
}

// nameTakenError is the name of a known member that one of Extra has as well.
type nameTakenError string

func (e nameTakenError) Error() string {
	return "a member of Extra has the name of the field " + string(e)
}

// unwritable returns the error for a flaw that keeps a field from being written.
func unwritable(f field, found flaw) *FieldError {
	if taken, ok := errors.AsType[nameTakenError](found.err); ok {
		return fieldErrorf(rank{section: int(f), key: found.key}, found.place, CodeFormat, "%s", taken)
	}
	if errors.Is(found.err, errNegative) {
		return fieldErrorf(rank{section: int(f), key: found.key}, found.place, CodeFormat, "%s is negative", found.place)
	}
	return unsupported(f, found.place, found.key, found.err)
}

// key writes a member name that may need escapes.
func (e *encoder) key(key string) error {
	err := e.w.String(key)
	e.w.Buf = append(e.w.Buf, ':', ' ')
	return err
}

func (e *encoder) text(s string) []flaw { return flawOf(e.w.String(s)) }

func (e *encoder) list(list []string) (flaws []flaw) {
	e.w.Begin('[')
	for i, s := range list {
		e.w.Item(i == 0)
		if err := e.w.String(s); err != nil {
			flaws = append(flaws, flaw{place: fmt.Sprintf("[%d]", i), err: err})
		}
	}
	e.w.End(']', len(list) == 0)
	return flaws
}

func (e *encoder) stringMap(m map[string]string) (flaws []flaw) {
	err := e.w.StringMap(m)
	if err == nil {
		return nil
	}
	// Name every bad entry.
	for key, value := range m {
		if !utf8.ValidString(key) || !utf8.ValidString(value) {
			flaws = append(flaws, flaw{place: keyed("", key), key: key, err: errNotUTF8})
		}
	}
	if flaws == nil {
		flaws = flawOf(err)
	}
	return flaws
}

func (e *encoder) jobArgs(args JobArgs) []flaw {
	err := args.write(&e.w)
	if err == nil {
		return nil
	}
	flaws := args.flaws()
	if flaws == nil {
		flaws = flawOf(err) // whatever it is, the text is incomplete
	}
	return flaws
}

func (e *encoder) time(t Timestamp) []flaw {
	var err error
	e.w.Buf, err = t.appendJSON(e.w.Buf)
	return flawOf(err)
}

// flawOf returns an error as a flaw of the whole value.
func flawOf(err error) []flaw {
	if err == nil {
		return nil
	}
	return []flaw{{err: err}}
}
