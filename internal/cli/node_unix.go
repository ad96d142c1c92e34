//go:build unix

package cli

import (
	"os"
	"syscall"
)

// endSignals are those by which Slurm announces the end of a job, with their names.
func endSignals() map[os.Signal]string {
	return map[os.Signal]string{os.Interrupt: "SIGINT", syscall.SIGTERM: "SIGTERM", syscall.SIGUSR1: "SIGUSR1"}
}
