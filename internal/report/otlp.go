package report

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/scriptspec/scriptspec/internal/printable"
)

// The JSON form of an ExportTraceServiceRequest, by opentelemetry-proto. Ids are hexadecimal, 64-bit numbers are texts, and
// enums numbers.
type (
	otlpData struct {
		Resources []otlpResource `json:"resourceSpans"`
	}
	otlpResource struct {
		Resource struct {
			Attributes []otlpAttribute `json:"attributes"`
		} `json:"resource"`
		Scopes []otlpScope `json:"scopeSpans"`
		Schema string      `json:"schemaUrl"`
	}
	otlpScope struct {
		Scope struct {
			Name string `json:"name"`
		} `json:"scope"`
		Spans []otlpSpan `json:"spans"`
	}
	otlpSpan struct {
		TraceID    string          `json:"traceId"`
		SpanID     string          `json:"spanId"`
		ParentID   string          `json:"parentSpanId,omitempty"`
		Flags      uint32          `json:"flags,omitempty"`
		Name       string          `json:"name"`
		Kind       int             `json:"kind"`
		Start      string          `json:"startTimeUnixNano"`
		End        string          `json:"endTimeUnixNano"`
		Attributes []otlpAttribute `json:"attributes"`
		Events     []otlpEvent     `json:"events,omitempty"`
		Links      []otlpLink      `json:"links,omitempty"`
		Status     *otlpStatus     `json:"status,omitempty"`
	}
	otlpEvent struct {
		Time       string          `json:"timeUnixNano"`
		Name       string          `json:"name"`
		Attributes []otlpAttribute `json:"attributes"`
	}
	otlpLink struct {
		TraceID string `json:"traceId"`
		SpanID  string `json:"spanId"`
	}
	otlpStatus struct {
		Message string `json:"message,omitempty"`
		Code    int    `json:"code"`
	}
	otlpAttribute struct {
		Key   string    `json:"key"`
		Value otlpValue `json:"value"`
	}
	otlpValue struct {
		String *string    `json:"stringValue,omitempty"`
		Bool   *bool      `json:"boolValue,omitempty"`
		Int    string     `json:"intValue,omitempty"`
		Double *float64   `json:"doubleValue,omitempty"`
		Array  *otlpArray `json:"arrayValue,omitempty"`
	}
	otlpArray struct {
		Values []otlpValue `json:"values"`
	}
)

const (
	otlpSchema   = "https://opentelemetry.io/schemas/1.37.0"
	otlpScopeIs  = "github.com/scriptspec/scriptspec"
	otlpText     = 4 << 10  // bytes of a text
	otlpTrace    = 32 << 10 // bytes of a traceback
	otlpInternal = 1        // SPAN_KIND_INTERNAL
	otlpError    = 2        // STATUS_CODE_ERROR
)

// WriteOTLP writes a run as one trace in the JSON of OTLP, on one line, as the collector's otlpjsonfile receiver reads it: a
// span of the run, below it one of each node, and below that one of each attempt if there was more than one. Traceparent is
// the W3C header of the span that it belongs to; one that is not valid counts for none, as W3C wants it.
func (r *Run) WriteOTLP(w io.Writer, traceparent string) error {
	t := newTrace(r, traceparent)
	var data otlpData
	var resource otlpResource
	resource.Resource.Attributes = attributes("service.name", "scriptspec")
	resource.Schema = otlpSchema
	var scope otlpScope
	scope.Scope.Name, scope.Spans = otlpScopeIs, t.spans()
	resource.Scopes = []otlpScope{scope}
	data.Resources = []otlpResource{resource}
	text, err := json.Marshal(data)
	if err == nil {
		_, err = w.Write(append(text, '\n'))
	}
	return err
}

// trace is a run on its way to spans.
type trace struct {
	*Run
	id, parent string
	flags      uint32
	digest     string // of the run: what ids are made of
}

// newTrace gives a run its ids: those of its parent, or such as follow from the run itself, so that the same run has the same.
func newTrace(r *Run, traceparent string) *trace {
	sum := sha256.New()
	fmt.Fprintf(sum, "%q %q %d %d", r.Kind.Noun, r.Name, unixNano(r.Started), r.Duration)
	for _, n := range r.Nodes {
		fmt.Fprintf(sum, " %q %q %d %d", n.Name, n.Status, n.Started, n.Duration)
		if n.Script != nil {
			fmt.Fprintf(sum, " %d", unixNano(n.Script.Started))
		}
	}
	t := &trace{Run: r, digest: hex.EncodeToString(sum.Sum(nil))}
	var ok bool
	if t.id, t.parent, t.flags, ok = parseTraceparent(traceparent); !ok {
		t.id = idOf(16, t.digest, "trace")
	}
	return t
}

// parseTraceparent reads version-traceid-parentid-flags, as W3C Trace Context has it.
func parseTraceparent(text string) (traceID, spanID string, flags uint32, ok bool) {
	parts := strings.Split(text, "-")
	if len(parts) < 4 || parts[0] == "ff" || parts[0] == "00" && len(parts) > 4 {
		return "", "", 0, false
	}
	for i, size := range []int{2, 32, 16, 2} {
		if len(parts[i]) != size || strings.Trim(parts[i], "0123456789abcdef") != "" {
			return "", "", 0, false
		}
	}
	if strings.Trim(parts[1], "0") == "" || strings.Trim(parts[2], "0") == "" {
		return "", "", 0, false
	}
	bits, err := strconv.ParseUint(parts[3], 16, 8)
	return parts[1], parts[2], uint32(bits), err == nil
}

// idOf makes an id of so many bytes of texts.
func idOf(size int, texts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(texts, "\x00")))
	sum[0] |= 1 // an id of zeros is none
	return hex.EncodeToString(sum[:size])
}

func (t *trace) spanID(path ...string) string {
	return idOf(8, append([]string{t.id, t.digest}, path...)...)
}

// spans returns the span of the run and those below it.
func (t *trace) spans() []otlpSpan {
	start := t.Started
	for _, n := range t.Nodes { // a script knows when it began, though a run may not
		if n.Script != nil && start.IsZero() {
			start = n.Script.Started
		}
	}
	status := "failure"
	if t.Success {
		status = "success"
	}
	if start.IsZero() {
		start = time.Unix(0, 0) // so that times between spans are right
	}
	root := t.span(t.spanID(), t.parent, t.title(), start, t.Duration,
		attributes("test.suite.name", cmp.Or(t.Name, t.Kind.Noun), "test.suite.run.status", status, "scriptspec.kind", t.Kind.Noun))
	if !t.Success {
		root.Status = &otlpStatus{printable.Line(t.tally()), otlpError}
	}
	spans := []otlpSpan{root}
	ids := map[string]string{}
	for i, n := range t.Nodes {
		ids[n.Name] = t.spanID("node", strconv.Itoa(i))
	}
	sources := map[string][]otlpLink{}
	for _, e := range t.Edges {
		if id := ids[e.Source]; id != "" {
			link := otlpLink{t.id, id}
			if !slices.Contains(sources[e.Dest], link) {
				sources[e.Dest] = append(sources[e.Dest], link)
			}
		}
	}
	for i, n := range t.Nodes {
		if n.Apart {
			continue // there may be thousands
		}
		spans = append(spans, t.node(n, t.spanID("node", strconv.Itoa(i)), start, sources[n.Name])...)
	}
	return spans
}

// node returns the span of a node and those of its attempts.
func (t *trace) node(n Node, id string, start time.Time, links []otlpLink) []otlpSpan {
	s := n.Script
	began := start.Add(max(n.Started, 0))
	span := t.span(id, t.spanID(), n.Name, began, n.Duration, attributes(
		"test.case.name", n.Name, "test.case.result.status", caseStatus(n.Status), "test.suite.name", cmp.Or(t.Name, t.Kind.Noun),
		"scriptspec.node.status", string(n.Status)))
	span.Links = links
	if n.Status.wrong() {
		span.Status = &otlpStatus{printable.Line(firstLine(n.Reason)), otlpError}
	}
	if s == nil {
		if span.Status != nil {
			span.Attributes = append(span.Attributes, attributes("error.type", string(n.Status))...)
		}
		return []otlpSpan{span}
	}
	span.Attributes = append(span.Attributes, scriptAttributes(s, span.Status != nil)...)
	if n.Flaky {
		span.Attributes = append(span.Attributes, otlpAttribute{"scriptspec.flaky", otlpValue{Bool: new(true)}})
	}
	if len(s.OverBudget) > 0 {
		over := &otlpArray{}
		for _, e := range s.OverBudget {
			over.Values = append(over.Values, stringValue(e.Text))
		}
		span.Attributes = append(span.Attributes, otlpAttribute{"scriptspec.over_budget", otlpValue{Array: over}})
	}
	if len(n.Attempts) < 2 {
		span.Events = exceptionOf(s, span.End)
		return []otlpSpan{span}
	}
	spans := []otlpSpan{span}
	for i, a := range n.Attempts {
		if a == nil {
			continue
		}
		at := a.Started
		if at.IsZero() {
			at = began
		}
		failed := i < len(n.Attempts)-1 || span.Status != nil
		name := fmt.Sprintf("attempt %d of %d", i+1, len(n.Attempts))
		attempt := t.span(t.spanID(id, strconv.Itoa(i)), id, name, at, a.ExecutionTime, scriptAttributes(a, failed))
		if failed {
			attempt.Status = &otlpStatus{printable.Line(firstLine(a.ending())), otlpError}
		}
		attempt.Events = exceptionOf(a, attempt.End)
		spans = append(spans, attempt)
		began = at.Add(max(a.ExecutionTime, 0))
	}
	return spans
}

func (t *trace) span(id, parent, name string, start time.Time, took time.Duration, of []otlpAttribute) otlpSpan {
	from := unixNano(start)
	return otlpSpan{
		TraceID: t.id, SpanID: id, ParentID: parent, Flags: t.flags, Name: printable.Line(name), Kind: otlpInternal,
		Start: strconv.FormatInt(from, 10), End: strconv.FormatInt(max(from, unixNano(start.Add(max(took, 0)))), 10), Attributes: of,
	}
}

// caseStatus is a status as the semantic conventions have it, "" for what was not run.
func caseStatus(s Status) string {
	switch {
	case s == Passed:
		return "pass"
	case s.wrong():
		return "fail"
	}
	return ""
}

// scriptAttributes are what is said of a run of a script.
func scriptAttributes(s *Script, failed bool) []otlpAttribute {
	list := attributes("scriptspec.script", s.ScriptName, "scriptspec.step", s.StepName, "scriptspec.outcome", s.Outcome)
	if failed {
		list = append(list, attributes("error.type", cmp.Or(s.ErrorType, s.Outcome, string(Failed)))...)
		if place := scriptPlace(s); place != nil {
			line, _ := strconv.ParseInt(place[3], 10, 64) // it was made of digits
			list = append(list, attributes("code.file.path", place[1])...)
			list = append(list, intAttribute("code.line.number", line))
		}
		list = append(list, intAttribute("process.exit.code", int64(s.ExitCode)))
	}
	list = append(list, otlpAttribute{"scriptspec.execution_time", otlpValue{Double: new(s.ExecutionTime.Seconds())}})
	if s.ImportTime > 0 {
		list = append(list, otlpAttribute{"scriptspec.import_time", otlpValue{Double: new(s.ImportTime.Seconds())}})
	}
	if s.PeakMemory > 0 {
		list = append(list, intAttribute("scriptspec.peak_memory", s.PeakMemory))
	}
	for _, name := range slices.Sorted(maps.Keys(s.Outputs)) {
		if o := s.Outputs[name]; o.Exists {
			list = append(list, intAttribute("scriptspec.output."+printable.Line(name)+".bytes", o.Bytes))
		}
	}
	return list
}

// exceptionOf is the event of a Python exception.
func exceptionOf(s *Script, at string) []otlpEvent {
	if s.ErrorType == "" {
		return nil
	}
	list := attributes("exception.type", s.ErrorType, "exception.message", s.ErrorMessage)
	if s.Traceback != "" {
		list = append(list, otlpAttribute{"exception.stacktrace", otlpValue{String: new(tail(s.Traceback, otlpTrace))}})
	}
	return []otlpEvent{{at, "exception", list}}
}

// attributes pairs names and texts, without those that have no text.
func attributes(pairs ...string) []otlpAttribute {
	list := []otlpAttribute{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			list = append(list, otlpAttribute{pairs[i], stringValue(pairs[i+1])})
		}
	}
	return list
}

func intAttribute(name string, value int64) otlpAttribute {
	return otlpAttribute{name, otlpValue{Int: strconv.FormatInt(value, 10)}}
}

func stringValue(text string) otlpValue {
	text = beginning(printable.Block(text[:min(len(text), 2*otlpText+1)]), otlpText)
	return otlpValue{String: &text}
}

func firstLine(text string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return first
}

// unixNano is a time as OTLP has it, 0 for one that is not known or that it cannot have.
func unixNano(t time.Time) int64 {
	if year := t.Year(); year < 1970 || year > 2261 {
		return 0
	}
	return t.UnixNano()
}
