package scriptspec_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

func templateFile(st *scriptspec.Store, name string) string {
	return filepath.Join(filepath.Dir(st.Path("x")), "templates", name+".json")
}

// Every built-in template makes a spec that complies with the rules and whose script runs.
func TestBuiltInTemplates(t *testing.T) {
	t.Parallel()
	st := openStore(t, t.TempDir(), nil)
	all, err := st.Templates()
	require.NoError(t, err)
	var names []string
	for _, tm := range all {
		names = append(names, tm.Name)
		assert.True(t, tm.BuiltIn)
		assert.NotEmpty(t, tm.Description)
		dir := t.TempDir()
		script := filepath.Join(dir, "xgboost_step.py")
		write(t, script, "import os\ndef main(input_paths, output_paths, environ_vars, job_args):\n    for path in output_paths.values():\n        with open(os.path.join(path, 'x'), 'w') as f:\n            f.write(repr((sorted(input_paths), job_args)))\n")
		write(t, filepath.Join(dir, "data", "a.csv"), "a\n1\n")
		params := map[string]any{"script_path": script, "data_dir": filepath.Join(dir, "data"), "work_dir": filepath.Join(dir, "work")}
		if _, ok := tm.Parameters["model_dir"]; ok {
			params["model_dir"] = filepath.Join(dir, "data")
		}
		if _, ok := tm.Parameters["hyperparameters"]; ok {
			params["hyperparameters"] = map[string]any{"eta": 0.1}
		}
		s, err := tm.New(params)
		require.NoError(t, err, tm.Name)
		require.NoError(t, s.Validate(), tm.Name)
		assert.NotContains(t, encode(t, s), "${")
		assert.Equal(t, "xgboost_step", s.Basic().ScriptName)
		assert.True(t, strings.HasPrefix(s.Basic().StepName, "XGBoostStep"), s.Basic().StepName)
		assert.False(t, s.Basic().CreatedAt.IsZero())
		require.NoError(t, st.SaveStep(s))
		python(t)
		assert.True(t, run(t, s).Success, tm.Name)
	}
	assert.Equal(t, []string{"basic", "enhanced", "evaluation", "sagemaker_processing", "sagemaker_training"}, names)
}

const ownTemplate = `{
  "template_version": 1,
  "name": "own",
  "description": "ours",
  "spec": {
    "script_name": "${script_name}",
    "step_name": "${step_name}",
    "script_path": "scripts/${script_name}.py",
    "input_paths": {"${input}_data": "in/${script_name}/$${HOME}"},
    "output_paths": {},
    "environ_vars": {"N": "n${batch}", "LITERAL": "$${batch} and $x"},
    "job_args": {"batch": "${batch}", "rates": "${rates}", "flag": "${flag}", "nested": [{"batch": "${batch}"}]}
  },
  "parameters": {
    "script_name": {"description": "of the script"},
    "step_name": {"type": "string"},
    "job_type": {"type": "string", "default": "training", "enum": ["training", "validation"]},
    "input": {"type": "string", "default": "raw"},
    "batch": {"type": "integer", "default": 8},
    "rates": {"type": "array", "default": [0.5]},
    "flag": {"type": "boolean", "default": false}
  },
  "x-team": 1
}`

func TestTemplate(t *testing.T) {
	t.Parallel()
	st := openStore(t, t.TempDir(), nil)
	write(t, templateFile(st, "own"), ownTemplate)
	tm, err := st.LoadTemplate("own")
	require.NoError(t, err)
	assert.False(t, tm.BuiltIn)
	s, err := tm.New(map[string]any{"script_name": "xgboost_train", "batch": 3, "flag": true})
	require.NoError(t, err)
	b := s.Basic()
	assert.Equal(t, "XGBoostTrain_training", b.StepName)
	assert.Equal(t, map[string]string{"raw_data": "in/xgboost_train/${HOME}"}, b.InputPaths)
	assert.Equal(t, map[string]string{"N": "n3", "LITERAL": "${batch} and $x"}, b.EnvironVars)
	assert.Equal(t, scriptspec.JobArgs{"batch": jsonNumber("3"), "rates": []any{jsonNumber("0.5")}, "flag": true, "nested": []any{map[string]any{"batch": jsonNumber("3")}}}, b.JobArgs)
	s, err = tm.New(map[string]any{"script_name": "a", "step_name": "A_validation"})
	require.NoError(t, err)
	assert.Equal(t, "A_validation", s.Basic().StepName)

	_, err = tm.New(map[string]any{"script_nam": "a", "batch": 1.5, "job_type": "trainin", "flag": "yes", "rates": func() {}})
	require.Error(t, err)
	for _, part := range []string{
		"template own: 5 problems", `parameter "script_nam" is unknown (did you mean script_name?)`, `parameter "batch" is 1.5, which is no integer`,
		`parameter "job_type" is "trainin", which is none of training and validation`, `parameter "flag" is "yes", which is no boolean`, `parameter "rates" is no JSON`,
	} {
		assert.ErrorContains(t, err, part)
	}
	_, err = tm.New(nil) // step_name follows from it
	assert.EqualError(t, err, `template own: parameters["script_name"]: parameter "script_name" is required (of the script)`)
	_, err = tm.New(map[string]any{"script_name": "a", "step_name": "A", "input": "a\x00"})
	assert.ErrorContains(t, err, "template own: the spec that it comes to: ")
	_, err = (&scriptspec.Template{}).New(nil)
	require.Error(t, err)
	_, err = st.LoadTemplate("owns")
	require.EqualError(t, err, "name: there is no template owns (did you mean own?)")
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = st.LoadTemplate("../x")
	require.Error(t, err)

	// The store's own comes before that of this package.
	write(t, templateFile(st, "basic"), strings.Replace(ownTemplate, `"own"`, `"basic"`, 1))
	tm, err = st.LoadTemplate("basic")
	require.NoError(t, err)
	assert.Equal(t, "ours", tm.Description)
	all, err := st.Templates()
	require.NoError(t, err)
	assert.Len(t, all, 6)
}

func TestTemplateRefusals(t *testing.T) {
	t.Parallel()
	st := openStore(t, t.TempDir(), nil)
	for _, test := range [][3]string{
		{`"step_name": "${step_name}"`, `"step_name": "${stp_name}"`, "own.json:7:18: spec.step_name: ${stp_name}: no such parameter (did you mean step_name?); write $${ for the text itself"},
		{`"${input}_data"`, `"${inputs"`, "own.json:9:"},
		{`"script_name": "${script_name}"`, `"script_name": "a${script_name"`, "own.json:6:20: spec.script_name: ${script_name: is not closed; write $${ for the text itself"},
		{`"enum": ["training", "validation"]`, `"enum": []`, "parameters.job_type.enum: is empty, so that no value would do"},
		{`"parameters": {`, `"parameters": {"batch": {}, `, "parameters.batch: "},
		{`"template_version": 1`, `"template_version": 2`, "template_version: this version of scriptspec knows templates of version 1"},
		{`"name": "own"`, `"name": "other"`, "own.json:3:11: name: is not the name of the file, which is own"},
		{`"type": "integer"`, `"type": "int"`, "parameters.batch.type: is no type of JSON; want one of string, number"},
		{`"default": 8`, `"default": "x"`, `the default is "x", which is no integer`},
		{`"default": "training"`, `"default": "x"`, `the default is "x", which is none of training and validation`},
		{`"enum": [`, `"enums": [`, "parameters.job_type.enums: unknown member (did you mean enum?)"},
		{`"x-team": 1`, `"team": 1`, "team: unknown member"},
		{`"parameters": {`, `"parameters": {"Bad": {}, `, "the name of a parameter is a lower-case word"},
		{`"spec": {`, `"spec": [], "x-spec": {`, "spec: want an object, found a list"},
		{`"name": "own",`, ``, "name: missing; a template needs it"},
		{`{
  "template`, `
  "template`, ""},
	} {
		require.Contains(t, ownTemplate, test[0])
		write(t, templateFile(st, "own"), strings.Replace(ownTemplate, test[0], test[1], 1))
		_, err := st.LoadTemplate("own")
		assert.ErrorContains(t, err, test[2], test[1])
	}
	_, err := st.Templates()
	require.Error(t, err)
}

// What parameters come to is a spec that could be read and run, and errors show no secret.
func TestTemplateMakesWhatIsRight(t *testing.T) {
	t.Parallel()
	st := openStore(t, t.TempDir(), nil)
	make := func(spec string, params map[string]any) error {
		_, err := decodeTemplate(t, st, `{"template_version": 1, "name": "a", "parameters": {"x": {}, "y": {"default": "y"}, "token": {"type": "integer", "default": 1}}, "spec": `+spec+`}`).New(params)
		return err
	}
	require.NoError(t, make(`{"script_name": "${x}", "step_name": "A"}`, map[string]any{"x": "a"}))
	for want, spec := range map[string]string{
		`makes a name that there is twice in one object: "y"`: `{"script_name": "a", "step_name": "A", "environ_vars": {"${x}": "1", "${y}": "2"}}`,
		"script_name":    `{"script_name": "${x} ${y}", "step_name": "A"}`,
		"unknown member": `{"script_name": "${x}", "step_name": "A", "job_arg": {}}`,
	} {
		assert.ErrorContains(t, make(spec, map[string]any{"x": "y"}), want)
	}
	err := make(`{"script_name": "${x}", "step_name": "A"}`, map[string]any{"x": "a", "token": sentinel})
	assert.ErrorContains(t, err, `parameter "token" is no integer, or none of those allowed`)
	assert.NotContains(t, err.Error(), sentinel)
}

// Templates are in the store: no link leads out of it, and a closed one has none.
func TestTemplatesAreInTheStore(t *testing.T) {
	t.Parallel()
	outside, st := t.TempDir(), openStore(t, t.TempDir(), nil)
	write(t, filepath.Join(outside, "own.json"), ownTemplate)
	dir := filepath.Dir(templateFile(st, "own"))
	require.NoError(t, os.MkdirAll(filepath.Dir(dir), 0o700))
	if err := os.Symlink(outside, dir); err != nil {
		t.Skip("no symbolic links: ", err)
	}
	_, err := st.LoadTemplate("own")
	assert.ErrorContains(t, err, "escapes")
	require.NoError(t, os.Remove(dir))
	require.NoError(t, os.Mkdir(dir, 0o700))
	require.NoError(t, os.Symlink(filepath.Join(outside, "own.json"), templateFile(st, "own")))
	_, err = st.LoadTemplate("own")
	require.Error(t, err)
	require.NoError(t, st.Close())
	for _, name := range []string{"own", "basic"} {
		_, err = st.LoadTemplate(name)
		assert.ErrorIs(t, err, fs.ErrClosed)
	}
	_, err = st.Templates()
	assert.ErrorIs(t, err, fs.ErrClosed)
}

func decodeTemplate(t *testing.T, st *scriptspec.Store, text string) *scriptspec.Template {
	t.Helper()
	write(t, templateFile(st, "a"), text)
	template, err := st.LoadTemplate("a")
	require.NoError(t, err)
	return template
}
