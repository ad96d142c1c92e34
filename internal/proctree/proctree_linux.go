package proctree

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// CanLimitMemory reports whether Limits.Memory has an effect here.
const CanLimitMemory = true

// Tree is a leader with everything that it starts. Its processes are found in /proc: those of the
// leader's session or group, and those that have its mark.
type Tree struct {
	leader Leader
	limits Limits
	born   uint64 // when the leader was
	mark   []byte // as /proc/<pid>/limits shows it, or nil
}

// New returns the tree of a leader that has just been started.
func New(leader Leader, limits Limits) *Tree {
	t := &Tree{leader: leader, limits: limits}
	if p, ok := readStat(leader.PID(), make([]byte, statSize)); ok {
		t.born = p.born
	}
	if limits.Mark {
		t.mark = mark(leader.PID())
	}
	return t
}

// mark gives a process a resource limit that no other has, and that every process it starts inherits,
// whatever session and environment that has: so many microseconds of real-time scheduling without a
// pause, some days at least. It returns nil where there is a lower limit already, or none can be set.
func mark(pid int) []byte {
	const days = 1 << 40
	var limit unix.Rlimit
	if unix.Prlimit(pid, unix.RLIMIT_RTTIME, nil, &limit) != nil {
		return nil
	}
	most := min(limit.Cur, limit.Max, 1<<57) // within a marked process: below its mark
	if most < 2*days {
		return nil
	}
	value := days + rand.Uint64N(most-days)
	if unix.Prlimit(pid, unix.RLIMIT_RTTIME, &unix.Rlimit{Cur: value, Max: value}, nil) != nil {
		return nil
	}
	return strconv.AppendUint(nil, value, 10)
}

// stat is what the kernel tells of a process.
type stat struct {
	member
	state          byte
	group, session int
}

const statSize = 1024

// readStat reads /proc/<pid>/stat; see proc_pid_stat(5) for the fields.
func readStat(pid int, buf []byte) (stat, bool) {
	n := readFile("/proc/"+strconv.Itoa(pid)+"/stat", buf)
	open, end := bytes.IndexByte(buf[:n], '('), bytes.LastIndexByte(buf[:n], ')')
	if open < 0 || end < open {
		return stat{}, false
	}
	const state, group, session, start, count = 0, 2, 3, 19, 20 // after the name
	fields := bytes.Fields(buf[end+1 : n])
	if len(fields) < count {
		return stat{}, false
	}
	s := stat{member: member{pid: pid, name: string(buf[open+1 : end])}, state: fields[state][0]}
	// The kernel writes numbers, so that there are no errors to look at.
	s.group, _ = strconv.Atoi(string(fields[group]))
	s.session, _ = strconv.Atoi(string(fields[session]))
	s.born, _ = strconv.ParseUint(string(fields[start]), 10, 64)
	return s, true
}

// readFile reads the beginning of a file into buf, and returns how much it read. It goes without os.File,
// which takes twice as long.
func readFile(path string, buf []byte) int {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0
	}
	defer unix.Close(fd) //nolint:errcheck // nothing was written
	n, err := unix.Read(fd, buf)
	for err == unix.EINTR {
		n, err = unix.Read(fd, buf)
	}
	return max(n, 0)
}

// members lists the living processes of the tree, without its leader. While that is not reaped, no
// other session or group can have its number.
func (t *Tree) members() []member {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	entries, _ := dir.Readdirnames(-1)
	_ = dir.Close()
	var found []member
	buf := make([]byte, statSize)
	recent := t.recent()
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry)
		if err != nil || pid == t.leader.PID() || !recent(pid) {
			continue
		}
		s, ok := readStat(pid, buf)
		if !ok || s.state == 'X' || s.born < t.born || s.state == 'Z' && !hasThreads(pid) {
			continue
		}
		if s.session == t.leader.PID() || s.group == t.leader.PID() || t.marked(pid) {
			found = append(found, s.member)
		}
	}
	return found
}

// hasThreads reports whether a process whose first thread has ended, which looks as if it had ended, has others.
func hasThreads(pid int) bool {
	dir := "/proc/" + strconv.Itoa(pid) + "/task"
	threads, _ := os.ReadDir(dir)
	for _, thread := range threads {
		text, _ := os.ReadFile(dir + "/" + thread.Name() + "/stat")
		_, rest, _ := bytes.Cut(text, []byte(") "))
		if len(rest) > 0 && rest[0] != 'Z' && rest[0] != 'X' {
			return true
		}
	}
	return false
}

// recent returns a function that reports whether a process may be younger than the origin of the tree, by
// its number alone: to read /proc for each of some thousand processes takes longer than many a script.
func (t *Tree) recent() func(pid int) bool {
	return recentPIDs(t.leader.Origin(), readSystem(), pidMax())
}

// recentPIDs is recent for what the system says now. Numbers are given out in ascending order, those in use
// are skipped, and at the highest it starts over. So between the origin's number and a younger process's
// there are only numbers of tasks that were started since or had been there before.
func recentPIDs(o Origin, now system, highest uint64) func(pid int) bool {
	const reserved, races = 300, 100 // low numbers are given out once; what happens meanwhile
	reach := now.forks - o.before.forks + o.before.tasks + reserved + races
	if o.before.forks == 0 || now.forks < o.before.forks || reach > highest/2 {
		return func(int) bool { return true }
	}
	return func(pid int) bool { return (uint64(pid)+highest-uint64(o.PID))%highest <= reach }
}

func readSystem() (s system) {
	buf := make([]byte, 64<<10) // a line for each CPU and one with a number for each interrupt come first
	_, rest, _ := bytes.Cut(buf[:readFile("/proc/stat", buf)], []byte("\nprocesses "))
	s.forks, _ = strconv.ParseUint(string(firstField(rest)), 10, 64)
	const total = 3 // 0.30 0.60 0.39 1/93 20539
	fields := bytes.Fields(buf[:readFile("/proc/loadavg", buf)])
	if len(fields) <= total {
		return system{}
	}
	_, tasks, _ := bytes.Cut(fields[total], []byte("/"))
	if s.tasks, _ = strconv.ParseUint(string(tasks), 10, 64); s.tasks == 0 {
		return system{}
	}
	return s
}

func firstField(text []byte) []byte {
	if fields := bytes.Fields(text[:min(len(text), 32)]); len(fields) > 0 {
		return fields[0]
	}
	return nil
}

// pidMax returns the number after the highest that a process can have.
var pidMax = sync.OnceValue(func() uint64 {
	buf := make([]byte, 32)
	highest, err := strconv.ParseUint(string(firstField(buf[:readFile("/proc/sys/kernel/pid_max", buf)])), 10, 64)
	if err != nil {
		return 0 // then every process is read
	}
	return highest
})

func (t *Tree) marked(pid int) bool {
	if t.mark == nil {
		return false
	}
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/limits")
	return err == nil && bytes.Contains(text, t.mark)
}

const (
	interrupt = syscall.SIGINT
	terminate = syscall.SIGTERM
	kill      = syscall.SIGKILL
)

// signal reaches the group at once and then, one by one, those who left it.
func (t *Tree) signal(sig syscall.Signal) {
	_ = syscall.Kill(-t.leader.PID(), sig) // not reaped: the number is the tree's
	for _, m := range t.members() {
		p, err := os.FindProcess(m.pid) // a pidfd
		if err != nil {
			continue
		}
		if now, ok := readStat(m.pid, make([]byte, statSize)); ok && now.born == m.born && now.group != t.leader.PID() {
			_ = p.Signal(sig)
		}
		_ = p.Release()
	}
}

func killProcess(pid int) { _ = syscall.Kill(pid, kill) } // ESRCH: it has ended

// memory returns what the tree has in memory, in bytes. Pages that processes share are counted for
// each, unless that comes to more than is allowed: then their share is looked up, which takes longer.
func (t *Tree) memory() int64 {
	pids := []int{t.leader.PID()}
	for _, m := range t.members() {
		pids = append(pids, m.pid)
	}
	var resident int64
	for _, pid := range pids {
		resident += residentSize(pid)
	}
	if resident <= t.limits.Memory || len(pids) == 1 && t.limits.Guard == 0 {
		return resident
	}
	var shares int64
	for _, pid := range pids {
		shares += proportionalSize(pid)
	}
	return shares
}

func residentSize(pid int) int64 {
	text, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/statm")
	if fields := bytes.Fields(text); len(fields) > 1 {
		pages, _ := strconv.ParseInt(string(fields[1]), 10, 64)
		return pages * int64(os.Getpagesize())
	}
	return 0
}

func proportionalSize(pid int) int64 {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/smaps_rollup")
	_, rest, found := bytes.Cut(text, []byte("\nPss:"))
	if fields := bytes.Fields(rest); err == nil && found && len(fields) > 0 {
		kib, _ := strconv.ParseInt(string(fields[0]), 10, 64)
		return kib << 10
	}
	return residentSize(pid)
}

// await returns when the process has ended, without reaping it.
func await(cmd *exec.Cmd) {
	for unix.Waitid(unix.P_PID, cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
	}
}

// Start starts cmd as a leader. It dies with this process: the thread that starts it, to which the
// kernel ties it, is kept for as long.
func Start(cmd *exec.Cmd) (Leader, error) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setsid = true
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	c := &command{cmd: cmd, ended: make(chan struct{})}
	c.origin.before = readSystem()
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			await(cmd)
			close(c.ended)
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	c.origin.PID = cmd.Process.Pid
	return c, nil
}

// Reap releases the process.
func (c *command) Reap() (State, error) {
	c.err = c.cmd.Wait()
	return stateOf(c.cmd.ProcessState, c.err)
}
