//go:build unix

package scriptspec_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// What a script puts where our records are is replaced, not followed or waited for.
func TestPipelineRecordsAreOurs(t *testing.T) {
	t.Parallel()
	for name, does := range map[string]string{
		"FIFO":      "os.mkfifo(record)",
		"link":      "os.symlink('../Load/data/data.txt', record)",
		"directory": "os.makedirs(record + '/x')",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFactory(t)
			f.node("Load", "import os\ndef main(output_paths):\n    with open(output_paths['data'] + '/data.txt', 'w') as f:\n        f.write('data')\n"+
				"    for node in ('Load', 'Next'):\n        record = output_paths['data'] + '/../../.scriptspec/' + node + '.json'\n        "+does+"\n", nil, []string{"data"})
			f.node("Next", joins, []string{"data"}, []string{"more"})
			f.edge("Load", "Next")
			for range 2 {
				r := f.run(nil)
				assert.Equal(t, map[string]string{"Load": "passed", "Next": "passed"}, statuses(r))
			}
			r := f.run(&scriptspec.PipelineOptions{Only: []string{"Next"}})
			assert.Equal(t, map[string]string{"Load": "reused: passed in an earlier run", "Next": "passed"}, statuses(r))
		})
	}
}

// Data carries a secret from one node to another, and none of them shows it.
func TestPipelineHidesSecretsOfOtherNodes(t *testing.T) {
	t.Parallel()
	f := newFactory(t)
	load := f.node("Load", "import os\ndef main(output_paths):\n    with open(output_paths['data'] + '/' + os.environ['TOKEN'] + '.json', 'w') as f:\n        f.write(os.environ['TOKEN'])\n", nil, []string{"data"})
	load.AddEnvironVar("TOKEN", sentinel)
	f.node("Next", "import os\ndef main(input_paths):\n    name = os.listdir(input_paths['data'])[0]\n    print(name)\n    os.remove(input_paths['data'] + '/' + name)\n    raise ValueError(name)\n", []string{"data"}, nil)
	f.edge("Load", "Next")
	r := f.run(nil)
	assert.Equal(t, "failed", string(r.Nodes[1].Status))
	require.Len(t, r.Edges[0].Transfers[0].Problems, 1)
	var b bytes.Buffer
	data, err := json.Marshal(r)
	require.NoError(t, err)
	b.Write(data)
	for _, write := range reportsOf(t, r) {
		require.NoError(t, write(&b))
	}
	records, err := filepath.Glob(filepath.Join(f.work(), ".scriptspec", "*.json"))
	require.NoError(t, err)
	require.Len(t, records, 2)
	for _, record := range records {
		data, err := os.ReadFile(record)
		require.NoError(t, err)
		b.Write(data)
	}
	assert.Contains(t, b.String(), "[redacted: TOKEN]")
	assert.NotContains(t, b.String(), sentinel)
}

// An output that became a link, or has one to a directory elsewhere, is handed to nobody, whatever OutputCheck says.
func TestPipelineOutputBecomesALink(t *testing.T) {
	t.Parallel()
	elsewhere := t.TempDir()
	write(t, filepath.Join(elsewhere, "not_its_own.txt"), "x")
	for does, want := range map[string]string{
		"os.rmdir(out)\n    os.symlink(elsewhere, out)":                        "failed: an output has no data: 'data': it is not there any more: in its place is a link to " + elsewhere,
		"os.symlink(elsewhere, out + '/link')":                                 "failed: output data cannot be handed on: WORK/link leads out of the directory: " + elsewhere,
		"os.rmdir(out)\n    open(out, 'w').write('a file')":                    "failed: output data is not the directory any more that it was given: WORK",
		"os.mkdir(out + '/../mine')\n    os.symlink('../mine', out + '/link')": "passed",
	} {
		f := newFactory(t)
		f.tester.OutputCheck = func(string, scriptspec.OutputInfo) error { return nil }
		f.node("Load", "import os\ndef main(output_paths):\n    out, elsewhere = output_paths['data'], "+strconv.Quote(elsewhere)+"\n    "+does+"\n", nil, []string{"data"})
		f.node("Next", "def main(output_paths):\n    pass\n", []string{"data"}, nil)
		f.edge("Load", "Next")
		r := f.run(&scriptspec.PipelineOptions{Checkers: []scriptspec.Checker{}})
		assert.Equal(t, strings.ReplaceAll(want, "WORK", filepath.Join(f.work(), "Load", "data")), statuses(r)["Load"])
		if want != "passed" {
			assert.Equal(t, "blocked: depends on Load, which failed", statuses(r)["Next"])
			assert.Empty(t, r.Edges[0].Transfers)
		}
	}
}

// What a node has damaged is given to no other, and not reused.
func TestPipelineDamagedDataIsNotHandedOn(t *testing.T) {
	t.Parallel()
	f := newFactory(t)
	f.tester.HashInputs = true
	f.node("Load", joins, []string{"raw"}, []string{"data"})
	f.node("Break", "import os\ndef main(input_paths):\n    path = input_paths['data'] + '/data.txt'\n    old = os.stat(path)\n    text = open(path).read()\n    open(path, 'w').write(text[::-1])\n    os.utime(path, ns=(old.st_atime_ns, old.st_mtime_ns))\n", []string{"data"}, nil)
	f.node("Read", joins, []string{"data"}, []string{"more"})
	f.p.DAG.Edges = [][2]string{{"Load", "Break"}, {"Load", "Read"}}
	r := f.run(&scriptspec.PipelineOptions{Parallelism: 1})
	got := statuses(r)
	assert.Contains(t, got["Break"], "failed: data of input data, which is output data of Load, was changed while it ran")
	assert.Contains(t, got["Read"], "failed: input data cannot be fed: output data of Load is no longer as it was made")
	refused := f.refused(&scriptspec.PipelineOptions{Only: []string{"Read"}})
	require.Len(t, refused, 1)
	assert.Contains(t, refused[0].message, "node Load is not part of this run and has data that was changed after it had ended")
}

// Reuse looks at the data and at the specs of all that it was made of.
func TestPipelineReuseIsOfTheSame(t *testing.T) {
	t.Parallel()
	f := newFactory(t)
	a := f.node("A", joins, []string{"raw"}, []string{"a"})
	f.node("B", joins, []string{"a"}, []string{"b", "unused"})
	f.node("C", joins, []string{"b"}, []string{"c"})
	f.edge("A", "B")
	f.edge("B", "C")
	from := func() *scriptspec.PipelineOptions { return &scriptspec.PipelineOptions{From: []string{"C"}} }
	require.True(t, f.run(nil).Success)
	require.True(t, f.run(from()).Success)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := f.tester.TestPipeline(ctx, f.p, &scriptspec.PipelineOptions{WorkDir: f.work()})
	require.ErrorIs(t, err, context.Canceled)
	require.True(t, f.run(from()).Success, "a run that was over before it began has changed nothing")
	require.NoError(t, os.RemoveAll(filepath.Join(f.work(), "B", "unused")))
	require.True(t, f.run(from()).Success, "nobody needs it")
	a.AddJobArg("other", 1)
	assert.Contains(t, f.refused(from())[0].message, "node B is not part of this run and passed with another spec")
	delete(a.JobArgs, "other")
	a.AddOutputPath("a", "/elsewhere")
	require.True(t, f.run(from()).Success, "the run has its own paths")
	write(t, filepath.Join(f.work(), "B", "b", "b.txt"), "other data")
	assert.Contains(t, f.refused(from())[0].message, "its output b is not as it was made")
	_, err = f.tester.TestPipeline(t.Context(), f.p, &scriptspec.PipelineOptions{From: []string{"C"}, To: []string{"A"}})
	assert.Contains(t, problems(t, err)[0].message, "nothing would be run")
}

// Progress that leaves, and checkers that panic, leave no script behind.
func TestPipelineCallbacksThatLeave(t *testing.T) {
	t.Parallel()
	f := newFactory(t)
	f.node("Load", joins, []string{"raw"}, []string{"data"})
	f.node("Next", joins, []string{"data"}, []string{"more"})
	f.edge("Load", "Next")
	left := make(chan struct{})
	go func() {
		defer close(left)
		f.run(&scriptspec.PipelineOptions{Progress: func(scriptspec.PipelineEvent) { runtime.Goexit() }})
	}()
	<-left
	r := f.run(&scriptspec.PipelineOptions{Checkers: []scriptspec.Checker{func(context.Context, scriptspec.Transfer) error { panic("no") }}})
	assert.Equal(t, []string{"the checker panicked: no"}, r.Edges[0].Transfers[0].Problems)
	r = f.run(&scriptspec.PipelineOptions{Checkers: []scriptspec.Checker{func(context.Context, scriptspec.Transfer) error {
		runtime.Goexit()
		return nil
	}}})
	assert.Contains(t, r.Edges[0].Transfers[0].Problems[0], "the checker left by runtime.Goexit")
	assert.False(t, r.Success)
	for does, leave := range map[string]func(){"panicked: no": func() { panic("no") }, "left by runtime.Goexit": runtime.Goexit} {
		f.tester.OutputCheck = func(string, scriptspec.OutputInfo) error {
			leave()
			return nil
		}
		got := statuses(f.run(nil))
		assert.Contains(t, got["Load"], "failed: an output was refused by OutputCheck: 'data': it "+does)
		assert.Equal(t, "blocked: depends on Load, which failed", got["Next"])
	}
	f.tester.OutputCheck = nil
	_, err := f.tester.TestPipeline(t.Context(), f.p, &scriptspec.PipelineOptions{Checkers: []scriptspec.Checker{nil}})
	assert.Equal(t, []problem{{"options.checkers", scriptspec.CodeEmpty, "a checker is nil"}}, problems(t, err))
}

// leaving is an error whose text leaves, and nilError one whose text panics if it is nil.
type leaving struct{}

func (leaving) Error() string {
	runtime.Goexit()
	return ""
}

type nilError struct{ text string }

func (e *nilError) Error() string { return e.text }

// The text of an error is a caller's code like the rest.
func TestPipelineErrorsThatLeave(t *testing.T) {
	t.Parallel()
	f := newFactory(t)
	f.node("Load", joins, []string{"raw"}, []string{"data"})
	f.node("Next", joins, []string{"data"}, []string{"more"})
	f.edge("Load", "Next")
	var none *nilError
	for name, check := range map[string]func() error{
		"typed nil":         func() error { return none },
		"text that leaves":  func() error { return leaving{} },
		"panic that leaves": func() error { panic(leaving{}) },
	} {
		r := f.run(&scriptspec.PipelineOptions{Checkers: []scriptspec.Checker{func(context.Context, scriptspec.Transfer) error { return check() }}})
		assert.False(t, r.Success, name)
		assert.Regexp(t, "^the checker (left|panicked)", r.Edges[0].Transfers[0].Problems[0], name)
		f.tester.OutputCheck = func(string, scriptspec.OutputInfo) error { return check() }
		assert.Regexp(t, "refused by OutputCheck: 'data': it (left|panicked)", statuses(f.run(nil))["Load"], name)
		f.tester.OutputCheck = nil
	}
}

// Files without an end are not read to it.
func TestPipelineDataWithoutEnd(t *testing.T) {
	t.Parallel()
	if !onLinux {
		t.Skip("needs /proc")
	}
	f := newFactory(t)
	f.node("Load", "import os, sys, types\ndef main(output_paths):\n    with open(output_paths['data'] + '/x', 'w') as f:\n        f.write('x')\n    os.symlink('/proc/self/pagemap', output_paths['data'] + '/link')\n"+
		"    module = types.ModuleType('m')\n    module.__file__ = '/proc/kmsg'\n    sys.modules['m'] = module\n", nil, []string{"data"})
	f.node("Next", "def main(output_paths):\n    pass\n", []string{"data"}, nil)
	f.edge("Load", "Next")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err := f.tester.TestPipeline(ctx, f.p, &scriptspec.PipelineOptions{WorkDir: f.work(), Checkers: []scriptspec.Checker{}})
	require.NoError(t, err)
}
