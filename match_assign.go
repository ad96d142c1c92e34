package scriptspec

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Assignment wires outputs to inputs, one to one.
type Assignment struct {
	// Dest is the step that is fed.
	Dest string `json:"dest"`
	// Pairs are the wires, by input.
	Pairs []AssignedPair `json:"pairs"`
	// UnmatchedInputs are the inputs that no output feeds, UnusedOutputs the outputs that feed none.
	UnmatchedInputs []string `json:"unmatched_inputs"`
	// The latter are wires without a destination.
	UnusedOutputs []Wire `json:"unused_outputs"`
	// Ties are the choices that only the order of names decided: first the chosen pair, then those that
	// are as good.
	Ties [][]AssignedPair `json:"ties"`

	near []candidate // matches that were not taken
}

// AssignedPair is one wire.
type AssignedPair struct {
	// Source is the step that the output belongs to.
	Source string `json:"source"`
	PathMatch
	// Suggested reports whether only the similarity of names suggests the pair. It needs to be
	// confirmed, by an alias for one.
	Suggested bool `json:"suggested"`
}

// Assign wires the outputs of source to the inputs of dest, the most confident pair first, but those
// that only similarity speaks for last: an output feeds at most one input and an input has at most
// one source. What is left over, and every choice that only the order of names decided, is in the result. The
// error is for a nil spec.
func (m *PathMatcher) Assign(source, dest *EnhancedScriptExecutionSpec) (*Assignment, error) {
	return m.AssignAll([]*EnhancedScriptExecutionSpec{source}, dest)
}

// AssignAll wires the outputs of several steps to the inputs of dest. Of equally confident pairs
// the one whose source has the job type of dest is meant, then the one of the earlier source.
func (m *PathMatcher) AssignAll(sources []*EnhancedScriptExecutionSpec, dest *EnhancedScriptExecutionSpec) (*Assignment, error) {
	for _, s := range append(slices.Clone(sources), dest) {
		if s == nil {
			return nil, validateRules(s)
		}
	}
	a := &Assignment{
		Dest: dest.StepName, Pairs: []AssignedPair{}, UnmatchedInputs: []string{}, UnusedOutputs: []Wire{}, Ties: [][]AssignedPair{},
	}
	var all []candidate
	for i, source := range sources {
		for _, match := range m.FindPathMatches(source, dest) {
			all = append(all, candidate{
				AssignedPair: AssignedPair{source.StepName, match, match.MatchType == MatchSemantic},
				source:       i, sameJob: jobType(source.StepName) == jobType(dest.StepName),
			})
		}
	}
	slices.SortStableFunc(all, candidate.compare)
	usedOutputs, fedInputs := map[outputKey]bool{}, map[string]bool{}
	for i, c := range all {
		if usedOutputs[c.output()] || fedInputs[c.DestLogicalName] {
			a.near = append(a.near, c)
			continue
		}
		usedOutputs[c.output()], fedInputs[c.DestLogicalName] = true, true
		a.Pairs = append(a.Pairs, c.AssignedPair)
		tie := []AssignedPair{c.AssignedPair}
		for _, other := range all[i+1:] {
			if other.rank(c) != 0 {
				break // sorted: nothing behind is as good
			}
			if other.output() == c.output() && !fedInputs[other.DestLogicalName] ||
				other.DestLogicalName == c.DestLogicalName && !usedOutputs[other.output()] {
				tie = append(tie, other.AssignedPair)
			}
		}
		if len(tie) > 1 {
			a.Ties = append(a.Ties, tie)
		}
	}
	slices.SortFunc(a.Pairs, func(x, y AssignedPair) int { return strings.Compare(x.DestLogicalName, y.DestLogicalName) })
	for _, e := range sortedPaths(dest, fieldInputs) {
		if !fedInputs[e.key] {
			a.UnmatchedInputs = append(a.UnmatchedInputs, e.key)
		}
	}
	for i, source := range sources {
		for _, e := range sortedPaths(source, fieldOutputs) {
			if !usedOutputs[outputKey{i, e.key}] {
				a.UnusedOutputs = append(a.UnusedOutputs, Wire{Source: source.StepName, Output: e.key})
			}
		}
	}
	return a, nil
}

// candidate is a match that may become a wire.
type candidate struct {
	AssignedPair
	source  int // number of the source
	sameJob bool
}

type outputKey struct {
	source int
	key    string
}

func (c candidate) output() outputKey { return outputKey{c.source, c.SourceLogicalName} }

// rank orders by the strength of a pair: that it binds, then confidence, then the job type.
func (c candidate) rank(o candidate) int {
	return cmp.Or(
		first(!c.Suggested, !o.Suggested),
		cmp.Compare(o.Confidence, c.Confidence),
		first(c.sameJob, o.sameJob),
	)
}

// first puts true before false.
func first(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

func (c candidate) compare(o candidate) int {
	return cmp.Or(
		c.rank(o),
		cmp.Compare(c.source, o.source),
		strings.Compare(c.SourceLogicalName, o.SourceLogicalName),
		strings.Compare(c.DestLogicalName, o.DestLogicalName),
	)
}

func jobType(stepName string) string {
	_, job, _ := strings.Cut(stepName, "_")
	return job
}

// Explain says for each input which output feeds it and why, and what else was near.
func (a *Assignment) Explain() string {
	var b strings.Builder
	fmt.Fprintf(&b, "inputs of %s\n", printable(a.Dest))
	for _, p := range a.Pairs {
		fmt.Fprintf(&b, "  %s <- %s.%s: %s\n", printable(p.DestLogicalName), printable(p.Source), printable(p.SourceLogicalName), p.reason())
		if p.Suggested {
			b.WriteString("    only a suggestion: give one of them the other's name as an alias to bind it\n")
		}
		a.explainNear(&b, p.DestLogicalName)
	}
	for _, name := range a.UnmatchedInputs {
		why := "no output has its name, one of its aliases or a similar name"
		if slices.ContainsFunc(a.near, func(c candidate) bool { return c.DestLogicalName == name }) {
			why = "every output that fits feeds another input"
		}
		fmt.Fprintf(&b, "  %s <- nothing: %s\n", printable(name), why)
		a.explainNear(&b, name)
	}
	for _, tie := range a.Ties {
		explainTie(&b, tie)
	}
	for _, o := range a.UnusedOutputs {
		fmt.Fprintf(&b, "  %s.%s feeds nothing\n", printable(o.Source), printable(o.Output))
	}
	return b.String()
}

// explainTie says which pair was chosen by order alone, and what settles it.
func explainTie(b *strings.Builder, tie []AssignedPair) {
	chosen := tie[0]
	fmt.Fprintf(b, "  tie: %s.%s was chosen for %s by order alone;", printable(chosen.Source),
		printable(chosen.SourceLogicalName), printable(chosen.DestLogicalName))
	for _, o := range tie[1:] {
		fmt.Fprintf(b, " %s.%s for %s is as good;", printable(o.Source), printable(o.SourceLogicalName), printable(o.DestLogicalName))
	}
	if chosen.MatchType == MatchExactLogical {
		b.WriteString(" a logical name of its own for each settles it\n")
	} else {
		b.WriteString(" an equal logical name on both sides settles it\n")
	}
}

func (a *Assignment) explainNear(b *strings.Builder, input string) {
	for _, c := range a.near {
		if c.DestLogicalName == input {
			fmt.Fprintf(b, "    also near: %s.%s: %s\n", printable(c.Source), printable(c.SourceLogicalName), c.reason())
		}
	}
}

// reason says why a pair matches.
func (p AssignedPair) reason() string {
	why := map[MatchType]string{
		MatchExactLogical:   "equal logical names",
		MatchLogicalToAlias: "the input has the alias " + printable(p.MatchedDestName),
		MatchAliasToLogical: "the output has the alias " + printable(p.MatchedSourceName),
		MatchAliasToAlias:   "both have the alias " + printable(p.MatchedSourceName),
		MatchStem:           "one stem, " + printable(p.MatchedSourceName) + " and " + printable(p.MatchedDestName),
		MatchWired:          "a wire says so",
		MatchSemantic:       "similar names, " + printable(p.MatchedSourceName) + " and " + printable(p.MatchedDestName),
	}[p.MatchType]
	return fmt.Sprintf("%s (%.2f)", why, p.Confidence)
}
