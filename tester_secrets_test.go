package scriptspec_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// What is plain in the script or the spec is no secret, whatever variable has it.
func TestSecretsAreShownWhereTheyArePlain(t *testing.T) {
	t.Parallel()
	s := scripted(t, `
def main(environ_vars, job_args):
    row = {"target_column": 1}
    row[environ_vars["LABEL_FIELD"]]
    raise KeyError(", ".join(environ_vars[name] for name in sorted(environ_vars)))
`)
	s.AddEnvironVar("A_LABEL", "target_column") // in the source
	s.AddEnvironVar("B_JOB", "training")        // in the step's name
	s.AddEnvironVar("C_INPUT", "data_input")    // a logical name
	s.AddEnvironVar("LABEL_FIELD", "label_of_other")
	result := run(t, s)
	assert.Equal(t, "'[redacted: LABEL_FIELD]'", result.ErrorMessage)
	delete(s.EnvironVars, "LABEL_FIELD")
	write(t, s.ScriptPath, "'target_column'\ndef main(environ_vars):\n    raise KeyError(' '.join(sorted(environ_vars.values())))\n")
	assert.Equal(t, "'data_input target_column training'", run(t, s).ErrorMessage)
}

func TestSecretsAreTheCallersToName(t *testing.T) {
	t.Parallel()
	s := scripted(t, "def main(environ_vars):\n    raise ValueError(' '.join(environ_vars[name] for name in sorted(environ_vars)))\n")
	s.AddEnvironVar("API_TOKEN", sentinel)
	s.AddEnvironVar("REGION", "eu-central-1")
	tester := &scriptspec.RuntimeTester{Secrets: func(name string) bool { return name != "REGION" }}
	result, err := tester.TestScript(t.Context(), s)
	require.NoError(t, err)
	assert.Equal(t, "[redacted: API_TOKEN] eu-central-1", result.ErrorMessage)
	assert.Equal(t, "[redacted: API_TOKEN] [redacted: REGION]", run(t, s).ErrorMessage)
}

// Where a text is cut there is no part of a secret.
func TestSecretsAtACut(t *testing.T) {
	t.Parallel()
	const secret = "half-of-this-is-enough"
	s := scripted(t, `
import os
SECRET = os.environ["API_TOKEN"]
class Value:
    def __repr__(self):
        return "x" * 990 + SECRET
def main(job_args):
    if job_args.how == "value":
        return [Value(), {"inside": Value()}]
    if job_args.how == "message":
        raise ValueError(SECRET * 100_000)
    raise type("E" * 990 + SECRET, (Exception,), {})("seen")
`)
	s.AddEnvironVar("API_TOKEN", secret)
	for _, how := range []string{"value", "message", "type"} {
		s.AddJobArg("how", how)
		result := run(t, s)
		data, err := json.Marshal(result)
		require.NoError(t, err)
		assert.NotContains(t, string(data), secret[:4], how)
		assert.NotContains(t, string(data), "[cut", how)
		switch how {
		case "value":
			assert.Equal(t, 2, strings.Count(string(result.ReturnValue), strings.Repeat("x", 990)))
			assert.True(t, json.Valid(result.ReturnValue))
		case "message":
			assert.True(t, strings.HasPrefix(result.ErrorMessage, "[redacted: API_TOKEN][redacted: API_TOKEN]"))
		default:
			assert.Equal(t, strings.Repeat("E", 990), result.ErrorType)
		}
	}
}

func TestSecretJobArguments(t *testing.T) {
	t.Parallel()
	s := scripted(t, "def main(job_args):\n    raise ValueError(job_args.apiKey, job_args.db, job_args.max_tokens)\n")
	s.AddJobArg("apiKey", sentinel)
	s.AddJobArg("db", map[string]any{"user": "somebody", "db-password": []any{"first-of-them", 1234567}})
	s.AddJobArg("max_tokens", 4096000)
	s.AddJobArg("token", "abc")
	result := run(t, s)
	assert.Equal(t, "('[redacted: apiKey]', {'db-password': ['[redacted: db-password]', [redacted: db-password]], 'user': 'somebody'}, 4096000)", result.ErrorMessage)
	assert.Contains(t, result.Command, `"apiKey":"[redacted]"`)
	assert.Contains(t, result.Command, `"db":{"db-password":"[redacted]","user":"somebody"}`)
	assert.Contains(t, result.Command, `"token":"[redacted]"`, "however short")
	assert.NotContains(t, result.Command, `"abc"`)

	for name, value := range map[string]any{
		"APIToken": "first-secret", "DBPassword": "second-secret", "token2": "third-secret", "secret_number": json.Number("12345678e2"), "password": map[string]any{"user-key-hunter2": "x"},
	} {
		c := scripted(t, "def main(job_args):\n    print(vars(job_args))\n")
		c.AddJobArg(name, value)
		text := run(t, c).Stdout.Text
		assert.Contains(t, text, "[redacted: "+name+"]")
		for _, part := range []string{"-secret", "1234567", "hunter"} {
			assert.NotContains(t, text, part)
		}
	}

	redacted := s.Redacted()
	assert.Equal(t, "[redacted]", redacted.JobArgs["apiKey"])
	assert.Equal(t, map[string]any{"user": "somebody", "db-password": "[redacted]"}, redacted.JobArgs["db"])
	assert.Equal(t, sentinel, s.JobArgs["apiKey"])
	_, err := scriptspec.JobArg[int](s.JobArgs, "apiKey")
	require.Error(t, err)
	assert.NotContains(t, err.Error(), sentinel)
}

// A log of a CI system obeys none of a script's words.
func TestScriptTextIsNoWorkflowCommand(t *testing.T) {
	t.Parallel()
	result := run(t, scripted(t, "def main(job_args):\n    print('  ::error::x\\n##[group]y')\n    raise ValueError('\\n::set-env name=A::b')\n"))
	for line := range strings.Lines(result.Details()) {
		assert.False(t, strings.HasPrefix(strings.TrimSpace(line), "::"), line)
		assert.NotContains(t, line, "##[")
	}
	assert.Contains(t, result.Details(), `\::error::x`)
}
