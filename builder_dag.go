package scriptspec

import (
	"errors"
	"fmt"
	"strings"
)

// FromDAG makes a pipeline of a graph, with a spec for each node as LoadOrCreate has it, of either
// kind. Nodes that are declared to have no script are skipped by name. The error lists all nodes that could not
// be resolved, with the lines that SpecBuilder.Scripts lacks, and joins what Resolve says of each; the pipeline
// has the rest even then.
func (b *SpecBuilder) FromDAG(d *DAG) (*PipelineTestingSpec, error) {
	if d == nil {
		return nil, (&PipelineTestingSpec{}).Validate()
	}
	if err := d.Validate(); err != nil {
		return nil, err
	}
	if b.Store == nil {
		return nil, errNoStore()
	}
	p := &PipelineTestingSpec{paths: b.Store.paths(), DAG: d, Specs: map[string]Spec{}, Skip: map[string]string{}}
	var failed unresolvedError
	for _, node := range d.Nodes {
		s, _, err := b.loadOrCreate(node)
		switch {
		case errors.Is(err, ErrNoScript):
			p.Skip[node] = ErrNoScript.Error()
		case err != nil:
			failed = append(failed, unresolved{node, err})
		default:
			p.Specs[node] = s
		}
	}
	if len(failed) > 0 {
		return p, failed
	}
	return p, nil
}

// unresolved is a node and why it has no spec.
type unresolved struct {
	node string
	err  error
}

// unresolvedError lists them for a person to act on.
type unresolvedError []unresolved

// Error gives a line to each node, then the lines to add to SpecBuilder.Scripts.
func (e unresolvedError) Error() string {
	var b, table strings.Builder
	fmt.Fprintf(&b, "nodes of the graph without a spec: %d", len(e))
	for _, u := range e {
		missing, isMissing := errors.AsType[*NotFoundError](u.err)
		several, isSeveral := errors.AsType[*AmbiguousError](u.err)
		switch {
		case isMissing:
			tried := strings.TrimPrefix(strings.Join(missing.Tried, ", "), "SpecBuilder.Scripts, ")
			fmt.Fprintf(&b, "\n  %s: no script; tried %s", printable(u.node), printable(tried))
			fmt.Fprintf(&table, "\n  %q: \"path/to/script.py\",", u.node) // which is nowhere, so that nothing is guessed
			if len(missing.Suggestions) > 0 {
				fmt.Fprintf(&table, " // nearest: %s", printable(strings.Join(missing.Suggestions, ", ")))
			}
		case isSeveral:
			fmt.Fprintf(&b, "\n  %s: several scripts fit", printable(u.node))
			fmt.Fprintf(&table, "\n  %q: %q, // or %s", u.node, several.Candidates[0], printable(strings.Join(several.Candidates[1:], ", ")))
		default:
			fmt.Fprintf(&b, "\n  %s: %v", printable(u.node), u.err)
		}
	}
	if table.Len() > 0 {
		b.WriteString("\nadd to SpecBuilder.Scripts, with the right files, or \"\" for a node that has none:" + table.String())
	}
	return b.String()
}

// Unwrap returns what Resolve says of each node.
func (e unresolvedError) Unwrap() []error {
	errs := make([]error, len(e))
	for i, u := range e {
		errs[i] = u.err
	}
	return errs
}
