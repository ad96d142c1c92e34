package scriptspec

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// PipelinePlan is what a run of a pipeline would do.
type PipelinePlan struct {
	// Nodes are in topological order: every edge leads forward.
	Nodes []PlannedNode `json:"nodes"`
	// Levels are the nodes that need no other, then those that need only these, and so on. A run
	// does not wait for a level to end.
	Levels [][]string `json:"levels"`
	// Suggested are the wires that would make the suggested pairs of all nodes count: to accept them after a
	// review, append them to PipelineTestingSpec.Wires.
	Suggested []Wire `json:"suggested"`
}

// PlannedNode is a node of a [PipelinePlan]. The names of inputs and outputs are the keys of specs.
type PlannedNode struct {
	Node string `json:"node"`
	// Level is the length of the longest path that leads to the node.
	Level int `json:"level"`
	// Skipped reports whether the pipeline declares the node to be skipped: nothing is fed to it, and its
	// outputs are those of its spec, if it has one.
	Skipped bool `json:"skipped"`
	// After are the nodes that must have ended before it, in topological order.
	After []string `json:"after"`
	// Inputs has, by input, what the node gets from other nodes.
	Inputs []AssignedPair `json:"fed"`
	// FromSpec are the inputs that no edge feeds, sorted: their paths are those of the spec.
	FromSpec []string `json:"from_spec"`
	// OrderOnly are the nodes whose edge to this one carries nothing, in topological order. Unless a wire
	// says that it is so, or one of the two has no spec or is skipped, that is an error of Plan.
	OrderOnly []string `json:"idle"`
	// Suggested has, by input, what the node could get if similar names were enough, or a stem in common:
	// model_output and model_input. A wire makes one of them count, AllowSemantic all that are similar.
	Suggested []AssignedPair `json:"suggested"`
	// Ties are choices that only the order of names decided, as in Assignment.
	Ties [][]AssignedPair `json:"ties"`
}

// Plan says in which order nodes can be run and what each of their inputs is fed with. All nodes that
// have an edge to a node are matched with it together, so that an input has one source: wires first,
// then names and aliases as [PathMatcher.AssignAll] takes them, and similar names last and only with
// AllowSemantic. Nil options are those of the pipeline. The disk is not looked at.
//
// The error is a [*ValidationError] with what Validate reports and a problem for each edge that
// carries nothing: [CodeUnconfirmed] where similar names suggest a wire, which is then the Value of
// the problem, else [CodeNoMatch]. There is a plan even then, unless the graph cannot be ordered.
func (p *PipelineTestingSpec) Plan(o *PipelineOptions) (*PipelinePlan, error) {
	if p == nil || p.DAG == nil {
		return nil, p.Validate()
	}
	if o == nil {
		o = &p.Options
	}
	errs := p.problems()
	g, order, err := p.DAG.order()
	if err != nil {
		return nil, newPipelineError(p.Name, errs)
	}
	pl := &planner{p: p, semantic: o.AllowSemantic, specs: p.enhanced(), wires: map[string][]Wire{}}
	for _, wire := range p.Wires {
		pl.wires[wire.Dest] = append(pl.wires[wire.Dest], wire)
	}
	plan := &PipelinePlan{Nodes: make([]PlannedNode, len(order))}
	after, level := make([][]string, len(order)), g.Levels(order)
	for i, number := range order {
		node := p.DAG.Nodes[number]
		plan.Nodes[i] = pl.node(node, level[number], slices.Compact(after[number]))
		for _, to := range g.Next(number) {
			after[to] = append(after[to], node)
		}
	}
	plan.Levels, plan.Suggested = p.DAG.byLevel(level), suggestions(plan.Nodes)
	return plan, newPipelineError(p.Name, append(errs, pl.edgeErrors(plan)...))
}

// resolved returns the pipeline with paths as the tester understands them.
func (p *PipelineTestingSpec) resolved(t *RuntimeTester) (*PipelineTestingSpec, error) {
	c := *p
	c.paths.base, c.paths.vars, c.given = cmp.Or(t.Base, p.paths.base), t.PathVars, p.Specs
	c.Specs = make(map[string]Spec, len(p.Specs))
	var all []*FieldError
	for _, node := range sortedKeys(p.Specs) {
		s, errs := c.paths.resolve(p.Specs[node])
		for _, fe := range errs {
			fe.Path, fe.rank = keyed("specs", node)+"."+fe.Path, rank{section: rankSpecs, key: node}
		}
		all = append(all, errs...)
		c.Specs[node] = s
	}
	return &c, newPipelineError(p.Name, all)
}

// planner wires nodes, each with all that lead to it.
type planner struct {
	p        *PipelineTestingSpec
	matcher  PathMatcher
	semantic bool
	specs    map[string]*EnhancedScriptExecutionSpec
	wires    map[string][]Wire // by the node that they lead to
}

func (pl *planner) node(node string, level int, after []string) PlannedNode {
	n := PlannedNode{
		Node: node, Level: level, After: append([]string{}, after...),
		Inputs: []AssignedPair{}, FromSpec: []string{}, OrderOnly: []string{}, Suggested: []AssignedPair{}, Ties: [][]AssignedPair{},
	}
	dest := pl.specs[node]
	if _, n.Skipped = pl.p.Skip[node]; n.Skipped || dest == nil {
		n.OrderOnly = append(n.OrderOnly, after...)
		return n
	}
	dest, sources := pl.shallow(node), make([]*EnhancedScriptExecutionSpec, 0, len(after))
	for _, name := range after {
		if pl.specs[name] != nil {
			sources = append(sources, pl.shallow(name))
		}
	}
	if wires := pl.wires[node]; len(wires) > 0 {
		n.Inputs = append(n.Inputs, pl.wire(wires, dest, sources)...)
	}
	if assigned, err := pl.matcher.AssignAll(sources, dest); err == nil { // no spec is nil
		n.Ties = append(n.Ties, assigned.Ties...)
		for _, pair := range assigned.Pairs {
			if pair.Suggested && !pl.semantic {
				n.Suggested = append(n.Suggested, pair)
			} else {
				n.Inputs = append(n.Inputs, pair)
			}
		}
	}
	slices.SortFunc(n.Inputs, func(a, b AssignedPair) int { return strings.Compare(a.DestLogicalName, b.DestLogicalName) })
	fed, feeds := map[string]bool{}, map[string]bool{}
	for _, pair := range n.Inputs {
		fed[pair.DestLogicalName], feeds[pair.Source] = true, true
	}
	for _, e := range sortedPaths(pl.specs[node], fieldInputs) {
		if !fed[e.key] {
			n.FromSpec = append(n.FromSpec, e.key)
		}
	}
	for _, name := range after {
		if !feeds[name] {
			n.OrderOnly = append(n.OrderOnly, name)
		}
	}
	n.Suggested = append(n.Suggested, pl.stems(&n)...)
	return n
}

// shallow returns a spec from which inputs and outputs may be taken away, under the name of its node.
func (pl *planner) shallow(node string) *EnhancedScriptExecutionSpec {
	s := *pl.specs[node]
	s.StepName = node
	return &s
}

// wire takes the ends of wires out of the specs and returns them as pairs.
func (pl *planner) wire(wires []Wire, dest *EnhancedScriptExecutionSpec, sources []*EnhancedScriptExecutionSpec) []AssignedPair {
	var pairs []AssignedPair
	dest.InputPathSpecs = maps.Clone(dest.InputPathSpecs)
	for _, s := range sources {
		s.OutputPathSpecs = maps.Clone(s.OutputPathSpecs)
	}
	silent := map[string]bool{}
	for _, w := range wires {
		if w.Output == "" && w.Input == "" {
			silent[w.Source] = true
			continue
		}
		_, free := dest.InputPathSpecs[w.Input]
		i := slices.IndexFunc(sources, func(s *EnhancedScriptExecutionSpec) bool { return s.StepName == w.Source })
		if !free || i < 0 {
			continue // which wireErrors reports, or there is no spec to take the output from
		}
		if _, ok := pl.specs[w.Source].OutputPathSpecs[w.Output]; !ok {
			continue
		}
		delete(dest.InputPathSpecs, w.Input)
		delete(sources[i].OutputPathSpecs, w.Output)
		pairs = append(pairs, AssignedPair{Source: w.Source, PathMatch: PathMatch{
			SourceLogicalName: w.Output, DestLogicalName: w.Input, MatchType: MatchWired, Confidence: 1,
			MatchedSourceName: w.Output, MatchedDestName: w.Input,
		}})
	}
	for _, s := range sources {
		if silent[s.StepName] {
			s.OutputPathSpecs = nil
		}
	}
	return pairs
}

// edgeErrors finds edges that carry nothing and are not said to.
func (pl *planner) edgeErrors(plan *PipelinePlan) []*FieldError {
	idle := map[[2]string]*PlannedNode{}
	for i := range plan.Nodes {
		n := &plan.Nodes[i]
		for _, source := range n.OrderOnly {
			if dependsOn(pl.specs[n.Node], source) {
				continue // which says that the order is what counts
			}
			if !n.Skipped && pl.specs[n.Node] != nil && pl.specs[source] != nil {
				idle[[2]string{source, n.Node}] = n
			}
		}
	}
	for _, w := range pl.p.Wires {
		if w.Output == "" && w.Input == "" {
			delete(idle, [2]string{w.Source, w.Dest})
		}
	}
	var errs []*FieldError
	for i, edge := range pl.p.DAG.Edges {
		n := idle[edge]
		if n == nil {
			continue
		}
		delete(idle, edge) // an edge may be there twice
		from, to := printable(edge[0]), printable(edge[1])
		if at := slices.IndexFunc(n.Suggested, func(p AssignedPair) bool { return p.Source == edge[0] }); at >= 0 {
			s := n.Suggested[at]
			why, hint := fmt.Sprintf("similar names (%.2f)", s.Confidence), "confirm it as one of wires or with an alias, or allow such pairs with allow_semantic"
			if s.MatchType == MatchStem {
				why, hint = "names of one stem", "confirm it as one of wires or with an alias"
			}
			hint += "; as a wire it is " + jsonOf(s.wire(edge[1]))
			fe := edgeError(i, edge, CodeUnconfirmed, fmt.Sprintf("only %s speak for output %s of %s as input %s of %s", why,
				printable(s.SourceLogicalName), from, printable(s.DestLogicalName), to), hint)
			fe.Value = s.wire(edge[1])
			errs = append(errs, fe)
			continue
		}
		fe := noMatch(i, edge)
		fe.Hint = pl.sidesHint(n, edge)
		if len(pl.matcher.FindPathMatches(pl.specs[edge[0]], pl.specs[edge[1]])) > 0 {
			fe.Message = "every input of " + to + " that an output of " + from + " matches is fed by another node"
			fe.Hint = "name the right source in wires, or add a wire without output and input if the edge is for the order only"
		}
		errs = append(errs, fe)
	}
	return errs
}

// wire returns the wire that makes the pair count.
func (p AssignedPair) wire(dest string) Wire {
	return Wire{p.Source, p.SourceLogicalName, dest, p.DestLogicalName}
}
