package scriptspec

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"github.com/scriptspec/scriptspec/internal/report"
)

// reportVersion is that of the JSON forms of a PipelineTestResult and a StoreTestResult. It rises when a member changes its
// meaning or goes; a new member leaves it.
const reportVersion = 2

// plainPipeline and plainNode are the results without their methods.
type (
	plainPipeline PipelineTestResult
	plainNode     NodeResult
)

type pipelineJSON struct {
	*plainPipeline
	Duration float64 `json:"duration"`
}

type nodeJSON struct {
	*plainNode
	Started  float64 `json:"started"`
	Duration float64 `json:"duration"`
}

// MarshalJSON writes the version, snake_case members, with the duration in seconds, and lists that are
// never null.
func (r PipelineTestResult) MarshalJSON() ([]byte, error) {
	r.Version = reportVersion
	r.Nodes, r.Edges = orNone(r.Nodes), slices.Clone(orNone(r.Edges))
	for i := range r.Edges {
		handed := slices.Clone(orNone(r.Edges[i].Transfers))
		for j := range handed {
			handed[j].Formats, handed[j].Problems = orNone(handed[j].Formats), orNone(handed[j].Problems)
		}
		r.Edges[i].Transfers = handed
	}
	return json.Marshal(pipelineJSON{(*plainPipeline)(&r), r.Duration.Seconds()})
}

// UnmarshalJSON reads what MarshalJSON writes. A document without a version, or of a newer one than
// this package knows, is refused with a [*DecodeError]; members that it does not know are passed over.
func (r *PipelineTestResult) UnmarshalJSON(data []byte) error {
	read := PipelineTestResult{}
	v := pipelineJSON{plainPipeline: (*plainPipeline)(&read)}
	if err := checkReportVersion(data, "pipeline"); err != nil {
		return err
	}
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	read.Duration = fromSeconds(v.Duration)
	for _, e := range read.Edges {
		for i := range e.Transfers {
			e.Transfers[i].Source, e.Transfers[i].Dest = e.Source, e.Dest
		}
	}
	*r = read
	return nil
}

// checkReportVersion refuses a result that is not of a version that is known here.
func checkReportVersion(data []byte, kind string) error {
	var has struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(data, &has); err != nil {
		return err
	}
	switch {
	case has.Version < 1:
		return &DecodeError{Path: "version", Message: "missing; the result of a " + kind + " has one, from 1"}
	case has.Version > reportVersion:
		return &DecodeError{Path: "version", Message: fmt.Sprintf(
			"the result is of version %d, and %d is the newest that is known here; read it with a newer scriptspec", has.Version, reportVersion)}
	}
	return nil
}

// MarshalJSON writes snake_case members, with started and duration in seconds.
func (n NodeResult) MarshalJSON() ([]byte, error) {
	return json.Marshal(nodeJSON{(*plainNode)(&n), n.Started.Seconds(), n.Duration.Seconds()})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (n *NodeResult) UnmarshalJSON(data []byte) error {
	v := nodeJSON{plainNode: (*plainNode)(n)}
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	n.Started, n.Duration = fromSeconds(v.Started), fromSeconds(v.Duration)
	return nil
}

// fromSeconds rounds, for no fraction of a second in nanoseconds is one in binary. What is too long
// for a Duration becomes the longest.
func fromSeconds(s float64) time.Duration {
	switch ns := math.Round(s * float64(time.Second)); {
	case ns >= math.MaxInt64:
		return math.MaxInt64
	case ns <= math.MinInt64:
		return math.MinInt64
	default:
		return time.Duration(ns)
	}
}

func orNone[E any](list []E) []E {
	if list == nil {
		return []E{}
	}
	return list
}

// WriteText writes the result for a terminal: a line that sums it up, a table of the nodes in topological
// order, what went wrong, and then what is new beside earlier runs, flaky or over its budget. There is no colour, no line ends in a space, and control characters that
// came from scripts are escaped. The error is that of w.
func (r *PipelineTestResult) WriteText(w io.Writer) error { return r.report().WriteText(w) }

// WriteJUnit writes the result as the JUnit XML that CI systems show: a test suite with a test for each
// node, and one with a test for each edge along which data was handed over. A node that failed is a
// failure whose type is the outcome, one that was cancelled or lost an error, and one that was skipped, blocked or
// reused is skipped. The attempts before the one that counts are a flakyFailure each if that one passed, else a
// rerunFailure, as Maven's Surefire writes them. The ends of stdout and stderr are included, at most 64 KiB of each. Times are in
// seconds; characters that XML cannot represent are escaped. The error is that of w.
func (r *PipelineTestResult) WriteJUnit(w io.Writer) error { return r.report().WriteJUnit(w) }

// WriteGitHub writes the result as workflow commands of GitHub Actions, for a step to print on stdout: an
// ::error for each node that failed or was lost and for each problem of data, a ::warning for each that was cancelled, was
// flaky or took more than its budget, and a ::notice for each that was skipped or blocked. If the traceback leads to the script, the annotation
// is on its line. Nothing that a script has printed can begin a command of its own. The error is that of w.
func (r *PipelineTestResult) WriteGitHub(w io.Writer) error { return r.report().WriteGitHub(w) }

// WriteHTML writes the result as one page that needs nothing else: no network, no other file. It says first what
// failed, what is new, flaky or over its budget, and what took longest. It shows the graph, with its nodes marked by
// status, its edges by what was handed over, and the critical path; when each node ran, and beside it how long its last
// runs took and how they ended. A node shows its details when it is chosen, by pointer, keyboard or link, with or
// without JavaScript, and nothing is said by colour alone. The page allows itself
// nothing but its own style and script, and contains all else as text. Of each stream it shows the last
// 64 KiB. A graph of thousands of nodes is listed, not drawn. The error is that of w.
func (r *PipelineTestResult) WriteHTML(w io.Writer) error { return r.report().WriteHTML(w) }

// WriteText is as in [PipelineTestResult.WriteText], for one script.
func (r *ScriptTestResult) WriteText(w io.Writer) error { return r.report().WriteText(w) }

// WriteJUnit is as in [PipelineTestResult.WriteJUnit]: a suite with one test.
func (r *ScriptTestResult) WriteJUnit(w io.Writer) error { return r.report().WriteJUnit(w) }

// WriteGitHub is as in [PipelineTestResult.WriteGitHub]: an ::error if the script failed, else nothing.
func (r *ScriptTestResult) WriteGitHub(w io.Writer) error { return r.report().WriteGitHub(w) }

// WriteHTML is as in [PipelineTestResult.WriteHTML], without a graph.
func (r *ScriptTestResult) WriteHTML(w io.Writer) error { return r.report().WriteHTML(w) }

// WriteText is as in [PipelineTestResult.WriteText], with a row for each spec.
func (r *StoreTestResult) WriteText(w io.Writer) error { return r.report().WriteText(w) }

// WriteJUnit is as in [PipelineTestResult.WriteJUnit]: a suite with a test for each spec.
func (r *StoreTestResult) WriteJUnit(w io.Writer) error { return r.report().WriteJUnit(w) }

// WriteGitHub is as in [PipelineTestResult.WriteGitHub]: an ::error for each spec that failed.
func (r *StoreTestResult) WriteGitHub(w io.Writer) error { return r.report().WriteGitHub(w) }

// WriteHTML is as in [PipelineTestResult.WriteHTML], without a graph: the timeline has the lane that each spec ran on.
func (r *StoreTestResult) WriteHTML(w io.Writer) error { return r.report().WriteHTML(w) }

// report returns the result as reports show it.
func (r *PipelineTestResult) report() *report.Run {
	if r == nil {
		r = &PipelineTestResult{}
	}
	run := &report.Run{
		Kind: report.Pipeline, Name: r.Name, Success: r.Success, WorkDir: r.WorkDir,
		Started: r.StartedAt.Time, Naive: r.StartedAt.IsNaive(), Duration: r.Duration,
	}
	if r.StartedAt.IsZero() {
		run.Started = time.Time{}
	}
	for _, n := range r.Nodes {
		node := n.Result.attempted()
		node.Name, node.Status, node.Reason, node.Level = n.Node, report.Status(n.Status), n.Reason, n.Level
		node.Apart, node.Started, node.Duration = n.Reason == notPart, n.Started, n.Duration
		run.Nodes = append(run.Nodes, node)
	}
	for _, e := range r.Edges {
		edge := report.Edge{Source: e.Source, Dest: e.Dest}
		for _, t := range e.Transfers {
			edge.Transfers = append(edge.Transfers, report.Transfer{
				Output: t.Output, Input: t.Input, Match: string(t.MatchType), Confidence: t.Confidence,
				Path: t.Path, Files: t.Files, Bytes: t.Bytes, Formats: t.Formats, Problems: t.Problems,
			})
		}
		run.Edges = append(run.Edges, edge)
	}
	return run
}

func (r *ScriptTestResult) report() *report.Run {
	if r == nil {
		r = &ScriptTestResult{}
	}
	node := r.node(r.StepName)
	run := &report.Run{Kind: report.OneSpec, Name: r.StepName, Success: r.Success, Duration: node.Duration, Nodes: []report.Node{node}}
	if first := r.began(); !first.IsZero() {
		run.Started, run.Naive = first.Time, first.IsNaive()
	}
	return run
}

func (r *StoreTestResult) report() *report.Run {
	if r == nil {
		r = &StoreTestResult{}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	run := &report.Run{
		Kind: report.Store, Name: r.Dir, Success: r.Success, Duration: r.Duration,
		Started: r.StartedAt.Time, Naive: r.StartedAt.IsNaive(),
	}
	for _, s := range r.Specs {
		name := s.inRound()
		node := report.Node{Name: name, Status: report.Skipped, Reason: "not run"}
		if s.Result != nil {
			node = s.Result.node(name)
			if first := s.Result.began(); !first.IsZero() && !r.StartedAt.IsZero() {
				node.Started = max(first.Sub(r.StartedAt.Time), 0)
			}
			for i, p := range node.Past {
				node.Past[i].Passed = p.Outcome == string(expected(s.Expect))
			}
			if s.Expect != "" && s.Result.Outcome == s.Expect {
				node.Status, node.Reason = report.Passed, ""
			} else if s.Expect != "" {
				node.Status, node.Reason = report.Failed, "expected outcome "+printable(string(s.Expect))+", got "+string(s.Result.Outcome)
				if !s.Result.Success {
					node.Reason += ": " + failure(s.Result)
				}
			}
		}
		if s.Error != "" {
			node.Status, node.Reason = cmp.Or(report.Status(s.Status), report.Failed), s.Error
		}
		run.Nodes = append(run.Nodes, node)
	}
	return run
}

// node returns the result as the node of a report, which took as long as all attempts.
func (r *ScriptTestResult) node(name string) report.Node {
	n := r.attempted()
	n.Name, n.Status, n.Duration = name, report.Passed, r.ExecutionTime
	if first := r.began(); len(r.Attempts) > 1 && !first.IsZero() && !r.StartedAt.IsZero() {
		n.Duration = max(r.StartedAt.Sub(first.Time), 0) + r.ExecutionTime
	}
	if !r.Success {
		n.Status, n.Reason = report.Failed, failure(r)
	}
	return n
}

// began returns when the first attempt did, zero if it is not known.
func (r *ScriptTestResult) began() Timestamp {
	if len(r.Attempts) > 0 {
		return r.Attempts[0].StartedAt
	}
	return r.StartedAt
}

// attempted returns what reports show of the attempts of a script, in a node without name and status.
func (r *ScriptTestResult) attempted() report.Node {
	n := report.Node{Script: r.script()}
	if r == nil {
		return n
	}
	n.Flaky = r.Flaky
	n.Usual = report.Usual{Runs: r.Past.Comparable.Runs, Median: r.Past.Comparable.Median}
	for _, p := range r.Past.Recent {
		n.Past = append(n.Past, report.Past{At: p.At.Time, Outcome: string(p.Outcome), Passed: p.Outcome == OutcomePassed, Duration: p.Duration})
	}
	if len(r.Attempts) > 1 {
		for i := range r.Attempts {
			n.Attempts = append(n.Attempts, r.Attempts[i].script())
		}
	}
	return n
}

// script returns the result as reports show it in a node.
func (r *ScriptTestResult) script() *report.Script {
	if r == nil {
		return nil
	}
	s := &report.Script{
		ScriptName: r.ScriptName, StepName: r.StepName, Description: r.Description, Outcome: string(r.Outcome), Success: r.Success,
		ErrorType: r.ErrorType, ErrorMessage: r.ErrorMessage, Traceback: r.Traceback,
		ExitCode: r.ExitCode, Signal: r.Signal, ExecutionTime: r.ExecutionTime, ImportTime: r.ImportTime, PeakMemory: r.PeakMemory,
		Stdout: streamOf(r.Stdout), Stderr: streamOf(r.Stderr), Outputs: make(map[string]report.Output, len(r.Outputs)),
		Leftover: r.Leftover, Survivors: r.Survivors,
	}
	if !r.StartedAt.IsZero() {
		s.Started = r.StartedAt.Time
	}
	for _, u := range r.Budget {
		s.Budget = append(s.Budget, report.Excess{What: u.What, Value: u.Value, Limit: u.Limit})
	}
	for _, e := range r.OverBudget() {
		s.OverBudget = append(s.OverBudget, report.Excess{What: e.What, Value: e.Value, Limit: e.Limit, Text: e.String()})
	}
	for _, u := range r.UncheckedBudget {
		s.Unchecked = append(s.Unchecked, u.String())
	}
	for name, o := range r.Outputs {
		s.Outputs[name] = report.Output{Path: o.Path, Exists: o.Exists, Files: o.Files, Bytes: o.Bytes}
	}
	return s
}

func streamOf(c Capture) report.Stream {
	return report.Stream{Text: c.Text, Bytes: c.Bytes, Truncated: c.Truncated}
}
