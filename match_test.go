package scriptspec_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

type matchCase struct {
	ID            int
	Description   string
	Threshold     float64
	SourceOutputs []matchName `json:"source_outputs"`
	DestInputs    []matchName `json:"dest_inputs"`
	Matches       []matchLine
	Report        struct {
		TotalMatches    int            `json:"total_matches"`
		High            int            `json:"high_confidence_matches"`
		Average         float64        `json:"average_confidence"`
		ByType          map[string]int `json:"matches_by_type"`
		BestMatches     []matchBest    `json:"best_matches"`
		Recommendations []string
	}
}

type matchName struct {
	Key         string
	LogicalName string `json:"logical_name"`
	Aliases     []string
}

type matchLine struct {
	Source, Dest, Type string
	Confidence         float64
	MatchedSource      string `json:"matched_source"`
	MatchedDest        string `json:"matched_dest"`
}

type matchBest struct {
	Source, Destination, Type string
	Confidence                float64
}

func pathSpecs(names []matchName) map[string]scriptspec.PathSpec {
	specs := map[string]scriptspec.PathSpec{}
	for _, n := range names {
		specs[n.Key] = scriptspec.PathSpec{LogicalName: n.LogicalName, Path: "/" + n.Key, Aliases: n.Aliases}
	}
	return specs
}

// What the original matcher found, in its order, but for ties, which are sorted here.
func TestMatchesOfTheOriginal(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/match/match_cases.json")
	require.NoError(t, err)
	var file struct{ Cases []matchCase }
	require.NoError(t, json.Unmarshal(data, &file))
	require.NotEmpty(t, file.Cases)
	for _, c := range file.Cases {
		t.Run(fmt.Sprintf("%d %s", c.ID, c.Description), func(t *testing.T) {
			t.Parallel()
			m := &scriptspec.PathMatcher{SemanticThreshold: c.Threshold}
			if c.Threshold == 0 {
				m.SemanticThreshold = -1 // 0 stands for the default
			}
			source := &scriptspec.EnhancedScriptExecutionSpec{OutputPathSpecs: pathSpecs(c.SourceOutputs)}
			dest := &scriptspec.EnhancedScriptExecutionSpec{InputPathSpecs: pathSpecs(c.DestInputs)}
			matches := m.FindPathMatches(source, dest)
			slices.SortStableFunc(c.Matches, func(a, b matchLine) int {
				return cmp.Or(cmp.Compare(b.Confidence, a.Confidence), strings.Compare(a.Source, b.Source), strings.Compare(a.Dest, b.Dest))
			})
			require.Len(t, matches, len(c.Matches))
			for i, want := range c.Matches {
				got := matches[i]
				assert.InDelta(t, want.Confidence, got.Confidence, 1e-9)
				assert.Equal(t, []string{want.Source, want.Dest, want.Type, want.MatchedSource, want.MatchedDest},
					[]string{got.SourceLogicalName, got.DestLogicalName, string(got.MatchType), got.MatchedSourceName, got.MatchedDestName})
			}
			report := scriptspec.NewMatchReport(matches)
			assert.Equal(t, c.Report.TotalMatches, report.TotalMatches)
			assert.Equal(t, c.Report.High, report.HighConfidenceMatches)
			assert.InDelta(t, c.Report.Average, report.AverageConfidence, 1e-9)
			byType := map[string]int{}
			for kind, n := range report.MatchesByType {
				byType[string(kind)] = n
			}
			assert.Equal(t, orEmpty(c.Report.ByType), byType)
			assert.Equal(t, orNone(c.Report.Recommendations), report.Recommendations)
			assert.Len(t, report.BestMatches, len(c.Report.BestMatches))
		})
	}
}

func orNone(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func TestMatchReport(t *testing.T) {
	t.Parallel()
	matches := func(confidences ...float64) []scriptspec.PathMatch {
		var list []scriptspec.PathMatch
		for _, c := range confidences {
			list = append(list, scriptspec.PathMatch{MatchType: scriptspec.MatchAliasToAlias, Confidence: c})
		}
		return list
	}
	r := scriptspec.NewMatchReport(matches(1, 1, 0.9, 0.8, 0.79, 0.5, 0.1))
	assert.Len(t, r.BestMatches, 5)
	assert.Equal(t, 4, r.HighConfidenceMatches)
	assert.InDelta(t, 0.727, r.AverageConfidence, 1e-12)
	assert.Empty(t, r.Recommendations)
	assert.Equal(t, []string{"Consider adding aliases to improve matching", "No high-confidence matches found - review logical names"},
		scriptspec.NewMatchReport(matches(0.59)).Recommendations)
	assert.Equal(t, []string{"No high-confidence matches found - review logical names"}, scriptspec.NewMatchReport(matches(0.6)).Recommendations)
	empty, err := json.Marshal(scriptspec.NewMatchReport(nil))
	require.NoError(t, err)
	assert.NotContains(t, string(empty), "null")
}

func TestSimilarity(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/match/semantic_cases.json")
	require.NoError(t, err)
	var file struct {
		Cases []struct {
			A, B       string
			Similarity float64
		}
	}
	require.NoError(t, json.Unmarshal(data, &file))
	require.NotEmpty(t, file.Cases)
	m := &scriptspec.PathMatcher{}
	for _, c := range file.Cases {
		assert.InDelta(t, c.Similarity, m.Similarity(c.A, c.B), 1e-9, "%s %s", c.A, c.B)
		// What is left out for speed is never a match.
		found := len(m.FindPathMatches(step("S", nil, []string{c.A}), step("D", []string{c.B}, nil))) > 0
		assert.Equal(t, c.A == c.B || m.Similarity(c.A, c.B) >= 0.7, found, "%s %s", c.A, c.B)
	}
	for _, pair := range [][2]string{{"", ""}, {"the", "a"}, {"!!", "日本"}, {strings.Repeat("x", 1<<20), "x"}} {
		assert.Zero(t, m.Similarity(pair[0], pair[1]))
	}
	assert.Empty(t, m.FindPathMatches(nil, step("D", []string{"a"}, nil)))
	assert.Empty(t, m.FindPathMatches(step("S", nil, []string{"a"}), nil))
}

// step is an enhanced spec with inputs and outputs, each "name" or "name:alias,alias".
func step(name string, inputs, outputs []string) *scriptspec.EnhancedScriptExecutionSpec {
	s := &scriptspec.EnhancedScriptExecutionSpec{ScriptName: "s", StepName: name, ScriptPath: "s.py"}
	for _, text := range inputs {
		s.AddInputPathSpec(parsePathSpec(text, "/in/"))
	}
	for _, text := range outputs {
		s.AddOutputPathSpec(parsePathSpec(text, "/out/"+name+"/"))
	}
	return s
}

func parsePathSpec(text, dir string) scriptspec.PathSpec {
	name, aliases, ok := strings.Cut(text, ":")
	p := scriptspec.PathSpec{LogicalName: name, Path: dir + name}
	if ok {
		p.Aliases = strings.Split(aliases, ",")
	}
	return p
}

func TestAssignIsOneToOne(t *testing.T) {
	t.Parallel()
	source := step("Prep_training", nil, []string{"data_output:dataset", "metrics:stats", "model-artifact"})
	dest := step("Train_training", []string{"data_input:dataset", "extra:dataset", "stats", "model_artifact", "unrelated"}, nil)
	a, err := (&scriptspec.PathMatcher{}).Assign(source, dest)
	require.NoError(t, err)
	var got []string
	for _, p := range a.Pairs {
		got = append(got, fmt.Sprintf("%s<-%s %s %v", p.DestLogicalName, p.SourceLogicalName, p.MatchType, p.Suggested))
	}
	assert.Equal(t, []string{
		"data_input<-data_output alias_to_alias false",
		"model_artifact<-model-artifact semantic true",
		"stats<-metrics alias_to_logical false",
	}, got)
	assert.Equal(t, []string{"extra", "unrelated"}, a.UnmatchedInputs)
	assert.Empty(t, a.UnusedOutputs)
	require.Len(t, a.Ties, 1, "data_output could as well have fed extra")
	assert.Equal(t, "extra", a.Ties[0][1].DestLogicalName)
	assert.Contains(t, a.Explain(), "data_output for extra is as good; an equal logical name on both sides settles it")

	_, err = (&scriptspec.PathMatcher{}).Assign(nil, dest)
	require.Error(t, err)
	_, err = (&scriptspec.PathMatcher{}).Assign(source, nil)
	require.Error(t, err)
}

// A name or alias that is equal binds; similarity alone, however great, comes behind.
func TestAssignPrefersWhatBinds(t *testing.T) {
	t.Parallel()
	a, err := (&scriptspec.PathMatcher{}).Assign(
		step("S", nil, []string{"Model-Artifact", "weights:m"}), step("D", []string{"model_artifact:m"}, nil))
	require.NoError(t, err)
	require.Len(t, a.Pairs, 1)
	assert.Equal(t, "weights", a.Pairs[0].SourceLogicalName)
	assert.Contains(t, a.Explain(), "also near: S.Model-Artifact: similar names, Model-Artifact and model_artifact (1.00)")
}

// Of several producers that fit, the one with the consumer's job type is meant.
func TestAssignAllPrefersTheJobType(t *testing.T) {
	t.Parallel()
	calibration, training := step("Prep_calibration", nil, []string{"data"}), step("Prep_training", nil, []string{"data"})
	other := step("Load", nil, []string{"data"})
	dest := step("Train_training", []string{"data"}, nil)
	a, err := (&scriptspec.PathMatcher{}).AssignAll([]*scriptspec.EnhancedScriptExecutionSpec{calibration, other, training}, dest)
	require.NoError(t, err)
	require.Len(t, a.Pairs, 1)
	assert.Equal(t, "Prep_training", a.Pairs[0].Source)
	assert.Empty(t, a.Ties, "the job type settles it")
	assert.Equal(t, []scriptspec.Wire{{Source: "Prep_calibration", Output: "data"}, {Source: "Load", Output: "data"}}, a.UnusedOutputs)

	a, err = (&scriptspec.PathMatcher{}).AssignAll([]*scriptspec.EnhancedScriptExecutionSpec{calibration, other}, dest)
	require.NoError(t, err)
	assert.Equal(t, "Prep_calibration", a.Pairs[0].Source)
	require.Len(t, a.Ties, 1)
	assert.Equal(t, "Load", a.Ties[0][1].Source)
	assert.Contains(t, a.Explain(), "is as good; a logical name of its own for each settles it", "the names are equal already")
}

func TestExplain(t *testing.T) {
	t.Parallel()
	source := step("Prep", nil, []string{"data_output:dataset", "metrics:stats,dataset", "log"})
	dest := step("Train", []string{"data_input:dataset", "model_config", "stats"}, nil)
	var want string
	for i := range 25 {
		a, err := (&scriptspec.PathMatcher{}).Assign(source, dest)
		require.NoError(t, err)
		if i == 0 {
			want = a.Explain()
		}
		require.Equal(t, want, a.Explain())
	}
	assert.Equal(t, strings.Join([]string{
		"inputs of Train",
		"  data_input <- Prep.data_output: both have the alias dataset (0.90)",
		"    also near: Prep.metrics: both have the alias dataset (0.90)",
		"  stats <- Prep.metrics: the output has the alias stats (0.95)",
		"  model_config <- nothing: no output has its name, one of its aliases or a similar name",
		"  Prep.log feeds nothing",
		"",
	}, "\n"), want)
}

func TestDefaultAliases(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][]string{
		"data_input":    {"input", "dataset", "training_data", "raw_dataset"},
		"config":        {"configuration", "params", "hyperparameters", "settings"},
		"training_data": {"dataset"},
		"model_config":  {"artifact", "trained_model", "config", "params", "hyperparameters", "settings"},
		"METADATA":      nil,
		"":              nil,
	} {
		assert.Equal(t, want, scriptspec.DefaultAliases(name), name)
	}
	scriptspec.DefaultAliases("config")[0] = "changed"
	assert.Equal(t, "configuration", scriptspec.DefaultAliases("config")[0])

	// The note's two steps are wired by their aliases.
	prep := scriptspec.Enhance(noted(), scriptspec.DefaultAliases)
	train := step("Train", nil, nil)
	train.AddInputPathSpec(scriptspec.PathSpec{LogicalName: "data_input", Path: "/x", Aliases: scriptspec.DefaultAliases("data_input")})
	a, err := (&scriptspec.PathMatcher{}).Assign(prep, train)
	require.NoError(t, err)
	require.Len(t, a.Pairs, 1)
	assert.Equal(t, "data_output", a.Pairs[0].SourceLogicalName)
	assert.False(t, a.Pairs[0].Suggested)
}
