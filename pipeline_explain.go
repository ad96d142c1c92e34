package scriptspec

import (
	"fmt"
	"strings"
)

// Explain says for each node, in topological order, what feeds each of its inputs and why: the names that match, choices
// that only the order of names decided, and pairs that are only suggested.
func (p *PipelinePlan) Explain() string {
	var b strings.Builder
	for i := range p.Nodes {
		p.Nodes[i].explain(&b)
	}
	return b.String()
}

func (n *PlannedNode) explain(b *strings.Builder) {
	b.WriteString(printable(n.Node))
	switch {
	case n.Skipped:
		b.WriteString(" is skipped")
	case len(n.After) == 0:
		b.WriteString(" needs no other node")
	default:
		b.WriteString(" runs after " + listed(n.After))
	}
	b.WriteByte('\n')
	for _, pair := range n.Inputs {
		fmt.Fprintf(b, "  %s <- %s.%s: %s\n", printable(pair.DestLogicalName), printable(pair.Source), printable(pair.SourceLogicalName), pair.reason())
	}
	for _, name := range n.FromSpec {
		why := ""
		if len(n.After) > 0 {
			why = ": no output of the nodes before it matches"
		}
		fmt.Fprintf(b, "  %s <- the path in the spec%s\n", printable(name), why)
	}
	for _, pair := range n.Suggested {
		fmt.Fprintf(b, "  %s could be %s.%s: %s; it counts once it is in wires, or one side has the other's name as an alias\n",
			printable(pair.DestLogicalName), printable(pair.Source), printable(pair.SourceLogicalName), pair.reason())
	}
	for _, tie := range n.Ties {
		explainTie(b, tie)
	}
	for _, source := range n.OrderOnly {
		fmt.Fprintf(b, "  nothing <- %s: the edge is for the order only\n", printable(source))
	}
}
