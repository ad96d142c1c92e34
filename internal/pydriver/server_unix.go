//go:build unix

package pydriver

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/scriptspec/scriptspec/internal/proctree"
)

// CanFork reports whether there are servers here.
const CanFork = true

// Server is an interpreter that has imported modules and forks a process for each script. Its methods
// may be called at the same time.
type Server struct {
	Environ []string // as the interpreter found it: a wrapper may have added to it

	dir      string
	conn     *net.UnixConn
	leader   proctree.Leader
	origin   proctree.Origin // the interpreter
	imported map[string]bool // top-level modules that a new interpreter would not have
	closing  sync.Once
	closed   error

	mu      sync.Mutex
	running int // scripts, whose children may need the files in dir
	gone    bool
}

// StartServer starts an interpreter in a directory and with an environment, and waits until it has imported
// the modules.
func StartServer(ctx context.Context, python, workDir string, environ, modules []string) (_ *Server, err error) {
	dir, err := tempDir("scriptspec-warm-")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir}
	defer func() {
		if err != nil {
			_ = s.Close(0) // the first error counts
		}
	}()
	sources := map[string]string{"start.py": startSource, "driver.py": driverSource, "serve.py": serveSource}
	if err := writeSources(dir, sources); err != nil {
		return nil, err
	}
	conn, theirs, err := socketPair()
	if err != nil {
		return nil, err
	}
	s.conn = conn
	cmd := exec.Command(python)
	cmd.Args = append([]string{cmd.Path, "-B", "-u", filepath.Join(dir, "start.py"), "--serve"}, inherit(cmd, []*os.File{theirs})...)
	cmd.Args = append(cmd.Args, modules...)
	cmd.Dir, cmd.Env = workDir, environ
	// Pipes, as scripts have them: Python remembers what its streams were at the start. What modules
	// print when they are imported is nobody's output.
	var stderr limited
	stderr.limit = maxStderr
	cmd.Stdout, cmd.Stderr = io.Discard, &stderr
	cmd.WaitDelay = time.Second
	s.leader, err = proctree.Start(cmd)
	_ = theirs.Close()
	if err != nil {
		return nil, err
	}
	s.origin = s.leader.Origin()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	lines := bufio.NewReader(conn)
	var size int
	hello, _ := fmt.Fscanf(lines, "hello %d\n", &size)
	seen := make([]byte, size)
	_, _ = io.ReadFull(lines, seen) // what comes next tells
	line, err := lines.ReadString('\n')
	word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case hello == 0:
		end, _ := s.end(0)
		return nil, fmt.Errorf("%w: it ended with %v and said %q", ErrNoPython, end.State, stderr.lastLine())
	case word == "failed":
		return nil, &PreloadError{"preload " + rest}
	case word == "threads":
		return nil, &ThreadsError{"preload " + rest}
	case word != "ready" || err != nil:
		return nil, &PreloadError{fmt.Sprintf("%s ended while it imported %s", python, strings.Join(modules, ", "))}
	}
	s.Environ = strings.Split(string(seen), "\x00")
	s.imported = map[string]bool{}
	for _, name := range strings.Fields(rest) {
		s.imported[name] = true
	}
	return s, nil
}

// Suits reports whether the modules that the interpreter has are those that scripts of a directory
// would import: nothing that lies beside them has the name of one.
func (s *Server) Suits(scriptDir string) bool {
	entries, err := os.ReadDir(scriptDir)
	for _, entry := range entries {
		name, _, _ := strings.Cut(entry.Name(), ".")
		if s.imported[name] {
			return false
		}
	}
	return err == nil
}

// Fork has a child answer to r, with its output going to stdout and stderr. The process guard waits for
// it. After an error, which is ErrServerGone if the interpreter does not answer within patience, r must not
// be used again.
func (s *Server) Fork(
	ctx context.Context, r *Run, stdout, stderr *os.File, patience time.Duration,
) (leader proctree.Leader, guard int, err error) {
	control, theirs, err := socketPair()
	if err != nil {
		return nil, 0, err
	}
	defer theirs.Close() // a copy of it has been handed over
	var fds []int
	for _, f := range append([]*os.File{theirs, stdout, stderr}, r.theirs...) {
		fds = append(fds, int(f.Fd()))
	}
	if _, _, err := s.conn.WriteMsgUnix([]byte{'f'}, unix.UnixRights(fds...), nil); err != nil {
		_ = control.Close()
		return nil, 0, fmt.Errorf("%w: %w", ErrServerGone, err)
	}
	_ = theirs.Close() // or its end would not be seen
	f := &forked{server: s, control: control, lines: bufio.NewReader(control), ended: make(chan struct{})}
	_ = control.SetReadDeadline(time.Now().Add(patience))
	stop := context.AfterFunc(ctx, func() { _ = control.SetReadDeadline(time.Unix(1, 0)) })
	_, err = fmt.Fscanf(f.lines, "pid %d\nmonitor %d\n", &f.pid, &guard)
	if !stop() {
		err = context.Cause(ctx)
	} else if err != nil {
		err = fmt.Errorf("%w: %w", ErrServerGone, err)
	}
	if err != nil {
		_ = control.Close()
		return nil, 0, err
	}
	_ = control.SetReadDeadline(time.Time{})
	s.uses(1)
	go f.listen()
	return f, guard, nil
}

// Close ends the interpreter, within grace and a second. Scripts that it has forked go on.
func (s *Server) Close(grace time.Duration) error {
	s.closing.Do(func() {
		_, err := s.end(grace)
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.gone = true; s.running == 0 {
			err = errors.Join(err, os.RemoveAll(s.dir))
		}
		s.closed = err
	})
	return s.closed
}

// uses counts a script that runs, or one that has ended.
func (s *Server) uses(change int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running += change; s.running == 0 && s.gone {
		_ = os.RemoveAll(s.dir) // Close has returned
	}
}

// end closes the connection, at which the interpreter ends, and waits for that.
func (s *Server) end(grace time.Duration) (end proctree.End, err error) {
	if s.conn != nil {
		_ = s.conn.Close()
	}
	if s.leader != nil {
		ctx, cancel := context.WithTimeout(context.Background(), grace)
		defer cancel()
		end, err = proctree.New(s.leader, proctree.Limits{}).Wait(ctx)
		s.leader = nil
	}
	return end, err
}

// socketPair returns two connected sockets, ours and one to hand over. Neither is inherited unasked.
func socketPair() (*net.UnixConn, *os.File, error) {
	syscall.ForkLock.RLock()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err == nil {
		unix.CloseOnExec(pair[0])
		unix.CloseOnExec(pair[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "socket"), os.NewFile(uintptr(pair[1]), "socket")
	conn, err := net.FileConn(ours) // a copy
	_ = ours.Close()
	if err != nil {
		_ = theirs.Close()
		return nil, nil, err
	}
	return conn.(*net.UnixConn), theirs, nil
}

// forked is the Leader that another process has forked and waits for.
type forked struct {
	pid     int
	server  *Server // which was started before
	control *net.UnixConn
	lines   *bufio.Reader
	ended   chan struct{}
	lost    error // the monitor is gone; nobody knows how the process ended
}

func (f *forked) PID() int { return f.pid }

func (f *forked) Origin() proctree.Origin { return f.server.origin }

func (f *forked) Ended() <-chan struct{} { return f.ended }

func (f *forked) listen() {
	defer close(f.ended)
	if line, err := f.lines.ReadString('\n'); line != "ended\n" {
		f.lost = fmt.Errorf("the process that waits for the script was ended: %w", err)
		_ = syscall.Kill(-f.pid, syscall.SIGKILL)
	}
}

// Reap has the process released and tells how it ended.
func (f *forked) Reap() (proctree.State, error) {
	defer f.server.uses(-1)
	defer f.control.Close() //nolint:errcheck // all has been said
	if f.lost != nil {
		return proctree.State{ExitCode: -1}, f.lost
	}
	_, _ = f.control.Write([]byte{'r'}) // the answer tells
	var status uint32
	var user, system float64
	var memory int64
	if _, err := fmt.Fscanf(f.lines, "status %d %f %f %d\n", &status, &user, &system, &memory); err != nil {
		return proctree.State{ExitCode: -1}, fmt.Errorf("the process that waits for the script was ended: %w", err)
	}
	state := proctree.State{User: seconds(user), System: seconds(system), PeakMemory: proctree.MaxRSS(memory)}
	wait := syscall.WaitStatus(status)
	state.ExitCode = wait.ExitStatus() // -1 for a signal
	if wait.Signaled() {
		state.Signal = proctree.SignalName(wait.Signal())
	}
	return state, nil
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
