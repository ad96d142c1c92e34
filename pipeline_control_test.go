package scriptspec_test

import (
	"bufio"
	"context"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// waits is a script that reports to the test that it runs, and does what it is told.
const waits = `
import os, socket
def main(input_paths, output_paths, environ_vars, job_args):
    with socket.create_connection(("127.0.0.1", job_args.port)) as s:
        s.sendall((job_args.job_type + "\n").encode())
        if s.recv(16) == b"fail":
            raise ValueError("told to")
    for path in output_paths.values():
        with open(os.path.join(path, "out.txt"), "w") as f:
            f.write("x")
`

// gate is where the scripts report.
type gate struct {
	t        *testing.T
	listener net.Listener
	at       map[string]net.Conn
}

func newGate(t *testing.T) *gate {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, l.Close()) })
	return &gate{t: t, listener: l, at: map[string]net.Conn{}}
}

// await returns the node of the next script that runs.
func (g *gate) await() string {
	g.t.Helper()
	conn, err := g.listener.Accept()
	require.NoError(g.t, err)
	line, err := bufio.NewReader(conn).ReadString('\n')
	require.NoError(g.t, err)
	node := strings.TrimSpace(line)
	g.at[node] = conn
	return node
}

// tell lets a script go on, or fail.
func (g *gate) tell(node, what string) {
	g.t.Helper()
	_, err := g.at[node].Write([]byte(what))
	require.NoError(g.t, err)
}

// gone waits until a script has ended, by itself or not.
func (g *gate) gone(node string) {
	g.t.Helper()
	_, err := g.at[node].Read(make([]byte, 1))
	require.Error(g.t, err)
	_ = g.at[node].Close() // it is
}

func (f *factory) waiting(g *gate, name string, inputs, outputs []string) {
	f.t.Helper()
	f.node(name, waits, inputs, outputs).AddJobArg("port", g.listener.Addr().(*net.TCPAddr).Port)
}

// outcome is what TestPipeline returns.
type outcome struct {
	result *scriptspec.PipelineTestResult
	err    error
}

func (f *factory) start(ctx context.Context, o *scriptspec.PipelineOptions) <-chan outcome {
	o.WorkDir = f.work()
	done := make(chan outcome, 1)
	go func() {
		result, err := f.tester.TestPipeline(ctx, f.p, o)
		done <- outcome{result, err}
	}()
	return done
}

// A node starts when those before it have ended, whatever else of its level still runs.
func TestPipelineDoesNotWaitForALevel(t *testing.T) {
	t.Parallel()
	f, g := newFactory(t), newGate(t)
	f.waiting(g, "A", []string{"x"}, []string{"a"})
	f.waiting(g, "B", []string{"x"}, []string{"b"})
	f.waiting(g, "C", []string{"a"}, []string{"c"})
	f.edge("A", "C")
	done := f.start(t.Context(), &scriptspec.PipelineOptions{Parallelism: 2})
	assert.ElementsMatch(t, []string{"A", "B"}, []string{g.await(), g.await()})
	g.tell("A", "go on")
	assert.Equal(t, "C", g.await(), "while B still runs")
	g.tell("C", "go on")
	g.gone("C")
	g.tell("B", "go on")
	end := <-done
	require.NoError(t, end.err)
	assert.True(t, end.result.Success, "%v", statuses(end.result))
}

func TestPipelineParallelism(t *testing.T) {
	t.Parallel()
	f := newFactory(t)
	for _, name := range []string{"A", "B", "C", "D", "E"} {
		f.node(name, joins, []string{"x"}, []string{strings.ToLower(name)})
	}
	for _, limit := range []int{1, 2} {
		running, most := 0, 0
		r := f.run(&scriptspec.PipelineOptions{Parallelism: limit, Progress: func(e scriptspec.PipelineEvent) {
			running--
			if e.Result == nil {
				running += 2
			}
			most = max(most, running)
		}})
		assert.True(t, r.Success)
		assert.Equal(t, limit, most)
	}
}

func TestPipelineFailFast(t *testing.T) {
	t.Parallel()
	f, g := newFactory(t), newGate(t)
	f.waiting(g, "A", []string{"x"}, []string{"a"})
	f.waiting(g, "B", []string{"x"}, []string{"b"})
	f.waiting(g, "C", []string{"x"}, []string{"c"})
	f.waiting(g, "D", []string{"a"}, []string{"d"})
	f.waiting(g, "E", []string{"b"}, []string{"e"})
	f.edge("A", "D")
	f.edge("B", "E")
	done := f.start(t.Context(), &scriptspec.PipelineOptions{Parallelism: 2, FailFast: true})
	assert.ElementsMatch(t, []string{"A", "B"}, []string{g.await(), g.await()})
	g.tell("A", "fail")
	g.gone("A")
	g.gone("B")
	end := <-done
	require.NoError(t, end.err, "a failure is a result")
	assert.False(t, end.result.Success)
	const why = "the run was ended: A failed, and the run is to fail fast"
	assert.Equal(t, map[string]string{
		"A": "failed: ValueError: told to", "B": "cancelled: running when " + why, "C": "cancelled: not begun when " + why,
		"D": "blocked: depends on A, which failed", "E": "cancelled: not begun when " + why,
	}, statuses(end.result))
	for _, n := range end.result.Nodes {
		assert.Equal(t, n.Node == "A", n.Result != nil, n.Node)
	}
}

// Cancelling ends every script and says which were running.
func TestPipelineCancelInTheMiddle(t *testing.T) {
	t.Parallel()
	f, g := newFactory(t), newGate(t)
	f.node("Fail", alwaysFails, []string{"x"}, []string{"f"})
	f.node("Behind", joins, []string{"f"}, []string{"g"})
	f.node("Load", joins, []string{"x"}, []string{"data"})
	f.waiting(g, "A", []string{"data"}, []string{"a"})
	f.waiting(g, "B", []string{"data"}, []string{"b"})
	f.waiting(g, "C", []string{"a"}, []string{"c"})
	f.edge("Load", "A", "B")
	f.edge("A", "C")
	f.edge("Fail", "Behind")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	failed := make(chan struct{})
	done := f.start(ctx, &scriptspec.PipelineOptions{Parallelism: 2, Progress: func(e scriptspec.PipelineEvent) {
		if e.Node == "Behind" {
			close(failed)
		}
	}})
	assert.ElementsMatch(t, []string{"A", "B"}, []string{g.await(), g.await()})
	<-failed
	noMore := errors.New("no more time")
	cancel(noMore)
	g.gone("A")
	g.gone("B")
	end := <-done
	require.ErrorIs(t, end.err, noMore)
	require.NotNil(t, end.result)
	assert.False(t, end.result.Success)
	assert.Equal(t, map[string]string{
		"Load": "passed", "Fail": "failed: ValueError: no rows", "Behind": "blocked: depends on Fail, which failed",
		"A": "cancelled: running when the run was ended: no more time", "B": "cancelled: running when the run was ended: no more time",
		"C": "cancelled: not begun when the run was ended: no more time",
	}, statuses(end.result))

	// Before anything has begun it is the same.
	end = <-f.start(ctx, &scriptspec.PipelineOptions{})
	require.ErrorIs(t, end.err, noMore)
	require.NotNil(t, end.result)
	assert.Equal(t, scriptspec.NodeCancelled, end.result.Nodes[0].Status)
	assert.NotContains(t, statuses(end.result), "passed")
}

// Two runs in one work directory would clear each other's data.
func TestPipelineWorkDirHasOneRun(t *testing.T) {
	t.Parallel()
	f, g := newFactory(t), newGate(t)
	f.waiting(g, "A", []string{"x"}, []string{"a"})
	done := f.start(t.Context(), &scriptspec.PipelineOptions{})
	g.await()
	end := <-f.start(t.Context(), &scriptspec.PipelineOptions{})
	require.ErrorIs(t, end.err, scriptspec.ErrLocked)
	assert.Nil(t, end.result)
	g.tell("A", "go on")
	end = <-done
	require.NoError(t, end.err)
	assert.True(t, end.result.Success)
}

// Nodes that have the same input at the same time cannot be told apart when it changes.
func TestPipelineInputChangedBesideOthers(t *testing.T) {
	t.Parallel()
	f, g := newFactory(t), newGate(t)
	f.node("Load", joins, []string{"x"}, []string{"data"})
	f.waiting(g, "Reads", []string{"data"}, []string{"a"})
	f.node("Deletes", deletes, []string{"data"}, []string{"b"})
	f.edge("Load", "Reads", "Deletes")
	deleted := make(chan struct{})
	done := f.start(t.Context(), &scriptspec.PipelineOptions{Parallelism: 2, Progress: func(e scriptspec.PipelineEvent) {
		if e.Node == "Deletes" && e.Result != nil {
			close(deleted)
		}
	}})
	g.await()
	<-deleted
	g.tell("Reads", "go on")
	end := <-done
	require.NoError(t, end.err)
	change := "failed: data of input data, which is output data of Load, was changed while it ran: " +
		filepath.Join(f.work(), "Load", "data", "data.txt") + " is gone, unless "
	assert.Equal(t, map[string]string{
		"Load": "passed", "Reads": change + "Deletes did it, with the same input at the same time",
		"Deletes": change + "Reads did it, with the same input at the same time",
	}, statuses(end.result))
}

func TestPipelineTimeout(t *testing.T) {
	t.Parallel()
	f, g := newFactory(t), newGate(t)
	f.waiting(g, "A", []string{"x"}, []string{"a"})
	f.node("B", joins, []string{"a"}, []string{"b"})
	f.edge("A", "B")
	r := f.run(&scriptspec.PipelineOptions{Timeout: 500 * time.Millisecond})
	assert.Equal(t, scriptspec.OutcomeTimeout, r.Nodes[0].Result.Outcome)
	assert.Equal(t, scriptspec.NodeFailed, r.Nodes[0].Status)
	assert.Equal(t, "blocked: depends on A, which failed", statuses(r)["B"])
}

// A run that has come to its end is not undone by the end of its context, and a checker that is cut
// off has found nothing.
func TestPipelineContextEndsLate(t *testing.T) {
	t.Parallel()
	f := newFactory(t)
	f.node("A", joins, []string{"x"}, []string{"a"})
	f.node("B", joins, []string{"a"}, []string{"b"})
	f.edge("A", "B")
	ctx, cancel := context.WithCancel(t.Context())
	end := <-f.start(ctx, &scriptspec.PipelineOptions{Progress: func(e scriptspec.PipelineEvent) {
		if e.Node == "B" && e.Result != nil {
			cancel()
		}
	}})
	require.NoError(t, end.err)
	assert.True(t, end.result.Success)

	ctx, cancel = context.WithCancel(t.Context())
	end = <-f.start(ctx, &scriptspec.PipelineOptions{Checkers: []scriptspec.Checker{
		func(ctx context.Context, _ scriptspec.Transfer) error {
			cancel()
			<-ctx.Done()
			return ctx.Err()
		},
	}})
	require.ErrorIs(t, end.err, context.Canceled)
	assert.Equal(t, "cancelled: running when the run was ended: context canceled", statuses(end.result)["B"])
	require.Len(t, end.result.Edges[0].Transfers, 1)
	assert.Empty(t, end.result.Edges[0].Transfers[0].Problems)
}
