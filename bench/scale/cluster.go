//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/scriptspec/scriptspec"
)

// programs are those of Slurm that a driver calls.
var programs = []string{"sbatch", "squeue", "scancel", "scontrol"}

// asked is a call of one of them, which is a process of its own, as with Slurm.
type asked struct {
	Program string
	Args    []string
	Stdin   string
	Took    time.Duration // of the real one
	Printed int           // bytes, by the real one
}

// cluster answers calls and counts them. With a real one behind it, it only counts.
type cluster struct {
	setup    *setup
	listener net.Listener

	mu     sync.Mutex
	jobs   map[string]*simulated
	calls  map[string][]asked
	second map[string]map[int64]int // calls of a program in each second
	failed []error
	ended  int
	in     sync.WaitGroup
}

// simulated is a job.
type simulated struct {
	id, name string
	state    string
	ended    time.Time
}

const (
	socket = "socket"
	real   = "real" // a file that is there if there is a real cluster
)

func newCluster(bin, self string, s *setup) (*cluster, error) {
	if err := os.Mkdir(bin, 0o700); err != nil {
		return nil, err
	}
	for _, program := range programs {
		if err := os.Symlink(self, filepath.Join(bin, program)); err != nil {
			return nil, err
		}
	}
	if s.Slurm {
		if err := os.WriteFile(filepath.Join(bin, real), nil, 0o600); err != nil {
			return nil, err
		}
	}
	l, err := net.Listen("unix", filepath.Join(bin, socket))
	if err != nil {
		return nil, err
	}
	c := &cluster{setup: s, listener: l, jobs: map[string]*simulated{}, calls: map[string][]asked{}, second: map[string]map[int64]int{}}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return // it is closed
			}
			c.in.Go(func() { c.serve(conn) })
		}
	}()
	return c, nil
}

func (c *cluster) close() {
	_ = c.listener.Close()
	c.in.Wait()
}

func (c *cluster) problem() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return errors.Join(c.failed...)
}

// call is one of Slurm's programs: it has the cluster answer, or counts a call of the real one.
func call(program string) int {
	bin := filepath.Dir(os.Args[0])
	a := asked{Program: program, Args: os.Args[1:]}
	code := 0
	if _, err := os.Stat(filepath.Join(bin, real)); err == nil {
		command := exec.Command(program, a.Args...)
		var out strings.Builder
		command.Stdin, command.Stdout, command.Stderr = os.Stdin, &out, os.Stderr
		begun := time.Now()
		if err := command.Run(); err != nil {
			code = max(command.ProcessState.ExitCode(), 1)
		}
		a.Took, a.Printed = time.Since(begun), out.Len()
		fmt.Print(out.String())
	} else if program == "sbatch" {
		text, err := os.ReadFile("/dev/stdin")
		if err != nil {
			return 1
		}
		a.Stdin = string(text)
	}
	conn, err := net.Dial("unix", filepath.Join(bin, socket))
	if err != nil {
		fmt.Fprintln(os.Stderr, "Unable to contact slurm controller")
		return 1
	}
	defer conn.Close() //nolint:errcheck // all is said
	var answer string
	if json.NewEncoder(conn).Encode(a) != nil || json.NewDecoder(conn).Decode(&answer) != nil {
		return 1
	}
	fmt.Print(answer)
	return code
}

func (c *cluster) serve(conn net.Conn) {
	defer conn.Close() //nolint:errcheck // all is said
	var a asked
	if err := json.NewDecoder(conn).Decode(&a); err != nil {
		return
	}
	answer := ""
	if !c.setup.Slurm {
		answer = c.answer(&a)
		a.Printed = len(answer)
	}
	a.Stdin = ""
	c.mu.Lock()
	c.calls[a.Program] = append(c.calls[a.Program], a)
	if c.second[a.Program] == nil {
		c.second[a.Program] = map[int64]int{}
	}
	c.second[a.Program][time.Now().Unix()]++
	c.mu.Unlock()
	_ = json.NewEncoder(conn).Encode(answer) // who has asked may be gone
}

// minJobAge is how long Slurm remembers a job that has ended, unless told otherwise.
const minJobAge = 300 * time.Second

func (c *cluster) answer(a *asked) string {
	switch a.Program {
	case "scontrol":
		return "KillWait                = 30 sec\n"
	case "sbatch":
		return c.submit(a) + "\n"
	case "squeue":
		c.mu.Lock()
		defer c.mu.Unlock()
		var list strings.Builder
		for id, j := range c.jobs {
			if !j.ended.IsZero() && time.Since(j.ended) > minJobAge {
				delete(c.jobs, id)
				continue
			}
			fmt.Fprintf(&list, "%s|%s|None|n1|%s\n", j.id, j.state, j.name)
		}
		return list.String()
	}
	return ""
}

// submit starts a job, which ends with a reply when its time is over.
func (c *cluster) submit(a *asked) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	j := &simulated{id: strconv.Itoa(len(c.calls["sbatch"]) + len(c.jobs) + 1), state: "RUNNING"}
	for _, arg := range a.Args {
		if name, ok := strings.CutPrefix(arg, "--job-name="); ok {
			j.name = name
		}
	}
	c.jobs[j.id] = j
	words := strings.Fields(a.Stdin)
	dir := strings.Trim(words[len(words)-1], "'")
	time.AfterFunc(c.setup.Takes, func() {
		err := reply(dir, c.setup.Takes)
		c.mu.Lock()
		defer c.mu.Unlock()
		j.state, j.ended = "COMPLETED", time.Now()
		if c.ended++; err != nil && len(c.failed) < 3 {
			c.failed = append(c.failed, err)
		}
	})
	return j.id
}

// reply is what the helper of a job does, but for running the script.
func reply(dir string, took time.Duration) error {
	text, err := os.ReadFile(filepath.Join(dir, "request.json"))
	if err != nil {
		return err
	}
	var request struct {
		Version int             `json:"version"`
		Token   string          `json:"token"`
		Spec    json.RawMessage `json:"spec"`
	}
	if err := json.Unmarshal(text, &request); err != nil {
		return err
	}
	s, err := scriptspec.Decode(strings.NewReader(string(request.Spec)), nil)
	if err != nil {
		return err
	}
	b := s.Basic()
	result := &scriptspec.ScriptTestResult{
		ScriptName: b.ScriptName, StepName: b.StepName, Success: true, Outcome: scriptspec.OutcomePassed, HasMainFunction: true,
		ExecutionTime: took, PeakMemory: 15 << 20, Outputs: map[string]scriptspec.OutputInfo{},
	}
	for name, path := range b.OutputPaths {
		if err := errors.Join(os.MkdirAll(path, 0o700), os.WriteFile(filepath.Join(path, "data.txt"), []byte("x"), 0o600)); err != nil {
			return err
		}
		result.Outputs[name] = scriptspec.OutputInfo{Path: path, Exists: true, Files: 1, Bytes: 1, Written: 1}
	}
	data, err := json.Marshal(map[string]any{"version": request.Version, "token": request.Token, "host": "n1", "result": result})
	if err != nil {
		return err
	}
	tmp := filepath.Join(dir, "result.json.tmp")
	return errors.Join(os.Remove(filepath.Join(dir, "request.json")), os.WriteFile(tmp, data, 0o600), os.Rename(tmp, filepath.Join(dir, "result.json")))
}
