package strictjson

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type level int

type point struct {
	X float64 `json:"x"`
	Y string  `json:"y,omitempty"`
}

func write(t *testing.T, v any) string {
	t.Helper()
	var w Writer
	require.NoError(t, w.Value(v))
	return string(w.Buf)
}

func TestWriterValues(t *testing.T) {
	t.Parallel()
	seven := 7
	tests := map[string]struct {
		value any
		want  string
	}{
		"nil":               {nil, "null"},
		"bool":              {true, "true"},
		"int":               {-3, "-3"},
		"uint64":            {uint64(math.MaxUint64), "18446744073709551615"},
		"named int":         {level(2), "2"},
		"float is no int":   {1.0, "1.0"},
		"float32":           {float32(0.1), "0.1"},
		"small float":       {5e-324, "5e-324"},
		"large float":       {1e16, "1e+16"},
		"negative zero":     {math.Copysign(0, -1), "-0.0"},
		"number":            {json.Number("1.00"), "1.00"},
		"string":            {"<a>&\u2028\"\x01", "\"<a>&\u2028\\\"\\u0001\""},
		"empty list":        {[]any{}, "[]"},
		"empty object":      {map[string]any{}, "{}"},
		"nil list":          {[]string(nil), "null"},
		"floats in a slice": {[]float64{1, 2.5}, "[\n  1.0,\n  2.5\n]"},
		"map by key":        {map[string]int{"b": 1, "a": 2}, "{\n  \"a\": 2,\n  \"b\": 1\n}"},
		"map of ints":       {map[int]string{2: "b", 1: "a"}, "{\n  \"1\": \"a\",\n  \"2\": \"b\"\n}"},
		"bytes":             {[]byte("hi"), `"aGk="`},
		"raw":               {json.RawMessage(` {"b":1.0,"a":[ ]} `), "{\n  \"a\": [],\n  \"b\": 1.0\n}"},
		"struct":            {point{X: 1.5}, "{\n  \"x\": 1.5\n}"},
		"pointer":           {&seven, "7"},
		"nil pointer":       {(*int)(nil), "null"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, test.want, write(t, test.value))
		})
	}
}

func TestWriterRawKeepsTheOrder(t *testing.T) {
	t.Parallel()
	var w Writer
	require.NoError(t, w.Raw([]byte(` {"b":1.0,"a":[ ]} `)))
	assert.Equal(t, "{\n  \"b\": 1.0,\n  \"a\": []\n}", string(w.Buf))
	require.Error(t, w.Raw([]byte(`{"a":1,"a":2}`)))
}

func TestWriterRefuses(t *testing.T) {
	t.Parallel()
	loop := map[string]any{}
	loop["self"] = loop
	var pointer any
	pointer = &pointer
	tests := map[string]struct {
		value any
		path  string
		words string
	}{
		"NaN":               {map[string]any{"a": []any{1, math.NaN()}}, "a/1", "NaN"},
		"infinity":          {math.Inf(-1), "", "infinity"},
		"channel":           {map[string]any{"c": make(chan int)}, "c", "chan int"},
		"function":          {[]any{func() {}}, "0", "func"},
		"complex":           {1i, "", "complex128"},
		"bad UTF-8":         {[]string{"\xff"}, "0", "UTF-8"},
		"bad UTF-8 in key":  {map[string]any{"\xff": 1}, "\xff", "UTF-8"},
		"number":            {json.Number("NaN"), "", "json.Number"},
		"empty number":      {json.Number(""), "", "json.Number"},
		"number with space": {json.Number("1 "), "", "json.Number"},
		"raw duplicate":     {json.RawMessage(`{"a":1,"a":2}`), "", "raw"},
		"loop of maps":      {loop, "self/self/self/self/-1/self/self/self/self", "deep"},
		"loop of pointers":  {pointer, "", "deep"},
		"struct":            {struct{ C chan int }{}, "", "marshal"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var w Writer
			err := w.Value(test.value)
			ve, ok := errors.AsType[*ValueError](err)
			require.True(t, ok, "%v", err)
			assert.Contains(t, ve.Message, test.words)
			var path []string
			for _, s := range ve.Path {
				if s.Name != nil {
					path = append(path, *s.Name)
				} else {
					path = append(path, strconv.FormatInt(s.Index, 10))
				}
			}
			assert.Equal(t, strings.TrimSuffix(test.path, "/"), strings.Join(path, "/"))
		})
	}
}

// What is refused in between leaves the writer where it was, so that a caller can name all of it.
func TestWriterGoesOnAfterARefusal(t *testing.T) {
	t.Parallel()
	var w Writer
	require.Error(t, w.Value([]any{[]any{math.NaN()}}))
	w.Buf = w.Buf[:0]
	require.NoError(t, w.Value([]any{1}))
	assert.Equal(t, "[\n  1\n]", string(w.Buf))
}

// Floats are written as Python's repr writes them, so that a file that went through Python is the
// same file.
func TestWriterFloatsAreThoseOfPython(t *testing.T) {
	t.Parallel()
	python, err := exec.LookPath("python3")
	if err != nil && os.Getenv("CI") == "" {
		t.Skip("no python3")
	}
	require.NoError(t, err)
	floats := []float64{0, 1, -1, 0.1, 1.0 / 3, 1e15, 123456789012345680, 1e16, 1e21, 1e22, 1e100, 1e-4, 1e-5, 0.00012345, 5e-324, math.MaxFloat64, 100000, 1e6, 0.30000000000000004}
	out, err := exec.Command(python, "-c", "import sys, json; print(json.dumps(json.loads(sys.argv[1]), indent=2))", write(t, floats)).Output()
	require.NoError(t, err)
	assert.Equal(t, write(t, floats), strings.TrimSpace(string(out)))
}

func FuzzRoundTrip(f *testing.F) {
	for _, seed := range []string{`{}`, `[1.0,{"a":null}]`, `"\ud83d\ude80"`, `{"a":1,"a":2}`, `[NaN]`, "[\"\xff\"]", `{"a`, ``} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, problems := read(string(data))
		for _, p := range problems {
			require.GreaterOrEqual(t, p.Offset, int64(0))
			require.LessOrEqual(t, p.Offset, int64(len(data)))
			require.NotEmpty(t, p.Message)
		}
		if len(problems) > 0 {
			return
		}
		require.True(t, json.Valid(data), "accepted what encoding/json refuses")
		text := write(t, v)
		again, problems := read(text)
		require.Empty(t, problems)
		require.Equal(t, v, again)
		require.Equal(t, text, write(t, again))
	})
}
