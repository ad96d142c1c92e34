package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/scriptspec/scriptspec"
	"github.com/spf13/cobra"
)

// historyFlags are the flags of run that are about runs before and after this one.
type historyFlags struct {
	durations, retries      int
	lastFailed, failedFirst bool
	shard                   string
	failOn                  []string
	noHistory               bool
}

// What --fail-on takes.
const (
	failFlaky  = "flaky"
	failBudget = "budget"
)

func (f *historyFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.IntVar(&f.durations, "durations", 0, "show this many of the slowest scripts, with their usual durations")
	flags.IntVar(&f.retries, "retries", 0, "run a script again, at most this many times, if its failure may be a fluke; a spec may allow more (limit 5)")
	flags.BoolVar(&f.lastFailed, "last-failed", false, "skip what passed in its last run, unless everything did; with --shard, skip it even then")
	flags.BoolVar(&f.failedFirst, "failed-first", false, "start with what failed in its last run")
	flags.StringVar(&f.shard, "shard", "", "run only one part of the suite, such as 1/3; all parts take about the same time")
	flags.StringSliceVar(&f.failOn, "fail-on", nil, "also exit with 1 for flaky scripts (flaky) or exceeded budgets (budget)")
	flags.BoolVar(&f.noHistory, "no-history", false, "do not record this run in the history")
	_ = cmd.RegisterFlagCompletionFunc("fail-on", cobra.FixedCompletions([]string{failFlaky, failBudget}, cobra.ShellCompDirectiveNoFileComp)) // the flag is there
}

func (f *historyFlags) check() error {
	switch {
	case f.durations < 0:
		return usage("--durations must not be negative")
	case f.retries < 0:
		return usage("--retries must not be negative")
	}
	for _, word := range f.failOn {
		if word != failFlaky && word != failBudget {
			return usage("unknown --fail-on %q; want budget or flaky", word)
		}
	}
	return nil
}

// suite has the options of a suite say what the flags do.
func (f *historyFlags) suite(o *scriptspec.SuiteOptions) error {
	o.LastFailed, o.FailedFirst = f.lastFailed, f.failedFirst
	if f.shard == "" {
		return nil
	}
	var err error
	if o.Shard, err = scriptspec.ParseShard(f.shard); err != nil {
		return usage("--shard %s: want which part of how many, such as 1/3", harmless(f.shard))
	}
	return nil
}

// begin prepares a tester.
func (f *historyFlags) begin(st *scriptspec.Store, tester *scriptspec.RuntimeTester) {
	tester.Retries = f.retries
	if !f.noHistory {
		tester.History = st.History()
	}
}

// forms are those of a result, of which the metrics have also what is on record.
func (f *historyFlags) forms(a *app, st *scriptspec.Store, r scriptspec.Result) map[string]func(io.Writer) error {
	forms := a.resultForms(r)
	forms[formatPrometheus] = func(w io.Writer) error {
		if err := r.WritePrometheus(w); err != nil {
			return err
		}
		return st.History().WritePrometheus(w)
	}
	return forms
}

// end says what became of the history, and drops what is old.
func (f *historyFlags) end(a *app, st *scriptspec.Store, tester *scriptspec.RuntimeTester) {
	if tester.History == nil {
		return
	}
	if err := tester.History.Err(); err != nil {
		fmt.Fprintln(a.err, "history not written: "+err.Error())
		return
	}
	freed, err := st.History().Prune(context.Background(), scriptspec.HistoryLimits{Age: keepDays * 24 * time.Hour, Bytes: keepBytes})
	switch {
	case err != nil:
		fmt.Fprintln(a.err, "history not pruned: "+err.Error())
	case freed > 0 && !a.quiet:
		fmt.Fprintf(a.err, "history: deleted %s of records older than %d days or beyond %d MiB\n", shownBytes(freed), keepDays, keepBytes>>20)
	}
}

// ran is a run that has ended, under the name that its result has.
type ran struct {
	name   string
	result *scriptspec.ScriptTestResult
}

func ranOf(r scriptspec.Result) []ran {
	var all []ran
	switch r := r.(type) {
	case *scriptspec.StoreTestResult:
		for _, s := range r.Specs {
			all = append(all, ran{inRound(s.Name, s.Round), s.Result})
		}
	case *scriptspec.PipelineTestResult:
		for _, n := range r.Nodes {
			all = append(all, ran{n.Node, n.Result})
		}
	}
	return slices.DeleteFunc(all, func(r ran) bool { return r.result == nil || r.result.ExecutionTime == 0 }) // never started
}

// showSlowest shows what took longest, beside what it usually takes.
func (f *historyFlags) showSlowest(a *app, r scriptspec.Result) {
	all := ranOf(r)
	if f.durations == 0 || len(all) == 0 {
		return
	}
	slices.SortStableFunc(all, func(x, y ran) int { return int(max(min(y.result.ExecutionTime-x.result.ExecutionTime, 1), -1)) })
	all = all[:min(len(all), f.durations)]
	fmt.Fprintln(a.err, "\nslowest:")
	t := tabwriter.NewWriter(a.err, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, one := range all {
		took, text := one.result.ExecutionTime, harmless(one.name)
		if !f.noHistory {
			text += "  " + one.result.Past.Comparable.Compare(took)
		}
		fmt.Fprintf(t, "%s\t  %s\n", shownTime(took), text)
	}
	t.Flush() //nolint:errcheck // what stderr does not take is lost
}

// showShard says which part of a suite was run. Shards with the same plan have each run once between them.
func (f *historyFlags) showShard(a *app, r *scriptspec.StoreTestResult) {
	switch s := r.Shard; {
	case s == nil:
	case s.Runs == 0 && f.lastFailed:
		fmt.Fprintf(a.err, "nothing of shard %s failed when it was last run (plan %s)\n", s.Shard, s.Plan)
	case s.Runs == 0:
		fmt.Fprintf(a.err, "shard %s has nothing to run: there are %s in all (plan %s)\n", s.Shard, plural(s.All, "run"), s.Plan)
	case !a.quiet:
		fmt.Fprintf(a.err, "shard %s: %d of %s (plan %s)\n", s.Shard, s.Runs, plural(s.All, "run"), s.Plan)
	}
}

// isNo reports whether the flags make a no of what would be a yes, and says why.
func (f *historyFlags) isNo(a *app, r scriptspec.Result) bool {
	no := false
	for _, one := range ranOf(r) {
		if one.result.Flaky && slices.Contains(f.failOn, failFlaky) {
			no = true
			fmt.Fprintf(a.err, "flaky: %s passed on attempt %d\n", harmless(one.name), len(one.result.Attempts))
		}
		if over := one.result.OverBudget(); len(over) > 0 && slices.Contains(f.failOn, failBudget) {
			no = true
			for _, excess := range over {
				fmt.Fprintf(a.err, "over budget: %s: %s\n", harmless(one.name), excess)
			}
		}
	}
	return no
}
