package layer_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/scriptspec/scriptspec/internal/layer"
)

func rules(path []string) layer.Kind {
	switch {
	case path[0] == "args":
		return layer.Object
	case path[0] == "tags":
		return layer.Set
	case path[0] == "env" && len(path) == 1:
		return layer.Object
	}
	return layer.Value
}

type object = map[string]any

func TestOver(t *testing.T) {
	t.Parallel()
	under := object{"args": object{"a": 1, "deep": object{"x": 1, "y": 1}}, "tags": []any{"a", "b"}, "env": object{"A": object{"k": 1}}, "list": []any{1}, "kept": 1}
	over := object{"args": object{"a": 2, "deep": object{"y": 2}, "b": 3}, "tags": []any{"c", "a"}, "env": object{"A": object{"l": 2}}, "list": []any{2}}
	assert.Equal(t, object{
		"args": object{"a": 2, "deep": object{"x": 1, "y": 2}, "b": 3}, "tags": []any{"a", "b", "c"}, "env": object{"A": object{"l": 2}}, "list": []any{2}, "kept": 1,
	}, layer.Over(under, over, rules))
	assert.Equal(t, object{"x": 1, "y": 1}, under["args"].(object)["deep"], "nothing is changed")
	assert.Equal(t, object{"a": 1}, layer.Over(nil, object{"a": 1}, rules))
}

// oracle is what must come of a value of which r was recorded, f is in the file and b in the base; 0 is none.
func oracle(r, f, b int) int {
	switch {
	case f == 0 && r != 0: // taken out
		return 0
	case f == 0:
		return b
	case r != 0 && f == r:
		return b
	}
	return f
}

func TestMergeAgainstAnOracle(t *testing.T) {
	t.Parallel()
	pick := func() int { return rand.IntN(4) }
	put := func(o object, key string, v int) {
		if v != 0 {
			o[key] = v
		}
	}
	for range 5000 {
		recorded, file, base, want := object{}, object{}, object{}, object{}
		conflicts := 0
		for i := range 6 {
			r, f, b := pick(), pick(), pick()
			key := fmt.Sprint("k", i)
			put(recorded, key, r)
			put(file, key, f)
			put(base, key, b)
			put(want, key, oracle(r, f, b))
			if r != 0 && f != 0 && b != 0 && f != r && b != r && f != b {
				conflicts++
			}
		}
		for _, path := range [][]string{{}, {"args"}, {"args", "deep", "deeper"}} {
			wrap := func(o object) object {
				if len(path) > 0 && len(o) == 0 && rand.IntN(2) == 0 {
					return object{} // what is not there at all is as empty
				}
				for i := len(path) - 1; i >= 0; i-- {
					o = object{path[i]: o}
				}
				return o
			}
			got, found := layer.Merge(wrap(recorded), wrap(file), wrap(base), rules)
			for _, step := range path {
				inner, _ := got[step].(object)
				got = inner
			}
			if len(want) == 0 {
				assert.Empty(t, got)
			} else {
				assert.Equal(t, want, got, "R %v F %v B %v", recorded, file, base)
			}
			assert.Len(t, found, conflicts)
			// Once merged, it stays as it is.
			again, _ := layer.Merge(wrap(base), wrap(got), wrap(base), rules)
			for _, step := range path {
				inner, _ := again[step].(object)
				again = inner
			}
			assert.True(t, len(got) == 0 && len(again) == 0 || reflect.DeepEqual(got, again))
		}
	}
}

func TestMergeSets(t *testing.T) {
	t.Parallel()
	side := func(list []any) object {
		if list == nil && rand.IntN(2) == 0 {
			return object{}
		}
		return object{"tags": list}
	}
	for range 2000 {
		var recorded, file, base []any
		want := map[any]bool{}
		for i := range 6 {
			r, f, b := rand.IntN(2) == 0, rand.IntN(2) == 0, rand.IntN(2) == 0
			for _, side := range []struct {
				list *[]any
				in   bool
			}{{&recorded, r}, {&file, f}, {&base, b}} {
				if side.in {
					*side.list = append(*side.list, i)
				}
			}
			switch {
			case f && (!r || b), !f && !r && b:
				want[i] = true
			}
		}
		got, _ := layer.Merge(side(recorded), side(file), side(base), rules)
		list, _ := got["tags"].([]any)
		assert.Len(t, list, len(want), "R %v F %v B %v: %v", recorded, file, base, list)
		for _, item := range list {
			assert.True(t, want[item])
		}
	}
}

// A value that becomes one of another kind replaces it, or stays, as a whole.
func TestMergeOfOtherKinds(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ r, f, b, want any }{
		{object{"a": 1}, object{"a": 1}, 3, 3},
		{3, 3, object{"a": 1}, object{"a": 1}},
		{object{"a": 1}, "own", object{"a": 2}, "own"},
		{nil, object{}, nil, object{}},
		{nil, nil, object{}, object{}},
		{object{}, object{}, object{}, object{}},
		{object{}, object{}, nil, nil},
		{object{}, nil, object{}, nil},
		{object{"a": 1}, object{"a": 1}, nil, nil},
		{object{"a": 1}, object{}, object{"a": 1}, object{}},
		{object{"a": 1}, object{}, nil, object{}},
		{[]any{json.Number("64")}, []any{json.Number("64.0")}, []any{json.Number("65")}, []any{json.Number("65")}},
		{json.Number("1e-4"), json.Number("0.0001"), json.Number("1E-4"), json.Number("0.0001")},
		{object{"a": 1}, nil, object{"a": 1}, nil},
		{object{"a": 1}, nil, object{"a": 2, "b": 1}, object{"b": 1}},
	} {
		side := func(v any) object {
			if v == nil {
				return object{}
			}
			return object{"x": v}
		}
		got, _ := layer.Merge(object{"args": side(test.r)}, object{"args": side(test.f)}, object{"args": side(test.b)}, rules)
		args, _ := got["args"].(object)
		value, has := args["x"]
		assert.Equal(t, test.want, value, "%v", test)
		assert.Equal(t, test.want != nil, has, "%v", test)
	}
}

func TestEqual(t *testing.T) {
	t.Parallel()
	number := func(text string) any { return json.Number(text) }
	for _, pair := range [][3]any{
		{number("1"), number("1.0"), true}, {number("1e2"), number("100"), true}, {number("-0"), number("0"), true}, {number("0.1"), number("1E-1"), true},
		{number("1"), number("2"), false}, {number("1"), "1", false}, {number("9007199254740993"), number("9007199254740992"), false},
		{number("1e400"), number("1e401"), false}, {number("1e400"), number("1e400"), true}, {nil, nil, true}, {nil, false, false},
		{object{"a": []any{number("1")}}, object{"a": []any{number("1.0")}}, true}, {object{"a": 1}, object{"b": 1}, false}, {[]any{}, object{}, false}, {[]any{1}, []any{1, 2}, false},
	} {
		assert.Equal(t, pair[2], layer.Equal(pair[0], pair[1]), "%v", pair)
		assert.Equal(t, pair[2], layer.Equal(pair[1], pair[0]), "%v", pair)
	}
}
