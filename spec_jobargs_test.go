package scriptspec_test

import (
	"encoding/json"
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

func TestJobArg(t *testing.T) {
	t.Parallel()
	type window struct {
		From, To int
	}
	args := scriptspec.JobArgs{
		"int": jsonNumber("7"), "goInt": 7, "float": jsonNumber("0.5"), "one": jsonNumber("1.0"), "text": "x", "yes": true,
		"names": []any{"a", "b"}, "goNames": []string{"a"}, "window": map[string]any{"From": jsonNumber("1"), "To": jsonNumber("2")},
		"null": nil, "big": jsonNumber("300"),
	}
	assertArg(t, args, "int", 7)
	assertArg(t, args, "goInt", 7)
	assertArg(t, args, "int", int64(7))
	assertArg(t, args, "int", 7.0)
	assertArg(t, args, "float", 0.5)
	assertArg(t, args, "one", 1.0)
	assertArg(t, args, "one", jsonNumber("1.0"))
	assertArg(t, args, "text", "x")
	assertArg(t, args, "yes", true)
	assertArg(t, args, "names", []string{"a", "b"})
	assertArg(t, args, "goNames", []any{"a"})
	assertArg(t, args, "window", window{1, 2})
	assertArg[any](t, args, "null", nil)
	assertArg[*int](t, args, "null", nil)
	assertArg[[]string](t, args, "null", nil)

	assertNoArg[int](t, args, "absent", scriptspec.CodeMissing)
	assertNoArg[int](t, args, "float", scriptspec.CodeType)
	assertNoArg[int](t, args, "one", scriptspec.CodeType)
	assertNoArg[int](t, args, "null", scriptspec.CodeType)
	assertNoArg[int8](t, args, "big", scriptspec.CodeType)
	assertNoArg[string](t, args, "int", scriptspec.CodeType)
	assertNoArg[[]int](t, args, "names", scriptspec.CodeType)
	assertNoArg[int](t, scriptspec.JobArgs{"x": math.NaN()}, "x", scriptspec.CodeUnsupported)
	assertNoArg[int](t, nil, "x", scriptspec.CodeMissing)
}

func assertArg[T any](t *testing.T, args scriptspec.JobArgs, key string, want T) {
	t.Helper()
	got, err := scriptspec.JobArg[T](args, key)
	require.NoError(t, err, key)
	assert.Equal(t, want, got, key)
}

func assertNoArg[T any](t *testing.T, args scriptspec.JobArgs, key string, code scriptspec.Code) {
	t.Helper()
	_, err := scriptspec.JobArg[T](args, key)
	fe, ok := errors.AsType[*scriptspec.FieldError](err)
	require.True(t, ok, "%s: %v", key, err)
	assert.Equal(t, code, fe.Code, key)
	assert.Equal(t, `job_args["`+key+`"]`, fe.Path)
}

// A clone shares nothing that can be reached without a pointer.
func TestJobArgsCloneGoesToTheBottom(t *testing.T) {
	t.Parallel()
	type part struct {
		List []int
	}
	s := noted()
	s.AddJobArg("struct", part{List: []int{1}})
	s.AddJobArg("array", [1][]int{{1}})
	c := s.Clone()
	c.JobArgs["struct"].(part).List[0] = 2
	c.JobArgs["array"].([1][]int)[0][0] = 2
	assert.Equal(t, 1, s.JobArgs["struct"].(part).List[0])
	assert.Equal(t, 1, s.JobArgs["array"].([1][]int)[0][0])

	list, err := scriptspec.JobArg[part](s.JobArgs, "struct")
	require.NoError(t, err)
	list.List[0] = 3
	assert.Equal(t, 1, s.JobArgs["struct"].(part).List[0], "what JobArg returns is the caller's")
}

func TestJobArgsJSON(t *testing.T) {
	t.Parallel()
	var args scriptspec.JobArgs
	require.NoError(t, json.Unmarshal([]byte(`{"b":1.0,"a":[1e400,{"x":null}]}`), &args))
	assert.Equal(t, scriptspec.JobArgs{"b": jsonNumber("1.0"), "a": []any{jsonNumber("1e400"), map[string]any{"x": nil}}}, args)
	data, err := json.Marshal(args)
	require.NoError(t, err)
	assert.Equal(t, `{"a":[1e400,{"x":null}],"b":1.0}`, string(data))

	data, err = json.Marshal(scriptspec.JobArgs{"f": 1.0, "i": 1})
	require.NoError(t, err)
	assert.Equal(t, `{"f":1.0,"i":1}`, string(data))

	for text, want := range map[string]scriptspec.JobArgs{`null`: nil, `{}`: {}} {
		require.NoError(t, json.Unmarshal([]byte(text), &args))
		assert.Equal(t, want, args)
		data, err := json.Marshal(args)
		require.NoError(t, err)
		assert.Equal(t, text, string(data))
	}
	require.Error(t, json.Unmarshal([]byte(`{"a":1,"a":2}`), &args), "duplicate names")
	require.Error(t, json.Unmarshal([]byte(`[1]`), &args))
	_, err = json.Marshal(scriptspec.JobArgs{"x": math.Inf(1)})
	require.Error(t, err)
}
