package scriptspec

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// WriteText writes the result for a terminal: a line that sums it up, a table of the nodes in
// topological order, and what went wrong. There is no colour, no line ends in a space, and control
// characters that came from scripts are spelled out. The error is that of w.
func (r *PipelineTestResult) WriteText(w io.Writer) error {
	if r == nil {
		r = &PipelineTestResult{}
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s: %s in %s: %s\n", r.title(), r.verdict(), formatDuration(r.Duration), r.tally())
	r.writeTable(&b)
	r.writeProblems(&b)
	_, err := w.Write(b.Bytes())
	return err
}

// title is "pipeline churn".
func (r *PipelineTestResult) title() string {
	if r.Name == "" {
		return "pipeline"
	}
	return "pipeline " + printable(r.Name)
}

func (r *PipelineTestResult) writeTable(b *bytes.Buffer) {
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
	row("NODE", "STATUS", "OUTCOME", "TIME", "MEMORY", "RECEIVED", "WROTE")
	for _, n := range r.Nodes {
		var outcome, memory, took, got, wrote string
		if n.Result != nil {
			outcome, memory = printable(string(n.Result.Outcome)), formatMemory(n.Result.PeakMemory)
			wrote = written(n.Result)
		}
		if n.Duration > 0 {
			took = formatDuration(n.Duration)
		}
		if hands := received[n.Node]; len(hands) > 0 {
			amount, formats := volume(hands)
			got = amount
			if formats != "" {
				got += ": " + printable(formats)
			}
		}
		row(printable(n.Node), printable(string(n.Status)), outcome, took, memory, got, wrote)
	}
	table.Flush() //nolint:errcheck // a buffer takes everything
}

// written says how much a script left in its outputs.
func written(s *ScriptTestResult) string {
	if len(s.Outputs) == 0 {
		return ""
	}
	files, size := 0, int64(0)
	for _, o := range s.Outputs {
		files += o.Files
		size += o.Bytes
	}
	return plural(files, "file") + ", " + formatBytes(size)
}

// writeProblems lists the reasons of the nodes that did not pass and the problems of data, what
// needs to be looked at first.
func (r *PipelineTestResult) writeProblems(b *bytes.Buffer) {
	list := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	any := false
	item := func(what, subject, text string) {
		if !any {
			fmt.Fprintln(list)
			any = true
		}
		for i, line := range strings.Split(strings.TrimRight(harmless(text), "\n"), "\n") {
			line = strings.TrimRight(strings.ReplaceAll(printable(line), "\t", " "), " ")
			if i == 0 {
				fmt.Fprintf(list, "%s\t%s\n", what, strings.TrimRight(subject+": "+line, " "))
			} else if line != "" {
				fmt.Fprintf(list, "\t| %s\n", line) // a bar, so that no line of a script begins one of ours
			}
		}
	}
	for _, status := range statuses() {
		for _, n := range r.Nodes {
			if n.Status == status && n.Reason != "" && n.Status != NodePassed {
				item(string(status), printable(n.Node), n.Reason)
			}
		}
		if status == NodeFailed {
			for _, p := range r.dataProblems() {
				item("data", p.subject(), p.text)
			}
		}
	}
	list.Flush() //nolint:errcheck // a buffer takes everything
}
