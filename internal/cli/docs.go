package cli

import (
	"fmt"

	"github.com/scriptspec/scriptspec"
	"github.com/spf13/cobra"
)

func (a *app) docsCommand() *cobra.Command {
	var dir string
	c := &choice{}
	cmd := &cobra.Command{
		Use: "docs [SPEC]...", Short: "Write a Markdown page for each spec",
		RunE: a.inStore(func(cmd *cobra.Command, st *scriptspec.Store, words []string) error {
			if dir != "" {
				sel, err := c.selector(words)
				if err != nil {
					return err
				}
				files, err := st.WriteDocs(cmd.Context(), dir, sel)
				for _, file := range files {
					fmt.Fprintln(a.out, file)
				}
				if isNone(err) {
					return c.none(a, err)
				}
				return err
			}
			specs, err := c.chosen(cmd.Context(), a, st, words)
			for _, s := range specs {
				if err := scriptspec.WriteSpecMarkdown(a.out, s); err != nil {
					return err
				}
			}
			return err
		}),
	}
	cmd.Flags().StringVar(&dir, "write", "", "write the pages to this directory instead of standard output")
	return a.chooses(cmd, c)
}
