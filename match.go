package scriptspec

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	"github.com/scriptspec/scriptspec/internal/similarity"
)

// semanticThreshold is the similarity from which two names match by meaning.
const semanticThreshold = 0.7

// PathMatcher matches the outputs of one step to the inputs of another, by names. The zero value is
// ready, and may be used by several goroutines.
type PathMatcher struct {
	// SemanticThreshold is the similarity that two names need to match by it; 0 means
	// semanticThreshold, less than 0 that every two names match.
	SemanticThreshold float64
}

// MatchType is why an output and an input match. The set is closed.
type MatchType string

// The types of matches, the strongest first. The first that holds for a pair is its type. The
// matcher does not know of wires.
const (
	MatchExactLogical   MatchType = "exact_logical"    // equal logical names: 1.0
	MatchLogicalToAlias MatchType = "logical_to_alias" // the output's logical name is an alias of the input: 0.95
	MatchAliasToLogical MatchType = "alias_to_logical" // an alias of the output is the input's logical name: 0.95
	MatchAliasToAlias   MatchType = "alias_to_alias"   // they have an alias in common: 0.9
	MatchSemantic       MatchType = "semantic"         // similar logical names: the similarity
	MatchStem           MatchType = "stem"             // model_output and model_input, in a plan only: 0.6
	MatchWired          MatchType = "wired"            // a wire of the pipeline says so: 1.0
)

// PathMatch says that an output fits an input.
type PathMatch struct {
	// SourceLogicalName and DestLogicalName are the keys of the output and of the input in their
	// specs.
	SourceLogicalName string `json:"source_logical_name"`
	DestLogicalName   string `json:"dest_logical_name"`
	// MatchType is why.
	MatchType MatchType `json:"match_type"`
	// Confidence is from 0 to 1.
	Confidence float64 `json:"confidence"`
	// MatchedSourceName and MatchedDestName are the logical names or aliases that were compared.
	MatchedSourceName string `json:"matched_source_name"`
	MatchedDestName   string `json:"matched_dest_name"`
}

// FindPathMatches returns every pair of an output of source and an input of dest that match, the most
// confident first and then by their keys. It is not a wiring: an output and an input may be in several
// pairs; see Assign. Nil specs have no matches.
func (m *PathMatcher) FindPathMatches(source, dest *EnhancedScriptExecutionSpec) []PathMatch {
	if source == nil || dest == nil {
		return nil
	}
	outputs, inputs := prepare(source.OutputPathSpecs), prepare(dest.InputPathSpecs)
	threshold := m.threshold()
	var comparer similarity.Comparer
	var matches []PathMatch
	for i := range outputs {
		for j := range inputs {
			if match, ok := matchPair(&outputs[i], &inputs[j], threshold, &comparer); ok {
				matches = append(matches, match)
			}
		}
	}
	slices.SortStableFunc(matches, func(a, b PathMatch) int { return cmp.Compare(b.Confidence, a.Confidence) })
	return matches
}

// Similarity returns how alike two names are, from 0 to 1: a weighted sum of the ratio of their
// texts, their common words, their synonyms, and how much of one is in the other. It is not
// symmetric.
func (m *PathMatcher) Similarity(a, b string) float64 { return similarity.Compare(a, b) }

func (m *PathMatcher) threshold() float64 {
	if m == nil || m.SemanticThreshold == 0 {
		return semanticThreshold
	}
	return m.SemanticThreshold
}

// prepared is an output or input with its logical name made ready for comparison.
type prepared struct {
	key  string
	spec PathSpec
	name *similarity.Name
}

// prepare lists path specs by key.
func prepare(specs map[string]PathSpec) []prepared {
	list := make([]prepared, 0, len(specs))
	for _, key := range slices.Sorted(maps.Keys(specs)) {
		list = append(list, prepared{key, specs[key], similarity.NewName(specs[key].LogicalName)})
	}
	return list
}

// matchPair finds the strongest way in which an output matches an input.
func matchPair(out, in *prepared, threshold float64, comparer *similarity.Comparer) (PathMatch, bool) {
	found := func(t MatchType, confidence float64, sourceName, destName string) (PathMatch, bool) {
		return PathMatch{out.key, in.key, t, confidence, sourceName, destName}, true
	}
	source, dest := out.spec.LogicalName, in.spec.LogicalName
	switch {
	case source == dest:
		return found(MatchExactLogical, 1, source, dest)
	case slices.Contains(in.spec.Aliases, source):
		return found(MatchLogicalToAlias, 0.95, source, source)
	case slices.Contains(out.spec.Aliases, dest):
		return found(MatchAliasToLogical, 0.95, dest, dest)
	}
	for _, alias := range out.spec.Aliases {
		if slices.Contains(in.spec.Aliases, alias) {
			return found(MatchAliasToAlias, 0.9, alias, alias)
		}
	}
	if s, ok := comparer.AtLeast(out.name, in.name, threshold); ok {
		return found(MatchSemantic, s, source, dest)
	}
	return PathMatch{}, false
}

// MatchReport sums up a list of matches.
type MatchReport struct {
	TotalMatches int `json:"total_matches"`
	// HighConfidenceMatches counts those of 0.8 and more.
	HighConfidenceMatches int `json:"high_confidence_matches"`
	// AverageConfidence is rounded to 3 places.
	AverageConfidence float64           `json:"average_confidence"`
	MatchesByType     map[MatchType]int `json:"matches_by_type"`
	// BestMatches are the first five.
	BestMatches []PathMatch `json:"best_matches"`
	// Recommendations are what a person could do to get better matches.
	Recommendations []string `json:"recommendations"`
}

// NewMatchReport sums up matches as FindPathMatches returns them.
func NewMatchReport(matches []PathMatch) MatchReport {
	r := MatchReport{
		TotalMatches:    len(matches),
		MatchesByType:   map[MatchType]int{},
		BestMatches:     append([]PathMatch{}, matches[:min(len(matches), 5)]...),
		Recommendations: []string{},
	}
	if len(matches) == 0 {
		r.Recommendations = append(r.Recommendations, "Check logical names and aliases for compatibility")
		return r
	}
	sum := 0.0
	for _, match := range matches {
		sum += match.Confidence
		r.MatchesByType[match.MatchType]++
		if match.Confidence >= 0.8 {
			r.HighConfidenceMatches++
		}
	}
	average := sum / float64(len(matches))
	// Through the decimal form, as Python's round does it.
	r.AverageConfidence, _ = strconv.ParseFloat(strconv.FormatFloat(average, 'f', 3, 64), 64)
	if average < 0.6 {
		r.Recommendations = append(r.Recommendations, "Consider adding aliases to improve matching")
	}
	if r.HighConfidenceMatches == 0 {
		r.Recommendations = append(r.Recommendations, "No high-confidence matches found - review logical names")
	}
	if r.MatchesByType[MatchSemantic] > 0 {
		r.Recommendations = append(r.Recommendations, "Semantic matches found - consider standardizing naming conventions")
	}
	return r
}
