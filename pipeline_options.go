package scriptspec

import (
	"slices"
	"time"
)

// PipelineOptions changes how a pipeline is run. The zero value runs all of it, as parallel as the
// machine allows, in a new temporary directory. In a pipeline file the members of "options" are timeout,
// in seconds, parallelism, fail_fast and allow_semantic; the rest belongs to a single run.
type PipelineOptions struct {
	// WorkDir has the outputs of every node as <node>/<logical name>, and in .scriptspec what is
	// known of them. It is made if need be; one that has something in it and was not made by a run is
	// refused. "" means a new temporary directory, which stays and is named in the result.
	WorkDir string `json:"-" yaml:"-"`
	// Timeout bounds each script; 0 means what the tester has.
	Timeout time.Duration `json:"-" yaml:"-"`
	// Parallelism is how many scripts may run at the same time; 0 means what the tester has, or else one
	// for each CPU.
	Parallelism int `json:"parallelism"`
	// FailFast ends the run with the first node that fails. Otherwise the branches that do not
	// depend on it go on.
	FailFast bool `json:"fail_fast"`
	// AllowSemantic lets an output feed an input for which nothing but the similarity of their names
	// speaks. Otherwise such a pair has to be named in PipelineTestingSpec.Wires.
	AllowSemantic bool `json:"allow_semantic"`
	// From runs these nodes and all that depend on them, To these and all that they depend on, both
	// together what is in both. Only runs exactly these. What is not run and feeds one that is must
	// have passed in an earlier run in the same WorkDir. An Only that is empty and not nil, as a filter may
	// leave it, is an error.
	From []string `json:"-" yaml:"-"`
	To   []string `json:"-" yaml:"-"`
	Only []string `json:"-" yaml:"-"`
	// Shared lets other runs use WorkDir at the same time, in other processes or on other machines: those of other nodes
	// that are Shared too, as where an engine starts each node in a process of its own. It goes only with Only, and
	// not with RuntimeTester.Engine. A node that another run has, to run it or to read what it made, is not run: the error
	// is [ErrLocked], as it is for a run that is not Shared. On a network file system flock must hold between machines, as it does over NFSv4.
	Shared bool `json:"-" yaml:"-"`
	// Checkers look at what is handed over, each time; nil means DefaultCheckers, an empty slice none.
	// What they find makes the run no success, but the consumer is run all the same.
	Checkers []Checker `json:"-" yaml:"-"`
	// Checks are checkers for one edge or output.
	Checks []DataCheck `json:"-" yaml:"-"`
	// Before is called before the script of a node is started, After when it has ended, passed or not: for
	// golden files, or a metric that must be reached. The spec is a copy of what is run. An error fails the node;
	// t.FailNow of a test does too, with a worse message. They are called from several goroutines at once.
	Before func(node string, s *ScriptExecutionSpec) error                      `json:"-" yaml:"-"`
	After  func(node string, s *ScriptExecutionSpec, r *ScriptTestResult) error `json:"-" yaml:"-"`
	// Progress receives every event, in order and on the goroutine that called TestPipeline, which
	// waits for it to return.
	Progress func(PipelineEvent) `json:"-" yaml:"-"`
}

// PipelineEvent is a step of a run. Each node has one event with a result; a node that is run has one
// without before that.
type PipelineEvent struct {
	Node string
	// At is the time from the start of the run.
	At time.Duration
	// Result is what became of the node, and must not be changed; nil says that the node has started. A
	// node that passed may still fail, if its data has changed by the end of the run.
	Result *NodeResult
}

// problems checks what is wrong with the options, for a graph with these nodes.
func (o *PipelineOptions) problems(known map[string]int) []*FieldError {
	var errs []*FieldError
	fail := func(path string, code Code, value any, message, hint string) {
		errs = append(errs, &FieldError{Path: path, Code: code, Value: value, Message: message, Hint: hint, rank: rank{section: rankOptions, key: path}})
	}
	if o.Timeout < 0 {
		fail("options.timeout", CodeFormat, o.Timeout, "timeout is negative", "0 means what the tester has")
	}
	if slices.ContainsFunc(o.Checkers, func(c Checker) bool { return c == nil }) {
		fail("options.checkers", CodeEmpty, nil, "a checker is nil", "leave it out")
	}
	if o.Parallelism < 0 {
		fail("options.parallelism", CodeFormat, o.Parallelism, "parallelism is negative", "0 means one script for each CPU")
	}
	if o.Only != nil && len(o.Only) == 0 {
		fail("options.only", CodeEmpty, nil, "no node is named, so that nothing would be run", "leave it out to run all")
	}
	if len(o.Only) > 0 && len(o.From)+len(o.To) > 0 {
		fail("options.only", CodeFormat, slices.Clone(o.Only), "exactly these nodes are run, which does not go with from and to", "use one or the other")
	}
	if o.Shared && len(o.Only) == 0 {
		fail("options.shared", CodeFormat, true, "Shared goes only with Only", "name the nodes of this run in Only")
	}
	for _, list := range []struct {
		name  string
		nodes []string
	}{{"options.from", o.From}, {"options.to", o.To}, {"options.only", o.Only}} {
		for _, node := range list.nodes {
			if _, ok := known[node]; ok || known == nil {
				continue
			}
			fail(keyed(list.name, node), CodeUnknownNode, node, "there is no node "+printable(node), meantOf(sortedKeys(known), node))
		}
	}
	return errs
}
