package scriptspec_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// retried is churned where a node passed on its third attempt and took too long, and one failed on both of its attempts.
func retried() *scriptspec.PipelineTestResult {
	r := churned()
	r.Nodes[2].Started = 3 * time.Millisecond
	began := func(s *scriptspec.ScriptTestResult, at time.Duration) scriptspec.ScriptTestResult {
		s.StartedAt = scriptspec.NewTimestamp(r.StartedAt.Add(at))
		return *s
	}
	failed := *r.Nodes[3].Result
	failed.ExecutionTime = 300 * time.Millisecond

	passed := r.Nodes[1].Result
	passed.ImportTime = 320 * time.Millisecond
	first, second := failed, failed
	first.ErrorType, first.ErrorMessage, second.Outcome = "ConnectionError", "refused", scriptspec.OutcomeTimeout
	for _, s := range []*scriptspec.ScriptTestResult{&first, &second} {
		s.ScriptName, s.StepName = passed.ScriptName, passed.StepName
		s.Traceback = strings.ReplaceAll(s.Traceback, "training", "preprocessing")
	}
	passed.Attempts = []scriptspec.ScriptTestResult{began(&first, 0), began(&second, 400*time.Millisecond), began(passed, 800*time.Millisecond)}
	passed.Flaky = true
	passed.Budget = []scriptspec.BudgetUse{{What: "duration", Value: 0.8, Limit: 0.5}, {What: "output_bytes", Value: 512, Limit: 2048}, {What: "peak_memory", Value: 37 << 20, Limit: 32 << 20}}
	r.Nodes[1].Duration = 1600 * time.Millisecond

	last := r.Nodes[3].Result
	last.Attempts = []scriptspec.ScriptTestResult{began(&failed, 1700*time.Millisecond), began(last, 2*time.Second)}
	r.Nodes[3].Started, r.Nodes[3].Duration = 1700*time.Millisecond, 1900*time.Millisecond
	r.Duration = 3600 * time.Millisecond
	return r
}

// What was tried again, and what took too much, is in every report, as far as it went.
func TestReportsOfAttempts(t *testing.T) {
	t.Parallel()
	r := retried()
	store := &scriptspec.StoreTestResult{Dir: ".specs", StartedAt: r.StartedAt, Duration: r.Duration, Specs: []scriptspec.SpecTestResult{
		{Name: "preprocessing", Result: r.Nodes[1].Result}, {Name: "training", Result: r.Nodes[3].Result},
	}}
	for kind, result := range map[string]any{"retried": r, "retried-store": store, "retried-script": r.Nodes[1].Result} {
		for file, write := range reportsOf(t, result) {
			text := written(t, write)
			golden(t, "report/"+kind+"-"+file, text)
			switch file {
			case "junit.xml":
				checkJUnit(t, text)
			case "github.txt":
				checkCommands(t, text)
				assert.Contains(t, text, "::warning title=")
			case "page.html":
				checkPage(t, text)
			}
			if file != "junit.xml" {
				assert.Contains(t, text, "flaky", "%s %s", kind, file)
			}
			if file != "metrics.prom" {
				assert.Contains(t, strings.ReplaceAll(text, `\`, ""), "over the budget of 500ms", "%s %s", kind, file)
			}
		}
	}
	elements := checkJUnit(t, report(t, (*scriptspec.PipelineTestResult).WriteJUnit, r))
	require.Len(t, elements["flakyFailure"], 2)
	assert.Equal(t, map[string]string{"type": "exception", "message": "exception: ConnectionError: refused"}, elements["flakyFailure"][0].attrs)
	assert.Equal(t, "timeout", elements["flakyFailure"][1].attrs["type"])
	require.Len(t, elements["rerunFailure"], 1)
	assert.Len(t, elements["failure"], 2, "as many as without attempts")

	text := report(t, (*scriptspec.PipelineTestResult).WriteText, r)
	head, _, _ := strings.Cut(text, "\n")
	assert.Contains(t, head, "1 flaky, 1 over budget")
	assert.Regexp(t, `(?m)^attempts +Training: failed on both attempts, with exception$`, text)

	page := checkPage(t, report(t, (*scriptspec.PipelineTestResult).WriteHTML, r))
	assert.Len(t, ofClass(page["div"], "attempt"), 5)
}

// Names as long as can be, in each place of a report, do not make one of hundreds of megabytes.
func TestReportsOfLongNames(t *testing.T) {
	t.Parallel()
	length := 1 << 20
	if raceDetector {
		length >>= 3
	}
	r := infested(strings.Repeat("<\u202e\"\\", length/6))
	for file, write := range reportsOf(t, r) {
		assert.Less(t, len(written(t, write)), 8<<20, file)
	}
	checkPage(t, written(t, r.WriteHTML))
	checkMetrics(t, written(t, r.WritePrometheus))
}

func ExamplePipelineTestResult_WritePrometheus() {
	r := &scriptspec.PipelineTestResult{Name: "churn", Nodes: []scriptspec.NodeResult{{
		Node: "Train", Status: scriptspec.NodePassed,
		Result: &scriptspec.ScriptTestResult{ScriptName: "train", StepName: "Train", Success: true, ExecutionTime: 1500 * time.Millisecond},
	}}}
	var b strings.Builder
	if err := r.WritePrometheus(&b); err != nil {
		panic(err)
	}
	for line := range strings.Lines(b.String()) {
		if !strings.HasPrefix(line, "#") {
			fmt.Print(line)
		}
	}
	// Output:
	// scriptspec_last_run_success{step="Train",script="train"} 1
	// scriptspec_duration_seconds{step="Train",script="train"} 1.5
	// scriptspec_flaky{step="Train",script="train"} 0
}
