package scriptspec

import (
	"path/filepath"
	"slices"
)

// diskErrors finds what keeps nodes from being run before the first of them is: inputs from outside of the
// pipeline that are not there, and what any node, or the tester, has in a directory that is about to be cleared.
func (r *pipelineRun) diskErrors() []*FieldError {
	cleared := map[string]string{} // node by directory
	for i := range r.nodes {
		if n := &r.nodes[i]; n.chosen && !n.Skipped {
			cleared[realPath(filepath.Join(r.work.Path(), n.Node))] = n.Node
		}
	}
	var errs []*FieldError
	doomed := func(path string) (node string) {
		for dir := realPath(path); ; dir = filepath.Dir(dir) {
			if node, ok := cleared[dir]; ok || dir == filepath.Dir(dir) {
				return node
			}
		}
	}
	refuse := func(place, path, node string) *FieldError {
		fe := fieldErrorf(rank{}, place, CodeOverlap, "%s lies in the directory of node %s in the work directory, which a run clears: %s",
			place, node, path).hintf("keep it elsewhere, or name another work directory")
		fe.Value = path
		return fe
	}
	for place, dir := range map[string]string{"RuntimeTester.Dir": r.tester.Dir, "RuntimeTester.LogDir": r.tester.LogDir} {
		if node := doomed(dir); dir != "" && node != "" {
			errs = append(errs, refuse(place, dir, node))
		}
	}
	for i := range r.nodes {
		n := &r.nodes[i]
		if isNil(n.spec) || n.Skipped {
			continue
		}
		at := func(fe *FieldError) {
			fe.Path = keyed("specs", n.Node) + "." + fe.Path
			fe.rank = rank{section: rankNodes, index: i, key: fe.Path}
			errs = append(errs, fe)
		}
		c := n.spec.common()
		if node := doomed(*c.scriptPath); node != "" {
			at(refuse("script_path", *c.scriptPath, node))
		}
		missing := map[string]*FieldError{}
		inputs, files := entryErrors(n.spec, fieldInputs, useInput, checkPath), fileErrors(n.spec, checkPath)
		if given := r.pipeline.given[n.Node]; !isNil(given) {
			r.pipeline.paths.explain(slices.Concat(inputs, files), given)
		}
		for _, fe := range inputs {
			missing[fe.rank.key] = fe
		}
		if n.chosen {
			for _, fe := range files {
				at(fe)
			}
		}
		paths := r.outside(n)
		for _, name := range sortedKeys(paths) {
			if node := doomed(paths[name]); node != "" {
				at(refuse(keyed(c.name(fieldInputs), name), paths[name], node))
			} else if fe := missing[name]; fe != nil && n.chosen && !r.isFed(n, name) {
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
