package scriptspec

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/scriptspec/scriptspec/internal/snapshot"
)

// nodeEnd is what became of a node whose script was to be run.
type nodeEnd struct {
	number   int
	problem  string // why its script was not started
	result   *ScriptTestResult
	refused  string // by PipelineOptions.After
	err      error
	duration time.Duration
	handed   map[string][]Transfer
	changes  []inputChange
	outputs  map[string]*outputData
}

// inputChange is data that changed while a node had it as an input.
type inputChange struct {
	pair AssignedPair
	what string
}

// test runs the script of a node on the outputs of those before it. Several goroutines do so at the
// same time; of other nodes they only read what was there when theirs became ready.
func (r *pipelineRun) test(ctx context.Context, n *runNode) (e nodeEnd) {
	start := time.Now()
	defer func() { e.duration = time.Since(start) }()
	e.number = r.number[n.Node]
	if e.problem = r.stale(n); e.problem != "" {
		return e
	}
	e.handed = r.handOver(ctx, n)
	spec := n.spec.self().Basic()
	for name, path := range n.paths {
		moveEntry(spec, fieldOutputs, name, path)
	}
	var within []string
	for _, pair := range n.Inputs {
		if r.isAbsent(n, pair) {
			dropInput(spec, pair.DestLogicalName)
			spec.Optional = slices.DeleteFunc(spec.Optional, func(name string) bool { return name == pair.DestLogicalName && !hasPath(spec, fieldOutputs, name) })
			continue
		}
		moveEntry(spec, fieldInputs, pair.DestLogicalName, r.source(pair).path)
		if source := &r.nodes[r.number[pair.Source]]; !source.Skipped {
			within = append(within, r.linkTargets(source)...)
		}
	}
	n.record = r.newRecord(n)
	place, err := r.place(ctx, n, spec)
	if err != nil {
		e.err = err
		return e
	}
	takenUp := place != nil && place.found != "" // it has begun, and its outputs are there
	if !takenUp {
		err = r.work.Clear(n.Node)
	}
	if err != nil {
		e.problem = firstLine(err.Error())
		return e
	}
	if r.options.Before != nil && !takenUp {
		text := guarded("Before", func() error { return r.options.Before(n.Node, spec.Clone()) })
		if e.problem = firstLine(text); e.problem != "" {
			return e
		}
	}
	begun := time.Now()
	e.result, e.err = r.tester.run(ctx, job{
		runID: runID{Run: r.id, Name: n.Node, Pipeline: r.pipeline.Name}, spec: spec, timeout: r.options.Timeout, masker: r.masker, within: within,
		moved: true, from: &asGiven{r.pipeline.given[n.Node], r.pipeline.paths},
		clear: func() error { return r.work.Clear(n.Node) }, place: place,
	})
	if r.untested.note(e.result, e.err); e.err != nil {
		return e
	}
	if place != nil && place.name != "" {
		n.record.Run = place.name // by which those after it are known to have had its outputs
	}
	e.changes = r.changes(n)
	for _, pair := range n.Inputs { // what only a look at the contents tells
		if what := e.result.ChangedInputs[pair.DestLogicalName]; len(what) > 0 && !slices.ContainsFunc(e.changes, pair.isOf) {
			e.changes = append(e.changes, inputChange{pair, printable(r.source(pair).path) + ": " + what[0]})
		}
	}
	if r.options.After != nil {
		text := guarded("After", func() error { return r.options.After(n.Node, spec.Clone(), e.result) })
		if e.refused = firstLine(text); e.refused != "" {
			return e
		}
	}
	if e.result.Success { // else nobody is given what it wrote
		if e.problem = r.keepData(n, &e); e.problem == "" {
			e.problem = r.checkData(ctx, n, e.outputs)
		}
		r.addCode(&n.record, *n.spec.common().scriptPath, e.result.modules, begun)
	}
	return e
}

// keepData records the outputs of a node that has passed, and says what keeps them from being handed on.
func (r *pipelineRun) keepData(n *runNode, e *nodeEnd) (problem string) {
	e.outputs = make(map[string]*outputData, len(n.paths))
	for _, name := range sortedKeys(n.paths) {
		path := n.paths[name]
		state := r.written(n, path)
		info, err := os.Lstat(path)
		switch {
		case err != nil || !info.IsDir():
			return "output " + printable(name) + " is not the directory any more that it was given: " + printable(path)
		case state.Err != nil:
			return "output " + printable(name) + " cannot be handed on: " + printable(state.Err.Error())
		}
		data := lookAtOutput(state, path, r.feedsAny(n, name) || r.isChecked(n, name))
		if e.outputs[name] = data; r.isConsumed(n, name) {
			data.sum = newSum(r.reading, state)
		}
	}
	return ""
}

// isAbsent reports whether an optional output has no data for an optional input.
func (r *pipelineRun) isAbsent(n *runNode, pair AssignedPair) bool {
	source := r.nodes[r.number[pair.Source]].spec
	return !isNil(source) && r.source(pair).bytes == 0 &&
		source.common().isOptional(pair.SourceLogicalName) && n.spec.common().isOptional(pair.DestLogicalName)
}

func (p AssignedPair) isOf(c inputChange) bool { return c.pair == p }

// source returns the output of a pair.
func (r *pipelineRun) source(pair AssignedPair) *outputData {
	return r.nodes[r.number[pair.Source]].outputs[pair.SourceLogicalName]
}

// stale describes the data for a node that is no longer as its source made it, "" if there is none.
func (r *pipelineRun) stale(n *runNode) string {
	changes := r.changes(n)
	if len(changes) == 0 {
		return ""
	}
	c := changes[0]
	return fmt.Sprintf("input %s cannot be fed: output %s of %s is no longer as it was made: %s",
		printable(c.pair.DestLogicalName), printable(c.pair.SourceLogicalName), printable(c.pair.Source), c.what)
}

// changes compares the data of a node's inputs with what it was when its sources had ended.
func (r *pipelineRun) changes(n *runNode) []inputChange {
	var list []inputChange
	for _, pair := range n.Inputs {
		data := r.source(pair)
		if damage := data.damage.Load(); damage != nil {
			list = append(list, inputChange{pair, *damage})
		} else if what := data.change(); what != "" {
			list = append(list, inputChange{pair, what})
		}
	}
	return list
}

// handOver describes and checks the data for a node, by source.
func (r *pipelineRun) handOver(ctx context.Context, n *runNode) map[string][]Transfer {
	handed := make(map[string][]Transfer, len(n.before))
	for _, pair := range n.Inputs {
		data := r.source(pair)
		h := data.transfer(pair.Source, pair.SourceLogicalName)
		h.Dest, h.Input, h.MatchType, h.Confidence = n.Node, pair.DestLogicalName, pair.MatchType, pair.Confidence
		checkers := r.options.checkersOf(h)
		if r.isAbsent(n, pair) {
			checkers = nil // there is nothing to look at
		}
		for _, check := range checkers {
			text := guarded("the checker", func() error { return check(ctx, h) })
			if text != "" && ctx.Err() == nil { // else the run is over, and not the data wrong
				h.Problems = append(h.Problems, r.masker.String(strings.TrimSpace(text)))
			}
		}
		handed[pair.Source] = append(handed[pair.Source], h)
	}
	return handed
}

// lookAtOutput records the state of an output and, for reports, what is in it.
func lookAtOutput(state snapshot.Snapshot, path string, feeds bool) *outputData {
	data := &outputData{path: path, state: state}
	if info, err := os.Lstat(state.Top()); feeds && err == nil && (info.IsDir() || info.Mode().IsRegular()) {
		data.files, data.bytes, data.formats = inspectData(state.Top())
	}
	return data
}
