package scriptspec_test

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

func TestParseShard(t *testing.T) {
	t.Parallel()
	s, err := scriptspec.ParseShard("2/4")
	require.NoError(t, err)
	assert.Equal(t, scriptspec.Shard{Index: 2, Count: 4}, s)
	assert.Equal(t, "2/4", s.String())
	assert.Empty(t, scriptspec.Shard{}.String())
	for _, text := range []string{"", "2", "0/4", "5/4", "-1/4", "1/0", "0/0", "a/b", "1/4/2", "1 / 4"} {
		_, err := scriptspec.ParseShard(text)
		var fe *scriptspec.FieldError
		require.ErrorAs(t, err, &fe, text)
		assert.Equal(t, scriptspec.CodeFormat, fe.Code)
	}
}

// smallSuite is a store with a script for each step that passes, or fails if it is named so, and records of days ago.
func smallSuite(t *testing.T, steps []string, past []scriptspec.Record) *scriptspec.Store {
	t.Helper()
	dir := t.TempDir()
	st := openStore(t, dir, nil)
	for _, step := range steps {
		s := scriptspec.New(scriptspec.ToSnakeCase(step), step, filepath.Join(dir, scriptspec.ToSnakeCase(step)+".py"))
		write(t, s.ScriptPath, "def main(job_args):\n    pass\n")
		require.NoError(t, st.Save(s))
	}
	if past != nil {
		writeHistory(t, dir, past)
	}
	return st
}

func daysAgo(r scriptspec.Record, days int) scriptspec.Record {
	r.At = scriptspec.NewTimestamp(time.Now().UTC().AddDate(0, 0, -days))
	return r
}

// namesOf returns what a suite has run, and which shard it was, without starting anything: Change refuses each.
func namesOf(t *testing.T, python string, st *scriptspec.Store, shard scriptspec.Shard) ([]string, *scriptspec.StoreTestResult) {
	t.Helper()
	tester := &scriptspec.RuntimeTester{Python: python}
	r, err := tester.TestStore(t.Context(), st, &scriptspec.SuiteOptions{
		Shard: shard, Change: func(*scriptspec.ScriptExecutionSpec) error { return errors.New("seen") },
	})
	require.NoError(t, err)
	var names []string
	for _, s := range r.Specs {
		names = append(names, s.Name)
	}
	return names, r
}

// What a suite makes for outputs goes with the run, unless the script has failed and left something there.
func TestStoreLeavesNoDirectories(t *testing.T) {
	python := python(t)
	temp := t.TempDir()
	for _, variable := range []string{"TMPDIR", "TMP"} {
		t.Setenv(variable, temp)
	}
	dir := t.TempDir()
	st := openStore(t, dir, nil)
	for _, name := range []string{"passes", "is_refused", "fails_early", "fails_late"} {
		s := scriptspec.New(name, scriptspec.ToPascalCase(name), filepath.Join(dir, name+".py"))
		s.AddOutputPath("data_output", filepath.Join(dir, name))
		write(t, s.ScriptPath, writesOutput+"def main(output_paths, job_args):\n"+map[string]string{
			"passes": "    done(output_paths)\n", "is_refused": "    done(output_paths)\n", "fails_early": "    raise ValueError\n",
			"fails_late": "    done(output_paths)\n    raise ValueError\n",
		}[name])
		require.NoError(t, st.Save(s))
	}
	r, err := (&scriptspec.RuntimeTester{Python: python}).TestStore(t.Context(), st, &scriptspec.SuiteOptions{
		Change: func(s *scriptspec.ScriptExecutionSpec) error {
			if s.ScriptName == "is_refused" {
				return errors.New("not this one")
			}
			return nil
		},
	})
	require.NoError(t, err)
	var kept []string
	for _, spec := range r.Specs {
		if spec.Result != nil && !spec.Result.Success && spec.Result.Outputs["data_output"].Files > 0 {
			kept = append(kept, filepath.Dir(spec.Result.Outputs["data_output"].Path))
		}
	}
	left, err := filepath.Glob(filepath.Join(temp, "scriptspec-outputs-*"))
	require.NoError(t, err)
	assert.Equal(t, kept, left)
	assert.Len(t, kept, 1)
}

// All shards together have each run exactly once, take about as long by what is known, and are the same when they are asked for again.
func TestShards(t *testing.T) {
	t.Parallel()
	python := python(t)
	var steps []string
	var past []scriptspec.Record
	seconds := map[string]time.Duration{}
	for i := range 23 {
		step := fmt.Sprintf("Step%c", 'A'+i)
		steps = append(steps, step)
		name := scriptspec.ToSnakeCase(step)
		if seconds[name] = time.Duration(i%7+1) * time.Second; i == 0 {
			seconds[name] = 40 * time.Second
		}
		for n := range 8 {
			r := daysAgo(aRecord(step, 0), 9-n)
			if r.Duration = seconds[name]; n == 0 {
				r.Duration *= 100 // the median does not mind
			}
			past = append(past, r)
		}
	}
	st := smallSuite(t, steps, past)
	all, whole := namesOf(t, python, st, scriptspec.Shard{})
	assert.Nil(t, whole.Shard)
	assert.Len(t, all, 23)
	for n := 1; n <= 30; n += 4 {
		var together, plans []string
		load := make([]time.Duration, n)
		for i := range n {
			names, r := namesOf(t, python, st, scriptspec.Shard{Index: i + 1, Count: n})
			again, _ := namesOf(t, python, st, scriptspec.Shard{Index: i + 1, Count: n})
			assert.Equal(t, names, again)
			assert.True(t, slices.IsSorted(names), "results are in the order of the store")
			assert.Equal(t, fmt.Sprintf("%d/%d", i+1, n), r.Shard.Shard)
			assert.Equal(t, len(names), r.Shard.Runs)
			assert.Equal(t, 23, r.Shard.All)
			assert.Equal(t, len(names) == 0, r.Success, "an empty shard is a success")
			together, plans = append(together, names...), append(plans, r.Shard.Plan)
			for _, name := range names {
				load[i] += seconds[name]
			}
		}
		slices.Sort(together)
		assert.Equal(t, all, together, "%d shards", n)
		assert.Len(t, slices.Compact(plans), 1)
		if n == 5 {
			assert.LessOrEqual(t, slices.Max(load), 40*time.Second, "the longest run is alone")
		}
	}

	names, empty := namesOf(t, python, st, scriptspec.Shard{Index: 24, Count: math.MaxInt})
	assert.Empty(t, names)
	assert.True(t, empty.Success, "a shard beyond all runs is an empty one")

	// What is recorded today, by another shard, deals the runs no other way.
	_, before := namesOf(t, python, st, scriptspec.Shard{Index: 1, Count: 3})
	for range 20 {
		r := daysAgo(aRecord("StepB", 0), 0)
		r.Duration = time.Hour
		require.NoError(t, st.History().Append(r))
	}
	_, after := namesOf(t, python, st, scriptspec.Shard{Index: 1, Count: 3})
	assert.Equal(t, before.Shard, after.Shard)
	r := daysAgo(aRecord("StepB", 0), 2)
	r.Duration = time.Hour
	for range 20 {
		require.NoError(t, st.History().Append(r))
	}
	_, other := namesOf(t, python, st, scriptspec.Shard{Index: 1, Count: 3})
	assert.NotEqual(t, before.Shard.Plan, other.Shard.Plan, "another history, another plan")
	_, err := (&scriptspec.RuntimeTester{Python: python}).TestStore(t.Context(), st, &scriptspec.SuiteOptions{Shard: scriptspec.Shard{Index: 3, Count: 2}})
	var fe *scriptspec.FieldError
	require.ErrorAs(t, err, &fe)
}

// Runs that take as long as each other are dealt by name, not in the order in which a spec has its examples.
func TestShardsOfEqualRuns(t *testing.T) {
	t.Parallel()
	st := smallSuite(t, []string{"Prep"}, nil)
	s, err := st.Load("prep")
	require.NoError(t, err)
	s.Examples = []scriptspec.Example{{Name: "z"}, {Name: "b"}, {Name: "a"}}
	require.NoError(t, st.Save(s))
	for i, want := range []string{"prep", "prep/a", "prep/b", "prep/z"} {
		names, _ := namesOf(t, python(t), st, scriptspec.Shard{Index: i + 1, Count: 4})
		assert.Equal(t, []string{want}, names)
	}
}

// What passed when it was last recorded is left out, unless all did, or what failed is run first.
func TestLastFailed(t *testing.T) {
	t.Parallel()
	python := python(t)
	var past []scriptspec.Record
	steps := []string{"StepA", "StepB", "StepC", "StepD"}
	for _, step := range steps {
		r := daysAgo(aRecord(step, 0), 2)
		if r.Outcome = scriptspec.OutcomePassed; step == "StepD" || step == "StepB" {
			r.Outcome = scriptspec.OutcomeException
		}
		past = append(past, r)
	}
	past = append(past, daysAgo(aRecord("StepB", 0), 1)) // it passes again
	st := smallSuite(t, steps, past)
	var mu sync.Mutex
	run := func(o scriptspec.SuiteOptions) (started []string) {
		tester := &scriptspec.RuntimeTester{Python: python, Parallelism: 1, Observer: func(e scriptspec.Event) {
			mu.Lock()
			defer mu.Unlock()
			if e.Kind == scriptspec.EventStarted {
				started = append(started, e.Name)
			}
		}}
		r, err := tester.TestStore(t.Context(), st, &o)
		require.NoError(t, err)
		require.True(t, r.Success)
		return started
	}
	assert.Equal(t, []string{"step_d"}, run(scriptspec.SuiteOptions{LastFailed: true}))
	assert.Equal(t, []string{"step_d", "step_a", "step_b", "step_c"}, run(scriptspec.SuiteOptions{FailedFirst: true}))
	require.NoError(t, st.History().Append(daysAgo(aRecord("StepD", 0), 0)))
	assert.Equal(t, []string{"step_a", "step_b", "step_c", "step_d"}, run(scriptspec.SuiteOptions{LastFailed: true}))

	// What was never run has not passed.
	s := scriptspec.New("step_e", "StepE", filepath.Join(t.TempDir(), "step_e.py"))
	write(t, s.ScriptPath, "def main(job_args):\n    pass\n")
	require.NoError(t, st.Save(s))
	assert.Equal(t, []string{"step_e"}, run(scriptspec.SuiteOptions{LastFailed: true}))
	assert.Equal(t, []string{"step_e"}, run(scriptspec.SuiteOptions{LastFailed: true, Shard: scriptspec.Shard{Index: 1, Count: 1}}))
}

// Shards that are run one after the other, each of which changes what failed last, run each of what had failed exactly once.
func TestLastFailedOfShards(t *testing.T) {
	t.Parallel()
	python := python(t)
	var steps []string
	var past []scriptspec.Record
	for i := range 12 {
		r := daysAgo(aRecord(fmt.Sprintf("Step%c", 'A'+i), 0), 2)
		if i%3 == 1 || i == 0 {
			r.Outcome = scriptspec.OutcomeException
		}
		steps, past = append(steps, r.StepName), append(past, r)
	}
	for _, n := range []int{1, 2, 5, 12, 20} {
		st := smallSuite(t, steps, past)
		tester := &scriptspec.RuntimeTester{Python: python, History: st.History()}
		var together, plans []string
		for i := range n {
			r, err := tester.TestStore(t.Context(), st, &scriptspec.SuiteOptions{LastFailed: true, Shard: scriptspec.Shard{Index: i + 1, Count: n}})
			require.NoError(t, err)
			assert.True(t, r.Success)
			assert.Equal(t, len(r.Specs), r.Shard.Runs)
			assert.Equal(t, 12, r.Shard.All)
			for _, s := range r.Specs {
				together = append(together, s.Name)
			}
			plans = append(plans, r.Shard.Plan)
		}
		assert.ElementsMatch(t, []string{"step_a", "step_b", "step_e", "step_h", "step_k"}, together, "%d shards", n)
		assert.Len(t, slices.Compact(plans), 1)
	}

	st := smallSuite(t, steps, nil)
	tester := &scriptspec.RuntimeTester{Python: python, History: st.History()}
	ran := 0
	for i := range 3 {
		r, err := tester.TestStore(t.Context(), st, &scriptspec.SuiteOptions{LastFailed: true, Shard: scriptspec.Shard{Index: i + 1, Count: 3}})
		require.NoError(t, err)
		ran += len(r.Specs)
	}
	assert.Equal(t, 12, ran, "of which nothing was on record")
}
