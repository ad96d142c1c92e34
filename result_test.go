package scriptspec_test

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// The JSON of each kind of result is read as what it was.
func TestParseResult(t *testing.T) {
	t.Parallel()
	pipeline := churned()
	script := pipeline.Nodes[3].Result
	store := &scriptspec.StoreTestResult{Specs: []scriptspec.SpecTestResult{{Name: "training", Result: script}}}
	for _, r := range []scriptspec.Result{pipeline, script, store} {
		data, err := json.Marshal(r)
		require.NoError(t, err)
		got, err := scriptspec.ParseResult(data)
		require.NoError(t, err)
		assert.IsType(t, r, got)
		assert.False(t, got.Succeeded())
		assert.Empty(t, scriptspec.DiffResults(r, got))
		for _, write := range []func(r scriptspec.Result, w io.Writer) error{
			scriptspec.Result.WriteText, scriptspec.Result.WriteMarkdown, scriptspec.Result.WriteGNU, scriptspec.Result.WriteJUnit,
			func(r scriptspec.Result, w io.Writer) error { return r.WriteSARIF(w, "/repo") },
		} {
			var a, b bytes.Buffer
			require.NoError(t, write(r, &a))
			require.NoError(t, write(got, &b))
			assert.Equal(t, a.String(), b.String())
		}
	}
	for bad, want := range map[string]string{
		"{": "unexpected end", "[]": "cannot unmarshal", "{}": "not the result of a run", `{"specs": {}, "dag": {}}`: "not the result of a run",
		`{"version": 9, "success": true, "nodes": [], "edges": []}`: "is of version 9",
	} {
		_, err := scriptspec.ParseResult([]byte(bad))
		assert.ErrorContains(t, err, want, bad)
	}
}

func TestDiffResults(t *testing.T) {
	t.Parallel()
	before, after := churned(), churned()
	after.Nodes[3].Status, after.Nodes[3].Result.Outcome = scriptspec.NodePassed, scriptspec.OutcomePassed
	after.Nodes[3].Duration, after.Nodes[3].Result.PeakMemory = 1, 1
	after.Nodes[1].Result.Outputs = map[string]scriptspec.OutputInfo{"metrics": {Files: 1, Bytes: 500}}
	after.Nodes[6].Node = "Other"
	assert.Equal(t, []string{
		`Evaluation: removed "blocked"`, `Other: added "blocked"`,
		`Preprocessing_training.outputs["metrics"].bytes: changed 412 to 500`,
		`Preprocessing_training.outputs["processed_data"].bytes: removed 1048576`, `Preprocessing_training.outputs["processed_data"].files: removed 2`,
		`Training.outcome: changed "exception" to "passed"`, `Training.status: changed "failed" to "passed"`,
	}, lines(scriptspec.DiffResults(before, after)))
	assert.Len(t, scriptspec.DiffResults(nil, after), 7)
}

// What a script said is text in every format.
func TestResultsAreHarmless(t *testing.T) {
	t.Parallel()
	for _, text := range hostile() {
		r := infested(text)
		var b bytes.Buffer
		require.NoError(t, r.WriteMarkdown(&b))
		for line := range strings.Lines(b.String()) {
			line = strings.TrimRight(line, "\n")
			assert.False(t, strings.ContainsAny(line, "\r\x1b\x00"), "%q", line)
			for i := range line {
				if strings.ContainsRune("<`[@$", rune(line[i])) {
					assert.True(t, i > 0 && line[i-1] == '\\', "markup in %q", line)
				}
			}
		}
		b.Reset()
		require.NoError(t, r.WriteGNU(&b))
		assert.NotContains(t, b.String(), "\x1b")
		b.Reset()
		require.NoError(t, r.WriteSARIF(&b, "/repo"))
		assert.True(t, json.Valid(b.Bytes()))
	}
	var b bytes.Buffer
	require.NoError(t, churned().WriteGNU(&b))
	assert.Contains(t, b.String(), "/repo/scripts/training.py:12:1: error: Training: ValueError: could not convert string to float: 'n/a' [exception]\n")
	b.Reset()
	require.NoError(t, churned().WriteSARIF(&b, "/"))
	assert.Contains(t, b.String(), `"uri": "file:///"`)
}
