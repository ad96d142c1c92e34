package scriptspec_test

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// The tests whose names begin with TestSlurm need a cluster: bash .ci/slurm.

// needsCluster skips a test where there is no cluster, but not in .ci/slurm.
func needsCluster(t testing.TB) {
	t.Helper()
	if os.Getenv("SLURM_CONF") == "" {
		require.Empty(t, os.Getenv("SCRIPTSPEC_TEST_SLURM"), "SLURM_CONF is to name a cluster")
		t.Skip("needs a Slurm cluster: bash .ci/slurm")
	}
}

func onSlurm(t testing.TB) *scriptspec.Slurm {
	t.Helper()
	needsCluster(t)
	return &scriptspec.Slurm{Helper: []string{command(t), "node"}, Dir: t.TempDir(), Args: []string{"--mem=300M"}}
}

// cluster is one of a test's own.
type cluster struct {
	t   *testing.T
	dir string
}

// ownCluster starts a cluster whose parts a test may kill. Settings are those of .ci/slurm-up.sh.
func ownCluster(t *testing.T, settings ...string) (*cluster, *scriptspec.Slurm) {
	t.Helper()
	engine := onSlurm(t)
	c := &cluster{t, t.TempDir()}
	require.NoError(t, os.Chmod(filepath.Dir(c.dir), 0o755)) //nolint:gosec // the sockets are for everyone
	up := exec.Command("bash", ".ci/slurm-up.sh", c.dir)
	up.Env = append(os.Environ(), append(settings, "PREFIX="+os.Getenv("PREFIX")+"own")...)
	out, err := up.Output()
	t.Cleanup(func() {
		down := exec.Command("bash", ".ci/slurm-down.sh", c.dir)
		down.Env = append(os.Environ(), "KEEP=1")
		assert.NoError(t, down.Run())
	})
	require.NoError(t, err, string(out))
	t.Setenv("SLURM_CONF", filepath.Join(c.dir, "slurm.conf"))
	return c, engine
}

func (c *cluster) pid(daemon string) int {
	c.t.Helper()
	text, err := os.ReadFile(filepath.Join(c.dir, "run", daemon+".mypid"))
	require.NoError(c.t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	require.NoError(c.t, err)
	return pid
}

// killDaemon kills a daemon and waits until its number is free; the shell that has started it is gone.
func (c *cluster) killDaemon(name string) {
	c.t.Helper()
	pid := c.pid(name)
	require.NoError(c.t, syscall.Kill(pid, syscall.SIGKILL))
	require.Eventually(c.t, func() bool {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		return err != nil || strings.Contains(string(stat), ") Z ")
	}, 10*time.Second, 10*time.Millisecond)
}

// startController starts slurmctld again, from the state that it has.
func (c *cluster) startController() {
	c.t.Helper()
	cmd := exec.Command("slurmctld", "-D")
	require.NoError(c.t, cmd.Start())
	go cmd.Wait() //nolint:errcheck // it is killed
	require.NoError(c.t, os.WriteFile(filepath.Join(c.dir, "run", "slurmctld.mypid"), []byte(strconv.Itoa(cmd.Process.Pid)), 0o600))
}

// processes returns those whose command line has a text.
func processes(t *testing.T, text string) (pids []int) {
	t.Helper()
	dirs, err := filepath.Glob("/proc/[0-9]*")
	require.NoError(t, err)
	for _, dir := range dirs {
		line, err := os.ReadFile(filepath.Join(dir, "cmdline"))
		if err == nil && strings.Contains(strings.ReplaceAll(string(line), "\x00", " "), text) {
			pid, err := strconv.Atoi(filepath.Base(dir))
			require.NoError(t, err)
			pids = append(pids, pid)
		}
	}
	return pids
}

func slurmSays(t *testing.T, program string, args ...string) string {
	t.Helper()
	out, err := exec.Command(program, args...).CombinedOutput()
	require.NoError(t, err, string(out))
	return string(out)
}

// Every outcome is the same here and on a compute node.
func TestSlurmOutcomes(t *testing.T) {
	t.Parallel()
	engine := onSlurm(t)
	for name, want := range endings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, tester := fixture(t, name), &scriptspec.RuntimeTester{Engine: engine}
			prepareFixture(s, tester)
			result, err := tester.TestScript(t.Context(), s)
			require.NoError(t, err)
			want.check(t, result)
			assert.NotEmpty(t, result.StartedAt)
		})
	}
}

// What bounds the memory of a job bounds the script: it has run out of memory, and was not ended by somebody.
func TestSlurmMemoryOfTheJob(t *testing.T) {
	t.Parallel()
	engine := onSlurm(t)
	engine.Args = []string{"--mem=100M"}
	if !strings.Contains(slurmSays(t, "scontrol", "show", "config"), "proctrack/cgroup") {
		t.Skip("the cluster bounds no memory")
	}
	s := scripted(t, "def main(output_paths):\n    x = []\n    while True:\n        x.append(bytearray(b'x' * (1 << 20)))")
	r, err := (&scriptspec.RuntimeTester{Engine: engine}).TestScript(t.Context(), s)
	require.NoError(t, err)
	assert.Equal(t, scriptspec.OutcomeMemory, r.Outcome, r.Details())
	assert.Equal(t, "took more memory than its job has, 100 MiB; ask for more with --mem", r.ErrorMessage)
}

// daemon is a script that leaves its session, does not heed signals, and starts others like it; marked by its argument.
const daemon = waits + `
import signal, subprocess, sys
inner = main
child = """
import os, signal, sys, time
for s in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP): signal.signal(s, signal.SIG_IGN)
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
time.sleep(3600)
"""
def main(input_paths, output_paths, environ_vars, job_args):
    for s in (signal.SIGTERM, signal.SIGINT):
        signal.signal(s, signal.SIG_IGN)
    subprocess.run([sys.executable, "-c", child, job_args.mark], env={}, start_new_session=True)
    while True:
        try:
            inner(input_paths, output_paths, environ_vars, job_args)
        except BaseException:
            pass
`

// Nothing is left, whoever ends a job and however Slurm finds its processes.
func TestSlurmLeavesNothing(t *testing.T) {
	for _, track := range []string{"cgroup", "linuxproc"} {
		t.Run(track, func(t *testing.T) {
			if _, err := os.Stat("/sys/fs/cgroup/freezer"); err != nil && track == "cgroup" {
				t.Skip("needs control groups of version 1")
			}
			_, engine := ownCluster(t, "PROCTRACK="+track, "KILL_WAIT=5")
			engine.LostRetries = -1
			for name, test := range map[string]struct {
				timeout time.Duration
				end     func(t *testing.T, stop context.CancelCauseFunc)
				check   func(t *testing.T, r *scriptspec.ScriptTestResult, err error)
			}{
				"timeout": {3 * time.Second, func(*testing.T, context.CancelCauseFunc) {}, func(t *testing.T, r *scriptspec.ScriptTestResult, err error) {
					require.NoError(t, err)
					assert.Equal(t, scriptspec.OutcomeTimeout, r.Outcome)
				}},
				"cancel": {0, func(_ *testing.T, stop context.CancelCauseFunc) { stop(errEnough) }, func(t *testing.T, _ *scriptspec.ScriptTestResult, err error) {
					require.ErrorIs(t, err, errEnough)
				}},
				"scancel by others": {0, func(t *testing.T, _ context.CancelCauseFunc) { slurmSays(t, "scancel", "--me") }, func(t *testing.T, _ *scriptspec.ScriptTestResult, err error) {
					require.ErrorIs(t, err, scriptspec.ErrLost)
					assert.ErrorContains(t, err, "CANCELLED")
				}},
			} {
				t.Run(name, func(t *testing.T) {
					s, g := scripted(t, daemon), newGate(t)
					mark := "mark-" + filepath.Base(t.TempDir()) + "-" + strconv.Itoa(os.Getpid()) + strings.ReplaceAll(t.Name(), "/", "-")
					s.AddJobArg("mark", mark)
					s.AddJobArg("job_type", "A")
					s.AddJobArg("port", g.listener.Addr().(*net.TCPAddr).Port)
					tester := &scriptspec.RuntimeTester{Engine: engine, Timeout: test.timeout, Grace: time.Second}
					ctx, stop := context.WithCancelCause(t.Context())
					done := make(chan struct{})
					var r *scriptspec.ScriptTestResult
					var err error
					go func() {
						defer close(done)
						r, err = tester.TestScript(ctx, s)
					}()
					g.await()
					require.Eventually(t, func() bool { return len(processes(t, mark)) > 0 }, 10*time.Second, time.Millisecond, "it forks")
					test.end(t, stop)
					<-done
					test.check(t, r, err)
					assert.Empty(t, processes(t, mark), "when the tester has returned")
				})
			}
		})
	}
}

var errEnough = errors.New("enough")

// inBackground runs a gated script, and returns what ends it.
func inBackground(t *testing.T, tester *scriptspec.RuntimeTester) (*gate, <-chan *scriptspec.ScriptTestResult, <-chan error) {
	t.Helper()
	s, g := scripted(t, waits), newGate(t)
	s.AddJobArg("job_type", "A")
	s.AddJobArg("port", g.listener.Addr().(*net.TCPAddr).Port)
	results, errs := make(chan *scriptspec.ScriptTestResult, 1), make(chan error, 1)
	go func() {
		r, err := tester.TestScript(t.Context(), s)
		results <- r
		errs <- err
	}()
	return g, results, errs
}

// A node that dies takes its job with it, and the script is run again on another.
func TestSlurmLostNode(t *testing.T) {
	c, engine := ownCluster(t, "SLURMD_TIMEOUT=5")
	g, results, errs := inBackground(t, &scriptspec.RuntimeTester{Engine: engine})
	g.await()
	node := strings.TrimSpace(slurmSays(t, "squeue", "-h", "-o", "%N"))
	first := g.at["A"]
	c.killDaemon("slurmd-" + node)
	for _, pid := range append(processes(t, "slurmstepd: ["), processes(t, engine.Helper[0]+" node "+engine.Dir)...) {
		_ = syscall.Kill(pid, syscall.SIGKILL) // some end with others
	}
	_, err := first.Read(make([]byte, 1))
	require.Error(t, err)
	g.await()
	g.tell("A", "go on")
	r := <-results
	require.NoError(t, <-errs)
	assert.True(t, r.Success, r.Details())
	assert.Contains(t, slurmSays(t, "squeue", "-h", "-t", "all", "-o", "%T %N"), "NODE_FAIL")
}

// So does a job whose stepd has died. It is lost, not failed.
func TestSlurmLostStep(t *testing.T) {
	_, engine := ownCluster(t)
	engine.LostRetries = -1
	g, _, errs := inBackground(t, &scriptspec.RuntimeTester{Engine: engine})
	g.await()
	for _, pid := range append(processes(t, "slurmstepd: ["), processes(t, engine.Helper[0]+" node "+engine.Dir)...) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	require.ErrorIs(t, <-errs, scriptspec.ErrLost)
	g.gone("A")
}

// A preempted job is lost, and run again when its turn comes.
func TestSlurmPreempted(t *testing.T) {
	_, engine := ownCluster(t, "NODES=1", "CPUS=1", "EXTRA_CONF=PreemptType=preempt/partition_prio\nPreemptMode=CANCEL\n"+
		"PartitionName=low Nodes=ALL PriorityTier=1 MaxTime=INFINITE State=UP\nPartitionName=high Nodes=ALL PriorityTier=10 MaxTime=INFINITE State=UP")
	engine.Args = append(engine.Args, "--partition=low")
	g, results, errs := inBackground(t, &scriptspec.RuntimeTester{Engine: engine, Grace: time.Second})
	g.await()
	slurmSays(t, "sbatch", "--partition=high", "--mem=100M", "--output=/dev/null", "--wrap", "sleep 1")
	g.gone("A")
	g.await()
	assert.Contains(t, slurmSays(t, "squeue", "-h", "-t", "all", "-o", "%T"), "PREEMPTED")
	g.tell("A", "go on")
	r := <-results
	require.NoError(t, <-errs)
	assert.True(t, r.Success, r.Details())
}

// A slurmctld that is down is no verdict, neither for what runs nor for what is to be submitted.
func TestSlurmControllerDown(t *testing.T) {
	c, engine := ownCluster(t)
	tester := &scriptspec.RuntimeTester{Engine: engine}
	g, results, errs := inBackground(t, tester)
	g.await()
	c.killDaemon("slurmctld")
	later, laterResults, laterErrs := inBackground(t, tester)
	time.Sleep(6 * time.Second) // so long it is down
	c.startController()
	g.tell("A", "go on")
	later.await()
	later.tell("A", "go on")
	for _, end := range []struct {
		results <-chan *scriptspec.ScriptTestResult
		errs    <-chan error
	}{{results, errs}, {laterResults, laterErrs}} {
		r := <-end.results
		require.NoError(t, <-end.errs)
		assert.True(t, r.Success, r.Details())
	}
	assert.Len(t, strings.Fields(slurmSays(t, "squeue", "-h", "-t", "all", "-o", "%A")), 2)
}

// A slurmctld that has lost what it knew gives ids out again: that of a job is not believed without its name.
func TestSlurmIDsGivenOutAgain(t *testing.T) {
	c, engine := ownCluster(t)
	state, kept := filepath.Join(c.dir, "state"), filepath.Join(c.dir, "kept")
	slurmSays(t, "scontrol", "reconfigure") // writes its state
	require.Eventually(t, func() bool {     // while slurmctld does not write there
		return os.RemoveAll(kept) == nil && os.CopyFS(kept, os.DirFS(state)) == nil
	}, 10*time.Second, 100*time.Millisecond)
	engine.LostRetries = -1
	g, _, errs := inBackground(t, &scriptspec.RuntimeTester{Engine: engine, Grace: time.Second})
	g.await()
	id := strings.TrimSpace(slurmSays(t, "squeue", "-h", "-o", "%A"))
	c.killDaemon("slurmctld")
	require.NoError(t, os.RemoveAll(state))
	require.NoError(t, os.CopyFS(state, os.DirFS(kept)))
	c.startController()
	other := ""
	require.Eventually(t, func() bool {
		out, err := exec.Command("sbatch", "--parsable", "--mem=50M", "--output=/dev/null", "--wrap", "sleep 60").Output()
		other = strings.TrimSpace(string(out))
		return err == nil
	}, 30*time.Second, 100*time.Millisecond)
	require.Equal(t, id, other)
	require.ErrorIs(t, <-errs, scriptspec.ErrLost)
	g.gone("A") // by Slurm, or as its driver has given it up
	assert.NotContains(t, slurmSays(t, "squeue", "-h", "-t", "all", "-j", other, "-o", "%T"), "CANCELLED", "the other's job is left alone")
}

// No value is in any file of a job, in what Slurm knows of it, or on a command line.
func TestSlurmSecrets(t *testing.T) {
	t.Parallel()
	engine := onSlurm(t)
	s, g := scripted(t, waits), newGate(t)
	s.AddJobArg("job_type", "A")
	s.AddJobArg("port", g.listener.Addr().(*net.TCPAddr).Port)
	s.AddEnvironVar("API_TOKEN", sentinel)
	done := make(chan error, 1)
	go func() {
		_, err := (&scriptspec.RuntimeTester{Engine: engine, LogDir: filepath.Join(engine.Dir, "logs")}).TestScript(t.Context(), s)
		done <- err
	}()
	g.await()
	var id string
	none := func() {
		require.NoError(t, filepath.WalkDir(engine.Dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			data, err := os.ReadFile(path)
			assert.NotContains(t, string(data), sentinel, path)
			if filepath.Base(path) == "begun" {
				id = strings.Split(string(data), `"`)[3]
			}
			return err
		}))
	}
	none()
	require.NotEmpty(t, id)
	assert.NotContains(t, slurmSays(t, "scontrol", "show", "job", "-dd", id), sentinel)
	assert.NotContains(t, slurmSays(t, "scontrol", "write", "batch_script", id, "-"), sentinel)
	assert.Empty(t, processes(t, sentinel))
	g.tell("A", "go on")
	require.NoError(t, <-done)
	none()
}
