// Package report renders what came of scripts, of a store of specs and of pipelines: as text, HTML, JUnit
// XML and GitHub annotations. It has a model of its own, and the same bytes for the same run.
package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/scriptspec/scriptspec/internal/printable"
)

// Run is what a report is about. Its texts may be anything: writers make them printable.
type Run struct {
	Kind     Kind
	Name     string
	Success  bool
	WorkDir  string    // that has the results, or ""
	Started  time.Time // zero if it is not known
	Naive    bool      // Started has no zone: its digits are local ones
	Duration time.Duration
	Nodes    []Node
	Edges    []Edge
}

// Kind is what was run.
type Kind struct {
	Noun string // "pipeline"
	Part string // what a node is called: "node"
}

// Title is the heading of a list of nodes: "Nodes".
func (k Kind) Title() string { return strings.ToUpper(k.Part[:1]) + k.Part[1:] + "s" }

// The kinds of runs.
var (
	Pipeline = Kind{"pipeline", "node"}
	Store    = Kind{"store", "spec"}
	OneSpec  = Kind{"script", "spec"}
)

// Node is what came of one script.
type Node struct {
	Name   string
	Status Status
	Reason string
	Apart  bool // not part of the run
	Level  int  // of the graph
	// Started is the time from the start of the run.
	Started, Duration time.Duration
	Script            *Script   // nil if it was not run
	Flaky             bool      // it passed, after attempts that failed
	Attempts          []*Script // all of them in order, the last one Script; none if there was one only
	Past              []Past    // its last runs before this one, oldest first
	Usual             Usual     // those of them, and of earlier ones, that can be compared with this one
}

// earlier returns the attempts before the one that counts.
func (n Node) earlier() []*Script {
	if len(n.Attempts) < 2 {
		return nil
	}
	return n.Attempts[:len(n.Attempts)-1]
}

// Past is an earlier run of a node.
type Past struct {
	At       time.Time
	Outcome  string
	Passed   bool
	Duration time.Duration
}

// Usual is how long comparable runs of a node took.
type Usual struct {
	Runs   int
	Median time.Duration
}

// Status is what became of a node.
type Status string

// The statuses. Others are shown as they are.
const (
	Passed    Status = "passed"
	Failed    Status = "failed"
	Lost      Status = "lost"
	Skipped   Status = "skipped"
	Blocked   Status = "blocked"
	Reused    Status = "reused"
	Cancelled Status = "cancelled"
)

// wrong reports whether a node was to be run and has not come to its end, or not to a good one.
func (s Status) wrong() bool { return s == Failed || s == Lost || s == Cancelled }

// Script is one run of a script.
type Script struct {
	ScriptName, StepName               string
	Description, Outcome               string
	Success                            bool
	ErrorType, ErrorMessage, Traceback string
	ExitCode                           int
	Signal                             string
	Started                            time.Time // zero if it is not known
	ExecutionTime                      time.Duration
	ImportTime                         time.Duration // of it, until main was called; 0 if it is not known
	PeakMemory                         int64         // bytes
	Budget                             []Excess      // what it needed of its budget, also where that was enough; without texts
	OverBudget                         []Excess
	Unchecked                          []string // what of the budget could not be checked
	Stdout, Stderr                     Stream
	Outputs                            map[string]Output
	Leftover                           []string // processes that it left running, which were ended
	Survivors                          []string // processes that could not be ended
}

// remains says what a script left behind in the way of processes, "" for most.
func (s *Script) remains() string {
	var parts []string
	if len(s.Leftover) > 0 {
		parts = append(parts, "left running, and ended: "+strings.Join(s.Leftover, ", "))
	}
	if len(s.Survivors) > 0 {
		parts = append(parts, "could not be ended: "+strings.Join(s.Survivors, ", "))
	}
	return strings.Join(parts, "; ")
}

// Excess is something that a run took more of than its budget allows.
type Excess struct {
	What         string  // "duration"
	Value, Limit float64 // of one unit
	Text         string  // for a person
}

// Stream is what a script wrote to one of its streams.
type Stream struct {
	Text      string
	Bytes     int64 // of all of it
	Truncated bool
}

// Output is what is in an output of a script.
type Output struct {
	Path   string
	Exists bool
	Files  int
	Bytes  int64
}

// Edge is what was handed over from one node to another.
type Edge struct {
	Source, Dest string
	Transfers    []Transfer
}

// Transfer is an output that was handed over to an input.
type Transfer struct {
	Output, Input string
	Match         string // by what they match
	Confidence    float64
	Path          string
	Files         int
	Bytes         int64
	Formats       []string
	Problems      []string
}

// statuses returns all statuses in the order in which reports count them.
func statuses() []Status {
	return []Status{Passed, Failed, Lost, Cancelled, Blocked, Skipped, Reused}
}

// verdict returns the result as one word.
func (r *Run) verdict() string {
	if r.Success {
		return "passed"
	}
	return "failed"
}

// title is "pipeline churn".
func (r *Run) title() string {
	if r.Name == "" {
		return r.Kind.Noun
	}
	return r.Kind.Noun + " " + printable.Line(r.Name)
}

// tally counts the nodes by status, and the problems of data: "3 passed, 1 failed".
func (r *Run) tally() string {
	count := map[Status]int{}
	for _, n := range r.Nodes {
		count[n.Status]++
	}
	var parts []string
	for _, s := range statuses() {
		if count[s] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count[s], s))
		}
	}
	if len(parts) == 0 {
		parts = append(parts, "no "+r.Kind.Part+"s")
	}
	if n := len(r.Findings()); n > 0 {
		parts = append(parts, plural(n, "data problem"))
	}
	if n := r.flaky(); n > 0 {
		parts = append(parts, fmt.Sprintf("%d flaky", n))
	}
	if n := r.overBudget(); n > 0 {
		parts = append(parts, fmt.Sprintf("%d over budget", n))
	}
	return strings.Join(parts, ", ")
}

// Finding is a problem of something that was handed over.
type Finding struct {
	Dest    string // the node that it was handed to
	Subject string // what was handed over: Load.data -> Train.input
	Text    string
}

// Findings lists the problems of all that was handed over.
func (r *Run) Findings() []Finding {
	var list []Finding
	for _, e := range r.Edges {
		for _, t := range e.Transfers {
			subject := printable.Line(e.Source) + "." + printable.Line(t.Output) + " -> " + printable.Line(e.Dest) + "." + printable.Line(t.Input)
			for _, text := range t.Problems {
				list = append(list, Finding{e.Dest, subject, text})
			}
		}
	}
	return list
}

// received returns what each node was given.
func (r *Run) received() map[string][]Transfer {
	transfers := map[string][]Transfer{}
	for _, e := range r.Edges {
		transfers[e.Dest] = append(transfers[e.Dest], e.Transfers...)
	}
	return transfers
}
