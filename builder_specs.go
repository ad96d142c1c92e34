package scriptspec

import (
	"fmt"
	"slices"
	"strconv"
)

// FromSpecs makes a pipeline of specs: a node for each, by its step name, and an edge from each step that one
// depends on (depends_on.steps). Nodes and edges are sorted, so that the order of the specs does not matter; what
// flows along the edges is for Plan and wires to say. The error is a [*ValidationError] with every step that no spec
// has, every name that two have and every one that is none, or a [*CycleError].
func (b *SpecBuilder) FromSpecs(specs []Spec) (*PipelineTestingSpec, error) {
	p := &PipelineTestingSpec{DAG: &DAG{}, Specs: map[string]Spec{}}
	if b.Store != nil {
		p.paths = b.Store.paths()
	}
	var errs []*FieldError
	for i, s := range specs {
		if isNil(s) {
			errs = append(errs, errNilSpec())
			continue
		}
		node := *s.common().stepName
		if p.Specs[node] != nil {
			fe := &FieldError{Path: "specs[" + strconv.Itoa(i) + "]", Code: CodeDuplicate, Value: node, Message: "two specs have the step_name " + printable(node)}
			fe.rank = rank{section: rankSpecs, key: node}
			errs = append(errs, fe)
		}
		p.Specs[node] = s.self()
		p.DAG.Nodes = append(p.DAG.Nodes, node)
	}
	slices.Sort(p.DAG.Nodes)
	p.DAG.Nodes = slices.Compact(p.DAG.Nodes)
	for _, node := range p.DAG.Nodes {
		for i, step := range p.Specs[node].common().meta.DependsOn.Steps {
			if slices.Contains(p.DAG.Nodes, step) {
				p.DAG.Edges = append(p.DAG.Edges, [2]string{step, node})
				continue
			}
			errs = append(errs, unknownStep(node, i, step, p.DAG.Nodes))
		}
	}
	for _, node := range p.DAG.Nodes {
		if _, err := ParseStepName(node); err != nil {
			fe := stepNameError(keyed("specs", node)+".step_name", node)
			fe.rank = rank{section: rankSpecs, key: node}
			errs = append(errs, fe)
		}
	}
	slices.SortFunc(p.DAG.Edges, func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	if len(errs) == 0 {
		if _, err := p.DAG.TopologicalSort(); err != nil {
			return p, err
		}
	}
	return p, newPipelineError(p.Name, errs)
}

func unknownStep(node string, i int, step string, known []string) *FieldError {
	fe := dependencyError(node, i, step, CodeUnknownStep, "no spec or node has the step_name "+printable(step))
	fe.Hint = meantOf(known, step)
	return fe
}

func dependencyError(node string, i int, step string, code Code, message string) *FieldError {
	return &FieldError{
		Path: keyed("specs", node) + ".depends_on.steps[" + strconv.Itoa(i) + "]", Code: code, Value: step, Message: message,
		rank: rank{section: rankSpecs, key: node, index: i},
	}
}

// dependencyErrors finds steps that a spec depends on and that do not run before it.
func (p *PipelineTestingSpec) dependencyErrors() []*FieldError {
	var errs []*FieldError
	before := map[string][]string{}
	for _, edge := range p.DAG.Edges {
		before[edge[1]] = append(before[edge[1]], edge[0])
	}
	for _, node := range sortedKeys(p.Specs) {
		if isNil(p.Specs[node]) {
			continue
		}
		for i, step := range p.Specs[node].common().meta.DependsOn.Steps {
			switch {
			case !slices.Contains(p.DAG.Nodes, step):
				errs = append(errs, unknownStep(node, i, step, p.DAG.Nodes))
			case leadsTo(before, step, node):
			case leadsTo(before, node, step):
				errs = append(errs, dependencyError(node, i, step, CodeCycle,
					fmt.Sprintf("%s depends on %s, and the graph runs it before that", printable(node), printable(step))))
			default:
				fe := dependencyError(node, i, step, CodeUnknownStep, fmt.Sprintf("%s depends on %s, which the graph does not run before it", printable(node), printable(step)))
				fe.Hint = fmt.Sprintf("add the edge [%q, %q]", step, node)
				errs = append(errs, fe)
			}
		}
	}
	return errs
}

// leadsTo reports whether a path leads from one node to another.
func leadsTo(before map[string][]string, from, to string) bool {
	seen := map[string]bool{to: true}
	for todo := []string{to}; len(todo) > 0; todo = todo[1:] {
		for _, node := range before[todo[0]] {
			if node == from {
				return true
			}
			if !seen[node] {
				seen[node] = true
				todo = append(todo, node)
			}
		}
	}
	return false
}
