package scriptspec

import (
	"errors"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"
)

// codec is what reading, writing, checking, copying and comparing need to know of a Go type. Each
// reflect.Value is a value of the type, to be set only by read and copy.
type codec struct {
	read  func(d *decoder, m *member, to reflect.Value)
	write func(e *encoder, from reflect.Value) []flaw
	check func(m *member, v reflect.Value, when occasion) []flaw
	copy  func(to, from reflect.Value)
	equal func(a, b reflect.Value) bool
	empty func(v reflect.Value) bool
}

// flaw is a part of a value that JSON cannot carry or that breaks a rule.
type flaw struct {
	place string // below the value: ["key"].path
	key   string // of the map entry that it is in, by which problems are ordered

	err error // why it cannot be written

	rules *textRules // the kind of text
	rule  *rule      // the one that it breaks
	text  string
}

// below moves flaws one level up, into the member or map entry at place.
func below(place, key string, flaws []flaw) []flaw {
	for i := range flaws {
		flaws[i].place = place + flaws[i].place
		if key != "" {
			flaws[i].key = key
		}
	}
	return flaws
}

// codecOf returns the codec of a Go type. To add a type of member, add it here; a struct needs nothing
// but JSON tags, and a field Extra if unknown members are to be kept.
func codecOf(t reflect.Type) *codec {
	switch t {
	case reflect.TypeFor[string]():
		return textCodec
	case reflect.TypeFor[[]string]():
		return listCodec
	case reflect.TypeFor[map[string]string]():
		return mapCodec
	case reflect.TypeFor[map[string]PathSpec]():
		return pathSpecsCodec(objectCodec(newLayout("a path spec", reflect.TypeFor[PathSpec](), pathSpecFields[:])))
	case reflect.TypeFor[JobArgs]():
		return jobArgsCodec
	case reflect.TypeFor[Timestamp]():
		return timestampCodec
	case reflect.TypeFor[float64]():
		return floatCodec
	case reflect.TypeFor[time.Duration]():
		return secondsCodec
	case reflect.TypeFor[int64]():
		return integerCodec[int64]()
	case reflect.TypeFor[int]():
		return integerCodec[int]()
	case reflect.TypeFor[map[string]any]():
		return jsonObjectCodec
	case reflect.TypeFor[Outcome]():
		return outcomeCodec
	case reflect.TypeFor[[]Example]():
		return examplesCodec(objectCodec(newLayout("an example", reflect.TypeFor[Example](), nestedTables[reflect.TypeFor[Example]()])))
	}
	table, ok := nestedTables[t]
	if !ok {
		table = tableOf(t)
	}
	return objectCodec(newLayout("an object", t, table))
}

// typed is a codec before its type is forgotten.
type typed[T any] struct {
	read  func(d *decoder, m *member) T
	write func(e *encoder, value T) []flaw
	check func(m *member, value T, when occasion) []flaw
	clone func(value T) T
	equal func(a, b T) bool
	empty func(value T) bool
}

func (t typed[T]) codec() *codec {
	c := &codec{
		read:  func(d *decoder, m *member, to reflect.Value) { set(to, t.read(d, m)) },
		write: func(e *encoder, from reflect.Value) []flaw { return t.write(e, get[T](from)) },
		check: func(*member, reflect.Value, occasion) []flaw { return nil },
		copy:  func(to, from reflect.Value) { set(to, t.clone(get[T](from))) },
		equal: func(a, b reflect.Value) bool { return t.equal(get[T](a), get[T](b)) },
		empty: func(v reflect.Value) bool { return t.empty(get[T](v)) },
	}
	if t.check != nil {
		c.check = func(m *member, v reflect.Value, when occasion) []flaw { return t.check(m, get[T](v), when) }
	}
	return c
}

// get returns the value of a T.
func get[T any](v reflect.Value) T {
	t, _ := reflect.TypeAssert[T](v)
	return t
}

// set sets a T that can be addressed.
func set[T any](v reflect.Value, t T) {
	p, _ := reflect.TypeAssert[*T](v.Addr())
	*p = t
}

// same is clone for a type without pointers.
func same[T any](value T) T { return value }

var textCodec = typed[string]{
	read:  func(d *decoder, m *member) string { return d.textOf(m.textRules()) },
	write: (*encoder).text,
	check: func(m *member, s string, when occasion) []flaw { return m.textRules().check(s, when) },
	clone: same[string],
	equal: func(a, b string) bool { return a == b },
	empty: func(s string) bool { return s == "" },
}.codec()

var listCodec = typed[[]string]{
	read:  func(d *decoder, m *member) []string { return d.list(m) },
	write: (*encoder).list,
	check: func(m *member, list []string, when occasion) (flaws []flaw) {
		for i, s := range list {
			found := m.textRules().check(s, when)
			if found == nil && m != nil && m.unique && slices.Contains(list[:i], s) {
				found = []flaw{{rules: m.textRules(), rule: &twice, text: s}}
			}
			if found != nil {
				flaws = append(flaws, below("["+strconv.Itoa(i)+"]", "", found)...)
			}
		}
		return flaws
	},
	clone: slices.Clone[[]string],
	equal: slices.Equal[[]string],
	empty: func(list []string) bool { return len(list) == 0 },
}.codec()

var mapCodec = typed[map[string]string]{
	read: func(d *decoder, m *member) map[string]string {
		return readMap(d, m.keyRules(), func(d *decoder) string { return d.textOf(m.textRules()) })
	},
	write: (*encoder).stringMap,
	check: func(m *member, values map[string]string, when occasion) (flaws []flaw) {
		keys, texts := m.keyRules(), m.textRules()
		for key, s := range values {
			if keys.broken(key, when) == nil && texts.broken(s, when) == nil {
				continue
			}
			flaws = append(flaws, m.checkEntry(key, when, texts.check(s, when))...)
		}
		return flaws
	},
	clone: maps.Clone[map[string]string],
	equal: maps.Equal[map[string]string, map[string]string],
	empty: func(m map[string]string) bool { return len(m) == 0 },
}.codec()

// floatCodec is for numbers that are not negative; a whole one is written without a fraction.
var floatCodec = typed[float64]{
	read: func(d *decoder, _ *member) float64 {
		text, ok := d.r.Number()
		value, err := text.Float64()
		if ok && (err != nil || value < 0) {
			d.r.Refuse(string(CodeFormat), "must be a finite number, 0 or more")
		}
		return value
	},
	write: func(e *encoder, value float64) []flaw {
		if value < 0 {
			return []flaw{{err: errNegative}}
		}
		if value == math.Trunc(value) && math.Abs(value) < 1<<53 {
			return flawOf(e.w.Value(int64(value)))
		}
		return flawOf(e.w.Value(value))
	},
	clone: same[float64],
	equal: func(a, b float64) bool { return a == b },
	empty: func(value float64) bool { return value == 0 },
}.codec()

// mostSeconds is what a time.Duration holds with room to spare.
const mostSeconds = 4e9

// secondsCodec is for times, which are numbers of seconds in a file.
var secondsCodec = typed[time.Duration]{
	read: func(d *decoder, m *member) time.Duration {
		var s float64
		floatCodec.read(d, m, reflect.ValueOf(&s).Elem())
		if s > mostSeconds {
			d.r.Refuse(string(CodeFormat), "is more seconds than a time limit can have")
		}
		return fromSeconds(s)
	},
	write: func(e *encoder, value time.Duration) []flaw {
		return floatCodec.write(e, reflect.ValueOf(value.Seconds()))
	},
	clone: same[time.Duration],
	equal: func(a, b time.Duration) bool { return a == b },
	empty: func(value time.Duration) bool { return value == 0 },
}.codec()

var errNegative = errors.New("it is negative")

// integerCodec is for whole numbers that are not negative.
func integerCodec[T int | int64]() *codec {
	return typed[T]{
		read: func(d *decoder, m *member) T {
			least := int64(0)
			if m != nil {
				least = m.least
			}
			text, ok := d.r.Number()
			value, err := text.Int64()
			if ok && (err != nil || value < least || int64(T(value)) != value) {
				d.r.Refuse(string(CodeFormat), "must be a whole number, "+strconv.FormatInt(least, 10)+" or more, without a fraction or an exponent")
			}
			return T(value)
		},
		write: func(e *encoder, value T) []flaw {
			if value < 0 {
				return []flaw{{err: errNegative}}
			}
			return flawOf(e.w.Value(int64(value)))
		},
		clone: same[T],
		equal: func(a, b T) bool { return a == b },
		empty: func(value T) bool { return value == 0 },
	}.codec()
}

// pathSpecsCodec is for objects whose values are path specs.
func pathSpecsCodec(element *codec) *codec {
	return typed[map[string]PathSpec]{
		read: func(d *decoder, m *member) map[string]PathSpec {
			return readMap(d, m.keyRules(), func(d *decoder) (p PathSpec) {
				element.read(d, m, reflect.ValueOf(&p).Elem())
				return p
			})
		},
		write: func(e *encoder, specs map[string]PathSpec) (flaws []flaw) {
			e.w.Begin('{')
			for i, key := range sortedKeys(specs) {
				e.w.Item(i == 0)
				p := specs[key]
				if found := append(flawOf(e.key(key)), element.write(e, reflect.ValueOf(&p).Elem())...); found != nil {
					flaws = append(flaws, below(keyed("", key), key, found)...)
				}
			}
			e.w.End('}', len(specs) == 0)
			return flaws
		},
		check: func(m *member, specs map[string]PathSpec, when occasion) (flaws []flaw) {
			for key, p := range specs {
				if found := m.checkEntry(key, when, element.check(m, reflect.ValueOf(&p).Elem(), when)); found != nil {
					flaws = append(flaws, found...)
				}
			}
			return flaws
		},
		clone: func(specs map[string]PathSpec) map[string]PathSpec {
			c := maps.Clone(specs)
			for key, p := range c {
				c[key] = p.Clone()
			}
			return c
		},
		equal: func(a, b map[string]PathSpec) bool { return maps.EqualFunc(a, b, PathSpec.Equal) },
		empty: func(specs map[string]PathSpec) bool { return len(specs) == 0 },
	}.codec()
}

var jobArgsCodec = typed[JobArgs]{
	read:  func(d *decoder, _ *member) JobArgs { return d.anyMap() },
	write: (*encoder).jobArgs,
	clone: JobArgs.clone,
	equal: JobArgs.equal,
	empty: func(a JobArgs) bool { return len(a) == 0 },
}.codec()

// jsonObjectCodec is for an object of any values.
var jsonObjectCodec = typed[map[string]any]{
	read:  func(d *decoder, _ *member) map[string]any { return d.anyMap() },
	write: func(e *encoder, m map[string]any) []flaw { return e.jobArgs(m) },
	clone: func(m map[string]any) map[string]any { return JobArgs(m).clone() },
	equal: func(a, b map[string]any) bool { return JobArgs(a).equal(b) },
	empty: func(m map[string]any) bool { return len(m) == 0 },
}.codec()

var outcomeCodec = typed[Outcome]{
	read:  func(d *decoder, _ *member) Outcome { return Outcome(d.text()) },
	write: func(e *encoder, o Outcome) []flaw { return e.text(string(o)) },
	clone: same[Outcome],
	equal: func(a, b Outcome) bool { return a == b },
	empty: func(o Outcome) bool { return o == "" },
}.codec()

// examplesCodec is for lists of examples.
func examplesCodec(element *codec) *codec {
	at := func(list []Example, i int) reflect.Value { return reflect.ValueOf(&list[i]).Elem() }
	place := func(i int) string { return "[" + strconv.Itoa(i) + "]" }
	return typed[[]Example]{
		read: func(d *decoder, m *member) []Example {
			list := []Example{}
			if d.r.Array() {
				for d.r.More() {
					list = append(list, Example{})
					element.read(d, m, at(list, len(list)-1))
				}
			}
			return list
		},
		write: func(e *encoder, list []Example) (flaws []flaw) {
			e.w.Begin('[')
			for i := range list {
				e.w.Item(i == 0)
				flaws = append(flaws, below(place(i), "", element.write(e, at(list, i)))...)
			}
			e.w.End(']', len(list) == 0)
			return flaws
		},
		check: func(m *member, list []Example, when occasion) (flaws []flaw) {
			for i := range list {
				flaws = append(flaws, below(place(i), "", element.check(m, at(list, i), when))...)
			}
			return flaws
		},
		clone: func(list []Example) []Example {
			c := slices.Clone(list)
			for i := range c {
				element.copy(at(c, i), at(list, i))
			}
			return c
		},
		equal: func(a, b []Example) bool {
			return slices.EqualFunc(a, b, func(x, y Example) bool {
				return element.equal(reflect.ValueOf(&x).Elem(), reflect.ValueOf(&y).Elem())
			})
		},
		empty: func(list []Example) bool { return len(list) == 0 },
	}.codec()
}

var timestampCodec = typed[Timestamp]{
	read:  func(d *decoder, _ *member) Timestamp { return d.time() },
	write: (*encoder).time,
	clone: same[Timestamp],
	equal: Timestamp.Equal,
	empty: func(t Timestamp) bool { return t.IsZero() && t.form != formNull },
}.codec()

// objectCodec is for a struct whose members are those of a table.
func objectCodec(l *layout) *codec {
	return &codec{
		read:  func(d *decoder, _ *member, to reflect.Value) { d.object(l, to) },
		write: func(e *encoder, from reflect.Value) []flaw { return e.object(l, from) },
		check: func(_ *member, v reflect.Value, when occasion) (flaws []flaw) {
			for i, c := range l.codecs {
				if found := c.check(&l.table[i], l.at(v, i), when); found != nil {
					flaws = append(flaws, below("."+l.names[i], "", found)...)
				}
			}
			return flaws
		},
		copy:  func(to, from reflect.Value) { l.copy(to, from, l) },
		equal: l.equal,
		empty: func(v reflect.Value) bool {
			for i, c := range l.codecs {
				if !c.empty(l.at(v, i)) {
					return false
				}
			}
			return l.extra < 0 || len(*l.extraOf(v)) == 0
		},
	}
}
