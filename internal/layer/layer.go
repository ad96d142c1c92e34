// Package layer merges JSON objects: several bases into one, and what a file has with what it once took from its
// bases and with what these say now. Values are as encoding/json has them, with numbers as json.Number.
package layer

import (
	"maps"
	"slices"
)

// Kind is how values at a place are merged.
type Kind int

// The kinds.
const (
	Value  Kind = iota // one replaces the other as a whole
	Object             // key by key
	Set                // a list without an order that matters: what is in it comes and goes by itself
)

// Rules returns the kind of a place, a path of keys. Values that are not of that kind are replaced as a whole.
type Rules func(path []string) Kind

// Over returns an object with the values of another over its own. Neither is changed.
func Over(under, over map[string]any, rules Rules) map[string]any {
	return merged(nil, under, over, rules)
}

func merged(path []string, under, over map[string]any, rules Rules) map[string]any {
	result := maps.Clone(under)
	if result == nil {
		result = map[string]any{}
	}
	for key, value := range over {
		place := append(slices.Clone(path), key)
		old, had := result[key]
		a, isA := old.(map[string]any)
		b, isB := value.(map[string]any)
		switch kind := rules(place); {
		case had && kind == Object && isA && isB:
			result[key] = merged(place, a, b, rules)
		case had && kind == Set:
			result[key] = union(old, value)
		default:
			result[key] = value
		}
	}
	return result
}

func union(a, b any) any {
	first, isA := a.([]any)
	second, isB := b.([]any)
	if !isA || !isB {
		return b
	}
	result := slices.Clone(first)
	for _, item := range second {
		if !contains(result, item) {
			result = append(result, item)
		}
	}
	return result
}

func contains(list []any, item any) bool {
	return slices.ContainsFunc(list, func(other any) bool { return Equal(other, item) })
}

// Merge returns what a file should have: recorded is what it took from its bases when it was merged last, file what
// it has, base what they say now. What the file has as it was recorded follows the base; what was changed in it or
// taken out of it stays so; what was never recorded is the file's, if it has it. Conflicts are the places that both
// have changed, each in a way of its own.
func Merge(recorded, file, base map[string]any, rules Rules) (result map[string]any, conflicts [][]string) {
	m := merger{rules: rules}
	return m.objects(nil, recorded, file, base), m.conflicts
}

type merger struct {
	rules     Rules
	conflicts [][]string
}

func (m *merger) objects(path []string, recorded, file, base map[string]any) map[string]any {
	result := map[string]any{}
	keys := map[string]bool{}
	for _, object := range []map[string]any{file, base} {
		for key := range object {
			keys[key] = true
		}
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		r, hasR := recorded[key]
		f, hasF := file[key]
		b, hasB := base[key]
		if value, ok := m.value(append(slices.Clone(path), key), r, f, b, hasR, hasF, hasB); ok {
			result[key] = value
		}
	}
	return result
}

func (m *merger) value(path []string, r, f, b any, hasR, hasF, hasB bool) (value any, ok bool) {
	objectR, isR := r.(map[string]any)
	objectF, isF := f.(map[string]any)
	objectB, isB := b.(map[string]any)
	kind := m.rules(path)
	if kind == Object && (isF || !hasF) && (isB || !hasB) && (isR || !hasR) {
		merged := m.objects(path, objectR, objectF, objectB)
		return merged, keep(len(merged), len(objectR), len(objectF), hasR, hasF, hasB)
	}
	listR, isR := r.([]any)
	listF, isF := f.([]any)
	listB, isB := b.([]any)
	if kind == Set && (isF || !hasF) && (isB || !hasB) && (isR || !hasR) {
		set := m.sets(listR, listF, listB)
		return set, keep(len(set), len(listR), len(listF), hasR, hasF, hasB)
	}
	switch {
	case !hasF:
		return b, hasB && !hasR // what was taken out stays so
	case !hasR || !Equal(f, r):
		if hasR && hasB && !Equal(b, r) && !Equal(f, b) {
			m.conflicts = append(m.conflicts, path)
		}
		return f, true
	case hasB && Equal(f, b):
		return f, true // as the file spells it
	}
	return b, hasB
}

// keep reports whether an object or set stays that has so much in it: an empty one does if it is the file's own, as
// nothing was there or it was emptied, or the base's and new.
func keep(merged, recorded, file int, hasR, hasF, hasB bool) bool {
	switch {
	case merged > 0:
		return true
	case hasF:
		return file == 0 && (hasB || !hasR || recorded > 0)
	}
	return hasB && !hasR
}

func (m *merger) sets(recorded, file, base []any) []any {
	result := []any{}
	for _, item := range file {
		if !contains(recorded, item) || contains(base, item) {
			result = append(result, item)
		}
	}
	for _, item := range base {
		if !contains(recorded, item) && !contains(result, item) {
			result = append(result, item)
		}
	}
	return result
}
