package scriptspec_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

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
