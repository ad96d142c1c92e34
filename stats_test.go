package scriptspec_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// writeHistory writes records as a history has them, faster than Append does one by one.
func writeHistory(t testing.TB, dir string, all []scriptspec.Record) {
	t.Helper()
	months := map[string]*bytes.Buffer{}
	for _, r := range all {
		month := r.At.UTC().Format("2006-01")
		if months[month] == nil {
			months[month] = &bytes.Buffer{}
		}
		line, err := json.Marshal(r)
		require.NoError(t, err)
		months[month].Write(append(line, '\n'))
	}
	for month, text := range months {
		file := filepath.Join(dir, ".specs", ".history", month+".jsonl")
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
		require.NoError(t, os.WriteFile(file, text.Bytes(), 0o600))
	}
}

// healthy returns n runs of a step, one a day, of which there is nothing to say.
func healthy(step string, n int) []scriptspec.Record {
	all := make([]scriptspec.Record, n)
	for i := range all {
		r := aRecord(step, 24*60*i)
		r.Duration += time.Duration(i%5) * 10 * time.Millisecond
		r.PeakMemory += int64(i%3) << 20
		r.Outputs = map[string]scriptspec.RecordedOutput{"data": {Files: 1, Bytes: 2048, Digest: fmt.Sprintf("%016x", i)}}
		all[i] = r
	}
	return all
}

// saveSteps saves a spec for each step, of which there is nothing to say.
func saveSteps(t testing.TB, st *scriptspec.Store, steps ...string) map[string]*scriptspec.ScriptExecutionSpec {
	t.Helper()
	specs := map[string]*scriptspec.ScriptExecutionSpec{}
	for _, step := range steps {
		s := scriptspec.New(scriptspec.ToSnakeCase(step), step, "/scripts/"+scriptspec.ToSnakeCase(step)+".py")
		s.AddInputPath("data", "/in/"+step)
		s.AddOutputPath("data", "/out/"+step)
		s.Timeout = 8
		specs[step] = s
		require.NoError(t, st.SaveStep(s))
	}
	return specs
}

func statsOf(t testing.TB, st *scriptspec.Store, o *scriptspec.StatsOptions) *scriptspec.Stats {
	t.Helper()
	s, err := st.Stats(t.Context(), o)
	require.NoError(t, err)
	return s
}

func TestStats(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	st := openStore(t, dir, nil)
	empty := statsOf(t, st, nil)
	assert.Empty(t, empty.Steps)
	assert.True(t, empty.Since.IsZero())

	saveSteps(t, st, "Prep_training", "Train", "Never_calibration")
	prep, train := healthy("Prep_training", 30), healthy("Train", 10)
	prep[29].Outcome = scriptspec.OutcomeTimeout
	for i := range train {
		train[i].Duration *= 10
		train[i].Run = fmt.Sprintf("T%d", i)
	}
	writeHistory(t, dir, append(prep, train...))
	h, err := os.OpenFile(historyFile(dir), os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = h.WriteString("{\"v\":1,\"at\"\nwhat\n")
	require.NoError(t, err)
	require.NoError(t, h.Close())

	s := statsOf(t, st, nil)
	assert.Equal(t, 40, s.Records)
	assert.Equal(t, 40, s.Runs)
	assert.Equal(t, 39, s.Passed)
	assert.Equal(t, 2, s.Skipped)
	assert.Equal(t, prep[0].At.UnixMicro(), s.Since.UnixMicro())
	assert.Equal(t, prep[29].At.UnixMicro(), s.Until.UnixMicro())
	assert.Equal(t, []string{"Never_calibration"}, s.NeverRun)
	require.Len(t, s.Steps, 2)
	first, second := s.Steps[0], s.Steps[1]
	assert.Equal(t, "Train", first.StepName, "it took the most time")
	assert.InDelta(t, 1, first.Share+second.Share, 1e-9)
	assert.Equal(t, 30, second.Runs)
	assert.Equal(t, 29, second.Passed)
	assert.Equal(t, map[scriptspec.Outcome]int{scriptspec.OutcomePassed: 29, scriptspec.OutcomeTimeout: 1}, second.Outcomes)
	assert.Equal(t, scriptspec.OutcomeTimeout, second.LastOutcome)
	assert.Equal(t, 20, second.Window)
	assert.Equal(t, 1520*time.Millisecond, second.Median)
	assert.Equal(t, 1500*time.Millisecond, second.Min)
	assert.Equal(t, 1540*time.Millisecond, second.P90)
	assert.Equal(t, 30, second.FlakyRuns)
	assert.InDelta(t, 1./29, second.Flaky, 1e-9)
	assert.Equal(t, scriptspec.VerdictSame, second.Duration.Verdict)
	assert.Equal(t, "~", second.Duration.String())
	assert.Equal(t, scriptspec.VerdictTooFew, first.Duration.Verdict)
	assert.Equal(t, "too few runs (4 of 6)", first.Duration.String())

	sel, err := scriptspec.ParseSelector("Train")
	require.NoError(t, err)
	only := statsOf(t, st, &scriptspec.StatsOptions{Select: sel, Since: train[5].At.Time})
	assert.Equal(t, 5, only.Records)
	assert.Empty(t, only.NeverRun)
	late := statsOf(t, st, &scriptspec.StatsOptions{Since: prep[29].At.Time})
	assert.Len(t, late.Steps, 1)
	assert.Equal(t, []string{"Never_calibration"}, late.NeverRun, "Train was run in an earlier month")
	early := statsOf(t, st, &scriptspec.StatsOptions{Until: prep[0].At.Time})
	assert.Empty(t, early.Steps)
	assert.Equal(t, []string{"Never_calibration"}, early.NeverRun, "all others were run later")
	sel, err = scriptspec.ParseSelector("Tain")
	require.NoError(t, err)
	_, err = st.Stats(t.Context(), &scriptspec.StatsOptions{Select: sel})
	var fe *scriptspec.FieldError
	require.ErrorAs(t, err, &fe)
}

// What is not alike is not compared: other inputs, interpreters, kinds of start, examples, what failed, and the first of several runs in
// a row.
func TestStatsCompareLikeWithLike(t *testing.T) {
	t.Parallel()
	base := healthy("Prep", 30)
	for i := range base {
		base[i].Session = fmt.Sprintf("S%d", i)
	}
	for name, change := range map[string]func(i int, r *scriptspec.Record){
		"inputs":      func(_ int, r *scriptspec.Record) { r.InputDigest = "ffffffffffffffff" },
		"unknown":     func(_ int, r *scriptspec.Record) { r.InputDigest = "" },
		"interpreter": func(_ int, r *scriptspec.Record) { r.Python = "3.9.1" },
		"platform":    func(_ int, r *scriptspec.Record) { r.Platform = "darwin/arm64" },
		"warm":        func(_ int, r *scriptspec.Record) { r.Warm = true },
		"example":     func(_ int, r *scriptspec.Record) { r.Example = "large" },
		"failed":      func(_ int, r *scriptspec.Record) { r.Outcome = scriptspec.OutcomeException },
		"run":         func(i int, r *scriptspec.Record) { r.Run = base[i+1].Run },
		"session":     func(i int, r *scriptspec.Record) { r.Session = base[i+1].Session },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			var all []scriptspec.Record
			for i, r := range base {
				if name == "run" {
					r.Session = "" // as records of earlier versions are
				}
				other := r
				other.Run, other.Session = fmt.Sprintf("other %d", i), ""
				other.Duration *= 100
				if i < 29 {
					change(i, &other)
					all = append(all, other)
				}
				all = append(all, r)
			}
			writeHistory(t, dir, all)
			s := statsOf(t, openStore(t, dir, nil), nil)
			for _, step := range s.Steps {
				if step.Example != "" {
					continue
				}
				assert.Equal(t, 20, step.Window)
				assert.Less(t, step.P90, 2*time.Second)
				assert.Equal(t, scriptspec.VerdictSame, step.Duration.Verdict)
			}
		})
	}
}

// The first of several runs of a step, or of an example, in a session or in a run is cold; warm ones are not.
func TestColdRuns(t *testing.T) {
	t.Parallel()
	record := func(session, run, step, example string, warm bool) scriptspec.Record {
		return scriptspec.Record{Session: session, Run: run, StepName: step, Example: example, Warm: warm}
	}
	assert.Equal(t, []bool{true, false, false, true, false, false, false, false, false, false, false}, scriptspec.ColdRuns([]scriptspec.Record{
		record("S", "1", "Prep", "", false), record("S", "1", "Prep", "small", false), record("S", "2", "Train", "", false), record("", "3", "Prep", "", false),
		record("S", "4", "Prep", "", false), record("S", "5", "Prep", "", false), record("", "3", "Prep", "", false),
		record("T", "6", "Prep", "", true), record("T", "7", "Prep", "", false), record("", "", "Prep", "", false), record("", "", "Prep", "", false),
	}))
	assert.Empty(t, scriptspec.ColdRuns(nil))
}

// What reads data of which nothing is known is compared with nothing.
func TestStatsOfUnknownInputs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	all := healthy("Prep", 30)
	for i := range all {
		all[i].InputDigest = ""
	}
	writeHistory(t, dir, all)
	s := statsOf(t, openStore(t, dir, nil), nil).Steps[0]
	assert.Zero(t, s.Window)
	assert.Equal(t, scriptspec.VerdictTooFew, s.Duration.Verdict)
}

// New are the runs since spec or script were changed, or the last six.
func TestStatsTrends(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		runs     int
		since    int    // the first with another script, 0 for none
		slower   int    // the first that takes half as long again
		tried    [2]int // the first with another spec, and the first without it again
		want     scriptspec.Verdict
		old, new int
		text     string
	}{
		{"changed six runs ago", 40, 34, 34, [2]int{}, scriptspec.VerdictMore, 20, 6, "+50 %"},
		{"changed 20 runs ago", 60, 40, 40, [2]int{}, scriptspec.VerdictMore, 20, 20, "+50 %"},
		{"slower since the change before last", 80, 30, 60, [2]int{}, scriptspec.VerdictMore, 20, 20, "+50 %"},
		{"the last six, without a change", 40, 0, 34, [2]int{}, scriptspec.VerdictMore, 20, 6, "+50 %"},
		{"changed five runs ago", 40, 35, 35, [2]int{}, scriptspec.VerdictTooFew, 20, 5, "too few runs (5 of 6)"},
		{"five before", 25, 5, 5, [2]int{}, scriptspec.VerdictTooFew, 5, 20, "too few runs (5 of 6)"},
		{"one try before the last six", 41, 0, 35, [2]int{34, 35}, scriptspec.VerdictMore, 20, 6, "+50 %"},
		{"one try since the change", 40, 28, 28, [2]int{33, 34}, scriptspec.VerdictMore, 20, 11, "+50 %"},
		{"five tries", 40, 0, 34, [2]int{26, 31}, scriptspec.VerdictMore, 20, 6, "+50 %"},
		{"six runs of another spec", 40, 0, 31, [2]int{25, 31}, scriptspec.VerdictMore, 20, 9, "+50 %"},
		{"nothing", 40, 34, 99, [2]int{}, scriptspec.VerdictSame, 20, 6, "~"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			all := healthy("Prep", c.runs)
			for i := range all {
				all[i].Duration = 2*time.Second + time.Duration(i*37%100)*time.Millisecond/10
				if c.since > 0 && i >= c.since {
					all[i].ScriptDigest = "ffffffffffffffff"
				}
				if i >= c.tried[0] && i < c.tried[1] {
					all[i].SpecDigest = "ffffffffffffffff"
				}
				if i >= c.slower {
					all[i].Duration += time.Second
				}
			}
			writeHistory(t, dir, all)
			s := statsOf(t, openStore(t, dir, nil), nil).Steps[0]
			assert.Equal(t, c.want, s.Duration.Verdict)
			assert.Equal(t, c.old, s.Duration.OldRuns)
			assert.Equal(t, c.new, s.Duration.NewRuns)
			assert.Equal(t, c.text, s.Duration.String())
			assert.Equal(t, c.want == scriptspec.VerdictMore, s.Duration.P < 0.01)
			if c.want != scriptspec.VerdictTooFew {
				assert.Equal(t, scriptspec.VerdictSame, s.Memory.Verdict)
			}
		})
	}
}

// A difference that is sure but small is none, by part and by amount.
func TestStatsTrendsAreLarge(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var all []scriptspec.Record
	for step, change := range map[string][2]time.Duration{
		"Part":   {10 * time.Second, 10*time.Second + 900*time.Millisecond},
		"Amount": {100 * time.Millisecond, 140 * time.Millisecond},
		"Both":   {2 * time.Second, 1700 * time.Millisecond},
	} {
		for i, r := range healthy(step, 26) {
			r.Duration = change[0]
			if i >= 20 {
				r.Duration = change[1]
			}
			r.Duration += time.Duration(i) * time.Microsecond
			all = append(all, r)
		}
	}
	writeHistory(t, dir, all)
	for _, s := range statsOf(t, openStore(t, dir, nil), nil).Steps {
		want := scriptspec.VerdictSame
		if s.StepName == "Both" {
			want = scriptspec.VerdictLess
			assert.Equal(t, "-15 %", s.Duration.String())
		}
		assert.Less(t, s.Duration.P, 0.01)
		assert.Equal(t, want, s.Duration.Verdict, s.StepName)
	}
}

// The level is that of all tests of a report, of durations and of memory: with six runs on each side no difference is certain enough for
// eight of them, and it is for four. What was not measured is not tested.
func TestStatsTrendsShareALevel(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		steps  int
		memory int64
		want   scriptspec.Verdict
	}{{2, 64 << 20, scriptspec.VerdictMore}, {4, 64 << 20, scriptspec.VerdictSame}, {4, 0, scriptspec.VerdictMore}, {8, 0, scriptspec.VerdictSame}} {
		dir := t.TempDir()
		var all []scriptspec.Record
		for n := range c.steps {
			for i, r := range healthy(fmt.Sprintf("Step%c", 'A'+n), 12) {
				r.PeakMemory = c.memory
				r.Duration += time.Duration(i/6)*time.Second + time.Duration(i)*time.Microsecond
				all = append(all, r)
			}
		}
		writeHistory(t, dir, all)
		for _, s := range statsOf(t, openStore(t, dir, nil), nil).Steps {
			assert.Equal(t, c.want, s.Duration.Verdict, "%d steps, memory %d: %v", c.steps, c.memory, s.Duration.P)
			assert.Equal(t, scriptspec.VerdictSame, s.Memory.Verdict)
			assert.InDelta(t, 1, s.Memory.P, 1e-9)
		}
	}
}

// noisy returns a history of so many specs with noise of 5 to 20 %, in which the newest runs of the first step take longer by a factor.
func noisy(random *rand.Rand, specs, recent int, factor float64) []scriptspec.Record {
	var all []scriptspec.Record
	for n := range specs {
		usual, noise := math.Exp(random.Float64()*6-2), 0.05+0.15*random.Float64() // 0.1 to 50 seconds
		for i := range 20 + recent {
			r := aRecord(fmt.Sprintf("Step%02d", n), 60*i)
			seconds := usual * math.Exp(noise*random.NormFloat64())
			if i >= 20 {
				r.ScriptDigest = "ffffffffffffffff"
				if n == 0 {
					seconds *= factor
				}
			}
			r.Duration = time.Duration(seconds * float64(time.Second)).Round(time.Microsecond)
			r.PeakMemory = int64(float64(200<<20) * math.Exp(noise*random.NormFloat64()))
			all = append(all, r)
		}
	}
	return all
}

// Histories of nothing but noise give at most 5 false trends in 100, and a step that takes half as long again is found in 9 of 10.
func TestStatsTrendsAreNews(t *testing.T) {
	t.Parallel()
	trends := func(seed uint64, recent int, factor float64) (found, wrong int) {
		dir := t.TempDir()
		writeHistory(t, dir, noisy(rand.New(rand.NewPCG(seed, 15)), 50, recent, factor))
		st, err := scriptspec.OpenStore(dir, nil)
		require.NoError(t, err)
		defer st.Close()
		for _, s := range statsOf(t, st, nil).Steps {
			for measure, trend := range map[string]scriptspec.Trend{"duration": s.Duration, "memory": s.Memory} {
				switch changed := trend.Verdict == scriptspec.VerdictMore || trend.Verdict == scriptspec.VerdictLess; {
				case !changed:
				case s.StepName == "Step00" && measure == "duration" && factor != 1:
					found++
				default:
					wrong++
				}
			}
		}
		return found, wrong
	}
	histories, planted := 20, 10
	if raceDetector {
		histories, planted = 2, 2
	}
	if text := os.Getenv("SCRIPTSPEC_TEST_HISTORIES"); text != "" { // as .ci/run does it
		var err error
		histories, err = strconv.Atoi(text)
		require.NoError(t, err)
		planted = histories / 2
	}
	wrong, missed, alsoWrong := 0, 0, 0
	for seed := range uint64(histories) {
		_, w := trends(seed, 6, 1)
		wrong += w
	}
	assert.LessOrEqual(t, wrong, histories/20)
	for seed := range uint64(planted) {
		f, w := trends(5000+seed, 8, 1.5)
		missed += 1 - f
		alsoWrong += w
	}
	assert.LessOrEqual(t, missed, planted/10)
	assert.LessOrEqual(t, alsoWrong, histories/20)
	t.Logf("%d false trends in %d histories of 50 specs; of %d planted ones %d were missed", wrong, histories, planted, missed)
}

// A long history needs little memory: what statistics are made of is kept once, and the lines not at all.
func TestStatsNeedsLittleMemory(t *testing.T) { // not parallel: others allocate too
	const steps, runs, most = 4, 1000, 2000 // bytes for each record
	dir := t.TempDir()
	st := openStore(t, dir, nil)
	var all []scriptspec.Record
	for i := range steps * runs {
		all = append(all, aRecord(fmt.Sprintf("Step%d", i%steps), i))
	}
	writeHistory(t, dir, all)
	for i := range steps {
		require.NoError(t, st.Save(&scriptspec.ScriptExecutionSpec{ScriptName: fmt.Sprintf("step%d", i), StepName: fmt.Sprintf("Step%d", i), ScriptPath: "x.py"}))
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	s, err := st.Stats(t.Context(), nil)
	runtime.ReadMemStats(&after)
	require.NoError(t, err)
	assert.Equal(t, steps*runs, s.Records)
	assert.Less(t, (after.TotalAlloc-before.TotalAlloc)/(steps*runs), uint64(most))
}
