package scriptspec_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

func encode(t *testing.T, s scriptspec.Spec) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, scriptspec.Encode(&b, s))
	return b.String()
}

func decode(text string) (scriptspec.Spec, error) {
	return scriptspec.Decode(strings.NewReader(text), &scriptspec.DecodeOptions{File: "f.json"})
}

const notedJSON = `{
  "script_name": "tabular_preprocessing",
  "step_name": "TabularPreprocessing_training",
  "script_path": "/path/to/scripts/tabular_preprocessing.py",
  "input_paths": {
    "config": "/test_data/config/preprocessing_config.json",
    "data_input": "/test_data/input/raw_data"
  },
  "output_paths": {
    "data_output": "/test_data/output/processed_data",
    "metrics": "/test_data/output/preprocessing_metrics"
  },
  "environ_vars": {
    "CURSUS_ENV": "testing",
    "PYTHONPATH": "/path/to/cursus/src"
  },
  "job_args": {
    "batch_size": 1000,
    "validation_split": 0.2
  },
  "created_at": "2025-09-09T22:14:23.123456+00:00",
  "updated_at": "2025-09-09T22:14:23.123456+00:00"
}
`

func TestEncode(t *testing.T) {
	t.Parallel()
	for range 25 {
		require.Equal(t, notedJSON, encode(t, noted()))
	}
	assert.Equal(t, `{
  "script_name": "a",
  "step_name": "A",
  "script_path": "",
  "input_paths": {},
  "output_paths": {},
  "environ_vars": {},
  "job_args": {}
}
`, encode(t, &scriptspec.ScriptExecutionSpec{ScriptName: "a", StepName: "A"}))
	e := &scriptspec.EnhancedScriptExecutionSpec{ScriptName: "a", StepName: "A"}
	e.InputPathSpecs = map[string]scriptspec.PathSpec{
		"x": {LogicalName: "x", Path: "<&>", Aliases: []string{"y", "z"}},
		"n": {LogicalName: "n", Path: "/n", Extra: map[string]jsonRaw{"note": jsonRaw(`[]`)}},
	}
	e.Extra = map[string]jsonRaw{"user_notes": jsonRaw(`null`), "a": jsonRaw(`{"k":1.0}`)}
	assert.Equal(t, `{
  "script_name": "a",
  "step_name": "A",
  "script_path": "",
  "input_path_specs": {
    "n": {
      "logical_name": "n",
      "path": "/n",
      "aliases": [],
      "note": []
    },
    "x": {
      "logical_name": "x",
      "path": "<&>",
      "aliases": [
        "y",
        "z"
      ]
    }
  },
  "output_path_specs": {},
  "environ_vars": {},
  "job_args": {},
  "a": {
    "k": 1.0
  },
  "user_notes": null
}
`, encode(t, e))
}

func TestEncodeRefuses(t *testing.T) {
	t.Parallel()
	loop := map[string]any{}
	loop["self"] = loop
	for name, test := range map[string]struct {
		change func(*scriptspec.ScriptExecutionSpec)
		path   string
		code   scriptspec.Code
	}{
		"script name":      {func(s *scriptspec.ScriptExecutionSpec) { s.ScriptName = "../x" }, "script_name", scriptspec.CodeFormat},
		"no script name":   {func(s *scriptspec.ScriptExecutionSpec) { s.ScriptName = "" }, "script_name", scriptspec.CodeRequired},
		"long script name": {func(s *scriptspec.ScriptExecutionSpec) { s.ScriptName = strings.Repeat("a", 233) }, "script_name", scriptspec.CodeTooLong},
		"step name":        {func(s *scriptspec.ScriptExecutionSpec) { s.StepName = "a b" }, "step_name", scriptspec.CodeFormat},
		"no step name":     {func(s *scriptspec.ScriptExecutionSpec) { s.StepName = "" }, "step_name", scriptspec.CodeRequired},
		"script path":      {func(s *scriptspec.ScriptExecutionSpec) { s.ScriptPath = "a\x00" }, "script_path", scriptspec.CodeNUL},
		"input name":       {func(s *scriptspec.ScriptExecutionSpec) { s.InputPaths["a\x00"] = "" }, `input_paths["a\x00"]`, scriptspec.CodeNUL},
		"output path":      {func(s *scriptspec.ScriptExecutionSpec) { s.OutputPaths["o"] = "a\x00" }, `output_paths["o"]`, scriptspec.CodeNUL},
		"path not UTF-8":   {func(s *scriptspec.ScriptExecutionSpec) { s.OutputPaths["o"] = "\xff" }, `output_paths["o"]`, scriptspec.CodeUnsupported},
		"halves of UTF-8":  {func(s *scriptspec.ScriptExecutionSpec) { s.OutputPaths["\xc3"] = "\xa9" }, `output_paths["\xc3"]`, scriptspec.CodeUnsupported},
		"name not UTF-8":   {func(s *scriptspec.ScriptExecutionSpec) { s.ScriptPath = "\xff" }, "script_path", scriptspec.CodeUnsupported},
		"env name":         {func(s *scriptspec.ScriptExecutionSpec) { s.EnvironVars["A=B"] = "" }, `environ_vars["A=B"]`, scriptspec.CodeFormat},
		"env value":        {func(s *scriptspec.ScriptExecutionSpec) { s.EnvironVars["A"] = "\x00" }, `environ_vars["A"]`, scriptspec.CodeNUL},
		"channel":          {func(s *scriptspec.ScriptExecutionSpec) { s.JobArgs["x"] = make(chan int) }, `job_args["x"]`, scriptspec.CodeUnsupported},
		"NaN, deep":        {func(s *scriptspec.ScriptExecutionSpec) { s.JobArgs["x"] = []any{0, map[string]any{"y": math.NaN()}} }, `job_args["x"][1]["y"]`, scriptspec.CodeUnsupported},
		"bad number":       {func(s *scriptspec.ScriptExecutionSpec) { s.JobArgs["x"] = jsonNumber("1e") }, `job_args["x"]`, scriptspec.CodeUnsupported},
		"argument name":    {func(s *scriptspec.ScriptExecutionSpec) { s.JobArgs["\xff"] = 1 }, `job_args["\xff"]`, scriptspec.CodeUnsupported},
		"known name":       {func(s *scriptspec.ScriptExecutionSpec) { s.Extra = map[string]jsonRaw{"step_name": jsonRaw("1")} }, "step_name", scriptspec.CodeFormat},
		"known name, case": {func(s *scriptspec.ScriptExecutionSpec) {
			s.Extra = map[string]jsonRaw{"Input_Path_Specs": jsonRaw("1")}
		}, "Input_Path_Specs", scriptspec.CodeFormat},
		"unknown, broken": {func(s *scriptspec.ScriptExecutionSpec) { s.Extra = map[string]jsonRaw{"x": jsonRaw("{")} }, "x", scriptspec.CodeUnsupported},
		"year":            {func(s *scriptspec.ScriptExecutionSpec) { s.CreatedAt.Time = s.CreatedAt.AddDate(9000, 0, 0) }, "created_at", scriptspec.CodeUnsupported},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "spec.json")
			require.NoError(t, noted().Save(path))
			s := noted()
			test.change(s)
			for _, err := range []error{
				s.Save(path), scriptspec.Enhance(s, nil).Save(path), scriptspec.Encode(&bytes.Buffer{}, s),
			} {
				ps := problems(t, err)
				require.NotEmpty(t, ps)
				assert.Equal(t, test.path, strings.NewReplacer("_path_specs[", "_paths[", "].path", "]").Replace(ps[0].path))
				assert.Equal(t, test.code, ps[0].code)
			}
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Equal(t, notedJSON, string(data), "the file is what it was")
		})
	}
	s := noted()
	s.JobArgs["x"], s.JobArgs["y"], s.JobArgs["loop"] = math.NaN(), func() {}, loop
	assert.Len(t, problems(t, scriptspec.Encode(&bytes.Buffer{}, s)), 3, "all of them at once")
	require.Error(t, scriptspec.Encode(&bytes.Buffer{}, nil))
}

// What is written can be read: nesting and size are bounded alike on both sides, and a refusal leaves
// the file as it was.
func TestWhatIsWrittenCanBeRead(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "spec.json")
	require.NoError(t, noted().Save(path))
	nested := func(depth int) any {
		var v any = []any{}
		for range depth - 1 {
			v = []any{v}
		}
		return v
	}
	saved := 0
	for depth := 990; depth < 1005; depth++ {
		for name, s := range map[string]*scriptspec.ScriptExecutionSpec{"arguments": noted(), "extra": noted()} {
			if name == "arguments" {
				s.JobArgs["x"] = nested(depth)
			} else {
				s.Extra = map[string]jsonRaw{"x": jsonRaw(strings.Repeat("[", depth) + strings.Repeat("]", depth))}
			}
			before, err := os.ReadFile(path)
			require.NoError(t, err)
			if err := s.Save(path); err != nil {
				require.Contains(t, problems(t, err)[0].message, "deep")
				after, err := os.ReadFile(path)
				require.NoError(t, err)
				require.Equal(t, before, after)
				continue
			}
			saved++
			back, err := scriptspec.Load(path)
			require.NoError(t, err, "%s %d deep", name, depth)
			require.True(t, s.Equal(back))
		}
	}
	assert.Equal(t, 2*9-1+2, saved, "998 levels of an argument and 999 of an unknown member fit")

	large := noted()
	many := make([]any, 300_000)
	for i := range many {
		many[i] = map[string]any{}
	}
	large.JobArgs = scriptspec.JobArgs{"x": many}
	ps := problems(t, scriptspec.Encode(io.Discard, large))
	require.NotEmpty(t, ps)
	assert.Equal(t, "job_args", ps[0].path)
	require.Error(t, large.Save(path))

	blowUp := noted()
	lists := make([]any, 100)
	for i := range lists {
		lists[i] = nested(900)
	}
	blowUp.JobArgs["x"] = lists
	require.ErrorContains(t, blowUp.Save(path), "larger than the limit of 16777216 bytes", "155 MB of indentation")
	require.True(t, blowUp.Equal(blowUp.Clone()))
}

// A writer that takes less than it was given and says nothing of it.
type shortWriter struct{}

func (shortWriter) Write([]byte) (int, error) { return 10, nil }

func TestEncodeToAShortWriter(t *testing.T) {
	t.Parallel()
	require.ErrorIs(t, scriptspec.Encode(shortWriter{}, noted()), io.ErrShortWrite)
}

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
		"duplicate":              {head + `"job_args":{"a":1,"\u0061":2}}`, `f.json:2:19: job_args["a"]: name stands twice in one object, first at 2:13; keep one of them`},
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
		"1:36: enviro_vars: unknown member; did you mean environ_vars?",
		"1:53: inputPaths: unknown member; did you mean input_paths?",
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
	many := func(entry func(i int) string) string {
		var b strings.Builder
		for i := range 100_000 {
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

func TestSaveAndLoad(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "spec.json")
	s := noted()
	require.NoError(t, s.Save(path))
	loaded, err := scriptspec.Load(path)
	require.NoError(t, err)
	assert.True(t, s.Equal(loaded))
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o600), info.Mode(), "a spec may hold secrets")

	enhanced, err := scriptspec.LoadEnhanced(path)
	require.NoError(t, err)
	assert.True(t, scriptspec.Enhance(s, nil).Equal(enhanced), "LoadEnhanced takes both kinds")

	require.NoError(t, notedEnhanced().Save(path))
	enhanced, err = scriptspec.LoadEnhanced(path)
	require.NoError(t, err)
	assert.True(t, notedEnhanced().Equal(enhanced))
	_, err = scriptspec.Load(path)
	require.ErrorIs(t, err, scriptspec.ErrEnhanced)
	assert.ErrorContains(t, err, path)
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.Len(t, entries, 1, "no temporary file is left")
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good := filepath.Join(dir, "good.json")
	require.NoError(t, noted().Save(good))
	link := filepath.Join(dir, "link.json")
	require.NoError(t, os.Symlink("good.json", link))
	broken := filepath.Join(dir, "broken.json")
	write(t, broken, "{")

	_, err := scriptspec.Load(filepath.Join(dir, "absent.json"))
	require.ErrorIs(t, err, fs.ErrNotExist)
	assert.ErrorContains(t, err, filepath.Join(dir, "absent.json"))
	_, err = scriptspec.Load(filepath.Join(dir, "absent", "x.json"))
	require.ErrorIs(t, err, fs.ErrNotExist)
	assert.ErrorContains(t, err, filepath.Join(dir, "absent", "x.json"))
	for _, path := range []string{"", dir + "/"} {
		_, err = scriptspec.Load(path)
		require.Error(t, err, "%q", path)
		require.Error(t, noted().Save(path), "%q", path)
	}
	for path, words := range map[string]string{link: "symbolic link", dir: "directory", broken: "1:2"} {
		_, err := scriptspec.Load(path)
		require.Error(t, err, path)
		assert.ErrorContains(t, err, path)
		assert.ErrorContains(t, err, words)
	}
	_, err = scriptspec.Load(broken)
	require.ErrorIs(t, err, scriptspec.ErrCorrupt)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	_, err = decode("")
	require.ErrorIs(t, err, scriptspec.ErrCorrupt)
	require.ErrorIs(t, err, io.EOF)
	data, err := os.ReadFile(broken)
	require.NoError(t, err)
	assert.Equal(t, "{", string(data), "left as it is")
	require.NoError(t, noted().Save(broken), "and can be saved over")
}

func TestLoadFS(t *testing.T) {
	t.Parallel()
	fsys := fstest.MapFS{
		"specs/a.json": {Data: []byte(notedJSON)},
		"specs/b.json": {Data: []byte("{")},
	}
	s, err := scriptspec.LoadFS(fsys, "specs/a.json")
	require.NoError(t, err)
	assert.True(t, noted().Equal(s.Basic()))
	_, err = scriptspec.LoadFS(fsys, "specs/none.json")
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = scriptspec.LoadFS(fsys, "specs")
	assert.ErrorContains(t, err, "directory")
	_, err = scriptspec.LoadFS(fsys, "specs/b.json")
	assert.ErrorContains(t, err, "specs/b.json:1:2")
}

func ExampleDecode_position() {
	_, err := scriptspec.Decode(strings.NewReader("{\n  'script_name': \"a\"\n}"), &scriptspec.DecodeOptions{File: "a.json"})
	fmt.Println(err)
	// Output: a.json:2:3: strings stand in double quotation marks
}
