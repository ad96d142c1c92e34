package report

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/scriptspec/scriptspec/internal/amount"
	"github.com/scriptspec/scriptspec/internal/printable"
)

// volume returns how much was handed over: "3 files, 1.2 MiB", and of which formats.
func volume(transfers []Transfer) (text, formats string) {
	files, size, names := 0, int64(0), map[string]bool{}
	for _, h := range transfers {
		files += h.Files
		size += h.Bytes
		for _, f := range h.Formats {
			names[f] = true
		}
	}
	return plural(files, "file") + ", " + amount.Bytes(size), strings.Join(slices.Sorted(maps.Keys(names)), ", ")
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// formatMemory shows a size, or "" for 0.
func formatMemory(n int64) string {
	if n <= 0 {
		return ""
	}
	return amount.Bytes(n)
}

// tail returns the end of a text of several lines, made printable. Of a long text it looks at no more than it may need.
func tail(text string, limit int) string {
	if len(text) > 2*limit {
		text = text[len(text)-2*limit:]
	}
	return printable.Tail(printable.Block(text), limit)
}

// beginning returns the beginning of a text that is longer than limit bytes.
func beginning(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "\n[...]"
}

// formatImport is how much of the time of a script its imports took, "" if it is not known.
func formatImport(s *Script) string {
	if s.ImportTime <= 0 {
		return ""
	}
	return amount.Time(s.ImportTime)
}
