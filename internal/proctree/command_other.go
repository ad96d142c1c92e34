//go:build !linux

package proctree

import "os/exec"

// CanLimitMemory reports whether Limits.Memory has an effect here.
const CanLimitMemory = false

// Tree is a leader with everything that it starts.
type Tree struct {
	leader Leader
	limits Limits
}

// New returns the tree of a leader that has just been started.
func New(leader Leader, limits Limits) *Tree { return &Tree{leader, limits} }

func (t *Tree) memory() int64 { return 0 }

// Start starts cmd as a leader.
func Start(cmd *exec.Cmd) (Leader, error) {
	ownGroup(cmd)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &command{cmd: cmd, ended: make(chan struct{})}
	go func() {
		c.err = cmd.Wait()
		close(c.ended)
	}()
	return c, nil
}

// Reap returns how the process ended; it was released at its end.
func (c *command) Reap() (State, error) { return stateOf(c.cmd.ProcessState, c.err) }
