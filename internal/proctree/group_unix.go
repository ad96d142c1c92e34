//go:build unix && !linux

package proctree

import (
	"os/exec"
	"syscall"
)

const (
	interrupt = syscall.SIGINT
	terminate = syscall.SIGTERM
	kill      = syscall.SIGKILL
)

func ownGroup(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setsid = true
}

// members reports only whether anything is left of the group. A group keeps its number from
// others for as long as it has members.
func (t *Tree) members() []member {
	if syscall.Kill(-t.leader.PID(), 0) != nil {
		return nil
	}
	return []member{{pid: -t.leader.PID(), name: "process group"}}
}

func (t *Tree) signal(sig syscall.Signal) {
	_ = syscall.Kill(-t.leader.PID(), sig) // ESRCH: it has ended meanwhile
}

func killProcess(pid int) { _ = syscall.Kill(pid, kill) } // ESRCH: it has ended
