//go:build unix

package cli

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// The first Ctrl-C ends the scripts and still writes the reports; the second kills, and leaves no script behind.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	needs(t, "python3")
	for name, test := range map[string]struct {
		args   []string
		report string // what is in it
		said   string // the last line
	}{
		"spec":     {[]string{"run", "prep"}, `"status": "cancelled"`, "cancelled prep: running when the run was ended: interrupted\n"},
		"pipeline": {[]string{"run", "--pipeline", "line", "--work", "work"}, `"status": "cancelled"`, "/work\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, env := installed(t)
			run := func(stubborn string) interrupted {
				return interrupt(t, dir, slices.Concat(env, []string{"STUBBORN=" + stubborn}), slices.Concat(test.args, []string{"--format", "json=r.json"})...)
			}

			first := run("")
			all, err := io.ReadAll(first.said)
			if err != nil || !strings.Contains(string(all), noticed) || !strings.HasSuffix(string(all), test.said) {
				t.Errorf("%v: %s", err, all)
			}
			if strings.Contains(string(all), "canceled") {
				t.Errorf("it is said in the words of Go: %s", all)
			}
			_ = first.command.Wait() // the exit code says more
			if code := first.command.ProcessState.ExitCode(); code != exitInterrupted {
				t.Errorf("exit code %d, want %d: %s", code, exitInterrupted, all)
			}
			text, err := os.ReadFile(filepath.Join(dir, "r.json"))
			if err != nil || !strings.Contains(string(text), test.report) {
				t.Errorf("no report is written: %v %s", err, text)
			}
			first.gone(t)

			second := run("yes")
			for line := ""; line != noticed; {
				if line, err = second.said.ReadString('\n'); err != nil {
					t.Fatal(err)
				}
			}
			if err := second.command.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
			_ = second.command.Wait()
			if status, ok := second.command.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGINT {
				t.Errorf("the second does not kill: %v", second.command.ProcessState)
			}
			second.gone(t)
		})
	}
}

const noticed = "scriptspec: interrupted: stopping scripts; press Ctrl-C again to kill them\n"

// interrupted is a call that was interrupted while its script ran.
type interrupted struct {
	command *exec.Cmd
	said    *bufio.Reader
	began   *os.File // which the script has open, too
}

// gone waits until nothing that the call started is left.
func (i interrupted) gone(t *testing.T) {
	t.Helper()
	if _, err := io.ReadAll(i.began); err != nil {
		t.Fatal(err)
	}
}

// interrupt calls the program, and interrupts it once its script has begun.
func interrupt(t *testing.T, dir string, env []string, args ...string) interrupted {
	t.Helper()
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	i := interrupted{command: exec.Command(filepath.Join(dir, "bin", "scriptspec"), args...)}
	i.command.Dir, i.command.Env = dir, slices.Concat(env, []string{"FIFO=" + fifo})
	said, err := i.command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	i.said = bufio.NewReader(said)
	if err := i.command.Start(); err != nil {
		t.Fatal(err)
	}
	if i.began, err = os.Open(fifo); err != nil { // until the script opens it as well
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = i.began.Close() })
	if _, err := io.ReadFull(i.began, make([]byte, len("begun"))); err != nil {
		t.Fatal(err)
	}
	if err := i.command.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	return i
}
