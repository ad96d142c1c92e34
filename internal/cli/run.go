package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/scriptspec/scriptspec"
	"github.com/spf13/cobra"
)

// runFlags are the flags of run.
type runFlags struct {
	pipeline, example, work string
	from, to, only          []string
	set                     []string
	timeout                 time.Duration
	jobs, repeat            int
	failFast, warm          bool
	choice                  choice
	keep                    string
	preload                 []string
}

func (a *app) runCommand() *cobra.Command {
	f := &runFlags{}
	cmd := &cobra.Command{
		Use: "run [SPEC]...", Short: "Run specs, their examples, or a pipeline",
		Example: "  scriptspec run tag:nightly\n  scriptspec run --pipeline churn --from Train_training --work work --format text --format html=page.html",
		RunE: func(cmd *cobra.Command, words []string) error {
			if f.repeat < 1 {
				return usage("--repeat is at least 1")
			}
			var last error
			for range f.repeat {
				err := a.run(cmd, f, words)
				if err != nil && (!errors.Is(err, failed) || f.failFast) {
					return err
				}
				if err != nil {
					last = err
				}
			}
			return last
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.pipeline, "pipeline", "", "run the pipeline with this name")
	flags.StringSliceVar(&f.from, "from", nil, "nodes of the pipeline to begin with, on results in --work")
	flags.StringSliceVar(&f.to, "to", nil, "nodes of the pipeline to end with")
	flags.StringSliceVar(&f.only, "only", nil, "exactly these nodes of the pipeline")
	flags.StringVar(&f.work, "work", "", "work directory of the pipeline (default: a temporary one, kept if the run fails)")
	flags.StringVar(&f.example, "example", "", "run only the example with this name; - for none")
	flags.StringArrayVar(&f.set, "set", nil, "job_args.NAME=JSON or environ_vars.NAME=TEXT, for this run")
	flags.DurationVar(&f.timeout, "timeout", 0, "bound of each script (default 5m)")
	flags.IntVarP(&f.jobs, "jobs", "j", 0, "scripts at the same time (default: one for each CPU)")
	flags.IntVar(&f.repeat, "repeat", 1, "run so many times")
	flags.BoolVar(&f.failFast, "fail-fast", false, "start nothing more once one has failed")
	flags.StringVar(&f.keep, "keep", "", "keep the outputs in this directory")
	flags.BoolVar(&f.warm, "warm", false, "fork an interpreter that is kept warm")
	flags.StringSliceVar(&f.preload, "preload", nil, "modules that the warm interpreter imports")
	_ = cmd.RegisterFlagCompletionFunc("pipeline", a.completePipelines) // the flag is there
	return a.chooses(a.withFormats(cmd, resultFormats), &f.choice)
}

func (a *app) run(cmd *cobra.Command, f *runFlags, words []string) error {
	st, err := a.store()
	if err != nil {
		return err
	}
	defer st.Close()
	timeout, err := a.timeout(f.timeout)
	if err != nil {
		return err
	}
	tester := &scriptspec.RuntimeTester{
		Python: a.python, Base: st.Base(), Timeout: timeout, Parallelism: f.jobs, Warm: f.warm || len(f.preload) > 0, Preload: f.preload,
	}
	defer tester.Close() //nolint:errcheck // the interpreters that it kept end with the program
	if f.pipeline != "" {
		if all := slices.Concat(words, f.choice.selects, f.choice.excludes, f.set); len(all) > 0 || f.example != "" {
			return usage("--pipeline runs nodes, by --from, --to and --only, and takes no specs, examples or --set")
		}
		return a.runPipeline(cmd, f, st, tester)
	}
	if len(f.from)+len(f.to)+len(f.only) > 0 || f.work != "" {
		return usage("--from, --to, --only and --work are of a pipeline; name it with --pipeline")
	}
	sel, err := f.choice.selector(words)
	if err != nil {
		return err
	}
	change, err := setter(f.set)
	if err != nil {
		return err
	}
	p := newProgress(a)
	o := &scriptspec.SuiteOptions{Select: sel, Example: f.example, OutputDir: f.keep, FailFast: f.failFast, Change: change, Progress: p.spec}
	r, err := tester.TestStore(cmd.Context(), st, o)
	p.close()
	if r == nil {
		return err
	}
	if len(r.Specs) == 0 {
		return f.choice.none("there is nothing to run")
	}
	if writeErr := a.write(resultForms(r)); writeErr != nil {
		return writeErr
	}
	if err != nil {
		return &exit{exitInterrupted, err}
	}
	a.explainAll(r)
	if !r.Success {
		return failed
	}
	return nil
}

// again returns the call that runs something once more.
func (a *app) again(words ...string) string {
	call := []string{"scriptspec"}
	if a.dir != "" {
		call = append(call, "-C", quoted(a.dir))
	}
	if a.python != "" && a.python != a.settings.Python {
		call = append(call, "--python", quoted(a.python))
	}
	for _, word := range words {
		call = append(call, quoted(word))
	}
	return strings.Join(call, " ")
}

// quoted makes a word one that a shell reads as it is.
func quoted(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-./:=,+@%", r)
	}
	if word != "" && !strings.ContainsFunc(word, func(r rune) bool { return !plain(r) }) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// explainAll shows what has failed of a store.
func (a *app) explainAll(r *scriptspec.StoreTestResult) {
	if a.quiet {
		return
	}
	for _, s := range r.Specs {
		switch {
		case s.Result == nil || s.Expect == "" && s.Result.Success || s.Expect != "" && s.Result.Outcome == s.Expect:
			continue
		}
		name, example, isExample := strings.Cut(s.Name, "/")
		words := []string{"run", name}
		if isExample {
			words = append(words, "--example", example)
		}
		a.explain(s.Name, s.Result, a.again(words...))
	}
}

func (a *app) runPipeline(cmd *cobra.Command, f *runFlags, st *scriptspec.Store, tester *scriptspec.RuntimeTester) error {
	p, err := loadPipeline(st, f.pipeline)
	if err != nil {
		return err
	}
	shown := newProgress(a)
	o := p.Options
	o.WorkDir, o.From, o.To, o.Progress = f.work, f.from, f.to, shown.node
	if len(f.only) > 0 {
		o.Only = f.only
	}
	if f.timeout > 0 {
		o.Timeout = f.timeout
	}
	if f.jobs > 0 {
		o.Parallelism = f.jobs
	}
	o.FailFast = o.FailFast || f.failFast
	r, err := tester.TestPipeline(cmd.Context(), p, &o)
	shown.close()
	if r == nil {
		return err
	}
	if writeErr := a.write(resultForms(r)); writeErr != nil {
		return writeErr
	}
	switch {
	case err != nil:
		return &exit{exitInterrupted, err}
	case !r.Success:
		if !a.quiet {
			for _, n := range r.Nodes {
				if n.Result != nil && !n.Result.Success {
					a.explain(n.Node, n.Result, a.again("run", "--pipeline", f.pipeline, "--from", n.Node, "--work", r.WorkDir))
				}
			}
			fmt.Fprintf(a.err, "\nwhat the scripts made is in %s\n", r.WorkDir)
		}
		return failed
	case f.work == "":
		return os.RemoveAll(r.WorkDir)
	}
	return nil
}

// loadPipeline is LoadPipeline. A name that no pipeline has is a choice of nothing.
func loadPipeline(st *scriptspec.Store, name string) (*scriptspec.PipelineTestingSpec, error) {
	p, err := st.LoadPipeline(name)
	if errors.Is(err, fs.ErrNotExist) {
		if names, listErr := st.Pipelines(); listErr == nil && !slices.Contains(names, name) {
			return nil, &exit{exitNone, err}
		}
	}
	return p, err
}

// setter returns what --set does to a spec.
func setter(sets []string) (func(s *scriptspec.ScriptExecutionSpec) error, error) {
	type change struct {
		environ bool
		name    string
		text    string
		value   any
	}
	var changes []change
	for _, set := range sets {
		place, text, ok := strings.Cut(set, "=")
		member, name, named := strings.Cut(place, ".")
		if !ok || !named || name == "" {
			return nil, usage("--set %s: want job_args.NAME=JSON or environ_vars.NAME=TEXT", place)
		}
		c := change{name: name, text: text}
		switch member {
		case "environ_vars":
			c.environ = true
		case "job_args":
			var args scriptspec.JobArgs
			if err := args.UnmarshalJSON([]byte(`{"v": ` + text + `}`)); err != nil {
				return nil, usage("--set %s: the value is no JSON; write texts in quotes", place)
			}
			c.value = args["v"]
		default:
			return nil, usage("--set %s: only job_args and environ_vars can be set", place)
		}
		changes = append(changes, c)
	}
	return func(s *scriptspec.ScriptExecutionSpec) error {
		for _, c := range changes {
			if c.environ {
				s.AddEnvironVar(c.name, c.text)
			} else {
				s.AddJobArg(c.name, c.value)
			}
		}
		return nil
	}, nil
}
