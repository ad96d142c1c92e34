package scriptspec

import "cmp"

// WithExample returns a copy of a spec with the values of one of its examples over its own, key by key; of an
// enhanced spec only the paths change. The copy has the example's description, if it has one, and no examples. The
// error is a [*FieldError] for a name that no example has.
func WithExample(s Spec, name string) (Spec, error) {
	if isNil(s) {
		return nil, validateRules(s)
	}
	var names []string
	for _, e := range s.common().meta.Examples {
		if e.Name == name {
			return withExample(s, e), nil
		}
		names = append(names, e.Name)
	}
	fe := fieldErrorf(rank{section: int(fieldExamples)}, fields[fieldExamples].name, CodeMissing, "there is no example %s", name)
	fe.Value = name
	return nil, fe.hintf("%s", meantOf(names, name))
}

func withExample(s Spec, e Example) Spec {
	s = cloneSpec(s.self())
	c := s.common()
	for name, path := range e.InputPaths {
		moveEntry(s, fieldInputs, name, path)
	}
	for name, value := range e.EnvironVars {
		setEntry(c.environVars, name, value)
	}
	for name, value := range e.JobArgs.clone() {
		setEntry(c.jobArgs, name, value)
	}
	c.meta.Description = cmp.Or(e.Description, c.meta.Description)
	c.meta.Examples = nil
	return s
}
