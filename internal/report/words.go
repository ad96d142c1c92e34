package report

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/scriptspec/scriptspec/internal/printable"
)

// volume returns how much was handed over: "3 files, 1.2 MiB", and of which formats.
func volume(transfers []Transfer) (amount, formats string) {
	files, size, names := 0, int64(0), map[string]bool{}
	for _, h := range transfers {
		files += h.Files
		size += h.Bytes
		for _, f := range h.Formats {
			names[f] = true
		}
	}
	return plural(files, "file") + ", " + formatBytes(size), strings.Join(slices.Sorted(maps.Keys(names)), ", ")
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// formatBytes formats a size with two or more digits: 812 B, 1.2 KiB, 34 MiB.
func formatBytes(n int64) string {
	if n < 1024 {
		return strconv.FormatInt(n, 10) + " B"
	}
	size, unit := float64(n), ""
	for _, unit = range []string{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"} {
		if size /= 1024; size < 1023.5 {
			break
		}
	}
	if size < 9.95 {
		return strconv.FormatFloat(size, 'f', 1, 64) + " " + unit
	}
	return strconv.FormatFloat(size, 'f', 0, 64) + " " + unit
}

// formatMemory is formatBytes, or "" for 0.
func formatMemory(n int64) string {
	if n <= 0 {
		return ""
	}
	return formatBytes(n)
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
	return formatDuration(s.ImportTime)
}

// formatDuration formats a time with as many digits as matter: 42ms, 1.52s, 3m12s.
func formatDuration(d time.Duration) string {
	switch {
	case d < time.Second:
		d = d.Round(time.Millisecond)
	case d < time.Minute:
		d = d.Round(10 * time.Millisecond)
	default:
		d = d.Round(time.Second)
	}
	return d.String()
}
