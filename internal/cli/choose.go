package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/scriptspec/scriptspec"
	"github.com/spf13/cobra"
)

// choice is which specs a call is about.
type choice struct {
	selects, excludes []string
	passWithNone      bool
}

// chooses gives a verb the flags of a choice.
func (a *app) chooses(cmd *cobra.Command, c *choice) *cobra.Command {
	flags := cmd.Flags()
	flags.StringArrayVar(&c.selects, "select", nil, "specs, as SPEC; may be given several times")
	flags.StringArrayVar(&c.excludes, "exclude", nil, "specs to leave out, as SPEC; may be given several times")
	flags.BoolVar(&c.passWithNone, "pass-with-none", false, "it is all well if there is no such spec")
	cmd.ValidArgsFunction = a.complete
	for _, name := range []string{"select", "exclude"} {
		_ = cmd.RegisterFlagCompletionFunc(name, a.complete) // the flag is there
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

// none is the end of a call that is about no spec.
func (c *choice) none(err error) error {
	if c.passWithNone {
		return nil
	}
	return &exit{exitNone, err}
}

// isNone reports whether an error says that a word chooses nothing.
func isNone(err error) bool {
	fe, ok := errors.AsType[*scriptspec.FieldError](err)
	return ok && fe.Path == "select" && fe.Code != scriptspec.CodeBadSelector
}

var errNoSpecs = errors.New("there are no such specs")

// chosen returns the specs that a call is about. Files that cannot be read are an error if nothing is chosen by name; else
// they are noted.
func (c *choice) chosen(ctx context.Context, a *app, st *scriptspec.Store, words []string) ([]scriptspec.Spec, error) {
	sel, err := c.selector(words)
	if err != nil {
		return nil, err
	}
	var specs []scriptspec.Spec
	var errs []error
	for s, err := range st.Select(ctx, sel) {
		if isNone(err) {
			return nil, c.none(err)
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		specs = append(specs, s)
	}
	err = errors.Join(errs...)
	switch {
	case len(specs) == 0 && err == nil:
		return nil, c.none(errNoSpecs)
	case err != nil && (len(specs) == 0 || len(words)+len(c.selects) == 0):
		return nil, err
	case err != nil:
		fmt.Fprintln(a.err, "scriptspec: "+err.Error())
	}
	return specs, nil
}

// complete offers the words of selections.
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
