package scriptspec_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// Whatever a script does with a secret, no form of it comes out of this package.
func TestSecretsStayHidden(t *testing.T) {
	t.Parallel()
	s := scripted(t, `
import base64, json, os, sys, threading, urllib.parse
def main(job_args):
    token = os.environ["API_TOKEN"]
    print(token, repr(token), json.dumps({"t": token}), urllib.parse.quote(token), urllib.parse.quote_plus(token))
    print(base64.b64encode(token.encode()).decode(), base64.b64encode(b"u:" + token.encode()).decode())
    sys.stdout.write(token[:7])
    sys.stdout.flush()
    sys.stdout.write(token[7:] + "\n")
    print(os.environ["KEY"].splitlines()[1], os.environ["SHORT"], file=sys.stderr)
    print("x" * 190 + token + "y" * 100000 + token + "z" * 190)
    if job_args.how == "raise":
        raise type(token, (ValueError,), {})("no access with " + token)
    if job_args.how == "exit":
        sys.exit(token)
    return {"token": token, "list": [token], "object": threading.Thread(name=token)}
`)
	const token = sentinel + ` "ä" +/`
	s.AddEnvironVar("API_TOKEN", token)
	s.AddEnvironVar("KEY", "-----BEGIN\nMIIEvQIBADANBg\n-----END")
	s.AddEnvironVar("SHORT", "abc")
	tester := &scriptspec.RuntimeTester{MaxOutput: 1000, LogDir: t.TempDir()}
	for _, how := range []string{"return", "raise", "exit"} {
		s.AddJobArg("how", how)
		result, err := tester.TestScript(t.Context(), s)
		require.NoError(t, err)
		data, err := json.Marshal(result)
		require.NoError(t, err)
		texts := []string{string(data), result.String(), result.Details(), fmt.Sprintf("%+v", *result)}
		for _, c := range []scriptspec.Capture{result.Stdout, result.Stderr} {
			log, err := os.ReadFile(c.File)
			require.NoError(t, err)
			require.Empty(t, c.FileError)
			texts = append(texts, string(log), c.Text)
		}
		for _, text := range texts {
			require.NotEmpty(t, text)
			for _, part := range []string{
				"s3cr3t", "sentinel", "-value", "MIIE",
				base64.RawStdEncoding.EncodeToString([]byte(token))[:20], base64.RawStdEncoding.EncodeToString([]byte("u:" + token))[4:24],
				url.QueryEscape(token)[10:],
			} {
				assert.NotContains(t, text, part, how)
			}
		}
		assert.Contains(t, result.Stderr.Text, "[redacted: KEY] abc")
		switch how {
		case "raise":
			assert.Equal(t, "no access with [redacted: API_TOKEN]", result.ErrorMessage)
			assert.Equal(t, "[redacted: API_TOKEN]", result.ErrorType)
		case "return":
			assert.Contains(t, string(result.ReturnValue), `{"token": "[redacted: API_TOKEN]", "list": ["[redacted: API_TOKEN]"]`)
		}
	}
}

// A number that is a secret leaves JSON that is still JSON.
func TestSecretNumberInReturnValue(t *testing.T) {
	t.Parallel()
	s := scripted(t, "def main(environ_vars):\n    return {'pin': int(environ_vars['PIN']) * 10}")
	s.AddEnvironVar("PIN", "271828")
	result := run(t, s)
	assert.True(t, json.Valid(result.ReturnValue))
	assert.NotContains(t, string(result.ReturnValue), "271828")
}

// Paths that the spec shows are shown, also where a variable has them.
func TestPathsOfTheSpecAreShown(t *testing.T) {
	t.Parallel()
	s := scripted(t, "def main(output_paths):\n    raise ValueError(output_paths['data_output'])")
	s.AddEnvironVar("PYTHONPATH", filepath.Dir(s.ScriptPath))
	result := run(t, s)
	assert.Equal(t, s.OutputPaths["data_output"], result.ErrorMessage)
	assert.Contains(t, result.Traceback, s.ScriptPath)
}

func TestPythonPath(t *testing.T) {
	t.Parallel()
	s := scripted(t, writesOutput+`
import sys
import helper
def main(output_paths):
    done(output_paths)
    print(helper.WHERE, "" in sys.path, os.getcwd() in sys.path)
`)
	lib := t.TempDir()
	write(t, filepath.Join(lib, "helper.py"), "WHERE = 'on PYTHONPATH'")
	s.AddEnvironVar("PYTHONPATH", strings.Join([]string{"", lib, ""}, string(filepath.ListSeparator)))
	result := run(t, s)
	assert.Equal(t, "on PYTHONPATH False False\n", result.Stdout.Text, result.Traceback)
	s.AddEnvironVar("PYTHONPATH", "")
	assert.Equal(t, "ModuleNotFoundError", run(t, s).ErrorType)
}

func TestTemporaryDirectory(t *testing.T) {
	t.Parallel()
	s := scripted(t, writesOutput+"import tempfile\ndef main(output_paths):\n    done(output_paths)\n    print(tempfile.mkdtemp())")
	first, second := run(t, s).Stdout.Text, run(t, s).Stdout.Text
	assert.NotEqual(t, filepath.Dir(first), filepath.Dir(second), "each run has its own")
	_, err := os.Stat(strings.TrimSpace(first))
	require.ErrorIs(t, err, os.ErrNotExist, "which goes with it")
	own := t.TempDir()
	s.AddEnvironVar("TMPDIR", own)
	assert.Equal(t, "[redacted: TMPDIR]", filepath.Dir(run(t, s).Stdout.Text), "unless the spec has one")
}

func TestVariableIsTooLong(t *testing.T) {
	t.Parallel()
	if !onLinux {
		t.Skip("other systems have other limits")
	}
	s := scripted(t, writesOutput+"def main(output_paths):\n    done(output_paths)\n    print(len(os.environ['LONG']))")
	s.AddEnvironVar("LONG", strings.Repeat("x", 131_071-len("LONG=")))
	assert.Equal(t, "131066\n", run(t, s).Stdout.Text)
	s.AddEnvironVar("LONG", strings.Repeat("x", 131_072-len("LONG=")))
	_, err := (&scriptspec.RuntimeTester{}).TestScript(t.Context(), s)
	assert.Equal(t, []problem{
		{`environ_vars["LONG"]`, scriptspec.CodeTooLong, "the environment variable is longer than the system gives to a process, 131,071 bytes"},
	}, problems(t, err))
}
