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

// noExamples is what --example takes for the specs alone.
const noExamples = "-"

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
	historyFlags
	engine string
	sbatch []string
}

func (a *app) runCommand() *cobra.Command {
	f := &runFlags{}
	cmd := &cobra.Command{
		Use: "run [SPEC]...", Short: "Run specs, their examples, or a pipeline",
		Example: "  scriptspec run tag:nightly\n  scriptspec run --pipeline churn --from Train_training --work work --format text --format html=page.html",
		RunE: func(cmd *cobra.Command, words []string) error {
			switch {
			case f.repeat < 1:
				return usage("--repeat must be at least 1")
			case f.jobs < 0:
				return usage("--jobs must not be negative")
			case f.pipeline == "" && cmd.Flags().Changed("pipeline"):
				return usage("--pipeline needs a name")
			}
			if err := f.check(); err != nil {
				return err
			}
			return a.run(cmd, f, words)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.pipeline, "pipeline", "", "run this pipeline instead of specs")
	flags.StringSliceVar(&f.from, "from", nil, "start at these nodes of the pipeline, using earlier results in --work")
	flags.StringSliceVar(&f.to, "to", nil, "stop after these nodes of the pipeline")
	flags.StringSliceVar(&f.only, "only", nil, "run exactly these nodes of the pipeline, using earlier results in --work")
	flags.StringVar(&f.work, "work", "", "work directory of the pipeline (default: a temporary one, kept if the run fails)")
	flags.StringVar(&f.example, "example", "", "run only the example with this name; - runs no examples")
	flags.StringArrayVar(&f.set, "set", nil, "set job_args.NAME=JSON or environ_vars.NAME=TEXT for this run; may be repeated")
	flags.DurationVar(&f.timeout, "timeout", 0, "time limit of each script (default 5m)")
	flags.IntVarP(&f.jobs, "jobs", "j", 0, "number of scripts to run at once (default: the number of CPUs, or 100 on Slurm)")
	flags.IntVar(&f.repeat, "repeat", 1, "run the specs this many times; run a pipeline until it fails, at most this many times")
	flags.BoolVar(&f.failFast, "fail-fast", false, "start no more scripts after a failure; in a pipeline, also stop those that are running")
	flags.BoolVar(&f.withoutPipelines, "without-pipelines", false, "leave out specs that a pipeline of the store connects")
	flags.StringSliceVar(&f.programs, "command-line", nil, "run these scripts as programs that take their job arguments as flags")
	flags.StringVar(&f.keep, "keep", "", "keep the outputs in this directory")
	flags.BoolVar(&f.warm, "warm", false, "fork scripts from an interpreter that is kept running (not on Windows)")
	flags.StringSliceVar(&f.preload, "preload", nil, "import these modules before forking; implies --warm")
	flags.StringVar(&f.engine, "engine", "", "run scripts as jobs of an engine: slurm (default: on this machine)")
	flags.StringArrayVar(&f.sbatch, "sbatch", nil, "pass an argument to sbatch for each job: --sbatch=--partition=gpu; may be repeated")
	f.add(cmd)
	_ = cmd.RegisterFlagCompletionFunc("engine", cobra.FixedCompletions([]string{"slurm"}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("pipeline", a.completePipelines) // the flag exists
	return a.chooses(a.withFormats(cmd, resultFormats), &f.choice)
}

func (a *app) run(cmd *cobra.Command, f *runFlags, words []string) error {
	st, err := a.store(words...)
	if err != nil {
		return err
	}
	defer st.Close()
	if err := f.checkNames(st); err != nil {
		return err
	}
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
	f.begin(st, tester)
	defer f.end(a, st, tester)
	if f.pipeline != "" {
		if all := slices.Concat(words, f.choice.selects, f.choice.excludes, f.set); len(all) > 0 || f.example != "" || f.keep != "" || f.withoutPipelines {
			return usage("--pipeline does not go with specs, --example, --set, --keep or --without-pipelines; use --from, --to, --only and --work")
		}
		if f.shard != "" || f.lastFailed || f.failedFirst {
			return usage("--shard, --last-failed and --failed-first are of specs, and not of a pipeline")
		}
		if (len(f.from) > 0 || len(f.only) > 0) && f.work == "" {
			return usage("--from and --only use the results of an earlier run; pass its directory with --work")
		}
		return a.runPipeline(cmd, f, st, tester)
	}
	if len(f.from)+len(f.to)+len(f.only) > 0 || f.work != "" {
		return usage("--from, --to, --only and --work need --pipeline")
	}
	sel, err := f.choice.selector(words)
	if err != nil {
		return err
	}
	sets, err := settingsOf(f.set)
	if err != nil {
		return err
	}
	if err := a.checkSets(cmd.Context(), st, sel, sets); err != nil {
		return err
	}
	o := &scriptspec.SuiteOptions{Select: sel, Example: f.example, OutputDir: f.keep, FailFast: f.failFast, Repeat: f.repeat, Change: sets.apply, WithoutPipelines: f.withoutPipelines}
	if err := f.suite(o); err != nil {
		return err
	}
	var all *scriptspec.StoreTestResult
	streamErr := a.follow(tester, func() {
		all, err = tester.TestStore(cmd.Context(), st, o)
	})
	switch {
	case isNone(err):
		return f.choice.none(a, err)
	case all == nil:
		return errors.Join(err, streamErr)
	case len(all.Specs) == 0 && all.Shard == nil && f.withoutPipelines && f.example == "":
		return f.choice.none(a, errors.New("nothing to run: pipelines connect all the selected specs; run them with --pipeline, or without --without-pipelines; with --pass-with-none this is no failure"))
	case len(all.Specs) == 0 && all.Shard == nil:
		return f.choice.none(a, errors.New("nothing to run"))
	case streamErr != nil:
		return streamErr
	}
	if writeErr := a.write(f.forms(a, st, all)); writeErr != nil {
		return writeErr
	}
	if err != nil {
		return err
	}
	a.explainAll(cmd, f, sets, st, all)
	if !all.Success && !a.quiet {
		a.suggestPipeline(slices.Concat(words, f.choice.selects))
	}
	f.showSlowest(a, all)
	f.showShard(a, all)
	if f.isNo(a, all) || !all.Success {
		return failed
	}
	return nil
}

// slurm returns the engine, nil for none.
func (f *runFlags) slurm() (*scriptspec.Slurm, error) {
	switch f.engine {
	case "":
		if len(f.sbatch) > 0 {
			return nil, usage("--sbatch needs --engine slurm")
		}
		return nil, nil
	case "slurm":
		self, err := os.Executable()
		return &scriptspec.Slurm{Args: f.sbatch, Helper: []string{self, "node"}}, err
	}
	return nil, usage("unknown engine %q; want slurm", f.engine)
}

// explainAll explains each failure of a store.
func (a *app) explainAll(cmd *cobra.Command, f *runFlags, sets settingList, st *scriptspec.Store, r *scriptspec.StoreTestResult) {
	if a.quiet {
		return
	}
	in := surroundings{feeds: feedsIn(st), hidden: sets.hidden()}
	for _, s := range r.Specs {
		if s.Result == nil || s.Expect == "" && s.Result.Success || s.Expect != "" && s.Result.Outcome == s.Expect {
			continue
		}
		name := specOf(s)
		words := []string{"run", name}
		hasExamples := func(other scriptspec.SpecTestResult) bool { return other.Example != "" && specOf(other) == name }
		switch {
		case s.Example != "":
			words = append(words, "--example", s.Example)
		case f.example != "" || slices.ContainsFunc(r.Specs, hasExamples): // which are no part of this run
			words = append(words, "--example", noExamples)
		}
		in.expect = s.Expect
		a.explain(inRound(s.Name, s.Round), s.Result, a.rerun(cmd, sets, words...), in)
	}
}

// specOf returns the name of the spec of a run, which may be an example of it.
func specOf(s scriptspec.SpecTestResult) string { return strings.TrimSuffix(s.Name, "/"+s.Example) }

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
		return errors.Join(withData(err), streamErr)
	}
	if writeErr := a.write(f.forms(a, st, r)); writeErr != nil {
		return writeErr
	}
	if (err != nil || !r.Success) && !a.quiet {
		defer func() { fmt.Fprintf(a.err, "\noutputs are kept in %s\n", r.WorkDir) }()
	}
	switch {
	case err != nil:
		return err
	case !r.Success:
		if !a.quiet {
			words := []string{"run", "--pipeline", f.pipeline, "--work", r.WorkDir}
			for _, to := range f.to {
				words = append(words, "--to", to)
			}
			part := "--from"
			if len(f.only) > 0 {
				part = "--only"
			}
			in := surroundings{pipeline: f.pipeline, feeds: func(r *scriptspec.ScriptTestResult) []feed { return feedsOf(p, r) }}
			for _, n := range r.Nodes {
				if n.Result != nil && !n.Result.Success {
					a.explain(n.Node, n.Result, a.rerun(cmd, nil, slices.Concat(words, []string{part, n.Node})...), in)
				}
			}
		}
		f.showSlowest(a, r)
		return failed
	}
	f.showSlowest(a, r)
	no := f.isNo(a, r)
	if f.work == "" {
		if err := os.RemoveAll(r.WorkDir); err != nil {
			return err
		}
	}
	if no {
		return failed
	}
	return nil
}

// loadPipeline is LoadPipeline. A name that no pipeline has selects nothing.
func loadPipeline(st *scriptspec.Store, name string) (*scriptspec.PipelineTestingSpec, error) {
	p, err := st.LoadPipeline(name)
	if errors.Is(err, fs.ErrNotExist) {
		if names, listErr := st.Pipelines(); listErr == nil && !slices.Contains(names, name) {
			return nil, &exit{exitNone, fmt.Errorf("there is no pipeline %s%s", harmless(name), meant(name, names))}
		}
	}
	return p, err
}
