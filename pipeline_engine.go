package scriptspec

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/scriptspec/scriptspec/internal/jobdir"
	"github.com/scriptspec/scriptspec/internal/snapshot"
)

// PipelineEngine is what the jobs of a pipeline need of an engine. In a pipeline file it is the member engine:
// {"slurm": ["--partition=cpu"], "nodes": {"Train": {"slurm": ["--gres=gpu:1"]}}}.
type PipelineEngine struct {
	// Slurm are arguments of sbatch for all nodes, after those of [Slurm], and NodeSlurm further ones for single nodes.
	// Of several that say different things the last one counts.
	Slurm     []string
	NodeSlurm map[string][]string
}

func (e *PipelineEngine) isZero() bool { return len(e.Slurm) == 0 && len(e.NodeSlurm) == 0 }

// The members of the engine in a pipeline file, and those of a node in it.
var (
	engineNames     = []string{"slurm", "nodes"}
	nodeEngineNames = engineNames[:1]
)

// members returns what a pipeline file has of it.
func (e *PipelineEngine) members() map[string]any {
	all := map[string]any{}
	if len(e.Slurm) > 0 {
		all["slurm"] = e.Slurm
	}
	nodes := map[string]any{}
	for node, args := range e.NodeSlurm {
		nodes[node] = map[string]any{"slurm": args}
	}
	if len(nodes) > 0 {
		all["nodes"] = nodes
	}
	return all
}

// engine reads what the jobs of the nodes need.
func (d *pipelineDecoder) engine() {
	d.object(engineNames, nil, func(i int) {
		if i == 0 {
			d.p.Engine.Slurm = d.texts()
			return
		}
		if !d.r.Object() {
			return
		}
		for name, ok := d.r.Name(); ok; name, ok = d.r.Name() {
			node := d.r.Text(name)
			if _, twice := d.p.Engine.NodeSlurm[node]; twice {
				d.r.Duplicate()
			}
			setEntry(&d.p.Engine.NodeSlurm, node, nil)
			d.object(nodeEngineNames, nil, func(int) { d.p.Engine.NodeSlurm[node] = d.texts() })
		}
	})
}

// texts reads a list of texts.
func (d *pipelineDecoder) texts() []string {
	var list []string
	if !d.r.Array() {
		return nil
	}
	for d.r.More() {
		list = append(list, d.text())
	}
	return list
}

// args returns the arguments for a node.
func (e *PipelineEngine) args(node string) []string { return slices.Concat(e.Slurm, e.NodeSlurm[node]) }

// engineErrors checks the arguments for the engine.
func (p *PipelineTestingSpec) engineErrors() []*FieldError {
	at := func(key string) rank { return rank{section: rankOptions, index: -1, key: key} }
	errs := sbatchErrors("engine.slurm", at(""), p.Engine.Slurm)
	for _, node := range sortedKeys(p.Engine.NodeSlurm) {
		place := keyed("engine.nodes", node)
		if p.DAG != nil && !slices.Contains(p.DAG.Nodes, node) {
			errs = append(errs, &FieldError{
				Path: place, Code: CodeUnknownNode, Value: node, Message: "there is no node " + printable(node) + " for these arguments",
				Hint: meantOf(p.DAG.Nodes, node), rank: at(node),
			})
		}
		errs = append(errs, sbatchErrors(place+".slurm", at(node), p.Engine.NodeSlurm[node])...)
	}
	return errs
}

// place returns where the jobs of a node are, nil if it runs here. The job of an earlier driver that was killed is
// taken up if it was asked for the same; others in that place are ended first, as they would write to the same outputs.
func (r *pipelineRun) place(ctx context.Context, n *runNode, s *ScriptExecutionSpec) (*jobPlace, error) {
	if r.tester.Engine == nil {
		return nil, nil
	}
	p := &jobPlace{dir: r.work.Jobs(n.Node), args: r.pipeline.Engine.args(n.Node), digest: r.jobDigest(n)}
	for i, dir := range jobdir.All(p.dir) {
		record, ok := dir.Record()
		if i == 0 && ok && record.Digest == p.digest && outputsExist(s) {
			p.found, n.record.Run = dir, record.Name
			continue
		}
		if err := r.tester.discard(ctx, dir); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// jobDigest sums up what the job of a node is asked for: all that decides what comes of it, as far as that can be told
// before it is run.
func (r *pipelineRun) jobDigest(n *runNode) string {
	c := n.spec.common()
	script, _, _ := snapshot.HashFile(r.reading, *c.scriptPath, maxHashed) // "" is as good as any
	inputs := map[string]string{}
	for name, x := range n.sums {
		inputs[name] = x.stamp
	}
	text, _ := json.Marshal([]any{ // plain values
		n.digest, n.record.After, n.record.Environ, inputs, script, r.options.Timeout, r.tester.Timeout, timeoutOf(n.spec),
		c.meta.MaxMemory, r.tester.MaxMemory, r.tester.HashInputs, r.tester.Engine.Args, r.pipeline.Engine.args(n.Node),
	})
	return r.keyed(string(text))
}

func outputsExist(s *ScriptExecutionSpec) bool {
	for _, path := range s.OutputPaths {
		if _, err := os.Stat(path); err != nil {
			return false
		}
	}
	return true
}

// errDiscarded is why a job is cancelled that nobody waits for.
var errDiscarded = errors.New("its driver is gone")

// discard ends the job of an earlier driver, if it has not ended, and removes its directory.
func (t *RuntimeTester) discard(ctx context.Context, dir jobdir.Dir) error {
	if _, ok, _ := dir.Reply(); ok {
		return dir.Remove()
	}
	record, ok := dir.Record()
	if !ok {
		return dir.Remove() // nothing was submitted before its name was written
	}
	j := &slurmJob{tester: t, engine: t.slurm(), dir: dir, record: record, request: nodeRequest{Grace: t.grace()}}
	err := error(nil)
	if record.ID == "" {
		err = j.identify(ctx)
	}
	if err == nil {
		ended, stop := context.WithCancelCause(ctx)
		stop(errDiscarded)
		_, err = j.await(ended)
	}
	if errors.Is(err, errStillThere) || err != nil && ctx.Err() != nil && !errors.Is(err, errDiscarded) && !errors.Is(err, ErrLost) {
		return fmt.Errorf("the job of an earlier run in %s: %w", printable(string(dir)), err)
	}
	return dir.Remove()
}

// discardJobs ends the jobs of an earlier driver whose nodes this run does not run. A run without the engine cannot end
// any, and is refused while one may write to the work directory.
func (r *pipelineRun) discardJobs(ctx context.Context) error {
	if fe := r.runningJob(); fe != nil && r.tester.Engine == nil {
		return newPipelineError(r.pipeline.Name, []*FieldError{fe})
	}
	for _, node := range r.work.JobNodes() {
		number, known := r.number[node]
		if r.tester.Engine != nil && known && r.nodes[number].chosen && !r.nodes[number].Skipped {
			continue // it may be taken up
		}
		for _, dir := range jobdir.All(r.work.Jobs(node)) {
			if err := r.discard(ctx, dir); err != nil {
				return err
			}
		}
	}
	return nil
}

// runningJob is the problem of a job that an earlier driver has left and that has not replied, nil if there is none.
func (r *pipelineRun) runningJob() *FieldError {
	for _, node := range r.work.JobNodes() {
		for _, dir := range jobdir.All(r.work.Jobs(node)) {
			record, submitted := dir.Record()
			if _, replied, _ := dir.Reply(); submitted && !replied {
				fe := fieldErrorf(rank{}, "options.work_dir", CodeNotEmpty, "a job of a driver that was killed may still write to %s: %s",
					r.work.Path(), record.Name).hintf("run once more with the engine, which takes it up or ends it")
				fe.Value = r.work.Path()
				return fe
			}
		}
	}
	return nil
}

func (r *pipelineRun) discard(ctx context.Context, dir jobdir.Dir) error {
	if r.tester.Engine == nil {
		return dir.Remove()
	}
	return r.tester.discard(ctx, dir)
}

// endJobs removes the directories of jobs: their replies are in the result now. Until then the next run would take them
// up. What may still run stays.
func (r *pipelineRun) endJobs(ctx context.Context) {
	for _, node := range r.work.JobNodes() {
		parent := r.work.Jobs(node)
		for _, dir := range jobdir.All(parent) {
			const most = 2 * time.Minute
			limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), most)
			_ = r.discard(limited, dir) // the next run sees it
			cancel()
		}
		_ = os.Remove(parent) // if nothing is left
	}
}
