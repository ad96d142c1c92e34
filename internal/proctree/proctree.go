// Package proctree starts a process so that it and its children can be ended together.
package proctree

import (
	"os/exec"
	"syscall"
	"time"
)

// Prepare makes cmd the leader of a process group of its own where the system has them. The end of
// cmd's context kills the whole group, and Wait returns at the latest wait after that or after the
// leader's own end, even if a descendant still holds the output pipes.
func Prepare(cmd *exec.Cmd, wait time.Duration) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	setGroup(cmd.SysProcAttr)
	cmd.Cancel = func() error { return killGroup(cmd.Process) }
	cmd.WaitDelay = wait
}
