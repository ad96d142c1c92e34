// Package printable turns text of unknown origin into plain text: nothing in it controls a terminal, a
// browser or a parser.
package printable

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// CI systems obey commands in the log of a job: GitHub a line that begins with :: after any white space, and
// like Azure ##[ or ##vso[ anywhere. Others have control characters in theirs.
var (
	anywhere = regexp.MustCompile(`#(#[A-Za-z]*\[)`)
	atStart  = regexp.MustCompile(`(?m)^([\t\p{Z}]*)::`)
)

// Log returns a text for a log that a CI system reads, with the commands in it broken by a backslash.
func Log(s string) string {
	return anywhere.ReplaceAllString(atStart.ReplaceAllString(s, `$1\::`), `#\$1`)
}

// Line returns s for a message of one line: non-printing characters escaped, and truncated if it is very
// long.
func Line(s string) string {
	s = Clip(s)
	if !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }) {
		return s
	}
	q := strconv.Quote(s)
	return strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
}

// Clip truncates a value that is quoted, so that no message grows with its input.
func Clip(s string) string {
	const limit = 4096 // PATH_MAX: every path that can exist fits
	if len(s) <= limit {
		return s
	}
	return s[:limit] + "..."
}

// Block returns a text of several lines: they end in \n, and control characters, those that change the
// direction of writing, and what is not Unicode are escaped or replaced.
func Block(s string) string {
	if strings.Contains(s, "\r") {
		s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == '\n' || r == '\t':
			b.WriteRune(r)
		case r == utf8.RuneError, r == 0xFFFE, r == 0xFFFF:
			b.WriteRune(utf8.RuneError)
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == '\u2028', r == '\u2029', r == '\ufeff':
			q := strconv.QuoteToASCII(s[i : i+utf8.RuneLen(r)])
			b.WriteString(q[1 : len(q)-1])
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Tail returns the end of a text that is longer than limit bytes, from the beginning of a line if possible.
func Tail(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	text = text[len(text)-limit:]
	if _, rest, ok := strings.Cut(text, "\n"); ok && rest != "" {
		text = rest
	}
	return "[...]\n" + strings.ToValidUTF8(text, "")
}
