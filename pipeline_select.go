package scriptspec

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/scriptspec/scriptspec/internal/workdir"
)

// choose marks the nodes that are to be run: all, or the part that the options name.
func (r *pipelineRun) choose() {
	o := &r.options
	all := len(o.From)+len(o.To)+len(o.Only) == 0
	from := r.reach(o.From, func(n *runNode) []int { return n.next })
	to := r.reach(o.To, func(n *runNode) []int { return n.before })
	only := map[int]bool{}
	for _, node := range o.Only {
		only[r.number[node]] = true
	}
	for i := range r.nodes {
		n := &r.nodes[i]
		n.chosen = all || only[i] ||
			len(o.From)+len(o.To) > 0 && (len(o.From) == 0 || from[i]) && (len(o.To) == 0 || to[i])
	}
	for i := range r.nodes {
		n := &r.nodes[i]
		if n.chosen && !n.Skipped {
			for _, pair := range n.Inputs {
				source := &r.nodes[r.number[pair.Source]]
				source.reused = source.reused || !source.chosen && !source.Skipped
			}
		}
	}
}

// reach returns the nodes and all that are to be reached from them.
func (r *pipelineRun) reach(nodes []string, next func(*runNode) []int) map[int]bool {
	reached := map[int]bool{}
	var todo []int
	visit := func(i int) {
		if !reached[i] {
			reached[i] = true
			todo = append(todo, i)
		}
	}
	for _, node := range nodes {
		visit(r.number[node])
	}
	for len(todo) > 0 {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, to := range next(&r.nodes[i]) {
			visit(to)
		}
	}
	return reached
}

// reuses reports whether anything of an earlier run is needed.
func (r *pipelineRun) reuses() bool {
	for i := range r.nodes {
		if r.nodes[i].reused {
			return true
		}
	}
	return false
}

// open takes the work directory, or its share of one.
func (r *pipelineRun) open() error {
	o, reuses := &r.options, r.reuses()
	dir, open := o.WorkDir, workdir.Open
	switch {
	case dir == "" && (reuses || o.Shared):
		return newPipelineError(r.pipeline.Name, []*FieldError{{
			Path: "options.work_dir", Code: CodeRequired, Message: "a part of a pipeline needs the work directory of an earlier run",
			Hint: "the result of that run names it",
		}})
	case o.Shared:
		open = workdir.OpenShared
	case dir == "" && r.tester.Engine != nil:
		var err error
		if dir, err = r.tester.tempDir("scriptspec-pipeline-"); err != nil {
			return fmt.Errorf("work directory: %w", err)
		}
	}
	work, err := open(dir, !reuses)
	if reuses && errors.Is(err, fs.ErrNotExist) {
		return r.checkReuse() // which names the nodes that would have to be there
	}
	if err != nil {
		return workDirError(err)
	}
	r.work = work
	if r.key, err = work.Key(); err == nil && o.Shared {
		err = r.lockNodes()
	}
	if err != nil {
		work.Close()
		return workDirError(err)
	}
	return nil
}

// lockNodes keeps other runs of a shared work directory from the nodes of this one: from those that are run altogether,
// from those whose outputs it reads for as long as they would be changed.
func (r *pipelineRun) lockNodes() error {
	var run, read []string
	for i := range r.nodes {
		switch n := &r.nodes[i]; {
		case n.Skipped:
		case n.chosen:
			run = append(run, n.Node)
		case n.reused:
			read = append(read, n.Node)
		}
	}
	return r.work.LockNodes(run, read)
}

// checkReuse finds nodes that are to be reused and cannot be. It names all of them.
func (r *pipelineRun) checkReuse() error {
	var errs []*FieldError
	for i := range r.nodes {
		n := &r.nodes[i]
		if !n.reused {
			continue
		}
		if why := r.unusable(n); why != "" {
			errs = append(errs, &FieldError{
				Path: keyed("nodes", n.Node), Code: CodeNoResult, Value: n.Node, Err: fs.ErrNotExist,
				Message: fmt.Sprintf("node %s is not part of this run and %s", printable(n.Node), why),
				Hint:    "run it too: with From, or as one of Only", rank: rank{section: rankNodes, index: i},
			})
		}
	}
	return newPipelineError(r.pipeline.Name, errs)
}

// renew drops the records of the nodes that are to be run. Those after them, which are not, are out of date
// from then on.
func (r *pipelineRun) renew() error {
	for i := range r.nodes {
		if n := &r.nodes[i]; n.chosen && !n.Skipped {
			if err := r.work.Forget(n.Node); err != nil {
				return err
			}
		}
	}
	return nil
}

// workDirError is an error of a work directory as a problem of the options, if it is one.
func workDirError(err error) error {
	if e, ok := errors.AsType[*workdir.NotEmptyError](err); ok {
		fe := fieldErrorf(rank{}, "options.work_dir", CodeNotEmpty, "work directory holds what no pipeline run put there: %s", e.Entry).
			hintf("name an empty or a new directory")
		fe.Value = e.Dir
		return fe
	}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", ErrNoSpace, err)
	}
	return err
}
