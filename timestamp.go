package scriptspec

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Timestamp is a point in time as spec files have it, to the microsecond.
//
// Python writes datetime.now(), which has no zone. Such a naive time keeps its digits, with UTC as
// the location of the embedded [time.Time], and is written back without a zone: reading and
// writing never shift it by the zone of the machine. All other times have an offset.
//
// The zero Timestamp means that there is none.
type Timestamp struct {
	time.Time
	form timeForm
}

type timeForm uint8

const (
	formUnset timeForm = iota // as formAware, unless the time is zero: then there is none
	formAware
	formNaive // no zone, as Python's datetime.now() gives it
	formNull  // the file has null where others have no member; goes back as null
)

// now returns the current time in UTC.
func now() Timestamp { return NewTimestamp(time.Now().UTC()) }

// NewTimestamp returns t, truncated to the microsecond. Its zone is kept.
func NewTimestamp(t time.Time) Timestamp { return Timestamp{Time: t.Truncate(time.Microsecond)} }

// IsZero reports whether there is no time. Python's datetime.min is one, though it is the zero
// [time.Time].
func (t Timestamp) IsZero() bool {
	return t.form == formNull || t.form == formUnset && t.Time.IsZero()
}

// ParseTimestamp reads the forms that Python programs write: date and time with a space or T
// between them, 0 to 9 digits of a fraction, and no zone, Z, +HH:MM or +HHMM; a date alone; and
// the seconds or milliseconds since 1970 as digits. What is finer than a microsecond is cut off.
// The error does not repeat the text.
func ParseTimestamp(text string) (Timestamp, error) {
	p := timeParser{rest: text}
	if t, ok := p.parse(); ok {
		return t, nil
	}
	return epoch(text)
}

var errTimeFormat = errors.New("not a timestamp; want 2006-01-02T15:04:05.000000+00:00, without the offset for a local time")

// IsNaive reports whether the time was read without a zone.
func (t Timestamp) IsNaive() bool { return t.form == formNaive }

// Equal reports whether t and o are written alike or mean the same instant. A naive and an aware
// time are never equal.
func (t Timestamp) Equal(o Timestamp) bool {
	if t.IsZero() || o.IsZero() {
		return t.IsZero() == o.IsZero()
	}
	return t.IsNaive() == o.IsNaive() &&
		t.Truncate(time.Microsecond).Equal(o.Truncate(time.Microsecond))
}

// String returns the form that is written to files, or "" for the zero Timestamp.
func (t Timestamp) String() string {
	if t.IsZero() {
		return ""
	}
	text, err := t.appendText(nil)
	if err != nil {
		return t.Time.String()
	}
	return string(text)
}

// MarshalText returns the form of [Timestamp.String]; a year that Python cannot read (before 1 or
// after 9999) is an error.
func (t Timestamp) MarshalText() ([]byte, error) { return t.AppendText(nil) }

// UnmarshalText is [ParseTimestamp], with "" for the zero Timestamp.
func (t *Timestamp) UnmarshalText(text []byte) (err error) {
	if len(text) == 0 {
		*t = Timestamp{}
		return nil
	}
	*t, err = ParseTimestamp(string(text))
	return err
}

// AppendText is MarshalText for a buffer.
func (t Timestamp) AppendText(b []byte) ([]byte, error) {
	if t.IsZero() {
		return b, nil
	}
	return t.appendText(b)
}

// MarshalBinary is AppendText. Like UnmarshalBinary and the Gob methods it stands in the place of the
// one of [time.Time], which would lose that a time is naive.
func (t Timestamp) MarshalBinary() ([]byte, error) { return t.AppendText(nil) }

// UnmarshalBinary reads what MarshalBinary writes.
func (t *Timestamp) UnmarshalBinary(data []byte) error { return t.UnmarshalText(data) }

// GobEncode is MarshalBinary.
func (t Timestamp) GobEncode() ([]byte, error) { return t.MarshalBinary() }

// GobDecode is UnmarshalBinary.
func (t *Timestamp) GobDecode(data []byte) error { return t.UnmarshalBinary(data) }

// MarshalJSON writes a JSON string, or null for the zero Timestamp.
func (t Timestamp) MarshalJSON() ([]byte, error) {
	return t.appendJSON(nil)
}

func (t Timestamp) appendJSON(b []byte) ([]byte, error) {
	if t.IsZero() {
		return append(b, "null"...), nil
	}
	b, err := t.appendText(append(b, '"'))
	return append(b, '"'), err
}

// UnmarshalJSON reads what [ParseTimestamp] reads, as a string or a number, and null.
func (t *Timestamp) UnmarshalJSON(data []byte) error {
	text := string(data)
	switch {
	case text == "null":
		*t = Timestamp{form: formNull}
		return nil
	case len(text) > 0 && text[0] == '"':
		var err error
		if text, err = strconv.Unquote(text); err != nil {
			return errTimeFormat
		}
	}
	parsed, err := ParseTimestamp(text)
	if err != nil {
		return err
	}
	*t = parsed
	return nil
}

func (t Timestamp) appendText(b []byte) ([]byte, error) {
	tm := t.Time
	if _, offset := tm.Zone(); t.form != formNaive && (offset%60 != 0 || offset <= -24*3600 || offset >= 24*3600) {
		tm = tm.UTC() // RFC 3339 would round the offsets of local mean times
	}
	if err := checkYear(tm); err != nil {
		return b, err
	}
	start := len(b)
	b = tm.AppendFormat(b, time.RFC3339) // which takes half the time of a layout with a fraction
	end := start + len("2006-01-02T15:04:05")
	var zone [len("-07:00")]byte
	n := copy(zone[:], b[end:])
	b = append(b[:end], '.')
	micros := tm.Nanosecond() / 1000
	for unit := 100_000; unit > 0; unit /= 10 {
		b = append(b, '0'+byte(micros/unit%10))
	}
	switch {
	case t.form == formNaive:
		return b, nil
	case zone[0] == 'Z':
		return append(b, "+00:00"...), nil
	}
	return append(b, zone[:n]...), nil
}

func checkYear(t time.Time) error {
	if y := t.Year(); y < 1 || y > 9999 {
		return fmt.Errorf("year %d is outside 1 to 9999, which is all that Python's datetime has", y)
	}
	return nil
}

// instant returns the moment t means. A naive time is taken in the local zone, as Python does.
func (t Timestamp) instant() time.Time {
	if t.form != formNaive || t.IsZero() {
		return t.Time
	}
	y, mo, d := t.Date()
	h, mi, s := t.Clock()
	return time.Date(y, mo, d, h, mi, s, t.Nanosecond(), time.Local)
}

// epoch reads a decimal number the way pydantic does: if its integer part is beyond 2e10 it is
// milliseconds, up to it seconds. Digit by digit, because a float64 has not enough of them.
func epoch(text string) (Timestamp, error) {
	const watershed = 20_000_000_000
	digits, negative := strings.CutPrefix(text, "-")
	if !negative {
		digits = strings.TrimPrefix(digits, "+")
	}
	whole, fraction, _ := strings.Cut(digits, ".")
	if whole == "" && fraction != "" {
		whole = "0"
	}
	n, err := strconv.ParseUint(whole, 10, 63)
	if err != nil || strings.Trim(fraction, "0123456789") != "" || len(fraction) > 32 || n > 1<<48 {
		return Timestamp{}, errTimeFormat
	}
	places := 6
	if n > watershed {
		places = 3
	}
	fraction = (fraction + "0000000")[:places+1]
	sub, err := strconv.ParseInt(fraction, 10, 64)
	if err != nil {
		return Timestamp{}, errTimeFormat
	}
	micros := (sub + 5) / 10 // rounded at the last place that is kept
	for range places {
		n *= 10
	}
	total := int64(n) + micros
	if negative {
		total = -total
	}
	t := time.UnixMicro(total).UTC()
	if checkYear(t) != nil {
		return Timestamp{}, errTimeFormat
	}
	return Timestamp{Time: t, form: formAware}, nil
}

// timeParser reads a date with an optional time from the front of rest.
type timeParser struct{ rest string }

func (p *timeParser) parse() (Timestamp, bool) {
	year, ok1 := p.digits(4)
	ok1 = ok1 && p.accept("-")
	month, ok2 := p.digits(2)
	ok2 = ok2 && p.accept("-")
	day, ok3 := p.digits(2)
	if !ok1 || !ok2 || !ok3 || year < 1 || month < 1 || month > 12 || day < 1 || day > 28 && day > daysIn(year, month) {
		return Timestamp{}, false
	}
	var hour, minute, sec, nsec int
	loc, form := time.UTC, formNaive
	if p.rest != "" {
		var ok bool
		if !p.accept("Tt _") {
			return Timestamp{}, false
		}
		if hour, minute, sec, nsec, ok = p.clock(); !ok {
			return Timestamp{}, false
		}
		if p.rest != "" {
			if loc, ok = p.zone(); !ok {
				return Timestamp{}, false
			}
			form = formAware
		}
	}
	t := time.Date(year, time.Month(month), day, hour, minute, sec, nsec, loc)
	return Timestamp{Time: t, form: form}, p.rest == ""
}

func (p *timeParser) clock() (hour, minute, sec, nsec int, ok bool) {
	hour, ok = p.digits(2)
	if !ok || !p.accept(":") {
		return 0, 0, 0, 0, false
	}
	if minute, ok = p.digits(2); !ok {
		return 0, 0, 0, 0, false
	}
	if p.accept(":") {
		if sec, ok = p.digits(2); !ok {
			return 0, 0, 0, 0, false
		}
		if p.accept(".,") {
			n := 0
			for n < len(p.rest) && p.rest[n] >= '0' && p.rest[n] <= '9' {
				n++
			}
			if n == 0 || n > 9 {
				return 0, 0, 0, 0, false
			}
			kept := min(n, 6)
			nsec, _ = strconv.Atoi(p.rest[:kept])
			for range 9 - kept {
				nsec *= 10
			}
			p.rest = p.rest[n:]
		}
	}
	return hour, minute, sec, nsec, hour < 24 && minute < 60 && sec < 60
}

func (p *timeParser) zone() (*time.Location, bool) {
	if p.accept("Zz") {
		return time.UTC, true
	}
	negative := len(p.rest) > 0 && p.rest[0] == '-'
	if !p.accept("+-") {
		return nil, false
	}
	h, ok := p.digits(2)
	if !ok {
		return nil, false
	}
	p.accept(":")
	m, ok := p.digits(2)
	if !ok || h > 23 || m > 59 {
		return nil, false
	}
	offset := h*3600 + m*60
	if negative {
		offset = -offset
	}
	if offset == 0 {
		return time.UTC, true
	}
	return time.FixedZone("", offset), true
}

// accept consumes one byte if it is one of set.
func (p *timeParser) accept(set string) bool {
	if p.rest == "" {
		return false
	}
	for i := range len(set) {
		if p.rest[0] == set[i] {
			p.rest = p.rest[1:]
			return true
		}
	}
	return false
}

// digits consumes exactly n digits.
func (p *timeParser) digits(n int) (v int, ok bool) {
	if len(p.rest) < n {
		return 0, false
	}
	for _, c := range []byte(p.rest[:n]) {
		if c < '0' || c > '9' {
			return 0, false
		}
		v = v*10 + int(c-'0')
	}
	p.rest = p.rest[n:]
	return v, true
}

func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}
