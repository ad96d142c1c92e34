package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/scriptspec/scriptspec"
	"github.com/spf13/cobra"
)

func (a *app) lintCommand() *cobra.Command {
	var fix, scripts, strict, rules bool
	var file string
	c := &choice{}
	lint := a.inStore(func(cmd *cobra.Command, st *scriptspec.Store, words []string) error {
		o := &scriptspec.LintOptions{
			Scripts: scripts, Python: a.python, Fix: fix, KnownTags: a.settings.KnownTags, ScriptDirs: a.settings.ScriptDirs, CommandLine: a.settings.CommandLine,
		}
		if len(words) == 1 && words[0] == "-" {
			var err error
			if file, err = a.readText(st, o, file); err != nil {
				return err
			}
			words = nil
		} else if file != "" {
			return usage("--file goes with lint -")
		}
		sel, err := c.selector(words)
		if err != nil {
			return err
		}
		o.Select = sel
		r, err := st.Lint(cmd.Context(), o)
		if isNone(err) {
			return c.none(a, err)
		}
		if err != nil {
			return err
		}
		if r.Specs == 0 && len(words)+len(c.selects)+len(c.excludes) > 0 {
			return c.none(a, errNoSpecs)
		}
		if o.Texts != nil {
			r.Files = []string{filepath.Join(r.Dir, file)}
			r.Findings = slices.DeleteFunc(r.Findings, func(f scriptspec.Finding) bool { return f.File != r.Files[0] })
		}
		here, _ := os.Getwd()
		top := a.sourceRoot()
		ofTop := &scriptspec.LintResult{Findings: slices.Clone(r.Findings)} // as GitHub shows files
		for i := range r.Findings {
			ofTop.Findings[i].File = relative(top, r.Findings[i].File)
			r.Findings[i].File = relative(here, r.Findings[i].File)
		}
		r.Dir = relative(here, r.Dir)
		for i := range r.Files {
			r.Files[i] = relative(here, r.Files[i])
		}
		err = a.write(map[string]func(io.Writer) error{
			"gnu": r.WriteText, "text": r.WriteText, "github": ofTop.WriteGitHub, "junit": r.WriteJUnit, "markdown": r.WriteMarkdown,
			"sarif": func(w io.Writer) error { return r.WriteSARIF(w, top) },
			"json":  func(w io.Writer) error { return writeJSON(w, r) },
			"jsonl": func(w io.Writer) error { return writeLines(w, r.Findings) },
		})
		if err != nil {
			return err
		}
		if !a.quiet {
			fmt.Fprintf(a.err, "%s, %s%s\n", plural(len(r.Files), "file"), plural(len(r.Findings), "finding"), fixed(r))
		}
		if !r.Success() || strict && slices.ContainsFunc(r.Findings, func(f scriptspec.Finding) bool { return f.Severity != scriptspec.SeverityNote && !f.Fixed }) {
			return failed
		}
		return nil
	})
	cmd := &cobra.Command{
		Use: "lint [SPEC]...", Short: "Check specs, bases, templates and pipelines",
		Example: "  scriptspec lint --scripts\n  scriptspec lint --fix changed\n  scriptspec lint - --file testdata/.specs/prep_runtime_test_spec.json <buffer",
		RunE: func(cmd *cobra.Command, words []string) error {
			if rules {
				return a.writeRules()
			}
			return lint(cmd, words)
		},
	}
	cmd.Flags().BoolVar(&fix, "fix", false, "fix what has only one right answer, and report what was fixed")
	cmd.Flags().BoolVar(&scripts, "scripts", false, "also compare specs with their scripts")
	cmd.Flags().BoolVar(&strict, "strict", false, "also fail on warnings")
	cmd.Flags().BoolVar(&rules, "rules", false, "list the rules instead of checking anything")
	cmd.Flags().StringVar(&file, "file", "", "with -, the file whose unsaved text is on standard input")
	return a.chooses(a.withFormats(cmd, lintFormats), c)
}

// fixed says how many findings were fixed.
func fixed(r *scriptspec.LintResult) string {
	n := 0
	for _, f := range r.Findings {
		if f.Fixed {
			n++
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", %d fixed", n)
}

// writeRules writes which rules lint has.
func (a *app) writeRules() error {
	rules := scriptspec.LintRules()
	table := func(w io.Writer) error {
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "RULE\tSEVERITY\tFIX\tSUMMARY")
		for _, r := range rules {
			fix := "-"
			if r.Fixable {
				fix = "yes"
			}
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", r.Code, r.Severity, fix, r.Summary)
		}
		return t.Flush()
	}
	forms := map[string]func(io.Writer) error{
		"gnu": table, "text": table,
		"json":  func(w io.Writer) error { return writeJSON(w, rules) },
		"jsonl": func(w io.Writer) error { return writeLines(w, rules) },
	}
	for _, format := range a.formats {
		if name, _, _ := strings.Cut(format, "="); forms[name] == nil {
			return usage("--rules has no format %s; want json, jsonl or text", name)
		}
	}
	return a.write(forms)
}

// readText reads the text of a file that an editor has not saved yet, and returns its name in the directory of the store.
func (a *app) readText(st *scriptspec.Store, o *scriptspec.LintOptions, file string) (string, error) {
	if o.Fix {
		return "", usage("lint - fixes nothing; lint --fix needs the file as it is saved")
	}
	if file == "" {
		return "", usage("lint - needs --file, the name of the file that the text belongs to")
	}
	specs, err := filepath.Abs(filepath.Dir(st.Path("x")))
	if err != nil {
		return "", err
	}
	abs, err := filepath.Abs(file)
	if err != nil {
		return "", err
	}
	name, err := filepath.Rel(specs, abs)
	if err != nil || !filepath.IsLocal(name) {
		return "", usage("--file %s is not in %s", file, relativeHere(specs))
	}
	name = filepath.ToSlash(name)
	known := strings.HasPrefix(name, "templates/") && strings.HasSuffix(name, ".json")
	for _, kind := range []string{"_runtime_test_spec.json", "_pipeline_testing_spec.json", "_spec_base.json"} {
		known = known || strings.HasSuffix(name, kind) && !strings.Contains(name, "/")
	}
	if !known {
		return "", usage("--file %s does not have the name of a spec, pipeline, base or template", file)
	}
	const most = 16 << 20 // more than a spec may have, so that the loader says so
	text, err := io.ReadAll(io.LimitReader(a.in, most))
	o.Texts = map[string][]byte{name: text}
	return filepath.FromSlash(name), err
}
