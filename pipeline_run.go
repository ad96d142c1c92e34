package scriptspec

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/scriptspec/scriptspec/internal/graph"
	"github.com/scriptspec/scriptspec/internal/mask"
	"github.com/scriptspec/scriptspec/internal/snapshot"
	"github.com/scriptspec/scriptspec/internal/workdir"
)

// TestPipeline runs the scripts of a pipeline, each as TestScript does, on the data that they make: a
// node starts as soon as all that it depends on have ended, while no more than o.Parallelism scripts
// run. Nil options are those of the pipeline.
//
// Each node writes to <work>/<node>/<logical name>, which is emptied before. An input that Plan feeds
// from another node has the path of that node's output, every other input that of the spec. The specs
// are not changed. A node that fails blocks all that depend on it. So does one that changes the data
// it was given, since others may have it too; and data that changed after its node had ended makes
// that node fail.
//
// A script that fails is not an error. An error means that nothing was run: the pipeline cannot be run
// or a node that is to be reused has no result ([*ValidationError]), the work directory or a node in it is in use
// ([ErrLocked]) or holds something else ([CodeNotEmpty]), or there is no interpreter. There are both an
// error and a result when ctx ends while nodes are still to be run, which are then [NodeCancelled], and
// when no script could be tested for a reason that is not in the specs, such as an interpreter that is
// not Python.
func (t *RuntimeTester) TestPipeline(ctx context.Context, p *PipelineTestingSpec, o *PipelineOptions) (*PipelineTestResult, error) {
	if p == nil || p.DAG == nil {
		return nil, p.Validate()
	}
	if o == nil {
		o = &p.Options
	}
	r, err := newPipelineRun(t, p, *o)
	if err != nil {
		return nil, err
	}
	if err := t.unfit(); err != nil && r.runs() {
		return nil, err
	}
	if err := r.open(); err != nil {
		return nil, err
	}
	defer r.work.Close()
	r.ctx, r.reading = ctx, context.WithoutCancel(ctx)
	r.paths()
	if err := newPipelineError(p.Name, r.diskErrors()); err != nil {
		return nil, err
	}
	if err := r.checkReuse(); err != nil {
		return nil, err
	}
	if r.late = ctx.Err() != nil; !r.late { // else nothing of an earlier run is dropped
		if err := r.discardJobs(ctx); err != nil {
			return nil, err
		}
		defer r.endJobs(ctx)
		if err := r.renew(); err != nil {
			return nil, fmt.Errorf("work directory: %w", err)
		}
	}
	var stop context.CancelCauseFunc
	r.reading = ctx // whatever else ends the run
	r.ctx, stop = context.WithCancelCause(ctx)
	defer stop(nil)
	r.started, r.stop = time.Now(), stop
	startedAt := now()
	r.loop()
	t.flush()
	r.checkOutputs()
	r.completeRecords()
	result := r.result()
	result.StartedAt = startedAt
	if cause := context.Cause(ctx); cause != nil && r.cancelled() {
		return result, fmt.Errorf("pipeline %s: %w", printable(p.Name), cause)
	}
	if err := r.untested.reason(); err != nil {
		return result, fmt.Errorf("pipeline %s: %w", printable(p.Name), err)
	}
	return result, nil
}

// pipelineRun is one run of a pipeline. Everything but test runs on the goroutine that called TestPipeline.
type pipelineRun struct {
	pipeline *PipelineTestingSpec
	options  PipelineOptions
	tester   *RuntimeTester
	masker   *mask.Masker // environment values of all specs: data may carry them from one node to another
	nodes    []runNode    // in topological order
	number   map[string]int
	id       string // of the run
	work     *workdir.Dir
	key      []byte // of its keyed digests
	started  time.Time
	ctx      context.Context
	reading  context.Context // for digests of data
	stop     context.CancelCauseFunc
	late     bool // the context had ended before the run began
	untested untested
}

// runNode is a node and what became of it.
type runNode struct {
	PlannedNode
	spec           Spec
	before, next   []int // neighbours
	digest         string
	record         workdir.Record    // of this run, or of the one that is reused
	sums           map[string]*sum   // of the inputs from outside of the pipeline
	chosen, reused bool              // whether it is part of the run, and else whether it feeds one that is
	paths          map[string]string // of its outputs

	waiting int // for so many nodes
	begun   bool
	ended   bool
	outcome NodeResult
	outputs map[string]*outputData
	handed  map[string][]Transfer // by source
	// culprits are the nodes whose failure keeps it from being run.
	culprits []string
}

// outputData is what stood at an output when its node had ended.
type outputData struct {
	path  string
	state snapshot.Snapshot
	sum   *sum // nil for data that is not of this run
	// What others are told of it.
	files   int
	bytes   int64
	formats []string
	// damage says what a node that reads it has done to it; it is not handed on after that.
	damage atomic.Pointer[string]
}

// change says what is no longer as it was, "" if nothing is.
func (o *outputData) change() string {
	file, what, changed := o.state.Change()
	if !changed {
		return ""
	}
	return printable(file) + " " + what
}

func newPipelineRun(t *RuntimeTester, p *PipelineTestingSpec, o PipelineOptions) (*pipelineRun, error) {
	resolved, err := p.resolved(t)
	if err != nil {
		return nil, err
	}
	specs := p.Specs // for what is masked
	p = resolved
	plan, err := p.Plan(&o)
	r := &pipelineRun{pipeline: p, options: o, tester: t, number: map[string]int{}, id: newRunID()}
	if o.Checkers == nil {
		r.options.Checkers = DefaultCheckers()
	}
	for i, node := range p.DAG.Nodes {
		r.number[node] = i // replaced below by its place in the order
	}
	errs := append(slices.Clone(fieldErrors(err)), o.problems(r.number)...)
	if o.Shared && t.Engine != nil {
		errs = append(errs, &FieldError{
			Path: "options.shared", Code: CodeFormat, Value: true, Message: "Shared does not go with an Engine, whose jobs in a work directory belong to one run",
			Hint: "use one or the other", rank: rank{section: rankOptions, key: "options.shared"},
		})
	}
	if errs = append(errs, o.checkErrors(p)...); len(errs) > 0 {
		return nil, newPipelineError(p.Name, errs)
	}
	r.masker = t.masker(slices.Collect(maps.Values(specs))...)
	r.nodes = make([]runNode, len(plan.Nodes))
	for i, n := range plan.Nodes {
		r.number[n.Node] = i
		r.nodes[i] = runNode{PlannedNode: n, spec: p.Specs[n.Node], waiting: len(n.After)}
		for _, name := range n.After {
			before := r.number[name]
			r.nodes[i].before = append(r.nodes[i].before, before)
			r.nodes[before].next = append(r.nodes[before].next, i)
		}
	}
	if r.choose(); !slices.ContainsFunc(r.nodes, func(n runNode) bool { return n.chosen }) {
		return nil, newPipelineError(p.Name, []*FieldError{{
			Path: "options.from", Code: CodeEmpty, Value: slices.Clone(o.From),
			Message: "no node is in what From and what To name, so that nothing would be run", Hint: "To is to be behind From",
		}})
	}
	return r, nil
}

// runs reports whether any script is to be run.
func (r *pipelineRun) runs() bool {
	return slices.ContainsFunc(r.nodes, func(n runNode) bool { return n.chosen && !n.Skipped })
}

// paths says where the outputs of each node are.
func (r *pipelineRun) paths() {
	for i := range r.nodes {
		n := &r.nodes[i]
		n.paths = map[string]string{}
		n.digest = r.digest(n)
		if !n.chosen {
			n.record, _ = r.work.Record(n.Node)
		}
		switch {
		case isNil(n.spec):
		case n.Skipped:
			for _, e := range sortedPaths(n.spec, fieldOutputs) {
				n.paths[e.key] = e.path
				if path, err := filepath.Abs(e.path); err == nil {
					n.paths[e.key] = path
				}
			}
		default:
			n.paths = newPaths(filepath.Join(r.work.Path(), n.Node), entryKeys(sortedPaths(n.spec, fieldOutputs)))
		}
	}
}

// loop runs the nodes, each as soon as nothing keeps it.
func (r *pipelineRun) loop() {
	var ready, queue graph.Queue // those that wait for no other node, and for their turn
	for i := range r.nodes {
		if r.nodes[i].waiting == 0 {
			ready.Push(i)
		}
	}
	release := func(i int) {
		for _, next := range r.nodes[i].next {
			if r.nodes[next].waiting--; r.nodes[next].waiting == 0 {
				ready.Push(next)
			}
		}
	}
	most, running := cmp.Or(r.options.Parallelism, r.tester.parallelism()), 0
	done := make(chan nodeEnd)
	defer func() { // Progress may leave by a panic or runtime.Goexit
		if running > 0 {
			r.stop(errLeft)
		}
		for ; running > 0; running-- {
			<-done
		}
	}()
	for {
		for ready.Len() > 0 {
			if i := ready.Pop(); r.endWithoutRun(i) {
				release(i)
			} else {
				queue.Push(i)
				r.tester.tell(r.event(&r.nodes[i], EventQueued))
			}
		}
		switch {
		case queue.Len() > 0 && r.ctx.Err() != nil:
			i := queue.Pop()
			r.end(i, NodeCancelled, "not begun when the run was ended: "+context.Cause(r.ctx).Error())
			r.keepRecord(&r.nodes[i])
			release(i)
		case queue.Len() > 0 && running < most:
			n := &r.nodes[queue.Pop()]
			n.begun, n.outcome.Started = true, time.Since(r.started)
			r.tell(PipelineEvent{Node: n.Node, At: n.outcome.Started})
			running++
			go func() { done <- r.test(r.ctx, n) }()
		case running > 0:
			e := <-done
			running--
			r.finish(e)
			release(e.number)
		default:
			return
		}
	}
}

var errLeft = errors.New("the caller of TestPipeline is gone")

// endWithoutRun ends a node that is not to be run, and reports whether it did.
func (r *pipelineRun) endWithoutRun(i int) bool {
	n := &r.nodes[i]
	switch {
	case n.Skipped:
		r.keepOutputs(n)
		r.end(i, NodeSkipped, r.pipeline.Skip[n.Node])
		return true
	case n.reused:
		r.keepOutputs(n)
		r.end(i, NodeReused, "passed in an earlier run")
		return true
	case !n.chosen:
		r.end(i, NodeSkipped, notPart)
		return true
	}
	for _, before := range n.before {
		b := &r.nodes[before]
		culprits := b.culprits
		if b.outcome.Status == NodeFailed || b.outcome.Status == NodeLost {
			culprits = []string{b.Node}
		}
		for _, name := range culprits {
			if !slices.Contains(n.culprits, name) && len(n.culprits) <= maxListed {
				n.culprits = append(n.culprits, name)
			}
		}
	}
	if len(n.culprits) == 0 {
		return false
	}
	r.end(i, NodeBlocked, r.blame(n.culprits))
	r.keepRecord(n)
	return true
}

// finish records the end of a node that was run.
func (r *pipelineRun) finish(e nodeEnd) {
	n := &r.nodes[e.number]
	n.outputs, n.handed = e.outputs, e.handed
	n.outcome.Result, n.outcome.Duration = e.result, e.duration
	status, reason := NodePassed, ""
	switch cause := context.Cause(r.ctx); {
	case e.problem != "":
		status, reason = NodeFailed, e.problem
	case e.err != nil && cause != nil && errors.Is(e.err, cause):
		status, reason = NodeCancelled, "running when the run was ended: "+cause.Error()
	case errors.Is(e.err, ErrLost):
		status, reason = NodeLost, firstLine(e.err.Error())
	case e.err != nil:
		status, reason = NodeFailed, firstLine(e.err.Error())
	case len(e.changes) > 0 && e.result.Outcome == OutcomeInputChanged:
		status = NodeFailed // inputChange explains it better
	case !e.result.Success:
		status, reason = NodeFailed, failure(e.result)
	}
	if e.refused != "" && status != NodeCancelled {
		status, reason = NodeFailed, joined(reason, e.refused)
	}
	if change := r.inputChange(n, e); change != "" && status != NodeCancelled {
		status, reason = NodeFailed, joined(reason, change)
	}
	r.end(e.number, status, reason)
	r.keepRecord(n)
	if verb := map[NodeStatus]string{NodeFailed: "failed", NodeLost: "was lost"}[status]; verb != "" && r.options.FailFast {
		r.stop(fmt.Errorf("%s %s, and the run is to fail fast", printable(n.Node), verb))
	}
}

// joined returns two reasons as one.
func joined(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}

// inputChange says which of a node's inputs was changed while it ran, the first of several.
func (r *pipelineRun) inputChange(n *runNode, e nodeEnd) string {
	if len(e.changes) == 0 {
		return ""
	}
	for _, c := range e.changes {
		r.source(c.pair).damage.Store(&c.what)
	}
	c := e.changes[0]
	text := fmt.Sprintf("data of input %s, which is output %s of %s, was changed while it ran: %s",
		printable(c.pair.DestLogicalName), printable(c.pair.SourceLogicalName), printable(c.pair.Source), c.what)
	if others := r.beside(n, c.pair); len(others) > 0 {
		text += ", unless " + listed(others) + " did it, with the same input at the same time"
	}
	return text
}

// beside returns the nodes that had an output as their input while n ran.
func (r *pipelineRun) beside(n *runNode, pair AssignedPair) []string {
	var names []string
	for _, i := range r.nodes[r.number[pair.Source]].next {
		o := &r.nodes[i]
		has := slices.ContainsFunc(o.Inputs, func(p AssignedPair) bool {
			return p.Source == pair.Source && p.SourceLogicalName == pair.SourceLogicalName
		})
		if has && o.Node != n.Node && o.begun && (!o.ended || o.outcome.Started+o.outcome.Duration > n.outcome.Started) {
			names = append(names, o.Node)
		}
	}
	return names
}

// feedsAny reports whether an output is given to a node of the run.
func (r *pipelineRun) feedsAny(n *runNode, output string) bool {
	return slices.ContainsFunc(n.next, func(i int) bool {
		o := &r.nodes[i]
		return o.chosen && slices.ContainsFunc(o.Inputs, func(p AssignedPair) bool {
			return p.Source == n.Node && p.SourceLogicalName == output
		})
	})
}

// isConsumed reports whether an output is given to any node, also if not in this run.
func (r *pipelineRun) isConsumed(n *runNode, output string) bool {
	return slices.ContainsFunc(n.next, func(i int) bool {
		return slices.ContainsFunc(r.nodes[i].Inputs, func(p AssignedPair) bool {
			return p.Source == n.Node && p.SourceLogicalName == output
		})
	})
}

// checkOutputs finds data that changed after its node had ended, unless a node is known to have changed
// it.
func (r *pipelineRun) checkOutputs() {
	for i := range r.nodes {
		n := &r.nodes[i]
		for _, name := range sortedKeys(n.outputs) {
			data := n.outputs[name]
			what := data.change()
			damage := data.damage.Load()
			if damage != nil {
				what = *damage
			}
			if what == "" {
				continue
			}
			if damage == nil && (n.outcome.Status == NodePassed || n.outcome.Status == NodeReused || n.outcome.Status == NodeSkipped) {
				n.outcome.Status = NodeFailed
				n.outcome.Reason = r.masker.String(fmt.Sprintf("data of output %s was changed after the node had ended: %s", printable(name), what))
			}
			if !n.Skipped {
				n.record = workdir.Record{Node: n.Node, Status: string(n.outcome.Status), Run: n.record.Run, Changed: r.masker.String(what)}
				_ = r.work.SetRecord(n.record)
			}
		}
	}
}

func (r *pipelineRun) cancelled() bool {
	return slices.ContainsFunc(r.nodes, func(n runNode) bool { return n.outcome.Status == NodeCancelled })
}
