//go:build !unix

package proctree

import (
	"os"
	"syscall"
)

func setGroup(*syscall.SysProcAttr) {}

// killGroup ends the leader only: its children go on.
func killGroup(leader *os.Process) error { return leader.Kill() }

// Signal returns "": processes do not end by signals here.
func Signal(*os.ProcessState) string { return "" }
