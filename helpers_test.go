package scriptspec_test

import (
	"bytes"
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// Sentinel is an environment value that must never be seen in anything printed.
const sentinel = "s3cr3t-sentinel-value"

// noted is the design note's first example.
func noted() *scriptspec.ScriptExecutionSpec {
	at := scriptspec.NewTimestamp(time.Date(2025, 9, 9, 22, 14, 23, 123456000, time.UTC))
	return &scriptspec.ScriptExecutionSpec{
		ScriptName: "tabular_preprocessing",
		StepName:   "TabularPreprocessing_training",
		ScriptPath: "/path/to/scripts/tabular_preprocessing.py",
		InputPaths: map[string]string{
			"data_input": "/test_data/input/raw_data",
			"config":     "/test_data/config/preprocessing_config.json",
		},
		OutputPaths: map[string]string{
			"data_output": "/test_data/output/processed_data",
			"metrics":     "/test_data/output/preprocessing_metrics",
		},
		EnvironVars: map[string]string{"PYTHONPATH": "/path/to/cursus/src", "CURSUS_ENV": "testing"},
		JobArgs:     scriptspec.JobArgs{"batch_size": 1000, "validation_split": 0.2},
		CreatedAt:   at,
		UpdatedAt:   at,
	}
}

// notedEnhanced is the design note's third example.
func notedEnhanced() *scriptspec.EnhancedScriptExecutionSpec {
	return scriptspec.Enhance(noted(), func(name string) []string {
		return map[string][]string{
			"data_input":  {"input", "dataset", "training_data", "raw_dataset"},
			"config":      {"configuration", "params", "hyperparameters", "settings"},
			"data_output": {"output", "result", "processed_data", "dataset"},
			"metrics":     {"stats", "statistics", "performance", "quality_metrics"},
		}[name]
	})
}

// onDisk is a spec whose script and paths exist below a directory of the test's own.
func onDisk(t *testing.T) *scriptspec.ScriptExecutionSpec {
	t.Helper()
	dir := t.TempDir()
	script := filepath.Join(dir, "tabular_preprocessing.py")
	write(t, script, "def main(input_paths, output_paths, environ_vars, job_args):\n    pass\n")
	data := filepath.Join(dir, "data.csv")
	write(t, data, "a,b\n1,2\n")
	s := scriptspec.New("tabular_preprocessing", "TabularPreprocessing_training", script)
	s.AddInputPath("data_input", data)
	s.AddOutputPath("data_output", filepath.Join(dir, "out"))
	return s
}

func write(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

// python returns the interpreter. The test is skipped if there is none, unless this is CI, and with -short.
func python(t *testing.T) string {
	t.Helper()
	if testing.Short() && os.Getenv("SCRIPTSPEC_TEST_HOST") == "" {
		t.Skip("starts Python: -short")
	}
	path, err := exec.LookPath(cmp.Or(os.Getenv("SCRIPTSPEC_PYTHON"), "python3"))
	if err != nil && os.Getenv("CI") == "" {
		t.Skip("needs python3")
	}
	require.NoError(t, err)
	return path
}

// tree lists every file and directory below dir with its size and mode, to show that nothing
// changed.
func tree(t *testing.T, dir string) []string {
	t.Helper()
	var list []string
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil {
			list = append(list, path+" "+info.Mode().String()+" "+info.ModTime().String())
		}
		return err
	})
	require.NoError(t, err)
	return list
}

func encode(t *testing.T, s scriptspec.Spec) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, scriptspec.Encode(&b, s))
	return b.String()
}

func decode(text string) (scriptspec.Spec, error) {
	return scriptspec.Decode(strings.NewReader(text), &scriptspec.DecodeOptions{File: "f.json"})
}

const notedJSON = `{
  "script_name": "tabular_preprocessing",
  "step_name": "TabularPreprocessing_training",
  "script_path": "/path/to/scripts/tabular_preprocessing.py",
  "input_paths": {
    "config": "/test_data/config/preprocessing_config.json",
    "data_input": "/test_data/input/raw_data"
  },
  "output_paths": {
    "data_output": "/test_data/output/processed_data",
    "metrics": "/test_data/output/preprocessing_metrics"
  },
  "environ_vars": {
    "CURSUS_ENV": "testing",
    "PYTHONPATH": "/path/to/cursus/src"
  },
  "job_args": {
    "batch_size": 1000,
    "validation_split": 0.2
  },
  "created_at": "2025-09-09T22:14:23.123456+00:00",
  "updated_at": "2025-09-09T22:14:23.123456+00:00"
}
`

const onLinux = runtime.GOOS == "linux"
