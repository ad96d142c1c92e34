package proctree

import (
	"os"
	"os/exec"
)

// command is the Leader that is a child of this process.
type command struct {
	cmd    *exec.Cmd
	origin Origin
	ended  chan struct{}
	err    error // of Wait
}

func (c *command) PID() int { return c.cmd.Process.Pid }

func (c *command) Origin() Origin { return c.origin }

func (c *command) Ended() <-chan struct{} { return c.ended }

// stateOf translates what the system says. There is no state, only err, if
// somebody else has waited for the process.
func stateOf(p *os.ProcessState, err error) (State, error) {
	if p == nil {
		return State{ExitCode: -1}, err
	}
	signal, memory := details(p)
	return State{ExitCode: p.ExitCode(), Signal: signal, User: p.UserTime(), System: p.SystemTime(), PeakMemory: memory}, nil
}
