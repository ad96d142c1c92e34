package scriptspec_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// joins is a script that writes to each output what it read from all of its inputs, behind its tag.
const joins = `
import os
def read(path):
    if os.path.isfile(path):
        with open(path) as f:
            return f.read()
    return "".join(read(os.path.join(path, name)) for name in sorted(os.listdir(path)))

def main(input_paths, output_paths, environ_vars, job_args):
    parts = [read(input_paths[name]) for name in sorted(input_paths)]
    for name, path in output_paths.items():
        with open(os.path.join(path, name + ".txt"), "w") as f:
            f.write("%s(%s)" % (getattr(job_args, "job_type", "x"), ",".join(parts)))
`

const alwaysFails = `
def main(input_paths, output_paths, environ_vars, job_args):
    raise ValueError("no rows\nin any of the shards")
`

// factory makes pipelines of scripts in a directory of the test's own.
type factory struct {
	t      *testing.T
	dir    string
	p      *scriptspec.PipelineTestingSpec
	tester *scriptspec.RuntimeTester
}

func newFactory(t *testing.T) *factory {
	t.Helper()
	python(t)
	f := &factory{t: t, dir: t.TempDir(), tester: &scriptspec.RuntimeTester{}, p: &scriptspec.PipelineTestingSpec{
		Name: "p", DAG: &scriptspec.DAG{}, Specs: map[string]scriptspec.Spec{}, Skip: map[string]string{},
	}}
	write(t, filepath.Join(f.dir, "raw.txt"), "raw")
	return f
}

// node adds a node with a script; inputs and outputs are logical names, and inputs that no edge feeds
// are the file raw.txt.
func (f *factory) node(name, script string, inputs, outputs []string) *scriptspec.ScriptExecutionSpec {
	f.t.Helper()
	step, err := scriptspec.ParseStepName(name)
	require.NoError(f.t, err)
	file := filepath.Join(f.dir, scriptspec.ToSnakeCase(step.Base)+".py")
	write(f.t, file, script)
	s := scriptspec.New(scriptspec.ToSnakeCase(step.Base), name, file)
	for _, input := range inputs {
		s.AddInputPath(input, filepath.Join(f.dir, "raw.txt"))
	}
	for _, output := range outputs {
		s.AddOutputPath(output, filepath.Join(f.dir, "never", name, output))
	}
	s.AddJobArg("job_type", name)
	f.p.DAG.Nodes = append(f.p.DAG.Nodes, name)
	f.p.Specs[name] = s
	return s
}

func (f *factory) edge(from string, to ...string) {
	for _, dest := range to {
		f.p.DAG.Edges = append(f.p.DAG.Edges, [2]string{from, dest})
	}
}

func (f *factory) work() string { return filepath.Join(f.dir, "work") }

func (f *factory) run(o *scriptspec.PipelineOptions) *scriptspec.PipelineTestResult {
	f.t.Helper()
	if o == nil {
		o = &scriptspec.PipelineOptions{}
	}
	if o.WorkDir == "" {
		o.WorkDir = f.work()
	}
	result, err := f.tester.TestPipeline(f.t.Context(), f.p, o)
	require.NoError(f.t, err)
	return result
}

// statuses writes what became of each node: its status, and the reason behind it if there is one.
func statuses(r *scriptspec.PipelineTestResult) map[string]string {
	m := map[string]string{}
	for _, n := range r.Nodes {
		m[n.Node] = strings.TrimSuffix(string(n.Status)+": "+n.Reason, ": ")
	}
	return m
}

func (f *factory) output(node, name string) string {
	f.t.Helper()
	data, err := os.ReadFile(filepath.Join(f.work(), node, name, name+".txt"))
	require.NoError(f.t, err)
	return string(data)
}

// diamond is Load, which has no script, two nodes of one script, and one that joins them.
func diamond(t *testing.T) *factory {
	t.Helper()
	f := newFactory(t)
	f.p.DAG.Nodes = []string{"Load"}
	load := scriptspec.New("load", "Load", "")
	load.AddOutputPath("raw", filepath.Join(f.dir, "shards"))
	write(t, filepath.Join(f.dir, "shards", "a.csv"), "a\n1\n")
	write(t, filepath.Join(f.dir, "shards", "deep", "b.csv"), "a\n2\n")
	f.p.Specs["Load"], f.p.Skip["Load"] = load, "its data is there"
	f.node("Prep_training", joins, []string{"raw", "config"}, []string{"train_set"})
	f.node("Prep_validation", joins, []string{"raw", "config"}, []string{"validation_set"})
	f.node("Train", joins, []string{"train_set", "validation_set"}, []string{"model", "metrics"})
	f.edge("Load", "Prep_training", "Prep_validation")
	f.edge("Prep_training", "Train")
	f.edge("Prep_validation", "Train")
	return f
}

func TestPipelineDiamond(t *testing.T) {
	t.Parallel()
	f := diamond(t)
	f.p.Specs["Train"].(*scriptspec.ScriptExecutionSpec).AddEnvironVar("TOKEN", sentinel)
	before := map[string]*scriptspec.ScriptExecutionSpec{}
	for node, s := range f.p.Specs {
		before[node] = s.Basic()
	}
	var events []scriptspec.PipelineEvent
	r := f.run(&scriptspec.PipelineOptions{Progress: func(e scriptspec.PipelineEvent) { events = append(events, e) }})
	assert.True(t, r.Success)
	assert.Equal(t, map[string]string{"Load": "skipped: its data is there", "Prep_training": "passed", "Prep_validation": "passed", "Train": "passed"}, statuses(r))
	assert.Equal(t, "Train(Prep_training(raw,a\n1\na\n2\n),Prep_validation(raw,a\n1\na\n2\n))", f.output("Train", "model"))

	assert.Equal(t, 2, r.Version)
	assert.Equal(t, "p", r.Name)
	assert.Equal(t, f.work(), r.WorkDir)
	assert.Positive(t, r.Duration)
	assert.False(t, r.StartedAt.IsZero())
	levels := []int{}
	for _, n := range r.Nodes {
		levels = append(levels, n.Level)
		assert.Equal(t, n.Status == scriptspec.NodePassed, n.Result != nil, n.Node)
		assert.LessOrEqual(t, n.Started+n.Duration, r.Duration)
	}
	assert.Equal(t, []int{0, 1, 1, 2}, levels)
	require.Len(t, r.Edges, 4)
	assert.Equal(t, scriptspec.EdgeResult{
		Source: "Load", Dest: "Prep_training", DestStatus: scriptspec.NodePassed,
		Transfers: []scriptspec.Transfer{{
			Source: "Load", Dest: "Prep_training", Output: "raw", Input: "raw", MatchType: scriptspec.MatchExactLogical, Confidence: 1,
			Path: filepath.Join(f.dir, "shards"), Files: 2, Bytes: 8, Formats: r.Edges[0].Transfers[0].Formats, Problems: []string{},
		}},
	}, r.Edges[0])
	assert.Equal(t, filepath.Join(f.work(), "Prep_training", "train_set"), r.Edges[2].Transfers[0].Path)

	// Specs and what they name are as they were; nothing was written elsewhere.
	for node, s := range f.p.Specs {
		assert.True(t, before[node].Equal(s.Basic()), node)
	}
	_, err := os.Stat(filepath.Join(f.dir, "never"))
	require.ErrorIs(t, err, fs.ErrNotExist)

	// Environment values are nowhere: not in the result, not in what is kept of it.
	data, err := json.Marshal(r)
	require.NoError(t, err)
	assert.NotContains(t, string(data)+fmt.Sprintf("%+v", r), sentinel)
	require.NoError(t, filepath.WalkDir(f.work(), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			data, err := os.ReadFile(path)
			assert.NotContains(t, string(data), sentinel, path)
			return err
		}
		return err
	}))

	// One ending event for each node, in order, and a start for those that were run.
	started, ended := []string{}, map[string]int{}
	at := time.Duration(0)
	for _, e := range events {
		assert.GreaterOrEqual(t, e.At, at)
		at = e.At
		if e.Result == nil {
			started = append(started, e.Node)
			continue
		}
		assert.Equal(t, e.Node, e.Result.Node)
		assert.Equal(t, e.Node == "Load", e.Result.Status == scriptspec.NodeSkipped)
		ended[e.Node]++
	}
	require.NotNil(t, events[0].Result, "what is skipped does not start")
	assert.Equal(t, []string{"Prep_training", "Prep_validation", "Train"}, started)
	assert.Equal(t, map[string]int{"Load": 1, "Prep_training": 1, "Prep_validation": 1, "Train": 1}, ended)
}

func TestPipelineFailureInTheMiddle(t *testing.T) {
	t.Parallel()
	f := newFactory(t)
	f.node("Load", joins, []string{"raw"}, []string{"data"})
	f.node("Broken", alwaysFails, []string{"data"}, []string{"set"})
	f.node("Train", joins, []string{"set"}, []string{"model"})
	f.node("Eval", joins, []string{"model", "other"}, []string{"metrics"})
	f.node("Other", joins, []string{"data"}, []string{"other"})
	f.edge("Load", "Broken", "Other")
	f.edge("Broken", "Train")
	f.edge("Train", "Eval")
	f.edge("Other", "Eval")
	r := f.run(nil)
	assert.False(t, r.Success)
	assert.Equal(t, map[string]string{
		"Load": "passed", "Other": "passed", "Broken": "failed: ValueError: no rows",
		"Train": "blocked: depends on Broken, which failed", "Eval": "blocked: depends on Broken, which failed",
	}, statuses(r))
	for _, e := range r.Edges {
		assert.Equal(t, e.Dest == "Broken" || e.Dest == "Other", len(e.Transfers) == 1, "%s -> %s", e.Source, e.Dest)
		assert.NotNil(t, e.Transfers)
	}
}

func TestPipelineRefusesToStart(t *testing.T) {
	t.Parallel()
	tester := &scriptspec.RuntimeTester{}
	for _, p := range []*scriptspec.PipelineTestingSpec{nil, {}} {
		_, err := tester.TestPipeline(t.Context(), p, nil)
		assert.Equal(t, []problem{{"dag", scriptspec.CodeRequired, "dag is required"}}, problems(t, err))
	}
	f := diamond(t)
	f.edge("Train", "Prep_training")
	_, err := tester.TestPipeline(t.Context(), f.p, nil)
	_, ok := errors.AsType[*scriptspec.CycleError](err)
	assert.True(t, ok)

	f = diamond(t)
	delete(f.p.Specs, "Prep_training")
	_, err = tester.TestPipeline(t.Context(), f.p, &scriptspec.PipelineOptions{WorkDir: f.work(), From: []string{"Trian"}})
	assert.Equal(t, []problem{
		{`specs["Prep_training"]`, scriptspec.CodeMissing, "node Prep_training has no spec, and is not declared to have no script"},
		{`options.from["Trian"]`, scriptspec.CodeUnknownNode, "there is no node Trian"},
	}, problems(t, err))

	f = diamond(t)
	same, _ := f.p.Specs["Prep_training"].Basic().OutputPath("train_set")
	f.p.Specs["Prep_validation"].(*scriptspec.ScriptExecutionSpec).AddOutputPath("validation_set", same)
	_, err = tester.TestPipeline(t.Context(), f.p, nil)
	assert.Equal(t, []problem{{
		`specs["Prep_validation"].output_paths["validation_set"]`, scriptspec.CodeDuplicate,
		"output validation_set of Prep_validation is also output train_set of Prep_training: " + same,
	}}, problems(t, err))

	f = diamond(t)
	_, err = (&scriptspec.RuntimeTester{Python: "no-such-python"}).TestPipeline(t.Context(), f.p, &scriptspec.PipelineOptions{WorkDir: f.work()})
	require.ErrorIs(t, err, exec.ErrNotFound)
	_, err = tester.TestPipeline(t.Context(), f.p, &scriptspec.PipelineOptions{Timeout: -1, Parallelism: -1, Only: []string{"Load"}, To: []string{"Load"}})
	assert.Len(t, problems(t, err), 3)
	_, err = os.Stat(f.work())
	require.ErrorIs(t, err, fs.ErrNotExist, "nothing was made")
}

func TestPipelineSemanticPair(t *testing.T) {
	t.Parallel()
	f := newFactory(t)
	f.node("Load", joins, []string{"raw"}, []string{"training_data"})
	f.node("Train", joins, []string{"train_data"}, []string{"model"})
	f.edge("Load", "Train")
	tester := &scriptspec.RuntimeTester{}
	_, err := tester.TestPipeline(t.Context(), f.p, nil)
	got := problems(t, err)
	require.Len(t, got, 1)
	assert.Equal(t, scriptspec.CodeUnconfirmed, got[0].code)

	r := f.run(&scriptspec.PipelineOptions{AllowSemantic: true})
	assert.True(t, r.Success)
	assert.Equal(t, scriptspec.MatchSemantic, r.Edges[0].Transfers[0].MatchType)
	assert.Equal(t, "Train(Load(raw))", f.output("Train", "model"))

	f.p.Wires = []scriptspec.Wire{{Source: "Load", Output: "training_data", Dest: "Train", Input: "train_data"}}
	r = f.run(nil)
	assert.True(t, r.Success)
	assert.Equal(t, scriptspec.MatchWired, r.Edges[0].Transfers[0].MatchType)
}

// A scriptless node without data, and checks that find something: the consumer is run all the same.
func TestPipelineHandsOver(t *testing.T) {
	t.Parallel()
	f := diamond(t)
	require.NoError(t, os.RemoveAll(filepath.Join(f.dir, "shards")))
	r := f.run(nil)
	assert.Equal(t, map[string]string{
		"Load": "skipped: its data is there", "Train": "blocked: depends on Prep_training and Prep_validation, which failed",
		"Prep_training":   "failed: Input path 'raw' does not exist: " + filepath.Join(f.dir, "shards"),
		"Prep_validation": "failed: Input path 'raw' does not exist: " + filepath.Join(f.dir, "shards"),
	}, statuses(r))
	assert.Equal(t, scriptspec.OutcomeInputMissing, r.Nodes[1].Result.Outcome)
	assert.Zero(t, r.Edges[0].Transfers[0].Files)

	f = diamond(t)
	r = f.run(&scriptspec.PipelineOptions{Checkers: []scriptspec.Checker{
		func(_ context.Context, d scriptspec.Transfer) error {
			if d.Output == "raw" {
				return nil
			}
			return fmt.Errorf("%s.%s to %s.%s at %s", d.Source, d.Output, d.Dest, d.Input, filepath.Base(d.Path))
		},
		func(context.Context, scriptspec.Transfer) error { return errors.New("never right\n") },
	}})
	assert.False(t, r.Success)
	assert.Equal(t, "passed", statuses(r)["Train"])
	assert.Equal(t, []string{"never right"}, r.Edges[0].Transfers[0].Problems)
	assert.Equal(t, []string{"Prep_training.train_set to Train.train_set at train_set", "never right"}, r.Edges[2].Transfers[0].Problems)
}

// An enhanced spec, a path that is no name, and a node that runs twice: what it wrote before is gone.
func TestPipelineClearsWhatANodeWrote(t *testing.T) {
	t.Parallel()
	f := newFactory(t)
	s := f.node("Load", joins, []string{"raw"}, []string{"data"})
	s.AddOutputPath("../a/b", filepath.Join(f.dir, "never", "b"))
	s.AddOutputPath("DATA", filepath.Join(f.dir, "never", "c"))
	write(t, s.ScriptPath, strings.ReplaceAll(joins, `name + ".txt"`, `"out.txt"`))
	f.p.Specs["Load"] = scriptspec.Enhance(s, nil)
	outside := filepath.Join(f.dir, "outside")
	write(t, filepath.Join(outside, "data", "keep"), "mine")
	require.True(t, f.run(nil).Success)
	write(t, filepath.Join(f.work(), "Load", "old"), "")
	require.True(t, f.run(nil).Success)
	entries, err := os.ReadDir(filepath.Join(f.work(), "Load"))
	require.NoError(t, err)
	names := []string{}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	assert.Equal(t, []string{".._a_b", "DATA", "data_2"}, names)

	// A link in the place of the directory is not followed.
	require.NoError(t, os.RemoveAll(filepath.Join(f.work(), "Load")))
	require.NoError(t, os.Symlink(outside, filepath.Join(f.work(), "Load")))
	require.True(t, f.run(nil).Success)
	data, err := os.ReadFile(filepath.Join(outside, "data", "keep"))
	require.NoError(t, err)
	assert.Equal(t, "mine", string(data))
}

func TestPipelineWorkDir(t *testing.T) {
	t.Parallel()
	f := diamond(t)
	write(t, filepath.Join(f.work(), "Train", "thesis.tex"), "years of work")
	_, err := f.tester.TestPipeline(t.Context(), f.p, &scriptspec.PipelineOptions{WorkDir: f.work()})
	fe, ok := errors.AsType[*scriptspec.FieldError](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, scriptspec.CodeNotEmpty, fe.Code)
	assert.Contains(t, fe.Message, filepath.Join(f.work(), "Train"))
	data, err := os.ReadFile(filepath.Join(f.work(), "Train", "thesis.tex"))
	require.NoError(t, err)
	assert.Equal(t, "years of work", string(data))

	_, err = f.tester.TestPipeline(t.Context(), f.p, &scriptspec.PipelineOptions{WorkDir: filepath.Join(f.dir, "raw.txt")})
	require.Error(t, err)

	// Without a name it is a new one, which stays.
	r, err := f.tester.TestPipeline(t.Context(), f.p, nil)
	require.NoError(t, err)
	assert.FileExists(t, filepath.Join(r.WorkDir, "Train", "model", "model.txt"))
	require.NoError(t, os.RemoveAll(r.WorkDir))
}

const deletes = `
import os
def main(input_paths, output_paths, environ_vars, job_args):
    for name in os.listdir(input_paths["data"]):
        os.remove(os.path.join(input_paths["data"], name))
    for path in output_paths.values():
        with open(os.path.join(path, "out.txt"), "w") as f:
            f.write("x")
`

// A node that deletes what its sibling reads is found out, whichever of them comes first.
func TestPipelineNodeThatDeletesItsInput(t *testing.T) {
	t.Parallel()
	f := newFactory(t)
	f.node("Load", joins, []string{"raw"}, []string{"data"})
	f.node("Delete", deletes, []string{"data"}, []string{"a"})
	f.node("Read", joins, []string{"data"}, []string{"b"})
	f.edge("Load", "Delete", "Read")
	r := f.run(&scriptspec.PipelineOptions{Parallelism: 1})
	assert.False(t, r.Success)
	file := filepath.Join(f.work(), "Load", "data", "data.txt")
	assert.Equal(t, map[string]string{
		"Load":   "passed",
		"Delete": "failed: data of input data, which is output data of Load, was changed while it ran: " + file + " is gone",
		"Read":   "failed: input data cannot be fed: output data of Load is no longer as it was made: " + file + " is gone",
	}, statuses(r))

	// Its source is not to be reused as if nothing had happened.
	_, err := f.tester.TestPipeline(t.Context(), f.p, &scriptspec.PipelineOptions{WorkDir: f.work(), Only: []string{"Read"}})
	got := problems(t, err)
	require.Len(t, got, 1)
	assert.Equal(t, "node Load is not part of this run and has data that was changed after it had ended: "+file+" is gone", got[0].message)

	f.p.DAG.Nodes = []string{"Load", "Read", "Delete"}
	r = f.run(&scriptspec.PipelineOptions{Parallelism: 1})
	assert.Equal(t, "passed", statuses(r)["Read"])
	assert.Equal(t, "failed: data of input data, which is output data of Load, was changed while it ran: "+file+" is gone", statuses(r)["Delete"])
}

// Data that changes by no node's doing, after its node had ended, is found at the end.
func TestPipelineDataChangedByNobody(t *testing.T) {
	t.Parallel()
	f := newFactory(t)
	f.node("Load", joins, []string{"raw"}, []string{"data"})
	f.node("Next", joins, []string{"data"}, []string{"more"})
	f.edge("Load", "Next")
	r := f.run(&scriptspec.PipelineOptions{Progress: func(e scriptspec.PipelineEvent) {
		if e.Node == "Next" && e.Result != nil {
			write(t, filepath.Join(f.work(), "Load", "data", "more.txt"), "x")
		}
	}})
	assert.False(t, r.Success)
	assert.Equal(t, map[string]string{
		"Load": "failed: data of output data was changed after the node had ended: " + filepath.Join(f.work(), "Load", "data", "more.txt") + " was added",
		"Next": "passed",
	}, statuses(r))
}

// Whatever a script does to its input is found, also where it covers its tracks.
func TestPipelineChangesOfAnInput(t *testing.T) {
	t.Parallel()
	const head = "import os\ndef main(input_paths, output_paths, environ_vars, job_args):\n" +
		"    open(os.path.join(output_paths['b'], 'out.txt'), 'w').write('x')\n" +
		"    data = os.path.join(input_paths['data'], 'data.txt')\n    old = os.stat(data)\n"
	for name, test := range map[string]struct{ does, what string }{
		"longer, with its old time": {"    open(data, 'a').write('x')\n    os.utime(data, ns=(old.st_atime_ns, old.st_mtime_ns))\n", "data.txt was changed"},
		"the same length":           {"    text = open(data).read()\n    open(data, 'w').write(text)\n    os.utime(data, ns=(1, 1))\n", "data.txt was changed"},
		"a directory":               {"    os.remove(data)\n    os.mkdir(data)\n", "data.txt is gone"},
		"a file more":               {"    open(data + '.index', 'w').write('x')\n", "data.txt.index was added"},
		"nothing":                   {"    open(data).read()\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFactory(t)
			f.node("Load", joins, []string{"raw"}, []string{"data"})
			f.node("Next", head+test.does, []string{"data"}, []string{"b"})
			f.edge("Load", "Next")
			r := f.run(nil)
			assert.Equal(t, test.what == "", r.Success)
			assert.True(t, strings.HasSuffix(statuses(r)["Next"], test.what), "%v", statuses(r))
			assert.Equal(t, "passed", statuses(r)["Load"])
		})
	}
}
