// Package yaml has a module of its own, so that the libraries it tries are no dependency of scriptspec.
package yaml

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	forked "go.yaml.in/yaml/v3"
	original "gopkg.in/yaml.v3"

	"github.com/scriptspec/scriptspec"
)

// library is what both libraries have.
type library struct {
	marshal   func(any) ([]byte, error)
	unmarshal func([]byte, any) error
}

var libraries = map[string]library{
	"gopkg.in/yaml.v3":   {original.Marshal, original.Unmarshal},
	"go.yaml.in/yaml/v3": {forked.Marshal, forked.Unmarshal},
}

// embedding is a host's type with a spec in it.
type embedding struct {
	scriptspec.ScriptExecutionSpec `yaml:",inline"`
	Owner                          string `yaml:"owner"`
}

// nesting is a host's type with specs below it.
type nesting struct {
	Owner string                                             `yaml:"owner"`
	Steps map[string]*scriptspec.EnhancedScriptExecutionSpec `yaml:"steps"`
}

const specJSON = `{
  "script_name": "xgboost_training",
  "step_name": "XGBoostTraining_training",
  "script_path": "scripts/xgboost_training.py",
  "input_paths": {"data": "in put", "no": "yes", "1": "0x1f"},
  "output_paths": {"model": "out: #1"},
  "environ_vars": {"SEED": "1", "EMPTY": "", "LINES": "a\nb\n", "DATE": "2025-01-02", "NULL": "null"},
  "job_args": {
    "seed": 1, "eta": 0.1, "gamma": 1e-07, "big": 18446744073709551615, "negative": -3, "exponent": 1e+06,
    "on": true, "off": false, "none": null, "text": "1", "date": "2025-01-02", "nested": {"a": [1, "2", {"b": 0.5}], "empty": {}, "list": []}
  },
  "created_at": "2025-10-16T23:29:52.100000",
  "updated_at": "2025-10-16T23:29:52.100000+02:00",
  "optional": ["data"],
  "timeout": 2.5,
  "max_memory": 4294967296
}`

func basicSpec(t *testing.T) *scriptspec.ScriptExecutionSpec {
	t.Helper()
	s, err := scriptspec.Decode(strings.NewReader(specJSON), nil)
	require.NoError(t, err)
	return s.Basic()
}

func TestEmbedded(t *testing.T) {
	for name, yaml := range libraries {
		t.Run(name, func(t *testing.T) {
			before := embedding{*basicSpec(t), "churn"}
			data, err := yaml.marshal(before)
			require.NoError(t, err)
			assert.Contains(t, string(data), "script_name: xgboost_training\n")
			assert.Contains(t, string(data), "seed: 1\n")
			assert.Contains(t, string(data), "owner: churn\n")
			var after embedding
			require.NoError(t, yaml.unmarshal(data, &after))
			assert.True(t, before.Equal(&after.ScriptExecutionSpec), "%s\n%v", data, after.JobArgs)
			assert.Equal(t, before.Owner, after.Owner)
			assert.Equal(t, encoded(t, &before.ScriptExecutionSpec), encoded(t, &after.ScriptExecutionSpec))
		})
	}
}

func Example() {
	step := embedding{*scriptspec.New("xgboost_training", "XGBoostTraining_training", "scripts/xgboost_training.py"), "churn"}
	step.CreatedAt, step.UpdatedAt = scriptspec.Timestamp{}, scriptspec.Timestamp{} // to print the same every time
	step.JobArgs = scriptspec.JobArgs{"seed": 1, "eta": 0.1}
	text, err := original.Marshal(step)
	if err != nil {
		fmt.Println(err)
	}
	fmt.Print(string(text))

	var again embedding
	if err := original.Unmarshal(text, &again); err != nil {
		fmt.Println(err)
	}
	fmt.Println("same spec:", again.Equal(&step.ScriptExecutionSpec))
	// Output:
	// script_name: xgboost_training
	// step_name: XGBoostTraining_training
	// script_path: scripts/xgboost_training.py
	// job_args:
	//     eta: 0.1
	//     seed: 1
	// owner: churn
	// same spec: true
}

func encoded(t *testing.T, s scriptspec.Spec) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, scriptspec.Encode(&b, s))
	return b.String()
}

func TestNested(t *testing.T) {
	for name, yaml := range libraries {
		t.Run(name, func(t *testing.T) {
			s := scriptspec.Enhance(basicSpec(t), func(name string) []string { return []string{name + "_alias"} })
			before := nesting{"churn", map[string]*scriptspec.EnhancedScriptExecutionSpec{"XGBoostTraining_training": s}}
			data, err := yaml.marshal(before)
			require.NoError(t, err)
			var after nesting
			require.NoError(t, yaml.unmarshal(data, &after))
			require.Contains(t, after.Steps, "XGBoostTraining_training")
			assert.True(t, s.Equal(after.Steps["XGBoostTraining_training"]), "%s", data)
		})
	}
}

// A spec without anything in it is one without anything in it again.
func TestEmpty(t *testing.T) {
	for name, yaml := range libraries {
		t.Run(name, func(t *testing.T) {
			data, err := yaml.marshal(&scriptspec.ScriptExecutionSpec{})
			require.NoError(t, err)
			var after scriptspec.ScriptExecutionSpec
			require.NoError(t, yaml.unmarshal(data, &after))
			assert.Equal(t, scriptspec.ScriptExecutionSpec{}, after)
		})
	}
}

// Job arguments as a person writes them become what JSON would have.
func TestReadJobArgs(t *testing.T) {
	const text = `
hex: 0x1f
grouped: 1_000
float: 1.0
point: .5
huge: 123456789012345678901234567890
exact: 0.1000000000000000055511151231257827
date: 2025-01-02
yes: yes
truth: true
nothing: ~
list: [1, 2.50, a]
merged: {<<: {a: 1}, b: 2}
`
	want := scriptspec.JobArgs{
		"hex": json.Number("31"), "grouped": json.Number("1000"), "float": json.Number("1.0"), "point": json.Number("0.5"),
		"huge": json.Number("123456789012345678901234567890"), "exact": json.Number("0.1000000000000000055511151231257827"),
		"date": "2025-01-02", "yes": "yes", "truth": true, "nothing": nil,
		"list":   []any{json.Number("1"), json.Number("2.50"), "a"},
		"merged": map[string]any{"a": json.Number("1"), "b": json.Number("2")},
	}
	for name, yaml := range libraries {
		t.Run(name, func(t *testing.T) {
			var args scriptspec.JobArgs
			require.NoError(t, yaml.unmarshal([]byte(text), &args))
			assert.Equal(t, want, args)
		})
	}
}

// What YAML cannot carry is refused by name, and what it writes otherwise is known.
func TestWriteNumbers(t *testing.T) {
	for name, yaml := range libraries {
		t.Run(name, func(t *testing.T) {
			_, err := yaml.marshal(scriptspec.JobArgs{"a": 1, "b": []any{json.Number("123456789012345678901234567890")}})
			require.ErrorContains(t, err, `job_args["b"]`)
			data, err := yaml.marshal(scriptspec.JobArgs{"subsample": 1.0})
			require.NoError(t, err)
			assert.Equal(t, "subsample: 1\n", string(data)) // without its fraction, as README says
		})
	}
}

func TestReadRefusals(t *testing.T) {
	for name, yaml := range libraries {
		t.Run(name, func(t *testing.T) {
			for _, text := range []string{"job_args: [1]", "job_args: text", "input_paths: [a]", "created_at: yesterday"} {
				var s scriptspec.ScriptExecutionSpec
				assert.Error(t, yaml.unmarshal([]byte(text), &s), text)
			}
		})
	}
}
