//go:build !unix

package proctree

import (
	"os"
	"os/exec"
)

const (
	interrupt = iota
	terminate
	kill
)

func ownGroup(*exec.Cmd) {}

// members finds nothing: the children of the leader are not known here.
func (t *Tree) members() []member { return nil }

// signal ends the leader, whatever the signal: there is none that could be handled.
func (t *Tree) signal(int) {
	select {
	case <-t.leader.Ended():
		return // its number may be another's
	default:
	}
	if p, err := os.FindProcess(t.leader.PID()); err == nil {
		_ = p.Kill()
		_ = p.Release()
	}
}

func details(*os.ProcessState) (signal string, memory int64) { return "", 0 }

func killProcess(int) {} // there are no guards here
