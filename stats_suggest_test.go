package scriptspec_test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// plant is a store with a history in which one thing is wrong.
type plant struct {
	specs   map[string]*scriptspec.ScriptExecutionSpec // Prep_training, Train and Score, in pipeline churn
	records []scriptspec.Record                        // 30 runs of the pipeline, one a day
}

// of calls change with each record of a step, and its number.
func (p *plant) of(step string, change func(i int, r *scriptspec.Record)) {
	n := 0
	for i := range p.records {
		if p.records[i].StepName == step {
			change(n, &p.records[i])
			n++
		}
	}
}

// suggestions returns what is suggested for a store in which something was changed.
func suggestions(t *testing.T, o *scriptspec.StatsOptions, change func(p *plant)) []scriptspec.Suggestion {
	t.Helper()
	dir := t.TempDir()
	st := openStore(t, dir, nil)
	steps := []string{"Prep_training", "Train", "Score"}
	p := &plant{specs: saveSteps(t, st, steps...)}
	p.specs["Train"].InputPaths = map[string]string{"data": "/in/Train"}
	for n, step := range steps {
		for i, r := range healthy(step, 30) {
			r.Pipeline, r.Run = "churn", fmt.Sprintf("R%d", i)
			r.At.Time = r.At.Add(time.Duration(n) * 1600 * time.Millisecond) // one after the other
			p.records = append(p.records, r)
		}
	}
	if change != nil {
		change(p)
	}
	for _, s := range p.specs {
		require.NoError(t, st.SaveStep(s))
	}
	refs := map[string]string{}
	specs := map[string]scriptspec.Spec{}
	for _, step := range steps {
		refs[step], specs[step] = scriptspec.ToSnakeCase(step), p.specs[step]
	}
	pipeline := &scriptspec.PipelineTestingSpec{
		Name: "churn", DAG: &scriptspec.DAG{Nodes: steps, Edges: [][2]string{{"Prep_training", "Train"}, {"Train", "Score"}}}, Specs: specs,
		Wires: []scriptspec.Wire{{Source: "Prep_training", Output: "data", Dest: "Train", Input: "data"}, {Source: "Train", Output: "data", Dest: "Score", Input: "data"}},
	}
	require.NoError(t, st.SavePipeline(pipeline))
	writeHistory(t, dir, p.records)
	s := statsOf(t, st, o)
	assert.Equal(t, s, statsOf(t, st, o), "equal histories have equal statistics")
	return s.Suggestions
}

// Each rule is the only one that speaks if its cause is the only one.
func TestSuggestions(t *testing.T) {
	t.Parallel()
	type want struct {
		id      string
		steps   []string
		saves   bool
		command string
	}
	for name, c := range map[string]struct {
		change func(p *plant)
		want   want
	}{
		"U1 imports": {func(p *plant) {
			p.of("Train", func(_ int, r *scriptspec.Record) { r.ImportTime = r.Duration / 2 })
		}, want{"U1", []string{"Train"}, true, "scriptspec run Train --warm --preload MODULES"}},
		"U2 a timeout that is far away": {func(p *plant) { p.specs["Train"].Timeout = 600 }, want{"U2", []string{"Train"}, false, ""}},
		"U2 a far timeout that was reached": {func(p *plant) {
			p.specs["Train"].Timeout = 600
			p.of("Train", func(i int, r *scriptspec.Record) {
				if i == 7 {
					r.Outcome, r.Duration = scriptspec.OutcomeTimeout, 600*time.Second
				}
			})
		}, want{"U2", []string{"Train"}, true, ""}},
		"U2 a timeout that is near": {func(p *plant) { p.specs["Train"].Timeout = 2 }, want{"U2", []string{"Train"}, false, ""}},
		"U3 memory without a bound": {func(p *plant) {
			p.of("Train", func(_ int, r *scriptspec.Record) { r.PeakMemory = 3 << 30 })
		}, want{"U3", []string{"Train"}, false, ""}},
		"U3 memory near its bound": {func(p *plant) { p.specs["Train"].MaxMemory = 70 << 20 }, want{"U3", []string{"Train"}, false, ""}},
		"U4 a spec that nobody runs": {func(p *plant) {
			s := p.specs["Train"].Clone()
			s.StepName, s.ScriptName = "Forgotten", "forgotten"
			p.specs["Forgotten"] = s
		}, want{"U4", []string{"Forgotten"}, false, "scriptspec run Forgotten"}},
		"U5 values that specs share": {func(p *plant) {
			for _, s := range p.specs {
				s.AddEnvironVar("KEY", sentinel)
				s.AddJobArg("rows", 100)
				s.AddJobArg("api_token", sentinel)
				s.AddJobArg("own", s.StepName)
			}
		}, want{"U5", []string{"Prep_training", "Score", "Train"}, false, ""}},
		"U6 an output that nobody reads": {func(p *plant) {
			p.specs["Train"].AddOutputPath("debug", "/out/debug")
			p.of("Train", func(i int, r *scriptspec.Record) {
				r.Outputs["debug"] = scriptspec.RecordedOutput{Files: 1, Bytes: 200 << 20, Digest: strconv.Itoa(i)}
			})
		}, want{"U6", []string{"Train"}, false, ""}},
		"U7 nodes that wait": {func(p *plant) {
			p.of("Score", func(_ int, r *scriptspec.Record) { r.At.Time = r.At.Add(10 * time.Second) })
		}, want{"U7", []string{"churn"}, true, "scriptspec run --pipeline churn -j 2"}},
		"U8 shards out of balance": {func(p *plant) {
			for i := range p.records {
				r := &p.records[i]
				r.Pipeline = ""
				r.Shard = map[string]string{"Prep_training": "1/2", "Train": "2/2", "Score": "2/2"}[r.StepName]
				r.Run += r.Shard
			}
		}, want{"U8", []string{"Prep_training", "Score", "Train"}, true, ""}},
		"U9 a script that is flaky": {func(p *plant) {
			p.of("Train", func(i int, r *scriptspec.Record) {
				if i%10 == 3 {
					r.Outcome = scriptspec.OutcomeSignal
				}
			})
		}, want{"U9", []string{"Train"}, true, "scriptspec history Train"}},
		"U10 an output that is always the same": {func(p *plant) {
			p.of("Train", func(_ int, r *scriptspec.Record) {
				r.Outputs["data"] = scriptspec.RecordedOutput{Files: 1, Bytes: 2048, Digest: "00112233445566dd"}
			})
		}, want{"U10", []string{"Train"}, false, ""}},
		"U11 a slow step without a budget": {func(p *plant) {
			p.specs["Train"].Timeout = 60
			p.of("Train", func(_ int, r *scriptspec.Record) { r.Duration *= 10; r.At.Time = r.At.Add(14 * time.Second) })
			p.of("Score", func(_ int, r *scriptspec.Record) { r.At.Time = r.At.Add(14 * time.Second) })
		}, want{"U11", []string{"Train"}, false, ""}},
		"U12 inputs of many sizes": {func(p *plant) {
			p.specs["Train"].Timeout = 30
			p.of("Train", func(i int, r *scriptspec.Record) {
				n := i%20 + 1
				r.InputBytes, r.Duration = int64(n)<<20, time.Duration(n)*300*time.Millisecond
				r.InputDigest = fmt.Sprintf("%016x", n%3)
				r.Pipeline = ""
			})
		}, want{"U12", []string{"Train"}, true, ""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := suggestions(t, nil, c.change)
			text, err := json.MarshalIndent(found, "", "  ")
			require.NoError(t, err)
			require.Len(t, found, 1, "%s", text)
			s := found[0]
			assert.Equal(t, c.want, want{s.ID, s.Steps, s.Saving > 0, s.Command})
			assert.NotEmpty(t, s.Message)
			assert.Regexp(t, `[0-9]`, s.Evidence, "how often it was seen")
			assert.NotContains(t, string(text), sentinel)
		})
	}
}

// There is nothing to say of a healthy history, nor of one with fewer than six runs, whatever is wrong with it.
func TestNoSuggestions(t *testing.T) {
	t.Parallel()
	assert.Empty(t, suggestions(t, nil, nil))
	few := suggestions(t, nil, func(p *plant) {
		p.specs["Train"].Timeout = 6000
		p.specs["Score"].Timeout = 1
		p.specs["Forgotten"] = p.specs["Train"].Clone()
		p.specs["Forgotten"].StepName, p.specs["Forgotten"].ScriptName = "Forgotten", "forgotten"
		var left []scriptspec.Record
		n := map[string]int{}
		for _, r := range p.records {
			if n[r.StepName]++; n[r.StepName] > 5 {
				continue
			}
			r.ImportTime, r.PeakMemory, r.InputBytes = r.Duration, 30<<30, int64(n[r.StepName])<<30
			if n[r.StepName]%2 == 0 {
				r.Outcome = scriptspec.OutcomeSignal
			}
			left = append(left, r)
		}
		p.records = left
	})
	assert.Empty(t, few)
	once := suggestions(t, nil, func(p *plant) {
		p.of("Train", func(i int, r *scriptspec.Record) {
			if i == 12 {
				r.Outcome = scriptspec.OutcomeSignal
			}
		})
	})
	assert.Empty(t, once, "one failure may be anything")
	warm := suggestions(t, nil, func(p *plant) {
		p.of("Train", func(_ int, r *scriptspec.Record) { r.ImportTime, r.Warm = r.Duration/2, true })
	})
	assert.Empty(t, warm, "the interpreter is warm")
	labelled := suggestions(t, nil, func(p *plant) {
		p.specs["Train"].Labels = map[string]string{"snapshot": "testdata/train.csv"}
		p.of("Train", func(_ int, r *scriptspec.Record) {
			r.Outputs["data"] = scriptspec.RecordedOutput{Files: 1, Bytes: 2048, Digest: "00112233445566dd"}
		})
	})
	assert.Empty(t, labelled, "someone compares it")
}

// What saves the most comes first, and of more than ten the rest is counted.
func TestSuggestionsAreSorted(t *testing.T) {
	t.Parallel()
	many := func(p *plant) {
		base := p.specs["Train"]
		for n := range 14 {
			step := fmt.Sprintf("Flaky%c", 'A'+n)
			s := base.Clone()
			s.StepName, s.ScriptName = step, scriptspec.ToSnakeCase(step)
			p.specs[step] = s
			for i, r := range healthy(step, 30) {
				if i%10 < 2 {
					r.Outcome, r.Duration = scriptspec.OutcomeSignal, time.Duration(n+1)*time.Second
				}
				p.records = append(p.records, r)
			}
		}
	}
	found := suggestions(t, nil, many)
	require.Len(t, found, 10)
	for i, s := range found {
		assert.Equal(t, fmt.Sprintf("Flaky%c", 'A'+13-i), s.Steps[0])
	}
	assert.Len(t, suggestions(t, &scriptspec.StatsOptions{All: true}, many), 14)
}

// Each rule has its place in the documentation, and nothing else has.
func TestSuggestionsAreDescribed(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("docs/suggestions.md")
	require.NoError(t, err)
	var headings, want []string
	for _, found := range regexp.MustCompile(`(?m)^### (\S+)$`).FindAllStringSubmatch(string(text), -1) {
		headings = append(headings, found[1])
	}
	seen := map[string]bool{}
	for _, name := range []string{"stats_suggest.go", "stats_suggest_store.go"} {
		source, err := os.ReadFile(name)
		require.NoError(t, err)
		for _, found := range regexp.MustCompile(`"(U[0-9]+)"`).FindAllStringSubmatch(string(source), -1) {
			if !seen[found[1]] {
				seen[found[1]] = true
				want = append(want, found[1])
			}
		}
	}
	assert.Len(t, want, 12)
	assert.ElementsMatch(t, want, headings)
}

// A script that was run again and again in few runs is not flaky yet: what counts is how many runs there were.
func TestFlakySuggestionsCountRuns(t *testing.T) {
	t.Parallel()
	attempts := func(runs, failed, each int) []scriptspec.Suggestion {
		return suggestions(t, nil, func(p *plant) {
			for i := range runs {
				for n := range each + 1 {
					r := aRecord("Train", 24*60*(40+i)+n)
					r.Run, r.Attempt = fmt.Sprintf("again %d", i), n+1
					if i < failed && n < each {
						r.Outcome = scriptspec.OutcomeSignal
					} else if n > 0 && i >= failed {
						continue
					}
					p.records = append(p.records, r)
				}
			}
			p.of("Train", func(_ int, r *scriptspec.Record) {
				if r.Pipeline != "" {
					r.SpecDigest = "another"
				}
				r.Pipeline = ""
			})
		})
	}
	assert.Empty(t, attempts(5, 5, 3), "five runs")
	assert.Empty(t, attempts(8, 1, 6), "one of the runs")
	found := attempts(8, 2, 3)
	require.Len(t, found, 1)
	assert.Equal(t, "U9", found[0].ID)
	assert.Contains(t, found[0].Evidence, "6 signal of 14 attempts in 8 runs")
}
