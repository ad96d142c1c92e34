package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/scriptspec/scriptspec"
	"github.com/spf13/cobra"
)

const formatPrometheus = "prometheus"

// The formats of the verbs. The first one is the default.
var (
	resultFormats = []string{"text", "json", "jsonl", "gnu", "github", "junit", "sarif", "markdown", "html", formatPrometheus, "otlp"}
	lintFormats   = []string{"gnu", "text", "json", "jsonl", "github", "junit", "sarif", "markdown"}
	listFormats   = []string{"text", "names", "json", "jsonl"}
	planFormats   = []string{"text", "json"}
	changeFormats = []string{"text", "json", "jsonl"}
)

// withFormats refuses formats that a verb does not have before it does anything; nil is for none at all.
func (a *app) withFormats(cmd *cobra.Command, names []string) *cobra.Command {
	if names != nil {
		describe(cmd, "Formats: "+strings.Join(names, ", ")+". The default is "+names[0]+".")
	}
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		for _, format := range a.formats {
			if name, file, toFile := strings.Cut(format, "="); names == nil {
				return usage("%s does not take --format", cmd.CommandPath())
			} else if !slices.Contains(names, name) {
				return usage("unknown format %q; want %s", name, strings.Join(slices.Sorted(slices.Values(names)), ", "))
			} else if toFile && file == "" {
				return usage("--format %s= names no file", name)
			}
		}
		if len(a.formats) == 0 && names != nil {
			a.formats = names[:1]
		}
		return run(cmd, args)
	}
	return cmd
}

// describe adds a paragraph to the help of a verb.
func describe(cmd *cobra.Command, text string) {
	if cmd.Long == "" {
		cmd.Long = cmd.Short + "."
	}
	cmd.Long += "\n\n" + text
}

// write writes a result in each form that was asked for. A file is written as a whole; =summary adds to the summary of a
// job of GitHub Actions.
func (a *app) write(forms map[string]func(w io.Writer) error) error {
	var shown []string
	for _, format := range a.formats { // files first: who reads standard output may have enough of it
		name, file, toFile := strings.Cut(format, "=")
		if !toFile {
			shown = append(shown, name)
			continue
		}
		var b bytes.Buffer
		err := forms[name](&b)
		if summary := os.Getenv("GITHUB_STEP_SUMMARY"); err == nil && file == "summary" && summary != "" {
			err = appendTo(summary, b.Bytes())
		} else if err == nil {
			err = replaceFile(file, b.Bytes())
		}
		if err != nil {
			return &exit{exitNoTest, err}
		}
	}
	for _, name := range shown {
		w := a.out
		if name == "text" || name == "gnu" {
			w = a.painted(w)
		}
		if err := forms[name](w); err != nil {
			return &exit{exitNoTest, err}
		}
	}
	return nil
}

func appendTo(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, fileMode)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}

// replaceFile writes a file so that whoever reads it sees the old one or the new one, which has the mode of the old one.
func replaceFile(path string, text []byte) error {
	path = behindLinks(path)
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return err
	}
	old, missing := os.Stat(path)
	if missing == nil && !old.Mode().IsRegular() {
		return os.WriteFile(path, text, fileMode) // /dev/stderr, or a pipe
	}
	f, err := newFile(dir)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if missing == nil {
		err = errors.Join(err, f.Chmod(old.Mode().Perm()))
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// writeNew writes a file that there must not be yet, not even as a link.
func writeNew(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), dirMode); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}

// The modes of what is made anew, of which the umask takes away.
const (
	dirMode  = 0o777
	fileMode = 0o666
)

// newFile creates a file of an unused name, as os.CreateTemp does, with the mode that the umask leaves.
func newFile(dir string) (f *os.File, err error) {
	for range 1000 {
		name := filepath.Join(dir, ".scriptspec-"+strconv.FormatUint(rand.Uint64(), 36)+".tmp")
		if f, err = os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode); !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	return f, err
}

// behindLinks returns the file that a path leads to, which there may be not yet: a link stays one.
func behindLinks(path string) string {
	const most = 40 // as Linux has it
	for range most {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			return real
		}
		target, err := os.Readlink(path)
		if err != nil {
			break
		}
		if !filepath.IsAbs(target) {
			dir, err := filepath.EvalSymlinks(filepath.Dir(path))
			if err != nil {
				break
			}
			target = filepath.Join(dir, target)
		}
		path = target
	}
	return path
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// writeLines writes each of a list as a line of JSON.
func writeLines[V any](w io.Writer, list []V) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	for _, v := range list {
		if err := e.Encode(v); err != nil {
			return err
		}
	}
	return nil
}

// resultForms are the formats of what came of a run.
func (a *app) resultForms(r scriptspec.Result) map[string]func(io.Writer) error {
	return map[string]func(io.Writer) error{
		"text": r.WriteText, "markdown": r.WriteMarkdown, "html": r.WriteHTML, "junit": r.WriteJUnit, "github": r.WriteGitHub, "gnu": r.WriteGNU,
		formatPrometheus: r.WritePrometheus,
		"otlp":           func(w io.Writer) error { return r.WriteOTLP(w, os.Getenv("TRACEPARENT")) },
		"json":           func(w io.Writer) error { return writeJSON(w, r) },
		"sarif":          func(w io.Writer) error { return r.WriteSARIF(w, a.sourceRoot()) },
		formatLines:      func(w io.Writer) error { return writeEvents(w, r) },
	}
}

func changeForms(changes []scriptspec.Change) map[string]func(io.Writer) error {
	if changes == nil {
		changes = []scriptspec.Change{}
	}
	return map[string]func(io.Writer) error{
		"text": func(w io.Writer) error {
			for _, c := range changes {
				fmt.Fprintln(w, c)
			}
			return nil
		},
		"json":  func(w io.Writer) error { return writeJSON(w, changes) },
		"jsonl": func(w io.Writer) error { return writeLines(w, changes) },
	}
}

func sortedNames[V any](m map[string]V) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
