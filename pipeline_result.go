package scriptspec

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// NodeStatus is what became of a node of a pipeline. The set is closed.
type NodeStatus string

// What can become of a node.
const (
	NodePassed    NodeStatus = "passed"    // its script passed
	NodeFailed    NodeStatus = "failed"    // its script failed, could not be tested, or could not be fed
	NodeLost      NodeStatus = "lost"      // its job ended without a verdict, also when it was tried again; see RuntimeTester.Engine
	NodeSkipped   NodeStatus = "skipped"   // declared to be skipped, when its outputs are those of its spec; or not part of the run; in a suite, not begun when it was ended
	NodeBlocked   NodeStatus = "blocked"   // not run, because a node it depends on did not pass
	NodeReused    NodeStatus = "reused"    // not part of this run, and its outputs of an earlier one feed a node that is
	NodeCancelled NodeStatus = "cancelled" // running, or not yet begun, when the run was ended
)

// notPart is the reason of a node that was not chosen and feeds none that was.
const notPart = "not part of this run"

// PipelineTestResult is what came of one run of a pipeline. Environment values do not appear in it.
type PipelineTestResult struct {
	// Version is that of the JSON form: 2. Results of version 1 are read as well.
	Version int    `json:"version"`
	Name    string `json:"name"`
	// Success reports whether every node of the run passed or was skipped by declaration, not all of them, and no
	// check of what was handed over failed.
	Success bool `json:"success"`
	// WorkDir has the outputs of the run, as <node>/<logical name>.
	WorkDir   string    `json:"work_dir"`
	StartedAt Timestamp `json:"started_at"`
	// Duration is the wall time of the run; seconds in JSON.
	Duration time.Duration `json:"-"`
	// Nodes are in topological order, Edges in the order of the DAG.
	Nodes []NodeResult `json:"nodes"`
	Edges []EdgeResult `json:"edges"`
}

// NodeResult is what became of one node.
type NodeResult struct {
	Node   string     `json:"node"`
	Status NodeStatus `json:"status"`
	// Reason says why for every status but passed: the first line of what went wrong, the declared
	// reason, or the nodes that did not pass.
	Reason string `json:"reason"`
	// Level is the length of the longest path that leads to the node.
	Level int `json:"level"`
	// Started is the time from the start of the run; seconds in JSON, as is Duration.
	Started  time.Duration `json:"-"`
	Duration time.Duration `json:"-"`
	// Result is what the tester says of the script; nil if it was not run.
	Result *ScriptTestResult `json:"result"`
}

// EdgeResult is what was handed over from one node to another.
type EdgeResult struct {
	Source string `json:"source"`
	Dest   string `json:"dest"`
	// Transfers has one entry for each input that the edge feeds, sorted by input; none if the run did
	// not come this far.
	Transfers []Transfer `json:"handed"`
	// DestStatus is what became of the consumer.
	DestStatus NodeStatus `json:"dest_status"`
}

// Transfer is an output that is handed over to an input.
type Transfer struct {
	// Source and Dest are the nodes. In JSON the edge has them.
	Source     string    `json:"-"`
	Dest       string    `json:"-"`
	Output     string    `json:"output"`
	Input      string    `json:"input"`
	MatchType  MatchType `json:"match_type"`
	Confidence float64   `json:"confidence"`
	// Path is where the data is.
	Path string `json:"path"`
	// Files and Bytes count the regular files there, in subdirectories too.
	Files int   `json:"files"`
	Bytes int64 `json:"bytes"`
	// Formats are those of the files by extension and content, sorted: "csv", "json", "parquet", ...
	Formats []string `json:"formats"`
	// Problems say where the data does not fit, one for each failed check; empty if it does.
	Problems []string `json:"problems"`
}

// result assembles the result of the run.
func (r *pipelineRun) result() *PipelineTestResult {
	res := &PipelineTestResult{
		Version: reportVersion, Name: r.pipeline.Name, Success: len(r.nodes) == 0 || slices.ContainsFunc(r.nodes, func(n runNode) bool { return !n.Skipped }), WorkDir: r.work.Path(), Duration: time.Since(r.started),
		Nodes: make([]NodeResult, len(r.nodes)), Edges: make([]EdgeResult, len(r.pipeline.DAG.Edges)),
	}
	for i := range r.nodes {
		res.Nodes[i] = r.nodes[i].outcome
		switch res.Nodes[i].Status {
		case NodePassed, NodeSkipped, NodeReused:
		default:
			res.Success = false
		}
	}
	seen := map[[2]string]bool{}
	for i, edge := range r.pipeline.DAG.Edges {
		dest := &r.nodes[r.number[edge[1]]]
		handed := []Transfer{}
		if !seen[edge] { // the first of equal edges has it
			handed = append(handed, dest.handed[edge[0]]...)
		}
		seen[edge] = true
		res.Edges[i] = EdgeResult{Source: edge[0], Dest: edge[1], Transfers: handed, DestStatus: dest.outcome.Status}
		for _, h := range handed {
			res.Success = res.Success && len(h.Problems) == 0
		}
	}
	return res
}

// end records and reports what became of a node.
func (r *pipelineRun) end(i int, status NodeStatus, reason string) {
	n := &r.nodes[i]
	at := time.Since(r.started)
	n.ended = true
	n.outcome.Node, n.outcome.Level, n.outcome.Status, n.outcome.Reason = n.Node, n.Level, status, r.masker.String(reason)
	if !n.begun {
		n.outcome.Started = at
	}
	outcome := n.outcome
	e := r.event(n, EventFinished)
	e.Result, e.Status, e.Reason = outcome.Result, status, outcome.Reason
	if outcome.Result != nil {
		e.Attempt = max(1, len(outcome.Result.Attempts))
	}
	r.tester.tell(e)
	r.tell(PipelineEvent{Node: n.Node, At: at, Result: &outcome})
}

func (r *pipelineRun) event(n *runNode, kind EventKind) Event {
	return Event{Kind: kind, Run: r.id, Name: n.Node, Pipeline: r.pipeline.Name}
}

func (r *pipelineRun) tell(e PipelineEvent) {
	if r.options.Progress != nil {
		r.options.Progress(e)
	}
}

// blame is the reason of a node that is not run.
func (r *pipelineRun) blame(culprits []string) string {
	verb := "failed"
	if slices.ContainsFunc(culprits, func(name string) bool { return r.nodes[r.number[name]].outcome.Status == NodeLost }) {
		verb = "did not pass"
	}
	return "depends on " + listed(culprits) + ", which " + verb
}

// failure returns the first line of what went wrong in a script.
func failure(res *ScriptTestResult) string {
	text := cmp.Or(firstLine(res.ErrorMessage), string(res.Outcome))
	if res.ErrorType != "" {
		text = strings.TrimSuffix(res.ErrorType+": "+firstLine(res.ErrorMessage), ": ")
	}
	return printable(text)
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}

// listed joins names for a sentence: A, B and C. Of many it names the first.
func listed(names []string) string {
	plain := make([]string, 0, maxListed+1)
	for _, name := range names[:min(len(names), maxListed)] {
		plain = append(plain, printable(name))
	}
	if len(names) > maxListed {
		plain = append(plain, "others")
	}
	last := len(plain) - 1
	if last == 0 {
		return plain[0]
	}
	return strings.Join(plain[:last], ", ") + " and " + plain[last]
}
