package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"strings"

	"github.com/scriptspec/scriptspec"
	"github.com/spf13/cobra"
)

func (a *app) docsCommand() *cobra.Command {
	var dir string
	c := &choice{}
	cmd := &cobra.Command{
		Use: "docs [SPEC]...", Short: "Write a page for each spec, in Markdown",
		RunE: a.inStore(func(cmd *cobra.Command, st *scriptspec.Store, words []string) error {
			specs, err := c.chosen(cmd.Context(), a, st, words)
			if err != nil {
				return err
			}
			for name, s := range pages(specs) {
				if dir == "" {
					if err := writePage(a.out, s); err != nil {
						return err
					}
					continue
				}
				var page strings.Builder
				if err := writePage(&page, s); err != nil {
					return err
				}
				if err := writeNew(filepath.Join(dir, name+".md"), []byte(page.String()), true); err != nil {
					return err
				}
			}
			return nil
		}),
	}
	cmd.Flags().StringVar(&dir, "write", "", "write the pages to this directory")
	return a.chooses(cmd, c)
}

// pages yields specs with the name of the page of each: that of the step, with that of the script where two have one step,
// or where the step's is no name.
func pages(specs []scriptspec.Spec) iter.Seq2[string, *scriptspec.ScriptExecutionSpec] {
	count := map[string]int{}
	for _, s := range specs {
		count[strings.ToLower(s.Basic().StepName)]++
	}
	return func(yield func(string, *scriptspec.ScriptExecutionSpec) bool) {
		taken := map[string]int{}
		for _, s := range specs {
			b := s.Basic()
			name := b.StepName
			if _, err := scriptspec.ParseStepName(name); err != nil {
				name = b.ScriptName
			} else if count[strings.ToLower(name)] > 1 {
				name += "-" + b.ScriptName
			}
			if taken[strings.ToLower(name)]++; taken[strings.ToLower(name)] > 1 {
				name += fmt.Sprintf("-%d", taken[strings.ToLower(name)])
			}
			if !yield(name, b) {
				return
			}
		}
	}
}

// writePage describes a spec, without values of variables.
func writePage(w io.Writer, s *scriptspec.ScriptExecutionSpec) error {
	var b strings.Builder
	s = s.Redacted()
	fmt.Fprintf(&b, "# %s\n\n", markdown(s.StepName))
	if s.Description != "" {
		b.WriteString(markdown(s.Description) + "\n\n")
	}
	fmt.Fprintf(&b, "Script: %s\n", code(s.ScriptPath))
	if len(s.Tags) > 0 {
		fmt.Fprintf(&b, "Tags: %s\n", markdown(strings.Join(s.Tags, ", ")))
	}
	for _, part := range []struct {
		title  string
		values map[string]string
	}{{"Inputs", s.InputPaths}, {"Outputs", s.OutputPaths}} {
		table(&b, part.title, sortedNames(part.values), func(name string) string { return part.values[name] })
	}
	table(&b, "Environment variables", sortedNames(s.EnvironVars), nil)
	table(&b, "Job arguments", sortedNames(s.JobArgs), func(name string) string {
		text, _ := json.Marshal(s.JobArgs[name])
		return string(text)
	})
	for _, e := range s.Examples {
		fmt.Fprintf(&b, "\n## Example %s\n\n%s\n", markdown(e.Name), markdown(e.Description))
	}
	b.WriteByte('\n')
	_, err := io.WriteString(w, b.String())
	return err
}

func table(b *strings.Builder, title string, names []string, value func(name string) string) {
	if len(names) == 0 {
		return
	}
	fmt.Fprintf(b, "\n## %s\n\n", title)
	for _, name := range names {
		fmt.Fprintf(b, "- %s", code(name))
		if value != nil {
			fmt.Fprintf(b, ": %s", code(value(name)))
		}
		b.WriteByte('\n')
	}
}

// markdown makes a text one that Markdown shows as it is, and in which no line is a command of a CI system.
func markdown(text string) string {
	var b strings.Builder
	for i, line := range strings.Split(text, "\n") {
		if i > 0 {
			b.WriteByte('\n')
		}
		for _, r := range harmless(line) {
			if strings.ContainsRune("\\`*_{}[]()#+-.!|<>&~=:$^@", r) {
				b.WriteByte('\\')
			}
			b.WriteRune(r)
		}
	}
	return b.String()
}

// code makes a text a span of code.
func code(text string) string {
	fence := "`"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	text = harmless(text)
	if strings.HasPrefix(text, "`") || strings.HasSuffix(text, "`") || text == "" {
		text = " " + text + " "
	}
	return fence + text + fence
}
