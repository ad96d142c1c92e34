package scriptspec_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// churned is a diamond in which one of two branches failed, with a node of every other status.
func churned() *scriptspec.PipelineTestResult {
	ran := func(script, step string, took time.Duration, outputs map[string]scriptspec.OutputInfo) *scriptspec.ScriptTestResult {
		return &scriptspec.ScriptTestResult{
			ScriptName: script, StepName: step, Description: "What " + script + " does.", Success: true, Outcome: scriptspec.OutcomePassed, ExecutionTime: took,
			HasMainFunction: true, PeakMemory: 37 << 20, Outputs: outputs,
			Stdout: scriptspec.Capture{Text: "read 1000 rows\nwrote 990 rows\n", Bytes: 30},
		}
	}
	hand := func(output, input string, files int, size int64, formats ...string) scriptspec.Transfer {
		return scriptspec.Transfer{
			Output: output, Input: input, MatchType: "exact_logical", Confidence: 1, Path: "/work/" + output,
			Files: files, Bytes: size, Formats: formats,
		}
	}
	failed := ran("training", "Training", 1520*time.Millisecond, map[string]scriptspec.OutputInfo{"model": {Path: "/work/Training/model", Exists: true}})
	failed.Success, failed.Outcome, failed.ExitCode = false, scriptspec.OutcomeException, 1
	failed.ErrorType, failed.ErrorMessage = "ValueError", "could not convert string to float: 'n/a'"
	failed.Traceback = "Traceback (most recent call last):\n  File \"/repo/scripts/training.py\", line 41, in main\n    fit(rows)\n" +
		"  File \"/repo/scripts/training.py\", line 12, in fit\n    float(row[\"amount\"])\n" +
		"  File \"/usr/lib/python3.12/x.py\", line 7, in y\n    z\nValueError: could not convert string to float: 'n/a'\n"
	failed.Stderr = scriptspec.Capture{Text: "warning: 3 rows\n[...]\ngiving up\n", Bytes: 2 << 20, Truncated: true}
	bad := hand("processed_data", "training_data", 2, 1<<20, "csv")
	bad.Problems = []string{"part-1.csv:17:1: the row has 4 fields, the header 5\npart-2.csv: is empty; a table has a header", "too few rows"}
	const (
		load, prep, calib = "Load", "Preprocessing_training", "Preprocessing_calibration"
		train, eval       = "Training", "Evaluation"
	)
	return &scriptspec.PipelineTestResult{
		Version: 2, Name: "churn", WorkDir: "/work",
		StartedAt: scriptspec.NewTimestamp(time.Date(2025, 9, 9, 22, 14, 23, 0, time.UTC)), Duration: 3217 * time.Millisecond,
		Nodes: []scriptspec.NodeResult{
			{Node: load, Status: scriptspec.NodeSkipped, Reason: "data come from the warehouse"},
			{Node: prep, Status: scriptspec.NodePassed, Level: 1, Started: time.Millisecond, Duration: 812 * time.Millisecond,
				Result: ran("preprocessing", prep, 800*time.Millisecond, map[string]scriptspec.OutputInfo{
					"processed_data": {Path: "/work/" + prep + "/processed_data", Exists: true, Files: 2, Bytes: 1 << 20},
					"metrics":        {Path: "/work/" + prep + "/metrics", Exists: true, Files: 1, Bytes: 412},
				})},
			{Node: calib, Status: scriptspec.NodePassed, Level: 1, Started: 2 * time.Millisecond, Duration: 700 * time.Millisecond,
				Result: ran("preprocessing", calib, 690*time.Millisecond, map[string]scriptspec.OutputInfo{
					"processed_data": {Path: "/work/" + calib + "/processed_data", Exists: true, Files: 1, Bytes: 20_000},
				})},
			{Node: train, Status: scriptspec.NodeFailed, Level: 2, Started: 815 * time.Millisecond, Duration: 1530 * time.Millisecond,
				Reason: "ValueError: could not convert string to float: 'n/a'", Result: failed},
			{Node: "Schema", Status: scriptspec.NodeReused, Reason: "not part of this run"},
			{Node: "Publish", Status: scriptspec.NodeCancelled, Level: 2, Started: 815 * time.Millisecond, Duration: time.Second, Reason: "context canceled"},
			{Node: eval, Status: scriptspec.NodeBlocked, Level: 3, Reason: "Training did not pass"},
		},
		Edges: []scriptspec.EdgeResult{
			{Source: load, Dest: prep, Transfers: []scriptspec.Transfer{hand("data", "data", 3, 5_000_000, "csv", "json")}, DestStatus: scriptspec.NodePassed},
			{Source: load, Dest: calib, Transfers: []scriptspec.Transfer{hand("data", "data", 3, 5_000_000, "csv", "json")}, DestStatus: scriptspec.NodePassed},
			{Source: prep, Dest: train, Transfers: []scriptspec.Transfer{bad, hand("metrics", "metrics", 1, 412, "json")}, DestStatus: scriptspec.NodeFailed},
			{Source: "Schema", Dest: "Publish", Transfers: []scriptspec.Transfer{hand("schema", "schema", 1, 90, "json?")}, DestStatus: scriptspec.NodeCancelled},
			{Source: train, Dest: eval, DestStatus: scriptspec.NodeBlocked},
			{Source: calib, Dest: eval, DestStatus: scriptspec.NodeBlocked},
		},
	}
}

// hostile are texts that try to be more than text.
func hostile() []string {
	return []string{
		"</script><script>alert(1)</script>", "]]>", "]]]]>><![CDATA[", "<!--", "\"' onclick=x", "\x1b[31mred\x1b[0m\a\b\x00\x7f\u0085",
		"a\n::error::b", "a\r::error::b", "a\r\n::error::b", "%0A::error::b", "##[error]x", ":,%", "\u202egnp.exe\u2066", "\ufffe\uffff\u2028",
		"\xff\xfe", "\xed\xa0\x80", "&lt;&#0;", "{{.}}", "${x}`", "", strings.Repeat("x", 5000), "\u65e5\u672c\u8a9e", "javascript:alert(1)", "  trailing  ",
	}
}

// infested is churned with one text in every place that has one.
func infested(text string) *scriptspec.PipelineTestResult {
	r := churned()
	r.Name, r.WorkDir = text, text
	for i := range r.Nodes {
		n := &r.Nodes[i]
		n.Node += text
		n.Reason = text
		if s := n.Result; s != nil {
			s.ScriptName, s.StepName, s.Description, s.ErrorType, s.ErrorMessage, s.Signal = text, text, text, text, text, text
			s.Traceback += "  File \"" + text + "\", line 3\n" + text
			s.Stdout.Text, s.Stderr.Text = text, text
			s.Outputs = map[string]scriptspec.OutputInfo{text: {Path: text, Exists: true}}
			s.ImportTime, s.Budget = time.Millisecond, []scriptspec.BudgetUse{{What: text, Value: 2, Limit: 1}}
			first, second := *s, *s
			s.Attempts, s.Flaky = []scriptspec.ScriptTestResult{first, second}, n.Status == scriptspec.NodePassed
			if n.Status == scriptspec.NodePassed {
				n.Status, s.Outcome = scriptspec.NodeStatus(text), scriptspec.Outcome(text)
			}
		}
	}
	for i := range r.Edges {
		e := &r.Edges[i]
		e.Source, e.Dest = e.Source+text, e.Dest+text
		for j := range e.Transfers {
			h := &e.Transfers[j]
			h.Output, h.Input, h.MatchType, h.Path = text, text, scriptspec.MatchType(text), text
			h.Formats, h.Problems = []string{text}, []string{text}
		}
	}
	return r
}

// reportFiles are the reports that every result can write of itself, each with the name of its golden file.
var reportFiles = map[string]string{
	"WriteText": "text.txt", "WriteJUnit": "junit.xml", "WriteGitHub": "github.txt", "WriteHTML": "page.html", "WriteGNU": "gnu.txt",
	"WriteMarkdown": "summary.md", "WriteSARIF": "log.sarif", "WritePrometheus": "metrics.prom", "WriteOTLP": "otlp.json",
}

// reportsOf returns the methods of a result that write a report, by the name of their golden file.
func reportsOf(t testing.TB, result any) map[string]func(io.Writer) error {
	t.Helper()
	v, methods := reflect.ValueOf(result), map[string]func(io.Writer) error{}
	for m := range v.Type().Methods() {
		write, ok := reflect.TypeAssert[func(io.Writer) error](v.MethodByName(m.Name))
		if below, rooted := reflect.TypeAssert[func(io.Writer, string) error](v.MethodByName(m.Name)); rooted {
			write, ok = func(w io.Writer) error { return below(w, "/repo") }, true
		}
		if ok {
			require.Contains(t, reportFiles, m.Name, "%T writes a report that reportFiles does not name", result)
			methods[reportFiles[m.Name]] = write
		}
	}
	require.Len(t, methods, len(reportFiles), "%T does not write every report", result)
	return methods
}

// writers are all reports of a pipeline, by the name of their golden file.
func writers(t testing.TB) map[string]func(*scriptspec.PipelineTestResult, io.Writer) error {
	t.Helper()
	all := map[string]func(*scriptspec.PipelineTestResult, io.Writer) error{
		"json.json": func(r *scriptspec.PipelineTestResult, w io.Writer) error {
			if r == nil {
				return nil
			}
			e := json.NewEncoder(w)
			e.SetIndent("", "  ")
			return e.Encode(r)
		},
	}
	for _, file := range reportFiles {
		all[file] = func(r *scriptspec.PipelineTestResult, w io.Writer) error { return reportsOf(t, r)[file](w) }
	}
	return all
}

func report(t testing.TB, write func(*scriptspec.PipelineTestResult, io.Writer) error, r *scriptspec.PipelineTestResult) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, write(r, &b))
	return b.String()
}

func TestReports(t *testing.T) {
	t.Parallel()
	for name, write := range writers(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first := report(t, write, churned())
			golden(t, "report/"+name, first)
			for range 25 {
				require.Equal(t, first, report(t, write, churned()))
			}
			golden(t, "report/empty-"+name, report(t, write, &scriptspec.PipelineTestResult{}))
			assert.NotPanics(t, func() { _ = write(nil, io.Discard) })
			assert.ErrorIs(t, write(churned(), brokenWriter{}), errBroken)
		})
	}
}

var errBroken = errors.New("broken")

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }

// Writing a report leaves the result as it was.
func TestReportsChangeNothing(t *testing.T) {
	t.Parallel()
	r := churned()
	for _, write := range writers(t) {
		report(t, write, r)
	}
	assert.Equal(t, churned(), r)
}

func TestPipelineResultJSON(t *testing.T) {
	t.Parallel()
	data, err := json.Marshal(churned())
	require.NoError(t, err)
	var back scriptspec.PipelineTestResult
	require.NoError(t, json.Unmarshal(data, &back))
	again, err := json.Marshal(&back)
	require.NoError(t, err)
	assert.Equal(t, string(data), string(again))
	assert.Equal(t, churned().Nodes, back.Nodes)
	assert.Equal(t, churned().Duration, back.Duration)
	assert.True(t, churned().StartedAt.Equal(back.StartedAt))
	// Cut instead of rounded, 65us and 1.001s would lose a nanosecond.
	for _, d := range []time.Duration{1, 65 * time.Microsecond, 300 * time.Millisecond, 1001 * time.Millisecond, -5, 100 * time.Hour} {
		var n scriptspec.NodeResult
		data, err := json.Marshal(scriptspec.NodeResult{Started: d, Duration: d})
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(data, &n))
		assert.Equal(t, d, n.Started)
		assert.Equal(t, d, n.Duration)
	}
	var n scriptspec.NodeResult
	require.NoError(t, json.Unmarshal([]byte(`{"started": 1e300, "duration": -1e300}`), &n))
	assert.Greater(t, n.Started, time.Duration(math.MaxInt64-10))
	assert.Less(t, n.Duration, time.Duration(math.MinInt64+10))
}

func TestPipelineResultJSONVersions(t *testing.T) {
	t.Parallel()
	for text, ok := range map[string]bool{
		`{"version": 1}`: true, `{"version": 1, "later": {}}`: true, `{"version": 2}`: true, `{"version": 3}`: false, `{}`: false, `{"version": 0}`: false,
		`{"version": -1}`: false, `{"version": 99, "nodes": "changed"}`: false,
	} {
		r := *churned()
		err := json.Unmarshal([]byte(text), &r)
		if ok {
			assert.NoError(t, err, text)
			assert.Empty(t, r.Nodes, "nothing of what was there before")
			continue
		}
		de, is := errors.AsType[*scriptspec.DecodeError](err)
		require.True(t, is, text)
		assert.Equal(t, "version", de.Path)
		assert.Equal(t, *churned(), r, "untouched")
	}
	var r scriptspec.PipelineTestResult
	assert.Error(t, json.Unmarshal([]byte(`{"version": "1"}`), &r))
	assert.Error(t, json.Unmarshal([]byte(`{"version": 1, "nodes": 1}`), &r))
}

// checkTable holds a text report to what it promises: every line is one of ours, whatever is in it.
func checkTable(t testing.TB, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		require.Equal(t, strings.TrimRight(line, " "), line)
		require.False(t, strings.ContainsFunc(line, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }), "%q", line)
	}
}

func TestTextReportUnits(t *testing.T) {
	t.Parallel()
	for size, want := range map[int64]string{
		0: "0 B", 1023: "1023 B", 1024: "1 KiB", 10_188: "9.95 KiB", 10_240: "10 KiB", 1023 << 10: "1023 KiB", 1024<<10 - 1: "1 MiB",
		37 << 20: "37 MiB", 5 << 30: "5 GiB", math.MaxInt64: "8 EiB",
	} {
		r := &scriptspec.PipelineTestResult{Nodes: []scriptspec.NodeResult{{Node: "A"}}, Edges: []scriptspec.EdgeResult{
			{Dest: "A", Transfers: []scriptspec.Transfer{{Files: 1, Bytes: size}}},
		}}
		assert.Contains(t, report(t, (*scriptspec.PipelineTestResult).WriteText, r), " 1 file, "+want+" ", size)
	}
	for d, want := range map[time.Duration]string{
		0: "0s", 400 * time.Microsecond: "0.4ms", 1499 * time.Microsecond: "1ms", 1234 * time.Millisecond: "1.23s", 192600 * time.Millisecond: "3m13s",
	} {
		got := report(t, (*scriptspec.PipelineTestResult).WriteText, &scriptspec.PipelineTestResult{Duration: d})
		assert.Equal(t, "pipeline: failed in "+want+": no nodes\n", got)
	}
}

// A progress bar that goes back to the start of its line is shown line by line.
func TestCarriageReturnsEndLines(t *testing.T) {
	t.Parallel()
	r := churned()
	r.Nodes[3].Result.Stdout.Text = "10%\r20%\r\ndone"
	for _, write := range []func(*scriptspec.PipelineTestResult, io.Writer) error{
		(*scriptspec.PipelineTestResult).WriteJUnit, (*scriptspec.PipelineTestResult).WriteHTML,
	} {
		assert.Contains(t, report(t, write, r), "10%\n20%\ndone")
	}
}

func TestTextReportIsHarmless(t *testing.T) {
	t.Parallel()
	for _, text := range hostile() {
		got := report(t, (*scriptspec.PipelineTestResult).WriteText, infested(text))
		checkTable(t, got)
		for line := range strings.Lines(got) {
			assert.False(t, strings.HasPrefix(strings.TrimSpace(line), "::"), line)
		}
	}
}

// checkCommands holds a GitHub report to what it promises: every line is one command, and all that
// follows its second :: is data.
func checkCommands(t testing.TB, text string) {
	t.Helper()
	unescape := strings.NewReplacer("%25", "%", "%0A", "\n", "%3A", ":", "%2C", ",")
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "::")
		require.True(t, ok, line)
		head, data, ok := strings.Cut(rest, "::")
		require.True(t, ok, line)
		name, properties, _ := strings.Cut(head, " ")
		require.Contains(t, []string{"error", "warning", "notice"}, name)
		for property := range strings.SplitSeq(properties, ",") {
			key, value, _ := strings.Cut(property, "=")
			require.Contains(t, []string{"title", "file", "line", "col"}, key, line)
			require.NotContains(t, value, ":")
		}
		require.NotContains(t, data, "\r")
		require.NotContains(t, unescape.Replace(data), "\x1b")
	}
}

func TestGitHubReportHoldsOnlyItsOwnCommands(t *testing.T) {
	t.Parallel()
	for _, text := range hostile() {
		checkCommands(t, report(t, (*scriptspec.PipelineTestResult).WriteGitHub, infested(text)))
	}
}

func TestGitHubReportFindsTheScript(t *testing.T) {
	t.Parallel()
	got := report(t, (*scriptspec.PipelineTestResult).WriteGitHub, churned())
	assert.Contains(t, got, ",file=/repo/scripts/training.py,line=12::ValueError")
	r := churned()
	r.Nodes[3].Result.Traceback = strings.Repeat("x%\n", 20_000)
	got = report(t, (*scriptspec.PipelineTestResult).WriteGitHub, r)
	assert.NotContains(t, got, "file=")
	assert.Less(t, len(got), 64<<10)
}

// parseXML reads a document to its end and returns its elements by name, with attributes and text.
func parseXML(t testing.TB, text string) map[string][]xmlElement {
	t.Helper()
	found := map[string][]xmlElement{}
	var open []xmlElement
	dec := xml.NewDecoder(strings.NewReader(text))
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err, text)
		switch token := token.(type) {
		case xml.StartElement:
			e := xmlElement{name: token.Name.Local, attrs: map[string]string{}}
			for _, a := range token.Attr {
				e.attrs[a.Name.Local] = a.Value
			}
			if len(open) > 0 {
				e.parent = open[len(open)-1].name
			}
			open = append(open, e)
		case xml.CharData:
			if len(open) > 0 {
				open[len(open)-1].text += string(token)
			}
		case xml.EndElement:
			e := open[len(open)-1]
			open = open[:len(open)-1]
			found[e.name] = append(found[e.name], e)
		}
	}
	require.Empty(t, open)
	return found
}

type xmlElement struct {
	name, parent, text string
	attrs              map[string]string
}
