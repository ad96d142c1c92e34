package scriptspec_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

type (
	jsonRaw    = json.RawMessage
	jsonNumber = json.Number
)

func TestMatchesNameOrAlias(t *testing.T) {
	t.Parallel()
	p := scriptspec.PathSpec{LogicalName: "data_input", Path: "/in", Aliases: []string{"input", "dataset"}}
	for name, want := range map[string]bool{
		"data_input": true, "input": true, "dataset": true,
		"Dataset": false, "data": false, "": false, "/in": false,
	} {
		assert.Equal(t, want, p.MatchesNameOrAlias(name), name)
	}
	assert.True(t, scriptspec.PathSpec{}.MatchesNameOrAlias(""), "as in the note: the name is equal")
}

func TestEnhanceAndBasic(t *testing.T) {
	t.Parallel()
	s := noted()
	s.Extra = map[string]jsonRaw{"user_notes": jsonRaw(`"n"`)}
	e := scriptspec.Enhance(s, func(name string) []string { return []string{name + "_alias"} })
	assert.Equal(t, scriptspec.PathSpec{
		LogicalName: "config", Path: "/test_data/config/preprocessing_config.json", Aliases: []string{"config_alias"},
	}, e.InputPathSpecs["config"])
	assert.Equal(t, s.InputPaths, e.InputPaths())
	assert.Equal(t, s.OutputPaths, e.OutputPaths())
	assert.True(t, s.Equal(e.Basic()), "nothing but aliases is lost")
	assert.True(t, s.Equal(scriptspec.Enhance(s, nil).Basic()))

	e.InputPaths()["config"] = "changed"
	e.Basic().EnvironVars["CURSUS_ENV"] = "changed"
	e.EnvironVars["PYTHONPATH"] = "changed"
	assert.Equal(t, "/test_data/config/preprocessing_config.json", e.InputPathSpecs["config"].Path, "maps are fresh")
	assert.Equal(t, noted().EnvironVars, s.EnvironVars, "and copies deep")

	assert.Nil(t, scriptspec.Enhance(nil, nil))
	assert.Nil(t, (*scriptspec.EnhancedScriptExecutionSpec)(nil).Basic())
	assert.NotNil(t, (&scriptspec.EnhancedScriptExecutionSpec{}).InputPaths())
}

func TestEnhancedLookups(t *testing.T) {
	t.Parallel()
	e := notedEnhanced()
	e.AddInputPathSpec(scriptspec.PathSpec{LogicalName: "dataset", Path: "/by/key"})
	e.InputPathSpecs["zz"] = scriptspec.PathSpec{LogicalName: "params", Path: "/by/logical/name"}
	for name, want := range map[string]string{
		"config":          "/test_data/config/preprocessing_config.json", // key
		"hyperparameters": "/test_data/config/preprocessing_config.json", // alias
		"dataset":         "/by/key",                                     // a key wins over an alias
		"params":          "/by/logical/name",                            // so does a logical name
	} {
		p, ok := e.InputPath(name)
		require.True(t, ok, name)
		assert.Equal(t, want, p.Path, name)
	}
	_, ok := e.InputPath("nothing")
	assert.False(t, ok)
	p, ok := e.OutputPath("result")
	require.True(t, ok)
	assert.Equal(t, "data_output", p.LogicalName)

	p.Aliases[0] = "changed"
	assert.Equal(t, "output", e.OutputPathSpecs["data_output"].Aliases[0], "a copy")
}

// Two inputs with one alias: the answer is the same each time, though maps have no order.
func TestEnhancedLookupIsDeterministic(t *testing.T) {
	t.Parallel()
	e := &scriptspec.EnhancedScriptExecutionSpec{}
	for _, name := range []string{"c", "a", "b"} {
		e.AddInputPathSpec(scriptspec.PathSpec{LogicalName: name, Path: "/" + name, Aliases: []string{"shared"}})
	}
	for range 25 {
		p, ok := e.InputPath("shared")
		require.True(t, ok)
		require.Equal(t, "/a", p.Path)
	}
}

func TestEnhancedAddKeepsAliases(t *testing.T) {
	t.Parallel()
	e := notedEnhanced()
	e.AddInputPath("config", "/new")
	e.AddOutputPath("fresh", "/fresh")
	assert.Equal(t, "/new", e.InputPathSpecs["config"].Path)
	assert.Equal(t, []string{"configuration", "params", "hyperparameters", "settings"}, e.InputPathSpecs["config"].Aliases)
	assert.Equal(t, scriptspec.PathSpec{LogicalName: "fresh", Path: "/fresh"}, e.OutputPathSpecs["fresh"])
}

func TestEnhancedCloneAndEqual(t *testing.T) {
	t.Parallel()
	e := notedEnhanced()
	c := e.Clone()
	require.True(t, e.Equal(c))
	c.InputPathSpecs["config"].Aliases[0] = "changed"
	assert.False(t, e.Equal(c))
	assert.Equal(t, "configuration", e.InputPathSpecs["config"].Aliases[0])

	for name, p := range map[string]scriptspec.PathSpec{
		"logical name": {LogicalName: "x", Path: "/p", Aliases: []string{"a", "b"}},
		"path":         {LogicalName: "n", Path: "/x", Aliases: []string{"a", "b"}},
		"alias":        {LogicalName: "n", Path: "/p", Aliases: []string{"a"}},
		"order":        {LogicalName: "n", Path: "/p", Aliases: []string{"b", "a"}},
		"extra":        {LogicalName: "n", Path: "/p", Aliases: []string{"a", "b"}, Extra: map[string]jsonRaw{"x": jsonRaw("1")}},
	} {
		assert.False(t, p.Equal(scriptspec.PathSpec{LogicalName: "n", Path: "/p", Aliases: []string{"a", "b"}}), name)
	}
	assert.Nil(t, (*scriptspec.EnhancedScriptExecutionSpec)(nil).Clone())
	assert.False(t, e.Equal(nil))
}
