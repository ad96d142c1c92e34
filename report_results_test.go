package scriptspec_test

import (
	"bytes"
	"encoding/json"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// reporter is a result of any kind; what else it writes is in reportsOf.
type reporter interface {
	WriteText(w io.Writer) error
	WriteJUnit(w io.Writer) error
	WriteGitHub(w io.Writer) error
	WriteHTML(w io.Writer) error
}

func written(t testing.TB, write func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, write(&b))
	return b.String()
}

// stored is a store with a spec of every end: passed, failed, not run for a reason, and not asked to.
func stored(text string) *scriptspec.StoreTestResult {
	nodes := infested(text).Nodes
	return &scriptspec.StoreTestResult{
		Dir: "testdata/.specs" + text, Duration: 3217 * time.Millisecond,
		StartedAt: scriptspec.NewTimestamp(time.Date(2025, 9, 9, 22, 14, 23, 0, time.UTC)),
		Specs: []scriptspec.SpecTestResult{
			{Name: "evaluation" + text},
			{Name: "preprocessing.training" + text, Result: nodes[1].Result},
			{Name: "publish" + text, Error: "no Python interpreter" + text},
			{Name: "training" + text, Result: nodes[3].Result},
		},
	}
}

// A script and a store have the same reports as a pipeline.
func TestReportsOfScriptsAndStores(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(text string) reporter{
		"script": func(text string) reporter { return infested(text).Nodes[3].Result },
		"passed": func(text string) reporter { return infested(text).Nodes[1].Result },
		"store":  func(text string) reporter { return stored(text) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plain := churned()
			r := make("")
			switch name {
			case "script":
				r = plain.Nodes[3].Result
			case "passed":
				r = plain.Nodes[1].Result
			case "store":
				s := stored("")
				s.Specs[1].Result, s.Specs[3].Result = plain.Nodes[1].Result, plain.Nodes[3].Result
				r = s
			}
			for file, write := range reportsOf(t, r) {
				golden(t, "report/"+name+"-"+file, written(t, write))
			}
			for _, text := range hostile() {
				r := make(text)
				checkTable(t, written(t, r.WriteText))
				checkJUnit(t, written(t, r.WriteJUnit))
				checkCommands(t, written(t, r.WriteGitHub))
				assert.Empty(t, ofClass(checkPage(t, written(t, r.WriteHTML))["a"], "node"), "no graph")
			}
		})
	}
	for _, r := range []reporter{(*scriptspec.ScriptTestResult)(nil), (*scriptspec.StoreTestResult)(nil)} {
		assert.NotPanics(t, func() { checkPage(t, written(t, r.WriteHTML)) })
	}
}

// What was lost has not failed, and no report passes over it.
func TestReportsOfLostJobs(t *testing.T) {
	t.Parallel()
	const reason = "lost: job 7 ended: NODE_FAIL"
	store := &scriptspec.StoreTestResult{Specs: []scriptspec.SpecTestResult{{Name: "a", Status: scriptspec.NodeLost, Error: reason}}}
	pipeline := &scriptspec.PipelineTestResult{Name: "p", Nodes: []scriptspec.NodeResult{{Node: "a", Status: scriptspec.NodeLost, Reason: reason}}}
	for _, r := range []scriptspec.Result{store, pipeline} {
		want := map[string]string{
			"text.txt": "\nlost  a: " + reason, "summary.md": "| a | lost |", "junit.xml": `<error type="lost" message="` + reason, "github.txt": "::error title=",
			"page.html": `<li class="lost">`, "gnu.txt": "error: a: " + reason + " [lost]", "log.sarif": `"ruleId": "lost"`,
			"metrics.prom": `scriptspec_last_run_success{step="a",script=""} 0`,
			"otlp.json":    `{"key":"test.case.result.status","value":{"stringValue":"fail"}}`,
		}
		for file, write := range reportsOf(t, r) {
			require.Contains(t, want, file)
			assert.Contains(t, written(t, write), want[file], "%T %s", r, file)
		}
		data, err := json.Marshal(r)
		require.NoError(t, err)
		assert.Contains(t, string(data), `"status":"lost"`)
	}
}

// Processes that a script has left are in every report, also if it passed.
func TestReportsNameProcesses(t *testing.T) {
	t.Parallel()
	passed := churned()
	script := *passed.Nodes[1].Result
	script.Leftover, script.Survivors = []string{"uploader", "watcher"}, []string{"stuck"}
	passed.Nodes[1].Result = &script
	for name, r := range map[string]reporter{
		"script": &script, "pipeline": passed,
		"store": &scriptspec.StoreTestResult{Specs: []scriptspec.SpecTestResult{{Name: "a", Result: &script}}},
	} {
		for format, write := range map[string]func(io.Writer) error{
			"text": r.WriteText, "JUnit": r.WriteJUnit, "GitHub": r.WriteGitHub, "HTML": r.WriteHTML,
		} {
			assert.Contains(t, written(t, write), "left running, and ended: uploader, watcher; could not be ended: stuck", "%s %s", name, format)
		}
		checkJUnit(t, written(t, r.WriteJUnit))
		checkCommands(t, written(t, r.WriteGitHub))
	}
	data, err := json.Marshal(script)
	require.NoError(t, err)
	assert.Contains(t, string(data), `"leftover":["uploader","watcher"],"survivors":["stuck"]`)
	assert.Contains(t, script.Details(), "-- could not be ended\nstuck")
}

func TestStoreResultJSON(t *testing.T) {
	t.Parallel()
	data, err := json.Marshal(stored(""))
	require.NoError(t, err)
	var members map[string]any
	require.NoError(t, json.Unmarshal(data, &members))
	assert.Equal(t, 2.0, members["version"])
	assert.Equal(t, 3.217, members["duration"])
	assert.Len(t, members["specs"], 4)
	data, err = json.Marshal(&scriptspec.StoreTestResult{})
	require.NoError(t, err)
	assert.Contains(t, string(data), `"specs":[]`)
}
