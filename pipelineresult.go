package scriptspec

import (
	"time"
)

// NodeStatus tells what became of a node of a pipeline. The set is closed.
type NodeStatus string

// What can become of a node.
const (
	NodePassed    NodeStatus = "passed"    // its script passed
	NodeFailed    NodeStatus = "failed"    // its script failed, could not be tested, or could not be fed
	NodeSkipped   NodeStatus = "skipped"   // declared to be skipped; its outputs are those of its spec
	NodeBlocked   NodeStatus = "blocked"   // not run, because a node it depends on did not pass
	NodeReused    NodeStatus = "reused"    // not part of this run; its outputs are those of an earlier one
	NodeCancelled NodeStatus = "cancelled" // running, or not yet begun, when the run was ended
)

// PipelineTestResult is what came of one run of a pipeline. Environment values do not appear in it.
type PipelineTestResult struct {
	// Version is that of the JSON form: 1.
	Version int    `json:"version"`
	Name    string `json:"name"`
	// Success tells that every node passed, was skipped by declaration or was reused, and that no
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
	// Handed has one entry for each input that the edge feeds, sorted by input; none if the run did
	// not come this far.
	Handed []Handover `json:"handed"`
	// DestStatus is what became of the consumer.
	DestStatus NodeStatus `json:"dest_status"`
}

// Handover is an output that was given to an input.
type Handover struct {
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
