package scriptspec

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"

	"github.com/scriptspec/scriptspec/internal/report"
)

// Result is what came of a run: a [*ScriptTestResult], a [*StoreTestResult] or a [*PipelineTestResult]. The set is
// closed.
type Result interface {
	// Succeeded reports whether all of it ended as it should.
	Succeeded() bool
	WriteText(w io.Writer) error
	WriteMarkdown(w io.Writer) error
	WriteHTML(w io.Writer) error
	WriteJUnit(w io.Writer) error
	WriteGitHub(w io.Writer) error
	WriteGNU(w io.Writer) error
	// WriteSARIF takes the top of the sources, to which paths are relative.
	WriteSARIF(w io.Writer, root string) error
	WritePrometheus(w io.Writer) error
	// WriteOTLP takes the W3C traceparent of the span that the run belongs to, "" for none.
	WriteOTLP(w io.Writer, traceparent string) error

	report() *report.Run
}

// Succeeded reports whether the script passed.
func (r *ScriptTestResult) Succeeded() bool { return r.Success }

// Succeeded reports whether every run ended as it should.
func (r *StoreTestResult) Succeeded() bool { return r.Success }

// Succeeded reports whether the pipeline passed.
func (r *PipelineTestResult) Succeeded() bool { return r.Success }

// WriteMarkdown writes the result for the summary of a CI job, as GITHUB_STEP_SUMMARY takes it. What came from scripts is
// text in it, and no markup. The error is that of w.
func (r *PipelineTestResult) WriteMarkdown(w io.Writer) error { return r.report().WriteMarkdown(w) }

// WriteMarkdown is as in [PipelineTestResult.WriteMarkdown].
func (r *ScriptTestResult) WriteMarkdown(w io.Writer) error { return r.report().WriteMarkdown(w) }

// WriteMarkdown is as in [PipelineTestResult.WriteMarkdown].
func (r *StoreTestResult) WriteMarkdown(w io.Writer) error { return r.report().WriteMarkdown(w) }

// WriteGNU writes a line for each node that failed or was lost and each problem of data, as compilers do, with the line of the script
// that the traceback leads to: file:line:column: severity: message [code]. Nodes that passed only after attempts that
// failed, or over budget, are warnings. What is in no file is said by scriptspec: severity: message [code]. The error is
// that of w.
func (r *PipelineTestResult) WriteGNU(w io.Writer) error { return writeGNU(w, r) }

// WriteGNU is as in [PipelineTestResult.WriteGNU].
func (r *ScriptTestResult) WriteGNU(w io.Writer) error { return writeGNU(w, r) }

// WriteGNU is as in [PipelineTestResult.WriteGNU].
func (r *StoreTestResult) WriteGNU(w io.Writer) error { return writeGNU(w, r) }

// WriteSARIF writes what WriteGNU does as SARIF 2.1.0, with paths relative to root, the top of the sources.
func (r *PipelineTestResult) WriteSARIF(w io.Writer, root string) error {
	return writeSARIF(w, r, root)
}

// WriteSARIF is as in [PipelineTestResult.WriteSARIF].
func (r *ScriptTestResult) WriteSARIF(w io.Writer, root string) error { return writeSARIF(w, r, root) }

// WriteSARIF is as in [PipelineTestResult.WriteSARIF].
func (r *StoreTestResult) WriteSARIF(w io.Writer, root string) error { return writeSARIF(w, r, root) }

// WritePrometheus writes the result in the text format of Prometheus, for the textfile collector of the node exporter: gauges
// with the labels step and script, in seconds and bytes, and scriptspec_budget_ratio with the label what. Nodes that were not
// to be run have no samples; a spec and its examples are one series, with the worst of each figure. There are no times of
// samples, but scriptspec_last_run_timestamp_seconds. Write the file to another name and rename it, so that the collector
// never reads half of one. The error is that of w.
func (r *PipelineTestResult) WritePrometheus(w io.Writer) error { return r.report().WritePrometheus(w) }

// WritePrometheus is as in [PipelineTestResult.WritePrometheus].
func (r *ScriptTestResult) WritePrometheus(w io.Writer) error { return r.report().WritePrometheus(w) }

// WritePrometheus is as in [PipelineTestResult.WritePrometheus].
func (r *StoreTestResult) WritePrometheus(w io.Writer) error { return r.report().WritePrometheus(w) }

// WriteOTLP writes the result as one OpenTelemetry trace, on one line in the JSON form of OTLP that the collector's
// otlpjsonfile receiver reads: a span of the run, below it one of each node, with links to those that fed it, and one of each
// attempt if there was more than one. What failed has the status Error. Ids follow from the result: it has the same ones each
// time. The traceparent, as W3C Trace Context has it, names the span that the run belongs to; "" and one that is not valid
// stand for none. A result that does not know when it began has spans from 1970 on. The error is that of w.
func (r *PipelineTestResult) WriteOTLP(w io.Writer, traceparent string) error {
	return r.report().WriteOTLP(w, traceparent)
}

// WriteOTLP is as in [PipelineTestResult.WriteOTLP].
func (r *ScriptTestResult) WriteOTLP(w io.Writer, traceparent string) error {
	return r.report().WriteOTLP(w, traceparent)
}

// WriteOTLP is as in [PipelineTestResult.WriteOTLP].
func (r *StoreTestResult) WriteOTLP(w io.Writer, traceparent string) error {
	return r.report().WriteOTLP(w, traceparent)
}

func writeGNU(w io.Writer, r Result) error { return report.WriteGNU(w, r.report().Notes()) }

func writeSARIF(w io.Writer, r Result, root string) error {
	root, err := filepath.Abs(root)
	if err != nil {
		return err
	}
	return report.WriteSARIF(w, "run", root, r.report().Notes())
}

// ParseResult reads the JSON of a result of any kind. The error is for what is none, and for a version that this package
// does not know.
func ParseResult(data []byte) (Result, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return nil, &DecodeError{Message: err.Error(), Err: fmt.Errorf("%w: %w", ErrCorrupt, err)}
	}
	var r Result
	switch {
	case members["nodes"] != nil && members["edges"] != nil && members["success"] != nil:
		r = &PipelineTestResult{}
	case members["specs"] != nil && members["success"] != nil:
		r = &StoreTestResult{}
	case members["outcome"] != nil:
		r = &ScriptTestResult{}
	default:
		return nil, &DecodeError{Message: "not the result of a run: want success and one of nodes, specs or outcome"}
	}
	if err := json.Unmarshal(data, r); err != nil {
		return nil, err
	}
	return r, nil
}

// DiffResults returns what came out differently in two runs, by node or spec, sorted: what was run in one only, statuses,
// outcomes, and how much is in each output. Times and memory are never the same twice, and left out.
func DiffResults(a, b Result) []Change {
	before, after := nodesOf(a), nodesOf(b)
	names := slices.Collect(maps.Keys(before))
	for name := range after {
		if _, both := before[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var changes []Change
	for _, name := range names {
		old, had := before[name]
		now, has := after[name]
		switch {
		case !had:
			changes = append(changes, Change{Path: printable(name), Kind: changeAdded, New: now["status"]})
		case !has:
			changes = append(changes, Change{Path: printable(name), Kind: changeRemoved, Old: old["status"]})
		default:
			for _, place := range sortedKeys(merged(old, now)) {
				changes = append(changes, resultChange(printable(name)+"."+place, old[place], now[place])...)
			}
		}
	}
	return changes
}

func resultChange(path string, old, now any) []Change {
	switch {
	case old == now:
		return nil
	case old == nil:
		return []Change{{Path: path, Kind: changeAdded, New: now}}
	case now == nil:
		return []Change{{Path: path, Kind: changeRemoved, Old: old}}
	}
	return []Change{{Path: path, Kind: changeChanged, Old: old, New: now}}
}

// nodesOf returns what can be compared of each node of a result, by place.
func nodesOf(r Result) map[string]map[string]any {
	all := map[string]map[string]any{}
	if r == nil {
		return all
	}
	for _, n := range r.report().Nodes {
		values := map[string]any{"status": string(n.Status)}
		if s := n.Script; s != nil {
			values["outcome"] = s.Outcome
			for name, o := range s.Outputs {
				values[keyed("outputs", name)+".files"], values[keyed("outputs", name)+".bytes"] = o.Files, o.Bytes
			}
		}
		all[n.Name] = values
	}
	return all
}

func merged(a, b map[string]any) map[string]any {
	both := maps.Clone(a)
	maps.Copy(both, b)
	return both
}
