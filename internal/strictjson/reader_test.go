package strictjson

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// read walks a whole document.
func read(data string) (any, []Problem) {
	var r Reader
	r.Reset([]byte(data))
	v, _ := r.Any()
	r.End()
	return v, r.Problems()
}

func TestReaderAccepts(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text string
		want any
	}{
		"scalars":             {`[null, true, false, "x"]`, []any{nil, true, false, "x"}},
		"numbers keep digits": {`[1.0, 1, -0, 1e400, 123456789012345678901234567890]`, numbers("1.0", "1", "-0", "1e400", "123456789012345678901234567890")},
		"nested":              {`{"a":{"b":[{}]}}`, map[string]any{"a": map[string]any{"b": []any{map[string]any{}}}}},
		"escapes":             {`"a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude80"`, "a\"\\/\b\f\n\r\té🚀"},
		"white space":         {" \r\n\t{ } \r\n", map[string]any{}},
		"names in NFC, NFD":   {"{\"\u00e9\":1,\"e\u0301\":2}", map[string]any{"\u00e9": json.Number("1"), "e\u0301": json.Number("2")}},
		"U+2028":              {"\"\u2028\"", "\u2028"},
		"deepest":             {strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth), nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, problems := read(test.text)
			require.Empty(t, problems)
			if test.want != nil {
				assert.Equal(t, test.want, got)
			}
		})
	}
}

func numbers(digits ...string) []any {
	list := make([]any, len(digits))
	for i, d := range digits {
		list[i] = json.Number(d)
	}
	return list
}

func TestReaderRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text   string
		kind   Kind
		offset int64
		words  string // part of the message
	}{
		"empty":                    {"", Empty, 0, "empty"},
		"only spaces":              {" \n", Empty, 0, "empty"},
		"byte order mark":          {"\ufeff{}", Encoding, 0, "byte order mark"},
		"UTF-16":                   {"{\x00}\x00", Encoding, 0, "UTF-16"},
		"UTF-16 with mark":         {"\xff\xfe{\x00", Encoding, 0, "UTF-16"},
		"cut in an object":         {`{"a": 1`, Truncated, 7, "too early"},
		"cut in a string":          {`{"a": "xy`, Truncated, 9, "too early"},
		"cut in a word":            {`[tru`, Truncated, 4, "too early"},
		"second document":          {`{} {}`, Trailing, 3, "one document"},
		"text behind":              {"{}\nx", Trailing, 3, "one document"},
		"NUL behind":               {"{}\x00\x00", Trailing, 2, "one document"},
		"duplicate name":           {"{\"a\": 1,\n \"a\": 2}", Duplicate, 10, "first at 1:2"},
		"duplicate name by escape": {`{"A": 1, "\u0041": 2}`, Duplicate, 9, "first at 1:2"},
		"duplicate name, deep":     {`[{"x": {"b": 1, "c": 2, "b": 3}}]`, Duplicate, 24, "first at 1:9"},
		"same name elsewhere":      {`{"a": {"a": 1}, "b": {"c": 1, "c": 2}}`, Duplicate, 30, "first at 1:23"},
		"NaN":                      {`{"a": NaN}`, Syntax, 6, "null or a string"},
		"Infinity":                 {`[Infinity]`, Syntax, 1, "null or a string"},
		"-Infinity":                {`[-Infinity]`, Syntax, 1, "null or a string"},
		"line comment":             {"{ // x\n}", Syntax, 2, "comments"},
		"block comment":            {"/* x */ {}", Syntax, 0, "comments"},
		"hash comment":             {"{\n# x\n}", Syntax, 2, "comments"},
		"single quotes":            {`{'a': 1}`, Syntax, 1, "double quotes"},
		"trailing comma in list":   {`[1,]`, Syntax, 2, "comma"},
		"trailing comma in object": {`{"a": 1, }`, Syntax, 7, "comma"},
		"Python literal":           {`{"a": True}`, Syntax, 6, "Python literal"},
		"None":                     {`{"a": None}`, Syntax, 6, "Python literal"},
		"leading zero":             {`[01]`, Syntax, 1, "leading zero"},
		"control character":        {"[\"a\nb\"]", Syntax, 3, "control character"},
		"lone high surrogate":      {`["\ud800"]`, Syntax, 2, "surrogate"},
		"lone low surrogate":       {`["\udc00x"]`, Syntax, 2, "surrogate"},
		"surrogates the wrong way": {`["\ude80\ud83d"]`, Syntax, 2, "surrogate"},
		"bad UTF-8":                {"[\"a\xffb\"]", Syntax, 3, "UTF-8"},
		"overlong UTF-8":           {"[\"\xc0\xaf\"]", Syntax, 2, "UTF-8"},
		"surrogate in UTF-8":       {"[\"\xed\xa0\x80\"]", Syntax, 2, "UTF-8"},
		"no colon":                 {`{"a" 1}`, Syntax, 5, "invalid"},
		"too deep":                 {strings.Repeat("[", MaxDepth+1) + strings.Repeat("]", MaxDepth+1), TooDeep, MaxDepth, "1000"},
		"too deep, objects":        {strings.Repeat(`{"a":`, MaxDepth+1) + "1" + strings.Repeat("}", MaxDepth+1), TooDeep, 5 * MaxDepth, "1000"},
		"a million brackets":       {strings.Repeat("[", 1_000_000), TooDeep, MaxDepth, "1000"},
		"conflict markers":         {"<<<<<<< HEAD\n{}", Syntax, 0, "invalid"},
		"filled with NUL":          {strings.Repeat("\x00", 64), Syntax, 0, "NUL"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, problems := read(test.text)
			require.Len(t, problems, 1)
			p := problems[0]
			assert.Equal(t, test.kind, p.Kind, p.Message)
			assert.Equal(t, test.offset, p.Offset, p.Message)
			assert.Contains(t, p.Message, test.words)
		})
	}
}

func TestReaderNotesWrongTypesAndGoesOn(t *testing.T) {
	t.Parallel()
	var r Reader
	r.Reset([]byte(`{"a": 1, "b": [true], "c": "fine"}`))
	require.True(t, r.Object())
	got := map[string]string{}
	for name, ok := r.Name(); ok; name, ok = r.Name() {
		key := string(name)
		if s, ok := r.String(); ok {
			got[key] = s
		}
	}
	r.End()
	assert.Equal(t, map[string]string{"c": "fine"}, got)
	require.Len(t, r.Problems(), 2)
	for i, want := range []Problem{
		{Offset: 6, Kind: Semantic, Message: "want a string, found a number"},
		{Offset: 14, Kind: Semantic, Message: "want a string, found a list"},
	} {
		p := r.Problems()[i]
		assert.Equal(t, want.Offset, p.Offset)
		assert.Equal(t, want.Kind, p.Kind)
		assert.Equal(t, want.Message, p.Message)
		assert.Equal(t, []string{"a", "b"}[i], *p.Path[0].Name)
	}
}

func TestReaderBool(t *testing.T) {
	t.Parallel()
	var r Reader
	r.Reset([]byte(`[true, false, 1, null]`))
	require.True(t, r.Array())
	var got [][2]bool
	for r.More() {
		value, ok := r.Bool()
		got = append(got, [2]bool{value, ok})
	}
	r.End()
	assert.Equal(t, [][2]bool{{true, true}, {false, true}, {}, {}}, got)
	require.Len(t, r.Problems(), 2)
	assert.Equal(t, "want a boolean, found a number", r.Problems()[0].Message)
}

func TestReaderRefusesAMemberOfWhatItReadLast(t *testing.T) {
	t.Parallel()
	var r Reader
	r.Reset([]byte(`{"a": [{"b": 1}]}`))
	require.True(t, r.Object())
	_, _ = r.Name()
	require.True(t, r.Array())
	require.True(t, r.More())
	r.Skip()
	r.RefuseMember(7, "c", "required", "missing")
	p := r.Problems()[0]
	assert.Equal(t, "required", p.Rule)
	require.Len(t, p.Path, 3)
	assert.Equal(t, "a", *p.Path[0].Name)
	assert.Zero(t, p.Path[1].Index)
	assert.Equal(t, "c", *p.Path[2].Name)
}

func TestReaderPath(t *testing.T) {
	t.Parallel()
	_, problems := read(`{"a/b~": [0, {"c": NaN}]}`)
	require.Len(t, problems, 1)
	var b strings.Builder
	for _, s := range problems[0].Path {
		if s.Name != nil {
			fmt.Fprintf(&b, "[%q]", *s.Name)
		} else {
			fmt.Fprintf(&b, "[%d]", s.Index)
		}
	}
	assert.Equal(t, `["a/b~"][1]["c"]`, b.String())
}

// What one duplicate, or a hundred, or deep names cost does not grow with the square of the text.
func TestReaderBoundsItsWork(t *testing.T) {
	t.Parallel()
	name := strings.Repeat("n", 8000)
	for what, text := range map[string]string{
		"late duplicate": strings.Repeat(`{"`+strings.Repeat("n", 100)+`":`, 900) + "[" + strings.Repeat(`{"a":1},`, 20000) + `{"a":1,"a":2}]` + strings.Repeat("}", 900),
		"deep names":     strings.Repeat(`{"`+name+`":`, 900) + `{"a":1,"a":2,"b":3,"b":4}` + strings.Repeat("}", 900),
		"nested twice":   strings.Repeat(`{"a":1,"a":`, 900) + "1" + strings.Repeat("}", 900),
		"many":           "{" + strings.Repeat(`"a":1,`, 300000) + `"a":1}`,
		"skipped":        strings.Repeat("[", 1_000_000),
		"objects":        "[" + strings.Repeat("{},", 1_000_000) + "{}]",
	} {
		_, problems := read(text)
		require.NotEmpty(t, problems, what)
		size := 0
		for _, p := range problems {
			size += len(p.Message)
			for _, s := range p.Path {
				if s.Name != nil {
					size += len(*s.Name)
				}
			}
		}
		assert.Less(t, size, 100_000, what)
		var r Reader
		r.Reset([]byte(text))
		r.String() // passes over it
		require.NotEmpty(t, r.Problems(), what)
	}
}

func TestReaderNamesBothPlacesOfEveryDuplicate(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(`{`)
	for i := range 20 {
		fmt.Fprintf(&b, `"k%d": 1, "k%d": 2, `, i, i)
	}
	text := b.String() + "\"x\": {\"k\": 1,\n\"k\": 2}}"
	var r Reader
	r.Reset([]byte(text))
	r.Raw()
	r.End()
	require.Len(t, r.Problems(), 21)
	for i, p := range r.Problems()[:20] {
		first := strings.Index(text, fmt.Sprintf(`"k%d"`, i)) + 1
		assert.Contains(t, p.Message, fmt.Sprintf("first at 1:%d;", first))
	}
	last := r.Problems()[20]
	assert.Contains(t, last.Message, fmt.Sprintf("first at 1:%d;", strings.Index(text, `{"k": 1`)+2))
	line, column := Position([]byte(text), last.Offset)
	assert.Equal(t, [2]int{2, 1}, [2]int{line, column})
}

func TestReaderIsReusable(t *testing.T) {
	t.Parallel()
	var r Reader
	for _, text := range []string{`{"a": }`, `[1]`, ``, `"x"`} {
		r.Reset([]byte(text))
		r.Any()
		r.End()
		_, problems := read(text)
		assert.Equal(t, problems, r.Problems(), text)
	}
}

func TestPosition(t *testing.T) {
	t.Parallel()
	data := []byte("ab\ncd\n")
	for offset, want := range [][2]int{{1, 1}, {1, 2}, {1, 3}, {2, 1}, {2, 2}, {2, 3}, {3, 1}} {
		line, column := Position(data, int64(offset))
		assert.Equal(t, want, [2]int{line, column}, "offset %d", offset)
	}
	line, column := Position(data, 99)
	assert.Equal(t, [2]int{3, 1}, [2]int{line, column}, "behind the end")
}
