package cli

import (
	"io"
	"os"
	"regexp"
	"strings"
)

// Colours of outcomes, as terminals number them. Everything else stays as it is.
var colours = map[string]string{
	"passed": "32", "failed": "31", "error": "31", "flaky": "33", "warning": "33",
}

// coloured reports whether words on a stream are to be coloured: as --color says, else on a terminal, unless NO_COLOR, CI or
// a dumb terminal speak against it.
func (a *app) coloured(w io.Writer) bool {
	switch a.color {
	case "always":
		return true
	case "never":
		return false
	}
	if os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	if force := os.Getenv("CLICOLOR_FORCE"); force != "" && force != "0" {
		return true
	}
	return os.Getenv("CI") == "" && isTerminal(w)
}

// isTerminal reports whether a stream is one.
func isTerminal(w io.Writer) bool {
	if s, ok := w.(*sink); ok {
		w = s.w
	}
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	_, ok = size(f)
	return ok
}

// colour returns a text in the colour of an outcome or severity, which may be in a longer word: expected outcomes of examples
// have none.
func (a *app) colour(w io.Writer, outcome, text string) string {
	code, known := colours[outcome]
	if !known || !a.coloured(w) {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// In each line of a report the first word that is an outcome is ours; what a script said comes after it, or behind a bar.
var outcomeWord = regexp.MustCompile(`(?:^| )(passed|failed|flaky|error|warning)(?:[ :]|$)`)

// painted returns a writer that colours what is written to it, a whole report at once.
func (a *app) painted(w io.Writer) io.Writer {
	if !a.coloured(w) {
		return w
	}
	return &painter{a, w}
}

type painter struct {
	app *app
	w   io.Writer
}

func (p *painter) Write(report []byte) (int, error) {
	var b strings.Builder
	for line := range strings.Lines(string(report)) {
		at := outcomeWord.FindStringSubmatchIndex(line)
		if at == nil || strings.HasPrefix(strings.TrimLeft(line, " "), "|") {
			b.WriteString(line)
			continue
		}
		word := line[at[2]:at[3]]
		b.WriteString(line[:at[2]] + p.app.colour(p.w, word, word) + line[at[3]:])
	}
	if _, err := io.WriteString(p.w, b.String()); err != nil {
		return 0, err
	}
	return len(report), nil
}
