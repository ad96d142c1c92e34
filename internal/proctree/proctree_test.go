//go:build unix

package proctree

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// shell starts a shell that says something when it is ready, and returns its tree and what it said.
func shell(t *testing.T, limits Limits, text string) (*Tree, string) {
	t.Helper()
	r, w, err := os.Pipe()
	require.NoError(t, err)
	t.Cleanup(func() { _ = r.Close() })
	cmd := exec.Command("/bin/sh", "-c", text)
	cmd.Stdout = w
	leader, err := Start(cmd)
	require.NoError(t, err)
	tree := New(leader, limits)
	require.NoError(t, w.Close())
	line, err := bufio.NewReader(r).ReadString('\n')
	if !errors.Is(err, io.EOF) {
		require.NoError(t, err)
	}
	return tree, strings.TrimSpace(line)
}

func TestEndsByItself(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]State{
		"exit 3":        {ExitCode: 3},
		"kill -KILL $$": {ExitCode: -1, Signal: "SIGKILL"},
		"kill -TERM $$": {ExitCode: -1, Signal: "SIGTERM"},
		"exit 0":        {},
	} {
		tree, _ := shell(t, Limits{Grace: time.Second}, text)
		end, err := tree.Wait(t.Context())
		require.NoError(t, err)
		assert.Equal(t, ByItself, end.Reason, text)
		assert.Equal(t, want.ExitCode, end.ExitCode, text)
		assert.Equal(t, want.Signal, end.Signal, text)
		assert.Empty(t, end.Leftover)
		assert.Empty(t, end.Survivors)
	}
}

// Each of the three signals does what those before it did not.
func TestEndedInSteps(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"echo ready; sleep 1000 & wait":                       "SIGINT",
		"trap '' INT; echo ready; sleep 1000 & wait":          "SIGTERM",
		"trap '' INT TERM; echo ready; sleep 1000 & wait":     "SIGKILL",
		"trap 'exit 0' INT; echo ready; sleep 1000 & wait; :": "",
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			tree, ready := shell(t, Limits{Grace: 400 * time.Millisecond}, text)
			require.Equal(t, "ready", ready)
			cancel()
			end, err := tree.Wait(ctx)
			require.NoError(t, err)
			assert.Equal(t, Context, end.Reason)
			assert.Equal(t, want, end.Signal)
			assert.Empty(t, end.Survivors)
			assert.Empty(t, tree.members())
		})
	}
}

// Only the mark tells a process that has a session and an environment of its own.
func TestMark(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has marks")
	}
	if _, err := exec.LookPath("setsid"); err != nil {
		t.Skip("needs setsid")
	}
	for _, marked := range []bool{true, false} {
		gate, open, err := os.Pipe()
		require.NoError(t, err)
		said, says, err := os.Pipe()
		require.NoError(t, err)
		cmd := exec.Command("/bin/sh", "-c", `read go; env -i PATH="$PATH" setsid sh -c 'echo $$; exec sleep 1000 >/dev/null' & wait`)
		cmd.Stdin, cmd.Stdout = gate, says
		leader, err := Start(cmd)
		require.NoError(t, err)
		tree := New(leader, Limits{Grace: 200 * time.Millisecond, Mark: marked})
		_, err = open.WriteString("go\n") // not before the mark
		require.NoError(t, err)
		line, err := bufio.NewReader(said).ReadString('\n')
		require.NoError(t, err)
		daemon, err := strconv.Atoi(strings.TrimSpace(line))
		require.NoError(t, err)
		found := tree.members()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = tree.Wait(ctx)
		require.NoError(t, err)
		if marked {
			require.Len(t, found, 1)
			assert.Equal(t, daemon, found[0].pid)
			assert.Empty(t, tree.members(), "it was ended")
		} else {
			require.NoError(t, syscall.Kill(daemon, syscall.SIGKILL), "it was not found")
		}
		for _, f := range []*os.File{gate, open, said, says} {
			require.NoError(t, f.Close())
		}
	}
}

// A process that was reaped by somebody else is an error and no panic.
func TestReapedByAnother(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("/bin/sh", "-c", "exit 3")
	leader, err := Start(cmd)
	require.NoError(t, err)
	<-leader.Ended()
	if runtime.GOOS == "linux" {
		var status syscall.WaitStatus
		_, err = syscall.Wait4(leader.PID(), &status, 0, nil)
		require.NoError(t, err)
		_, err = New(leader, Limits{}).Wait(t.Context())
		require.Error(t, err)
	}
}
