// Package tables writes tables and lists as text, Markdown and HTML. Nothing in a cell is markup.
package tables

import (
	"bytes"
	"fmt"
	"html/template"
	"io"
	"strings"
	"text/tabwriter"

	_ "embed"

	"github.com/scriptspec/scriptspec/internal/printable"
)

// Page is what is written: a title, a few lines about all, tables and lists.
type Page struct {
	Title  string
	Lines  []string
	Tables []Table
	Lists  []List
}

// Table is a table with a heading, "" for none. Columns whose name begins with a space are numbers, which end in line.
type Table struct {
	Title   string
	Columns []string
	Rows    [][]string
}

// List is a list with a heading.
type List struct {
	Title string
	Items []Item
}

// Item is an entry of a list: what it is, and what belongs to it.
type Item struct {
	Text  string
	Notes []string
	Code  string // a command, or ""
}

// WriteText writes a page for a terminal. No line ends in a space.
func (p *Page) WriteText(w io.Writer) error {
	var b bytes.Buffer
	for _, line := range p.Lines {
		b.WriteString(printable.Line(line) + "\n")
	}
	for _, t := range p.Tables {
		begin(&b, t.Title)
		table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		rows := [][]string{nil}
		for _, name := range t.Columns {
			rows[0] = append(rows[0], strings.ToUpper(strings.TrimSpace(name)))
		}
		for _, row := range append(rows, t.Rows...) {
			cells := make([]string, len(row))
			for i, cell := range row {
				if cells[i] = printable.Line(cell); cell == "" {
					cells[i] = "-" // an empty last cell would leave spaces at the end of the line
				}
			}
			fmt.Fprintln(table, strings.Join(cells, "\t"))
		}
		table.Flush() //nolint:errcheck // a buffer takes everything
	}
	for _, l := range p.Lists {
		begin(&b, l.Title)
		for _, item := range l.Items {
			b.WriteString(printable.Line(item.Text) + "\n")
			for _, note := range item.Notes {
				b.WriteString("    " + printable.Line(note) + "\n")
			}
			if item.Code != "" {
				b.WriteString("    $ " + printable.Line(item.Code) + "\n")
			}
		}
	}
	_, err := io.WriteString(w, printable.Log(b.String()))
	return err
}

// begin begins a part with its heading, behind an empty line unless it is the first.
func begin(b *bytes.Buffer, title string) {
	if b.Len() > 0 {
		b.WriteByte('\n')
	}
	if title != "" {
		b.WriteString(printable.Line(title) + "\n")
	}
}

// WriteMarkdown writes a page for the summary of a CI job.
func (p *Page) WriteMarkdown(w io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "## %s\n", escaped(p.Title))
	for _, line := range p.Lines {
		fmt.Fprintf(&b, "\n%s\n", escaped(line))
	}
	for _, t := range p.Tables {
		if t.Title != "" {
			fmt.Fprintf(&b, "\n### %s\n", escaped(t.Title))
		}
		b.WriteString("\n|")
		for _, name := range t.Columns {
			b.WriteString(" " + escaped(strings.TrimSpace(name)) + " |")
		}
		b.WriteString("\n|")
		for _, name := range t.Columns {
			b.WriteString(map[bool]string{true: " ---: |", false: " --- |"}[isNumber(name)])
		}
		for _, row := range t.Rows {
			b.WriteString("\n|")
			for _, cell := range row {
				b.WriteString(" " + escaped(cell) + " |")
			}
		}
		b.WriteByte('\n')
	}
	for _, l := range p.Lists {
		fmt.Fprintf(&b, "\n### %s\n\n", escaped(l.Title))
		for _, item := range l.Items {
			fmt.Fprintf(&b, "- %s\n", escaped(item.Text))
			for _, note := range append(append([]string{}, item.Notes...), item.Code) {
				if note != "" {
					fmt.Fprintf(&b, "  - %s\n", escaped(note))
				}
			}
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

func isNumber(column string) bool { return strings.HasPrefix(column, " ") }

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

//go:embed page.html.tmpl
var pageText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"line": printable.Line, "trim": strings.TrimSpace, "number": isNumber, "isNumber": func(columns []string, i int) bool { return i < len(columns) && isNumber(columns[i]) },
}).Parse(pageText))

// WriteHTML writes a page that needs nothing else: no network, no other file, no script.
func (p *Page) WriteHTML(w io.Writer) error {
	var b bytes.Buffer
	if err := page.Execute(&b, p); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}
