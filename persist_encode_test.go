package scriptspec_test

import (
	"bytes"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

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
