package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"text/tabwriter"

	"github.com/scriptspec/scriptspec"
	"github.com/spf13/cobra"
)

func plural(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
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

// sourceRoot returns the top of the work tree of git that the store is in, wherever the program is called; else of the one
// that we are in, or where we are.
func (a *app) sourceRoot() string {
	here, _ := os.Getwd()
	return cmp.Or(workTree(a.opened), workTree(here), here)
}

// workTree returns the top of the work tree of git that a directory is in, "" if it is in none.
func workTree(dir string) string {
	for dir != "" {
		if _, err := os.Stat(filepath.Join(dir, ".git")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	return ""
}

// listed is one spec in a list.
type listed struct {
	Script string   `json:"script_name"`
	Step   string   `json:"step_name"`
	Path   string   `json:"script_path"`
	Tags   []string `json:"tags"`
}

func (a *app) listCommand() *cobra.Command {
	c := &choice{}
	cmd := &cobra.Command{
		Use: "list [SPEC]...", Short: "List specs",
		RunE: a.inStore(func(cmd *cobra.Command, st *scriptspec.Store, words []string) error {
			specs, broken := c.chosen(cmd.Context(), a, st, words)
			if len(specs) == 0 && broken != nil {
				return broken
			}
			rows := []listed{}
			for _, s := range specs {
				b := s.Basic()
				rows = append(rows, listed{b.ScriptName, b.StepName, b.ScriptPath, append([]string{}, b.Tags...)})
			}
			err := a.write(map[string]func(io.Writer) error{
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
			return cmp.Or(err, broken)
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
	var explain bool
	cmd := &cobra.Command{
		Use: "plan PIPELINE", Short: "Show the order of a pipeline's nodes and what feeds each input", Args: takes(cobra.ExactArgs(1)), ValidArgsFunction: a.completePipelines,
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
				"text": func(w io.Writer) error {
					if explain {
						_, err := io.WriteString(w, plan.Explain())
						return err
					}
					return writePlan(w, plan)
				},
				"json": func(w io.Writer) error { return writeJSON(w, plan) },
			})
			if err == nil && planErr != nil {
				err = &exit{exitNo, planErr}
			}
			return err
		}),
	}
	cmd.Flags().BoolVar(&explain, "explain", false, "explain why each pair matches")
	return a.withFormats(cmd, planFormats)
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
			fmt.Fprintf(&b, "     %s <- the path in the spec\n", name)
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
		fmt.Fprintf(&b, "suggested wire: %s\n", text)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version of the program and of the file format", Args: takes(cobra.NoArgs),
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
