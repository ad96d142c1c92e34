package scriptspec

import (
	"fmt"
	"path/filepath"
	"slices"
)

// PipelineTestingSpec is a pipeline with a spec for each of its nodes.
type PipelineTestingSpec struct {
	// Name is what reports call the pipeline.
	Name string
	// DAG are its nodes and edges.
	DAG *DAG
	// Specs has the spec of each node that has a script, by node name.
	Specs map[string]Spec
	// Skip has the nodes that have no script, with the reason.
	Skip map[string]string
}

// Validate reports everything that keeps the pipeline from being run, at once: what is wrong with the
// graph, a cycle, nodes without a spec, specs without a node, specs that break the rules, two nodes
// with one output path, and edges along which no output matches an input. It does not look at the
// disk. The error is a [*ValidationError]; behind it may be a [*CycleError].
func (p *PipelineTestingSpec) Validate() error {
	if p == nil || p.DAG == nil {
		return newValidationError("", []*FieldError{{Path: "dag", Code: CodeRequired, Message: "dag is required"}})
	}
	var errs []*FieldError
	for _, problem := range p.DAG.problems() {
		errs = append(errs, problem.fieldError())
	}
	if len(errs) == 0 {
		if _, err := p.DAG.TopologicalSort(); err != nil {
			errs = append(errs, &FieldError{Path: "dag", Code: CodeCycle, Message: err.Error(), Err: err, at: fieldPos{fieldStepName, ""}})
		}
	}
	errs = append(errs, p.nodeErrors()...)
	errs = append(errs, p.outputErrors()...)
	errs = append(errs, p.edgeErrors()...)
	return newValidationError(p.Name, errs)
}

// nodeErrors compares nodes and specs.
func (p *PipelineTestingSpec) nodeErrors() []*FieldError {
	var errs []*FieldError
	fail := func(code Code, member, node, message string, err error) {
		errs = append(errs, &FieldError{
			Path: keyed(member, node), Code: code, Value: node, Message: message, Err: err, at: fieldPos{fieldEnviron, node},
		})
	}
	known := map[string]bool{}
	for _, node := range p.DAG.Nodes {
		if known[node] {
			continue
		}
		known[node] = true
		_, skipped := p.Skip[node]
		if isNil(p.Specs[node]) && !skipped {
			fail(CodeMissing, "specs", node, "node "+printable(node)+" has no spec, and is not declared to have no script", nil)
		}
	}
	for _, node := range sortedKeys(p.Specs) {
		s := p.Specs[node]
		if !known[node] {
			fail(CodeUnknownNode, "specs", node, "there is no node "+printable(node)+" for this spec", nil)
		}
		if isNil(s) {
			continue
		}
		if name := *s.core().stepName; name != node && name != "" {
			fail(CodeFormat, "specs", node, "the spec of node "+printable(node)+" has the step_name "+printable(name), nil)
		}
		if _, skipped := p.Skip[node]; skipped {
			fail(CodeDuplicate, "skip", node, "node "+printable(node)+" has a spec and is declared to have no script", nil)
		}
		if broken := runErrors(s); len(broken) > 0 {
			fail(CodeFormat, "specs", node, "the spec of "+printable(node)+" cannot be run", newValidationError(subject(s), broken))
		}
	}
	for _, node := range sortedKeys(p.Skip) {
		if !known[node] {
			fail(CodeUnknownNode, "skip", node, "there is no node "+printable(node)+" to skip", nil)
		}
	}
	return errs
}

// outputErrors finds paths that two nodes write to.
func (p *PipelineTestingSpec) outputErrors() []*FieldError {
	var errs []*FieldError
	type owner struct{ node, output string }
	owners := map[string]owner{}
	for _, node := range sortedKeys(p.Specs) {
		if isNil(p.Specs[node]) {
			continue
		}
		for _, e := range sortedPaths(p.Specs[node], fieldOutputs) {
			path, err := filepath.Abs(e.path)
			if err != nil {
				path = filepath.Clean(e.path)
			}
			first, taken := owners[path]
			if !taken {
				owners[path] = owner{node, e.key}
				continue
			}
			name := p.Specs[node].core().name(fieldOutputs)
			errs = append(errs, &FieldError{
				Path: keyed("specs", node) + "." + keyed(name, e.key), Code: CodeDuplicate, Value: e.path,
				Message: fmt.Sprintf("output %s of %s is also output %s of %s: %s", printable(e.key), printable(node),
					printable(first.output), printable(first.node), printable(e.path)),
				Hint: "give each node a directory of its own", at: fieldPos{fieldJobArgs, node},
			})
		}
	}
	return errs
}

// edgeErrors finds edges along which nothing can be handed over.
func (p *PipelineTestingSpec) edgeErrors() []*FieldError {
	var errs []*FieldError
	m := &PathMatcher{}
	enhanced := map[string]*EnhancedScriptExecutionSpec{}
	for node, s := range p.Specs {
		if !isNil(s) {
			enhanced[node] = asEnhanced(s.self())
		}
	}
	for i, edge := range p.DAG.Edges {
		source, dest := enhanced[edge[0]], enhanced[edge[1]]
		if source == nil || dest == nil || len(m.FindPathMatches(source, dest)) > 0 {
			continue // a node without a spec is reported as that, or skipped
		}
		errs = append(errs, &FieldError{
			Path: fmt.Sprintf("edges[%d]", i), Code: CodeNoMatch, Value: slices.Clone(edge[:]),
			Message: fmt.Sprintf("no output of %s matches an input of %s", printable(edge[0]), printable(edge[1])),
			Hint:    "give both one logical name, or one of them the other's as an alias", at: fieldPos{fieldCreatedAt, fmt.Sprintf("%09d", i)},
		})
	}
	return errs
}
