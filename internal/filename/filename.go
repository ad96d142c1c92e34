// Package filename decides which file names every system accepts.
package filename

import (
	"slices"
	"strings"
)

// Longest is the number of bytes that a file name may have: NAME_MAX.
const Longest = 255

// Element turns a text into one element of a path that every system accepts, and leaves one as it is.
func Element(text string) string {
	clean := strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:<>"|?*`, r) || r < ' ' {
			return '_'
		}
		return r
	}, text)
	if last := strings.TrimRight(clean, ". "); last != clean { // Windows drops them
		clean = last + strings.Repeat("_", len(clean)-len(last))
	}
	base, _, _ := strings.Cut(strings.ToUpper(clean), ".")
	if slices.Contains(devices, strings.TrimRight(base, "0123456789")) && len(base) <= len("COM1") {
		clean = "_" + clean
	}
	return clean
}

// devices are devices on Windows, in every directory; COM and LPT with a digit.
var devices = []string{"CON", "PRN", "AUX", "NUL", "COM", "LPT"}

// Unsafe reports whether a name could do harm in a path: it is a dot or two, has separators, control or
// non-ASCII characters, spaces at its ends, or is too long. "" is not unsafe.
func Unsafe(name string) bool {
	if strings.Trim(name, ".") == "" && name != "" || name != strings.TrimSpace(name) || len(name) > Longest {
		return true
	}
	for _, c := range []byte(name) {
		if c <= 0x1f || c >= 0x7f || c == '/' || c == '\\' || c == ':' {
			return true
		}
	}
	return false
}

// IsDir reports whether every system accepts a name for a directory, with room for an extension. Names
// that begin with a dot are reserved.
func IsDir(name string) bool {
	const extension = 5
	return name != "" && len(name) < Longest-extension && name == Element(name) && name[0] != '.' && !Unsafe(name)
}
