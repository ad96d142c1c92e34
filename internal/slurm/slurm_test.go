package slurm

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec/internal/testprogram"
)

// fake makes programs of shell scripts, by name. Each notes its arguments, its environment and what it reads.
func fake(t *testing.T, programs map[string]string) (c *Client, noted func(file string) string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the programs are shell scripts")
	}
	dir := t.TempDir()
	for name, script := range programs {
		text := "#!/bin/sh\nhere=$(dirname \"$0\")\nprintf '%s\\n' \"$@\" >\"$here/args\"\nenv >\"$here/env\"\n" + script + "\n"
		testprogram.Write(t, filepath.Join(dir, name), text)
	}
	return New(dir), func(file string) string {
		data, err := os.ReadFile(filepath.Join(dir, file))
		require.NoError(t, err)
		return string(data)
	}
}

func TestSubmit(t *testing.T) {
	t.Parallel()
	c, noted := fake(t, map[string]string{"sbatch": `cat >"$here/script"; echo "sbatch: a note"; echo "17;east"; echo "a banner"`})
	id, err := c.Submit(t.Context(), Job{
		Name: "scriptspec-X", Output: "/shared/100%/job.log", Limit: 61 * time.Second, Warning: time.Minute, Memory: 1<<20 + 1,
		Args: []string{"--partition=gpu"}, Script: "#!/bin/sh\nexec true\n",
	})
	require.NoError(t, err)
	assert.Equal(t, "17", id, "the cluster follows the id")
	assert.Equal(t, strings.Fields(`--parsable --no-requeue --export=ALL --job-name=scriptspec-X --output=/shared/100%%/job.log --time=2
		--signal=B:USR1@60 --mem=2M --partition=gpu`), strings.Fields(noted("args")))
	assert.Equal(t, "#!/bin/sh\nexec true\n", noted("script"))
}

// What an outer job has set, and all that is not needed, stays here.
func TestEnvironment(t *testing.T) {
	for _, name := range []string{"SLURM_JOB_ID", "SBATCH_PARTITION", "SRUN_DEBUG", "API_TOKEN", "SQUEUE_FORMAT"} {
		t.Setenv(name, "outer-value")
	}
	t.Setenv("SLURM_CONF", "/etc/other/slurm.conf")
	c, noted := fake(t, map[string]string{"squeue": ""})
	_, err := c.List(t.Context())
	require.NoError(t, err)
	assert.NotContains(t, noted("env"), "outer-value")
	assert.Contains(t, noted("env"), "SLURM_CONF=/etc/other/slurm.conf")
}

func TestErrors(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		script string
		is     error
		text   string
	}{
		"refused": {`echo "sbatch: error: invalid partition specified: gpu" >&2
			echo "sbatch: error: Batch job submission failed: Invalid partition name specified" >&2; exit 1`, nil,
			"sbatch: invalid partition specified: gpu; Batch job submission failed: Invalid partition name specified"},
		"unknown option": {`echo "sbatch: unrecognized option '--patition=gpu'" >&2; echo 'Try "sbatch --help" for more information' >&2; exit 1`, nil,
			"sbatch: unrecognized option '--patition=gpu'"},
		"killed":        {`kill -9 $$`, ErrUnclear, "sbatch: whether the job was submitted is not known (signal: killed)"},
		"out of reach":  {`echo "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)" >&2; exit 1`, ErrUnreachable, "connect failure"},
		"too busy":      {`echo "sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying" >&2; exit 1`, ErrUnreachable, "temporarily"},
		"no id":         {`echo "Submitted batch job"`, ErrUnclear, "sbatch: printed no job id: Submitted batch job"},
		"without words": {`exit 3`, nil, "sbatch: exit status 3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := fake(t, map[string]string{"sbatch": test.script})
			_, err := c.Submit(t.Context(), Job{})
			require.ErrorContains(t, err, test.text)
			for _, kind := range []error{ErrUnreachable, ErrUnclear} {
				assert.Equal(t, test.is == kind, errors.Is(err, kind), "%v", kind)
			}
		})
	}
	_, err := New(t.TempDir()).Submit(t.Context(), Job{})
	require.ErrorIs(t, err, fs.ErrNotExist)
	ended, stop := context.WithCancelCause(t.Context())
	stop(errors.New("enough"))
	c, _ := fake(t, map[string]string{"squeue": ""})
	_, err = c.List(ended)
	assert.EqualError(t, err, "enough")
}

func TestList(t *testing.T) {
	t.Parallel()
	c, noted := fake(t, map[string]string{"squeue": `cat <<'X'
9|RUNNING|None|n1|scriptspec-A
10|CANCELLED by 0|None|n2|scriptspec-A
11|PENDING|Priority||a|b
noise
X`})
	jobs, err := c.List(t.Context())
	require.NoError(t, err)
	assert.Equal(t, map[string]Status{
		"9":  {ID: "9", Name: "scriptspec-A", State: "RUNNING", Reason: "None", Nodes: "n1"},
		"10": {ID: "10", Name: "scriptspec-A", State: "CANCELLED", Reason: "None", Nodes: "n2"},
		"11": {ID: "11", Name: "a|b", State: "PENDING", Reason: "Priority"},
	}, jobs)
	assert.Contains(t, noted("args"), "--states=all", "what has ended is told for some time")
	last, ok, err := c.Find(t.Context(), "scriptspec-A")
	require.NoError(t, err)
	assert.True(t, ok)
	assert.Equal(t, "10", last.ID, "by number")
	_, ok, err = c.Find(t.Context(), "scriptspec-B")
	require.NoError(t, err)
	assert.False(t, ok)
	assert.Equal(t, "CANCELLED on n2", last.String())
	assert.Equal(t, "PENDING (Priority)", jobs["11"].String())
}

func TestCancelAndKillWait(t *testing.T) {
	t.Parallel()
	c, noted := fake(t, map[string]string{"scancel": "", "scontrol": "echo 'KillOnBadExit = 0'; echo 'KillWait                = 30 sec'"})
	require.NoError(t, c.Cancel(t.Context(), "9", "scriptspec-A"))
	assert.Equal(t, "--quiet\n--name=scriptspec-A\n9\n", noted("args"))
	wait, err := c.KillWait(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 30*time.Second, wait)
	c, _ = fake(t, map[string]string{"scontrol": ""})
	_, err = c.KillWait(t.Context())
	assert.Error(t, err)
}

func TestStates(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"COMPLETED", "CANCELLED by 1000", "CANCELLED+", "FAILED", "TIMEOUT", "NODE_FAIL", "PREEMPTED", "BOOT_FAIL", "DEADLINE", "OUT_OF_MEMORY"} {
		assert.True(t, state(text).Ended(), text)
	}
	for _, text := range []string{"PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "SUSPENDED", "REQUEUED", "STAGE_OUT", string(Unknown), "NEW_STATE"} {
		assert.False(t, state(text).Ended(), text)
	}
	assert.True(t, Status{State: "PENDING", Reason: "PartitionTimeLimit"}.Never())
	assert.False(t, Status{State: "PENDING", Reason: "Resources"}.Never())
	assert.False(t, Status{State: "RUNNING", Reason: "BadConstraints"}.Never())
}

// watching has a watch's squeue say one thing after the other, and the last one for ever.
func watching(t *testing.T, says ...string) *Watch {
	t.Helper()
	var lines strings.Builder
	lines.WriteString("n=$(cat \"$here/n\" 2>/dev/null || echo 0); echo $((n + 1)) >\"$here/n\"\ncase $n in\n")
	for i, text := range says {
		pattern := string(rune('0' + i))
		if i == len(says)-1 {
			pattern = "*"
		}
		lines.WriteString(pattern + ") " + text + " ;;\n")
	}
	c, _ := fake(t, map[string]string{"squeue": lines.String() + "esac"})
	w := NewWatch(c)
	w.shortest = time.Millisecond
	return w
}

func say(lines ...string) string { return "printf '%s\\n' '" + strings.Join(lines, "' '") + "'" }

// next returns the next news of a job.
func next(t *testing.T, f *Follower) Status {
	t.Helper()
	const patience = time.Minute // for a program that does not end by itself
	select {
	case s := <-f.C:
		return s
	case <-time.After(patience):
		require.FailNow(t, "there is no news")
		return Status{}
	}
}

func TestWatch(t *testing.T) {
	t.Parallel()
	w := watching(t,
		say("1|PENDING|Priority||a", "2|RUNNING|None|n1|b"),
		"echo 'Unable to contact slurm controller' >&2; exit 1", // is no news
		say("1|RUNNING|None|n1|a"),                              // knows one of them for a moment only
		say("1|RUNNING|None|n1|a", "2|RUNNING|None|n1|b"),
		say("1|COMPLETED|None|n1|a", "2|RUNNING|None|n1|other"), // and has given an id out again
	)
	a, b := w.Follow("1", "a"), w.Follow("2", "b")
	for {
		status := next(t, a)
		if status.State.Ended() {
			assert.Equal(t, State("COMPLETED"), status.State)
			break
		}
		assert.Contains(t, []State{"PENDING", "RUNNING"}, status.State)
	}
	a.Stop()
	for {
		status := next(t, b)
		if status.State == Unknown {
			assert.Equal(t, "its id was given to another job", status.Reason)
			break
		}
		assert.Equal(t, State("RUNNING"), status.State)
	}
	b.Stop()
	again := w.Follow("1", "a")
	assert.Equal(t, State("COMPLETED"), next(t, again).State, "it asks again when it has stopped")
	again.Stop()
}

func TestWatchForgottenJob(t *testing.T) {
	t.Parallel()
	w := watching(t, "true", "true", say("1|RUNNING|None|n1|a"), "true")
	f := w.Follow("1", "a")
	defer f.Stop()
	assert.Equal(t, State("RUNNING"), next(t, f).State, "not known twice is not unknown")
	assert.Equal(t, Status{ID: "1", Name: "a", State: Unknown}, next(t, f))
}

// An answer that is no list of jobs does not say that there are none.
func TestListIsANotice(t *testing.T) {
	t.Parallel()
	c, _ := fake(t, map[string]string{"squeue": `echo "squeue: notice: maintenance tonight"`})
	_, err := c.List(t.Context())
	require.ErrorIs(t, err, ErrUnreachable)
	assert.ErrorContains(t, err, "maintenance tonight")
}
