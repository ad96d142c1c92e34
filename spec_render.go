package scriptspec

import (
	"maps"
	"reflect"
	"slices"
	"strconv"

	"github.com/scriptspec/scriptspec/internal/layer"
	"github.com/scriptspec/scriptspec/internal/strictjson"
)

// Change is one difference between a spec and what becomes of it.
type Change struct {
	// Path is the place, as in FieldError.
	Path string `json:"path"`
	Kind string `json:"kind"` // added, removed, changed, or kept: a base has changed it too, and the spec's own value stands
	// Old and New are the values, as JSON reads them. Those of environment variables, and of job arguments with secret
	// names, are "[redacted]".
	Old any `json:"old,omitempty"`
	New any `json:"new,omitempty"`
}

// The kinds of changes.
const (
	changeAdded   = "added"
	changeRemoved = "removed"
	changeChanged = "changed"
	changeKept    = "kept"
)

// String returns one line.
func (c Change) String() string {
	switch c.Kind {
	case changeAdded:
		return c.Path + ": added " + jsonText(c.New)
	case changeRemoved:
		return c.Path + ": removed " + jsonText(c.Old)
	case changeKept:
		return c.Path + ": kept " + jsonText(c.Old) + ", where a base now says " + jsonText(c.New)
	}
	return c.Path + ": changed " + jsonText(c.Old) + " to " + jsonText(c.New)
}

// jsonText returns a value as JSON writes it.
func jsonText(v any) string {
	if s, ok := v.(string); ok {
		return string(quote(s))
	}
	return printable(flagText(v))
}

// Render puts into a spec what its bases say now, and returns what that changes; it does not save the spec. Key by key
// three values decide: what the spec has, what it took from its bases when it was rendered last (inherited), and what
// these say now. A value that is still as it was taken follows the bases, and goes if they have it no more; one that was
// changed in the spec, or taken out of it, stays so. Objects are merged by key, job_args at every depth; tags, secrets and
// the lists of depends_on are sets; other lists and values are replaced as a whole. A number or text that is zero or empty,
// but for those in maps, counts as one that is not there.
//
// The error is a [*ValidationError] with every base that is not there or goes in a circle, or with CodeNewerVersion
// for a spec of a version that this package does not know; the spec is then as it was.
func (st *Store) Render(s Spec) ([]Change, error) { return st.render(s, false) }

// render is Render, or with theirs one in which the bases win where they and the spec have changed the same.
func (st *Store) render(s Spec, theirs bool) ([]Change, error) {
	if isNil(s) {
		return nil, validateRules(s)
	}
	if fe := newerError(s); fe != nil {
		return nil, newValidationError(subject(s), []*FieldError{fe})
	}
	c := s.common()
	layers, errs := st.layers(c.meta.Extends, c.enhanced)
	if len(errs) > 0 {
		return nil, newValidationError(subject(s), errs)
	}
	base := map[string]any{}
	for _, l := range layers {
		base = layer.Over(base, l.values, inheritRules)
	}
	document, err := documentOf(s)
	if err != nil {
		return nil, err
	}
	recorded, _ := document[fields[fieldInherited].name].(map[string]any)
	recorded = ofKind(recorded, c.enhanced)
	isSecret := secretsOf(c, base, recorded)
	file := inheritedPart(document)
	result, conflicts := layer.Merge(recorded, file, base, inheritRules)
	if theirs {
		for _, path := range conflicts {
			value, ok := valueAt(base, path)
			setValueAt(result, path, value, ok)
		}
		conflicts = nil
	}
	changes := changesBetween(isSecret, nil, file, result)
	for _, path := range conflicts {
		old, _ := valueAt(file, path)
		now, _ := valueAt(base, path)
		changes = append(changes, changeAt(isSecret, path, changeKept, old, now))
	}
	for name := range file {
		delete(document, name)
	}
	maps.Copy(document, result)
	document[fields[fieldInherited].name] = base
	if len(base) == 0 {
		delete(document, fields[fieldInherited].name)
	}
	rendered, err := specOf(document, false)
	if err != nil {
		return nil, err
	}
	if len(changes) == 0 && !reflect.DeepEqual(recorded, base) && len(recorded)+len(base) > 0 {
		changes = append(changes, Change{Path: fields[fieldInherited].name, Kind: changeChanged, Old: redacted, New: redacted})
	}
	if len(changes) > 0 {
		copyRendered(s.self(), rendered)
		c.touch()
	}
	return changes, nil
}

// secretsOf reports which job arguments a spec, what it took from its bases or these call secret.
func secretsOf(c common, objects ...map[string]any) func(name string) bool {
	return func(name string) bool {
		return c.isSecret(name) || slices.ContainsFunc(objects, func(o map[string]any) bool {
			secrets, _ := o[fields[fieldSecrets].name].([]any)
			return slices.Contains(secrets, any(name))
		})
	}
}

// ofKind returns what a spec took from its bases in the form of its kind: it may have been of the other one then.
func ofKind(recorded map[string]any, enhanced bool) map[string]any {
	recorded = maps.Clone(recorded)
	for plain, specs := range map[field]field{fieldInputs: fieldInputSpecs, fieldOutputs: fieldOutputSpecs} {
		from, to := fields[specs].name, fields[plain].name
		if enhanced {
			from, to = to, from
		}
		paths, ok := recorded[from].(map[string]any)
		if !ok {
			continue
		}
		delete(recorded, from)
		converted := map[string]any{}
		for key, value := range paths {
			if spec, isSpec := value.(map[string]any); isSpec && !enhanced {
				converted[key] = spec["path"]
			} else if enhanced {
				converted[key] = map[string]any{"logical_name": key, "path": value, "aliases": []any{}}
			}
		}
		recorded[to] = converted
	}
	return recorded
}

// copyRendered makes dst what was rendered, but for its own times.
func copyRendered(dst, src Spec) {
	from := src.common()
	*from.createdAt, *from.updatedAt = *dst.common().createdAt, *dst.common().updatedAt
	if !dst.common().enhanced {
		copySpec(dst, src.Basic())
		return
	}
	copySpec(dst, asEnhanced(src))
}

// newerError refuses what would have to know all of a spec.
func newerError(s Spec) *FieldError {
	version := s.common().meta.SpecVersion
	if version <= SpecVersion {
		return nil
	}
	fe := fieldErrorf(rank{section: int(fieldVersion)}, fields[fieldVersion].name, CodeNewerVersion,
		"spec_version is %s, and this version of scriptspec knows up to %s", strconv.Itoa(version), strconv.Itoa(SpecVersion))
	fe.Value = version
	return fe.hintf("use a newer one")
}

// documentOf returns a spec as JSON.
func documentOf(s Spec) (map[string]any, error) {
	e, err := encode(s, 0)
	if err != nil {
		return nil, err
	}
	defer e.release()
	return objectOfJSON(e.w.Buf), nil
}

// specOf reads a spec that was made of JSON here. Lines and columns of a text that nobody has are left out.
func specOf(document map[string]any, strict bool) (Spec, error) {
	var w strictjson.Writer
	if err := w.Value(document); err != nil {
		return nil, err
	}
	s, err := decode(w.Buf, "", strict)
	if err == nil {
		return s, nil
	}
	if one, ok := err.(*DecodeError); ok { //nolint:errorlint // as decode returns it
		one.Line, one.Column = 0, 0
	} else if all, ok := err.(decodeErrors); ok { //nolint:errorlint // as decode returns it
		for _, one := range all {
			one.Line, one.Column = 0, 0
		}
	}
	return nil, err
}

// inheritedPart returns the members that a base may have.
func inheritedPart(document map[string]any) map[string]any {
	part := map[string]any{}
	for f := range inheritable {
		if value, ok := document[fields[f].name]; ok {
			part[fields[f].name] = value
		}
	}
	return part
}

// changesBetween lists the differences of two objects, sorted by place.
func changesBetween(isSecret func(name string) bool, path []string, old, new map[string]any) []Change {
	var changes []Change
	keys := map[string]bool{}
	for _, object := range []map[string]any{old, new} {
		for key := range object {
			keys[key] = true
		}
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		place := append(slices.Clone(path), key)
		a, had := old[key]
		b, has := new[key]
		objectA, isA := a.(map[string]any)
		objectB, isB := b.(map[string]any)
		switch {
		case had && has && reflect.DeepEqual(a, b):
		case (isA || !had) && (isB || !has) && inheritRules(place) == layer.Object:
			changes = append(changes, changesBetween(isSecret, place, objectA, objectB)...)
		case !had:
			changes = append(changes, changeAt(isSecret, place, changeAdded, nil, b))
		case !has:
			changes = append(changes, changeAt(isSecret, place, changeRemoved, a, nil))
		default:
			changes = append(changes, changeAt(isSecret, place, changeChanged, a, b))
		}
	}
	return changes
}

// changeAt describes a change without what nobody is to see.
func changeAt(isSecret func(name string) bool, path []string, kind string, old, new any) Change {
	steps := make([]strictjson.Step, len(path))
	for i := range path {
		steps[i] = strictjson.Step{Name: &path[i]}
	}
	change := Change{Path: placeText(steps), Kind: kind, Old: old, New: new}
	hidden := path[0] == fields[fieldEnviron].name || path[0] == fields[fieldExamples].name ||
		path[0] == fields[fieldJobArgs].name && slices.ContainsFunc(path[1:], isSecret)
	for _, value := range []*any{&change.Old, &change.New} {
		if hidden && *value != nil {
			*value = redacted
			continue
		}
		copied := JobArgs{"": *value}.clone()
		redactArgs(copied, isSecret)
		*value = copied[""]
	}
	return change
}

// valueAt returns the value at a path of keys, and whether there is one.
func valueAt(object map[string]any, path []string) (value any, ok bool) {
	value, ok = object, true
	for _, key := range path {
		inner, _ := value.(map[string]any)
		value, ok = inner[key]
	}
	return value, ok
}

// setValueAt sets the value at a path of keys, or takes it out.
func setValueAt(object map[string]any, path []string, value any, ok bool) {
	for _, key := range path[:len(path)-1] {
		inner, isObject := object[key].(map[string]any)
		if !isObject {
			inner = map[string]any{}
			object[key] = inner
		}
		object = inner
	}
	if last := path[len(path)-1]; ok {
		object[last] = value
	} else {
		delete(object, last)
	}
}

// Origins returns for every value that a base may give the name of the base that it is from, "" for the spec's own, by
// its place as in FieldError; of sets there is one for each item. A value that is equal in the spec and a base counts as
// the base's.
func (st *Store) Origins(s Spec) (map[string]string, error) {
	if isNil(s) {
		return nil, validateRules(s)
	}
	c := s.common()
	layers, errs := st.layers(c.meta.Extends, c.enhanced)
	if len(errs) > 0 {
		return nil, newValidationError(subject(s), errs)
	}
	document, err := documentOf(s)
	if err != nil {
		return nil, err
	}
	origins := map[string]string{}
	eachLeaf(nil, inheritedPart(document), func(path []string, item int, value any) {
		from := ""
		for _, l := range layers {
			said, ok := valueAt(l.values, path)
			list, _ := said.([]any)
			switch {
			case item < 0 && ok && layer.Equal(said, value),
				item >= 0 && slices.ContainsFunc(list, func(v any) bool { return layer.Equal(v, value) }):
				from = l.name
			case item < 0 && ok:
				from = "" // a later base says something else
			}
		}
		place := changeAt(c.isSecret, path, "", nil, nil).Path
		if item >= 0 {
			place += "[" + strconv.Itoa(item) + "]"
		}
		origins[place] = from
	})
	return origins, nil
}

// eachLeaf calls do for every value that is merged by itself; item is that of a set, or -1.
func eachLeaf(path []string, object map[string]any, do func(path []string, item int, value any)) {
	for _, key := range sortedKeys(object) {
		place := append(slices.Clone(path), key)
		inner, isObject := object[key].(map[string]any)
		list, isList := object[key].([]any)
		switch kind := inheritRules(place); {
		case kind == layer.Object && isObject:
			eachLeaf(place, inner, do)
		case kind == layer.Set && isList:
			for i, item := range list {
				do(place, i, item)
			}
		default:
			do(place, -1, object[key])
		}
	}
}
