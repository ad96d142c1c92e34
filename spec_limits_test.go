package scriptspec_test

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// The members stand after updated_at, numbers as Python would write them, and a file without them is as it was.
func TestLimitsInTheFile(t *testing.T) {
	t.Parallel()
	s := noted()
	s.Optional, s.Timeout, s.MaxMemory = []string{"config"}, 90, 1<<30
	text := encode(t, s)
	assert.Contains(t, text, `"updated_at": "2025-09-09T22:14:23.123456+00:00",
  "spec_version": 2,
  "optional": [
    "config"
  ],
  "timeout": 90,
  "max_memory": 1073741824
}
`)
	got, err := decode(text)
	require.NoError(t, err)
	assert.True(t, s.Equal(got.Basic()))
	assert.True(t, scriptspec.Enhance(s, nil).Basic().Equal(s), "both kinds have them")
	s.Timeout = 0.5
	assert.Contains(t, encode(t, s), `"timeout": 0.5,`)
	assert.Equal(t, notedJSON, encode(t, noted()))
	for _, bad := range []string{`"timeout": -1`, `"timeout": "30"`, `"timeout": 1e999`, `"max_memory": 1.5`, `"max_memory": -1`, `"optional": "config"`} {
		_, err := decode(notedJSON[:len(notedJSON)-3] + ",\n  " + bad + "\n}\n")
		require.Error(t, err, bad)
	}
}

func TestLimitsAreValidated(t *testing.T) {
	t.Parallel()
	s := noted()
	s.Optional, s.Timeout, s.MaxMemory = []string{"confg", "metrics"}, math.NaN(), -1
	assert.Len(t, problems(t, s.Validate()), 3)
	err := s.ValidateSpec(nil)
	assert.Contains(t, problems(t, err), problem{"timeout", scriptspec.CodeFormat, "timeout must be a finite number, 0 or more"})
	assert.Contains(t, problems(t, err), problem{"max_memory", scriptspec.CodeFormat, "max_memory must be a finite number, 0 or more"})
	assert.Contains(t, problems(t, err), problem{"optional[0]", scriptspec.CodeFormat, "optional[0] names confg, which is neither an input nor an output"})
	assert.ErrorContains(t, err, "did you mean config?")
	_, err = (&scriptspec.RuntimeTester{}).TestScript(t.Context(), s)
	assert.Contains(t, problems(t, err), problem{"timeout", scriptspec.CodeFormat, "timeout must be a finite number, 0 or more"})
}

// What is optional may be missing: an input is left out, an output may have no data.
func TestOptional(t *testing.T) {
	t.Parallel()
	s := scripted(t, writesOutput+"def main(input_paths, output_paths):\n    done(output_paths)\n    print(sorted(input_paths))\n")
	dir := filepath.Dir(s.ScriptPath)
	s.AddInputPath("label", filepath.Join(dir, "label.csv"))
	s.AddOutputPath("metrics", filepath.Join(dir, "metrics"))
	require.Error(t, s.ValidateSpec(nil))
	assert.Equal(t, scriptspec.OutcomeInputMissing, run(t, s).Outcome)
	s.Optional = []string{"label"}
	require.NoError(t, s.ValidateSpec(nil))
	assert.Equal(t, scriptspec.OutcomeNoOutput, run(t, s).Outcome)
	s.Optional = []string{"label", "metrics"}
	result := run(t, s)
	require.True(t, result.Success, result.Details())
	assert.Equal(t, "['data_input']\n", result.Stdout.Text)
	assert.Contains(t, s.InputPaths, "label", "the spec is as it was")
	write(t, filepath.Join(dir, "label.csv"), "x")
	assert.Equal(t, "['data_input', 'label']\n", run(t, s).Stdout.Text)

	write(t, s.ScriptPath, "def main(input_paths, output_paths, environ_vars, job_args):\n    return input_paths['label'], input_paths['data_input'], output_paths['data_output'], output_paths['metrics']\n")
	scripts, err := scriptspec.Inspect(t.Context(), s.ScriptPath)
	require.NoError(t, err)
	s.Optional = []string{"label"}
	drifts := scripts[0].Compare(s)
	require.Len(t, drifts, 1)
	assert.Equal(t, `input_paths["label"]: the script cannot do without it and the spec calls it optional`, drifts[0].String())
}

// The spec's bounds count before the tester's, and a pipeline's before both.
func TestLimitsOfASpec(t *testing.T) {
	t.Parallel()
	if !onLinux {
		t.Skip("memory is bounded on Linux only")
	}
	s := scripted(t, "import threading\ndef main(output_paths):\n    threading.Event().wait()\n")
	s.Timeout = 0.1
	result := run(t, s)
	assert.Equal(t, scriptspec.OutcomeTimeout, result.Outcome)
	assert.Equal(t, "still running after 100ms", result.ErrorMessage)
	p := &scriptspec.PipelineTestingSpec{Name: "p", DAG: &scriptspec.DAG{Nodes: []string{s.StepName}}, Specs: map[string]scriptspec.Spec{s.StepName: s}}
	r, err := (&scriptspec.RuntimeTester{}).TestPipeline(t.Context(), p, &scriptspec.PipelineOptions{WorkDir: filepath.Join(t.TempDir(), "work"), Timeout: 50e6})
	require.NoError(t, err)
	assert.Equal(t, "still running after 50ms", r.Nodes[0].Result.ErrorMessage)

	s = scripted(t, "import threading\ndef main(output_paths):\n    big = bytearray(400 << 20)\n    threading.Event().wait()\n")
	s.MaxMemory = 200 << 20
	result = run(t, s)
	assert.Equal(t, scriptspec.OutcomeMemory, result.Outcome)
	assert.Equal(t, "took more than 200 MiB of memory", result.ErrorMessage)
}
