//go:build unix

package scriptspec_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// BenchmarkHistoryRecord compares recording a run with the run, of a script that does next to nothing on a small input. Goal: 0.01.
func BenchmarkHistoryRecord(b *testing.B) {
	s := benchSpec(b, benchScript)
	data := filepath.Join(b.TempDir(), "data.csv")
	writeText(b, data, "a,b\n1,2\n")
	s.AddInputPath("data_input", data)
	tester := &scriptspec.RuntimeTester{Python: interpreter(b)}
	st, err := scriptspec.OpenStore(b.TempDir(), nil)
	require.NoError(b, err)
	defer st.Close()
	h := st.History()
	record := func() {}
	run := func() {
		var err error
		record, err = scriptspec.RunForRecord(b.Context(), tester, h, s)
		must(b, err)
	}
	run()
	record() // git is asked
	compare(b, 1, run, func() { record() })
	require.NoError(b, h.Err())
}

// largeHistory writes 100,000 records of 200 steps over 90 days.
func largeHistory(b *testing.B, dir string) {
	b.Helper()
	random := rand.New(rand.NewPCG(15, 15))
	all := make([]scriptspec.Record, amount(100_000))
	for i := range all {
		r := aRecord(fmt.Sprintf("Step%03d_training", i%200), i*90*24*60/len(all))
		r.Run = fmt.Sprintf("R5L2NQVYH3DSOP7TT4WQ%06d", i/200)
		r.Duration = time.Duration(float64(time.Second) * (1 + random.Float64()))
		r.Outputs = map[string]scriptspec.RecordedOutput{
			"data": {Files: 1, Bytes: random.Int64N(1 << 30), Digest: fmt.Sprintf("%016x", random.Uint64())}, "metrics": {Files: 1, Bytes: 100, Digest: "00112233445566dd"},
		}
		all[i] = r
	}
	writeHistory(b, dir, all)
}

// BenchmarkHistoryPast compares a run, of a script that does next to nothing, with reading what it wants to know of a history of 100,000
// records that no run before it in the process has read. The run does so while the script runs. Goal: 0.05.
func BenchmarkHistoryPast(b *testing.B) {
	dir := b.TempDir()
	largeHistory(b, dir)
	s := benchSpec(b, benchScript)
	like := aRecord("Step042_training", 0)
	tester := &scriptspec.RuntimeTester{Python: interpreter(b)}
	compare(b, 1, func() { mustPass(b, tester, s) }, func() {
		st, err := scriptspec.OpenStore(dir, nil)
		must(b, err)
		if past := st.History().PastOfOneLike(&like); len(past.Recent) != 20 || past.Comparable.Runs != 20 {
			b.Fatal(past)
		}
		must(b, st.Close())
	})
}

// BenchmarkHistoryRun compares a cold run without a history with one that reads and adds to one, by a store of its own. The history is
// empty, or has 100,000 records; a step that is new to these has all of them looked through, once in a process, and beside the script.
// Goal, with a processor to spare: 1.01.
func BenchmarkHistoryRun(b *testing.B) {
	dir := b.TempDir()
	largeHistory(b, dir)
	s := benchSpec(b, benchScript)
	without, with := &scriptspec.RuntimeTester{Python: interpreter(b)}, &scriptspec.RuntimeTester{Python: interpreter(b)}
	for _, c := range []struct{ name, dir, step string }{
		{"empty", b.TempDir(), "New_training"}, {"known", dir, "Step042_training"}, {"new", dir, "New_training"},
	} {
		b.Run(c.name, func(b *testing.B) {
			s.StepName = c.step
			run := func(tester *scriptspec.RuntimeTester, history bool) {
				st, err := scriptspec.OpenStore(c.dir, nil)
				must(b, err)
				if history {
					tester.History = st.History()
				}
				mustPass(b, tester, s)
				must(b, st.History().Err())
				must(b, st.Close())
			}
			run(with, true) // files are in the memory of the system
			comparePairs(b, func() { run(without, false) }, func() { run(with, true) })
		})
	}
}

// BenchmarkStats compares the statistics of 100,000 records with decoding their lines by encoding/json. Goal: 0.5.
func BenchmarkStats(b *testing.B) {
	dir := b.TempDir()
	largeHistory(b, dir)
	st, err := scriptspec.OpenStore(dir, nil)
	require.NoError(b, err)
	defer st.Close()
	files, err := filepath.Glob(filepath.Join(dir, ".specs", ".history", "*.jsonl"))
	require.NoError(b, err)
	type plain struct {
		Run, At, Outcome string
		StepName         string `json:"step_name"`
		Duration         float64
		PeakMemory       int64  `json:"peak_memory"`
		SpecDigest       string `json:"spec_digest"`
		ScriptDigest     string `json:"script_digest"`
		InputDigest      string `json:"input_digest"`
	}
	bare := func() {
		for _, name := range files {
			f, err := os.Open(name)
			must(b, err)
			for lines := bufio.NewScanner(f); lines.Scan(); {
				var r plain
				must(b, json.Unmarshal(lines.Bytes(), &r))
			}
			must(b, f.Close())
		}
	}
	compare(b, 1, bare, func() {
		s, err := st.Stats(b.Context(), nil)
		must(b, err)
		if s.Records != amount(100_000) {
			b.Fatal(s.Records)
		}
	})
}
