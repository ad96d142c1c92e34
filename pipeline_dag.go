package scriptspec

import (
	"fmt"
	"slices"
	"strings"

	"github.com/scriptspec/scriptspec/internal/atomicfile"
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
	// Cycle are the nodes of one cycle in the order of its edges, from the one that stands first in
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
// dag; other members are passed over. Unknown ends of edges, nodes that stand twice and edges from a
// node to itself are refused with a [*DecodeError] each, in the order of the file. A cycle is found
// by TopologicalSort.
func LoadDAG(path string) (*DAG, error) {
	if err := checkFilePath(path); err != nil {
		return nil, atPath("open", err, path)
	}
	data, _, err := atomicfile.ReadFile(path, maxSpecFile, nil)
	if err != nil {
		return nil, readError(err, path)
	}
	d := dagDecoder{r: new(strictjson.Reader)}
	d.r.Reset(data)
	d.document(true)
	d.r.End()
	if !d.r.Broken() {
		d.place("")
	}
	if err := problemsError(data, path, d.r.Problems(), placeText); err != nil {
		return nil, err
	}
	return &d.dag, nil
}

// dagDecoder reads a graph and remembers where its parts stand.
type dagDecoder struct {
	r     *strictjson.Reader
	dag   DAG
	nodes []int64
	edges [][2]int64
	seen  map[string]bool
	// strict refuses members that are not known.
	strict bool
}

// document reads an object that has the members, or one called dag that has them.
func (d *dagDecoder) document(outermost bool) {
	start := d.r.Here()
	if !d.r.Object() {
		return
	}
	for name, ok := d.r.Name(); ok; name, ok = d.r.Name() {
		member := string(name)
		if known := member == "nodes" || member == "edges" || member == "dag" && outermost; known && d.seen[member] {
			d.r.Refuse("stands twice; a file has one graph")
		} else if known {
			setEntry(&d.seen, member, true)
		}
		switch {
		case member == "nodes":
			d.readNodes()
		case member == "edges":
			d.readEdges()
		case member == "dag" && outermost:
			d.document(false)
		case d.strict:
			d.r.Refuse("unknown member; a graph has nodes and edges")
			d.r.Skip()
		default:
			d.r.Skip()
		}
	}
	if outermost && !d.seen["nodes"] && !d.r.Broken() {
		d.r.RefuseMember(start, "nodes", "missing; a graph needs it")
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
				d.r.RefuseAt(start, "an edge is a list of two nodes")
			}
			continue
		}
		d.dag.Edges, d.edges = append(d.dag.Edges, [2]string(ends)), append(d.edges, [2]int64(at))
	}
}

// place notes the problems of the graph where its parts stand; prefix leads to the graph.
func (d *dagDecoder) place(prefix string) {
	for _, p := range d.dag.problems() {
		at := d.nodes
		if p.edge >= 0 {
			at = d.edges[p.edge][:]
		}
		d.r.RefuseMember(at[p.node], prefix+p.place(), p.message)
	}
}

// Validate checks that nodes are named, each once, and that edges join two different nodes of the
// graph. The error is a [*ValidationError] with paths like nodes[3] and edges[2][0].
func (d *DAG) Validate() error {
	var errs []*FieldError
	for _, p := range d.problems() {
		errs = append(errs, p.fieldError())
	}
	return newValidationError("", errs)
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
				fmt.Sprintf("node %s stands twice, first as nodes[%d]", printable(name), first)})
			continue
		}
		known[name] = i
	}
	edges = make([][2]int, len(d.Edges))
	for i, edge := range d.Edges {
		for end, name := range edge {
			node, ok := known[name]
			if !ok {
				problems = append(problems, dagProblem{i, end, name, CodeUnknownNode,
					fmt.Sprintf("edge %s -> %s: there is no node %s", printable(edge[0]), printable(edge[1]), printable(name))})
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
// could come next it takes the one that stands first in Nodes. The error is a [*CycleError], or what
// Validate returns.
func (d *DAG) TopologicalSort() ([]string, error) {
	numbers, _, err := d.order()
	if err != nil {
		return nil, err
	}
	names := make([]string, len(numbers))
	for i, node := range numbers {
		names[i] = d.Nodes[node]
	}
	return names, nil
}

// order returns the numbers of the nodes in topological order, and what leads from each.
func (d *DAG) order() (order []int, next func(node int) []int, err error) {
	edges, problems := d.number()
	if len(problems) > 0 {
		return nil, nil, d.Validate()
	}
	next, waiting := successors(len(d.Nodes), edges)
	var ready intHeap
	for node, n := range waiting {
		if n == 0 {
			ready = append(ready, node) // in order, so a heap already
		}
	}
	order = make([]int, 0, len(d.Nodes))
	for len(ready) > 0 {
		node := ready.pop()
		order = append(order, node)
		for _, to := range next(node) {
			if waiting[to]--; waiting[to] == 0 {
				ready.push(to)
			}
		}
	}
	if len(order) < len(d.Nodes) {
		return nil, nil, d.cycle(edges, waiting)
	}
	return order, next, nil
}

// Levels plans the graph: the nodes that need no other, then those that need only these, and so on,
// each level in the order of Nodes. What stands in one level may run at the same time. The error is
// as of TopologicalSort.
func (d *DAG) Levels() ([][]string, error) {
	order, next, err := d.order()
	if err != nil {
		return nil, err
	}
	level, deepest := make([]int, len(d.Nodes)), -1
	for _, node := range order {
		deepest = max(deepest, level[node])
		for _, to := range next(node) {
			level[to] = max(level[to], level[node]+1)
		}
	}
	levels := make([][]string, deepest+1)
	for node, name := range d.Nodes {
		levels[level[node]] = append(levels[level[node]], name)
	}
	return levels, nil
}

// successors returns the nodes that the edges of a node lead to, and how many edges lead to each.
func successors(nodes int, edges [][2]int) (next func(node int) []int, incoming []int) {
	incoming = make([]int, nodes)
	ends := make([]int, nodes+1) // of the part of all that is a node's
	for _, e := range edges {
		ends[e[0]+1]++
		incoming[e[1]]++
	}
	for i := range nodes {
		ends[i+1] += ends[i]
	}
	all, used := make([]int, len(edges)), make([]int, nodes)
	for _, e := range edges {
		all[ends[e[0]]+used[e[0]]] = e[1]
		used[e[0]]++
	}
	return func(node int) []int { return all[ends[node]:ends[node+1]] }, incoming
}

// cycle finds a cycle among the nodes that still wait for others. Each of them has a predecessor
// that waits too, so going back from any must come round.
func (d *DAG) cycle(edges [][2]int, waiting []int) *CycleError {
	before := make(map[int]int)
	for _, e := range edges {
		if waiting[e[0]] == 0 {
			continue
		}
		if was, ok := before[e[1]]; !ok || e[0] < was {
			before[e[1]] = e[0] // the first in the graph wins
		}
	}
	at := slices.IndexFunc(waiting, func(n int) bool { return n > 0 })
	seen := map[int]bool{}
	for !seen[at] {
		seen[at] = true
		at = before[at]
	}
	cycle := []int{at}
	for node := before[at]; node != at; node = before[node] {
		cycle = append(cycle, node)
	}
	slices.Reverse(cycle)
	first := slices.Index(cycle, slices.Min(cycle))
	e := &CycleError{}
	for i := range cycle {
		e.Cycle = append(e.Cycle, d.Nodes[cycle[(first+i)%len(cycle)]])
	}
	return e
}

// intHeap is a binary heap of node numbers, the smallest on top. container/heap would box each.
type intHeap []int

func (h *intHeap) push(x int) {
	a := append(*h, x)
	i := len(a) - 1
	for i > 0 && a[(i-1)/2] > a[i] {
		a[i], a[(i-1)/2] = a[(i-1)/2], a[i]
		i = (i - 1) / 2
	}
	*h = a
}

func (h *intHeap) pop() int {
	a := *h
	top, last := a[0], len(a)-1
	a[0], a = a[last], a[:last]
	for i := 0; ; {
		least := i
		for _, child := range [...]int{2*i + 1, 2*i + 2} {
			if child < len(a) && a[child] < a[least] {
				least = child
			}
		}
		if least == i {
			break
		}
		a[i], a[least] = a[least], a[i]
		i = least
	}
	*h = a
	return top
}
