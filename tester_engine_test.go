package scriptspec_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
	"github.com/scriptspec/scriptspec/internal/testprogram"
)

// helperDir has the command, for the nodes of clusters and for drivers, until all tests have ended.
var helperDir string

// built is the command. The tests do not import it: whoever imports this package would get its dependencies into go.sum.
var built = sync.OnceValues(func() (string, error) {
	var err error
	if helperDir, err = os.MkdirTemp("", "scriptspec-helper-"); err != nil {
		return "", err
	}
	program := filepath.Join(helperDir, "scriptspec")
	if out, err := goCommand("build", "-o", program, "./cmd/scriptspec").CombinedOutput(); err != nil {
		return string(out), err
	}
	return program, os.Chmod(helperDir, 0o755)
})

func command(t testing.TB) string {
	t.Helper()
	program, err := built()
	require.NoError(t, err, program)
	return program
}

// fakeCluster is a directory with the programs of Slurm, which run jobs here; see testdata/slurm.
type fakeCluster struct {
	t   *testing.T
	bin string
}

func newFakeCluster(t *testing.T) *fakeCluster {
	t.Helper()
	if !onLinux {
		t.Skip("the programs in testdata/slurm are of Linux")
	}
	c := &fakeCluster{t, t.TempDir()}
	testprogram.CopyAll(t, filepath.Join("testdata", "slurm"), c.bin)
	require.NoError(t, os.Mkdir(filepath.Join(c.bin, "state"), 0o700))
	t.Cleanup(func() { // the shells of jobs write their states
		require.Eventually(t, func() bool { return !slices.Contains(c.jobs("state"), "RUNNING") }, time.Minute, time.Millisecond)
	})
	return c
}

func (c *fakeCluster) engine() *scriptspec.Slurm {
	return &scriptspec.Slurm{Bin: c.bin, Dir: filepath.Join(c.bin, "shared"), Helper: []string{command(c.t), "node"}}
}

// make makes a call go wrong, once; see testdata/slurm/sbatch.
func (c *fakeCluster) make(wrong, text string) {
	c.t.Helper()
	write(c.t, filepath.Join(c.bin, wrong), text+"\n")
}

// jobs returns a file of each job, in the order of their submission.
func (c *fakeCluster) jobs(file string) []string {
	c.t.Helper()
	dirs, err := filepath.Glob(filepath.Join(c.bin, "state", "*", file))
	require.NoError(c.t, err)
	var list []string
	for _, dir := range dirs {
		data, err := os.ReadFile(dir)
		require.NoError(c.t, err)
		list = append(list, strings.TrimSpace(string(data)))
	}
	return list
}

// scriptOnSlurm is a spec with a script, and a tester that runs it on a fake cluster.
func scriptOnSlurm(t *testing.T, script string) (*fakeCluster, *scriptspec.ScriptExecutionSpec, *scriptspec.RuntimeTester) {
	t.Helper()
	c := newFakeCluster(t)
	return c, scripted(t, script), &scriptspec.RuntimeTester{Engine: c.engine(), Grace: 500 * time.Millisecond}
}

const writes = `
import os
def main(output_paths, job_args):
    for path in output_paths.values():
        with open(os.path.join(path, "out.txt"), "w") as f:
            f.write("x")
`

func TestEngineVerdicts(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]string{
		"passed":    writes + "    return [1.50, None]",
		"exception": "def main(output_paths):\n    raise ValueError('no rows')",
		"no output": "def main(output_paths):\n    pass",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, s, tester := scriptOnSlurm(t, script)
			remote, err := tester.TestScript(t.Context(), s)
			require.NoError(t, err)
			require.NoError(t, os.RemoveAll(s.OutputPaths["data_output"]))
			local, err := (&scriptspec.RuntimeTester{}).TestScript(t.Context(), s)
			require.NoError(t, err)
			for _, r := range []*scriptspec.ScriptTestResult{remote, local} {
				r.StartedAt, r.ExecutionTime, r.UserTime, r.SystemTime, r.ImportTime, r.PeakMemory = scriptspec.Timestamp{}, 0, 0, 0, 0, 0
			}
			assert.Equal(t, local, remote)
			assert.Len(t, c.jobs("name"), 1, "a verdict is not asked for again")
			assert.NoDirExists(t, filepath.Join(c.bin, "shared", "jobs", "1"))
		})
	}
}

// The driver's functions, and what only it can know.
func TestEngineOutputCheck(t *testing.T) {
	t.Parallel()
	_, s, tester := scriptOnSlurm(t, writes)
	tester.OutputCheck = func(name string, o scriptspec.OutputInfo) error {
		assert.Equal(t, s.OutputPaths[name], o.Path)
		return errors.New("too small")
	}
	r, err := tester.TestScript(t.Context(), s)
	require.NoError(t, err)
	assert.Equal(t, scriptspec.OutcomeNoOutput, r.Outcome)
	assert.False(t, r.Success)
	assert.Equal(t, "an output was refused by OutputCheck: 'data_output': too small", r.ErrorMessage)
}

// What a cluster does wrong is no verdict.
func TestEngineLostJobs(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		wrong, text string
		retries     int
		jobs        int
		err         string // "" if the script passes
	}{
		"node failed, tried again":      {"lose", "NODE_FAIL", 0, 2, ""},
		"preempted, not tried again":    {"lose", "PREEMPTED", -1, 1, "lost: job 1 ended before the script was started: PREEMPTED on fake"},
		"said failed and had submitted": {"drop", "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation", 0, 1, ""},
		"killed and had submitted":      {"drop", "", 0, 1, ""},
		"could not be reached, once":    {"fail", "sbatch: error: Unable to contact slurm controller (connect failure)", 0, 1, ""},
		"refused": {"fail", "sbatch: error: invalid partition specified: gpu", 0, 0,
			"a job cannot be submitted with --partition=gpu: sbatch: invalid partition specified: gpu"},
		"cannot begin": {"hold", "PartitionTimeLimit", 0, 1,
			"job 1 cannot begin with --partition=gpu: PENDING (PartitionTimeLimit) on fake; it was cancelled"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, s, tester := scriptOnSlurm(t, writes)
			tester.Engine.LostRetries, tester.Engine.Args = test.retries, []string{"--partition=gpu"}
			require.NoError(t, os.WriteFile(filepath.Join(c.bin, test.wrong), []byte(test.text), 0o600))
			r, err := tester.TestScript(t.Context(), s)
			assert.Len(t, c.jobs("name"), test.jobs)
			if test.err == "" {
				require.NoError(t, err)
				assert.True(t, r.Success, "%v", r)
				return
			}
			require.ErrorContains(t, err, test.err)
			assert.Equal(t, test.wrong == "lose", errors.Is(err, scriptspec.ErrLost))
		})
	}
}

// A job that squeue leaves out of the list of all is looked for by its name before it is called lost: it runs once.
func TestEngineLeftOut(t *testing.T) {
	t.Parallel()
	c, g, s, tester := gated(t)
	c.make("hidden", "")
	done := make(chan *scriptspec.ScriptTestResult, 1)
	go func() {
		r, err := tester.TestScript(t.Context(), s)
		assert.NoError(t, err)
		done <- r
	}()
	g.await()
	require.Eventually(t, func() bool { _, err := os.Stat(filepath.Join(c.bin, "asked")); return err == nil }, time.Minute, time.Millisecond)
	g.tell("A", "go on")
	assert.True(t, (<-done).Success)
	assert.Len(t, c.jobs("name"), 1)
}

// A job that waits in the queue says why, and is no verdict.
func TestEnginePending(t *testing.T) {
	t.Parallel()
	c, s, tester := scriptOnSlurm(t, writes)
	c.make("hold", "Priority")
	ctx, stop := context.WithCancelCause(t.Context())
	var said []string
	enough := errors.New("enough")
	tester.Observer = func(e scriptspec.Event) {
		if e.Kind == scriptspec.EventPending {
			said = append(said, e.Name+": "+e.Reason)
			stop(enough)
		}
	}
	_, err := tester.TestScript(ctx, s)
	require.ErrorIs(t, err, enough)
	assert.Equal(t, []string{s.StepName + ": PENDING (Priority) on fake"}, said)
	assert.Equal(t, []string{"CANCELLED"}, c.jobs("state"))
}

// gated is a script that waits for the test, on a fake cluster.
func gated(t *testing.T) (*fakeCluster, *gate, *scriptspec.ScriptExecutionSpec, *scriptspec.RuntimeTester) {
	t.Helper()
	c, s, tester := scriptOnSlurm(t, waits)
	g := newGate(t)
	s.AddJobArg("port", g.listener.Addr().(*net.TCPAddr).Port)
	s.AddJobArg("job_type", "A")
	return c, g, s, tester
}

func TestEngineCancel(t *testing.T) {
	t.Parallel()
	c, g, s, tester := gated(t)
	ctx, stop := context.WithCancelCause(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := tester.TestScript(ctx, s)
		done <- err
	}()
	g.await()
	enough := errors.New("enough")
	stop(enough)
	require.ErrorIs(t, <-done, enough)
	g.gone("A")
	assert.Len(t, c.jobs("scancelled"), 1)
}

// A job that others have cancelled is lost, though its helper has replied and though the script had the signal too.
func TestEngineForeignCancel(t *testing.T) {
	t.Parallel()
	c, g, s, tester := gated(t)
	tester.Engine.LostRetries = -1
	done := make(chan error, 1)
	go func() {
		_, err := tester.TestScript(t.Context(), s)
		done <- err
	}()
	g.await()
	c.scancel("1")
	err := <-done
	require.ErrorIs(t, err, scriptspec.ErrLost)
	assert.ErrorContains(t, err, "job 1 was ended by SIGTERM: CANCELLED on fake")
	g.gone("A")
}

// A squeue that fails is not news.
func TestEngineUnreachable(t *testing.T) {
	t.Parallel()
	c, g, s, tester := gated(t)
	done := make(chan *scriptspec.ScriptTestResult, 1)
	go func() {
		r, err := tester.TestScript(t.Context(), s)
		assert.NoError(t, err)
		done <- r
	}()
	g.await()
	c.make("down", "slurm_load_jobs error: Unable to contact slurm controller (connect failure)")
	g.tell("A", "go on")
	assert.True(t, (<-done).Success)
}

// A job of which the cluster knows nothing any more is lost, and what may be left of it is told to end.
func TestEngineForgotten(t *testing.T) {
	t.Parallel()
	c, g, s, tester := gated(t)
	tester.Engine.LostRetries = -1
	done := make(chan error, 1)
	go func() {
		_, err := tester.TestScript(t.Context(), s)
		done <- err
	}()
	g.await()
	c.make("gone", "")
	err := <-done
	require.ErrorIs(t, err, scriptspec.ErrLost)
	assert.ErrorContains(t, err, "job 1 ended without a reply and is not known to Slurm any more")
	g.gone("A")
	assert.Len(t, c.jobs("scancelled"), 1)
}

// No value is in a file, an argument or the environment of a job while it runs, nor afterwards.
func TestEngineSecrets(t *testing.T) {
	t.Parallel()
	c, g, s, tester := gated(t)
	s.AddEnvironVar("API_TOKEN", sentinel)
	tester.LogDir = filepath.Join(c.bin, "logs")
	done := make(chan *scriptspec.ScriptTestResult, 1)
	go func() {
		r, err := tester.TestScript(t.Context(), s)
		assert.NoError(t, err)
		done <- r
	}()
	g.await()
	none := func() {
		t.Helper()
		files := 0
		require.NoError(t, filepath.WalkDir(c.bin, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			data, err := os.ReadFile(path)
			files++
			assert.NotContains(t, string(data), sentinel, path)
			return err
		}))
		assert.Greater(t, files, 8)
	}
	none()
	g.tell("A", "go on")
	assert.True(t, (<-done).Success)
	none()
}

// A script has the environment that it would have here, without what Slurm sets but for the job's id, and the devices
// of its node.
func TestEngineEnvironment(t *testing.T) {
	t.Setenv("SLURM_JOB_ID", "77")
	t.Setenv("SBATCH_ACCOUNT", "outer")
	t.Setenv("SLURM_NTASKS_PER_NODE", "9")
	t.Setenv("CUDA_VISIBLE_DEVICES", "0,1")
	t.Setenv("SCRIPTSPEC_OTHER", "kept")
	c, s, tester := scriptOnSlurm(t, writes+`    names = [n for n in os.environ if n.startswith(("SLURM", "SBATCH", "CUDA", "SCRIPTSPEC_OTHER", "MINE"))]
    return {n: os.environ[n] for n in names}`)
	s.AddEnvironVar("MINE", "yes")
	r, err := tester.TestScript(t.Context(), s)
	require.NoError(t, err)
	require.True(t, r.Success, r.Details())
	assert.JSONEq(t, `{"SLURM_JOB_ID": "1", "CUDA_VISIBLE_DEVICES": "3", "SCRIPTSPEC_OTHER": "kept", "MINE": "yes"}`, string(r.ReturnValue))
	assert.NotContains(t, c.jobs("env")[0], "SBATCH_ACCOUNT")
	assert.NotContains(t, c.jobs("env")[0], "SCRIPTSPEC_OTHER", "nothing of it is exported to the job")
}

// The specs of a store, with outputs on the shared file system unless it is said where.
func TestEngineSuite(t *testing.T) {
	t.Parallel()
	c, s, tester := scriptOnSlurm(t, writes)
	st, err := scriptspec.OpenStore(t.TempDir(), nil)
	require.NoError(t, err)
	defer st.Close()
	require.NoError(t, st.Save(s))
	r, err := tester.TestStore(t.Context(), st, nil)
	require.NoError(t, err)
	require.Len(t, r.Specs, 1)
	require.True(t, r.Success, "%v", r.Specs[0])
	assert.Equal(t, filepath.Join(c.bin, "shared"), filepath.Dir(filepath.Dir(r.Specs[0].Result.Outputs["data_output"].Path)))

	tester.Engine.LostRetries = -1
	ended := make(chan scriptspec.Event, 1)
	tester.Observer = func(e scriptspec.Event) {
		if e.Kind == scriptspec.EventFinished {
			ended <- e
		}
	}
	c.make("lose", "PREEMPTED")
	r, err = tester.TestStore(t.Context(), st, nil)
	require.NoError(t, err)
	assert.False(t, r.Success)
	assert.Equal(t, scriptspec.NodeLost, r.Specs[0].Status)
	assert.Equal(t, scriptspec.NodeLost, (<-ended).Status)
	assert.Contains(t, r.Specs[0].Error, "lost: job 2 ended before the script was started: PREEMPTED on fake")
	entries, err := os.ReadDir(filepath.Join(c.bin, "shared", "jobs"))
	require.NoError(t, err)
	assert.Empty(t, entries)
}

// A grace that Slurm would cut off is refused, and the usual one shortened.
func TestEngineGrace(t *testing.T) {
	t.Parallel()
	c, s, tester := scriptOnSlurm(t, writes)
	testprogram.Write(t, filepath.Join(c.bin, "scontrol"), "#!/bin/sh\necho 'KillWait = 5 sec'\n")
	tester.Grace = 6 * time.Second
	_, err := tester.TestScript(t.Context(), s)
	fe, ok := errors.AsType[*scriptspec.FieldError](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, "RuntimeTester.Grace", fe.Path)
	assert.Empty(t, c.jobs("name"))
	r, err := (&scriptspec.RuntimeTester{Engine: c.engine()}).TestScript(t.Context(), s)
	require.NoError(t, err)
	assert.True(t, r.Success)
}

func TestEngineArguments(t *testing.T) {
	t.Parallel()
	c, s, tester := scriptOnSlurm(t, writes)
	tester.Engine.Args = []string{"--partition=gpu", "-Achurn"}
	s.Timeout, s.MaxMemory = 90, 1<<30
	r, err := tester.TestScript(t.Context(), s)
	require.NoError(t, err)
	require.True(t, r.Success, r.Details())
	args := strings.Split(c.jobs("args")[0], "\n")
	assert.Subset(t, args, []string{"--no-requeue", "--time=4", "--mem=1088M", "--signal=B:USR1@60"})
	assert.Equal(t, tester.Engine.Args, args[len(args)-2:], "they count before the others")

	tester.Engine.Args = []string{"--mem=2G", "job.sh", "--job-name=x", "-o", "", "--job-n=x", "-HJx", "--uid=1"}
	_, err = tester.TestScript(t.Context(), s)
	assert.Equal(t, []problem{
		{"slurm.args[1]", scriptspec.CodeFormat, "job.sh is not an option of sbatch"},
		{"slurm.args[2]", scriptspec.CodeFormat, "--job-name is an option that the driver sets itself"},
		{"slurm.args[3]", scriptspec.CodeFormat, "-o is an option that the driver sets itself"},
		{"slurm.args[4]", scriptspec.CodeFormat, " is not an option of sbatch"},
		{"slurm.args[5]", scriptspec.CodeFormat, "--job-name is an option that the driver sets itself"},
		{"slurm.args[6]", scriptspec.CodeFormat, "-J is an option that the driver sets itself"},
		{"slurm.args[7]", scriptspec.CodeFormat, "--uid is an option that the driver sets itself"},
	}, problems(t, errors.Unwrap(err)))
}

// A helper takes a request once, and replies to one of another version with both.
func TestRunNode(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	err := scriptspec.RunNode(t.Context(), filepath.Join(dir, "gone"))
	require.ErrorIs(t, err, fs.ErrNotExist)
	write(t, filepath.Join(dir, "request.json"), `{"version": 99, "token": "scriptspec-X", "unknown": {}}`)
	require.NoError(t, scriptspec.RunNode(t.Context(), dir))
	text, err := os.ReadFile(filepath.Join(dir, "result.json"))
	require.NoError(t, err)
	var reply struct {
		Version      int
		Token, Error string
	}
	require.NoError(t, json.Unmarshal(text, &reply))
	assert.Equal(t, "scriptspec-X", reply.Token)
	assert.Contains(t, reply.Error, "the driver speaks version 99 of the protocol with compute nodes, and the helper there version 1")
	assert.Error(t, scriptspec.RunNode(t.Context(), dir), "it is taken")
	assert.NoFileExists(t, filepath.Join(dir, "request.json"))
}

// scancel cancels a job as somebody else does.
func (c *fakeCluster) scancel(id string) {
	c.t.Helper()
	name, err := os.ReadFile(filepath.Join(c.bin, "state", id, "name"))
	require.NoError(c.t, err)
	out, err := exec.Command(filepath.Join(c.bin, "scancel"), "--quiet", "--name="+string(name), id).CombinedOutput()
	require.NoError(c.t, err, string(out))
}
