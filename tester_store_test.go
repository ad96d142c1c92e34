package scriptspec_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// gatedSuite starts a suite of four scripts that wait at a gate, two at the same time. It returns how runs end, too.
func gatedSuite(t *testing.T, ctx context.Context, o *scriptspec.SuiteOptions) (*gate, <-chan scriptspec.Event, func() (*scriptspec.StoreTestResult, error)) {
	t.Helper()
	dir, g := t.TempDir(), newGate(t)
	st := openStore(t, dir, nil)
	for _, name := range []string{"a", "b", "c", "d"} {
		s := scriptspec.New(name, strings.ToUpper(name), filepath.Join(dir, name+".py"))
		write(t, s.ScriptPath, strings.ReplaceAll(waits, "job_type", "called"))
		s.AddJobArg("called", name)
		s.AddJobArg("port", g.listener.Addr().(*net.TCPAddr).Port)
		require.NoError(t, st.Save(s))
	}
	finished := make(chan scriptspec.Event, 4)
	tester := &scriptspec.RuntimeTester{Parallelism: 2, Timeout: time.Minute, Observer: func(e scriptspec.Event) {
		if e.Kind == scriptspec.EventFinished {
			finished <- e
		}
	}}
	var result *scriptspec.StoreTestResult
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		result, err = tester.TestStore(ctx, st, o)
	}()
	return g, finished, func() (*scriptspec.StoreTestResult, error) {
		<-done
		return result, err
	}
}

func nameOf(s scriptspec.SpecTestResult) string {
	if s.Round < 2 {
		return s.Name
	}
	return s.Name + "#" + strconv.Itoa(s.Round)
}

// becameOf returns what the result says of each spec, as it is read again.
func becameOf(t *testing.T, r *scriptspec.StoreTestResult) map[string]string {
	t.Helper()
	assert.False(t, r.Success)
	data, err := json.Marshal(r)
	require.NoError(t, err)
	again, err := scriptspec.ParseResult(data)
	require.NoError(t, err)
	all := map[string]string{}
	for _, s := range again.(*scriptspec.StoreTestResult).Specs {
		all[nameOf(s)] = string(s.Status) + ": " + s.Error
		if s.Result != nil {
			all[nameOf(s)] = string(s.Result.Outcome)
		}
	}
	return all
}

func textOf(t *testing.T, r *scriptspec.StoreTestResult) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, r.WriteText(&b))
	return b.String()
}

// What had not begun when a suite was ended has not failed, and what was running is told apart from both.
func TestStoreCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	g, finished, end := gatedSuite(t, ctx, nil)
	assert.ElementsMatch(t, []string{"a", "b"}, []string{g.await(), g.await()})
	noMore := errors.New("no more time")
	cancel(noMore)
	g.gone("a")
	g.gone("b")
	r, err := end()
	require.ErrorIs(t, err, noMore)
	const running, notBegun = "cancelled: running when the run was ended: no more time", "skipped: not begun when the run was ended: no more time"
	assert.Equal(t, map[string]string{"a": running, "b": running, "c": notBegun, "d": notBegun}, becameOf(t, r))
	assert.Contains(t, textOf(t, r), ": 2 cancelled, 2 skipped\n")
	for range r.Specs {
		e := <-finished
		assert.Equal(t, map[bool]scriptspec.NodeStatus{true: scriptspec.NodeCancelled, false: scriptspec.NodeSkipped}[e.Name < "c"], e.Status, e.Name)
		assert.NotEmpty(t, e.Error)
	}
}

// After a failure nothing more is begun, and what runs goes on to its own end.
func TestStoreFailFast(t *testing.T) {
	t.Parallel()
	g, finished, end := gatedSuite(t, t.Context(), &scriptspec.SuiteOptions{FailFast: true})
	assert.ElementsMatch(t, []string{"a", "b"}, []string{g.await(), g.await()})
	g.tell("a", "fail")
	g.gone("a")
	assert.Equal(t, "a", (<-finished).Name)
	g.tell("b", "pass")
	g.gone("b")
	r, err := end()
	require.NoError(t, err)
	const notBegun = "skipped: not started because another script failed"
	assert.Equal(t, map[string]string{"a": "exception", "b": "passed", "c": notBegun, "d": notBegun}, becameOf(t, r))
	assert.Contains(t, textOf(t, r), ": 1 passed, 1 failed, 2 skipped\n")
}

// Rounds come one after the other, and are one result; what fails in one of them fails it.
func TestStoreRepeat(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	st := openStore(t, dir, nil)
	s := scriptspec.New("counts", "Counts", filepath.Join(dir, "counts.py"))
	write(t, s.ScriptPath, `
def main(job_args):
    with open(job_args.file, "a+") as f:
        f.write("x")
        f.seek(0)
        assert f.read() != "xx", "the second time"
`)
	s.AddJobArg("file", filepath.Join(dir, "count"))
	require.NoError(t, st.Save(s))
	tester := &scriptspec.RuntimeTester{}
	ran := func(o *scriptspec.SuiteOptions) (outcomes []string) {
		require.NoError(t, os.RemoveAll(filepath.Join(dir, "count")))
		r, err := tester.TestStore(t.Context(), st, o)
		require.NoError(t, err)
		for _, s := range r.Specs {
			if s.Result == nil {
				outcomes = append(outcomes, nameOf(s)+" "+string(s.Status))
				continue
			}
			outcomes = append(outcomes, nameOf(s)+" "+string(s.Result.Outcome))
		}
		assert.Equal(t, len(outcomes) == 1, r.Success)
		return outcomes
	}
	assert.Equal(t, []string{"counts passed"}, ran(nil))
	assert.Equal(t, []string{"counts passed", "counts#2 exception", "counts#3 passed"}, ran(&scriptspec.SuiteOptions{Repeat: 3}))
	assert.Equal(t, []string{"counts passed", "counts#2 exception", "counts#3 skipped"}, ran(&scriptspec.SuiteOptions{Repeat: 3, FailFast: true}))

	// What failed last is found out once, before the first round.
	other := s.Clone()
	other.ScriptName, other.StepName = "other", "Other"
	other.AddJobArg("file", filepath.Join(dir, "others"))
	require.NoError(t, st.Save(other))
	tester.History = st.History()
	_, err := tester.TestStore(t.Context(), st, &scriptspec.SuiteOptions{Repeat: 2, FailFast: true}) // counts goes on at 3, other fails
	require.NoError(t, err)
	r, err := tester.TestStore(t.Context(), st, &scriptspec.SuiteOptions{Repeat: 2, LastFailed: true})
	require.NoError(t, err)
	require.Len(t, r.Specs, 2)
	assert.Equal(t, []string{"other", "other#2"}, []string{nameOf(r.Specs[0]), nameOf(r.Specs[1])})

	_, err = tester.TestStore(t.Context(), st, &scriptspec.SuiteOptions{Repeat: -1})
	_, isField := errors.AsType[*scriptspec.FieldError](err)
	assert.True(t, isField, "%v", err)
}

// What is run is chosen and dealt once, by the history that there was before the first round.
func TestStoreRepeatOfWhatFailed(t *testing.T) {
	t.Parallel()
	failed := daysAgo(aRecord("Bad", 0), 1)
	failed.Outcome = scriptspec.OutcomeException
	st := smallSuite(t, []string{"Bad", "Ok"}, []scriptspec.Record{failed, daysAgo(aRecord("Ok", 0), 1)})
	for _, shard := range []scriptspec.Shard{{}, {Index: 1, Count: 1}} {
		tester := &scriptspec.RuntimeTester{Python: python(t), History: st.History()}
		r, err := tester.TestStore(t.Context(), st, &scriptspec.SuiteOptions{LastFailed: true, Repeat: 3, Shard: shard})
		require.NoError(t, err)
		var names []string
		for _, s := range r.Specs {
			names = append(names, nameOf(s))
			assert.NotNil(t, s.Result, s.Name)
		}
		assert.Equal(t, []string{"bad", "bad#2", "bad#3"}, names)
		assert.True(t, r.Success)
		if r.Shard != nil {
			assert.Equal(t, 1, r.Shard.Runs)
		}
		failed.At = scriptspec.NewTimestamp(time.Now())
		require.NoError(t, st.History().Append(failed))
	}
}

// The rounds that an interrupt has kept from beginning are in the result.
func TestStoreRepeatCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	g, finished, end := gatedSuite(t, ctx, &scriptspec.SuiteOptions{Repeat: 3})
	assert.ElementsMatch(t, []string{"a", "b"}, []string{g.await(), g.await()})
	noMore := errors.New("no more time")
	cancel(noMore)
	g.gone("a")
	g.gone("b")
	for range 12 {
		<-finished
	}
	r, err := end()
	require.ErrorIs(t, err, noMore)
	became := becameOf(t, r)
	assert.Len(t, became, 12)
	assert.Equal(t, "skipped: not begun when the run was ended: no more time", became["a#3"])
	assert.Contains(t, textOf(t, r), ": 2 cancelled, 10 skipped\n")
}
