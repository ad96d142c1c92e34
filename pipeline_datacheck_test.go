package scriptspec_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// loadAndTrain is Load, which feeds Train by two outputs, and a model that nobody is given.
func loadAndTrain(t *testing.T) *factory {
	t.Helper()
	f := newFactory(t)
	f.node("Load", joins, []string{"raw"}, []string{"data", "config"})
	f.node("Train", joins, []string{"data", "config"}, []string{"model"})
	f.edge("Load", "Train")
	return f
}

// Each check looks at what it names and at nothing else.
func TestDataChecks(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	looked := map[string][]string{}
	look := func(name string) scriptspec.Checker {
		return func(_ context.Context, tr scriptspec.Transfer) error {
			mu.Lock()
			defer mu.Unlock()
			looked[name] = append(looked[name], tr.Source+"."+tr.Output+">"+tr.Dest+"."+tr.Input)
			assert.FileExists(t, tr.Path+"/"+tr.Output+".txt")
			assert.Equal(t, 1, tr.Files)
			assert.Equal(t, []string{"text"}, tr.Formats)
			return nil
		}
	}
	r := loadAndTrain(t).run(&scriptspec.PipelineOptions{Checks: []scriptspec.DataCheck{
		{Source: "Load", Dest: "Train", Check: look("edge")},
		{Source: "Load", Output: "data", Dest: "Train", Check: look("output on the edge")},
		{Source: "Load", Dest: "Train", Input: "config", Check: look("input")},
		{Source: "Load", Check: look("node")},
		{Source: "Train", Output: "model", Check: look("output of nobody")},
	}})
	assert.True(t, r.Success)
	assert.Equal(t, map[string][]string{
		"edge":               {"Load.config>Train.config", "Load.data>Train.data"},
		"output on the edge": {"Load.data>Train.data"},
		"input":              {"Load.config>Train.config"},
		"node":               {"Load.config>.", "Load.data>."},
		"output of nobody":   {"Train.model>."},
	}, looked)
}

// What a check of an edge finds is the edge's; what one of an output finds fails the node.
func TestDataChecksRefuse(t *testing.T) {
	t.Parallel()
	refuse := func(context.Context, scriptspec.Transfer) error { return errors.New("accuracy is 0.1\nand more") }
	f := loadAndTrain(t)
	r := f.run(&scriptspec.PipelineOptions{Checks: []scriptspec.DataCheck{{Source: "Load", Output: "data", Dest: "Train", Check: refuse}}})
	assert.False(t, r.Success)
	assert.Equal(t, map[string]string{"Load": "passed", "Train": "passed"}, statuses(r))
	assert.Equal(t, []string{"accuracy is 0.1\nand more"}, r.Edges[0].Transfers[1].Problems)
	assert.Empty(t, r.Edges[0].Transfers[0].Problems)

	r = f.run(&scriptspec.PipelineOptions{Checks: []scriptspec.DataCheck{{Source: "Load", Output: "data", Check: refuse}}})
	assert.Equal(t, map[string]string{
		"Load": "failed: output data is not as it should be: accuracy is 0.1", "Train": "blocked: depends on Load, which failed",
	}, statuses(r))

	panics := func(context.Context, scriptspec.Transfer) error { panic("boom") }
	r = f.run(&scriptspec.PipelineOptions{Checks: []scriptspec.DataCheck{{Source: "Train", Check: panics}}})
	assert.Equal(t, "failed: output model is not as it should be: the check panicked: boom", statuses(r)["Train"])
}

// A check that would look at nothing is an error, and nothing is run.
func TestDataChecksAreChecked(t *testing.T) {
	t.Parallel()
	fine := func(context.Context, scriptspec.Transfer) error { return nil }
	f := loadAndTrain(t)
	_, err := f.tester.TestPipeline(t.Context(), f.p, &scriptspec.PipelineOptions{WorkDir: f.work(), Checks: []scriptspec.DataCheck{
		{Source: "Laod", Check: fine},
		{Source: "Load", Output: "dat", Check: fine},
		{Source: "Load", Dest: "Train", Input: "configs", Check: fine},
		{Source: "Train", Dest: "Load", Check: fine},
		{Source: "Load", Input: "data", Check: fine},
		{Source: "Load", Dest: "Trian", Check: fine},
		{Source: "Load"},
		{Check: fine},
	}})
	var messages []string
	for _, e := range problems(t, err) {
		messages = append(messages, e.path+": "+e.message)
	}
	assert.Equal(t, []string{
		"options.checks[0].source: there is no node Laod",
		"options.checks[1].output: Load has no output dat",
		"options.checks[2].input: Train has no input configs",
		"options.checks[3].dest: there is no edge from Train to Load",
		"options.checks[4].dest: the check names no node",
		"options.checks[5].dest: there is no node Trian",
		"options.checks[6].check: the check is nil",
		"options.checks[7].source: the check names no node",
	}, messages)
	assert.NoDirExists(t, f.work())
}

// Before and After see each node as it is run, and can fail it.
func TestPipelineHooks(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var calls []string
	call := func(text string) {
		mu.Lock()
		defer mu.Unlock()
		calls = append(calls, text)
	}
	f := loadAndTrain(t)
	o := &scriptspec.PipelineOptions{
		Before: func(node string, s *scriptspec.ScriptExecutionSpec) error {
			call("before " + node)
			assert.DirExists(t, f.work())
			s.OutputPaths["model"] = "/nowhere" // of a copy
			return nil
		},
		After: func(node string, s *scriptspec.ScriptExecutionSpec, r *scriptspec.ScriptTestResult) error {
			call("after " + node + " " + string(r.Outcome))
			for name, path := range s.OutputPaths {
				assert.FileExists(t, path+"/"+name+".txt")
			}
			if node == "Train" {
				assert.Equal(t, f.work()+"/Load/data", s.InputPaths["data"])
				return errors.New("auc is 0.4, and must be 0.6\nor more")
			}
			return nil
		},
	}
	r := f.run(o)
	assert.Equal(t, []string{"before Load", "after Load passed", "before Train", "after Train passed"}, calls)
	assert.Equal(t, map[string]string{"Load": "passed", "Train": "failed: auc is 0.4, and must be 0.6"}, statuses(r))
	require.NotNil(t, r.Nodes[1].Result)
	assert.False(t, r.Success)

	o.After = nil
	o.Before = func(node string, _ *scriptspec.ScriptExecutionSpec) error {
		return errors.New("no database for " + node)
	}
	r = f.run(o)
	assert.Equal(t, map[string]string{"Load": "failed: no database for Load", "Train": "blocked: depends on Load, which failed"}, statuses(r))
	assert.Nil(t, r.Nodes[0].Result)

	// A script that fails, and a hook that has something to say of it as well.
	f.node("Broken", alwaysFails, nil, nil)
	o.Before = nil
	o.After = func(string, *scriptspec.ScriptExecutionSpec, *scriptspec.ScriptTestResult) error {
		return errors.New("seen")
	}
	assert.Equal(t, "failed: ValueError: no rows; seen", statuses(f.run(o))["Broken"])

	// What a hook refused is not there to be reused.
	assert.Contains(t, f.refused(&scriptspec.PipelineOptions{Only: []string{"Train"}})[0].message, "Load")
}

func TestPipelineOnlyOfNothing(t *testing.T) {
	t.Parallel()
	f := loadAndTrain(t)
	_, err := f.tester.TestPipeline(t.Context(), f.p, &scriptspec.PipelineOptions{Only: []string{}})
	require.EqualError(t, err, "pipeline p: options.only: no node is named, so that nothing would be run (leave it out to run all)")
	lines := recordedPipeline(t, f.p, &scriptspec.PipelineOptions{Only: []string{}})
	assert.Equal(t, []string{"skip Test: Only names no node, so that nothing is run"}, lines)
}
