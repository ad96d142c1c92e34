package scriptspec

import (
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/scriptspec/scriptspec/internal/filename"
)

// The sections of a pipeline in the order in which their problems are reported.
const (
	rankGraph = iota + 1 // after the name
	rankNodes
	rankEdges
	rankSpecs
	rankOutputs
	rankFlow // edges that carry nothing
	rankWires
	rankOptions
)

// Validate reports everything that keeps the pipeline from being run, at once: what is wrong with the
// graph, a cycle, nodes without a spec or with a name that no directory can have, specs without a
// node, specs that break the rules, two nodes with one output path, wires between what is not there,
// and edges along which no output matches an input. It does not look at the disk. The error is a
// [*ValidationError]; behind it may be a [*CycleError]. What Plan says besides depends on its options.
func (p *PipelineTestingSpec) Validate() error {
	if p == nil || p.DAG == nil {
		return newPipelineError("", []*FieldError{{Path: "dag", Code: CodeRequired, Message: "dag is required"}})
	}
	return newPipelineError(p.Name, append(p.problems(), p.edgeErrors()...))
}

// problems returns all that Validate reports except edges that carry nothing.
func (p *PipelineTestingSpec) problems() []*FieldError {
	var errs []*FieldError
	for _, problem := range p.DAG.problems() {
		errs = append(errs, problem.fieldError())
	}
	if len(errs) == 0 {
		if _, err := p.DAG.TopologicalSort(); err != nil {
			errs = append(errs, &FieldError{Path: "dag", Code: CodeCycle, Message: err.Error(), Err: err, rank: rank{section: rankGraph}})
		}
	}
	errs = append(errs, p.nameErrors()...)
	errs = append(errs, p.nodeErrors()...)
	errs = append(errs, p.refErrors()...)
	errs = append(errs, p.dependencyErrors()...)
	errs = append(errs, p.outputErrors()...)
	errs = append(errs, p.wireErrors()...)
	errs = append(errs, p.engineErrors()...)
	return append(errs, p.metadataErrors()...)
}

// metadataErrors checks what a run does not need by the rules of the same members of specs.
func (p *PipelineTestingSpec) metadataErrors() []*FieldError {
	var errs []*FieldError
	check := func(f field, found []flaw) {
		for _, one := range found {
			errs = append(errs, ruleError(f, one))
		}
	}
	check(fieldTags, listCodec.check(&fields[fieldTags], reflect.ValueOf(p.Tags), storing))
	check(fieldLabels, mapCodec.check(&fields[fieldLabels], reflect.ValueOf(p.Labels), storing))
	if p.Version < 0 {
		errs = append(errs, fieldErrorf(rank{section: int(fieldVersion)}, "pipeline_version", CodeFormat, "pipeline_version is negative"))
	}
	for _, name := range sortedKeys(p.Extra) {
		if !strings.HasPrefix(name, "x-") {
			errs = append(errs, fieldErrorf(rank{section: len(fields), key: name}, name, CodeFormat, "a pipeline has no member %s", name).hintf("prefix members of your own with x-"))
		}
	}
	for _, fe := range errs {
		fe.rank = rank{section: rankOptions, index: fe.rank.section, key: fe.Path}
	}
	return errs
}

// nameErrors finds nodes whose names cannot all be names of directories.
func (p *PipelineTestingSpec) nameErrors() []*FieldError {
	var errs []*FieldError
	fail := func(i int, code Code, message, hint string) {
		errs = append(errs, &FieldError{
			Path: fmt.Sprintf("nodes[%d]", i), Code: code, Value: p.DAG.Nodes[i], Message: message, Hint: hint,
			rank: rank{section: rankNodes, index: i},
		})
	}
	folded := make(map[string]string, len(p.DAG.Nodes))
	for i, node := range p.DAG.Nodes {
		if node != "" && !filename.IsDir(node) {
			fail(i, CodeFormat, "node "+printable(node)+" cannot be the name of a directory", "want something like TabularPreprocessing_training")
		}
		fold := strings.ToLower(node)
		if first, taken := folded[fold]; taken && first != node {
			fail(i, CodeDuplicate, "node "+printable(node)+" differs from "+printable(first)+" only in case", "many file systems do not tell them apart")
		} else {
			folded[fold] = node
		}
	}
	return errs
}

// nodeErrors compares nodes and specs.
func (p *PipelineTestingSpec) nodeErrors() []*FieldError {
	var errs []*FieldError
	fail := func(code Code, member, node, message string, err error) {
		errs = append(errs, &FieldError{
			Path: keyed(member, node), Code: code, Value: node, Message: message, Err: err, rank: rank{section: rankSpecs, key: node},
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
			errs[len(errs)-1].Hint = meantOf(p.DAG.Nodes, node)
		}
		if isNil(s) {
			continue
		}
		if name := *s.common().stepName; name != node && name != "" {
			fail(CodeFormat, "specs", node, "the spec of node "+printable(node)+" has the step_name "+printable(name), nil)
		}
		broken, what := p.runErrors(s), "run"
		if _, skipped := p.Skip[node]; skipped {
			what = "taken for its outputs"
			broken = ruleErrors(s, running, fieldOutputs)
		}
		if len(broken) > 0 {
			err := newValidationError(subject(s), broken) // which sorts them
			message := "the spec of " + printable(node) + " cannot be " + what + ": " + broken[0].Error()
			if len(broken) > 1 {
				message += fmt.Sprintf(", and %d more", len(broken)-1)
			}
			fail(CodeFormat, "specs", node, message, err)
		}
	}
	for _, node := range sortedKeys(p.Skip) {
		if !known[node] {
			fail(CodeUnknownNode, "skip", node, "there is no node "+printable(node)+" to skip", nil)
			errs[len(errs)-1].Hint = meantOf(p.DAG.Nodes, node)
		}
	}
	return errs
}

// runErrors returns what keeps a spec from being run in a pipeline, as far as that can be told without a tester:
// which may know its variables. Outputs are the run's own.
func (p *PipelineTestingSpec) runErrors(s Spec) []*FieldError {
	outputs := fields[s.common().own(fieldOutputs)].name + "["
	return slices.DeleteFunc(runErrors(s), func(fe *FieldError) bool {
		path, _ := fe.Value.(string)
		return fe.Code == CodeNotLocal && (strings.HasPrefix(fe.Path, outputs) || pathVariable.MatchString(path))
	})
}

// refErrors finds references that are not script names, or not those of the specs.
func (p *PipelineTestingSpec) refErrors() []*FieldError {
	var errs []*FieldError
	known := make(map[string]bool, len(p.DAG.Nodes))
	for _, node := range p.DAG.Nodes {
		known[node] = true
	}
	for _, node := range sortedKeys(p.Refs) {
		script, s := p.Refs[node], p.Specs[node]
		fe := &FieldError{Path: keyed("refs", node), Code: CodeFormat, Value: script, rank: rank{section: rankSpecs, key: node}}
		switch {
		case checkScriptName(script) != "":
			fe.Message = "node " + printable(node) + " refers to " + printable(script) + ", which is not a valid script name"
		case !isNil(s) && *s.common().scriptName != script:
			fe.Message = fmt.Sprintf("node %s refers to the spec of script %s and has that of %s",
				printable(node), printable(script), printable(*s.common().scriptName))
		case !known[node]:
			fe.Code, fe.Message = CodeUnknownNode, "there is no node "+printable(node)+" for this reference"
		default:
			continue
		}
		errs = append(errs, fe)
	}
	return errs
}

// outputErrors finds paths that two nodes write to.
func (p *PipelineTestingSpec) outputErrors() []*FieldError {
	var errs []*FieldError
	type owner struct{ node, output string }
	owners := map[string]owner{}
	for _, node := range sortedKeys(p.Specs) {
		if _, skipped := p.Skip[node]; skipped || isNil(p.Specs[node]) {
			continue // what is skipped writes nothing
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
			name := p.Specs[node].common().name(fieldOutputs)
			errs = append(errs, &FieldError{
				Path: keyed("specs", node) + "." + keyed(name, e.key), Code: CodeDuplicate, Value: e.path,
				Message: fmt.Sprintf("output %s of %s is also output %s of %s: %s", printable(e.key), printable(node),
					printable(first.output), printable(first.node), printable(e.path)),
				Hint: "give each node a directory of its own", rank: rank{section: rankOutputs, key: node},
			})
		}
	}
	return errs
}

// edgeErrors finds edges along which nothing can be handed over.
func (p *PipelineTestingSpec) edgeErrors() []*FieldError {
	var errs []*FieldError
	m := &PathMatcher{}
	enhanced := p.enhanced()
	wired := map[[2]string]bool{}
	for _, wire := range p.Wires {
		wired[[2]string{wire.Source, wire.Dest}] = true
	}
	for i, edge := range p.DAG.Edges {
		source, dest := enhanced[edge[0]], enhanced[edge[1]]
		if _, skipped := p.Skip[edge[1]]; skipped || source == nil || dest == nil || wired[edge] {
			continue // a node without a spec is reported as that, or skipped
		}
		if dependsOn(dest, edge[0]) {
			continue
		}
		if len(m.FindPathMatches(source, dest)) == 0 {
			errs = append(errs, noMatch(i, edge))
		}
	}
	return errs
}

// dependsOn reports whether a spec says that it depends on a step.
func dependsOn(s *EnhancedScriptExecutionSpec, step string) bool {
	return s != nil && slices.Contains(s.DependsOn.Steps, step)
}

func noMatch(i int, edge [2]string) *FieldError {
	return edgeError(i, edge, CodeNoMatch,
		fmt.Sprintf("no output of %s matches an input of %s", printable(edge[0]), printable(edge[1])),
		"give both one logical name, or one of them the other's as an alias")
}

func edgeError(i int, edge [2]string, code Code, message, hint string) *FieldError {
	return &FieldError{
		Path: fmt.Sprintf("edges[%d]", i), Code: code, Value: slices.Clone(edge[:]), Message: message, Hint: hint,
		rank: rank{section: rankFlow, index: i},
	}
}

// enhanced returns the specs of all nodes that have one. They are not to be changed.
func (p *PipelineTestingSpec) enhanced() map[string]*EnhancedScriptExecutionSpec {
	enhanced := make(map[string]*EnhancedScriptExecutionSpec, len(p.Specs))
	for node, s := range p.Specs {
		if !isNil(s) {
			enhanced[node] = asEnhanced(s.self())
		}
	}
	return enhanced
}

// wireErrors finds wires that do not follow an edge, or whose ends are not there.
func (p *PipelineTestingSpec) wireErrors() []*FieldError {
	var errs []*FieldError
	if len(p.Wires) == 0 {
		return nil
	}
	edges := make(map[[2]string]bool, len(p.DAG.Edges))
	for _, edge := range p.DAG.Edges {
		edges[edge] = true
	}
	has := func(node string, f field, name string) bool {
		s := p.Specs[node]
		return isNil(s) || hasPath(s, f, name) // else it is reported elsewhere
	}
	skipped := func(node string) bool {
		_, ok := p.Skip[node]
		return ok
	}
	fed := map[[2]string]int{}
	for i, wire := range p.Wires {
		fail := func(code Code, message, hint string) {
			errs = append(errs, &FieldError{
				Path: fmt.Sprintf("wires[%d]", i), Code: code, Value: wire, Message: message, Hint: hint,
				rank: rank{section: rankWires, index: i},
			})
		}
		input := [2]string{wire.Dest, wire.Input}
		first, twice := fed[input]
		switch {
		case !slices.Contains(p.DAG.Nodes, wire.Source):
			fail(CodeUnknownNode, fmt.Sprintf("%v: there is no node %s", wire, printable(wire.Source)), meantOf(p.DAG.Nodes, wire.Source))
		case !slices.Contains(p.DAG.Nodes, wire.Dest):
			fail(CodeUnknownNode, fmt.Sprintf("%v: there is no node %s", wire, printable(wire.Dest)), meantOf(p.DAG.Nodes, wire.Dest))
		case !edges[[2]string{wire.Source, wire.Dest}]:
			fail(CodeUnknownNode, fmt.Sprintf("%v follows no edge", wire), "add the edge to the graph")
		case wire.Output == "" && wire.Input == "":
		case wire.Output == "" || wire.Input == "":
			fail(CodeEmpty, fmt.Sprintf("%v has only one end", wire), "name output and input, or neither where the edge is to carry nothing")
		case isNil(p.Specs[wire.Source]) && skipped(wire.Source):
			fail(CodeNoMatch, fmt.Sprintf("%v: %s is skipped and has no spec to take the output from", wire, printable(wire.Source)),
				"give it a spec with the output")
		case !has(wire.Source, fieldOutputs, wire.Output):
			fail(CodeNoMatch, fmt.Sprintf("%v: %s has no such output", wire, printable(wire.Source)),
				meantOf(entryKeys(sortedPaths(p.Specs[wire.Source], fieldOutputs)), wire.Output))
		case !has(wire.Dest, fieldInputs, wire.Input):
			fail(CodeNoMatch, fmt.Sprintf("%v: %s has no such input", wire, printable(wire.Dest)),
				meantOf(entryKeys(sortedPaths(p.Specs[wire.Dest], fieldInputs)), wire.Input))
		case twice:
			fail(CodeDuplicate, fmt.Sprintf("%v: the input is fed by wires[%d] already", wire, first), "")
		default:
			fed[input] = i
		}
	}
	return errs
}
