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
	failFast, warm, shared  bool
	withoutPipelines        bool
	programs                []string
	choice                  choice
	keep                    string
	preload                 []string
	engine                  string
	sbatch                  []string
}

func (a *app) runCommand() *cobra.Command {
	f := &runFlags{}
	cmd := &cobra.Command{
		Use: "run [SPEC]...", Short: "Run specs, their examples, or a pipeline",
		Example: "  scriptspec run tag:nightly\n  scriptspec run --pipeline churn --from Train_training --work work --format text --format html=page.html",
		RunE: func(cmd *cobra.Command, words []string) error {
			switch {
			case f.repeat < 1:
				return usage("--repeat is at least 1")
			case f.jobs < 0:
				return usage("--jobs is negative")
			case f.pipeline == "" && cmd.Flags().Changed("pipeline"):
				return usage("--pipeline names no pipeline")
			}
			return a.run(cmd, f, words)
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
	flags.BoolVar(&f.withoutPipelines, "without-pipelines", false, "leave out the specs that a pipeline of the store feeds, or is fed by")
	flags.StringSliceVar(&f.programs, "command-line", nil, "scripts that are programs, and get their job arguments as flags")
	flags.StringVar(&f.keep, "keep", "", "keep the outputs in this directory")
	flags.BoolVar(&f.warm, "warm", false, "fork an interpreter that is kept warm")
	flags.StringSliceVar(&f.preload, "preload", nil, "modules that the warm interpreter imports")
	flags.StringVar(&f.engine, "engine", "", "run scripts as jobs of an engine: slurm (default: here)")
	flags.StringArrayVar(&f.sbatch, "sbatch", nil, "argument of sbatch for each job, as --sbatch=--partition=gpu; may be given several times")
	_ = cmd.RegisterFlagCompletionFunc("engine", cobra.FixedCompletions([]string{"slurm"}, cobra.ShellCompDirectiveNoFileComp))
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
		CommandLine: slices.Concat(a.settings.CommandLine, f.programs),
	}
	if tester.Engine, err = f.slurm(); err != nil {
		return err
	}
	defer tester.Close() //nolint:errcheck // the interpreters that it kept end with the program
	if f.pipeline != "" {
		if all := slices.Concat(words, f.choice.selects, f.choice.excludes, f.set); len(all) > 0 || f.example != "" || f.keep != "" || f.withoutPipelines {
			return usage("--pipeline runs nodes, by --from, --to and --only, keeps all in --work, and takes no specs, examples, --set or --keep")
		}
		if (len(f.from) > 0 || len(f.only) > 0) && f.work == "" {
			return usage("--from and --only go on with the results of an earlier run; name its directory with --work")
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
	o := &scriptspec.SuiteOptions{Select: sel, Example: f.example, OutputDir: f.keep, FailFast: f.failFast, Change: change, WithoutPipelines: f.withoutPipelines}
	var all *scriptspec.StoreTestResult
	streamErr := a.follow(tester, func() {
		for round := range f.repeat {
			var r *scriptspec.StoreTestResult
			if r, err = tester.TestStore(cmd.Context(), st, o); r == nil {
				return
			}
			all = together(all, r, round)
			if err != nil || f.failFast && !r.Success {
				return
			}
		}
	})
	switch {
	case isNone(err):
		return f.choice.none(err)
	case all == nil:
		return errors.Join(err, streamErr)
	case len(all.Specs) == 0:
		return f.choice.none(errors.New("there is nothing to run"))
	case streamErr != nil:
		return streamErr
	}
	if writeErr := a.write(resultForms(all)); writeErr != nil {
		return writeErr
	}
	if err != nil {
		return &exit{exitInterrupted, err}
	}
	a.explainAll(all)
	if !all.Success {
		return failed
	}
	return nil
}

// slurm returns the engine, nil for none.
func (f *runFlags) slurm() (*scriptspec.Slurm, error) {
	switch f.engine {
	case "":
		if len(f.sbatch) > 0 {
			return nil, usage("--sbatch is of --engine slurm")
		}
		return nil, nil
	case "slurm":
		self, err := os.Executable()
		return &scriptspec.Slurm{Args: f.sbatch, Helper: []string{self, "node"}}, err
	}
	return nil, usage("--engine %s: there is slurm", f.engine)
}

// together adds what came of another round to a result.
func together(all, r *scriptspec.StoreTestResult, round int) *scriptspec.StoreTestResult {
	if all == nil {
		return r
	}
	for _, s := range r.Specs {
		s.Name += fmt.Sprintf("#%d", round+1)
		all.Specs = append(all.Specs, s)
	}
	all.Duration += r.Duration
	all.Success = all.Success && r.Success
	return all
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
		if s.Result == nil || s.Expect == "" && s.Result.Success || s.Expect != "" && s.Result.Outcome == s.Expect {
			continue
		}
		name, _, _ := strings.Cut(s.Name, "#")
		name, example, isExample := strings.Cut(name, "/")
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
	o := p.Options
	o.WorkDir, o.From, o.To = f.work, f.from, f.to
	if len(f.only) > 0 {
		o.Only = f.only
	}
	if f.timeout > 0 {
		o.Timeout = f.timeout
	}
	if f.jobs > 0 {
		o.Parallelism = f.jobs
	}
	o.FailFast, o.Shared = o.FailFast || f.failFast, f.shared
	var r *scriptspec.PipelineTestResult
	streamErr := a.follow(tester, func() {
		for range f.repeat { // what is written is the first round that has failed, or the last
			if r != nil && f.work == "" {
				_ = os.RemoveAll(r.WorkDir) // it has passed
			}
			if r, err = tester.TestPipeline(cmd.Context(), p, &o); err != nil || !r.Success {
				return
			}
		}
	})
	if r == nil || streamErr != nil {
		return errors.Join(err, streamErr)
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
