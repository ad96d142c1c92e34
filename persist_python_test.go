package scriptspec_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// manifest says what Python's model made of each file of testdata/python.
type manifest struct {
	Files []struct {
		File    string
		Accepts bool            `json:"python_design_model_accepts"`
		Value   json.RawMessage `json:"python_design_model_value"`
	}
}

// What Python accepts is accepted with the same value. The exceptions are those of doc.go.
func TestFilesOfPython(t *testing.T) {
	t.Parallel()
	refused := map[string]string{
		"a13_doc_nan_inf.json":        "NaN",
		"c16_dup_keys_top.json":       "duplicate",
		"c19_case_variant_keys.json":  "only in case",
		"f01_lone_surrogate_env.json": "surrogate",
	}
	accepted := map[string]string{
		"b03_upstream_no_script_path.json": "the original system writes null for a path it does not know",
	}
	otherValue := map[string]string{
		"g01_deep_500.json":          "the manifest cuts it short",
		"e01_float_1e400.json":       "kept as 1e400 where Python reads inf",
		"a20_doc_enhanced.json":      "the basic model of Python drops the path specs of an enhanced file",
		"b07_upstream_enhanced.json": "and so does this one's, which leaves created_at to the clock",
	}
	data, err := os.ReadFile("testdata/python/MANIFEST.json")
	require.NoError(t, err)
	var m manifest
	require.NoError(t, json.Unmarshal(data, &m))
	require.NotEmpty(t, m.Files)
	for _, f := range m.Files {
		t.Run(f.File, func(t *testing.T) {
			t.Parallel()
			spec, err := scriptspec.LoadEnhanced(filepath.Join("testdata/python", f.File))
			if words, ok := refused[f.File]; ok {
				require.True(t, f.Accepts, "not an exception")
				require.ErrorContains(t, err, words)
				return
			}
			if _, ok := accepted[f.File]; ok {
				require.False(t, f.Accepts, "not an exception")
				require.NoError(t, err)
				return
			}
			if !f.Accepts {
				require.Error(t, err)
				return
			}
			require.NoError(t, err)
			again, err := decode(encode(t, spec))
			require.NoError(t, err)
			assert.True(t, spec.Equal(again.(*scriptspec.EnhancedScriptExecutionSpec)), "survives a save")
			if _, ok := otherValue[f.File]; !ok {
				assertPythonValue(t, f.Value, spec.Basic())
			}
		})
	}
}

// assertPythonValue compares a spec with the manifest's form of what Python read.
func assertPythonValue(t *testing.T, raw json.RawMessage, s *scriptspec.ScriptExecutionSpec) {
	t.Helper()
	var want struct {
		ScriptName  string            `json:"script_name"`
		StepName    string            `json:"step_name"`
		ScriptPath  string            `json:"script_path"`
		InputPaths  map[string]string `json:"input_paths"`
		OutputPaths map[string]string `json:"output_paths"`
		EnvironVars map[string]string `json:"environ_vars"`
		JobArgs     any               `json:"job_args"`
		CreatedAt   any               `json:"created_at"`
		UpdatedAt   any               `json:"updated_at"`
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	require.NoError(t, d.Decode(&want))
	assert.Equal(t, want.ScriptName, s.ScriptName)
	assert.Equal(t, want.StepName, s.StepName)
	assert.Equal(t, want.ScriptPath, s.ScriptPath)
	assert.Equal(t, want.InputPaths, orEmpty(s.InputPaths))
	assert.Equal(t, want.OutputPaths, orEmpty(s.OutputPaths))
	assert.Equal(t, want.EnvironVars, orEmpty(s.EnvironVars))
	assert.Equal(t, plainPython(want.JobArgs), plainPython(map[string]any(orEmpty(s.JobArgs))))
	for _, at := range []struct {
		want any
		got  scriptspec.Timestamp
	}{{want.CreatedAt, s.CreatedAt}, {want.UpdatedAt, s.UpdatedAt}} {
		if at.got.IsZero() {
			continue // absent, for which Python's model takes the time of loading
		}
		text, ok := plainPython(at.want).(string)
		require.True(t, ok)
		ts, err := scriptspec.ParseTimestamp(text)
		require.NoError(t, err)
		assert.True(t, ts.Equal(at.got), "%s and %s", ts, at.got)
	}
}

// plainPython replaces the manifest's {"$int": ...} and the like by what they stand for, and writes
// every number as Python's repr would.
func plainPython(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for _, tag := range []string{"$int", "$datetime"} {
			if text, ok := v[tag].(string); ok && len(v) == 1 {
				if tag == "$int" {
					return json.Number(text)
				}
				return text
			}
		}
		m := map[string]any{}
		for key, e := range v {
			m[key] = plainPython(e)
		}
		return m
	case []any:
		list := make([]any, len(v))
		for i, e := range v {
			list[i] = plainPython(e)
		}
		return list
	case json.Number:
		if strings.ContainsAny(v.String(), ".eE") {
			f, err := v.Float64()
			if err == nil {
				return f
			}
		}
	}
	return v
}

func orEmpty[M ~map[string]V, V any](m M) M {
	if m == nil {
		return M{}
	}
	return m
}
