package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/scriptspec/scriptspec"
	"github.com/spf13/cobra"
)

func (a *app) lintCommand() *cobra.Command {
	var fix, scripts, strict bool
	var file string
	c := &choice{}
	cmd := &cobra.Command{
		Use: "lint [SPEC]... | lint - --file FILE", Short: "Look at every spec, base and pipeline",
		RunE: a.inStore(func(cmd *cobra.Command, st *scriptspec.Store, words []string) error {
			o := &scriptspec.LintOptions{Scripts: scripts, Python: a.python, Fix: fix, KnownTags: a.settings.KnownTags}
			if len(words) == 1 && words[0] == "-" {
				var err error
				if file, err = a.readText(st, o, file); err != nil {
					return err
				}
				words = nil
			} else if file != "" {
				return usage("--file names the text of lint -")
			}
			sel, err := c.selector(words)
			if err != nil {
				return err
			}
			o.Select = sel
			r, err := st.Lint(cmd.Context(), o)
			if isNone(err) {
				return c.none(err)
			}
			if err != nil {
				return err
			}
			if r.Specs == 0 && len(words)+len(c.selects)+len(c.excludes) > 0 {
				return c.none(errNoSpecs)
			}
			if o.Texts != nil {
				r.Files = []string{filepath.Join(r.Dir, file)}
				r.Findings = slices.DeleteFunc(r.Findings, func(f scriptspec.Finding) bool { return f.File != r.Files[0] })
			}
			here, _ := os.Getwd()
			top := sourceRoot(here)
			ofTop := &scriptspec.LintResult{Files: r.Files, Findings: slices.Clone(r.Findings)} // as GitHub shows files
			for i := range r.Findings {
				ofTop.Findings[i].File = relative(top, r.Findings[i].File)
				r.Findings[i].File = relative(here, r.Findings[i].File)
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
				fmt.Fprintf(a.err, "%s, %s\n", plural(len(r.Files), "file"), plural(len(r.Findings), "finding"))
			}
			if !r.Success() || strict && slices.ContainsFunc(r.Findings, func(f scriptspec.Finding) bool { return f.Severity != scriptspec.SeverityNote && !f.Fixed }) {
				return failed
			}
			return nil
		}),
	}
	cmd.Flags().BoolVar(&fix, "fix", false, "mend what has one right answer")
	cmd.Flags().BoolVar(&scripts, "scripts", false, "compare specs with their scripts")
	cmd.Flags().BoolVar(&strict, "strict", false, "a warning is a no as well")
	cmd.Flags().StringVar(&file, "file", "", "with -: the file that the text on standard input is to be, as an editor has it")
	return a.chooses(a.withFormats(cmd, lintFormats), c)
}

func plural(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// readText reads the text of a file that an editor has not saved yet, and returns its name below the directory of the store.
func (a *app) readText(st *scriptspec.Store, o *scriptspec.LintOptions, file string) (string, error) {
	if file == "" {
		return "", usage("lint - needs --file, the name of the file that the text is to be")
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
		return "", usage("--file %s is none of a spec, a pipeline, a base and a template by its name", file)
	}
	const most = 16 << 20 // more than a spec may have, so that the loader says so
	text, err := io.ReadAll(io.LimitReader(a.in, most))
	o.Texts = map[string][]byte{name: text}
	return filepath.FromSlash(name), err
}

// relativeHere returns a path as a person here would write it.
func relativeHere(path string) string {
	here, _ := os.Getwd()
	return relative(here, path)
}

// relative returns a path as a person here would write it.
func relative(here, path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	if rel, err := filepath.Rel(here, abs); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return path
}

// sourceRoot returns the top of the work tree of git, or where we are.
func sourceRoot(here string) string {
	for dir := here; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, ".git")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			return here
		}
	}
}

// listed is a line of list.
type listed struct {
	Script string   `json:"script_name"`
	Step   string   `json:"step_name"`
	Path   string   `json:"script_path"`
	Tags   []string `json:"tags"`
}

func (a *app) listCommand() *cobra.Command {
	c := &choice{}
	cmd := &cobra.Command{
		Use: "list [SPEC]...", Short: "Show which specs there are, or would be chosen",
		RunE: a.inStore(func(cmd *cobra.Command, st *scriptspec.Store, words []string) error {
			specs, err := c.chosen(cmd.Context(), a, st, words)
			if err != nil {
				return err
			}
			rows := []listed{}
			for _, s := range specs {
				b := s.Basic()
				rows = append(rows, listed{b.ScriptName, b.StepName, b.ScriptPath, append([]string{}, b.Tags...)})
			}
			return a.write(map[string]func(io.Writer) error{
				"text": func(w io.Writer) error {
					t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
					fmt.Fprintln(t, "STEP\tSCRIPT\tTAGS")
					for _, r := range rows {
						fmt.Fprintf(t, "%s\t%s\t%s\n", harmless(r.Step), orDash(harmless(r.Path)), orDash(strings.Join(r.Tags, " ")))
					}
					return t.Flush()
				},
				"names": func(w io.Writer) error {
					for _, r := range rows {
						fmt.Fprintln(w, harmless(r.Step))
					}
					return nil
				},
				"json":  func(w io.Writer) error { return writeJSON(w, rows) },
				"jsonl": func(w io.Writer) error { return writeLines(w, rows) },
			})
		}),
	}
	return a.chooses(a.withFormats(cmd, listFormats), c)
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func (a *app) planCommand() *cobra.Command {
	return a.withFormats(&cobra.Command{
		Use: "plan PIPELINE", Short: "Show the order of a pipeline and what feeds each input", Args: takes(cobra.ExactArgs(1)), ValidArgsFunction: a.completePipelines,
		RunE: a.inStore(func(_ *cobra.Command, st *scriptspec.Store, args []string) error {
			p, err := loadPipeline(st, args[0])
			if err != nil {
				return err
			}
			plan, planErr := p.Plan(nil)
			if plan == nil {
				return &exit{exitNo, planErr}
			}
			err = a.write(map[string]func(io.Writer) error{
				"text": func(w io.Writer) error { return writePlan(w, plan) },
				"json": func(w io.Writer) error { return writeJSON(w, plan) },
			})
			if err == nil && planErr != nil {
				err = &exit{exitNo, planErr}
			}
			return err
		}),
	}, planFormats)
}

func writePlan(w io.Writer, plan *scriptspec.PipelinePlan) error {
	var b strings.Builder
	for _, n := range plan.Nodes {
		fmt.Fprintf(&b, "%d  %s", n.Level, harmless(n.Node))
		if n.Skipped {
			b.WriteString("  (skipped)")
		}
		b.WriteByte('\n')
		for _, in := range n.Inputs {
			fmt.Fprintf(&b, "     %s <- %s.%s  (%s, %.2f)\n", in.DestLogicalName, in.Source, in.SourceLogicalName, in.MatchType, in.Confidence)
		}
		for _, name := range n.FromSpec {
			fmt.Fprintf(&b, "     %s <- the spec\n", name)
		}
		for _, name := range n.OrderOnly {
			fmt.Fprintf(&b, "     after %s\n", name)
		}
	}
	for _, wire := range plan.Suggested {
		text, err := json.Marshal(wire)
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "suggested, for wires: %s\n", text)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Show the version of the program and of the file format", Args: takes(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			version := "(unknown)"
			if info, ok := debug.ReadBuildInfo(); ok {
				version = info.Main.Version
			}
			_, err := fmt.Fprintf(a.out, "scriptspec %s, spec_version %d\n", version, scriptspec.SpecVersion)
			return err
		},
	}
}
