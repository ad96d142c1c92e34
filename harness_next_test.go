package scriptspec_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// What the store has the means to know is said of a failure: that a pipeline feeds an input, that a script is a program.
func TestRunStoreSaysWhatIsToBeDone(t *testing.T) {
	t.Parallel()
	python(t)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "load.py"), writesOutput+"def main(output_paths):\n    done(output_paths)\n")
	write(t, filepath.Join(dir, "train.py"), writesOutput+"def main(input_paths, output_paths):\n    done(output_paths)\n    input_paths['data_output']\n")
	write(t, filepath.Join(dir, "score.py"), "import sys\nassert sys.argv[1] == '--out'\nopen(sys.argv[2] + '/x', 'w').write('1')\n")
	st := openStore(t, filepath.Join(dir, "testdata"), &scriptspec.StoreOptions{Base: scriptspec.BaseOfProject})
	load := scriptspec.New("load", "Load", "load.py")
	load.AddOutputPath("data_output", "out/rows")
	train := scriptspec.New("train", "Train", "train.py")
	train.AddInputPath("data_output", "in/rows")
	train.AddOutputPath("data_output", "out/model")
	score := scriptspec.New("score", "Score", "score.py")
	score.AddOutputPath("out", "out/score")
	score.AddJobArg("out", "out/score")
	p := &scriptspec.PipelineTestingSpec{
		Name: "churn", DAG: &scriptspec.DAG{Nodes: []string{"Load", "Train", "Score"}, Edges: [][2]string{{"Load", "Train"}}},
		Specs: map[string]scriptspec.Spec{"Load": load, "Train": train, "Score": score},
		Refs:  map[string]string{"Load": "load", "Train": "train", "Score": "score"},
	}
	for _, s := range p.Specs {
		require.NoError(t, st.Save(s))
	}
	require.NoError(t, st.SavePipeline(p))
	write(t, filepath.Join(dir, "testdata", ".specs", "scriptspec.json"), `{"command_line": ["score"], "timeout": 99}`)

	const feeds = "-- next\nin the pipeline churn, Load.data_output feeds this input: test it with RunPipeline, and leave the specs of pipelines out here with HarnessOptions.WithoutPipelines"
	const program = "-- next\nscriptspec.json lists score as a program: run it with the tester that Store.Tester returns"
	lines := strings.Join(recorded(t, st, nil), "\n")
	assert.Contains(t, lines, feeds)
	assert.Contains(t, lines, program)
	assert.Equal(t, 2, strings.Count(lines, "-- next"))

	loaded, err := st.LoadPipeline("churn")
	require.NoError(t, err)
	lines = strings.Join(recordedPipeline(t, loaded, nil), "\n")
	assert.Contains(t, lines, program)
	assert.Equal(t, 1, strings.Count(lines, "-- next"))

	tester, err := st.Tester()
	require.NoError(t, err)
	assert.Equal(t, 99*time.Second, tester.Timeout)
	assert.Equal(t, dir, tester.Base)
	lines = strings.Join(recorded(t, st, &scriptspec.HarnessOptions{Tester: tester, WithoutPipelines: true}), "\n")
	assert.NotContains(t, lines, "-- next")
	assert.NotContains(t, lines, "error")
	scriptspec.RunPipeline(t, tester, loaded, nil)
}
