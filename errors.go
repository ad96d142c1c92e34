package scriptspec

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/scriptspec/scriptspec/internal/atomicfile"
	printline "github.com/scriptspec/scriptspec/internal/printable"
)

// Code classifies a [FieldError]. The set is closed, so that programs can act on a problem
// without reading its text.
type Code string

// The codes of field errors.
const (
	CodeRequired      Code = "required"       // an identity field is empty
	CodeFormat        Code = "format"         // a name does not have the shape that its field requires
	CodeTooLong       Code = "too_long"       // a name is longer than a file system takes
	CodeEmpty         Code = "empty"          // a logical name, path or variable name is ""
	CodeNUL           Code = "nul"            // a NUL byte where the operating system takes none
	CodeNotExist      Code = "not_exist"      // nothing exists at a path
	CodeNotReadable   Code = "not_readable"   // the system refuses read access
	CodeNotWritable   Code = "not_writable"   // the system refuses write access
	CodeNotCreatable  Code = "not_creatable"  // an output path is missing and cannot be made
	CodeNotLocal      Code = "not_local"      // a path is a URL, or has ~ or a variable, which are not expanded
	CodeNotFile       Code = "not_file"       // the script path is a directory, FIFO, device or socket
	CodeNotPython     Code = "not_python"     // the script path does not end in .py
	CodeMissing       Code = "missing"        // a required job argument is missing
	CodeType          Code = "type"           // a job argument is not of the type asked for
	CodeUnsupported   Code = "unsupported"    // a value that JSON cannot carry
	CodeUnreadable    Code = "unreadable"     // a file cannot be read as what it is to be
	CodeMismatch      Code = "mismatch"       // a file has the name of another spec
	CodeMisnamed      Code = "misnamed"       // a file that was to be a spec, as it seems
	CodeUnknownMember Code = "unknown_member" // a member, or what an example or the settings name, is not known
	CodeStaleBase     Code = "stale_base"     // a base has changed since the spec was rendered
	CodeRewritten     Code = "rewritten"      // a program that knows version 1 alone has dropped the members of version 2
	CodeBaseConflict  Code = "base_conflict"  // a base has changed what the spec has a value of its own for
	CodeDrift         Code = "drift"          // spec and script differ
	CodeNewerVersion  Code = "newer_version"  // a file of a version that this package does not know all of
	CodeUnknownBase   Code = "unknown_base"   // there is no such base, or it cannot be loaded
	CodeBaseCycle     Code = "base_cycle"     // bases extend each other in a circle
	CodeBadSelector   Code = "bad_selector"   // a word of a selection is none
	CodeUnknownTag    Code = "unknown_tag"    // no spec has the tag that is asked for, or it is not declared
	CodeUnused        Code = "unused"         // no pipeline of the store has the spec
	CodeUnknownStep   Code = "unknown_step"   // a step of depends_on that there is not, or that does not run before
	CodeDuplicate     Code = "duplicate"      // a list, a pipeline or its outputs have something twice
	CodeUnknownNode   Code = "unknown_node"   // an edge or a spec names a node that is not in the graph
	CodeSelfEdge      Code = "self_edge"      // an edge connects a node with itself
	CodeCycle         Code = "cycle"          // the graph cannot be ordered
	CodeNoMatch       Code = "no_match"       // no output matches an input along an edge
	CodeUnconfirmed   Code = "unconfirmed"    // only the similarity of names suggests what an edge carries
	CodeNoResult      Code = "no_result"      // a node to be reused has no passing result to reuse
	CodeOverlap       Code = "overlap"        // a path lies in one that it must not lie in
	CodeNotEmpty      Code = "not_empty"      // a work directory has files that no run put there
)

// FieldError is one problem with one field of a spec, or with one part of a pipeline.
type FieldError struct {
	// Path is the place, written as in the JSON file: script_name, input_paths["data"],
	// job_args["x"][0] or input_path_specs["data"].aliases[2].
	Path string
	Code Code
	// Value is the offending value; nil for environment values, which are never shown.
	Value any
	// Message is the broken rule as a sentence: the design note's, where it has one.
	Message string
	// Hint is a way out; "" if there is none.
	Hint string
	// Err is the cause, for errors.Is (fs.ErrNotExist, syscall.EACCES, ...), or nil.
	Err error

	rank rank
}

// fieldErrorf returns a problem with the field at path. Strings and errors among args are made
// printable: whatever they hold, the message is one line.
func fieldErrorf(at rank, path string, code Code, format string, args ...any) *FieldError {
	return &FieldError{Path: path, Code: code, Message: sprintf(format, args), rank: at}
}

// hintf sets the way out, as fieldErrorf sets the message.
func (e *FieldError) hintf(format string, args ...any) *FieldError {
	e.Hint = sprintf(format, args)
	return e
}

// quoted is text that is printable already and goes into a message as it is.
type quoted string

// quote returns a value as a Go string literal, for messages that show where it begins and ends.
func quote(value string) quoted { return quoted(strconv.Quote(clip(value))) }

func sprintf(format string, args []any) string {
	for i, arg := range args {
		switch arg := arg.(type) {
		case string:
			args[i] = printable(arg)
		case error:
			args[i] = printable(arg.Error())
		}
	}
	return fmt.Sprintf(format, args...)
}

// Error returns one line: path, message and hint.
func (e *FieldError) Error() string {
	var b strings.Builder
	if !strings.HasPrefix(e.Message, e.Path+" ") { // some of the note's sentences begin with the path
		b.WriteString(e.Path)
		b.WriteString(": ")
	}
	b.WriteString(e.Message)
	if e.Hint != "" {
		b.WriteString(" (" + e.Hint + ")")
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *FieldError) Unwrap() error { return e.Err }

// rank orders the problems of one document: by section, in the order in which the document has them,
// then by index in a list or by key in an object.
type rank struct {
	section int
	index   int
	key     string
}

func compareFieldErrors(a, b *FieldError) int {
	return cmp.Or(
		cmp.Compare(a.rank.section, b.rank.section),
		cmp.Compare(a.rank.index, b.rank.index),
		strings.Compare(a.rank.key, b.rank.key),
		strings.Compare(a.Path, b.Path),
		strings.Compare(string(a.Code), string(b.Code)),
		strings.Compare(a.Message, b.Message),
	)
}

// maxListed is how many problems, nodes or names a message spells out.
const maxListed = 20

// ValidationError is everything that is wrong with a spec or a pipeline, in a fixed order: by field,
// then by map key.
type ValidationError struct {
	kind, subject string // spec or pipeline, and its name
	errs          []*FieldError
}

// newValidationError is for a spec. It sorts errs; without any it returns nil.
func newValidationError(subject string, errs []*FieldError) error {
	return validationError("spec", subject, errs)
}

// newPipelineError is newValidationError for a pipeline.
func newPipelineError(name string, errs []*FieldError) error {
	return validationError("pipeline", name, errs)
}

func validationError(kind, subject string, errs []*FieldError) error {
	if len(errs) == 0 {
		return nil
	}
	slices.SortFunc(errs, compareFieldErrors)
	return &ValidationError{kind, subject, errs}
}

// Error returns a single problem on one line. Several it counts, then gives a line to each of the
// first 20.
func (e *ValidationError) Error() string {
	var b strings.Builder
	if e.subject != "" {
		b.WriteString(e.kind + " " + printable(e.subject) + ": ")
	}
	if len(e.errs) == 1 {
		b.WriteString(e.errs[0].Error())
		return b.String()
	}
	fmt.Fprintf(&b, "%d problems", len(e.errs))
	for i, fe := range e.errs {
		if i == maxListed {
			fmt.Fprintf(&b, "\n  and %d more", len(e.errs)-maxListed)
			break
		}
		b.WriteString("\n  ")
		b.WriteString(fe.Error())
	}
	return b.String()
}

// Unwrap returns every problem, so that [errors.Is] and [errors.AsType] see all of them.
func (e *ValidationError) Unwrap() []error {
	errs := make([]error, len(e.errs))
	for i, fe := range e.errs {
		errs[i] = fe
	}
	return errs
}

// Messages returns the message of every problem, in order, as the design note's validators do.
func (e *ValidationError) Messages() []string {
	msgs := make([]string, len(e.errs))
	for i, fe := range e.errs {
		msgs[i] = fe.Message
	}
	return msgs
}

// All iterates over every problem, in order.
func (e *ValidationError) All() iter.Seq[*FieldError] { return slices.Values(e.errs) }

// Len returns the number of problems, which is at least 1.
func (e *ValidationError) Len() int { return len(e.errs) }

// fieldErrors returns the problems that err holds.
func fieldErrors(err error) []*FieldError {
	if ve, ok := errors.AsType[*ValidationError](err); ok {
		return ve.errs
	}
	return nil
}

// DecodeError is one problem with the text of a file: a spec, a graph, a report or, from a
// [Checker], data.
type DecodeError struct {
	// File is the name given by the caller, or "".
	File string
	// Line and Column count from 1, columns in bytes. Both are 0 if the problem is with the file as
	// a whole (too large, not a regular file).
	Line, Column int
	// Path is the place in the document, as in [FieldError]; "" is the document itself.
	Path string
	// Message says what is wrong and, if there is one, the way out. It never contains a value of
	// the document.
	Message string
	// Err is the cause: for errors.Is [ErrCorrupt] if the text is not a JSON document; for errors.AsType a [FieldError]
	// with the Code of the rule that the text breaks, if that has one.
	Err error
}

// Error returns file:line:col: path: message, leaving out what is not known.
func (e *DecodeError) Error() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(printable(e.File))
		b.WriteByte(':')
	}
	if e.Line > 0 {
		fmt.Fprintf(&b, "%d:%d:", e.Line, e.Column)
	}
	if b.Len() > 0 {
		b.WriteByte(' ')
	}
	if e.Path != "" {
		b.WriteString(e.Path)
		b.WriteString(": ")
	}
	b.WriteString(e.Message)
	return b.String()
}

// Unwrap returns the cause.
func (e *DecodeError) Unwrap() error { return e.Err }

// decodeErrors is the problems of one file, in the order of the text.
type decodeErrors []*DecodeError

func (es decodeErrors) Error() string {
	lines := make([]string, 0, maxListed+1)
	for i, e := range es {
		if i == maxListed {
			lines = append(lines, fmt.Sprintf("and %d more", len(es)-maxListed))
			break
		}
		lines = append(lines, e.Error())
	}
	return strings.Join(lines, "\n")
}

func (es decodeErrors) Unwrap() []error {
	errs := make([]error, len(es))
	for i, e := range es {
		errs[i] = e
	}
	return errs
}

// Errors of the file layer. They are wrapped: ask with errors.Is.
var (
	// ErrEnhanced is returned if a basic spec is asked for and the file holds an enhanced one,
	// whose aliases would be lost.
	ErrEnhanced = errors.New("file holds an enhanced spec")
	// ErrCorrupt is returned if a file is not one whole JSON document: it is empty (also io.EOF),
	// truncated (also io.ErrUnexpectedEOF), followed by something else, or not JSON. The file is
	// left as it is.
	ErrCorrupt = errors.New("file is not one whole JSON document")
	// ErrMismatch is returned if a file of the store holds a spec of another script than its name
	// says.
	ErrMismatch = errors.New("file name and script_name differ")
	// ErrLocked is returned if another process or goroutine kept a store locked for too long.
	ErrLocked = atomicfile.ErrLocked
	// ErrNoSpace is returned if a disk or a quota is full. The errno can be asked for as well.
	ErrNoSpace = errors.New("no space left to save to")
)

// printable returns s for a message of one line.
func printable(s string) string { return printline.Line(s) }

// clip truncates a value that is quoted.
func clip(s string) string { return printline.Clip(s) }

// keyed returns the path of a map entry.
func keyed(field, key string) string { return field + "[" + strconv.Quote(clip(key)) + "]" }
