package scriptspec_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

const doesNothing = "def main(input_paths, output_paths):\n    pass\n"

// What was there before is no evidence of a run; what is written again, even if it is the same, is.
func TestOldOutputs(t *testing.T) {
	t.Parallel()
	s := scripted(t, doesNothing)
	write(t, filepath.Join(s.OutputPaths["data_output"], "out.txt"), "done")
	result := run(t, s)
	assert.Equal(t, scriptspec.OutcomeNoOutput, result.Outcome)
	assert.Contains(t, result.ErrorMessage, "'data_output': its files were there before the run")
	assert.Equal(t, scriptspec.OutputInfo{Path: s.OutputPaths["data_output"], Exists: true, Files: 1, Bytes: 4}, result.Outputs["data_output"])

	write(t, s.ScriptPath, writesOutput+"def main(output_paths):\n    done(output_paths)")
	assert.True(t, run(t, s).Success)
	if onLinux {
		write(t, s.ScriptPath, writesOutput+`
def main(output_paths):
    before = os.stat(output_paths["data_output"] + "/out.txt")
    done(output_paths)
    os.utime(output_paths["data_output"] + "/out.txt", ns=(before.st_atime_ns, before.st_mtime_ns))
`)
		assert.True(t, run(t, s).Success, "as shutil.copy2 does it")
	}
}

func TestTemporaryOutputs(t *testing.T) {
	t.Parallel()
	s := scripted(t, `
import os
def main(output_paths):
    for name in ("a.tmp", ".hidden", "b~", "c.part", "__pycache__/x.pyc", ".cache/x", "deep/d.temp", "e.swp"):
        path = os.path.join(output_paths["data_output"], name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write("x")
`)
	result := run(t, s)
	assert.Equal(t, scriptspec.OutcomeNoOutput, result.Outcome)
	assert.Contains(t, result.ErrorMessage, "'data_output': it has no files")
	write(t, s.ScriptPath, "import os, shutil\ndef main(output_paths):\n    shutil.rmtree(output_paths['data_output'])")
	assert.Contains(t, run(t, s).ErrorMessage, "'data_output': it is not there any more")
}

func TestOutputCheck(t *testing.T) {
	t.Parallel()
	s := scripted(t, doesNothing)
	s.AddOutputPath("optional", filepath.Join(filepath.Dir(s.ScriptPath), "optional"))
	tester := &scriptspec.RuntimeTester{OutputCheck: func(name string, o scriptspec.OutputInfo) error {
		if name == "optional" {
			return nil
		}
		return fmt.Errorf("wanted a model and found %d files", o.Files)
	}}
	result, err := tester.TestScript(t.Context(), s)
	require.NoError(t, err)
	assert.Equal(t, "an output was refused by OutputCheck: 'data_output': wanted a model and found 0 files", result.ErrorMessage)
	tester = &scriptspec.RuntimeTester{OutputCheck: func(string, scriptspec.OutputInfo) error { return nil }}
	result, err = tester.TestScript(t.Context(), s)
	require.NoError(t, err)
	assert.True(t, result.Success)
}

func TestChangedInputs(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		work string // what main does in the input directory
		hash bool
		want []string
	}{
		"nothing":          {"pass", false, nil},
		"changed":          {"open('a.csv', 'a').write('x')", false, []string{"changed a.csv"}},
		"deleted":          {"os.remove('deep/b.csv')", false, []string{"deleted deep/b.csv"}},
		"added":            {"open('c.csv', 'w').write('x')", false, []string{"added c.csv"}},
		"added, temporary": {"open('c.csv.tmp', 'w').write('x')", false, nil},
		"moved":            {"os.rename('a.csv', 'z.csv')", false, []string{"added z.csv", "deleted a.csv"}},
		"made a link":      {"os.remove('a.csv'); os.symlink('/etc/passwd', 'a.csv')", false, []string{"changed a.csv"}},
		"read":             {"open('a.csv').read()", true, nil},
		"hidden":           {hideChange, true, []string{"changed a.csv"}},
		"hidden, unasked":  {hideChange, false, nil},
		"output inside":    {"open('out/x', 'w').write('x')", false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := scripted(t, writesOutput+"\ndef main(input_paths, output_paths):\n    done(output_paths)\n    os.chdir(input_paths['data_input'])\n    "+test.work)
			dir := filepath.Join(filepath.Dir(s.ScriptPath), "inputs")
			write(t, filepath.Join(dir, "a.csv"), "1,2\n")
			write(t, filepath.Join(dir, "deep", "b.csv"), "1,2\n")
			s.AddInputPath("data_input", dir)
			s.AddOutputPath("data_output", filepath.Join(dir, "out"))
			result, err := (&scriptspec.RuntimeTester{HashInputs: test.hash}).TestScript(t.Context(), s)
			require.NoError(t, err)
			assert.Equal(t, test.want, result.ChangedInputs["data_input"])
			assert.Equal(t, len(test.want) == 0, result.Success, result.String())
			if len(test.want) > 0 {
				assert.Equal(t, scriptspec.OutcomeInputChanged, result.Outcome)
			}
		})
	}
}

// hideChange leaves size and time of a file as they were.
const hideChange = "t = os.stat('a.csv').st_mtime_ns; open('a.csv', 'w').write('2,1\\n'); os.utime('a.csv', ns=(t, t))"

// An input that could be waited for is not opened.
func TestInputsAreNotOpened(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/dev/zero"); err != nil {
		t.Skip("needs /dev/zero")
	}
	s := scripted(t, writesOutput+"def main(output_paths):\n    done(output_paths)")
	s.AddInputPath("endless", "/dev/zero")
	result, err := (&scriptspec.RuntimeTester{HashInputs: true}).TestScript(t.Context(), s)
	require.NoError(t, err)
	assert.True(t, result.Success, result.String())
	s.AddInputPath("gone", filepath.Join(t.TempDir(), "gone"))
	result, err = (&scriptspec.RuntimeTester{}).TestScript(t.Context(), s)
	require.NoError(t, err)
	assert.Equal(t, scriptspec.OutcomeInputMissing, result.Outcome)
	assert.False(t, errors.Is(err, os.ErrNotExist))
}

// Layouts in which one file would count for two things are refused before anything is started.
func TestLayouts(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(s *scriptspec.ScriptExecutionSpec, dir string)
		want   []problem
	}{
		"same output": {func(s *scriptspec.ScriptExecutionSpec, dir string) {
			s.AddOutputPath("more", filepath.Join(dir, "x", "..", "out"))
		},
			[]problem{{`output_paths["more"]`, scriptspec.CodeOverlap, "Output path 'more' lies in that of output 'data_output': DIR/out"}}},
		"output in output": {func(s *scriptspec.ScriptExecutionSpec, dir string) {
			s.AddOutputPath("a", filepath.Join(dir, "out", "deep"))
		},
			[]problem{{`output_paths["a"]`, scriptspec.CodeOverlap, "Output path 'a' lies in that of output 'data_output': DIR/out/deep"}}},
		"input in output": {func(s *scriptspec.ScriptExecutionSpec, dir string) {
			s.AddInputPath("old", filepath.Join(dir, "out", "old.csv"))
			_ = os.MkdirAll(filepath.Join(dir, "out"), 0o700)
			_ = os.WriteFile(filepath.Join(dir, "out", "old.csv"), []byte("x"), 0o600)
		}, []problem{{`input_paths["old"]`, scriptspec.CodeOverlap, "Input path 'old' lies in that of output 'data_output': DIR/out/old.csv"}}},
		"side by side": {func(s *scriptspec.ScriptExecutionSpec, dir string) {
			s.AddOutputPath("more", filepath.Join(dir, "out2"))
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := scripted(t, writesOutput+"def main(output_paths):\n    for path in output_paths.values():\n        done({'data_output': path})\n")
			dir := filepath.Dir(s.ScriptPath)
			test.change(s, dir)
			for i := range test.want {
				test.want[i].message = strings.ReplaceAll(test.want[i].message, "DIR", dir)
			}
			result := run(t, s)
			if test.want == nil {
				require.NoError(t, s.ValidateSpec(nil))
				assert.True(t, result.Success, result.Details())
				return
			}
			assert.Equal(t, test.want, problems(t, s.ValidateSpec(nil)))
			assert.Equal(t, scriptspec.OutcomeOutputUnusable, result.Outcome)
			assert.Contains(t, result.ErrorMessage, " lies in that of output ")
		})
	}
	// Behind links too, for a run.
	s := scripted(t, doesNothing)
	link := filepath.Join(filepath.Dir(s.ScriptPath), "link")
	if os.Symlink("out", link) == nil {
		s.AddOutputPath("more", link)
		assert.Equal(t, scriptspec.OutcomeOutputUnusable, run(t, s).Outcome)
	}
}

// Two scripts at the same time do not write to one directory.
func TestOutputsInUse(t *testing.T) {
	t.Parallel()
	s := scripted(t, writesOutput+"import time\ndef main(input_paths, output_paths):\n    done(output_paths)\n    while os.path.exists(input_paths['data_input'] + '.wait'):\n        time.sleep(0.005)\n")
	wait := s.InputPaths["data_input"] + ".wait"
	write(t, wait, "")
	tester := &scriptspec.RuntimeTester{Parallelism: 2}
	other := s.Clone()
	other.StepName = "Other"
	other.AddOutputPath("data_output", filepath.Join(s.OutputPaths["data_output"], "deep"))
	var group sync.WaitGroup
	group.Go(func() {
		result, err := tester.TestScript(t.Context(), s)
		if assert.NoError(t, err) {
			assert.True(t, result.Success, result.Details())
		}
	})
	output := filepath.Join(s.OutputPaths["data_output"], "out.txt")
	require.Eventually(t, func() bool { _, err := os.Stat(output); return err == nil }, time.Minute, time.Millisecond)
	result, err := tester.TestScript(t.Context(), other)
	require.NoError(t, err)
	assert.Equal(t, scriptspec.OutcomeOutputUnusable, result.Outcome)
	assert.Contains(t, result.ErrorMessage, "Output path 'data_output' is written to by TabularPreprocessing_training, which runs at the same time")
	require.NoError(t, os.Remove(wait))
	group.Wait()
	result, err = tester.TestScript(t.Context(), other)
	require.NoError(t, err)
	assert.True(t, result.Success, result.Details())
}

// An old output is not written by what leaves its content alone.
func TestOldOutputsThatAreTouched(t *testing.T) {
	t.Parallel()
	if !onLinux {
		t.Skip("elsewhere times decide")
	}
	for does, written := range map[string]bool{
		"os.chmod(old, 0o640)":                      false,
		"os.utime(old)":                             false,
		"os.link(old, old + '.2')":                  false,
		"os.rename(old, old + '.1')":                false,
		"open(old, 'a').close()":                    false,
		"open(old, 'w').write('old')":               true,
		"open(old, 'a').write('more')":              true,
		"import shutil; shutil.copy(__file__, old)": true,
	} {
		s := scripted(t, "import os\ndef main(output_paths):\n    old = output_paths['data_output'] + '/old.txt'\n    "+does+"\n")
		write(t, filepath.Join(s.OutputPaths["data_output"], "old.txt"), "old")
		result := run(t, s)
		assert.Equal(t, written, result.Success, "%s: %s", does, result.Details())
		if !written {
			assert.Contains(t, result.ErrorMessage, "its files were there before the run")
		}
	}
}

// An output that is a link may be turned to another version by the script.
func TestOutputLinkIsTurned(t *testing.T) {
	t.Parallel()
	s := scripted(t, `
import os
def main(output_paths, job_args):
    latest = output_paths["data_output"]
    new = os.path.join(os.path.dirname(latest), job_args.to)
    os.makedirs(new, exist_ok=True)
    if job_args.to == "v2":
        with open(new + "/model.bin", "w") as f:
            f.write("model")
    os.remove(latest)
    os.symlink(job_args.to, latest)
`)
	models := filepath.Join(t.TempDir(), "models")
	write(t, filepath.Join(models, "v0", "model.bin"), "old")
	write(t, filepath.Join(models, "v1", "model.bin"), "old")
	for _, old := range []string{"v0", "v1"} {
		require.NoError(t, os.Chtimes(filepath.Join(models, old, "model.bin"), time.Unix(9, 0), time.Unix(9, 0)))
	}
	latest := filepath.Join(models, "latest")
	if os.Symlink("v1", latest) != nil {
		t.Skip("needs links")
	}
	s.AddOutputPath("data_output", latest)
	s.AddJobArg("to", "v0")
	assert.Contains(t, run(t, s).ErrorMessage, "its files were there before the run")
	s.AddJobArg("to", "v2")
	result := run(t, s)
	assert.True(t, result.Success, result.Details())
	assert.Equal(t, 1, result.Outputs["data_output"].Written)
	s.AddJobArg("to", "../away")
	assert.Contains(t, run(t, s).ErrorMessage, "'data_output': it is not there any more: in its place is a link to "+filepath.Join(filepath.Dir(models), "away"))
}

// Logs are not among data, and replace no file of the user's.
func TestLogDir(t *testing.T) {
	t.Parallel()
	s := scripted(t, writesOutput+"def main(output_paths):\n    done(output_paths)\n    print('printed')\n")
	for place, dir := range map[string]string{
		`output_paths["data_output"]`: s.OutputPaths["data_output"],
		`input_paths["dir"]`:          filepath.Join(filepath.Dir(s.ScriptPath), "in"),
	} {
		require.NoError(t, os.MkdirAll(filepath.Join(filepath.Dir(s.ScriptPath), "in"), 0o700))
		s.AddInputPath("dir", filepath.Join(filepath.Dir(s.ScriptPath), "in"))
		logs := filepath.Join(dir, "logs")
		_, err := (&scriptspec.RuntimeTester{LogDir: logs}).TestScript(t.Context(), s)
		assert.Equal(t, []problem{{"RuntimeTester.LogDir", scriptspec.CodeOverlap, "LogDir lies in " + place + ", where logs would count as data: " + logs}}, problems(t, err))
	}
	logs, mine := t.TempDir(), filepath.Join(t.TempDir(), "mine.txt")
	write(t, mine, "mine")
	log := filepath.Join(logs, s.StepName+".stdout.log")
	if os.Symlink(mine, log) != nil || os.Link(mine, filepath.Join(logs, s.StepName+".stderr.log")) != nil {
		t.Skip("needs links")
	}
	_, err := (&scriptspec.RuntimeTester{LogDir: logs}).TestScript(t.Context(), s)
	require.NoError(t, err)
	for file, want := range map[string]string{mine: "mine", log: "printed\n"} {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Equal(t, want, string(data))
	}
}

// A directory that TMPDIR names relative to the harness is found from another directory.
func TestRelativeTemporaryDirectory(t *testing.T) {
	s := scripted(t, writesOutput+"import tempfile\ndef main(output_paths):\n    done(output_paths)\n    tempfile.mkdtemp()\n")
	t.Chdir(t.TempDir())
	require.NoError(t, os.Mkdir("temporary", 0o700))
	t.Setenv("TMPDIR", "temporary")
	for _, warm := range []bool{false, true} {
		tester := &scriptspec.RuntimeTester{Dir: t.TempDir(), Warm: warm}
		result, err := tester.TestScript(t.Context(), s)
		require.NoError(t, err)
		assert.True(t, result.Success, result.Details())
		require.NoError(t, tester.Close())
	}
	entries, err := os.ReadDir("temporary")
	require.NoError(t, err)
	assert.Empty(t, entries)
}

// Variables with which Python does not start are the spec's, not the interpreter's.
func TestVariablesThatKeepPythonFromStarting(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]string{"PYTHONHOME": "/no/such/python", "PYTHONIOENCODING": "no-such-encoding"} {
		s := scripted(t, doesNothing)
		s.AddEnvironVar(name, value)
		for _, warm := range []bool{false, true} {
			tester := &scriptspec.RuntimeTester{Warm: warm}
			_, err := tester.TestScript(t.Context(), s)
			got := problems(t, err)
			require.Len(t, got, 1)
			assert.Equal(t, `environ_vars["`+name+`"]`, got[0].path)
			assert.Contains(t, got[0].message, "Python may not start with this variable: it")
			assert.NotContains(t, err.Error(), value)
			require.NoError(t, tester.Close())
		}
	}
}
