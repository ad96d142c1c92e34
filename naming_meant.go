package scriptspec

import (
	"slices"

	"github.com/scriptspec/scriptspec/internal/similarity"
)

// MeantName answers a name that is not among those that are known, in the words of the hints of this package: with the nearest of
// them, "did you mean prep?", or else with all, "there are prep and train"; "" without any. It reports whether one is near.
func MeantName(known []string, name string) (hint string, near bool) {
	known = slices.Compact(slices.Sorted(slices.Values(known)))
	if nearest := similarity.Nearest(known, name, ToSnakeCase(name)); nearest != "" {
		return "did you mean " + printable(nearest) + "?", true
	}
	switch len(known) {
	case 0:
		return "", false
	case 1:
		return "there is " + listed(known), false
	}
	return "there are " + listed(known), false
}

// meantOf is the hint of MeantName.
func meantOf(known []string, name string) string {
	hint, _ := MeantName(known, name)
	return hint
}

// doubt ends a message with the name that is near one, in parentheses, as FieldError has its hint; "" if none is.
func doubt(known []string, name string) string {
	if hint, near := MeantName(known, name); near {
		return " (" + hint + ")"
	}
	return ""
}
