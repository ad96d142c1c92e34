package scriptspec_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

func TestOutputIsBounded(t *testing.T) {
	t.Parallel()
	s := scripted(t, writesOutput+`
import sys
def main(output_paths, **kwargs):
    done(output_paths)
    sys.stdout.write("first" + "x" * 1000000 + "last")
    sys.stderr.buffer.write(b"\xff\xfe binary")
`)
	logs := filepath.Join(t.TempDir(), "deep", "logs")
	for range 2 { // an older copy is replaced
		result, err := (&scriptspec.RuntimeTester{MaxOutput: 100, LogDir: logs}).TestScript(t.Context(), s)
		require.NoError(t, err)
		assert.True(t, result.Success)
		stdout, stderr := filepath.Join(logs, s.StepName+".stdout.log"), filepath.Join(logs, s.StepName+".stderr.log")
		assert.Equal(t, scriptspec.Capture{
			Text:  "first" + strings.Repeat("x", 45) + "\n[... 999909 bytes ...]\n" + strings.Repeat("x", 46) + "last",
			Bytes: 1000009, Truncated: true, File: stdout,
		}, result.Stdout)
		assert.Equal(t, scriptspec.Capture{Text: "\uFFFD binary", Bytes: 9, File: stderr}, result.Stderr)
		full, err := os.ReadFile(stdout)
		require.NoError(t, err)
		assert.Equal(t, "first"+strings.Repeat("x", 1000000)+"last", string(full))
	}
}

// What is written right before the end is kept, again and again.
func TestOutputAtTheEnd(t *testing.T) {
	t.Parallel()
	s := scripted(t, writesOutput+`
def main(output_paths):
    done(output_paths)
    os.write(1, b"x" * 60000 + b"the end")
`)
	for range 15 {
		result := run(t, s)
		assert.True(t, result.Success)
		assert.Equal(t, int64(60007), result.Stdout.Bytes)
		assert.True(t, strings.HasSuffix(result.Stdout.Text, "the end"))
	}
}

// What might have become a secret is kept when the output ends.
func TestOutputEndsLikeASecret(t *testing.T) {
	t.Parallel()
	s := scripted(t, writesOutput+"def main(output_paths):\n    done(output_paths)\n    os.write(1, b'"+sentinel[:7]+"')")
	s.AddEnvironVar("TOKEN", sentinel)
	assert.Equal(t, sentinel[:7], run(t, s).Stdout.Text)
}

// A log that cannot be written is told, and does not hold up the script.
func TestLogCannotBeWritten(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("needs /dev/full")
	}
	s := scripted(t, writesOutput+"def main(output_paths):\n    done(output_paths)\n    print('x' * 100000)")
	logs := t.TempDir()
	require.NoError(t, os.Symlink("/dev/full", filepath.Join(logs, s.StepName+".stdout.log")))
	result, err := (&scriptspec.RuntimeTester{LogDir: logs}).TestScript(t.Context(), s)
	require.NoError(t, err)
	assert.True(t, result.Success)
	assert.Equal(t, "no space left on device", result.Stdout.FileError)
	_, err = (&scriptspec.RuntimeTester{LogDir: filepath.Join(s.ScriptPath, "x")}).TestScript(t.Context(), s)
	require.Error(t, err)
}

// A message of any length leaves a result of bounded length.
func TestLongMessages(t *testing.T) {
	t.Parallel()
	result := run(t, scripted(t, "def main(output_paths):\n    raise ValueError('start' + 'x' * 3000000)"))
	assert.Equal(t, scriptspec.OutcomeException, result.Outcome)
	assert.True(t, strings.HasPrefix(result.ErrorMessage, "startxxx"))
	assert.Less(t, len(result.ErrorMessage)+len(result.Traceback), 200<<10)
	result = run(t, scripted(t, "def main(output_paths):\n    raise ValueError('x' * 30000000)"))
	assert.Equal(t, scriptspec.OutcomeException, result.Outcome)
}
