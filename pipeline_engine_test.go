package scriptspec_test

import (
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// A pipeline has the same result here and on a cluster, and a part of it goes on with the results of the other.
func TestPipelineOnEngine(t *testing.T) {
	t.Parallel()
	c, f := newFakeCluster(t), diamond(t)
	f.p.Engine = scriptspec.PipelineEngine{Slurm: []string{"--partition=cpu"}, NodeSlurm: map[string][]string{"Train": {"--gres=gpu:1"}}}
	engine := c.engine()
	engine.Args = []string{"--account=churn"}
	f.tester.Engine = engine
	remote := f.run(nil)
	require.True(t, remote.Success, "%v", statuses(remote))
	made := f.output("Train", "model")
	assert.Len(t, c.jobs("name"), 3)
	args := c.jobs("args")[2] // of the last one
	assert.True(t, strings.HasSuffix(args, "\n--account=churn\n--partition=cpu\n--gres=gpu:1"), args)
	assert.NotContains(t, c.jobs("args")[0], "gres")
	entries, err := os.ReadDir(filepath.Join(f.work(), ".scriptspec", "jobs"))
	require.NoError(t, err)
	assert.Empty(t, entries, "all replies have been taken")

	f.tester = &scriptspec.RuntimeTester{}
	part := f.run(&scriptspec.PipelineOptions{From: []string{"Train"}})
	assert.Equal(t, "reused: passed in an earlier run", statuses(part)["Prep_training"])
	assert.True(t, part.Success, "%v", statuses(part))
	local := f.run(nil)
	assert.Equal(t, statuses(local), statuses(remote))
	assert.Equal(t, made, f.output("Train", "model"))

	f.tester = &scriptspec.RuntimeTester{Engine: engine}
	part = f.run(&scriptspec.PipelineOptions{Only: []string{"Train"}})
	assert.True(t, part.Success, "%v", statuses(part))
	assert.Len(t, c.jobs("name"), 4)
}

func TestPipelineLost(t *testing.T) {
	t.Parallel()
	c, f := newFakeCluster(t), newFactory(t)
	f.node("A", joins, []string{"x"}, []string{"a"})
	f.node("B", joins, []string{"a"}, []string{"b"})
	f.edge("A", "B")
	f.tester.Engine = c.engine()
	f.tester.Engine.LostRetries = -1
	c.make("lose", "NODE_FAIL")
	r := f.run(nil)
	assert.False(t, r.Success)
	assert.Equal(t, map[string]string{
		"A": "lost: test of A: lost: job 1 ended before the script was started: NODE_FAIL on fake",
		"B": "blocked: depends on A, which did not pass",
	}, statuses(r))
	assert.True(t, f.run(nil).Success, "nothing of the lost job is in the way")
}

// counts is a gated script that leaves a line for each run.
const counts = `
import os
def log(job_args):
    with open(job_args.log, "a") as f:
        f.write(job_args.job_type + "\n")
` + waits + `
inner = main
def main(input_paths, output_paths, environ_vars, job_args):
    log(job_args)
    inner(input_paths, output_paths, environ_vars, job_args)
`

// driven is a pipeline of A, B and C behind each other in a store, run by the command on a fake cluster.
func driven(t *testing.T) (*fakeCluster, *factory, *gate, func() *exec.Cmd) {
	t.Helper()
	c, f, g := newFakeCluster(t), newFactory(t), newGate(t)
	for i, name := range []string{"A", "B", "C"} {
		s := f.node(name, counts, []string{[]string{"x", "a", "b"}[i]}, []string{strings.ToLower(name)})
		s.AddJobArg("port", g.listener.Addr().(*net.TCPAddr).Port)
		s.AddJobArg("log", filepath.Join(f.dir, "log"))
	}
	f.edge("A", "B")
	f.edge("B", "C")
	st, err := scriptspec.OpenStore(filepath.Join(f.dir, "data"), nil)
	require.NoError(t, err)
	require.NoError(t, st.SavePipeline(f.p))
	require.NoError(t, st.Close())
	return c, f, g, func() *exec.Cmd {
		cmd := exec.Command(command(t), "run", "-q", "-C", filepath.Join(f.dir, "data"), "--pipeline", "p", "--engine", "slurm", "--work", f.work(), "--format", "text")
		cmd.Env = append(os.Environ(), "PATH="+c.bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
		return cmd
	}
}

// The jobs of a driver that was killed are taken up by the next one: those that have ended and those that still run.
func TestPipelineTakesUpJobs(t *testing.T) {
	t.Parallel()
	c, f, g, driver := driven(t)
	first := driver()
	require.NoError(t, first.Start())
	assert.Equal(t, "A", g.await())
	g.tell("A", "go on")
	assert.Equal(t, "B", g.await())
	require.NoError(t, first.Process.Kill())
	require.Error(t, first.Wait())

	f.tester = &scriptspec.RuntimeTester{} // here: B may still write to its output
	_, err := f.tester.TestPipeline(t.Context(), f.p, &scriptspec.PipelineOptions{WorkDir: f.work()})
	require.Len(t, problems(t, err), 1)
	assert.Equal(t, scriptspec.CodeNotEmpty, problems(t, err)[0].code)

	second := driver()
	out, err := second.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, second.Start())
	g.tell("B", "go on")
	assert.Equal(t, "C", g.await())
	g.tell("C", "go on")
	text, err := io.ReadAll(out)
	require.NoError(t, err)
	require.NoError(t, second.Wait(), string(text))
	log, err := os.ReadFile(filepath.Join(f.dir, "log"))
	require.NoError(t, err)
	assert.Equal(t, "A\nB\nC\n", string(log), "each script was run once")
	assert.Len(t, c.jobs("name"), 3)

	third := driver()
	require.NoError(t, third.Start())
	for _, node := range []string{"A", "B", "C"} {
		assert.Equal(t, node, g.await(), "a run that has ended is not taken up")
		g.tell(node, "go on")
	}
	require.NoError(t, third.Wait())
}

// What a driver that was killed has left of a script that it ran alone goes with the next driver: its values, and its job.
func TestEngineKilledDriver(t *testing.T) {
	t.Parallel()
	c, dir, cache := newFakeCluster(t), t.TempDir(), t.TempDir()
	s := scripted(t, writes)
	s.AddEnvironVar("API_TOKEN", sentinel)
	st, err := scriptspec.OpenStore(dir, nil)
	require.NoError(t, err)
	require.NoError(t, st.Save(s))
	require.NoError(t, st.Close())
	driver := func() *exec.Cmd {
		cmd := exec.Command(command(t), "run", "-q", "-C", dir, "--engine", "slurm", "--format", "text")
		cmd.Env = append(os.Environ(), "PATH="+c.bin+string(filepath.ListSeparator)+os.Getenv("PATH"), "XDG_CACHE_HOME="+cache)
		return cmd
	}
	requests := func() []string {
		found, err := filepath.Glob(filepath.Join(cache, "scriptspec", "jobs", "*", "*", "*", "request.json"))
		require.NoError(t, err)
		return found
	}
	c.make("hold", "Priority")
	first := driver()
	require.NoError(t, first.Start())
	require.Eventually(t, func() bool { return len(c.jobs("state")) == 1 && len(requests()) == 1 }, time.Minute, time.Millisecond)
	require.NoError(t, first.Process.Kill())
	require.Error(t, first.Wait())
	require.Len(t, requests(), 1)

	out, err := driver().CombinedOutput()
	require.NoError(t, err, string(out))
	require.Eventually(t, func() bool { // the reply decides, and may come before the state
		return slices.Equal(c.jobs("state"), []string{"CANCELLED", "COMPLETED"})
	}, time.Minute, time.Millisecond)
	entries, err := os.ReadDir(filepath.Join(cache, "scriptspec", "jobs"))
	require.NoError(t, err)
	assert.Empty(t, entries)
}

// What was asked for then is not what is asked for now: the job is ended before its node is run again.
func TestPipelineEndsOtherJobs(t *testing.T) {
	t.Parallel()
	c, f, g, driver := driven(t)
	first := driver()
	require.NoError(t, first.Start())
	assert.Equal(t, "A", g.await())
	require.NoError(t, first.Process.Kill())
	require.Error(t, first.Wait())

	write(t, filepath.Join(f.dir, "a.py"), "# edited\n"+counts)
	old := g.at["A"]
	second := driver()
	require.NoError(t, second.Start())
	assert.Equal(t, "A", g.await())
	_, err := old.Read(make([]byte, 1))
	require.True(t, errors.Is(err, io.EOF) || err != nil, "the old one has gone before")
	assert.Equal(t, "", strings.Join(c.jobs("scancelled"), ""))
	assert.Len(t, c.jobs("scancelled"), 1)
	for _, node := range []string{"A", "B", "C"} {
		if node != "A" {
			assert.Equal(t, node, g.await())
		}
		g.tell(node, "go on")
	}
	require.NoError(t, second.Wait())
	log, err := os.ReadFile(filepath.Join(f.dir, "log"))
	require.NoError(t, err)
	assert.Equal(t, "A\nA\nB\nC\n", string(log))
}

func TestPipelineEngineFile(t *testing.T) {
	t.Parallel()
	f := newFactory(t)
	f.node("A", joins, []string{"x"}, []string{"a"})
	f.p.Engine = scriptspec.PipelineEngine{Slurm: []string{"--partition=cpu"}, NodeSlurm: map[string][]string{"A": {"--gres=gpu:1", "-Cfast"}}}
	st, err := scriptspec.OpenStore(filepath.Join(f.dir, "data"), nil)
	require.NoError(t, err)
	defer st.Close()
	require.NoError(t, st.SavePipeline(f.p))
	p, err := st.LoadPipeline("p")
	require.NoError(t, err)
	assert.Equal(t, f.p.Engine, p.Engine)

	f.p.Engine = scriptspec.PipelineEngine{Slurm: []string{"job.sh"}, NodeSlurm: map[string][]string{"B": nil, "A": {"--array=1-3"}}}
	want := []problem{
		{"engine.slurm[0]", scriptspec.CodeFormat, "job.sh is not an option of sbatch"},
		{`engine.nodes["A"].slurm[0]`, scriptspec.CodeFormat, "--array is an option that the driver sets itself"},
		{`engine.nodes["B"]`, scriptspec.CodeUnknownNode, "there is no node B for these arguments"},
	}
	assert.Equal(t, want, problems(t, f.p.Validate()))
	assert.Equal(t, want, problems(t, st.SavePipeline(f.p)))
}
