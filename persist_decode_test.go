package scriptspec_test

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// idle is a reader that never has anything, nor an end.
type idle struct{ length int }

func (idle) Read([]byte) (int, error) { return 0, nil }
func (i idle) Len() int               { return i.length }

func TestDecodeFromOddReaders(t *testing.T) {
	t.Parallel()
	for _, length := range []int{0, -5, math.MaxInt} {
		_, err := scriptspec.Decode(idle{length}, &scriptspec.DecodeOptions{MaxBytes: math.MaxInt64})
		require.ErrorIs(t, err, io.ErrNoProgress)
	}
}

func TestDecodeKeepsEverything(t *testing.T) {
	t.Parallel()
	const text = `{
  "script_name": "a",
  "step_name": "A_b",
  "script_path": "a.py",
  "input_paths": {},
  "output_paths": {},
  "environ_vars": {
    "EMPTY": "",
    "LINES": "a\nb=c"
  },
  "job_args": {
    "big": 123456789012345678901234567890,
    "float": 1.0,
    "huge": 1e400,
    "negative_zero": -0,
    "nested": [
      {
        "a": null
      },
      [],
      {}
    ],
    "nul": "a\u0000b",
    "text": "<>&\"\\é🚀"
  },
  "created_at": "2025-09-09T22:14:23.123456",
  "updated_at": null,
  "last_updated": "2026-11-22T08:17:10.017744",
  "user_notes": null
}
`
	s, err := decode(text)
	require.NoError(t, err)
	assert.Equal(t, text, encode(t, s))
	assert.Equal(t, text, encode(t, s.Basic()))
	b := s.Basic()
	assert.Equal(t, jsonNumber("1.0"), b.JobArgs["float"])
	assert.Equal(t, jsonRaw("null"), b.Extra["user_notes"])
	assert.True(t, b.CreatedAt.IsNaive())
	assert.True(t, b.UpdatedAt.IsZero())
}

func TestDecodeForms(t *testing.T) {
	t.Parallel()
	s, err := decode(`{"script_path":null,"step_name":"A","script_name":"a"}`)
	require.NoError(t, err)
	basic, ok := s.(*scriptspec.ScriptExecutionSpec)
	require.True(t, ok)
	assert.Empty(t, basic.ScriptPath)
	basic.AddInputPath("x", "/x")
	basic.AddJobArg("y", 1)

	s, err = decode(`{"script_name":"My-Script","step_name":"bad step"}`)
	require.NoError(t, err, "names that can be mended load")
	assert.Equal(t, []scriptspec.Fix{{Field: "script_name", From: "My-Script", To: "my_script", Message: "Fixed script_name format: My-Script -> my_script"}},
		s.(*scriptspec.ScriptExecutionSpec).AutoFixCommonIssues())

	// An enhanced file may carry the plain maps too, as long as they agree.
	s, err = decode(`{"script_name":"a","step_name":"A","input_paths":{"i":"/i"},"output_paths":{"o":"/o"},
		"input_path_specs":{"i":{"logical_name":"i","path":"/i","aliases":["x"],"unit":"m"}}}`)
	require.NoError(t, err)
	e, ok := s.(*scriptspec.EnhancedScriptExecutionSpec)
	require.True(t, ok)
	assert.Equal(t, []string{"x"}, e.InputPathSpecs["i"].Aliases)
	assert.Equal(t, jsonRaw(`"m"`), e.InputPathSpecs["i"].Extra["unit"])
	assert.Equal(t, "/o", e.OutputPathSpecs["o"].Path, "a side with only the plain map is taken from it")
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	const head = `{"script_name":"a","step_name":"A",` + "\n"
	for name, test := range map[string]struct{ text, want string }{
		"empty":                  {"", "f.json:1:1: the file is empty"},
		"cut off":                {head + `"job_args": {"a"`, `f.json:2:17: job_args["a"]: the document ends too early; the file was cut off`},
		"list":                   {"[]", "f.json:1:1: want an object, found a list"},
		"second document":        {head + `"job_args":{}}{}`, "f.json:2:15: text after the end of the document; a file holds one document"},
		"no script_name":         {`{"step_name":"A"}`, "f.json:1:1: script_name: missing; a spec needs it"},
		"null script_name":       {`{"step_name":"A","script_name":null}`, "f.json:1:32: script_name: want a string, found null"},
		"hostile name":           {`{"step_name":"A","script_name":"../x"}`, "f.json:1:32: script_name: script_name must be in snake_case format; this one cannot be part of a file name"},
		"null map":               {head + `"input_paths":null}`, "f.json:2:15: input_paths: want an object, found null"},
		"null path":              {head + `"input_paths":{"x":null}}`, `f.json:2:20: input_paths["x"]: want a string, found null`},
		"number in environment":  {head + `"environ_vars":{"x":1}}`, `f.json:2:21: environ_vars["x"]: want a string, found a number`},
		"list of arguments":      {head + `"job_args":[1]}`, "f.json:2:12: job_args: want an object, found a list"},
		"case":                   {head + `"Script_Path":"x"}`, "f.json:2:1: Script_Path: differs from script_path only in case; write script_path"},
		"long s":                 {head + "\"\u017fcript_path\":\"x\"}", "f.json:2:1: \u017fcript_path: differs from script_path only in case; write script_path"},
		"duplicate":              {head + `"job_args":{"a":1,"\u0061":2}}`, `f.json:2:19: job_args["a"]: duplicate name, first at 2:13; keep one of them`},
		"time":                   {head + `"created_at":"secret"}`, "f.json:2:14: created_at: not a timestamp; want 2006-01-02T15:04:05.000000+00:00, without the offset for a local time"},
		"boolean time":           {head + `"created_at":true}`, "f.json:2:14: created_at: want a string, found a boolean"},
		"NUL in path":            {head + `"input_paths":{"x":"\u0000"}}`, `f.json:2:20: input_paths["x"]: holds a NUL byte, which no name or path may`},
		"environment name":       {head + `"environ_vars":{"A=B":"secret"}}`, `f.json:2:17: environ_vars["A=B"]: environment variable name holds '=' or a line break`},
		"empty environment name": {head + `"environ_vars":{"":"secret"}}`, `f.json:2:17: environ_vars[""]: environment variable name is empty`},
		"NaN":                    {head + `"job_args":{"x":[NaN]}}`, `f.json:2:18: job_args["x"][0]: NaN and Infinity are not JSON; Python's json.dump writes this, use null or a string`},
		"contradiction":          {head + `"input_paths":{"i":"/other"},"input_path_specs":{"i":{"logical_name":"i","path":"/i"}}}`, "f.json:2:15: input_paths: contradicts input_path_specs; remove input_paths or make them agree"},
		"path spec":              {head + `"input_path_specs":{"i":{"path":"/i"}}}`, `f.json:2:25: input_path_specs["i"]: a path spec needs the members logical_name and path`},
		"alias":                  {head + `"input_path_specs":{"i":{"logical_name":"i","path":"/i","aliases":["a",1]}}}`, `f.json:2:72: input_path_specs["i"].aliases[1]: want a string, found a number`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := decode(test.text)
			assert.Nil(t, s)
			de, ok := errors.AsType[*scriptspec.DecodeError](err)
			require.True(t, ok, "%v", err)
			assert.EqualError(t, err, test.want)
			assert.Equal(t, "f.json", de.File)
		})
	}
}

func TestDecodeReportsSeveralProblems(t *testing.T) {
	t.Parallel()
	_, err := decode(`{"script_name": 1, "job_args": [], "environ_vars": {"A": 1, "B": {}}, "updated_at": {}}`)
	require.Error(t, err)
	assert.Equal(t, []string{
		`f.json:1:1: step_name: missing; a spec needs it`,
		`f.json:1:17: script_name: want a string, found a number`,
		`f.json:1:32: job_args: want an object, found a list`,
		`f.json:1:58: environ_vars["A"]: want a string, found a number`,
		`f.json:1:66: environ_vars["B"]: want a string, found an object`,
		`f.json:1:85: updated_at: want a string, found an object`,
	}, strings.Split(err.Error(), "\n"))
	de, ok := errors.AsType[*scriptspec.DecodeError](err)
	require.True(t, ok)
	assert.Equal(t, "step_name", de.Path)
}

func TestDecodeOptions(t *testing.T) {
	t.Parallel()
	const text = `{"script_name":"a","step_name":"A","enviro_vars":{},"inputPaths":{},"zzz":1}`
	_, err := decode(text)
	require.NoError(t, err)
	_, err = scriptspec.Decode(strings.NewReader(text), &scriptspec.DecodeOptions{Strict: true})
	require.Error(t, err)
	assert.Equal(t, []string{
		"1:36: enviro_vars: unknown member (did you mean environ_vars?)",
		"1:53: inputPaths: unknown member (did you mean input_paths?)",
		"1:69: zzz: unknown member",
	}, strings.Split(err.Error(), "\n"))

	_, err = scriptspec.Decode(strings.NewReader(text), &scriptspec.DecodeOptions{MaxBytes: int64(len(text))})
	require.NoError(t, err)
	endless := &counter{}
	_, err = scriptspec.Decode(endless, &scriptspec.DecodeOptions{File: "big.json", MaxBytes: 1000})
	require.EqualError(t, err, "big.json: larger than the limit of 1000 bytes")
	assert.LessOrEqual(t, endless.n, 1001, "no more is read than it takes to know")

	_, err = scriptspec.Decode(strings.NewReader(`{"script_name":"a","step_name":"A"}`), nil)
	require.NoError(t, err)
	_, err = scriptspec.Decode(strings.NewReader(`{"script_name":"a","step_name":"A"}`), &scriptspec.DecodeOptions{MaxBytes: math.MaxInt64})
	require.NoError(t, err)
}

// A bad file is refused as fast as a good one is read, and its error does not grow with it.
func TestDecodeBoundsItsWork(t *testing.T) {
	t.Parallel()
	entries := 100_000
	if raceDetector {
		entries /= 10
	}
	many := func(entry func(i int) string) string {
		var b strings.Builder
		for i := range entries {
			b.WriteString(entry(i) + ",")
		}
		return `{"script_name":"a","step_name":"A","input_paths":{` + strings.TrimSuffix(b.String(), ",") + "}}"
	}
	for name, text := range map[string]string{
		"wrong types": many(func(i int) string { return fmt.Sprintf(`"k%d":null`, i) }),
		"duplicates":  many(func(int) string { return `"k":"v"` }),
		"values":      `{"script_name":"a","step_name":"A","job_args":{"x":[` + strings.Repeat("0,", 2_000_000) + "0]}}",
		"long name":   `{"script_name":"` + strings.Repeat("A", 1<<20) + `","step_name":"A"}`,
		"long member": `{"script_name":"a","step_name":"A","` + strings.Repeat("A", 1<<20) + `":1}`,
	} {
		_, err := scriptspec.Decode(strings.NewReader(text), &scriptspec.DecodeOptions{Strict: true})
		require.Error(t, err, name)
		assert.Less(t, len(err.Error()), 20_000, name)
	}
}

// counter is a reader without an end.
type counter struct{ n int }

func (c *counter) Read(p []byte) (int, error) {
	c.n += len(p)
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func ExampleDecode_position() {
	_, err := scriptspec.Decode(strings.NewReader("{\n  'script_name': \"a\"\n}"), &scriptspec.DecodeOptions{File: "a.json"})
	fmt.Println(err)
	// Output: a.json:2:3: strings must be in double quotes
}
