package pydriver

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func frame(name, text string) string { return fmt.Sprintf("token %s %d\n%s", name, len(text), text) }

func TestParseReport(t *testing.T) {
	t.Parallel()
	whole := frame("driver", "code") + frame("hello", "3.11.7") + frame("main", "") + frame("outcome", Failed) +
		frame("error_message", "two\nlines") + frame("exit_code", "3") + frame("end", "")
	r, err := parseReport([]byte(whole), "token")
	require.NoError(t, err)
	assert.Equal(t, &Report{
		Python: "3.11.7", Bytecode: Bytecode{driver: []byte("code")}, HasMainFunction: true, Outcome: Failed, ErrorMessage: "two\nlines", ExitCode: 3,
	}, r)
	for text, want := range map[string]error{
		"":                                      ErrNoReport,
		frame("hello", "3.8.1"):                 ErrNoReport,
		whole + "x":                             ErrGarbage,
		"x" + whole:                             ErrGarbage,
		strings.Replace(whole, "token", "x", 1): ErrGarbage,
		whole[:len(whole)-1]:                    ErrGarbage,
		frame("what", ""):                       ErrGarbage,
		frame("exit_code", "many"):              ErrGarbage,
		"token end -1\n":                        ErrGarbage,
		"token end +0\n":                        ErrGarbage,
		"token  end 0\n":                        ErrGarbage,
		frame("end", "text"):                    ErrGarbage,
		"token end 99999999999999999999\n":      ErrGarbage,
		frame("hello", "3") + frame("driver", ""):     ErrGarbage, // from the script, to be run by the next
		frame("hello", "3") + "\n" + frame("end", ""): ErrGarbage,
	} {
		r, err := parseReport([]byte(text), "token")
		require.ErrorIs(t, err, want, "%q", text)
		assert.NotNil(t, r)
	}
	r, _ = parseReport([]byte(frame("hello", "3")+frame("driver", "forged")+frame("start", "forged")), "token")
	assert.Empty(t, r.Bytecode.driver)
}

// Whatever a script writes, it is no report unless it has the token, and it is taken in whole.
func FuzzParseReport(f *testing.F) {
	f.Add([]byte(frame("hello", "3.11.7") + frame("outcome", Returned) + frame("end", "")))
	f.Add([]byte("token outcome 8\nreturnedtoken end 0\n"))
	f.Add([]byte("token end 2\n00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := parseReport(data, "token")
		require.NotNil(t, r)
		if err == nil {
			assert.Contains(t, string(data), "token end 0\n")
		} else {
			assert.True(t, errors.Is(err, ErrGarbage) || errors.Is(err, ErrNoReport))
		}
		if _, err = parseReport(data, "other"); len(data) > 0 {
			assert.ErrorIs(t, err, ErrGarbage)
		}
	})
}

// The bytes are those of CPython's marshal.dumps(..., 2).
func TestMarshal(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		value any
		want  string
	}{
		{nil, "N"}, {true, "T"}, {false, "F"},
		{"é", "u\x02\x00\x00\x00\xc3\xa9"},
		{[]byte("\x00a"), "s\x02\x00\x00\x00\x00a"},
		{json.Number("-2"), "i\xfe\xff\xff\xff"},
		{json.Number("2147483648"), "l\x03\x00\x00\x00\x00\x00\x00\x00\x02\x00"},
		{json.Number("-1267650600228229401496703205375"), "l\xf9\xff\xff\xff" + strings.Repeat("\xff\x7f", 6) + "\xff\x03"},
		{json.Number("1.5"), "g\x00\x00\x00\x00\x00\x00\xf8?"},
		{json.Number("1e400"), "g\x00\x00\x00\x00\x00\x00\xf0\x7f"},
		{[]string{"a"}, "[\x01\x00\x00\x00u\x01\x00\x00\x00a"},
		{map[string]any{"b": nil, "a": true}, "{u\x01\x00\x00\x00aTu\x01\x00\x00\x00bN0"},
	} {
		data, err := appendMarshal(nil, test.value)
		require.NoError(t, err, "%v", test.value)
		assert.Equal(t, test.want, string(data), "%v", test.value)
	}
	for _, value := range []any{1, json.Number("x"), []any{struct{}{}}, map[string]any{"a": 1}} {
		_, err := appendMarshal(nil, value)
		require.Error(t, err, "%v", value)
	}
}
