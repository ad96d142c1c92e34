package cli

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/scriptspec/scriptspec"
	"github.com/spf13/cobra"
)

var (
	historyFormats = []string{"text", "json", "jsonl", "csv"}
	statsFormats   = []string{"text", "json", "markdown", "html"}
)

// What the command keeps of a history, unless told otherwise.
const (
	keepDays  = 180
	keepBytes = 64 << 20
)

// runsBefore is how many records before those that are shown are looked at for the first run of their sessions.
const runsBefore = 1000

func (a *app) historyCommand() *cobra.Command {
	var since string
	var runs int
	c := &choice{}
	cmd := &cobra.Command{
		Use: "history [SPEC]...", Short: "Show the records of earlier runs",
		Long: `Show the records of earlier runs, one line per attempt, newest last. Of several runs of a spec in one session, as with
run --repeat, the first is marked "first": it started cold, and is not compared with the others.`,
		Example: "  scriptspec history Prep_training --since 30d\n  scriptspec history --format csv=runs.csv --runs 0\n  scriptspec history prune --keep 90d",
		RunE: a.inStore(func(cmd *cobra.Command, st *scriptspec.Store, words []string) error {
			if runs < 0 {
				return usage("--runs must not be negative")
			}
			f := &scriptspec.HistoryFilter{}
			var err, broken error
			if f.Since, err = pastTime(since, "--since"); err != nil {
				return err
			}
			if len(words)+len(c.selects)+len(c.excludes) > 0 {
				var specs []scriptspec.Spec
				if specs, broken = c.chosen(cmd.Context(), a, st, words); specs == nil {
					return broken
				}
				for _, s := range specs {
					f.Steps = append(f.Steps, s.Basic().StepName)
				}
			}
			if runs > 0 {
				f.Last = runs + runsBefore
			}
			all := a.recordsOf(st, f)
			cold := scriptspec.ColdRuns(all)
			if n := len(all) - runs; runs > 0 && n > 0 {
				all, cold = all[n:], cold[n:]
			}
			err = a.write(map[string]func(io.Writer) error{
				"text":  func(w io.Writer) error { return writeRecords(w, all, cold) },
				"json":  func(w io.Writer) error { return writeJSON(w, all) },
				"jsonl": func(w io.Writer) error { return writeLines(w, all) },
				"csv":   func(w io.Writer) error { return writeCSV(w, all) },
			})
			return cmp.Or(err, broken)
		}),
	}
	cmd.Flags().StringVar(&since, "since", "", "leave out what is older: 30d, 12h, or a date")
	cmd.Flags().IntVar(&runs, "runs", 20, "number of records to show, the newest ones; 0 shows all")
	cmd = a.chooses(a.withFormats(cmd, historyFormats), c)
	cmd.AddCommand(a.withFormats(a.pruneCommand(), nil))
	return cmd
}

func (a *app) pruneCommand() *cobra.Command {
	var keep string
	cmd := &cobra.Command{
		Use: "prune", Short: "Delete old records, a month at a time", Args: takes(cobra.NoArgs),
		RunE: a.inStore(func(cmd *cobra.Command, st *scriptspec.Store, _ []string) error {
			if keep == "" {
				return usage("--keep needs a time: 90d, or a date")
			}
			from, err := pastTime(keep, "--keep")
			if err != nil {
				return err
			}
			freed, err := st.History().Prune(cmd.Context(), scriptspec.HistoryLimits{Age: time.Since(from)})
			if err == nil && !a.quiet {
				fmt.Fprintf(a.err, "deleted %s of old records\n", shownBytes(freed))
			}
			return err
		}),
	}
	cmd.Flags().StringVar(&keep, "keep", fmt.Sprintf("%dd", keepDays), "keep what is not older than this: 90d, or a date")
	return cmd
}

// recordsOf returns the records of a history; what cannot be read is noted.
func (a *app) recordsOf(st *scriptspec.Store, f *scriptspec.HistoryFilter) []scriptspec.Record {
	all := []scriptspec.Record{}
	for r, err := range st.History().Records(f) {
		if err != nil {
			fmt.Fprintln(a.err, "scriptspec: "+err.Error())
			continue
		}
		all = append(all, r)
	}
	return all
}

func writeRecords(w io.Writer, all []scriptspec.Record, cold []bool) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "TIME\tSTEP\tOUTCOME\tDURATION\tMEMORY\tCOMMIT\tNOTES")
	for i, r := range all {
		var notes []string
		note := func(yes bool, text string) {
			if yes {
				notes = append(notes, text)
			}
		}
		note(cold[i], "first")
		note(r.Warm, "warm")
		note(r.Attempt > 1, fmt.Sprintf("attempt %d", r.Attempt))
		note(r.Shard != "", "shard "+r.Shard)
		note(r.Pipeline != "", "pipeline "+r.Pipeline)
		note(r.CI, "ci")
		note(r.Expect != "" && r.Passed(), "as expected")
		note(r.Expect != "" && !r.Passed(), "expected "+string(r.Expect))
		note(r.ErrorType != "" || r.ErrorAt != "", strings.TrimSpace(r.ErrorType+" "+r.ErrorAt))
		memory := "-" // where the system does not tell
		if r.PeakMemory > 0 {
			memory = shownBytes(r.PeakMemory)
		}
		commit := r.Commit[:min(len(r.Commit), 10)]
		if r.Dirty != nil && *r.Dirty {
			commit += "+"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.At.Local().Format(time.DateTime), harmless(nameOf(r)), harmless(string(r.Outcome)),
			shownTime(r.Duration), memory, orDash(harmless(commit)), orDash(harmless(strings.Join(notes, ", "))))
	}
	return t.Flush()
}

func nameOf(r scriptspec.Record) string {
	if r.Example != "" {
		return r.StepName + "/" + r.Example
	}
	return r.StepName
}

// writeCSV writes what has one value a record. No cell is a formula to a spreadsheet.
func writeCSV(w io.Writer, all []scriptspec.Record) error {
	c := csv.NewWriter(w)
	seconds := func(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) }
	rows := [][]string{{
		"run", "at", "script_name", "step_name", "example", "pipeline", "attempt", "shard", "outcome", "expect", "error_type", "error_at", "duration", "user",
		"system", "import_time", "peak_memory", "warm", "output_files", "output_bytes", "spec_digest", "script_digest", "input_digest", "input_bytes", "python",
		"platform", "ci", "commit", "dirty", "session",
	}}
	for _, r := range all {
		files, bytes, dirty := 0, int64(0), ""
		for _, o := range r.Outputs {
			files, bytes = files+o.Files, bytes+o.Bytes
		}
		if r.Dirty != nil {
			dirty = strconv.FormatBool(*r.Dirty)
		}
		row := []string{
			r.Run, r.At.String(), r.ScriptName, r.StepName, r.Example, r.Pipeline, strconv.Itoa(r.Attempt), r.Shard, string(r.Outcome), string(r.Expect),
			r.ErrorType, r.ErrorAt, seconds(r.Duration), seconds(r.User), seconds(r.System), seconds(r.ImportTime), strconv.FormatInt(r.PeakMemory, 10),
			strconv.FormatBool(r.Warm), strconv.Itoa(files), strconv.FormatInt(bytes, 10), r.SpecDigest, r.ScriptDigest, r.InputDigest,
			strconv.FormatInt(r.InputBytes, 10), r.Python, r.Platform, strconv.FormatBool(r.CI), r.Commit, dirty, r.Session,
		}
		for i, cell := range row {
			if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
				row[i] = "'" + cell
			}
		}
		rows = append(rows, row)
	}
	return c.WriteAll(rows)
}

// pastTime is timeOf for what has been.
func pastTime(text, flag string) (time.Time, error) {
	t, err := timeOf(text, flag)
	if err == nil && t.After(time.Now()) {
		err = usage("%s %s is in the future", flag, text)
	}
	return t, err
}

// timeOf reads how long ago something was, or a date; "" is the zero time.
func timeOf(text, flag string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return t, nil
		}
	}
	for unit, day := range map[string]int{"d": 1, "w": 7} {
		digits, ok := strings.CutSuffix(text, unit)
		if n, err := strconv.Atoi(digits); ok && err == nil && n >= 0 && n < 100_000 {
			return time.Now().AddDate(0, 0, -n*day), nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return time.Now().Add(-d), nil
	}
	return time.Time{}, usage("%s %s: want something like 30d, 2w, 12h or 2026-11-28", flag, text)
}

func (a *app) statsCommand() *cobra.Command {
	var since string
	var suggest, all bool
	c := &choice{}
	cmd := &cobra.Command{
		Use: "stats [SPEC]...", Short: "Show statistics of earlier runs, and what they suggest to improve",
		Example: "  scriptspec stats --since 30d\n  scriptspec stats --suggest --format markdown=summary",
		RunE: a.inStore(func(cmd *cobra.Command, st *scriptspec.Store, words []string) error {
			o := &scriptspec.StatsOptions{All: all}
			var err error
			if o.Since, err = pastTime(since, "--since"); err != nil {
				return err
			}
			if o.Select, err = c.selector(words); err != nil {
				return err
			}
			if len(words)+len(c.selects)+len(c.excludes) == 0 {
				o.Select = nil // also what was recorded of specs that are gone
			}
			s, err := st.Stats(cmd.Context(), o)
			if isNone(err) {
				return c.none(a, err)
			}
			if err != nil {
				return err
			}
			shown := *s
			if n := len(s.Suggestions) + s.MoreSuggestions; suggest {
				shown.Steps, shown.Pipelines = nil, nil
				if n == 0 && !a.quiet {
					fmt.Fprintln(a.err, "there is nothing to suggest")
				}
			} else {
				shown.Suggestions = nil
				if n > 0 && !a.quiet {
					defer fmt.Fprintf(a.err, "%s: scriptspec stats --suggest\n", plural(n, "suggestion"))
				}
			}
			return a.write(map[string]func(io.Writer) error{
				"text": shown.WriteText, "markdown": shown.WriteMarkdown, "html": shown.WriteHTML,
				"json": func(w io.Writer) error { return writeJSON(w, s) },
			})
		}),
	}
	cmd.Flags().StringVar(&since, "since", "", "leave out what is older: 30d, 12h, or a date")
	cmd.Flags().BoolVar(&suggest, "suggest", false, "show suggestions instead, with the evidence for each")
	cmd.Flags().BoolVar(&all, "all", false, "show all suggestions, not only the ten that save the most")
	return a.chooses(a.withFormats(cmd, statsFormats), c)
}

// trendChanges returns what differs between the runs from a time on, at most 20, and those before, of each step: "7d..", or "2026-11-01..2026-11-20".
func (a *app) trendChanges(cmd *cobra.Command, st *scriptspec.Store, text string) ([]scriptspec.Change, error) {
	first, second, ok := strings.Cut(text, "..")
	if !ok || first == "" {
		return nil, usage("--history %s: want the time from which on runs are new, as 7d.. or 2026-11-01..2026-11-20", text)
	}
	o := &scriptspec.StatsOptions{}
	var err error
	if o.NewFrom, err = pastTime(first, "--history"); err != nil {
		return nil, err
	}
	if o.Until, err = timeOf(second, "--history"); err != nil {
		return nil, err
	}
	if second != "" && !o.NewFrom.Before(o.Until) {
		return nil, usage("--history %s: the first time must be before the second", text)
	}
	s, err := st.Stats(cmd.Context(), o)
	if err != nil {
		return nil, err
	}
	for _, why := range s.Unread {
		fmt.Fprintln(a.err, "scriptspec: "+harmless(why))
	}
	var changes []scriptspec.Change
	few := 0
	for _, step := range s.Steps {
		name := step.Name()
		if step.Duration.Verdict == scriptspec.VerdictTooFew {
			few++
		}
		for _, m := range []struct {
			what  string
			trend scriptspec.Trend
			shown func(float64) string
		}{
			{"duration", step.Duration, func(v float64) string { return shownTime(time.Duration(v * float64(time.Second))) }},
			{"peak_memory", step.Memory, func(v float64) string { return shownBytes(int64(v)) }},
		} {
			if v := m.trend.Verdict; v == scriptspec.VerdictMore || v == scriptspec.VerdictLess {
				changes = append(changes, scriptspec.Change{
					Path: harmless(name) + "." + m.what, Kind: "changed", Old: fmt.Sprintf("%s (median of %d runs)", m.shown(m.trend.Old), m.trend.OldRuns),
					New: fmt.Sprintf("%s (median of %d runs, %s)", m.shown(m.trend.New), m.trend.NewRuns, m.trend),
				})
			}
		}
	}
	slices.SortFunc(changes, func(x, y scriptspec.Change) int { return strings.Compare(x.Path, y.Path) })
	if few > 0 && !a.quiet {
		fmt.Fprintf(a.err, "of %s there are too few runs to compare\n", plural(few, "step"))
	}
	return changes, nil
}
