//go:build !linux

package proctree

import "os/exec"

// CanLimitMemory tells whether Limits.Memory has an effect here.
const CanLimitMemory = false

type tree struct {
	leader Leader
	limits Limits
}

func newTree(leader Leader, limits Limits) *tree { return &tree{leader, limits} }

func (t *tree) memory() int64 { return 0 }

// Start starts cmd as a leader.
func Start(cmd *exec.Cmd) (Leader, error) {
	ownGroup(cmd)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &command{cmd: cmd, ended: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // how it ended is in ProcessState
		close(c.ended)
	}()
	return c, nil
}

// Reap tells how the process ended; it was released at its end.
func (c *command) Reap() (State, error) { return stateOf(c.cmd.ProcessState), nil }
