package scriptspec

import (
	"path/filepath"

	"github.com/scriptspec/scriptspec/internal/snapshot"
)

// layoutErrors finds outputs that lie in another output, and inputs that lie in one: a single file would then
// be evidence for both, or what was there before a run be taken for its work. An output may lie in an input.
func layoutErrors(s Spec, where func(path string) string) []*FieldError {
	var errs []*FieldError
	outputs := sortedPaths(s, fieldOutputs)
	places := make([]string, len(outputs))
	for i, e := range outputs {
		places[i] = where(e.path)
	}
	refuse := func(f field, e pathEntry, other string, hint string) {
		own := s.common().own(f)
		fe := fieldErrorf(rank{section: int(own), key: e.key}, keyed(fields[own].name, e.key), CodeOverlap,
			"%s path '%s' lies in that of output '%s': %s", direction(f), e.key, other, e.path).hintf("%s", hint)
		fe.Value = e.path
		errs = append(errs, fe)
	}
	for i, e := range outputs {
		for j, other := range outputs {
			if i != j && e.path != "" && other.path != "" && snapshot.IsWithin(places[i], places[j]) && (j < i || places[i] != places[j]) {
				refuse(fieldOutputs, e, other.key, "give each output a directory of its own")
				break
			}
		}
	}
	for _, e := range sortedPaths(s, fieldInputs) {
		place := where(e.path)
		for j, other := range outputs {
			if e.path != "" && other.path != "" && snapshot.IsWithin(place, places[j]) {
				refuse(fieldInputs, e, other.key, "keep what a script reads apart from what it writes")
				break
			}
		}
	}
	return errs
}

// realPath returns where a path is once links are followed, as far as it exists.
func realPath(path string) string {
	path, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	for dir, rest := path, ""; ; {
		if real, err := filepath.EvalSymlinks(dir); err == nil {
			return filepath.Join(real, rest)
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return path
		}
		dir, rest = parent, filepath.Join(filepath.Base(dir), rest)
	}
}
