package cli

import (
	"context"
	"errors"
	"slices"

	"github.com/scriptspec/scriptspec"
	"github.com/spf13/cobra"
)

// choice is which specs a call selects.
type choice struct {
	selects, excludes []string
	passWithNone      bool
}

// chooses adds the flags of a choice to a verb.
func (a *app) chooses(cmd *cobra.Command, c *choice) *cobra.Command {
	flags := cmd.Flags()
	flags.StringArrayVar(&c.selects, "select", nil, "select specs, as a SPEC argument does; may be repeated")
	flags.StringArrayVar(&c.excludes, "exclude", nil, "leave out the specs that SPEC selects; may be repeated")
	flags.BoolVar(&c.passWithNone, "pass-with-none", false, "succeed even if no spec is selected")
	cmd.ValidArgsFunction = a.complete
	describe(cmd, "SPEC selects specs, by name, tag, pipeline and more: see scriptspec --help.")
	for _, name := range []string{"select", "exclude"} {
		_ = cmd.RegisterFlagCompletionFunc(name, a.complete) // the flag exists
	}
	return cmd
}

func (c *choice) selector(words []string) (*scriptspec.Selector, error) {
	chosen, err := scriptspec.ParseSelector(append(slices.Clone(words), c.selects...)...)
	without, withoutErr := scriptspec.ParseSelector(c.excludes...)
	if err := errors.Join(err, withoutErr); err != nil {
		return nil, &exit{exitUsage, err}
	}
	return chosen.Without(without), nil
}

// none ends a call that selects no spec. That some file cannot be loaded, and may be what was meant, is said in any case.
func (c *choice) none(a *app, err error) error {
	if !c.passWithNone {
		return &exit{exitNone, err}
	}
	if fe, ok := errors.AsType[*scriptspec.FieldError](err); ok && fe.Err != nil {
		a.notice("scriptspec: " + err.Error())
	}
	return nil
}

// isNone reports whether an error says that a word matches nothing.
func isNone(err error) bool {
	fe, ok := errors.AsType[*scriptspec.FieldError](err)
	return ok && fe.Path == "select" && fe.Code != scriptspec.CodeBadSelector
}

var errNoSpecs = errors.New("no spec is selected")

// chosen returns the selected specs that can be loaded. The error is of the others, or of the selection.
func (c *choice) chosen(ctx context.Context, a *app, st *scriptspec.Store, words []string) ([]scriptspec.Spec, error) {
	sel, err := c.selector(words)
	if err != nil {
		return nil, err
	}
	var specs []scriptspec.Spec
	var errs []error
	for s, err := range st.Select(ctx, sel) {
		if isNone(err) {
			return nil, c.none(a, err)
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		specs = append(specs, s)
	}
	if len(specs)+len(errs) == 0 {
		return nil, c.none(a, errNoSpecs)
	}
	return specs, errors.Join(errs...)
}

// complete completes the words of a selection.
func (a *app) complete(_ *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	st, err := a.store()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	defer st.Close()
	var words []string
	for s, err := range st.All() {
		if err != nil {
			continue
		}
		b := s.Basic()
		words = append(words, b.ScriptName, b.StepName)
		for _, tag := range b.Tags {
			words = append(words, "tag:"+tag)
		}
	}
	pipelines, _ := st.Pipelines() // without them there is still the rest
	for _, name := range pipelines {
		words = append(words, "pipeline:"+name)
	}
	words = append(words, "changed")
	slices.Sort(words)
	return slices.Compact(words), cobra.ShellCompDirectiveNoFileComp
}

func (a *app) completePipelines(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	st, err := a.store()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	defer st.Close()
	names, _ := st.Pipelines()
	return names, cobra.ShellCompDirectiveNoFileComp
}
