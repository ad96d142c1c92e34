// Package cli is the command scriptspec: each verb is a thin call of what the root package exports.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/scriptspec/scriptspec"
	"github.com/spf13/cobra"
)

// The exit codes.
const (
	exitOK          = 0
	exitNo          = 1 // a check failed
	exitUsage       = 2 // the call is wrong
	exitNoTest      = 3 // nothing could be tested
	exitNone        = 5 // nothing is selected
	exitInterrupted = 130
)

// exit is an error with the code that the program ends with. Without an error nothing is printed.
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

// failed is for a check that has already printed why.
var failed = &exit{code: exitNo}

// errInterrupted is why a run was ended that a person has interrupted.
var errInterrupted = errors.New("interrupted")

// app is one call of the program.
type app struct {
	in       io.Reader
	out, err io.Writer

	dir      string
	opened   string // absolute, once a store is open
	formats  []string
	python   string
	color    string
	quiet    bool
	verbose  bool
	settings scriptspec.Settings
	progress atomic.Pointer[progress] // what is shown now
}

// Main runs the program and returns its exit code.
func Main(args []string, in io.Reader, out, errOut io.Writer) int {
	said := &sink{w: out}
	a := &app{in: in, out: said, err: errOut}
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	go func() {
		select {
		case <-signals:
			signal.Stop(signals) // the second one kills
			a.notice("scriptspec: interrupted: stopping scripts; press Ctrl-C again to kill them")
			cancel(errInterrupted)
		case <-ctx.Done():
		}
	}()
	root := a.command()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(said)
	root.SetErr(errOut)
	err := root.ExecuteContext(ctx)
	if said.err != nil && !errors.Is(said.err, syscall.EPIPE) && (err == nil || errors.Is(err, failed)) {
		err = &exit{exitNoTest, said.err} // the result could not be written
	}
	if err == nil {
		return exitOK
	}
	e, ok := errors.AsType[*exit](err)
	if !ok {
		e = &exit{codeOf(ctx, err), err}
	}
	ended := ctx.Err() != nil && (errors.Is(e, errInterrupted) || errors.Is(e, context.Canceled)) // of which there was a notice
	if e.Error() != "" && !ended {
		fmt.Fprintln(errOut, "scriptspec: "+strings.ReplaceAll(inFlags(e, flagPlaces), "\n", "\n  "))
	}
	return e.code
}

// sink is standard output, which keeps the first error: no verb looks at each of its lines.
type sink struct {
	w   io.Writer
	err error
}

func (s *sink) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	if s.err == nil {
		s.err = err
	}
	return n, err
}

// notice prints a line while progress may be on the screen.
func (a *app) notice(text string) {
	if p := a.progress.Load(); p != nil {
		p.say(text)
		return
	}
	fmt.Fprintln(a.err, text)
}

// codeOf returns the exit code for an error of the library.
func codeOf(ctx context.Context, err error) int {
	if ctx.Err() != nil {
		return exitInterrupted
	}
	if code := codeOfFlags(err); code != 0 {
		return code
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
	return exitNoTest
}

// takes makes a call with the wrong arguments a usage error.
func takes(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usage("%w; usage: %s", err, cmd.UseLine())
		}
		return nil
	}
}

// unknownVerb suggests what the first word may have been meant to be.
func unknownVerb(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var verbs []string
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			verbs = append(verbs, c.Name())
		}
	}
	if hint, near := scriptspec.MeantName(verbs, args[0]); near {
		return usage("unknown command %q (%s)", args[0], hint)
	}
	return usage("unknown command %q; see scriptspec --help", args[0])
}

func (a *app) command() *cobra.Command {
	root := &cobra.Command{
		Use:           "scriptspec",
		Short:         "Test the Python scripts of ML pipelines against specs",
		SilenceErrors: true, SilenceUsage: true,
		Args: unknownVerb, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		Long: `Test the Python scripts of ML pipelines against specs that Go and Python share.

SPEC selects specs: a script name, a step name or a glob for these, the path of a spec file, tag:TAG, label:KEY=VALUE,
step:GLOB, path:GLOB, pipeline:NAME, or changed[:REVISION] for what differs from a revision of git. A comma means "and";
+SPEC adds the steps it depends on, SPEC+ those that depend on it. Without any SPEC, all specs are selected.

Exit codes: 0 success, 1 a check failed, 2 usage error (also a template, parameter or base that does not exist),
3 nothing could be tested, 5 nothing was selected (no such spec, tag, pipeline or node), 130 interrupted.`,
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usage("%w; see %s --help", wrongValue(cmd, err), cmd.CommandPath())
	})
	root.PersistentPreRunE = func(*cobra.Command, []string) error {
		switch {
		case !slices.Contains(colorModes, a.color):
			return usage("unknown --color %q; want auto, always or never", a.color)
		case a.quiet && a.verbose:
			return usage("--quiet and --verbose exclude each other")
		}
		return nil
	}
	flags := root.PersistentFlags()
	flags.StringVarP(&a.dir, "dir", "C", "", "test data directory (default: the nearest one with .specs, here or above, then $SCRIPTSPEC_DIR)")
	flags.StringArrayVar(&a.formats, "format", nil, "output format, or FORMAT=FILE to write it to a file; may be repeated")
	flags.StringVar(&a.python, "python", "", "Python interpreter (default $SCRIPTSPEC_PYTHON, then python3)")
	flags.StringVar(&a.color, "color", colorModes[0], "color outcomes: auto, always or never")
	flags.BoolVarP(&a.quiet, "quiet", "q", false, "print no progress and no explanations")
	flags.BoolVarP(&a.verbose, "verbose", "v", false, "print a line for each finished script, and all details of failures")
	_ = root.RegisterFlagCompletionFunc("color", cobra.FixedCompletions(colorModes, cobra.ShellCompDirectiveNoFileComp)) // the flag exists
	root.SetHelpCommand(&cobra.Command{
		Use: "help [COMMAND]", Short: "Help about a command", ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return root.Help()
			}
			if found, _, err := root.Find(args); err == nil && found != root {
				return found.Help()
			}
			return unknownVerb(root, args)
		},
	})
	root.AddCommand(a.runCommand(), a.lintCommand(), a.listCommand(), a.planCommand(), a.reportCommand(), a.diffCommand(), a.historyCommand(), a.statsCommand(),
		a.nodeCommand(), a.exportCommand())
	for _, cmd := range []*cobra.Command{
		a.newCommand(), a.renderCommand(), a.migrateCommand(), a.schemaCommand(), a.initCommand(), a.docsCommand(), a.versionCommand(),
	} {
		root.AddCommand(a.withFormats(cmd, nil))
	}
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() == "completion" {
			cmd.Args, cmd.RunE = takes(cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs)), func(*cobra.Command, []string) error { return nil }
			cmd.ValidArgs = []string{"bash", "fish", "powershell", "zsh"}
		}
	}
	return root
}

var colorModes = []string{"auto", "always", "never"}

// store opens the store that the flags, the path of a spec file among some words, the working directory or the environment
// name.
func (a *app) store(words ...string) (*scriptspec.Store, error) {
	for _, word := range words {
		if specs := filepath.Dir(word); a.dir == "" && filepath.Base(specs) == ".specs" && strings.HasSuffix(word, ".json") {
			a.dir = filepath.Dir(specs)
		}
	}
	dir := a.dir
	if dir == "" {
		dir = findStore()
	}
	if dir == "" {
		dir = os.Getenv("SCRIPTSPEC_DIR")
	}
	if dir == "" {
		return nil, usage("no .specs directory here or above; pass the test data directory with -C, or run scriptspec init")
	}
	if _, err := os.Stat(filepath.Join(dir, ".specs")); err != nil {
		if near := storesBeside(dir); len(near) > 0 {
			return nil, usage("%s has no .specs (did you mean %s?)", dir, strings.Join(near, " or "))
		}
		return nil, usage("%s has no .specs; pass the test data directory with -C, or run scriptspec init", dir)
	}
	return a.open(dir)
}

// inStore opens the store for a verb and closes it afterwards.
func (a *app) inStore(verb func(cmd *cobra.Command, st *scriptspec.Store, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		st, err := a.store(args...)
		if err != nil {
			return err
		}
		defer st.Close()
		return verb(cmd, st, args)
	}
}

// open opens a store. Its relative paths start at the directory that holds the test data directory, wherever the program is
// called.
func (a *app) open(dir string) (*scriptspec.Store, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	a.opened = abs
	st, err := scriptspec.OpenStore(dir, &scriptspec.StoreOptions{Base: scriptspec.BaseOfProject})
	if err != nil {
		return nil, err
	}
	if err := a.readSettings(st); err != nil {
		_ = st.Close() // nothing was written
		return nil, err
	}
	return st, nil
}

// storesBeside returns directories with specs that are in or beside one without.
func storesBeside(dir string) []string {
	var found []string
	for _, parent := range []string{dir, filepath.Dir(filepath.Clean(dir))} {
		entries, _ := os.ReadDir(parent) // there may be none
		for _, e := range entries {
			if _, err := os.Stat(filepath.Join(parent, e.Name(), ".specs")); err == nil {
				found = append(found, filepath.Join(parent, e.Name()))
			}
		}
	}
	return found
}

// findStore returns the nearest directory with specs, here, in testdata or above, "" if there is none.
func findStore() string {
	place, err := scriptspec.FindStore("")
	if err != nil {
		return ""
	}
	here, _ := os.Getwd()
	if rel, err := filepath.Rel(here, place); err == nil {
		return rel
	}
	return place
}
