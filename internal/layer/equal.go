package layer

import (
	"encoding/json"
	"maps"
	"math/big"
	"reflect"
	"slices"
	"strings"
)

// Equal reports whether two values are the same to a program that reads JSON: 1, 1.0 and 1e0 are one number.
func Equal(a, b any) bool {
	switch a := a.(type) {
	case json.Number:
		b, isNumber := b.(json.Number)
		return isNumber && sameNumber(string(a), string(b))
	case map[string]any:
		b, isObject := b.(map[string]any)
		return isObject && maps.EqualFunc(a, b, Equal)
	case []any:
		b, isList := b.([]any)
		return isList && slices.EqualFunc(a, b, Equal)
	}
	return reflect.DeepEqual(a, b)
}

// sameNumber compares whole numbers exactly, and others as the doubles that programs read.
func sameNumber(a, b string) bool {
	if a == b {
		return true
	}
	if !strings.ContainsAny(a+b, ".eE") {
		x, okX := new(big.Int).SetString(a, 10)
		y, okY := new(big.Int).SetString(b, 10)
		return okX && okY && x.Cmp(y) == 0 // -0 is 0
	}
	x, errX := json.Number(a).Float64()
	y, errY := json.Number(b).Float64()
	return errX == nil && errY == nil && x == y
}
