package schema

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/scriptspec/scriptspec"
)

// decodeOTLP reads a trace with the types that protoc made of the .proto files of OpenTelemetry, and refuses what these do not
// have. In OTLP ids are hexadecimal, where the JSON of protocol buffers has base64.
func decodeOTLP(text []byte) (*trace.TracesData, error) {
	var doc any
	if err := json.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	if err := withBytes(doc); err != nil {
		return nil, err
	}
	text, err := json.Marshal(doc)
	if err != nil {
		return nil, err
	}
	data := &trace.TracesData{}
	return data, protojson.Unmarshal(text, data)
}

// withBytes makes the ids in a document such that protojson reads them.
func withBytes(at any) error {
	switch at := at.(type) {
	case map[string]any:
		for name, value := range at {
			if id, ok := value.(string); ok && (name == "traceId" || name == "spanId" || name == "parentSpanId") {
				raw, err := hex.DecodeString(id)
				if err != nil {
					return err
				}
				at[name] = raw
			} else if err := withBytes(value); err != nil {
				return err
			}
		}
	case []any:
		for _, value := range at {
			if err := withBytes(value); err != nil {
				return err
			}
		}
	}
	return nil
}

func TestOTLP(t *testing.T) {
	files, err := filepath.Glob("../../testdata/report/*otlp.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	failed := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		data, err := decodeOTLP(text)
		require.NoError(t, err, file)
		spans := data.ResourceSpans[0].ScopeSpans[0].Spans
		require.NotEmpty(t, spans)
		for _, s := range spans {
			assert.Len(t, s.TraceId, 16)
			assert.Len(t, s.SpanId, 8)
			assert.LessOrEqual(t, s.StartTimeUnixNano, s.EndTimeUnixNano)
			if s.Status.GetCode() == trace.Status_STATUS_CODE_ERROR {
				failed++
			}
		}
		_, err = decodeOTLP(bytes.Replace(text, []byte(`"kind":1`), []byte(`"kin":1`), 1))
		assert.Error(t, err, "the decoder takes anything")
	}
	assert.NotZero(t, failed)

	// What a file may hold, as far as it goes: times that no clock has, and text that is none.
	odd := &scriptspec.PipelineTestResult{Name: "\xff\x00\u202e", Duration: -1, Nodes: []scriptspec.NodeResult{
		{Node: "\xed\xa0\x80", Status: "odd", Started: -1, Duration: 1 << 62}, {Node: "\xed\xa0\x80", Status: scriptspec.NodeFailed, Reason: "\x1b[31m", Started: 1 << 62, Duration: 1 << 62},
		{Status: scriptspec.NodePassed, Duration: time.Second, Result: &scriptspec.ScriptTestResult{PeakMemory: -1, Outputs: map[string]scriptspec.OutputInfo{"\xff": {Exists: true, Bytes: 1 << 62}}}},
	}}
	var b bytes.Buffer
	require.NoError(t, odd.WriteOTLP(&b, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"))
	data, err := decodeOTLP(b.Bytes())
	require.NoError(t, err)
	assert.Len(t, data.ResourceSpans[0].ScopeSpans[0].Spans, 4)
}
