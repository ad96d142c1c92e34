package scriptspec_test

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// shelf is a store of a few steps that depend on each other.
func shelf(t *testing.T) *scriptspec.Store {
	t.Helper()
	st := openStore(t, t.TempDir(), nil)
	for _, s := range []*scriptspec.ScriptExecutionSpec{
		stepOf("Load"), stepOf("Prep_training", "Load"), stepOf("Prep_validation", "Load"), stepOf("Train", "Prep_training"), stepOf("Eval", "Train", "Prep_validation"),
	} {
		base, _, _ := strings.Cut(s.StepName, "_")
		s.ScriptName, s.ScriptPath = strings.ToLower(base), "scripts/"+strings.ToLower(base)+".py"
		switch base {
		case "Prep":
			s.Tags = []string{"nightly"}
		case "Train":
			s.Tags, s.Labels = []string{"gpu", "nightly"}, map[string]string{"owner": "churn"}
		case "Eval":
			s.Labels = map[string]string{"owner": "fraud"}
		}
		require.NoError(t, st.SaveStep(s))
	}
	return st
}

func selected(t *testing.T, st *scriptspec.Store, words ...string) ([]string, error) {
	t.Helper()
	sel, err := scriptspec.ParseSelector(words...)
	require.NoError(t, err)
	assert.Equal(t, strings.Join(words, " "), sel.String())
	var names []string
	var first error
	for s, err := range st.Select(t.Context(), sel) {
		if err != nil {
			first = err
			continue
		}
		names = append(names, s.Basic().StepName)
	}
	return names, first
}

func TestSelect(t *testing.T) {
	t.Parallel()
	st := shelf(t)
	for words, want := range map[string]string{
		"":                         "Eval Load Prep_training Prep_validation Train",
		"train":                    "Train",
		"Prep_*":                   "Prep_training Prep_validation",
		"prep.training":            "Prep_training",
		"tag:nightly":              "Prep_training Prep_validation Train",
		"tag:g*":                   "Train",
		"label:owner":              "Eval Train",
		"label:owner=fraud":        "Eval",
		"step:*_validation":        "Prep_validation",
		"path:scripts/[el]*.py":    "Eval Load",
		"tag:nightly,label:owner":  "Train",
		"load tag:gpu":             "Load Train",
		"+Train":                   "Load Prep_training Train",
		"Prep_validation+":         "Eval Prep_validation",
		"+Prep_training+":          "Eval Load Prep_training Train",
		"+tag:nightly,label:owner": "Load Prep_training Train",
	} {
		got, err := selected(t, st, strings.Fields(words)...)
		require.NoError(t, err, words)
		assert.Equal(t, want, strings.Join(got, " "), words)
	}
	for words, want := range map[string]string{
		"tag:nighly":       "select: no spec has the tag nighly (did you mean nightly?)",
		"tag:x":            "select: no spec has the tag x (there are gpu and nightly)",
		"label:owner=frud": "select: no spec has the label owner=frud (did you mean fraud?)",
		"label:ownr=x":     "select: no spec has the label ownr=x (did you mean owner?)",
		"Trian":            `select: no spec matches "Trian" (did you mean Train?)`,
		"tag:gpu,Load":     `select: no spec matches "tag:gpu,Load"`,
		"tag:gpu,Laod":     `select: no spec matches "tag:gpu,Laod" (did you mean Load?)`,
		"Load,tag:gpuu":    "select: no spec has the tag gpuu (did you mean gpu?)",
		"Load tag:nighly":  "select: no spec has the tag nighly (did you mean nightly?)",
	} {
		_, err := selected(t, st, strings.Fields(words)...)
		assert.EqualError(t, err, want, words)
	}
	for word, want := range map[string]string{
		"tags:x":   "cannot select by tags: \"tags:x\" (did you mean tag?)",
		"a,":       "empty condition",
		"":         "empty condition",
		"+":        "empty condition",
		"tag:":     "empty condition",
		"tag:[a-":  "invalid glob",
		"status:x": "cannot select by status",
	} {
		sel, err := scriptspec.ParseSelector(word, "fine")
		assert.ErrorContains(t, err, want, word)
		assert.Nil(t, sel)
		assert.Empty(t, sel.String())
	}

	// What is left out is so whatever else is said of it.
	for words, want := range map[[2]string]string{
		{"", "tag:nightly"}: "Eval Load", {"tag:nightly", "step:*_validation Train"}: "Prep_training", {"train", "train"}: "", {"train", ""}: "Train",
	} {
		in, err := scriptspec.ParseSelector(strings.Fields(words[0])...)
		require.NoError(t, err)
		out, err := scriptspec.ParseSelector(strings.Fields(words[1])...)
		require.NoError(t, err)
		var got []string
		for s, err := range st.Select(t.Context(), in.Without(out)) {
			require.NoError(t, err)
			got = append(got, s.Basic().StepName)
		}
		slices.Sort(got)
		assert.Equal(t, want, strings.Join(got, " "), words)
	}
	misspelt, err := scriptspec.ParseSelector("tag:nighly")
	require.NoError(t, err)
	assert.Equal(t, " without tag:nighly", " "+(*scriptspec.Selector)(nil).Without(misspelt).String())
	for _, err := range st.Select(t.Context(), (*scriptspec.Selector)(nil).Without(misspelt)) {
		require.ErrorContains(t, err, "did you mean nightly?")
		break
	}

	require.NoError(t, st.Close())
	_, err = selected(t, st, "train")
	assert.ErrorIs(t, err, fs.ErrClosed)
}

// What is known of a file that cannot be loaded is its name. It selects it, and nothing else does.
func TestSelectFilesThatCannotBeLoaded(t *testing.T) {
	t.Parallel()
	st := shelf(t)
	write(t, st.Path("broken"), "{")
	write(t, st.Path("wrong"), `{"script_name": "other", "step_name": "Wrong", "script_path": "x.py"}`)
	dir := filepath.Dir(st.Path("x"))
	write(t, filepath.Join(dir, "churn_pipeline_testing_spec.json"), `{"name": "churn", "dag": {"nodes": ["Load", "Broken"], "edges": [["Load", "Broken"]]}, "specs": {"Load": "load", "Broken": "broken"}}`)
	for words, want := range map[string]error{
		"train": nil, "+Train": nil, "tag:nightly": nil, "Load+": nil, "step:*": nil, "path:scripts/*": nil, "label:owner": nil,
		"broken": scriptspec.ErrCorrupt, "bro* train": scriptspec.ErrCorrupt, "": scriptspec.ErrMismatch, st.Path("broken"): scriptspec.ErrCorrupt, "pipeline:churn": scriptspec.ErrCorrupt,
		"wrong": scriptspec.ErrMismatch,
	} {
		_, err := selected(t, st, strings.Fields(words)...)
		require.ErrorIs(t, err, want, words)
	}
	_, err := selected(t, st, "tag:nighly")
	require.EqualError(t, err, "select: no spec has the tag nighly (did you mean nightly?; broken_runtime_test_spec.json and 1 more cannot be loaded, and may be meant)")
	require.ErrorIs(t, err, scriptspec.ErrCorrupt)

	sel, err := scriptspec.ParseSelector("train")
	require.NoError(t, err)
	for _, err := range st.RenderAll(t.Context(), &scriptspec.RenderOptions{Select: sel}) {
		require.NoError(t, err)
	}
	r, err := st.Lint(t.Context(), &scriptspec.LintOptions{Select: sel})
	require.NoError(t, err)
	assert.Equal(t, []string{filepath.Join(dir, "churn_pipeline_testing_spec.json"), st.Path("train")}, r.Files)
	assert.Equal(t, 1, r.Specs)
	lines := recorded(t, st, &scriptspec.HarnessOptions{Select: sel})
	require.Len(t, lines, 2)
	assert.Contains(t, lines[1], "Test: train")
	sel, err = scriptspec.ParseSelector("broken", "wrong")
	require.NoError(t, err)
	r, err = st.Lint(t.Context(), &scriptspec.LintOptions{Select: sel})
	require.NoError(t, err)
	require.Len(t, r.Findings, 3)
	assert.Equal(t, scriptspec.CodeMismatch, r.Findings[2].Code)
	result, err := (&scriptspec.RuntimeTester{}).TestStore(t.Context(), st, &scriptspec.SuiteOptions{Select: sel})
	require.NoError(t, err)
	require.Len(t, result.Specs, 2)
	assert.Contains(t, result.Specs[0].Error, "broken_runtime_test_spec.json:1:")
	assert.False(t, result.Success)
}

// A selection is what looking at each spec by itself comes to.
func TestSelectAgainstAnOracle(t *testing.T) {
	t.Parallel()
	st := shelf(t)
	var all []*scriptspec.ScriptExecutionSpec
	for s, err := range st.All() {
		require.NoError(t, err)
		all = append(all, s.Basic())
	}
	needs := func(s *scriptspec.ScriptExecutionSpec) (list []*scriptspec.ScriptExecutionSpec) {
		for _, o := range all {
			if slices.Contains(s.DependsOn.Steps, o.StepName) {
				list = append(list, o)
			}
		}
		return list
	}
	for range 300 {
		var words []string
		want := map[string]bool{}
		for range 1 + rand.IntN(2) {
			tag, glob := []string{"nightly", "gpu"}[rand.IntN(2)], []string{"*", "*_*", "Train", "[LP]*"}[rand.IntN(4)]
			word, found := fmt.Sprintf("tag:%s,step:%s", tag, glob), map[string]bool{}
			if rand.IntN(2) == 0 {
				word = "step:" + glob
			}
			for _, s := range all {
				ok, _ := path.Match(glob, s.StepName)
				found[s.StepName] = ok && (!strings.HasPrefix(word, "tag:") || slices.Contains(s.Tags, tag))
			}
			any := slices.ContainsFunc(all, func(s *scriptspec.ScriptExecutionSpec) bool { return found[s.StepName] })
			if !any {
				continue
			}
			grow := func(edge func(from, to *scriptspec.ScriptExecutionSpec) bool) {
				for range all {
					for _, from := range all {
						for _, to := range all {
							if found[from.StepName] && edge(from, to) {
								found[to.StepName] = true
							}
						}
					}
				}
			}
			if rand.IntN(2) == 0 {
				word = "+" + word
				grow(func(from, to *scriptspec.ScriptExecutionSpec) bool { return slices.Contains(needs(from), to) })
			}
			words = append(words, word)
			for name, ok := range found {
				want[name] = want[name] || ok
			}
		}
		if len(words) == 0 {
			continue
		}
		got, err := selected(t, st, words...)
		require.NoError(t, err, words)
		for _, s := range all {
			assert.Equal(t, want[s.StepName], slices.Contains(got, s.StepName), "%v: %s", words, s.StepName)
		}
	}
}

func TestRunStoreSelects(t *testing.T) {
	st := openStore(t, t.TempDir(), nil)
	for _, name := range []string{"one", "two"} {
		s := scripted(t, writesOutput+"def main(output_paths):\n    done(output_paths)\n")
		s.ScriptName, s.StepName, s.Tags = name, "Step", []string{name}
		require.NoError(t, st.Save(s))
	}
	sel, err := scriptspec.ParseSelector("tag:two")
	require.NoError(t, err)
	lines := recorded(t, st, &scriptspec.HarnessOptions{Select: sel})
	require.Len(t, lines, 2)
	assert.Equal(t, "ran Test: two, parallel true", lines[1])
	t.Setenv("SCRIPTSPEC_SELECT", " tag:one ")
	lines = recorded(t, st, nil)
	require.Len(t, lines, 2)
	assert.Equal(t, "ran Test: one, parallel true", lines[1])
	t.Setenv("SCRIPTSPEC_SELECT", "tag:twoo")
	assert.Equal(t, []string{"fatal Test: select: no spec has the tag twoo (did you mean two?)"}, recorded(t, st, nil))
	t.Setenv("SCRIPTSPEC_SELECT", "tgs:tow")
	assert.Contains(t, recorded(t, st, nil)[0], "fatal Test: SCRIPTSPEC_SELECT: select: cannot select by tgs")
}
