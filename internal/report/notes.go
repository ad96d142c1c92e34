package report

import (
	"strconv"
	"strings"

	"github.com/scriptspec/scriptspec/internal/printable"
)

// Notes returns what went wrong in a run as notes of files: nodes that failed, on the line of the script that the traceback
// leads to, or whose job was lost, and problems of data; and as warnings nodes that passed only when they were tried again, and budgets that were
// exceeded.
func (r *Run) Notes() []Note {
	var notes []Note
	for _, n := range r.Nodes {
		if n.Status != Failed && n.Status != Lost {
			notes = append(notes, n.warningNotes()...)
			continue
		}
		note := Note{Severity: "error", Code: string(n.Status), Place: n.Name, Message: printable.Line(n.Name)}
		if n.Reason != "" {
			note.Message += ": " + oneLine(n.Reason)
		}
		if s := n.Script; s != nil {
			if s.Outcome != "" {
				note.Code = printable.Line(s.Outcome)
			}
			note.at(s)
		}
		notes = append(append(notes, note), n.warningNotes()...)
	}
	for _, p := range r.Findings() {
		notes = append(notes, Note{Severity: "error", Code: "data", Place: p.Subject, Message: p.Subject + ": " + oneLine(p.Text)})
	}
	return notes
}

func (n Node) warningNotes() []Note {
	var notes []Note
	for _, w := range n.warnings() {
		note := Note{Severity: "warning", Code: w.Code, Place: n.Name, Message: printable.Line(n.Name) + ": " + oneLine(w.Text)}
		if earlier := n.earlier(); w.Code == codeFlaky && len(earlier) > 0 && earlier[len(earlier)-1] != nil {
			note.at(earlier[len(earlier)-1])
		}
		notes = append(notes, note)
	}
	return notes
}

// at puts a note on the line of a script that its traceback leads to.
func (n *Note) at(s *Script) {
	if place := scriptPlace(s); place != nil {
		n.File, n.Column = place[1], 1
		n.Line, _ = strconv.Atoi(place[3]) // it was made of digits
	}
}

func oneLine(text string) string {
	return printable.Line(strings.ReplaceAll(strings.Trim(text, "\n"), "\n", "; "))
}
