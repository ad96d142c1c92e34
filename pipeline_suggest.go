package scriptspec

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// stemConfidence is that of a pair whose names have a stem in common: less than any name that binds.
const stemConfidence = 0.6

// sideWords are the words by which the names of outputs and inputs differ when they mean the same thing.
var sideWords = [...]string{"output", "outputs", "out", "input", "inputs", "in", "artifact", "artifacts"}

// stem returns a logical name without such a word at its beginning or end: model of model_output and of
// input_model; "" if there is none, or nothing else.
func stem(name string) string {
	words := strings.Split(strings.ToLower(name), "_")
	last := len(words) - 1
	switch {
	case last == 0:
		return ""
	case slices.Contains(sideWords[:], words[last]):
		return strings.Join(words[:last], "_")
	case slices.Contains(sideWords[:], words[0]):
		return strings.Join(words[1:], "_")
	}
	return ""
}

// sameStem reports whether an output and an input are the two sides of one thing by their names: model_output and
// model_input, or model and model_input.
func sameStem(output, input string) bool {
	a, b := stem(output), stem(input)
	switch {
	case a == "" && b == "":
		return false
	case a == "":
		a = strings.ToLower(output)
	case b == "":
		b = strings.ToLower(input)
	}
	return a == b
}

// stems suggests pairs of one stem for the edges to a node, of outputs and inputs that are free.
func (pl *planner) stems(n *PlannedNode) []AssignedPair {
	var pairs []AssignedPair
	taken := func(pair AssignedPair) bool {
		return slices.ContainsFunc(slices.Concat(n.Inputs, n.Suggested, pairs), func(p AssignedPair) bool {
			return p.DestLogicalName == pair.DestLogicalName || p.Source == pair.Source && p.SourceLogicalName == pair.SourceLogicalName
		})
	}
	for _, source := range n.After {
		if pl.specs[source] == nil || pl.isSilent(source, n.Node) {
			continue
		}
		for _, out := range sortedPaths(pl.specs[source], fieldOutputs) {
			for _, in := range sortedPaths(pl.specs[n.Node], fieldInputs) {
				pair := AssignedPair{Source: source, Suggested: true, PathMatch: PathMatch{
					SourceLogicalName: out.key, DestLogicalName: in.key, MatchType: MatchStem, Confidence: stemConfidence,
					MatchedSourceName: out.key, MatchedDestName: in.key,
				}}
				if sameStem(out.key, in.key) && !taken(pair) {
					pairs = append(pairs, pair)
				}
			}
		}
	}
	return pairs
}

// isSilent reports whether a wire says that an edge carries nothing.
func (pl *planner) isSilent(source, dest string) bool {
	return slices.ContainsFunc(pl.wires[dest], func(w Wire) bool { return w.Source == source && w.Output == "" && w.Input == "" })
}

// sidesHint says what an edge without a match could carry: the names on both sides, the nearest pairs, the wire
// that would make the nearest one count, and the one that says that none is to.
func (pl *planner) sidesHint(n *PlannedNode, edge [2]string) string {
	outputs := entryKeys(sortedPaths(pl.specs[edge[0]], fieldOutputs))
	inputs := entryKeys(sortedPaths(pl.specs[edge[1]], fieldInputs))
	hint := fmt.Sprintf("outputs are %s and inputs are %s", namesOrNone(outputs), namesOrNone(inputs))
	inputs = slices.DeleteFunc(inputs, func(in string) bool {
		return slices.ContainsFunc(n.Inputs, func(p AssignedPair) bool { return p.DestLogicalName == in })
	})
	type pair struct {
		output, input string
		score         float64
	}
	var pairs []pair
	for _, out := range outputs {
		for _, in := range inputs {
			pairs = append(pairs, pair{out, in, pl.matcher.Similarity(out, in)})
		}
	}
	orderOnly := "if the edge is for the order only, add to wires: " + jsonOf(Wire{Source: edge[0], Dest: edge[1]})
	if len(pairs) == 0 {
		if len(outputs) == 0 {
			return fmt.Sprintf("%s; add what %s writes to the outputs of its spec, or %s", hint, printable(edge[0]), orderOnly)
		}
		if len(pl.specs[edge[1]].InputPathSpecs) == 0 {
			return fmt.Sprintf("%s; add what %s reads to the inputs of its spec, or %s", hint, printable(edge[1]), orderOnly)
		}
		if len(outputs) > 0 && len(pl.specs[edge[1]].InputPathSpecs) > 0 {
			hint += ", and other nodes feed all of these inputs"
		}
		return hint + "; " + orderOnly
	}
	slices.SortStableFunc(pairs, func(a, b pair) int {
		if a.score > b.score {
			return -1
		}
		return map[bool]int{true: 1}[a.score < b.score]
	})
	const most = 3
	var near []string
	for _, p := range pairs[:min(len(pairs), most)] {
		near = append(near, fmt.Sprintf("%s -> %s (%.2f)", p.output, p.input, p.score))
	}
	return "give both one logical name, or one of them the other's as an alias; " + hint + "; nearest: " + strings.Join(near, ", ") + "; if that is meant, add to wires: " +
		jsonOf(Wire{edge[0], pairs[0].output, edge[1], pairs[0].input}) + "; " + orderOnly
}

// jsonOf returns a wire as a pipeline file has it.
func jsonOf(w Wire) string {
	text, _ := json.Marshal(w) // strings can be marshalled
	return string(text)
}

func namesOrNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return listed(names)
}

// suggestions returns the wires that would make all suggested pairs count.
func suggestions(nodes []PlannedNode) []Wire {
	wires := []Wire{}
	for _, n := range nodes {
		for _, pair := range n.Suggested {
			wires = append(wires, pair.wire(n.Node))
		}
	}
	return wires
}
