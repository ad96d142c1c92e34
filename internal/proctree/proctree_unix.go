//go:build unix

package proctree

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

func setGroup(attr *syscall.SysProcAttr) { attr.Setpgid = true }

// killGroup ends the group of a leader that has not been waited for, so that its number cannot
// belong to anyone else yet.
func killGroup(leader *os.Process) error {
	err := syscall.Kill(-leader.Pid, syscall.SIGKILL)
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}

// Signal returns the name of the signal that ended the process, or "".
func Signal(state *os.ProcessState) string {
	status, ok := state.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() {
		return ""
	}
	if name := unix.SignalName(status.Signal()); name != "" {
		return name
	}
	return status.Signal().String()
}
