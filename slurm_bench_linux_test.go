package scriptspec_test

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// burns is half a second of work.
const burns = `
import os, time
def main(output_paths, job_args):
    while time.process_time() < 0.5:
        pass
    for path in output_paths.values():
        with open(os.path.join(path, "out.txt"), "w") as f:
            f.write("x")
`

// BenchmarkSlurmPipeline compares 40 independent nodes of half a second on Slurm with the same here, on the same cores.
// Goal: at most 1.25 times as long, where the cluster allows it: not less than the same scripts as jobs of sbatch alone,
// whose time stands beside it. Of that, at most 1.1.
func BenchmarkSlurmPipeline(b *testing.B) {
	engine := onSlurm(b)
	p := independent(b, burns, 40)
	var took [2]time.Duration
	var bare time.Duration
	for b.Loop() {
		for i, tester := range []*scriptspec.RuntimeTester{{}, {Engine: engine}} {
			start := time.Now()
			runAll(b, tester, p, 0)
			took[i] += time.Since(start)
		}
		start := time.Now()
		bareJobs(b, p, len(p.DAG.Nodes))
		bare += time.Since(start)
	}
	b.ReportMetric(took[1].Seconds()/took[0].Seconds(), "of-local(goal<=1.25)")
	b.ReportMetric(took[1].Seconds()/bare.Seconds(), "of-sbatch")
	b.ReportMetric(took[1].Seconds()/float64(b.N), "s-slurm/op")
}

// BenchmarkSlurmOverhead measures what a node takes besides its script, one after the other. Goal: 0.7 s at the median,
// or 1.1 of a job of sbatch alone that runs such a script, whose time stands beside it.
func BenchmarkSlurmOverhead(b *testing.B) {
	engine := onSlurm(b)
	p := independent(b, writes, 20)
	var over, bare []time.Duration
	for b.Loop() {
		r := runAll(b, &scriptspec.RuntimeTester{Engine: engine}, p, 1)
		for _, n := range r.Nodes {
			over = append(over, n.Duration-n.Result.ExecutionTime)
		}
		bare = append(bare, bareJobs(b, p, 1)...)
	}
	slices.Sort(over)
	slices.Sort(bare)
	b.ReportMetric(over[len(over)/2].Seconds(), "s-median(goal<=0.7)")
	b.ReportMetric(bare[len(bare)/2].Seconds(), "s-median-of-sbatch")
	b.ReportMetric(over[len(over)-1].Seconds(), "s-max")
}

// bareJobs runs the scripts of a pipeline as jobs of sbatch, so many at a time, and returns how long each took from its
// submission until its output was there.
func bareJobs(b *testing.B, p *scriptspec.PipelineTestingSpec, parallelism int) []time.Duration {
	b.Helper()
	python, dir := interpreter(b), b.TempDir()
	took := make([]time.Duration, len(p.DAG.Nodes))
	failed := make([]error, len(took))
	next := make(chan int)
	var wait sync.WaitGroup
	for range parallelism {
		wait.Go(func() {
			for i := range next {
				start := time.Now()
				failed[i] = bareJob(python, p.Specs[p.DAG.Nodes[i]].Basic().ScriptPath, filepath.Join(dir, fmt.Sprint(i)))
				took[i] = time.Since(start)
			}
		})
	}
	for i := range took {
		next <- i
	}
	close(next)
	wait.Wait()
	for _, err := range failed {
		require.NoError(b, err)
	}
	return took
}

func bareJob(python, script, output string) error {
	if err := os.Mkdir(output, 0o700); err != nil {
		return err
	}
	file, done := output+".sh", filepath.Join(output, "out.txt")
	call := fmt.Sprintf("import runpy; runpy.run_path(%q)['main']({'out': %q}, {})", script, output)
	if err := os.WriteFile(file, fmt.Appendf(nil, "#!/bin/sh\nexec %s -c \"$CALL\"\n", python), 0o600); err != nil {
		return err
	}
	sbatch := exec.Command("sbatch", "--mem=300M", "--output=/dev/null", file)
	sbatch.Env = append(os.Environ(), "CALL="+call)
	if out, err := sbatch.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	for start := time.Now(); ; time.Sleep(5 * time.Millisecond) { // nothing tells when a job has ended
		if _, err := os.Stat(done); err == nil {
			return nil
		} else if time.Since(start) > time.Minute {
			return fmt.Errorf("%s: %w after a minute", done, fs.ErrNotExist)
		}
	}
}

func independent(b *testing.B, script string, n int) *scriptspec.PipelineTestingSpec {
	b.Helper()
	dir := b.TempDir()
	require.NoError(b, os.WriteFile(filepath.Join(dir, "burn.py"), []byte(script), 0o600))
	p := &scriptspec.PipelineTestingSpec{Name: "p", DAG: &scriptspec.DAG{}, Specs: map[string]scriptspec.Spec{}}
	for i := range n {
		name := fmt.Sprintf("Burn_%02d", i)
		s := scriptspec.New("burn", name, filepath.Join(dir, "burn.py"))
		s.AddOutputPath("out", filepath.Join(dir, "never", name))
		p.DAG.Nodes = append(p.DAG.Nodes, name)
		p.Specs[name] = s
	}
	return p
}

func runAll(b *testing.B, tester *scriptspec.RuntimeTester, p *scriptspec.PipelineTestingSpec, parallelism int) *scriptspec.PipelineTestResult {
	b.Helper()
	r, err := tester.TestPipeline(b.Context(), p, &scriptspec.PipelineOptions{WorkDir: filepath.Join(b.TempDir(), "work"), Parallelism: parallelism})
	require.NoError(b, err)
	require.True(b, r.Success)
	return r
}
