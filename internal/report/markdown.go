package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/scriptspec/scriptspec/internal/amount"
	"github.com/scriptspec/scriptspec/internal/printable"
)

// WriteMarkdown writes a run for the summary of a CI job: a heading, a table of the nodes, and what went wrong. Nothing in
// it that came from a script is markup.
func (r *Run) WriteMarkdown(w io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "## %s: %s\n\n%s in %s\n", escaped(r.title()), r.verdict(), escaped(r.tally()), escaped(amount.Time(r.Duration)))
	if len(r.Nodes) > 0 {
		fmt.Fprintf(&b, "\n| %s | status | outcome | time | memory |\n| --- | --- | --- | ---: | ---: |\n", r.Kind.Part)
	}
	for _, n := range r.Nodes {
		var outcome, memory, took string
		if n.Script != nil {
			outcome, memory = n.Script.Outcome, formatMemory(n.Script.PeakMemory)
		}
		if n.Duration > 0 {
			took = amount.Time(n.Duration)
		}
		if n.Flaky {
			outcome += " (flaky)"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", escaped(n.Name), escaped(string(n.Status)), escaped(outcome), escaped(took), escaped(memory))
	}
	var wrong, warnings []Note
	for _, note := range r.Notes() {
		if note.Severity == "error" {
			wrong = append(wrong, note)
		} else {
			warnings = append(warnings, note)
		}
	}
	for _, list := range []struct {
		title string
		notes []Note
	}{{"What went wrong", wrong}, {"Warnings", warnings}} {
		if len(list.notes) > 0 {
			b.WriteString("\n### " + list.title + "\n\n")
			writeItems(&b, list.notes)
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

// WriteMarkdownNotes writes notes as a list.
func WriteMarkdownNotes(w io.Writer, title string, notes []Note) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "## %s: %s\n", escaped(title), plural(len(notes), "finding"))
	if len(notes) > 0 {
		b.WriteByte('\n')
		writeItems(&b, notes)
	}
	_, err := w.Write(b.Bytes())
	return err
}

func writeItems(b *bytes.Buffer, notes []Note) {
	for _, n := range notes {
		place := n.File
		if n.File != "" && n.Line > 0 {
			place = fmt.Sprintf("%s:%d", n.File, n.Line)
		}
		if place != "" {
			place = " " + escaped(place) + ":"
		}
		fmt.Fprintf(b, "- **%s**%s %s (%s)\n", escaped(n.Severity), place, escaped(n.Message), escaped(n.Code))
	}
}

// escaped makes a text one line that Markdown shows as it is.
func escaped(text string) string {
	var b strings.Builder
	for _, r := range printable.Line(text) {
		if r < 0x80 && strings.ContainsRune("\\`*_{}[]()<>#+-.!|&~^$:@", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
