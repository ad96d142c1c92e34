package scriptspec_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// problem is what a test says about a FieldError.
type problem struct {
	path    string
	code    scriptspec.Code
	message string
}

func problems(t *testing.T, err error) []problem {
	t.Helper()
	if err == nil {
		return nil
	}
	ve, ok := errors.AsType[*scriptspec.ValidationError](err)
	require.True(t, ok, "%T: %v", err, err)
	var list []problem
	for fe := range ve.All() {
		list = append(list, problem{fe.Path, fe.Code, fe.Message})
	}
	assert.Len(t, list, ve.Len())
	return list
}

const (
	snakeCase  = "script_name must be in snake_case format"
	pascalCase = "step_name must be in PascalCase format with optional job type suffix"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(*scriptspec.ScriptExecutionSpec)
		want   []problem
	}{
		"valid":           {func(*scriptspec.ScriptExecutionSpec) {}, nil},
		"no script name":  {func(s *scriptspec.ScriptExecutionSpec) { s.ScriptName = "" }, []problem{{"script_name", scriptspec.CodeRequired, "script_name is required"}}},
		"script name":     {func(s *scriptspec.ScriptExecutionSpec) { s.ScriptName = "MyScript" }, []problem{{"script_name", scriptspec.CodeFormat, snakeCase}}},
		"newline in name": {func(s *scriptspec.ScriptExecutionSpec) { s.ScriptName = "name\n" }, []problem{{"script_name", scriptspec.CodeFormat, snakeCase}}},
		"longest name":    {func(s *scriptspec.ScriptExecutionSpec) { s.ScriptName = strings.Repeat("a", 232) }, nil},
		"name too long":   {func(s *scriptspec.ScriptExecutionSpec) { s.ScriptName = strings.Repeat("a", 233) }, []problem{{"script_name", scriptspec.CodeTooLong, "script_name must be at most 232 bytes long"}}},
		"no step name":    {func(s *scriptspec.ScriptExecutionSpec) { s.StepName = "" }, []problem{{"step_name", scriptspec.CodeRequired, "step_name is required"}}},
		"step name":       {func(s *scriptspec.ScriptExecutionSpec) { s.StepName = "tabular" }, []problem{{"step_name", scriptspec.CodeFormat, pascalCase}}},
		"no script path":  {func(s *scriptspec.ScriptExecutionSpec) { s.ScriptPath = "" }, []problem{{"script_path", scriptspec.CodeRequired, "script_path is required"}}},
		"NUL in path":     {func(s *scriptspec.ScriptExecutionSpec) { s.ScriptPath = "/a\x00.py" }, []problem{{"script_path", scriptspec.CodeNUL, "script_path holds a NUL byte"}}},
		"paths": {func(s *scriptspec.ScriptExecutionSpec) {
			s.InputPaths = map[string]string{"": "/x", "empty": "", "nul": "a\x00b", "key\x00": "/x", "].path": ""}
			s.OutputPaths = map[string]string{"out": ""}
		}, []problem{
			{`input_paths[""]`, scriptspec.CodeEmpty, "logical name in input_paths is empty"},
			{`input_paths["].path"]`, scriptspec.CodeEmpty, "Input path '].path' is empty"},
			{`input_paths["empty"]`, scriptspec.CodeEmpty, "Input path 'empty' is empty"},
			{`input_paths["key\x00"]`, scriptspec.CodeNUL, "logical name in input_paths holds a NUL byte"},
			{`input_paths["nul"]`, scriptspec.CodeNUL, "Input path 'nul' holds a NUL byte"},
			{`output_paths["out"]`, scriptspec.CodeEmpty, "Output path 'out' is empty"},
		}},
		"empty name and path": {func(s *scriptspec.ScriptExecutionSpec) { s.InputPaths = map[string]string{"": ""} }, []problem{
			{`input_paths[""]`, scriptspec.CodeEmpty, "logical name in input_paths is empty"},
			{`input_paths[""]`, scriptspec.CodeEmpty, "Input path '' is empty"},
		}},
		"environment": {func(s *scriptspec.ScriptExecutionSpec) {
			s.EnvironVars = map[string]string{"": "x", "A=B": "x", "N\x00": "x", "L\n": "x", "R\r": "x", "OK": "a=b\n", "V": "a\x00", "EMPTY": ""}
		}, []problem{
			{`environ_vars[""]`, scriptspec.CodeEmpty, "environment variable name is empty"},
			{`environ_vars["A=B"]`, scriptspec.CodeFormat, "environment variable name holds '=' or a line break"},
			{`environ_vars["L\n"]`, scriptspec.CodeFormat, "environment variable name holds '=' or a line break"},
			{`environ_vars["N\x00"]`, scriptspec.CodeNUL, "environment variable name holds a NUL byte"},
			{`environ_vars["R\r"]`, scriptspec.CodeFormat, "environment variable name holds '=' or a line break"},
			{`environ_vars["V"]`, scriptspec.CodeNUL, "environment variable 'V' holds a NUL byte"},
		}},
		"everything at once": {func(s *scriptspec.ScriptExecutionSpec) { *s = scriptspec.ScriptExecutionSpec{} }, []problem{
			{"script_name", scriptspec.CodeRequired, "script_name is required"},
			{"step_name", scriptspec.CodeRequired, "step_name is required"},
			{"script_path", scriptspec.CodeRequired, "script_path is required"},
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := noted()
			test.change(s)
			assert.ElementsMatch(t, test.want, problems(t, s.Validate()))

			// Both kinds share the rules; only the names of the path maps differ.
			enhanced := problems(t, scriptspec.Enhance(s, nil).Validate())
			plain := strings.NewReplacer("_path_specs", "_paths", "].path", "]")
			seen := map[problem]bool{}
			for _, p := range enhanced {
				if strings.HasSuffix(p.path, ".logical_name") {
					continue // follows the key, which has its own problem
				}
				p.path, p.message = plain.Replace(p.path), plain.Replace(p.message)
				seen[p] = true
			}
			for _, p := range test.want {
				p.path, p.message = plain.Replace(p.path), plain.Replace(p.message)
				assert.True(t, seen[p], "%v not in %v", p, seen)
			}
		})
	}
}

func TestValidateEnhanced(t *testing.T) {
	t.Parallel()
	e := notedEnhanced()
	require.NoError(t, e.Validate())
	e.InputPathSpecs = map[string]scriptspec.PathSpec{
		"a":             {LogicalName: "", Path: "/x"},
		"b":             {LogicalName: "b", Path: "", Aliases: []string{"ok", "", "n\x00"}},
		"x].aliases[0]": {LogicalName: "x", Path: ""},
	}
	assert.Equal(t, []problem{
		{`input_path_specs["a"].logical_name`, scriptspec.CodeEmpty, "logical name in input_path_specs is empty"},
		{`input_path_specs["b"].aliases[1]`, scriptspec.CodeEmpty, "alias in input_path_specs is empty"},
		{`input_path_specs["b"].aliases[2]`, scriptspec.CodeNUL, "alias in input_path_specs holds a NUL byte"},
		{`input_path_specs["b"].path`, scriptspec.CodeEmpty, "Input path 'b' is empty"},
		{`input_path_specs["x].aliases[0]"].path`, scriptspec.CodeEmpty, "Input path 'x].aliases[0]' is empty"},
	}, problems(t, e.Validate()))
}

func TestValidateNil(t *testing.T) {
	t.Parallel()
	var basic *scriptspec.ScriptExecutionSpec
	var enhanced *scriptspec.EnhancedScriptExecutionSpec
	for _, err := range []error{
		basic.Validate(), basic.ValidateSpec(nil), basic.ValidatePaths(nil), basic.ValidateJobArgs("x"),
		enhanced.Validate(), enhanced.ValidateSpec(nil),
	} {
		assert.Equal(t, []problem{{"spec", scriptspec.CodeRequired, "spec is required"}}, problems(t, err))
	}
	assert.False(t, basic.IsValid())
}

func TestValidateSpec(t *testing.T) {
	t.Parallel()
	s := onDisk(t)
	require.NoError(t, s.ValidateSpec(nil))
	assert.True(t, s.IsValid())
	assert.True(t, scriptspec.Enhance(s, nil).IsValid())

	dir := t.TempDir()
	missing, file := filepath.Join(dir, "missing"), filepath.Join(dir, "file")
	write(t, file, "x")
	s.ScriptName, s.StepName = "Bad-Name", "bad"
	s.ScriptPath = filepath.Join(dir, "no.py")
	s.InputPaths = map[string]string{"x": missing, "": "/tmp", "ok": file}
	s.OutputPaths = map[string]string{"below": filepath.Join(file, "out"), "ok": filepath.Join(missing, "a", "b")}
	s.JobArgs = scriptspec.JobArgs{"x": make(chan int)}
	before := tree(t, dir)
	err := s.ValidateSpec(&scriptspec.ValidateOptions{RequiredJobArgs: []string{"b", "a", "b"}})
	assert.Equal(t, before, tree(t, dir), "nothing was made")
	assert.Equal(t, []problem{
		{"script_name", scriptspec.CodeFormat, snakeCase},
		{"step_name", scriptspec.CodeFormat, pascalCase},
		{"script_path", scriptspec.CodeNotExist, "Script file does not exist: " + s.ScriptPath},
		{`input_paths[""]`, scriptspec.CodeEmpty, "logical name in input_paths is empty"},
		{`input_paths["x"]`, scriptspec.CodeNotExist, "Input path 'x' does not exist: " + missing},
		{`output_paths["below"]`, scriptspec.CodeNotCreatable, fmt.Sprintf("Cannot create output path 'below': %s - %s: not a directory", s.OutputPaths["below"], file)},
		{"job_args", scriptspec.CodeMissing, "Missing required job arguments: a, b"},
		{`job_args["x"]`, scriptspec.CodeUnsupported, "holds what JSON cannot carry: a value of type chan int"},
	}, problems(t, err))
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorIs(t, err, syscall.ENOTDIR)
	fe, ok := errors.AsType[*scriptspec.FieldError](fmt.Errorf("wrapped: %w", err))
	require.True(t, ok)
	assert.Equal(t, "script_name", fe.Path)
	assert.Equal(t, "Bad-Name", fe.Value)
}

func TestValidateScriptPath(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, test := range map[string]struct {
		make func(path string) error
		want problem
	}{
		"x.txt":   {func(p string) error { return os.WriteFile(p, nil, 0o600) }, problem{"script_path", scriptspec.CodeNotPython, "script_path must point to a Python file (.py)"}},
		"dir.py":  {func(p string) error { return os.Mkdir(p, 0o700) }, problem{"script_path", scriptspec.CodeNotFile, "script_path must be a regular file, not a directory: " + filepath.Join(dir, "dir.py")}},
		"loop.py": {func(p string) error { return os.Symlink(p, p) }, problem{"script_path", scriptspec.CodeNotExist, "Script file does not exist: " + filepath.Join(dir, "loop.py")}},
	} {
		s := onDisk(t)
		s.ScriptPath = filepath.Join(dir, name)
		require.NoError(t, test.make(s.ScriptPath))
		assert.Equal(t, []problem{test.want}, problems(t, s.ValidateSpec(nil)), name)
	}
	s := onDisk(t)
	link := filepath.Join(dir, "link.py")
	require.NoError(t, os.Symlink(s.ScriptPath, link))
	s.ScriptPath = link
	require.NoError(t, s.ValidateSpec(nil), "a link to a script is fine")
}

func TestValidatePaths(t *testing.T) {
	t.Parallel()
	s := onDisk(t)
	s.ScriptName, s.ScriptPath = "", "" // not a matter of paths
	require.NoError(t, s.ValidatePaths(nil))
	s.InputPaths["x"] = ""
	assert.Equal(t, []problem{{`input_paths["x"]`, scriptspec.CodeEmpty, "Input path 'x' is empty"}}, problems(t, s.ValidatePaths(nil)))
}

func TestCreateOutputs(t *testing.T) {
	t.Parallel()
	s := onDisk(t)
	dir := filepath.Join(t.TempDir(), "a", "b")
	s.AddOutputPath("deep", dir)
	require.NoError(t, s.ValidatePaths(nil))
	assert.NoDirExists(t, dir)
	require.NoError(t, s.ValidatePaths(&scriptspec.ValidateOptions{CreateOutputs: true}))
	assert.DirExists(t, dir)
	assert.DirExists(t, s.OutputPaths["data_output"])

	file := filepath.Join(t.TempDir(), "file")
	write(t, file, "x")
	s.OutputPaths = map[string]string{"x": filepath.Join(file, "y")}
	err := s.ValidatePaths(&scriptspec.ValidateOptions{CreateOutputs: true})
	require.ErrorIs(t, err, syscall.ENOTDIR)
	assert.Equal(t, scriptspec.CodeNotCreatable, problems(t, err)[0].code)
	s.OutputPaths = map[string]string{"x": file}
	require.NoError(t, s.ValidatePaths(nil), "a file that can be written, as in the note")
	require.ErrorIs(t, s.ValidatePaths(&scriptspec.ValidateOptions{CreateOutputs: true}), syscall.ENOTDIR)
}

func TestValidateJobArgs(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]adders{"basic": noted(), "enhanced": notedEnhanced()} {
		require.NoError(t, s.ValidateJobArgs(), name)
		require.NoError(t, s.ValidateJobArgs("batch_size", "validation_split"), name)
		err := s.ValidateJobArgs("z", "batch_size", "a")
		assert.Equal(t, []problem{{"job_args", scriptspec.CodeMissing, "Missing required job arguments: a, z"}}, problems(t, err), name)
	}
}

func TestStepNameRule(t *testing.T) {
	t.Parallel()
	s := onDisk(t)
	rule := &scriptspec.ValidateOptions{StepNameRule: func(name string) bool { return strings.HasPrefix(name, "node-") }}
	assert.Equal(t, []problem{{"step_name", scriptspec.CodeFormat, pascalCase}}, problems(t, s.ValidateSpec(rule)))
	s.StepName = "node-1"
	require.NoError(t, s.ValidateSpec(rule))
	s.StepName = ""
	assert.Equal(t, []problem{{"step_name", scriptspec.CodeRequired, "step_name is required"}}, problems(t, s.ValidateSpec(rule)))
}

func TestAutoFixCommonIssues(t *testing.T) {
	t.Parallel()
	for name, enhanced := range map[string]bool{"basic": false, "enhanced": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			base := onDisk(t)
			base.ScriptName = "TabularPreprocessing"
			out := base.OutputPaths["data_output"]
			var s adders = base
			field := `output_paths["data_output"]`
			if enhanced {
				s, field = scriptspec.Enhance(base, nil), `output_path_specs["data_output"]`
			}
			at := reset(s)
			assert.Equal(t, []scriptspec.Fix{
				{Field: "script_name", From: "TabularPreprocessing", To: "tabular_preprocessing", Message: "Fixed script_name format: TabularPreprocessing -> tabular_preprocessing"},
				{Field: field, To: out, Message: "Created output directory: " + out},
			}, s.AutoFixCommonIssues())
			assert.Equal(t, "tabular_preprocessing", s.Basic().ScriptName)
			assert.DirExists(t, out)
			assert.True(t, s.Basic().UpdatedAt.After(at.Time))
			assert.True(t, s.IsValid())

			at = reset(s)
			assert.Empty(t, s.AutoFixCommonIssues(), "there is nothing left")
			assert.True(t, s.Basic().UpdatedAt.Equal(at), "and nothing is stamped")
		})
	}
}

func TestAutoFixClaimsNothingItDidNotDo(t *testing.T) {
	t.Parallel()
	s := onDisk(t)
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, "x")
	s.ScriptName = "3D Modèle"
	s.OutputPaths = map[string]string{"below": filepath.Join(file, "x"), "empty": "", "nul": "a\x00", "there": t.TempDir()}
	at := reset(s)
	assert.Empty(t, s.AutoFixCommonIssues())
	assert.Equal(t, "3D Modèle", s.ScriptName)
	assert.True(t, s.UpdatedAt.Equal(at))

	long := strings.Repeat("A", 300) // its snake_case form could not be saved
	dir := t.TempDir()
	s.ScriptName, s.OutputPaths = long, map[string]string{"x": filepath.Join(dir, "made", strings.Repeat("n", 300))}
	assert.Empty(t, s.AutoFixCommonIssues())
	assert.Equal(t, long, s.ScriptName)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, entries, "half of an output is taken back")
}

// Maps have no order; errors do.
func TestErrorsAreDeterministic(t *testing.T) {
	t.Parallel()
	s := &scriptspec.EnhancedScriptExecutionSpec{ScriptName: "B", StepName: "b"}
	for i := range 30 {
		s.AddInputPath(fmt.Sprintf("in%02d", i), "")
		s.AddOutputPath(fmt.Sprintf("out%02d", i), "/dev/null/x")
		s.AddEnvironVar(fmt.Sprintf("E=%02d", i), "")
		s.AddEnvironVar(fmt.Sprintf("\x00%02d", i), "\x00") // two problems in one place
	}
	want := s.ValidateSpec(nil).Error()
	for range 25 {
		require.Equal(t, want, s.Clone().ValidateSpec(nil).Error())
	}
}

// NAME=value as the name of a variable is a slip, and may show what nobody is to see.
func TestNamesOfVariablesWithAValue(t *testing.T) {
	t.Parallel()
	s := noted()
	s.EnvironVars = map[string]string{"TOKEN=" + sentinel: "x"}
	err := s.Validate()
	assert.Contains(t, problems(t, err), problem{`environ_vars["TOKEN=..."]`, scriptspec.CodeFormat, "environment variable name holds '=' or a line break"})
	assert.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), sentinel)
	for _, text := range []string{`"environ_vars": {"TOKEN=` + sentinel + `": "x"}`, `"examples": [{"name": "a", "environ_vars": {"TOKEN=` + sentinel + `": 1}}]`} {
		_, err = decode(`{"script_name": "a", "step_name": "A", ` + text + `}`)
		require.Error(t, err)
		assert.NotContains(t, err.Error(), sentinel)
		assert.Contains(t, err.Error(), `["TOKEN=..."]`)
	}
}
