package scriptspec

import (
	"bytes"
	"errors"
	"slices"
	"unicode/utf8"

	"github.com/scriptspec/scriptspec/internal/strictjson"
)

// LintOptions changes what [Store.Lint] looks at. Nil means the zero value.
type LintOptions struct {
	// Select picks specs; nil means all. Pipelines, bases and settings are always looked at.
	Select *Selector
	// Scripts also compares specs with the scripts that they are of, for which Python is started once.
	Scripts bool
	// Texts stand in the place of files, by their names below the directory of the store, as an editor has them before they
	// are saved. Fix changes none of them.
	Texts map[string][]byte
	// KnownTags are the tags that specs may have; nil means any.
	KnownTags []string
	// CommandLine names the scripts that are run as programs, as in RuntimeTester: of others, Scripts notes that they are some.
	CommandLine []string
	// Python is the interpreter that reads scripts, as in RuntimeTester, and PathVars are as there.
	Python   string
	PathVars map[string]string
	// Fix mends what has one right answer, and saves the specs: one whose bases have changed is rendered; one that a program
	// of version 1 has rewritten gets back the members that this has dropped; a misspelt member is renamed if only one known
	// name is near and the spec does not have it; tags become lower case; what a list has twice is taken out; and a script
	// that has moved is found if one file has its name. What else is wrong is left, and keeps no other fix from being made.
	Fix bool
	// ScriptDirs are where Fix looks for scripts that have moved, with their subdirectories; relative ones count from the base
	// of the store. Nil means the base itself.
	ScriptDirs []string
}

// Severity is how much a finding matters. The set is closed.
type Severity string

// The severities.
const (
	SeverityError   Severity = "error"   // a run would fail, or is not what the file seems to say
	SeverityWarning Severity = "warning" // something is likely to be wrong
	SeverityNote    Severity = "note"    // for the attention of whoever changes the file
)

// Finding is one thing that Lint found.
type Finding struct {
	File string `json:"file"`
	// Line and Column are from 1, columns in bytes; 0 if the file as a whole is meant.
	Line   int `json:"line,omitzero"`
	Column int `json:"column,omitzero"`
	// EndLine and EndColumn are behind the value at Path, if there is one.
	EndLine   int `json:"end_line,omitzero"`
	EndColumn int `json:"end_column,omitzero"`
	// Path is the place in the file, as in FieldError.
	Path     string   `json:"path,omitzero"`
	Severity Severity `json:"severity"`
	Code     Code     `json:"code"`
	Message  string   `json:"message"`
	// Hint is the way out.
	Hint string `json:"hint,omitzero"`
	// Fixed reports whether it was mended.
	Fixed bool `json:"fixed,omitzero"`

	codePoint int // Column in code points
}

// LintResult is what Lint found in a store.
type LintResult struct {
	// Dir is the directory of the files, Files are those that were looked at, sorted.
	Dir   string   `json:"dir"`
	Files []string `json:"files"`
	// Specs is how many specs Select has picked.
	Specs int `json:"specs"`
	// Findings are sorted by file and place.
	Findings []Finding `json:"findings"`
}

// Success reports whether no error was found, or all were mended.
func (r *LintResult) Success() bool {
	return !slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Severity == SeverityError && !f.Fixed })
}

// codeOf returns the rule that a text breaks, or that it is not what it is to be.
func codeOf(e *DecodeError) Code {
	if fe, ok := errors.AsType[*FieldError](e.Err); ok {
		return fe.Code
	}
	return CodeUnreadable
}

// locate says where in a text a finding is.
func (f *Finding) locate(text []byte, path string) { f.locateIn(text, nil, path) }

// locateIn is locate for one of many findings in a text, of which the places of the members are known.
func (f *Finding) locateIn(text []byte, members map[string][2]int64, path string) {
	steps, offset, part := stepsOf(path), int64(0), text
	if len(steps) > 0 && steps[0].Name != nil {
		if span, ok := members[*steps[0].Name]; ok {
			steps, offset, part = steps[1:], span[0], text[span[0]:span[1]]
		}
	}
	start, end, ok := strictjson.Span(part, steps)
	if !ok {
		start, _ = strictjson.Find(part, steps)
	}
	f.Line, f.Column = strictjson.Position(text, offset+start)
	if ok && path != "" {
		f.EndLine, f.EndColumn = strictjson.Position(text, offset+end)
	}
	f.countCodePoints(text)
}

func (f *Finding) countCodePoints(text []byte) {
	for range f.Line - 1 {
		_, text, _ = bytes.Cut(text, []byte{'\n'})
	}
	f.codePoint = utf8.RuneCount(text[:min(max(f.Column-1, 0), len(text))]) + 1
	if f.Column == 0 {
		f.codePoint = 0
	}
}
