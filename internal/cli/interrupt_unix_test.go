//go:build unix

package cli

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// The first Ctrl-C ends the scripts and still writes the reports; the second kills, and leaves no script behind.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	needs(t, "python3")
	dir, env := installed(t)
	start := func(stubborn string) (*exec.Cmd, *os.File, *bufio.Reader) {
		fifo := filepath.Join(t.TempDir(), "fifo")
		if err := syscall.Mkfifo(fifo, 0o600); err != nil {
			t.Fatal(err)
		}
		command := exec.Command(filepath.Join(dir, "bin", "scriptspec"), "run", "prep", "--format", "json=r.json", "--set", "environ_vars.FIFO="+fifo, "--set", "job_args.stubborn="+stubborn)
		command.Dir, command.Env = dir, env
		said, err := command.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		began, err := os.Open(fifo) // until the script opens it as well
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = began.Close() })
		if _, err := io.ReadFull(began, make([]byte, len("begun"))); err != nil {
			t.Fatal(err)
		}
		return command, began, bufio.NewReader(said)
	}
	interrupt := func(command *exec.Cmd) {
		if err := command.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
	}
	const noticed = "scriptspec: interrupted: stopping scripts; press Ctrl-C again to kill them\n"

	command, began, said := start("false")
	interrupt(command)
	all, err := io.ReadAll(said)
	if err != nil || !strings.Contains(string(all), noticed) {
		t.Errorf("%v: %s", err, all)
	}
	_ = command.Wait() // the exit code says more
	if code := command.ProcessState.ExitCode(); code != exitInterrupted {
		t.Errorf("exit code %d, want %d: %s", code, exitInterrupted, all)
	}
	text, err := os.ReadFile(filepath.Join(dir, "r.json"))
	if err != nil || !strings.Contains(string(text), `"name": "prep"`) {
		t.Errorf("no report is written: %v %s", err, text)
	}
	if _, err := io.ReadAll(began); err != nil { // until nothing has it open
		t.Fatal(err)
	}

	command, began, said = start("true")
	interrupt(command)
	for line := ""; line != noticed; {
		if line, err = said.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	interrupt(command)
	_ = command.Wait()
	if status, ok := command.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGINT {
		t.Errorf("the second does not kill: %v", command.ProcessState)
	}
	if _, err := io.ReadAll(began); err != nil { // the script has ended as well
		t.Fatal(err)
	}
}
