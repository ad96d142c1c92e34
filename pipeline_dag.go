package scriptspec

import (
	"fmt"
	"slices"
	"strings"

	"github.com/scriptspec/scriptspec/internal/atomicfile"
	"github.com/scriptspec/scriptspec/internal/graph"
	"github.com/scriptspec/scriptspec/internal/strictjson"
)

// DAG is the graph of a pipeline: nodes by name, and edges from the node that produces to the one
// that consumes. The zero DAG is empty.
type DAG struct {
	// Nodes are the names, each once.
	Nodes []string `json:"nodes"`
	// Edges lead from the first node of each pair to the second.
	Edges [][2]string `json:"edges"`
}

// CycleError is returned for a graph that cannot be ordered.
type CycleError struct {
	// Cycle are the nodes of one cycle in the order of its edges, from the one that is first in
	// the graph; the last has an edge to the first.
	Cycle []string
}

// Error returns the cycle: a -> b -> a.
func (e *CycleError) Error() string {
	if len(e.Cycle) == 0 {
		return "the graph has a cycle"
	}
	names := make([]string, 0, len(e.Cycle)+1)
	for _, name := range append(slices.Clone(e.Cycle), e.Cycle[0]) {
		names = append(names, printable(name))
	}
	if len(names) > maxListed {
		names = append(names[:maxListed/2], append([]string{"..."}, names[len(names)-maxListed/2:]...)...)
	}
	return fmt.Sprintf("the graph has a cycle of %d nodes: %s; remove one of its edges", len(e.Cycle), strings.Join(names, " -> "))
}

// LoadDAG reads a graph from a JSON file with the members nodes and edges, on top or in a member
// dag; other members are ignored. Unknown ends of edges, duplicate nodes and edges from a
// node to itself are refused with a [*DecodeError] each, in the order of the file. A cycle is found
// by TopologicalSort.
func LoadDAG(path string) (*DAG, error) {
	if err := checkFilePath(path); err != nil {
		return nil, atPath("open", err, path)
	}
	declare(path)
	data, _, err := atomicfile.ReadFile(path, maxSpecFile, nil)
	if err != nil {
		return nil, readError(err, path)
	}
	d := dagDecoder{r: new(strictjson.Reader)}
	d.r.Reset(data)
	d.wholeFile(true)
	d.r.End()
	if !d.r.Broken() {
		d.locate("")
	}
	if err := problemsError(data, path, d.r.Problems(), placeText); err != nil {
		return nil, err
	}
	return &d.dag, nil
}

// dagDecoder reads a graph and remembers the places of its parts.
type dagDecoder struct {
	r     *strictjson.Reader
	dag   DAG
	nodes []int64
	edges [][2]int64
	seen  map[string]bool
	// strict refuses members that are not known.
	strict bool
}

// wholeFile reads an object that has the members, or one called dag that has them.
func (d *dagDecoder) wholeFile(outermost bool) {
	start := d.r.Here()
	if !d.r.Object() {
		return
	}
	for name, ok := d.r.Name(); ok; name, ok = d.r.Name() {
		member := string(name)
		if known := member == "nodes" || member == "edges" || member == "dag" && outermost; known && d.seen[member] {
			d.r.Refuse(string(CodeDuplicate), "duplicate; a file has one graph")
		} else if known {
			setEntry(&d.seen, member, true)
		}
		switch {
		case member == "nodes":
			d.readNodes()
		case member == "edges":
			d.readEdges()
		case member == "dag" && outermost:
			d.wholeFile(false)
		case d.strict:
			d.r.Refuse(string(CodeUnknownMember), "unknown member; a graph has nodes and edges")
			d.r.Skip()
		default:
			d.r.Skip()
		}
	}
	if outermost && !d.seen["nodes"] && !d.r.Broken() {
		d.r.RefuseMember(start, "nodes", string(CodeRequired), "missing; a graph needs it")
	}
}

func (d *dagDecoder) readNodes() {
	if !d.r.Array() {
		return
	}
	for d.r.More() {
		at := d.r.Here()
		if name, ok := d.r.String(); ok {
			d.dag.Nodes, d.nodes = append(d.dag.Nodes, name), append(d.nodes, at)
		}
	}
}

func (d *dagDecoder) readEdges() {
	if !d.r.Array() {
		return
	}
	for d.r.More() {
		start := d.r.Here()
		if !d.r.Array() {
			continue
		}
		var ends []string
		var at []int64
		for d.r.More() {
			here := d.r.Here()
			if name, ok := d.r.String(); ok {
				ends, at = append(ends, name), append(at, here)
			}
		}
		if len(ends) != 2 {
			if !d.r.Broken() {
				d.r.RefuseAt(start, string(CodeFormat), "an edge is a list of two nodes")
			}
			continue
		}
		d.dag.Edges, d.edges = append(d.dag.Edges, [2]string(ends)), append(d.edges, [2]int64(at))
	}
}

// locate notes the problems of the graph at the places of its parts; prefix leads to the graph.
func (d *dagDecoder) locate(prefix string) {
	for _, p := range d.dag.problems() {
		at := d.nodes
		if p.edge >= 0 {
			at = d.edges[p.edge][:]
		}
		d.r.RefuseMember(at[p.node], prefix+p.place(), string(p.code), p.message)
	}
}

// Validate checks that nodes are named, each once, and that edges join two different nodes of the
// graph. The error is a [*ValidationError] with paths like nodes[3] and edges[2][0].
func (d *DAG) Validate() error {
	var errs []*FieldError
	for _, p := range d.problems() {
		errs = append(errs, p.fieldError())
	}
	return newPipelineError("", errs)
}

// dagProblem is a problem with a node, or with the end of an edge.
type dagProblem struct {
	edge, node int // edge is -1 for a node; node is its number, or the end of the edge
	name       string
	code       Code
	message    string
}

func (p dagProblem) place() string {
	if p.edge < 0 {
		return fmt.Sprintf("nodes[%d]", p.node)
	}
	return fmt.Sprintf("edges[%d][%d]", p.edge, p.node)
}

func (p dagProblem) fieldError() *FieldError {
	fe := &FieldError{Path: p.place(), Code: p.code, Value: p.name, Message: p.message}
	if p.edge < 0 {
		fe.rank = rank{section: rankNodes, index: p.node}
	} else {
		fe.rank = rank{section: rankEdges, index: p.edge}
	}
	return fe
}

func (d *DAG) problems() []dagProblem {
	_, problems := d.number()
	return problems
}

// number checks the graph and returns its edges as pairs of node numbers.
func (d *DAG) number() (edges [][2]int, problems []dagProblem) {
	known := make(map[string]int, len(d.Nodes))
	for i, name := range d.Nodes {
		if name == "" {
			problems = append(problems, dagProblem{-1, i, name, CodeEmpty, "a node without a name"})
		} else if first, twice := known[name]; twice {
			problems = append(problems, dagProblem{-1, i, name, CodeDuplicate,
				fmt.Sprintf("duplicate node %s, first at nodes[%d]", printable(name), first)})
			continue
		}
		known[name] = i
	}
	edges = make([][2]int, len(d.Edges))
	for i, edge := range d.Edges {
		for end, name := range edge {
			node, ok := known[name]
			if !ok {
				message := fmt.Sprintf("edge %s -> %s: there is no node %s", printable(edge[0]), printable(edge[1]), printable(name))
				if len(problems) < maxListed { // of many, to search for each would take long
					message += doubt(d.Nodes, name)
				}
				problems = append(problems, dagProblem{i, end, name, CodeUnknownNode, message})
			}
			edges[i][end] = node
		}
		if edge[0] == edge[1] {
			problems = append(problems, dagProblem{i, 1, edge[1], CodeSelfEdge,
				fmt.Sprintf("edge %s -> %s leads from a node to itself", printable(edge[0]), printable(edge[1]))})
		}
	}
	return edges, problems
}

// TopologicalSort returns the nodes in an order in which every edge leads forward; of the nodes that
// could come next it takes the first in Nodes. The error is a [*CycleError], or what
// Validate returns.
func (d *DAG) TopologicalSort() ([]string, error) {
	_, order, err := d.order()
	if err != nil {
		return nil, err
	}
	return d.names(order), nil
}

// order returns the graph of the node numbers and its topological order.
func (d *DAG) order() (g *graph.Graph, order []int, err error) {
	edges, problems := d.number()
	if len(problems) > 0 {
		return nil, nil, d.Validate()
	}
	g = graph.New(len(d.Nodes), edges)
	order, cycle := g.Order()
	if len(cycle) > 0 {
		return nil, nil, &CycleError{Cycle: d.names(cycle)}
	}
	return g, order, nil
}

func (d *DAG) names(numbers []int) []string {
	names := make([]string, len(numbers))
	for i, node := range numbers {
		names[i] = d.Nodes[node]
	}
	return names
}

// Levels plans the graph: the nodes that need no other, then those that need only these, and so on,
// each level in the order of Nodes. The nodes of a level may run at the same time. The error is that of
// TopologicalSort.
func (d *DAG) Levels() ([][]string, error) {
	g, order, err := d.order()
	if err != nil {
		return nil, err
	}
	return d.byLevel(g.Levels(order)), nil
}

// byLevel groups the nodes by level.
func (d *DAG) byLevel(level []int) [][]string {
	deepest := -1
	for _, l := range level {
		deepest = max(deepest, l)
	}
	levels := make([][]string, deepest+1)
	for node, name := range d.Nodes {
		levels[level[node]] = append(levels[level[node]], name)
	}
	return levels
}
