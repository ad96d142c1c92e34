package cli

import (
	"encoding/json"
	"errors"
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

func (a *app) lintCommand() *cobra.Command {
	var fix, scripts, strict bool
	cmd := &cobra.Command{
		Use: "lint [SPEC]...", Short: "Look at every spec, base and pipeline", ValidArgsFunction: a.complete,
		RunE: func(cmd *cobra.Command, words []string) error {
			st, err := a.store()
			if err != nil {
				return err
			}
			defer st.Close()
			sel, err := a.selector(words)
			if err != nil {
				return err
			}
			r, err := st.Lint(cmd.Context(), &scriptspec.LintOptions{Select: sel, Scripts: scripts, Python: a.python, Fix: fix})
			if err != nil {
				return err
			}
			here, _ := os.Getwd()
			for i := range r.Findings {
				r.Findings[i].File = relative(here, r.Findings[i].File)
			}
			err = a.write(map[string]func(io.Writer) error{
				"gnu": r.WriteText, "text": r.WriteText, "github": r.WriteGitHub, "junit": r.WriteJUnit,
				"sarif": func(w io.Writer) error { return r.WriteSARIF(w, sourceRoot(here)) },
				"json":  func(w io.Writer) error { return writeJSON(w, r) },
			}, "gnu")
			if err != nil {
				return err
			}
			if !a.quiet {
				fmt.Fprintf(a.err, "%d files, %d findings\n", len(r.Files), len(r.Findings))
			}
			if !r.Success() || strict && len(r.Findings) > 0 {
				return failed
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&fix, "fix", false, "mend what has one right answer")
	cmd.Flags().BoolVar(&scripts, "scripts", false, "compare specs with their scripts")
	cmd.Flags().BoolVar(&strict, "strict", false, "a warning is a no as well")
	return cmd
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
	return &cobra.Command{
		Use: "list [SPEC]...", Short: "Show which specs there are, or would be chosen", ValidArgsFunction: a.complete,
		RunE: func(cmd *cobra.Command, words []string) error {
			st, err := a.store()
			if err != nil {
				return err
			}
			defer st.Close()
			specs, err := a.chosen(cmd.Context(), st, words)
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
						fmt.Fprintf(t, "%s\t%s\t%s\n", harmless(r.Step), harmless(r.Path), strings.Join(r.Tags, " "))
					}
					return t.Flush()
				},
				"names": func(w io.Writer) error {
					for _, r := range rows {
						fmt.Fprintln(w, harmless(r.Step))
					}
					return nil
				},
				"json": func(w io.Writer) error { return writeJSON(w, rows) },
			}, "text")
		},
	}
}

func (a *app) planCommand() *cobra.Command {
	return &cobra.Command{
		Use: "plan PIPELINE", Short: "Show the order of a pipeline and what feeds each input", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completePipelines,
		RunE: func(_ *cobra.Command, args []string) error {
			st, err := a.store()
			if err != nil {
				return err
			}
			defer st.Close()
			p, err := st.LoadPipeline(args[0])
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
			}, "text")
			if err == nil && planErr != nil {
				err = &exit{exitNo, planErr}
			}
			return err
		},
	}
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

func (a *app) reportCommand() *cobra.Command {
	return &cobra.Command{
		Use: "report FILE", Short: "Write the result of a run (JSON) in other formats", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			text, err := os.ReadFile(args[0])
			if err != nil {
				return err
			}
			r, success, err := readResult(text)
			if err != nil {
				return &exit{exitNo, fmt.Errorf("%s: %w", args[0], err)}
			}
			if err := a.write(forms(r), "text"); err != nil {
				return err
			}
			if !success {
				return failed
			}
			return nil
		},
	}
}

// readResult reads the JSON of a result of any kind.
func readResult(text []byte) (r result, success bool, err error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return nil, false, err
	}
	switch {
	case members["nodes"] != nil:
		p := &scriptspec.PipelineTestResult{}
		err = json.Unmarshal(text, p)
		return p, p.Success, err
	case members["specs"] != nil:
		s := &scriptspec.StoreTestResult{}
		err = json.Unmarshal(text, s)
		return s, s.Success, err
	case members["outcome"] != nil:
		s := &scriptspec.ScriptTestResult{}
		err = json.Unmarshal(text, s)
		return s, s.Success, err
	}
	return nil, false, errors.New("it is no result: it has none of nodes, specs and outcome")
}

func (a *app) diffCommand() *cobra.Command {
	var exitCode bool
	cmd := &cobra.Command{
		Use: "diff A B", Short: "Show what differs between two specs, by file, script or step", Args: cobra.ExactArgs(2), ValidArgsFunction: a.complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			var specs [2]scriptspec.Spec
			for i, arg := range args {
				s, err := a.specOf(cmd, arg)
				if err != nil {
					return err
				}
				specs[i] = s
			}
			changes, err := scriptspec.Diff(specs[0], specs[1])
			if err != nil {
				return err
			}
			err = a.write(changeForms(changes), "text")
			if err == nil && exitCode && len(changes) > 0 {
				err = failed
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&exitCode, "exit-code", false, "1 if there is a difference")
	return cmd
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
		"json": func(w io.Writer) error { return writeJSON(w, changes) },
	}
}

// specOf returns the spec of a file, or the one that a word is about.
func (a *app) specOf(cmd *cobra.Command, arg string) (scriptspec.Spec, error) {
	if strings.HasSuffix(arg, ".json") {
		f, err := os.Open(arg)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return scriptspec.Decode(f, &scriptspec.DecodeOptions{File: arg})
	}
	st, err := a.store()
	if err != nil {
		return nil, err
	}
	defer st.Close()
	specs, err := a.chosen(cmd.Context(), st, []string{arg})
	if err != nil {
		return nil, err
	}
	if len(specs) > 1 {
		return nil, usage("%s is about %d specs; name one", arg, len(specs))
	}
	return specs[0], nil
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Show the version of the program and of the file format", Args: cobra.NoArgs,
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
