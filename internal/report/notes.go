package report

import (
	"strconv"
	"strings"

	"github.com/scriptspec/scriptspec/internal/printable"
)

// Notes returns what went wrong in a run as notes of files: nodes that failed, on the line of the script that the traceback
// leads to, and problems of data.
func (r *Run) Notes() []Note {
	var notes []Note
	for _, n := range r.Nodes {
		if n.Status != Failed {
			continue
		}
		note := Note{Severity: "error", Code: string(Failed), Place: n.Name, Message: printable.Line(n.Name)}
		if n.Reason != "" {
			note.Message += ": " + oneLine(n.Reason)
		}
		if s := n.Script; s != nil {
			if s.Outcome != "" {
				note.Code = printable.Line(s.Outcome)
			}
			if place := scriptPlace(s); place != nil {
				note.File, note.Column = place[1], 1
				note.Line, _ = strconv.Atoi(place[3]) // it was made of digits
			}
		}
		notes = append(notes, note)
	}
	for _, p := range r.Findings() {
		notes = append(notes, Note{Severity: "error", Code: "data", Place: p.Subject, Message: p.Subject + ": " + oneLine(p.Text)})
	}
	return notes
}

func oneLine(text string) string {
	return printable.Line(strings.ReplaceAll(strings.Trim(text, "\n"), "\n", "; "))
}
