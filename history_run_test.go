package scriptspec_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// recordedRun runs a spec and returns its last record.
func recordedRun(t *testing.T, tester *scriptspec.RuntimeTester, s scriptspec.Spec) (*scriptspec.ScriptTestResult, scriptspec.Record) {
	t.Helper()
	result, err := tester.TestScript(t.Context(), s)
	require.NoError(t, err)
	require.NoError(t, tester.History.Err())
	all, errs := records(tester.History, nil)
	require.Empty(t, errs)
	require.NotEmpty(t, all)
	return result, all[len(all)-1]
}

const writesData = `import os
def main(input_paths, output_paths, environ_vars, job_args):
    with open(output_paths["data_output"] + "/x.csv", "w") as f:
        f.write(open(input_paths["data_input"]).read())
`

func TestHistoryRecordsRuns(t *testing.T) {
	t.Parallel()
	python := python(t)
	s := onDisk(t)
	write(t, s.ScriptPath, writesData)
	s.AddEnvironVar("MODE", "quick")
	s.AddJobArg("rows", 3)
	tester := &scriptspec.RuntimeTester{Python: python, History: openStore(t, t.TempDir(), nil).History()}
	result, first := recordedRun(t, tester, s)
	require.True(t, result.Success, "%s", result.Details())
	assert.NotEmpty(t, first.Run)
	assert.Equal(t, "tabular_preprocessing", first.ScriptName)
	assert.Equal(t, "TabularPreprocessing_training", first.StepName)
	assert.Equal(t, 1, first.Attempt)
	assert.Equal(t, scriptspec.OutcomePassed, first.Outcome)
	assert.InDelta(t, result.ExecutionTime.Seconds(), first.Duration.Seconds(), 1e-6)
	assert.Equal(t, result.PeakMemory, first.PeakMemory)
	assert.Equal(t, result.Interpreter.Version, first.Python)
	assert.Equal(t, runtime.GOOS+"/"+runtime.GOARCH, first.Platform)
	assert.False(t, first.At.Before(result.StartedAt.Time))
	assert.Equal(t, int64(8), first.InputBytes)
	assert.Equal(t, int64(8), first.Outputs["data_output"].Bytes)
	assert.Equal(t, 1, first.Outputs["data_output"].Files)
	for what, digest := range map[string]string{
		"spec": first.SpecDigest, "script": first.ScriptDigest, "inputs": first.InputDigest, "output": first.Outputs["data_output"].Digest,
	} {
		assert.Regexp(t, `^[0-9a-f]{16}$`, digest, what)
	}

	digests := func() [4]string {
		_, r := recordedRun(t, tester, s)
		return [4]string{r.SpecDigest, r.ScriptDigest, r.InputDigest, r.Outputs["data_output"].Digest}
	}
	before := digests()
	assert.Equal(t, [4]string{first.SpecDigest, first.ScriptDigest, first.InputDigest, first.Outputs["data_output"].Digest}, before, "the same again")
	differ := func(what string) (differs [4]bool) {
		t.Helper()
		now := digests()
		for i := range now {
			differs[i] = now[i] != before[i]
			assert.NotEmpty(t, now[i], what)
		}
		before = now
		return differs
	}
	s.AddEnvironVar("MODE", "thorough")
	s.Description = "says more"
	s.AddOutputPath("data_output", filepath.Join(t.TempDir(), "elsewhere"))
	assert.Equal(t, [4]bool{}, differ("values of variables, texts and places do not count"))
	s.AddEnvironVar("LEVEL", "1")
	assert.Equal(t, [4]bool{true}, differ("a further variable"))
	s.AddJobArg("rows", 4)
	assert.Equal(t, [4]bool{true}, differ("a job argument"))
	write(t, s.ScriptPath, writesData+"# changed\n")
	assert.Equal(t, [4]bool{false, true}, differ("the script"))
	write(t, s.InputPaths["data_input"], "a,b\n1,3\n")
	assert.Equal(t, [4]bool{false, false, true, true}, differ("an input"))
}

func TestHistoryRecordsFailures(t *testing.T) {
	t.Parallel()
	python := python(t)
	dir := t.TempDir()
	script := filepath.Join(dir, "scripts", "prep.py")
	write(t, script, "import json\n\n\ndef main(job_args):\n    json.loads('{')\n")
	s := scriptspec.New("prep", "Prep_training", script)
	s.Retries = 1
	st := openStore(t, filepath.Join(dir, "testdata"), &scriptspec.StoreOptions{Base: dir})
	tester := &scriptspec.RuntimeTester{Python: python, History: st.History()}
	_, r := recordedRun(t, tester, s)
	assert.Equal(t, scriptspec.OutcomeException, r.Outcome)
	assert.Equal(t, "JSONDecodeError", r.ErrorType)
	assert.Equal(t, "scripts/prep.py:5", r.ErrorAt, "the line of the script, not of the module")
	all, _ := records(tester.History, nil)
	require.Len(t, all, 2)
	assert.Equal(t, 1, all[0].Attempt)
	assert.Equal(t, 2, all[1].Attempt)
	assert.Equal(t, all[0].Run, all[1].Run)
	s.ScriptPath = filepath.Join(dir, "none.py")
	_, r = recordedRun(t, tester, s)
	assert.Equal(t, scriptspec.OutcomeScriptMissing, r.Outcome)
	assert.Empty(t, r.ScriptDigest)
}

// A suite says which example it was, and how it had to end.
func TestHistoryRecordsSuites(t *testing.T) {
	t.Parallel()
	python := python(t)
	dir := t.TempDir()
	st := openStore(t, dir, nil)
	s := onDisk(t)
	write(t, s.ScriptPath, writesData)
	s.Examples = []scriptspec.Example{{Name: "no_file", InputPaths: map[string]string{"data_input": "none.csv"}, Expect: scriptspec.OutcomeInputMissing}}
	require.NoError(t, st.Save(s))
	tester := &scriptspec.RuntimeTester{Python: python, History: st.History()}
	result, err := tester.TestStore(t.Context(), st, nil)
	require.NoError(t, err)
	require.True(t, result.Success)
	all, errs := records(st.History(), nil)
	require.Empty(t, errs)
	require.Len(t, all, 2)
	for _, r := range all {
		assert.True(t, r.Passed())
		assert.Equal(t, all[0].Run, r.Run)
		assert.Equal(t, all[0].Session, r.Session)
		if r.Example == "no_file" {
			assert.Equal(t, scriptspec.OutcomeInputMissing, r.Expect)
			assert.Equal(t, scriptspec.OutcomeInputMissing, r.Outcome)
		}
	}
	assert.NotEqual(t, all[0].Example, all[1].Example)

	_, err = tester.TestStore(t.Context(), st, nil)
	require.NoError(t, err)
	_, err = (&scriptspec.RuntimeTester{Python: python, History: st.History()}).TestStore(t.Context(), st, nil)
	require.NoError(t, err)
	all, _ = records(st.History(), nil)
	require.Len(t, all, 6)
	assert.NotEqual(t, all[0].Run, all[2].Run, "another call")
	assert.Equal(t, all[0].Session, all[2].Session, "of the same tester")
	assert.NotEmpty(t, all[0].Session)
	assert.NotEqual(t, all[0].Session, all[4].Session, "and one of another")
}

func TestHistoryNamesTheCommit(t *testing.T) {
	t.Parallel()
	python := python(t)
	if _, err := exec.LookPath("git"); err != nil && os.Getenv("CI") == "" {
		t.Skip("git is not installed")
	}
	dir := t.TempDir()
	git := func(args ...string) string {
		command := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false"}, args...)...)
		out, err := command.CombinedOutput()
		require.NoError(t, err, "%s", out)
		return strings.TrimSpace(string(out))
	}
	git("init", "-q")
	write(t, filepath.Join(dir, "prep.py"), "def main(job_args):\n    pass\n")
	git("add", "-A")
	git("commit", "-q", "-m", "all")
	s := scriptspec.New("prep", "Prep", filepath.Join(dir, "prep.py"))
	run := func() scriptspec.Record {
		h := openStore(t, filepath.Join(dir, "testdata"), nil).History()
		h.AskGit()
		tester := &scriptspec.RuntimeTester{Python: python, History: h}
		_, r := recordedRun(t, tester, s)
		require.NotNil(t, r.Dirty)
		return r
	}
	r := run()
	assert.Equal(t, git("rev-parse", "HEAD"), r.Commit)
	assert.False(t, *r.Dirty, "the history itself is ignored")
	assert.Empty(t, git("status", "--porcelain"))
	write(t, filepath.Join(dir, "prep.py"), "def main(job_args):\n    return 1\n")
	assert.True(t, *run().Dirty)
}

// Nothing of a secret, of output, of a user or of a machine is in the files.
func TestHistoryHoldsNoSecret(t *testing.T) {
	t.Parallel()
	python := python(t)
	dir := t.TempDir()
	script := filepath.Join(dir, "prep.py")
	write(t, script, `import os, sys
class Secret(Exception):
    pass
def main(output_paths, environ_vars, job_args):
    secret = environ_vars["KEY"]
    print(secret, "said on stdout")
    sys.stderr.write(job_args.api_token + " said on stderr")
    os.makedirs(output_paths["data"] + "/" + secret)
    error = type(secret, (Exception,), {})
    exec(compile("raise error('with ' + secret)", secret + ".py", "exec"))
`)
	s := scriptspec.New("prep", "Prep", script)
	s.AddOutputPath("data", filepath.Join(dir, "out"))
	s.AddEnvironVar("KEY", sentinel)
	s.AddJobArg("api_token", "other-s3cr3t-token")
	st := openStore(t, dir, nil)
	tester := &scriptspec.RuntimeTester{Python: python, History: st.History()}
	result, r := recordedRun(t, tester, s)
	require.Equal(t, scriptspec.OutcomeException, result.Outcome)
	assert.NotEmpty(t, r.ErrorType)
	files, err := filepath.Glob(filepath.Join(dir, ".specs", ".history", "*"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	host, err := os.Hostname()
	require.NoError(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, word := range []string{sentinel, "other-s3cr3t-token", "said on", dir, host, t.TempDir()} {
			assert.NotContains(t, string(text), word)
		}
	}
	all, errs := records(openStore(t, filepath.Join(dir, "other"), nil).History(), nil)
	assert.Empty(t, all)
	assert.Empty(t, errs)
}

// The digest of a spec does not depend on a secret, so that it cannot be guessed by it.
func TestHistoryDigestsNoSecret(t *testing.T) {
	t.Parallel()
	python := python(t)
	s := onDisk(t)
	tester := &scriptspec.RuntimeTester{Python: python, History: openStore(t, t.TempDir(), nil).History()}
	digest := func(secret string) string {
		s.AddEnvironVar("KEY", secret)
		s.AddJobArg("password", secret)
		s.AddJobArg("connection", "user:"+secret+"@host")
		_, r := recordedRun(t, tester, s)
		require.NotEmpty(t, r.SpecDigest)
		return r.SpecDigest
	}
	assert.Equal(t, digest("first-secret-value"), digest("another-secret-value"))
}

// A disk that takes nothing changes no verdict, is said, and costs the next record nothing.
func TestHistoryThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	python := python(t)
	s := onDisk(t)
	write(t, s.ScriptPath, writesData)
	dir := t.TempDir()
	st := openStore(t, dir, nil)
	require.NoError(t, st.Save(s))
	write(t, filepath.Join(dir, ".specs", ".history"), "in the way")
	tester := &scriptspec.RuntimeTester{Python: python, History: st.History()}
	result, err := tester.TestScript(t.Context(), s)
	require.NoError(t, err)
	assert.True(t, result.Success)
	failure := tester.History.Err()
	require.Error(t, failure)
	assert.Contains(t, failure.Error(), ".history")
	result, err = tester.TestScript(t.Context(), s)
	require.NoError(t, err)
	assert.True(t, result.Success)
	assert.ErrorIs(t, tester.History.Err(), failure, "the first error")
	assert.Contains(t, tester.History.Err().Error(), "2 records are missing")
	require.NoError(t, os.Remove(filepath.Join(dir, ".specs", ".history")))
	_, err = tester.TestScript(t.Context(), s)
	require.NoError(t, err)
	all, errs := records(tester.History, nil)
	assert.Empty(t, errs)
	assert.Len(t, all, 1, "it is written when it can be")
}

// A file system of 64 KiB fills up in the middle of a line, of which nothing is left.
func TestHistoryOnAFullDisk(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" || os.Geteuid() != 0 {
		t.Skip("mounts a file system: Linux, as root")
	}
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("cannot mount: %s", out)
	}
	t.Cleanup(func() {
		out, err := exec.Command("umount", "--lazy", dir).CombinedOutput()
		assert.NoError(t, err, "%s", out)
	})
	st, err := scriptspec.OpenStore(dir, nil)
	require.NoError(t, err)
	defer st.Close()
	h := st.History()
	written := 0
	for err == nil {
		if err = h.Append(aRecord("Prep", written)); err == nil {
			written++
		}
		require.Less(t, written, 1000)
	}
	require.ErrorIs(t, err, scriptspec.ErrNoSpace)
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.ErrorIs(t, h.Err(), scriptspec.ErrNoSpace)
	all, errs := records(h, nil)
	assert.Empty(t, errs, "no line is torn")
	assert.Len(t, all, written)
	require.NoError(t, exec.Command("mount", "-o", "remount,size=1m", dir).Run())
	require.NoError(t, h.Append(aRecord("Prep", written)))
	all, errs = records(h, nil)
	assert.Empty(t, errs)
	assert.Len(t, all, written+1)
	require.NoError(t, exec.Command("mount", "-o", "remount,ro", dir).Run())
	require.ErrorIs(t, h.Append(aRecord("Prep", 1)), syscall.EROFS)
}

func TestHistoryPast(t *testing.T) {
	t.Parallel()
	h := openStore(t, t.TempDir(), nil).History()
	var want []scriptspec.PastRun
	for i := range 30 {
		r := aRecord("Prep", i)
		if i == 25 {
			r.Outcome = scriptspec.OutcomeTimeout
		}
		require.NoError(t, h.Append(r))
		if i >= 10 {
			want = append(want, scriptspec.PastRun{At: r.At, Outcome: r.Outcome, Duration: r.Duration})
		}
	}
	example := aRecord("Prep", 31)
	example.Example = "small"
	require.NoError(t, h.Append(example))
	past := h.PastOf("Prep", "")
	assert.Equal(t, want, past.Recent)
	assert.Len(t, h.PastOf("Prep", "small").Recent, 1)
	assert.Zero(t, h.PastOf("Other", ""))
	text, err := json.Marshal(past)
	require.NoError(t, err)
	assert.Contains(t, string(text), `"outcome":"timeout","duration":1.5}`)
	var again scriptspec.PastRuns
	require.NoError(t, json.Unmarshal(text, &again))
	assert.Equal(t, past, again)
	var none *scriptspec.History
	assert.Zero(t, none.PastOf("Prep", ""))
}
