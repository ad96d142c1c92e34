package scriptspec_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// recordedPipeline runs a pipeline and returns what the test was told.
func recordedPipeline(t *testing.T, p *scriptspec.PipelineTestingSpec, o *scriptspec.PipelineOptions) []string {
	t.Helper()
	var lines []string
	r := &recorder{t: t, name: "Test", mu: new(sync.Mutex), lines: &lines}
	r.do(func(r *recorder) { scriptspec.RunPipelineAs(r, nil, p, o) })
	return lines
}

func TestRunPipeline(t *testing.T) {
	t.Parallel()
	const fails = "def main(output_paths):\n    raise ValueError('no rows')"
	f := newFactory(t)
	f.node("Load", joins, []string{"raw"}, []string{"data"})
	f.node("Clean", fails, []string{"data"}, []string{"clean"})
	f.node("Train", joins, []string{"clean"}, []string{"model"})
	f.node("Score", joins, []string{"data"}, []string{"scores"})
	f.edge("Load", "Clean")
	f.edge("Clean", "Train")
	f.edge("Load", "Score")
	lines := recordedPipeline(t, f.p, nil)
	require.Len(t, lines, 9, "%q", lines)
	kept := regexp.MustCompile(`^log Test: what the scripts made is kept in (.*)$`).FindStringSubmatch(lines[0])
	require.NotNil(t, kept)
	lines = lines[1:]
	told := map[string]string{}
	var order []string
	for i := 0; i < len(lines); i += 2 {
		what, rest, _ := strings.Cut(lines[i], " ")
		node, text, _ := strings.Cut(rest, ": ")
		told[node] = what + ": " + text
		assert.Equal(t, "ran Test: "+node+", parallel false", lines[i+1])
		order = append(order, node)
	}
	assert.Equal(t, []string{"Load", "Clean", "Train", "Score"}, order)
	assert.Contains(t, told["Load"], "log: Load: passed in ")
	assert.Contains(t, told["Clean"], "error: failed: ValueError: no rows\nClean: exception in ")
	_, again, found := strings.Cut(told["Clean"], "-- run it again\n")
	require.True(t, found)
	work := regexp.MustCompile(`[^"]+scriptspec-pipeline-\d+`).FindString(again)
	assert.Equal(t, kept[1], work)
	assert.FileExists(t, filepath.Join(work, "Load", "data", "data.txt"), "what the command reads is kept")
	require.NoError(t, os.RemoveAll(work))
	assert.Equal(t, "skip: blocked: depends on Clean, which failed", told["Train"])
	assert.Contains(t, told["Score"], "log: Score: passed in ")

	none := recordedPipeline(t, &scriptspec.PipelineTestingSpec{}, nil)
	assert.Equal(t, []string{"fatal Test: dag is required"}, none)
}

// Data that does not fit fails the node that was given it.
func TestRunPipelineShowsMisfits(t *testing.T) {
	t.Parallel()
	f := newFactory(t)
	f.node("Load", joins, []string{"raw"}, []string{"data"})
	f.node("Next", joins, []string{"data"}, []string{"more"})
	f.edge("Load", "Next")
	lines := recordedPipeline(t, f.p, &scriptspec.PipelineOptions{
		WorkDir: filepath.Join(t.TempDir(), "work"), Checkers: []scriptspec.Checker{scriptspec.CheckTables(1, "id")},
	})
	require.Len(t, lines, 5, "%q", lines)
	assert.Equal(t, "error Next: the data does not fit:\nLoad.data -> Next.data: there is no table (.csv, .tsv)", lines[2])
	assert.Contains(t, lines[3], "log Next: Next: passed in ")
}

func TestRunPipelineReal(t *testing.T) {
	t.Parallel()
	f := newFactory(t)
	f.node("Load", joins, []string{"raw"}, []string{"data"})
	scriptspec.RunPipeline(t, nil, f.p, nil)
}
