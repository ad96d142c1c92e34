package scriptspec

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"github.com/scriptspec/scriptspec/internal/datafiles"
)

// Checker reports whether the data of a transfer is fit to be handed over; the error says why it is
// not. It is called after the producer has ended and before the consumer starts, concurrently for
// several transfers, and must not change the data. Of the transfer everything is set but Problems. To
// check only some transfers, return nil for the others. An error is one problem, whatever its text. Only
// ctx bounds the time that a checker takes.
//
// The checkers of this package return at most 20 problems, one for each file, each of them a
// [*DecodeError] whose File is relative to the path of the transfer and which holds nothing of the data;
// or the cause of ctx, if that has ended. They read regular files only, in subdirectories too: symbolic
// links below the path are not followed, FIFOs and devices are never opened, and temporary files (names
// that begin with a dot or end in ~, .tmp, .temp, .part or .swp, and __pycache__ directories) are
// ignored. However large a file is, no more than 16 MiB of it are held in memory.
type Checker func(ctx context.Context, t Transfer) error

// DefaultCheckers returns those that a run uses if it is given none: [CheckExists], [CheckTables]
// for headers alone, and [CheckJSON]. Rows are not checked: cleaning them is often the first step's job.
func DefaultCheckers() []Checker {
	return []Checker{CheckExists, CheckTables(-1), CheckJSON}
}

// CheckExists asks for at least one file that is not empty. The error is [fs.ErrNotExist] where there
// is nothing at the path at all.
func CheckExists(ctx context.Context, t Transfer) error {
	place, err := datafiles.Open(t.Path)
	if err != nil {
		return dataError("", 0, 0, "the data cannot be looked at", err)
	}
	defer place.Close() //nolint:errcheck // nothing was written
	for file, err := range place.Files() {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err == nil && file.Size > 0 {
			return nil
		}
	}
	return dataError("", 0, 0, "there is no file with content", nil)
}

// CheckTables looks at the files named .csv and .tsv. Each has a header with different names, of
// which only the first may be empty, as pandas writes an index; the columns named, in any order; rows
// with as many fields as the header; and at least minRows of them. With a minRows below 0 the rows are
// not read, which takes the same short time for a table of any length. A .csv file whose header has no
// comma may use semicolons, tabs or bars instead. The content is to be text, of any encoding that has
// ASCII in it.
//
// Where columns are named there must be a table. Otherwise data without one is fine.
func CheckTables(minRows int, columns ...string) Checker {
	rule := datafiles.TableRule{MinRows: minRows, Columns: slices.Clone(columns)}
	return func(ctx context.Context, t Transfer) error {
		tables, err := checkFiles(ctx, t.Path, datafiles.IsTable, func(p *datafiles.Place, name string) error {
			return p.Table(ctx, name, rule)
		})
		if err == nil && tables == 0 && len(rule.Columns) > 0 {
			return dataError("", 0, 0, "there is no table (.csv, .tsv)", nil)
		}
		return err
	}
}

// CheckJSON looks at the files named .json, each to be one JSON document, and .jsonl or .ndjson, with
// one on each line, as which a .json file may be written too. It is as strict as RFC 8259: the NaN and
// Infinity of Python are not JSON. Duplicate members are allowed.
func CheckJSON(ctx context.Context, t Transfer) error {
	_, err := checkFiles(ctx, t.Path, datafiles.IsJSON, func(p *datafiles.Place, name string) error {
		return p.JSON(ctx, name)
	})
	return err
}

// checkFiles checks the files that a check is about, and counts them. Data that is not there has none:
// that is for CheckExists to say.
func checkFiles(ctx context.Context, path string, about func(name string) bool, check func(*datafiles.Place, string) error) (int, error) {
	place, err := datafiles.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, dataError("", 0, 0, "the data cannot be looked at", err)
	}
	defer place.Close() //nolint:errcheck // nothing was written
	files := 0
	var problems decodeErrors
	for file, err := range place.Files() {
		if ctx.Err() != nil {
			return files, context.Cause(ctx)
		}
		if err != nil {
			problems = append(problems, dataError(file.Name, 0, 0, "cannot be looked at", err))
		} else if about(file.Name) {
			files++
			err := check(place, file.Name)
			if p, ok := errors.AsType[*datafiles.Problem](err); ok {
				problems = append(problems, dataError(p.File, p.Line, p.Column, p.Message, p.Err))
			} else if err != nil {
				return files, err
			}
		}
		if len(problems) == maxListed {
			break
		}
	}
	switch len(problems) {
	case 0:
		return files, nil
	case 1:
		return files, problems[0]
	}
	return files, problems
}

// dataError adds the cause to the message without the path that it repeats.
func dataError(file string, line, column int, message string, cause error) *DecodeError {
	if cause != nil {
		message += ": " + printable(root(cause).Error())
	}
	return &DecodeError{File: file, Line: line, Column: column, Message: message, Err: cause}
}

// inspectData counts the regular files at a path and their bytes, temporary files left out, and tells
// their formats, sorted: "csv" where extension and content agree or the content is unmistakable,
// "csv?" where only one of them speaks for it, "parquet named .csv" where they contradict each other,
// "text", "binary" or "empty". It reads a few KiB of at most 256 files, 16 of an extension.
func inspectData(path string) (files int, bytes int64, formats []string) {
	return datafiles.Inspect(path)
}
