package scriptspec

import (
	"path/filepath"

	"github.com/scriptspec/scriptspec/internal/snapshot"
)

// diskErrors finds what keeps nodes from being run before the first of them is: inputs from outside of the
// pipeline that are not there, and inputs and scripts in a directory that is about to be cleared.
func (r *pipelineRun) diskErrors() []*FieldError {
	cleared := map[string]string{} // node by directory
	for i := range r.nodes {
		if n := &r.nodes[i]; n.chosen && !n.Skipped {
			cleared[realPath(filepath.Join(r.work.Path(), n.Node))] = n.Node
		}
	}
	var errs []*FieldError
	for i := range r.nodes {
		n := &r.nodes[i]
		if !n.chosen || n.Skipped {
			continue
		}
		at := func(fe *FieldError) {
			fe.Path = keyed("specs", n.Node) + "." + fe.Path
			fe.rank = rank{section: rankNodes, index: i, key: fe.Path}
			errs = append(errs, fe)
		}
		doomed := func(place, path string) bool {
			for _, dir := range sortedKeys(cleared) {
				if snapshot.IsWithin(realPath(path), dir) {
					fe := fieldErrorf(rank{}, place, CodeOverlap, "%s lies in the directory of node %s in the work directory, which a run clears: %s",
						place, cleared[dir], path).hintf("keep it elsewhere, or name another work directory")
					fe.Value = path
					at(fe)
					return true
				}
			}
			return false
		}
		c := n.spec.common()
		doomed("script_path", *c.scriptPath)
		missing := map[string]*FieldError{}
		for _, fe := range entryErrors(n.spec, fieldInputs, useInput, checkPath) {
			missing[fe.rank.key] = fe
		}
		paths := r.outside(n)
		for _, name := range sortedKeys(paths) {
			place := keyed(c.name(fieldInputs), name)
			if fe := missing[name]; !doomed(place, paths[name]) && fe != nil && !r.isFed(n, name) {
				at(fe)
			}
		}
	}
	return errs
}

// isFed reports whether another node makes an input.
func (r *pipelineRun) isFed(n *runNode, input string) bool {
	for _, pair := range n.Inputs {
		if pair.DestLogicalName == input {
			return true
		}
	}
	return false
}
