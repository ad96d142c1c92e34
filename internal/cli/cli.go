// Package cli is the command scriptspec: each verb is a thin call of what the root package exports.
package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/scriptspec/scriptspec"
	"github.com/spf13/cobra"
)

// The exit codes.
const (
	exitOK          = 0
	exitNo          = 1 // a check said no
	exitUsage       = 2 // the call is wrong
	exitNoTest      = 3 // no test was possible
	exitNone        = 5 // the selection is of nothing
	exitInterrupted = 130
)

// exit is an error with the code that the program ends with. Without a text it says nothing.
type exit struct {
	code int
	err  error
}

func (e *exit) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exit) Unwrap() error { return e.err }

func usage(format string, args ...any) error { return &exit{exitUsage, fmt.Errorf(format, args...)} }

// failed is what a check says that said no, in its own words.
var failed = &exit{code: exitNo}

// app is one call of the program.
type app struct {
	in       io.Reader
	out, err io.Writer

	dir     string
	formats []string
	python  string
	quiet   bool
}

// Main runs the program and returns its exit code.
func Main(args []string, in io.Reader, out, errOut io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() { // the second one kills
		<-ctx.Done()
		stop()
	}()
	a := &app{in: in, out: out, err: errOut}
	root := a.command()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	e, ok := errors.AsType[*exit](err)
	if !ok {
		e = &exit{codeOf(ctx, err), err}
	}
	if text := e.Error(); text != "" {
		fmt.Fprintln(errOut, "scriptspec: "+strings.ReplaceAll(text, "\n", "\n  "))
	}
	return e.code
}

// codeOf returns the exit code for an error of the library, or of cobra.
func codeOf(ctx context.Context, err error) int {
	if ctx.Err() != nil {
		return exitInterrupted
	}
	if fe, ok := errors.AsType[*scriptspec.FieldError](err); ok {
		switch {
		case fe.Code == scriptspec.CodeBadSelector:
			return exitUsage
		case fe.Path == "select":
			return exitNone
		}
		return exitNo
	}
	if _, ok := errors.AsType[*scriptspec.DecodeError](err); ok {
		return exitNo
	}
	for _, word := range []string{"unknown command", "unknown flag", "unknown shorthand", "accepts ", "requires ", "flag needs", "invalid argument", "arg(s)"} {
		if strings.Contains(err.Error(), word) {
			return exitUsage
		}
	}
	return exitNoTest
}

func (a *app) command() *cobra.Command {
	root := &cobra.Command{
		Use:           "scriptspec",
		Short:         "Tests the Python scripts of ML pipelines under specs that Go and Python share",
		SilenceErrors: true, SilenceUsage: true,
		Long: `Tests the Python scripts of ML pipelines under specs that Go and Python share.

Specs are chosen by words: a script name, a step name, a glob, tag:T, label:K=V, step:GLOB or path:GLOB; commas join
conditions, +x adds what x depends on, x+ what depends on it. None means all.

Exit codes: 0 all well, 1 a check said no, 2 the call is wrong, 3 no test was possible, 5 the words are of nothing,
130 interrupted.`,
	}
	flags := root.PersistentFlags()
	flags.StringVarP(&a.dir, "dir", "C", "", "test data directory (default: the nearest with .specs from here upwards, else $SCRIPTSPEC_DIR)")
	flags.StringArrayVar(&a.formats, "format", nil, "form of the result, FORMAT or FORMAT=FILE; may be given several times")
	flags.StringVar(&a.python, "python", "", "interpreter (default $SCRIPTSPEC_PYTHON, then python3)")
	flags.BoolVarP(&a.quiet, "quiet", "q", false, "no progress")
	root.AddCommand(a.runCommand(), a.lintCommand(), a.listCommand(), a.planCommand(), a.reportCommand(), a.diffCommand(),
		a.newCommand(), a.renderCommand(), a.migrateCommand(), a.schemaCommand(), a.initCommand(), a.docsCommand(), a.versionCommand())
	return root
}

// store opens the store that the flags, the environment or the working directory name.
func (a *app) store() (*scriptspec.Store, error) {
	dir := a.dir
	if dir == "" {
		dir = findStore()
	}
	if dir == "" {
		dir = os.Getenv("SCRIPTSPEC_DIR")
	}
	if dir == "" {
		return nil, usage("there is no .specs here or above; name the test data directory with -C, or run scriptspec init")
	}
	if _, err := os.Stat(filepath.Join(dir, ".specs")); err != nil {
		return nil, usage("%s has no .specs; name the test data directory with -C, or run scriptspec init", dir)
	}
	return scriptspec.OpenStore(dir, nil)
}

// findStore returns the nearest directory with specs, here, in testdata or above.
func findStore() string {
	here, err := os.Getwd()
	if err != nil {
		return ""
	}
	for dir := here; ; dir = filepath.Dir(dir) {
		for _, place := range []string{dir, filepath.Join(dir, "testdata")} {
			if info, err := os.Stat(filepath.Join(place, ".specs")); err == nil && info.IsDir() {
				if rel, err := filepath.Rel(here, place); err == nil {
					return rel
				}
				return place
			}
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
	}
}

func (a *app) selector(words []string) (*scriptspec.Selector, error) {
	sel, err := scriptspec.ParseSelector(words...)
	if err != nil {
		return nil, &exit{exitUsage, err}
	}
	return sel, nil
}

// chosen returns the specs that words are about.
func (a *app) chosen(ctx context.Context, st *scriptspec.Store, words []string) ([]scriptspec.Spec, error) {
	sel, err := a.selector(words)
	if err != nil {
		return nil, err
	}
	var specs []scriptspec.Spec
	for s, err := range st.Select(ctx, sel) {
		if err != nil {
			return nil, err
		}
		specs = append(specs, s)
	}
	if len(specs) == 0 {
		return nil, &exit{exitNone, errors.New("there are no specs")}
	}
	return specs, nil
}

// write writes a result in each form that was asked for, the first of the list if none was.
func (a *app) write(forms map[string]func(w io.Writer) error, first string) error {
	formats := a.formats
	if len(formats) == 0 {
		formats = []string{first}
	}
	for _, format := range formats {
		name, file, toFile := strings.Cut(format, "=")
		form, ok := forms[name]
		if !ok {
			return usage("there is no format %s here; there is %s", name, strings.Join(sortedNames(forms), ", "))
		}
		if !toFile {
			if err := form(a.out); err != nil {
				return err
			}
			continue
		}
		var b bytes.Buffer
		if err := form(&b); err != nil {
			return err
		}
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			return &exit{exitNoTest, err}
		}
	}
	return nil
}

func sortedNames[V any](m map[string]V) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// complete offers the words of selections.
func (a *app) complete(_ *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	st, err := a.store()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
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
	names, _ := st.Pipelines()
	return names, cobra.ShellCompDirectiveNoFileComp
}
