package scriptspec_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/go-playground/validator/v10"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// What programs do with the types: embed them, nest them, validate them with what they have.

type embedding struct {
	scriptspec.ScriptExecutionSpec
	Owner    string `json:"owner"`
	Priority int    `json:"priority"`
}

type embeddingEnhanced struct {
	Owner string `json:"owner"`
	scriptspec.EnhancedScriptExecutionSpec
}

func TestEmbeddingHostKeepsItsFields(t *testing.T) {
	t.Parallel()
	data, err := json.Marshal(embedding{*noted(), "team", 3})
	require.NoError(t, err)
	var members map[string]any
	require.NoError(t, json.Unmarshal(data, &members))
	assert.Equal(t, "team", members["owner"])
	assert.Equal(t, "tabular_preprocessing", members["script_name"])
	var back embedding
	require.NoError(t, json.Unmarshal(data, &back))
	assert.Equal(t, "team", back.Owner)
	assert.Equal(t, 3, back.Priority)
	assert.True(t, noted().Equal(&back.ScriptExecutionSpec))

	data, err = json.Marshal(embeddingEnhanced{"team", *notedEnhanced()})
	require.NoError(t, err)
	var enhanced embeddingEnhanced
	require.NoError(t, json.Unmarshal(data, &enhanced))
	assert.Equal(t, "team", enhanced.Owner)
	assert.True(t, notedEnhanced().Equal(&enhanced.EnhancedScriptExecutionSpec))
}

// A host that embeds a spec is a Spec; what is inside is what is meant.
func TestEmbeddingHostIsASpec(t *testing.T) {
	t.Parallel()
	host := &embedding{ScriptExecutionSpec: *noted(), Owner: "team"}
	require.NoError(t, host.Validate())
	var b bytes.Buffer
	require.NoError(t, scriptspec.Encode(&b, host))
	assert.Equal(t, notedJSON, b.String())
	host.StepName = "x"
	require.Error(t, scriptspec.Encode(&b, host))

	type pointer struct {
		*scriptspec.ScriptExecutionSpec
	}
	for _, none := range []scriptspec.Spec{pointer{}, (*embedding)(nil), (*scriptspec.ScriptExecutionSpec)(nil), nil} {
		require.Error(t, scriptspec.Encode(&b, none), "%T", none)
	}
}

// overriding has methods of its own where the package asks the spec inside.
type overriding struct {
	*scriptspec.ScriptExecutionSpec
}

func (overriding) SpecFileName() string                   { return "other_runtime_test_spec.json" }
func (overriding) Basic() *scriptspec.ScriptExecutionSpec { return nil }

func TestHostsMethodsAreNotTrusted(t *testing.T) {
	t.Parallel()
	python(t)
	store := openStore(t, t.TempDir(), nil)
	require.NoError(t, store.Save(overriding{noted()}))
	_, err := store.Load("tabular_preprocessing")
	require.NoError(t, err)
	result, err := (&scriptspec.RuntimeTester{}).TestScript(t.Context(), overriding{noted()})
	require.NoError(t, err)
	assert.Equal(t, scriptspec.OutcomeScriptMissing, result.Outcome)
}

type nesting struct {
	Name string `validate:"required"`
	Spec scriptspec.ScriptExecutionSpec
	Next *scriptspec.EnhancedScriptExecutionSpec
	Path scriptspec.PathSpec
}

func (n nesting) valid() nesting {
	n.Name, n.Spec, n.Next = "job", *noted(), notedEnhanced()
	n.Path = scriptspec.PathSpec{LogicalName: "x", Path: "/x"}
	return n
}

// tags lists what a validator says as "namespace tag".
func tags(t *testing.T, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	ves, ok := errors.AsType[validator.ValidationErrors](err)
	require.True(t, ok, "%T: %v", err, err)
	var list []string
	for _, ve := range ves {
		list = append(list, ve.Namespace()+" "+ve.Tag())
	}
	slices.Sort(list)
	return list
}

func TestNestingHostWithABareValidator(t *testing.T) {
	t.Parallel()
	for _, v := range []*validator.Validate{validator.New(), validator.New(validator.WithRequiredStructEnabled())} {
		require.NoError(t, v.Struct(nesting{}.valid()))
		assert.Equal(t, []string{
			"nesting.Name required", "nesting.Path.LogicalName required", "nesting.Path.Path required",
			"nesting.Spec.ScriptName required", "nesting.Spec.ScriptPath required", "nesting.Spec.StepName required",
		}, tags(t, v.Struct(nesting{})))
		bad := nesting{}.valid()
		bad.Spec.InputPaths["x"] = ""
		bad.Spec.EnvironVars["A=B"] = ""
		bad.Spec.JobArgs["struct"] = struct {
			X int `validate:"no_such_tag"`
		}{}
		assert.Equal(t, []string{"nesting.Spec.EnvironVars[A=B] excludes", "nesting.Spec.InputPaths[x] required"}, tags(t, v.Struct(bad)))
	}
}

func TestRegisterValidations(t *testing.T) {
	t.Parallel()
	type host struct {
		Spec   scriptspec.ScriptExecutionSpec
		Next   *scriptspec.EnhancedScriptExecutionSpec
		Paths  []scriptspec.PathSpec `validate:"dive"`
		Script string                `validate:"scriptspec_script_name"`
		Step   string                `validate:"omitempty,scriptspec_step_name"`
		Env    map[string]string     `validate:"dive,keys,scriptspec_env_name,endkeys,scriptspec_env_value"`
	}
	v := validator.New()
	require.NoError(t, scriptspec.RegisterValidations(v))
	good := host{Spec: *noted(), Next: notedEnhanced(), Script: "a"}
	require.NoError(t, v.Struct(good))
	require.NoError(t, v.Struct(&good))

	bad := host{Spec: *noted(), Next: notedEnhanced(), Script: "A", Step: "a", Env: map[string]string{"A=B": "\x00"}}
	bad.Paths = []scriptspec.PathSpec{{}}
	bad.Spec.ScriptName = "MyScript"
	bad.Spec.InputPaths["data"] = ""
	bad.Spec.EnvironVars["A=B"] = sentinel
	bad.Spec.EnvironVars["NUL"] = sentinel + "\x00"
	bad.Next.InputPathSpecs["config"] = scriptspec.PathSpec{LogicalName: "config"}
	err := v.Struct(bad)
	assert.Equal(t, []string{
		"host.Env[A=B] scriptspec_env_name",
		"host.Env[A=B] scriptspec_env_value",
		`host.Next.input_path_specs["config"].path empty`,
		"host.Paths[0].LogicalName required",
		"host.Paths[0].Path required",
		"host.Script scriptspec_script_name",
		`host.Spec.environ_vars["A=B"] format`,
		`host.Spec.environ_vars["NUL"] nul`,
		`host.Spec.input_paths["data"] empty`,
		"host.Spec.script_name format",
		"host.Step scriptspec_step_name",
	}, tags(t, err))
	ves, _ := errors.AsType[validator.ValidationErrors](err)
	for _, ve := range ves {
		if ve.Namespace() != "host.Env[A=B]" { // the host's own field
			assert.NotContains(t, fmt.Sprint(ve.Value()), sentinel)
		}
	}
}
