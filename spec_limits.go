package scriptspec

import (
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/scriptspec/scriptspec/internal/similarity"
)

// limitErrors finds bounds that none can keep, and optional names that the spec does not have.
func limitErrors(s Spec) []*FieldError {
	c := s.common()
	var errs []*FieldError
	refuse := func(f field, value any) {
		fe := fieldErrorf(rank{section: int(f)}, fields[f].name, CodeFormat, "%s must be a finite number, 0 or more", fields[f].name)
		fe.Value = value
		errs = append(errs, fe)
	}
	if t := c.meta.Timeout; t < 0 || math.IsNaN(t) || math.IsInf(t, 0) {
		refuse(fieldTimeout, t)
	}
	if c.meta.MaxMemory < 0 {
		refuse(fieldMaxMemory, c.meta.MaxMemory)
	}
	if len(c.meta.Optional) == 0 {
		return errs
	}
	names := append(entryKeys(sortedPaths(s, fieldInputs)), entryKeys(sortedPaths(s, fieldOutputs))...)
	for i, name := range c.meta.Optional {
		if name == "" || slices.Contains(names, name) {
			continue // an empty one breaks another rule
		}
		place := fields[fieldOptional].name + "[" + strconv.Itoa(i) + "]"
		fe := fieldErrorf(rank{section: int(fieldOptional), index: i}, place, CodeFormat, "%s names %s, which is neither an input nor an output", place, name)
		fe.Value = name
		if near := similarity.Nearest(names, name); near != "" {
			fe.Hint = "did you mean " + printable(near) + "?"
		}
		errs = append(errs, fe)
	}
	return errs
}

// isOptional reports whether a spec says that an input or output may be missing.
func (c common) isOptional(name string) bool { return slices.Contains(c.meta.Optional, name) }

// timeoutOf returns the timeout of a spec, 0 for none.
func timeoutOf(s Spec) time.Duration {
	seconds := s.common().meta.Timeout
	if seconds >= math.MaxInt64/float64(time.Second) {
		return math.MaxInt64
	}
	return time.Duration(seconds * float64(time.Second))
}
