package scriptspec_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// aRecord is a record of a step, so many minutes after a day of November 2026.
func aRecord(step string, minutes int) scriptspec.Record {
	at, _ := scriptspec.ParseTimestamp("2026-11-03T08:00:00.123456+00:00")
	at.Time = at.Add(time.Duration(minutes) * time.Minute)
	return scriptspec.Record{
		Run: fmt.Sprintf("RUN%06d", minutes), At: at, ScriptName: scriptspec.ToSnakeCase(step), StepName: step, Attempt: 1,
		Outcome: scriptspec.OutcomePassed, Duration: 1500 * time.Millisecond, User: time.Second, System: 20 * time.Millisecond,
		ImportTime: 100 * time.Millisecond, PeakMemory: 64 << 20, SpecDigest: "00112233445566aa", ScriptDigest: "00112233445566bb",
		InputDigest: "00112233445566cc", InputBytes: 1 << 20, Python: "3.12.4", Platform: "linux/amd64",
		Commit: "0011223344556677889900112233445566778899", Dirty: new(bool),
		Outputs: map[string]scriptspec.RecordedOutput{"data": {Files: 1, Bytes: 2048, Digest: "00112233445566dd"}},
	}
}

// records returns what a history has, and the errors of reading it.
func records(h *scriptspec.History, f *scriptspec.HistoryFilter) (all []scriptspec.Record, errs []error) {
	for r, err := range h.Records(f) {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		all = append(all, r)
	}
	return all, errs
}

func historyFile(dir string) string { return filepath.Join(dir, ".specs", ".history", "2026-11.jsonl") }

func TestHistoryKeepsRecords(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := openStore(t, dir, nil).History()
	all, errs := records(h, nil)
	assert.Empty(t, all)
	assert.Empty(t, errs)
	assert.NoDirExists(t, filepath.Join(dir, ".specs"), "reading makes nothing")
	full := aRecord("Prep_training", 1)
	full.Example, full.Pipeline, full.Shard, full.Attempt, full.Warm, full.CI = "small", "churn", "2/4", 2, true, true
	full.Outcome, full.Expect = scriptspec.OutcomeException, scriptspec.OutcomeException
	full.ErrorType, full.ErrorAt = "Value\"Error\u2028<é>", "prep.py:12"
	bare := scriptspec.Record{At: full.At, StepName: "Train", Outcome: scriptspec.OutcomePassed}
	require.NoError(t, h.Append(full, bare))
	require.NoError(t, h.Append(aRecord("Prep_training", 40*24*60)))
	all, errs = records(h, nil)
	require.Empty(t, errs)
	require.Len(t, all, 3)
	assert.Equal(t, full, all[0])
	assert.True(t, all[0].Passed(), "it ended as it had to")
	assert.Equal(t, bare, all[1])
	assert.FileExists(t, historyFile(dir))
	assert.FileExists(t, filepath.Join(dir, ".specs", ".history", "2026-12.jsonl"))
	ignored, err := os.ReadFile(filepath.Join(dir, ".specs", ".history", ".gitignore"))
	require.NoError(t, err)
	assert.Equal(t, "*\n", string(ignored))
	for name, c := range map[string]struct {
		filter scriptspec.HistoryFilter
		want   int
	}{
		"since":      {scriptspec.HistoryFilter{Since: full.At.Add(time.Second)}, 1},
		"from":       {scriptspec.HistoryFilter{Since: full.At.Time}, 3},
		"until":      {scriptspec.HistoryFilter{Until: full.At.Add(time.Second)}, 2},
		"before":     {scriptspec.HistoryFilter{Until: full.At.Time}, 0},
		"steps":      {scriptspec.HistoryFilter{Steps: []string{"Train"}}, 1},
		"other step": {scriptspec.HistoryFilter{Steps: []string{}}, 0},
	} {
		all, errs := records(h, &c.filter)
		assert.Empty(t, errs, name)
		assert.Len(t, all, c.want, name)
	}
	for _, err := range h.Records(nil) {
		require.NoError(t, err)
		break
	}
	require.NoError(t, h.Err())
}

func TestHistoryRefusesWhatIsNoRecord(t *testing.T) {
	t.Parallel()
	h := openStore(t, t.TempDir(), nil).History()
	for place, change := range map[string]func(*scriptspec.Record){
		"step_name": func(r *scriptspec.Record) { r.StepName = "" },
		"outcome":   func(r *scriptspec.Record) { r.Outcome = "" },
		"at":        func(r *scriptspec.Record) { r.At = scriptspec.Timestamp{} },
	} {
		r := aRecord("Prep", 1)
		change(&r)
		var fe *scriptspec.FieldError
		require.ErrorAs(t, h.Append(r), &fe)
		assert.Equal(t, place, fe.Path)
	}
	var r scriptspec.Record
	for _, text := range []string{`{}`, `[]`, `{"v":2,"at":"2026-11-03","step_name":"A","outcome":"passed"}`, `{"v":1,"step_name":"A","outcome":"passed"}`} {
		var de *scriptspec.DecodeError
		require.ErrorAs(t, json.Unmarshal([]byte(text), &r), &de, text)
	}
	require.NoError(t, json.Unmarshal([]byte(`{"new": [1, {"a": "}"}], "v":1,"at":"2026-11-03T08:00:00Z","step_name":"A","outcome":"passed"}`), &r))
	assert.Equal(t, "A", r.StepName)
}

// A line is at most 4 KiB: outputs go first, and what is still too long is not written.
func TestHistoryLinesAreShort(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := openStore(t, dir, nil).History()
	r := aRecord("Prep", 1)
	for i := range 100 {
		r.Outputs[fmt.Sprintf("output_%060d", i)] = scriptspec.RecordedOutput{Files: 1}
	}
	require.NoError(t, h.Append(r))
	all, errs := records(h, nil)
	require.Empty(t, errs)
	require.Len(t, all, 1)
	assert.Nil(t, all[0].Outputs)
	r.Outputs = nil
	assert.Equal(t, r, all[0])
	r.Pipeline = strings.Repeat("x", 5000)
	require.Error(t, h.Append(r))
	require.Error(t, h.Err())
	text, err := os.ReadFile(historyFile(dir))
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		assert.LessOrEqual(t, len(line), 4096)
	}
}

// Wherever the file is cut off, one record is lost at most, it is counted, and what is appended later is read.
func TestHistoryTruncated(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := openStore(t, dir, nil).History()
	for i := range 3 {
		require.NoError(t, h.Append(aRecord("Prep", i)))
	}
	file := historyFile(dir)
	whole, err := os.ReadFile(file)
	require.NoError(t, err)
	for size := range len(whole) + 1 {
		require.NoError(t, os.WriteFile(file, whole[:size], 0o600))
		require.NoError(t, h.Append(aRecord("After", 9)))
		all, errs := records(h, nil)
		written := strings.Count(string(whole[:size]), "\n") // whole records, but for one that has all but the end of its line
		torn := size > 0 && whole[size-1] != '\n'
		if torn && whole[size] == '\n' {
			written, torn = written+1, false
		}
		require.Len(t, all, written+1, "at %d", size)
		require.Len(t, errs, map[bool]int{true: 1}[torn], "at %d", size)
		assert.Equal(t, "After", all[len(all)-1].StepName)
	}
}

func TestHistoryCountsForeignLines(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := openStore(t, dir, nil).History()
	require.NoError(t, h.Append(aRecord("Prep", 1)))
	f, err := os.OpenFile(historyFile(dir), os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString("\n{\"v\":3}\nwhat\n" + strings.Repeat("x", 100_000))
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.NoError(t, h.Append(aRecord("Prep", 2)))
	all, errs := records(h, nil)
	assert.Len(t, all, 2)
	require.Len(t, errs, 1)
	var de *scriptspec.DecodeError
	require.ErrorAs(t, errs[0], &de)
	assert.Equal(t, historyFile(dir), de.File)
	assert.Equal(t, 2, de.Line)
	assert.Contains(t, de.Message, "4 lines")
}

// TestHistoryWriter is a process that appends, for TestHistoryOfManyProcesses.
func TestHistoryWriter(t *testing.T) {
	dir := os.Getenv("SCRIPTSPEC_TEST_HISTORY")
	if dir == "" {
		t.Skip("started by TestHistoryOfManyProcesses")
	}
	number, err := strconv.Atoi(os.Getenv("SCRIPTSPEC_TEST_NUMBER"))
	require.NoError(t, err)
	h := openStore(t, dir, nil).History()
	for i := range 200 {
		r := aRecord("Prep", number*200+i)
		r.ErrorType = strings.Repeat("x", i) // lines of many lengths
		require.NoError(t, h.Append(r))
	}
}

func TestHistoryOfManyProcesses(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts processes: -short")
	}
	dir := t.TempDir()
	var running sync.WaitGroup
	for n := range 8 {
		running.Go(func() {
			command := exec.Command(os.Args[0], "-test.run=^TestHistoryWriter$")
			command.Env = append(os.Environ(), "SCRIPTSPEC_TEST_HISTORY="+dir, "SCRIPTSPEC_TEST_NUMBER="+strconv.Itoa(n))
			out, err := command.CombinedOutput()
			assert.NoError(t, err, "%s", out)
		})
	}
	running.Wait()
	all, errs := records(openStore(t, dir, nil).History(), nil)
	assert.Empty(t, errs)
	assert.Len(t, all, 1600)
	seen := map[string]bool{}
	for _, r := range all {
		seen[r.Run] = true
	}
	assert.Len(t, seen, 1600)
}

func TestHistoryPrune(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := openStore(t, dir, nil).History()
	freed, err := h.Prune(t.Context(), scriptspec.HistoryLimits{Age: time.Hour})
	require.NoError(t, err)
	assert.Zero(t, freed)
	old, recent := aRecord("Prep", 1), aRecord("Prep", 1)
	old.At = scriptspec.NewTimestamp(time.Now().AddDate(0, 0, -100))
	recent.At = scriptspec.NewTimestamp(time.Now())
	require.NoError(t, h.Append(old, recent))
	freed, err = h.Prune(t.Context(), scriptspec.HistoryLimits{Age: 180 * 24 * time.Hour, Bytes: 1 << 20})
	require.NoError(t, err)
	assert.Zero(t, freed)
	freed, err = h.Prune(t.Context(), scriptspec.HistoryLimits{Age: 60 * 24 * time.Hour})
	require.NoError(t, err)
	assert.Positive(t, freed)
	all, errs := records(h, nil)
	assert.Empty(t, errs)
	assert.Len(t, all, 1)
	_, err = h.Prune(t.Context(), scriptspec.HistoryLimits{Bytes: 1})
	require.NoError(t, err)
	all, _ = records(h, nil)
	assert.Empty(t, all)
}

// Python reads it with its standard library.
func TestHistoryIsForPython(t *testing.T) {
	t.Parallel()
	python := python(t)
	dir := t.TempDir()
	h := openStore(t, dir, nil).History()
	require.NoError(t, h.Append(aRecord("Prep", 1), aRecord("Train", 2)))
	out, err := exec.Command(python, "-c", `import json, sys
rows = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
print(len(rows), rows[1]["step_name"], rows[0]["duration"], rows[0]["outputs"]["data"]["bytes"], rows[0]["dirty"])`, historyFile(dir)).CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, "2 Train 1.5 2048 False\n", strings.ReplaceAll(string(out), "\r", ""))
}

// Times that no run has are those of no record: they are counted, and nothing is made of them.
func TestHistoryOfForeignTimes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	st := openStore(t, dir, nil)
	h := st.History()
	for i := range 7 {
		require.NoError(t, h.Append(aRecord("Prep", i)))
	}
	whole := aRecord("Prep", 8)
	line, err := json.Marshal(whole)
	require.NoError(t, err)
	var lines []string
	for _, value := range []string{"1e300", "315619201", "1e999", "-1", "-1e300", "NaN", "Infinity", "null", `"1"`, ""} {
		for _, member := range []string{`"duration":1.5`, `"import_time":0.1`} {
			name, _, _ := strings.Cut(member, ":")
			lines = append(lines, strings.Replace(string(line), member, name+":"+value, 1))
			require.NotEqual(t, string(line), lines[len(lines)-1])
		}
	}
	file, err := os.OpenFile(filepath.Join(dir, ".specs", ".history", "2026-11.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = file.WriteString(strings.Join(lines, "\n") + "\n")
	require.NoError(t, err)
	require.NoError(t, file.Close())

	all, errs := records(h, nil)
	assert.Len(t, all, 7)
	require.Len(t, errs, 1)
	assert.Contains(t, errs[0].Error(), fmt.Sprintf("the first of %d lines", len(lines)))
	past := h.PastOfOneLike(&whole)
	assert.Len(t, past.Recent, 7)
	assert.Equal(t, scriptspec.PastTimes{Runs: 7, Median: whole.Duration, P90: whole.Duration, Min: whole.Duration}, past.Comparable)
	stats, err := st.Stats(t.Context(), nil)
	require.NoError(t, err)
	assert.Equal(t, len(lines), stats.Skipped)
	assert.Equal(t, 7*whole.Duration, stats.Steps[0].Total)

	for _, change := range []func(r *scriptspec.Record){
		func(r *scriptspec.Record) { r.Duration = -1 }, func(r *scriptspec.Record) { r.System = -1 },
		func(r *scriptspec.Record) { r.ImportTime = math.MaxInt64 },
	} {
		r := whole
		change(&r)
		var fe *scriptspec.FieldError
		require.ErrorAs(t, h.Append(r), &fe)
		assert.Equal(t, scriptspec.CodeFormat, fe.Code)
	}
	whole.User, whole.Duration = 36530*24*time.Hour, 3653*24*time.Hour // of many processors
	for range 400 {
		require.NoError(t, h.Append(whole))
	}
	stats, err = st.Stats(t.Context(), nil)
	require.NoError(t, err)
	assert.Equal(t, time.Duration(math.MaxInt64), stats.Steps[0].Total, "a sum has an end")
	assert.InDelta(t, 1, stats.Steps[0].Share, 0)
}
