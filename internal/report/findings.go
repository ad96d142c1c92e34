package report

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/scriptspec/scriptspec/internal/printable"
)

// Note is something that was found in a file, not in a run.
type Note struct {
	File         string // "" if it is about none
	Line, Column int    // from 1; 0 if the file as a whole is meant. Columns are bytes
	CodePoint    int    // Column in code points, if it is known
	Place        string // in the document, if it has one
	Severity     string // error, warning or note
	Code         string
	Message      string
	Fixed        bool // it is no problem any more
}

// WriteGNU writes a line for each note, as the GNU coding standards have it: file:line:column: severity: message [code]. A file
// as a whole has the place 1:1, for editors look for one; what is about no file is said by the program.
func WriteGNU(w io.Writer, notes []Note) error {
	var b bytes.Buffer
	for _, n := range notes {
		origin := "scriptspec"
		if n.File != "" {
			origin = printable.Line(n.File) + ":" + n.place()
		}
		fmt.Fprintf(&b, "%s: %s: %s [%s]\n", origin, n.Severity, printable.Line(n.Message), n.Code)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// place returns line and column, those of the beginning if the file as a whole is meant.
func (n Note) place() string { return fmt.Sprintf("%d:%d", max(n.Line, 1), max(n.Column, 1)) }

// WriteGitHubNotes writes a workflow command for each note.
func WriteGitHubNotes(w io.Writer, notes []Note) error {
	var b bytes.Buffer
	for _, n := range notes {
		var place []string
		if n.File != "" {
			place = []string{"file", n.File}
			if n.Line > 0 {
				place = append(place, "line", strconv.Itoa(n.Line), "col", strconv.Itoa(n.Column))
			}
		}
		kind := map[string]string{"error": "error", "warning": "warning"}[n.Severity]
		if kind == "" {
			kind = "notice"
		}
		command(&b, kind, n.Code, place, n.Message)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// WriteJUnitNotes writes a test case for each file that was looked at, which fails if an error was found in it and not fixed.
func WriteJUnitNotes(w io.Writer, files []string, notes []Note) error {
	all := slices.Clone(files)
	for _, n := range notes {
		all = append(all, n.File)
	}
	slices.Sort(all)
	s := junitSuite{Name: "lint", Time: seconds(0)}
	for _, file := range slices.Compact(all) {
		c := junitCase{Name: printable.Line(file), ClassName: "lint", Time: seconds(0)}
		var text strings.Builder
		for _, n := range notes {
			if n.File != file || n.Severity != "error" || n.Fixed {
				continue
			}
			if c.Failure == nil {
				c.Failure = &junitProblem{Type: n.Code, Message: printable.Line(n.Message)}
			}
			fmt.Fprintf(&text, "%s: %s [%s]\n", n.place(), printable.Line(n.Message), n.Code)
		}
		if s.Tests++; c.Failure != nil {
			s.Failures++
			c.Failure.Text = text.String()
		}
		s.Cases = append(s.Cases, c)
	}
	suites := junitSuites{Name: "lint", Tests: s.Tests, Failures: s.Failures, Time: s.Time, Suites: []junitSuite{s}}
	text, err := xml.MarshalIndent(suites, "", "  ")
	if err == nil {
		_, err = w.Write([]byte(xml.Header + string(text) + "\n"))
	}
	return err
}
