package scriptspec_test

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

func baseFile(st *scriptspec.Store, name string) string {
	return filepath.Join(filepath.Dir(st.Path("x")), name+"_spec_base.json")
}

func TestBases(t *testing.T) {
	t.Parallel()
	st := openStore(t, t.TempDir(), nil)
	b := &scriptspec.Base{
		Name: "defaults", EnvironVars: map[string]string{"REGION": "eu"}, JobArgs: scriptspec.JobArgs{"batch_size": 64},
		Metadata: scriptspec.Metadata{Tags: []string{"nightly"}, Extends: []string{"more"}}, Extra: map[string]jsonRaw{"x-team": jsonRaw(`1`)},
	}
	require.NoError(t, st.SaveBase(b))
	text, err := os.ReadFile(baseFile(st, "defaults"))
	require.NoError(t, err)
	assert.Equal(t, "{\n  \"environ_vars\": {\n    \"REGION\": \"eu\"\n  },\n  \"job_args\": {\n    \"batch_size\": 64\n  },\n  \"tags\": [\n    \"nightly\"\n  ],\n  \"extends\": [\n    \"more\"\n  ],\n  \"x-team\": 1\n}\n", string(text))
	got, err := st.LoadBase("defaults")
	require.NoError(t, err)
	got.JobArgs["batch_size"] = 64
	assert.Equal(t, b, got)

	_, err = st.LoadBase("default")
	assert.ErrorContains(t, err, "did you mean defaults?")
	_, err = st.LoadBase("../x")
	assert.ErrorContains(t, err, "must be in snake_case")
	write(t, baseFile(st, "bad"), `{"script_name": "x", "job_arg": {}, "tags": ["X"]}`)
	_, err = st.LoadBase("bad")
	for _, part := range []string{"bad_spec_base.json:1:2: script_name: unknown member", "job_arg: unknown member (did you mean job_args?)", "tags[0]: must begin with"} {
		assert.ErrorContains(t, err, part)
	}
	err = st.SaveBase(&scriptspec.Base{Name: "B", JobArgs: scriptspec.JobArgs{"f": func() {}}, Metadata: scriptspec.Metadata{Tags: []string{"X"}}, Extra: map[string]jsonRaw{"y": nil}})
	for _, part := range []string{"base B: 5 problems", "name: ", "tags[0]", `job_args["f"]`, "a base has no member y"} {
		assert.ErrorContains(t, err, part)
	}
	require.Error(t, st.SaveBase(nil))
}

// rendering is a spec that extends two bases of which one extends a third.
func rendering(t *testing.T) (*scriptspec.Store, *scriptspec.ScriptExecutionSpec) {
	t.Helper()
	st := openStore(t, t.TempDir(), nil)
	for name, text := range map[string]string{
		"root":     `{"environ_vars": {"REGION": "us", "LOG": "info"}, "job_args": {"deep": {"a": 1, "b": 1}}, "tags": ["base"]}`,
		"defaults": `{"extends": ["root"], "environ_vars": {"REGION": "eu"}, "job_args": {"batch_size": 64, "deep": {"b": 2}}, "labels": {"owner": "ml"}}`,
		"sklearn":  `{"depends_on": {"packages": {"sklearn": ">=1"}, "files": ["io.py"]}, "timeout": 60, "tags": ["sklearn", "base"]}`,
	} {
		write(t, baseFile(st, name), text)
	}
	s := scriptspec.New("train", "Train", "train.py")
	s.Extends = []string{"defaults", "sklearn"}
	s.JobArgs = scriptspec.JobArgs{"rows": 10}
	s.Tags = []string{"own"}
	return st, s
}

func lines(changes []scriptspec.Change) (list []string) {
	for _, c := range changes {
		list = append(list, c.String())
	}
	return list
}

// A base that this version does not know is named as that, and one that would not be read again is not written.
func TestBaseRefusals(t *testing.T) {
	t.Parallel()
	st := openStore(t, t.TempDir(), nil)
	write(t, baseFile(st, "newer"), `{"spec_version": 3, "timeout": {"seconds": 5}}`)
	_, err := st.LoadBase("newer")
	assert.ErrorContains(t, err, "newer_spec_base.json:1:18: spec_version: is 3, and this version of scriptspec knows up to 2 (use a newer one)")
	b := &scriptspec.Base{Name: "defaults"}
	b.SpecVersion, b.Inherited, b.Budget.Duration = 3, map[string]any{"timeout": 1}, math.NaN()
	b.DependsOn.Packages = map[string]string{"pandas": "1.3"}
	err = st.SaveBase(b)
	for _, want := range []string{"a base has no inherited values", "spec_version is 3", "budget.duration"} {
		assert.ErrorContains(t, err, want)
	}
	b.SpecVersion, b.Inherited, b.Budget.Duration = 2, nil, 1
	assert.ErrorContains(t, st.SaveBase(b), `depends_on.packages["pandas"]`)
	b.DependsOn.Packages = nil
	require.NoError(t, st.SaveBase(b))
}
