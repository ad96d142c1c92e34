package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/scriptspec/scriptspec"
	"github.com/spf13/cobra"
)

func (a *app) reportCommand() *cobra.Command {
	return a.withFormats(&cobra.Command{
		Use: "report FILE", Short: "Convert the JSON result of a run to other formats",
		Long: "Convert the JSON result of a run to other formats. The exit code is that of the run: 1 if it failed.", Args: takes(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			r, err := readResult(args[0])
			if err != nil {
				return err
			}
			if err := a.write(a.resultForms(r)); err != nil {
				return err
			}
			if !r.Succeeded() {
				return failed
			}
			return nil
		},
	}, resultFormats)
}

func readResult(file string) (scriptspec.Result, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	r, err := scriptspec.ParseResult(text)
	if err != nil {
		return nil, &exit{exitNo, fmt.Errorf("%s: %w", file, err)}
	}
	return r, nil
}

func (a *app) diffCommand() *cobra.Command {
	var exitCode bool
	var history string
	cmd := &cobra.Command{
		Use: "diff A B | diff --history FROM..", Short: "Compare two specs, the results of two runs, or recent runs with earlier ones", Args: takes(cobra.MaximumNArgs(2)), ValidArgsFunction: a.complete,
		Long: `Compare two specs, each given as a file, a script or step name, or REVISION:SCRIPT for a revision of git; or the
results of two runs, each a file written by run --format json; or, with --history, the recorded runs from a time on with those
before it, to show which steps now take more or less time or memory, beyond the usual variation.`,
		Example: "  scriptspec diff Prep_training Prep_validation\n  scriptspec diff HEAD~1:prep prep\n  scriptspec diff yesterday.json today.json\n  scriptspec diff --history 7d..",
		RunE: func(cmd *cobra.Command, args []string) error {
			var changes []scriptspec.Change
			var err error
			switch {
			case history != "" && len(args) == 0:
				err = a.inStore(func(cmd *cobra.Command, st *scriptspec.Store, _ []string) (err error) {
					changes, err = a.trendChanges(cmd, st, history)
					return err
				})(cmd, args)
			case history != "" || len(args) != 2:
				return usage("diff takes two specs or results, or --history alone; it is called as: %s", cmd.UseLine())
			default:
				changes, err = a.changes(cmd.Context(), args[0], args[1])
			}
			if err != nil {
				return err
			}
			err = a.write(changeForms(changes))
			if err == nil && exitCode && len(changes) > 0 {
				err = failed
			}
			return err
		},
	}
	cmd.Flags().StringVar(&history, "history", "", "compare the recorded runs from a time on with those before it: 7d.., or DATE..DATE")
	cmd.Flags().BoolVar(&exitCode, "exit-code", false, "exit with 1 if there are differences")
	return a.withFormats(cmd, changeFormats)
}

func (a *app) changes(ctx context.Context, first, second string) ([]scriptspec.Change, error) {
	for _, file := range []string{first, second} {
		if _, err := os.Stat(file); strings.HasSuffix(file, ".json") && err != nil {
			return nil, err
		}
	}
	if isResult(first) && isResult(second) {
		before, err := readResult(first)
		after, afterErr := readResult(second)
		if err := errors.Join(err, afterErr); err != nil {
			return nil, err
		}
		return scriptspec.DiffResults(before, after), nil
	}
	var specs [2]scriptspec.Spec
	for i, arg := range []string{first, second} {
		s, err := a.specOf(ctx, arg)
		if err != nil {
			return nil, err
		}
		specs[i] = s
	}
	return scriptspec.Diff(specs[0], specs[1])
}

func isResult(file string) bool {
	text, err := os.ReadFile(file)
	if err != nil {
		return false
	}
	_, err = scriptspec.ParseResult(text)
	return err == nil
}

// specOf returns the spec of a file, of a revision, or the one that a word selects.
func (a *app) specOf(ctx context.Context, arg string) (scriptspec.Spec, error) {
	if strings.HasSuffix(arg, ".json") {
		text, err := os.ReadFile(arg)
		if err != nil {
			return nil, err
		}
		return scriptspec.Decode(bytes.NewReader(text), &scriptspec.DecodeOptions{File: arg})
	}
	st, err := a.store()
	if err != nil {
		return nil, err
	}
	defer st.Close()
	if revision, name, ok := strings.Cut(arg, ":"); ok {
		if _, err := scriptspec.ParseSelector(arg); err != nil { // tag:nightly is a selection, not a revision
			s, err := st.LoadRevision(ctx, revision, name)
			_, isText := errors.AsType[*scriptspec.DecodeError](err)
			if _, ok := errors.AsType[*scriptspec.FieldError](err); ok && !isText {
				return nil, usage("%s: %w; want REVISION:SCRIPT, as in HEAD:prep", arg, err)
			}
			return s, err
		}
	}
	specs, err := (&choice{}).chosen(ctx, a, st, []string{arg})
	if err != nil {
		return nil, err
	}
	if len(specs) > 1 {
		return nil, usage("%s matches %d specs; name one", arg, len(specs))
	}
	return specs[0], nil
}
