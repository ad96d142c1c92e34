//go:build unix

package proctree

import (
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// details returns the signal that ended a process, or "", and the peak of its memory in bytes.
func details(p *os.ProcessState) (signal string, memory int64) {
	if status, ok := p.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		signal = SignalName(status.Signal())
	}
	if usage, ok := p.SysUsage().(*syscall.Rusage); ok {
		memory = MaxRSS(int64(usage.Maxrss)) //nolint:unconvert // 32 bits on some
	}
	return signal, memory
}

// SignalName returns "SIGKILL" and the like.
func SignalName(s syscall.Signal) string {
	if name := unix.SignalName(s); name != "" {
		return name
	}
	return s.String()
}

// MaxRSS turns what getrusage(2) says into bytes.
func MaxRSS(n int64) int64 {
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		return n
	}
	return n << 10
}
