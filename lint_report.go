package scriptspec

import (
	"io"
	"path/filepath"
	"strings"

	"github.com/scriptspec/scriptspec/internal/report"
)

// notes returns the findings as reports show them.
func (r *LintResult) notes() []report.Note {
	var notes []report.Note
	for _, f := range r.Findings {
		message := f.Message
		if f.Path != "" && !strings.HasPrefix(message, f.Path) {
			message = f.Path + ": " + message
		}
		if f.Hint != "" {
			message += " (" + f.Hint + ")"
		}
		if f.Fixed {
			message += " (fixed)"
		}
		notes = append(notes, report.Note{
			File: f.File, Line: f.Line, Column: f.Column, CodePoint: f.codePoint, Place: f.Path, Severity: string(f.Severity), Code: string(f.Code), Message: message, Fixed: f.Fixed,
		})
	}
	return notes
}

// WriteText writes a line for each finding, as compilers do: file:line:column: severity: message [code]. Line and column are 1
// if the file as a whole is meant.
func (r *LintResult) WriteText(w io.Writer) error { return report.WriteGNU(w, r.notes()) }

// WriteGitHub writes workflow commands of GitHub Actions.
func (r *LintResult) WriteGitHub(w io.Writer) error { return report.WriteGitHubNotes(w, r.notes()) }

// WriteJUnit writes a test case for each file, which fails if it has an error that was not fixed.
func (r *LintResult) WriteJUnit(w io.Writer) error {
	return report.WriteJUnitNotes(w, r.Files, r.notes())
}

// WriteMarkdown writes a list for the summary of a CI job.
func (r *LintResult) WriteMarkdown(w io.Writer) error {
	return report.WriteMarkdownNotes(w, "scriptspec lint", r.notes())
}

// WriteSARIF writes SARIF 2.1.0, with paths relative to root, the top of the sources.
func (r *LintResult) WriteSARIF(w io.Writer, root string) error {
	root, err := filepath.Abs(root)
	if err != nil {
		return err
	}
	return report.WriteSARIF(w, "lint", root, r.notes())
}
