package scriptspec_test

import (
	"encoding/json"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

var sampleLine = regexp.MustCompile(`^(scriptspec_[a-z_]+)\{(step="(?:[^"\\\n]|\\["\\n])*",script="(?:[^"\\\n]|\\["\\n])*"(?:,what="(?:[^"\\\n]|\\["\\n])*")?)\} ([^ ]+)$`)

// checkMetrics holds a Prometheus file to the text format: families in one piece, no series twice, no times of samples.
func checkMetrics(t testing.TB, text string) map[string]float64 {
	t.Helper()
	require.True(t, utf8.ValidString(text))
	samples, families, family := map[string]float64{}, map[string]bool{}, ""
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if rest, ok := strings.CutPrefix(line, "# HELP "); ok {
			family, _, _ = strings.Cut(rest, " ")
			require.False(t, families[family], "%s twice", family)
			families[family] = true
			continue
		}
		if strings.HasPrefix(line, "# TYPE "+family+" ") {
			continue
		}
		parts := sampleLine.FindStringSubmatch(line)
		require.NotNil(t, parts, "%.200q", line)
		require.Equal(t, family, parts[1])
		key := parts[1] + "{" + parts[2] + "}"
		require.NotContains(t, samples, key)
		value, err := strconv.ParseFloat(parts[3], 64)
		require.NoError(t, err)
		samples[key] = value
	}
	return samples
}

func TestPrometheus(t *testing.T) {
	t.Parallel()
	r := retried()
	samples := checkMetrics(t, report(t, (*scriptspec.PipelineTestResult).WritePrometheus, r))
	prep := `step="Preprocessing_training",script="preprocessing"`
	for series, want := range map[string]float64{
		"scriptspec_last_run_success{" + prep + "}":                                     1,
		"scriptspec_last_run_success{step=\"Training\",script=\"training\"}":            0,
		"scriptspec_last_run_success{step=\"Publish\",script=\"\"}":                     0, // cancelled
		"scriptspec_last_run_timestamp_seconds{" + prep + "}":                           float64(r.StartedAt.Unix()) + 1.6,
		"scriptspec_duration_seconds{" + prep + "}":                                     0.8,
		"scriptspec_peak_memory_bytes{" + prep + "}":                                    37 << 20,
		"scriptspec_flaky{" + prep + "}":                                                1,
		"scriptspec_budget_ratio{" + prep + ",what=\"duration\"}":                       1.6,
		"scriptspec_budget_ratio{" + prep + ",what=\"peak_memory\"}":                    37.0 / 32,
		"scriptspec_budget_ratio{" + prep + ",what=\"output_bytes\"}":                   0.25,
		"scriptspec_flaky{step=\"Preprocessing_calibration\",script=\"preprocessing\"}": 0,
	} {
		got, ok := samples[series]
		require.True(t, ok, series)
		assert.InDelta(t, want, got, 1e-9, series)
	}
	for series := range samples {
		assert.NotContains(t, series, `step="Load"`, "not run")
		assert.NotContains(t, series, `step="Schema"`, "reused")
		assert.NotContains(t, series, `step="Evaluation"`, "blocked")
	}
}

// A spec and its examples are one series: the worst of them.
func TestPrometheusHasNoSeriesTwice(t *testing.T) {
	t.Parallel()
	run := func(success bool, took time.Duration) *scriptspec.ScriptTestResult {
		return &scriptspec.ScriptTestResult{ScriptName: "a", StepName: "A", Success: success, Outcome: map[bool]scriptspec.Outcome{true: "passed", false: "exit"}[success], ExecutionTime: took}
	}
	r := &scriptspec.StoreTestResult{Specs: []scriptspec.SpecTestResult{
		{Name: "a", Result: run(true, 3*time.Second)}, {Name: "a/small", Result: run(false, time.Second)}, {Name: "a/large", Result: run(true, 9*time.Second)},
		{Name: "b", Error: "no Python interpreter"},
	}}
	assert.Equal(t, map[string]float64{
		`scriptspec_last_run_success{step="A",script="a"}`: 0, `scriptspec_last_run_success{step="b",script=""}`: 0,
		`scriptspec_duration_seconds{step="A",script="a"}`: 9, `scriptspec_flaky{step="A",script="a"}`: 0,
	}, checkMetrics(t, written(t, r.WritePrometheus)))
}

type otlpSpan struct {
	TraceID, SpanID, ParentSpanID string
	Name                          string
	StartTimeUnixNano             string
	EndTimeUnixNano               string
	Flags                         int
	Attributes                    []struct {
		Key   string
		Value map[string]any
	}
	Events []struct{ Name string }
	Links  []struct{ TraceID, SpanID string }
	Status struct {
		Code    int
		Message string
	}
}

func (s otlpSpan) attribute(key string) any {
	for _, a := range s.Attributes {
		if a.Key == key {
			for _, value := range a.Value {
				return value
			}
		}
	}
	return nil
}

// checkOTLP holds a trace to what it promises: one line, one trace, every span with a parent in it but the first.
func checkOTLP(t testing.TB, text, traceID, parent string) map[string]otlpSpan {
	t.Helper()
	require.Equal(t, 1, strings.Count(text, "\n"))
	var doc struct {
		ResourceSpans []struct {
			ScopeSpans []struct{ Spans []otlpSpan }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(text), &doc))
	spans := doc.ResourceSpans[0].ScopeSpans[0].Spans
	ids, names := map[string]bool{}, map[string]otlpSpan{}
	for i, s := range spans {
		require.Regexp(t, `^[0-9a-f]{32}$`, s.TraceID)
		require.Regexp(t, `^[0-9a-f]{16}$`, s.SpanID)
		require.Equal(t, spans[0].TraceID, s.TraceID)
		require.False(t, ids[s.SpanID], "span id twice")
		if i == 0 {
			require.Equal(t, parent, s.ParentSpanID)
		} else {
			require.True(t, ids[s.ParentSpanID], "no parent: %.100s", s.Name)
		}
		ids[s.SpanID] = true
		start, err := strconv.ParseInt(s.StartTimeUnixNano, 10, 64)
		require.NoError(t, err)
		end, err := strconv.ParseInt(s.EndTimeUnixNano, 10, 64)
		require.NoError(t, err)
		require.LessOrEqual(t, start, end)
		require.GreaterOrEqual(t, start, int64(0))
		require.LessOrEqual(t, len(s.Name), 16<<10)
		names[s.Name] = s
	}
	if traceID != "" {
		require.Equal(t, traceID, spans[0].TraceID)
	}
	for _, s := range spans {
		for _, link := range s.Links {
			require.Equal(t, s.TraceID, link.TraceID)
		}
	}
	return names
}

func TestOTLP(t *testing.T) {
	t.Parallel()
	r := retried()
	write := func(parent string) string {
		return written(t, func(w io.Writer) error { return r.WriteOTLP(w, parent) })
	}
	spans := checkOTLP(t, write(""), "", "")
	root := spans["pipeline churn"]
	assert.Equal(t, "failure", root.attribute("test.suite.run.status"))
	assert.Equal(t, 2, root.Status.Code)
	prep := spans["Preprocessing_training"]
	assert.Equal(t, root.SpanID, prep.ParentSpanID)
	assert.Equal(t, "pass", prep.attribute("test.case.result.status"))
	assert.Equal(t, "churn", prep.attribute("test.suite.name"))
	assert.Equal(t, true, prep.attribute("scriptspec.flaky"))
	assert.Zero(t, prep.Status.Code)
	start, _ := strconv.ParseInt(prep.StartTimeUnixNano, 10, 64)
	assert.Equal(t, r.StartedAt.UnixNano()+int64(time.Millisecond), start)
	first := spans["attempt 1 of 3"]
	assert.Equal(t, prep.SpanID, first.ParentSpanID)
	assert.Equal(t, 2, first.Status.Code)
	assert.Equal(t, "ConnectionError", first.attribute("error.type"))
	assert.Equal(t, "exception", first.Events[0].Name)
	assert.Zero(t, spans["attempt 3 of 3"].Status.Code)
	train := spans["Training"]
	assert.Equal(t, "fail", train.attribute("test.case.result.status"))
	assert.Equal(t, "ValueError", train.attribute("error.type"))
	assert.Equal(t, "/repo/scripts/training.py", train.attribute("code.file.path"))
	assert.Equal(t, "12", train.attribute("code.line.number"), "64-bit numbers are texts")
	assert.Equal(t, 2, train.Status.Code)
	require.Len(t, train.Links, 1)
	assert.Equal(t, prep.SpanID, train.Links[0].SpanID)
	assert.Nil(t, spans["Evaluation"].attribute("test.case.result.status"), "blocked, which the conventions do not know")

	// A parent, and what is none: W3C wants a new trace then.
	id, span := strings.Repeat("4b", 16), strings.Repeat("0f", 8)
	of := checkOTLP(t, write("00-"+id+"-"+span+"-01"), id, span)
	assert.Equal(t, 1, of["Training"].Flags)
	checkOTLP(t, write("cc-"+id+"-"+span+"-01-later"), id, span)
	for _, bad := range []string{
		"00-" + id + "-" + span + "-01-later", "ff-" + id + "-" + span + "-01", "00-" + strings.Repeat("0", 32) + "-" + span + "-01", "00-" + id + "-" + strings.Repeat("0", 16) + "-01",
		"00-" + strings.ToUpper(id) + "-" + span + "-01", "00-" + id + "-" + span, "00-" + id[:30] + "-" + span + "-01", "/repo", "\n", strings.Repeat("x", 1<<20),
	} {
		assert.Equal(t, write(""), write(bad), "%.100q", bad)
	}
	r.Duration++
	assert.NotEqual(t, checkOTLP(t, write(""), "", "")["pipeline churn"].TraceID, root.TraceID, "another run is another trace")
}

// Hostile text is data in both.
func TestMetricsAndTracesAreHarmless(t *testing.T) {
	t.Parallel()
	for _, text := range hostile() {
		for _, r := range []scriptspec.Result{infested(text), stored(text), infested(text).Nodes[3].Result} {
			checkMetrics(t, written(t, r.WritePrometheus))
			checkOTLP(t, written(t, func(w io.Writer) error { return r.WriteOTLP(w, text) }), "", "")
		}
	}
}

// The metric of runs on record has every attempt, of examples and in pipelines too, once.
func TestPrometheusOfAHistory(t *testing.T) {
	t.Parallel()
	h := openStore(t, t.TempDir(), nil).History()
	var b strings.Builder
	require.NoError(t, h.WritePrometheus(&b))
	assert.Empty(t, b.String(), "nothing is on record")
	for i := range 3 {
		r := aRecord("Prep", i)
		r.Example = []string{"", "small", ""}[i]
		r.Pipeline = []string{"", "", "churn"}[i]
		require.NoError(t, h.Append(r, aRecord("Odd_training", i+10)))
	}
	require.NoError(t, h.Append(aRecord("Prep", 5)))
	require.NoError(t, h.WritePrometheus(&b))
	assert.Equal(t, map[string]float64{
		`scriptspec_recorded_runs{step="Odd_training",script="odd_training"}`: 3, `scriptspec_recorded_runs{step="Prep",script="prep"}`: 4,
	}, checkMetrics(t, b.String()))
	assert.Contains(t, b.String(), "\n# TYPE scriptspec_recorded_runs gauge\n", "it gets less when old records are dropped")
	golden(t, "report/recorded.prom", b.String())
}
