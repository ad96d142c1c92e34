package report

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/scriptspec/scriptspec/internal/amount"
	"github.com/scriptspec/scriptspec/internal/printable"
)

// WriteText writes a run for a terminal: a line that sums it up, a table of the nodes, and what went wrong.
func (r *Run) WriteText(w io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s: %s in %s: %s\n", r.title(), r.verdict(), amount.Time(r.Duration), r.tally())
	r.writeTable(&b)
	r.writeProblems(&b)
	_, err := io.WriteString(w, printable.Log(b.String()))
	return err
}

func (r *Run) writeTable(b *bytes.Buffer) {
	if len(r.Nodes) == 0 {
		return
	}
	b.WriteByte('\n')
	received := r.received()
	table := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	row := func(cells ...string) {
		for i, cell := range cells {
			cells[i] = cmp.Or(cell, "-") // an empty last cell would leave spaces at the end of the line
		}
		fmt.Fprintln(table, strings.Join(cells, "\t"))
	}
	flows := r.Kind == Pipeline // else nothing is handed over
	imports := slices.ContainsFunc(r.Nodes, func(n Node) bool { return n.Script != nil && n.Script.ImportTime > 0 })
	header := []string{strings.ToUpper(r.Kind.Part), "STATUS", "OUTCOME", "TIME"}
	if imports {
		header = append(header, "IMPORT")
	}
	header = append(header, "MEMORY")
	if flows {
		header = append(header, "RECEIVED")
	}
	row(append(header, "WROTE")...)
	for _, n := range r.Nodes {
		var outcome, imported, memory, took, got, wrote string
		if n.Script != nil {
			outcome, memory = printable.Line(n.Script.Outcome), formatMemory(n.Script.PeakMemory)
			imported, wrote = formatImport(n.Script), written(n.Script)
		}
		if n.Flaky {
			outcome += " (flaky)"
		}
		if n.Duration > 0 {
			took = amount.Time(n.Duration)
		}
		if hands := received[n.Name]; len(hands) > 0 {
			amount, formats := volume(hands)
			got = amount
			if formats != "" {
				got += ": " + printable.Line(formats)
			}
		}
		cells := []string{printable.Line(n.Name), printable.Line(string(n.Status)), outcome, took}
		if imports {
			cells = append(cells, imported)
		}
		cells = append(cells, memory)
		if flows {
			cells = append(cells, got)
		}
		row(append(cells, wrote)...)
	}
	table.Flush() //nolint:errcheck // a buffer takes everything
}

// written says how much a script left in its outputs.
func written(s *Script) string {
	if len(s.Outputs) == 0 {
		return ""
	}
	files, size := 0, int64(0)
	for _, o := range s.Outputs {
		files += o.Files
		size += o.Bytes
	}
	return plural(files, "file") + ", " + amount.Bytes(size)
}

// writeProblems lists the reasons of the nodes that did not pass and the problems of data, the
// first things to look at.
func (r *Run) writeProblems(b *bytes.Buffer) {
	list := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	any := false
	item := func(what, subject, text string) {
		if !any {
			fmt.Fprintln(list)
			any = true
		}
		for i, line := range strings.Split(strings.TrimRight(printable.Block(text), "\n"), "\n") {
			line = strings.TrimRight(strings.ReplaceAll(printable.Line(line), "\t", " "), " ")
			if i == 0 {
				fmt.Fprintf(list, "%s\t%s\n", what, strings.TrimRight(subject+": "+line, " "))
			} else if line != "" {
				fmt.Fprintf(list, "\t| %s\n", line) // a bar, so that no line of a script begins one of ours
			}
		}
	}
	for _, status := range statuses() {
		for _, n := range r.Nodes {
			if n.Status == status && n.Reason != "" && n.Status != Passed {
				item(string(status), printable.Line(n.Name), n.Reason)
				if tried := n.triedText(); tried != "" {
					item("attempts", printable.Line(n.Name), tried)
				}
			}
		}
		if status == Failed {
			for _, p := range r.Findings() {
				item("data", p.Subject, p.Text)
			}
		}
	}
	for _, n := range r.Nodes {
		switch is, text := r.newsOf(n); is {
		case newFailure:
			item("new", printable.Line(n.Name), text)
		case fixed:
			item("fixed", printable.Line(n.Name), text)
		}
		for _, w := range n.warnings() {
			item(strings.ReplaceAll(w.Code, "_", " "), printable.Line(n.Name), w.Text)
		}
		if n.Script != nil && n.Script.remains() != "" {
			item("process", printable.Line(n.Name), n.Script.remains())
		}
	}
	for _, u := range r.unchecked() {
		item("note", u.names(), u.text)
	}
	list.Flush() //nolint:errcheck // a buffer takes everything
}
