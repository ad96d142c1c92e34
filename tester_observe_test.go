package scriptspec_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// observed returns a tester and what its observer got. It is called by one goroutine at a time, which the race
// detector checks, and has ended when the tester returns.
func observed() (*scriptspec.RuntimeTester, *[]scriptspec.Event) {
	var events []scriptspec.Event
	return &scriptspec.RuntimeTester{Observer: func(e scriptspec.Event) { events = append(events, e) }}, &events
}

// steps returns the events but for samples, by run: "started 1", and for the end what came of it.
func steps(events []scriptspec.Event) map[string][]string {
	all := map[string][]string{}
	for _, e := range events {
		text := string(e.Kind)
		switch e.Kind {
		case scriptspec.EventOutput, scriptspec.EventMemory:
			continue
		case scriptspec.EventStarted:
			text += fmt.Sprint(" ", e.Attempt)
		case scriptspec.EventAttempt:
			text += fmt.Sprint(" ", e.Attempt, " ", e.Result.Outcome)
		case scriptspec.EventFinished:
			if text = strings.TrimSpace(text + " " + string(e.Status)); e.Result != nil {
				text += " " + string(e.Result.Outcome)
			}
		}
		all[e.Name] = append(all[e.Name], text)
	}
	return all
}

func TestObserver(t *testing.T) {
	t.Parallel()
	s, _ := failing(t, 1, `raise OSError("busy")`)
	tester, events := observed()
	tester.Retries = 1
	_, err := tester.TestScript(t.Context(), s)
	require.NoError(t, err)
	assert.Equal(t, map[string][]string{s.StepName: {
		"queued", "started 1", "attempt 1 exception", "started 2", "attempt 2 passed", "finished passed",
	}}, steps(*events))
	for i, e := range *events {
		assert.Equal(t, (*events)[0].Run, e.Run)
		assert.False(t, i > 0 && e.At.Before((*events)[i-1].At))
	}
	data, err := json.Marshal((*events)[0])
	require.NoError(t, err)
	assert.Contains(t, string(data), `{"event":"queued","at":"`)
	assert.NotContains(t, string(data), "result")
}

// Whoever is told that an attempt has ended finds it in the history.
func TestObserverAndHistoryHaveOneStream(t *testing.T) {
	t.Parallel()
	s, _ := failing(t, 1, `raise OSError("busy")`)
	h := openStore(t, t.TempDir(), nil).History()
	told := 0
	tester := &scriptspec.RuntimeTester{Retries: 1, History: h, Observer: func(e scriptspec.Event) {
		if e.Kind != scriptspec.EventAttempt {
			return
		}
		told++
		recorded, errs := records(h, nil)
		assert.Empty(t, errs)
		if assert.GreaterOrEqual(t, len(recorded), told) {
			r := recorded[told-1]
			assert.Equal(t, []any{e.Run, e.Attempt, e.Result.Outcome, e.Result.StepName}, []any{r.Run, r.Attempt, r.Outcome, r.StepName})
		}
	}}
	_, err := tester.TestScript(t.Context(), s)
	require.NoError(t, err)
	recorded, _ := records(h, nil)
	assert.Equal(t, []int{2, 2}, []int{told, len(recorded)})
}

func TestObserverOfErrors(t *testing.T) {
	t.Parallel()
	tester, events := observed()
	s := onDisk(t)
	s.ScriptPath = ""
	_, err := tester.TestScript(t.Context(), s)
	require.Error(t, err)
	assert.Equal(t, map[string][]string{s.StepName: {"queued", "finished"}}, steps(*events))
	assert.Equal(t, err.Error(), (*events)[1].Error)
	_, err = tester.TestScript(t.Context(), nil)
	require.Error(t, err)
}

func TestObserverSamples(t *testing.T) {
	t.Parallel()
	s := scripted(t, "import sys, time\ndef main(output_paths):\n    print('a')\n    print('b')\n    print('c', file=sys.stderr)\n"+
		"    time.sleep(0.3)\n    open(output_paths['data_output'] + '/a', 'w').write('1')\n")
	tester, events := observed()
	if onLinux {
		tester.MaxMemory = 1 << 30
	}
	_, err := tester.TestScript(t.Context(), s)
	require.NoError(t, err)
	var lines [2]int64
	var most int64
	for _, e := range *events {
		if e.Kind == scriptspec.EventOutput {
			lines = [2]int64{e.StdoutLines, e.StderrLines}
		}
		most = max(most, e.Memory)
	}
	assert.Equal(t, [2]int64{2, 1}, lines)
	if onLinux {
		assert.Greater(t, most, int64(1<<20))
	}
}

// An observer that is busy holds nothing up: here it is until the script has ended. It misses nothing but samples.
func TestObserverIsBusy(t *testing.T) {
	t.Parallel()
	s := scripted(t, "def main(output_paths):\n    open(output_paths['data_output'] + '/a', 'w').write('1')\n")
	ended := make(chan struct{})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var events []scriptspec.Event
	tester := &scriptspec.RuntimeTester{
		OutputCheck: func(string, scriptspec.OutputInfo) error { close(ended); return nil },
		Observer: func(e scriptspec.Event) {
			events = append(events, e)
			select {
			case <-ended:
			case <-ctx.Done():
			}
		},
	}
	r, err := tester.TestScript(t.Context(), s)
	require.NoError(t, err)
	require.NoError(t, ctx.Err(), "the run waited for its observer")
	assert.True(t, r.Success, r.Details())
	assert.Equal(t, []string{"queued", "started 1", "attempt 1 passed", "finished passed"}, steps(events)[s.StepName])
}

// Samples that an observer has no time for are left out and counted; nothing else is.
func TestObserverDrops(t *testing.T) {
	t.Parallel()
	begin := make(chan struct{})
	var events []scriptspec.Event
	tester := &scriptspec.RuntimeTester{Observer: func(e scriptspec.Event) {
		<-begin
		events = append(events, e)
	}}
	const samples, others = 5000, 1000
	scriptspec.TellObserver(tester, scriptspec.EventMemory, samples)
	scriptspec.TellObserver(tester, scriptspec.EventQueued, others)
	close(begin)
	scriptspec.FlushObserver(tester)
	dropped, count := 0, map[scriptspec.EventKind]int{}
	for _, e := range events {
		dropped += e.Dropped
		count[e.Kind]++
	}
	assert.Equal(t, others, count[scriptspec.EventQueued])
	assert.Less(t, count[scriptspec.EventMemory], samples/5)
	assert.Equal(t, samples, count[scriptspec.EventMemory]+dropped)
}

func TestObserverOfStore(t *testing.T) {
	t.Parallel()
	st, err := scriptspec.OpenStore(t.TempDir(), nil)
	require.NoError(t, err)
	s, _ := failing(t, 1, `raise OSError("busy")`)
	s.Examples = []scriptspec.Example{{Name: "again"}}
	require.NoError(t, st.Save(s))
	tester, events := observed()
	tester.Parallelism = 1
	r, err := tester.TestStore(t.Context(), st, &scriptspec.SuiteOptions{OutputDir: t.TempDir()})
	require.NoError(t, err)
	got := steps(*events)
	require.Len(t, got, len(r.Specs))
	for _, spec := range r.Specs {
		assert.Equal(t, []string{
			"queued", "started 1", "attempt 1 " + string(spec.Result.Outcome), "finished " + string(spec.Result.Outcome),
		}, got[spec.Name])
	}
}

func TestObserverOfPipeline(t *testing.T) {
	t.Parallel()
	f := diamond(t)
	tester, events := observed()
	r, err := tester.TestPipeline(t.Context(), f.p, &scriptspec.PipelineOptions{WorkDir: t.TempDir()})
	require.NoError(t, err)
	got := steps(*events)
	require.Len(t, got, len(r.Nodes))
	for _, n := range r.Nodes {
		last := got[n.Node][len(got[n.Node])-1]
		if n.Result == nil {
			assert.Equal(t, []string{"finished " + string(n.Status)}, got[n.Node])
			continue
		}
		assert.Equal(t, "finished "+string(n.Status)+" "+string(n.Result.Outcome), last)
		assert.Equal(t, []string{"queued", "started 1"}, got[n.Node][:2])
		assert.Equal(t, 1, len(slices.DeleteFunc(got[n.Node], func(s string) bool { return s != last })))
	}
}
