package scriptspec

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/scriptspec/scriptspec/internal/snapshot"
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
	return newValidationError(r.pipeline.Name, errs)
}

// unusable says why the results of an earlier run cannot be reused, "" if they can.
func (r *pipelineRun) unusable(n *runNode) string {
	var rec workdir.Record
	ok := false
	if r.work != nil {
		rec, ok = r.work.Record(n.Node)
	}
	switch {
	case !ok:
		return "has no result of an earlier run in " + printable(r.options.WorkDir)
	case rec.Changed != "":
		return "has data that was changed after it had ended: " + printable(rec.Changed)
	case rec.OutdatedBy != "":
		return "was not run since " + printable(rec.OutdatedBy) + " was, on which it depends"
	case rec.Status != string(NodePassed):
		return "did not pass in the last run: " + rec.Status
	case rec.Digest == "" || rec.Digest != n.digest:
		return "passed with another spec or other wires, its own or those of a node before it"
	}
	for _, e := range sortedPaths(n.spec, fieldOutputs) {
		if !r.feedsAny(n, e.key) {
			continue
		}
		path := n.paths[e.key]
		if _, err := os.Lstat(path); err != nil {
			return "its output " + printable(e.key) + " is no longer there: " + printable(path)
		}
		if rec.Data[e.key] != snapshot.Written(path).Digest() {
			return "its output " + printable(e.key) + " is not as it was made: " + printable(path)
		}
	}
	return ""
}

// renew drops the records of the nodes that are to be run, and marks the results of those after them
// that are not as out of date.
func (r *pipelineRun) renew() error {
	cause := make([]string, len(r.nodes))
	for i := range r.nodes {
		n := &r.nodes[i]
		if n.Skipped {
			continue // its outputs are not made from those before it
		}
		for _, before := range n.before {
			if cause[i] == "" {
				cause[i] = cause[before]
			}
		}
		if n.chosen {
			cause[i] = n.Node
			if err := r.work.Forget(n.Node); err != nil {
				return err
			}
			continue
		}
		if cause[i] == "" {
			continue
		}
		if rec, ok := r.work.Record(n.Node); ok {
			rec.OutdatedBy = cause[i]
			if err := r.work.SetRecord(rec); err != nil {
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

// digest sums up what a node is run with: its spec, apart from environment values, times and the paths
// that a run replaces; its wires; and the same of the nodes that feed it.
func digest(s Spec, fed []AssignedPair, of func(node string) string) string {
	if isNil(s) {
		return ""
	}
	b := s.self().Basic().Redacted()
	b.CreatedAt, b.UpdatedAt = Timestamp{}, Timestamp{}
	for name := range b.OutputPaths {
		b.OutputPaths[name] = name
	}
	for _, p := range fed {
		setEntry(&b.InputPaths, p.DestLogicalName, p.DestLogicalName)
	}
	e, err := encode(b, 0)
	if err != nil {
		return "" // a script cannot be run with it either
	}
	defer e.release()
	h := sha256.New()
	h.Write(e.w.Buf)
	for _, p := range fed {
		fmt.Fprintf(h, "%q %q %q %q\n", p.DestLogicalName, p.Source, p.SourceLogicalName, of(p.Source))
	}
	return hex.EncodeToString(h.Sum(nil))
}
