//go:build unix

package scriptspec_test

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// interpreter is one without a shim, which would hide what we add.
func interpreter(tb testing.TB) string {
	tb.Helper()
	out, err := exec.Command(cmp.Or(os.Getenv("SCRIPTSPEC_PYTHON"), "python3"), "-c", "import sys; print(sys.executable)").Output()
	if err != nil {
		tb.Skip("needs python3")
	}
	return strings.TrimSpace(string(out))
}

// benchSpec is a spec for a script of the given text.
func benchSpec(b *testing.B, text string) *scriptspec.ScriptExecutionSpec {
	b.Helper()
	dir := b.TempDir()
	s := scriptspec.New("step", "Step", filepath.Join(dir, "step.py"))
	writeText(b, s.ScriptPath, text)
	s.AddOutputPath("data_output", filepath.Join(dir, "out"))
	s.AddJobArg("batch_size", 32)
	s.AddEnvironVar("SETTING", "a value of some length")
	return s
}

const benchScript = "def main(input_paths, output_paths, environ_vars, job_args):\n    with open(output_paths['data_output'] + '/x', 'w') as f:\n        f.write('x')\n"

func writeText(b *testing.B, path, text string) {
	b.Helper()
	require.NoError(b, os.WriteFile(path, []byte(text), 0o600))
}

func mustPass(b *testing.B, tester *scriptspec.RuntimeTester, s scriptspec.Spec) {
	b.Helper()
	result, err := tester.TestScript(b.Context(), s)
	require.NoError(b, err)
	require.True(b, result.Success, result)
}

// BenchmarkTestScript compares a run with a bare interpreter on the same file. Goal: 1.2.
func BenchmarkTestScript(b *testing.B) {
	python := interpreter(b)
	s := benchSpec(b, benchScript)
	tester := &scriptspec.RuntimeTester{Python: python}
	compare(b, 1, func() { require.NoError(b, exec.Command(python, s.ScriptPath).Run()) }, func() { mustPass(b, tester, s) })
}

// workingScript imports what the warm interpreters of benchmarks have preloaded, and works for 12 ms.
const workingScript = `import csv, json, time

def main(output_paths):
    end = time.process_time() + 0.012
    while time.process_time() < end:
        pass
    with open(output_paths["data_output"] + "/x", "w") as f:
        f.write("x")
`

// BenchmarkWarmScript compares a warm run of a script with a cold one. Goal: 0.4.
func BenchmarkWarmScript(b *testing.B) {
	python := interpreter(b)
	s := benchSpec(b, workingScript)
	warm := &scriptspec.RuntimeTester{Python: python, Warm: true, Preload: []string{"csv", "json"}}
	defer warm.Close() //nolint:errcheck // the benchmark is over
	cold := &scriptspec.RuntimeTester{Python: python}
	mustPass(b, warm, s) // which starts the interpreter
	compare(b, 1, func() { mustPass(b, cold, s) }, func() { mustPass(b, warm, s) })
}

// BenchmarkWarmTwoAtATime compares 20 warm runs, two at a time, with the same one at a time. Goal on 2
// cores: 0.59, which is 1.7 times the throughput.
func BenchmarkWarmTwoAtATime(b *testing.B) {
	specs := []*scriptspec.ScriptExecutionSpec{benchSpec(b, workingScript), benchSpec(b, workingScript)}
	warm := &scriptspec.RuntimeTester{Python: interpreter(b), Warm: true, Preload: []string{"csv", "json"}}
	defer warm.Close() //nolint:errcheck // the benchmark is over
	const runs = 10    // of each spec
	both := func(wait bool) {
		var group sync.WaitGroup
		for _, s := range specs {
			group.Go(func() {
				for range runs {
					mustPass(b, warm, s)
				}
			})
			if wait {
				group.Wait()
			}
		}
		group.Wait()
	}
	both(false) // which starts the interpreter and its monitors
	compare(b, 1, func() { both(true) }, func() { both(false) })
}

// BenchmarkWarm runs a suite of 50 scripts that import the same modules, one after the other, warm and
// cold. Goal: cold/warm of 8.
func BenchmarkWarm(b *testing.B) {
	python := interpreter(b)
	for _, bench := range []struct{ name, modules, text string }{
		{"stand-in that takes 0.5 s", "slow_to_import", "import time\ntime.sleep(0.5)\n"},
		{"standard library", "asyncio email.mime.text http.client unittest.mock xml.dom.minidom sqlite3 concurrent.futures decimal multiprocessing.pool", ""},
	} {
		b.Run(bench.name, func(b *testing.B) {
			modules := strings.Fields(bench.modules)
			lib := b.TempDir()
			if bench.text != "" {
				writeText(b, filepath.Join(lib, modules[0]+".py"), bench.text)
			}
			s := benchSpec(b, "import "+strings.Join(modules, ", ")+"\n"+benchScript)
			s.AddEnvironVar("PYTHONPATH", lib)
			suite := amount(50)
			var warm, cold time.Duration
			for b.Loop() {
				start := time.Now()
				tester := &scriptspec.RuntimeTester{Python: python, Warm: true, Preload: modules}
				for range suite {
					mustPass(b, tester, s)
				}
				require.NoError(b, tester.Close())
				middle := time.Now()
				tester = &scriptspec.RuntimeTester{Python: python}
				for range suite {
					mustPass(b, tester, s)
				}
				warm, cold = warm+middle.Sub(start), cold+time.Since(middle)
			}
			b.ReportMetric(cold.Seconds()/warm.Seconds(), "cold/warm")
			b.ReportMetric(warm.Seconds()*1000/float64(suite)/float64(b.N), "ms/script")
		})
	}
}
