// Package slurm submits, lists and cancels jobs of a Slurm cluster with its own programs: sbatch, squeue, scancel
// and scontrol. It asks for no accounting database.
package slurm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/scriptspec/scriptspec/internal/printable"
)

// Client calls the programs of a cluster. It may be used by several goroutines; at most a few programs run at the
// same time, as each is a remote procedure call of slurmctld.
type Client struct {
	bin  string
	once sync.Once
	busy chan struct{}
}

// New returns a client for the programs in a directory, "" for those on the PATH.
func New(bin string) *Client { return &Client{bin: bin} }

// Job is what is submitted.
type Job struct {
	// Name is the job's, by which it is found again.
	Name string
	// Output is the file for what the script and Slurm print.
	Output string
	// Limit is the wall time, which Slurm keeps to the minute.
	Limit time.Duration
	// Warning is the time before the end of the limit at which the script gets SIGUSR1.
	Warning time.Duration
	// Memory is what a node must have for it, in bytes; 0 means the cluster's default.
	Memory int64
	// Args are further arguments of sbatch, which count before the others.
	Args []string
	// Script is the text of the script.
	Script string
}

// ErrUnreachable is returned if a program could not, or may not, have reached slurmctld.
var ErrUnreachable = errors.New("slurmctld cannot be reached")

// ErrUnclear is returned by Submit if sbatch did not say what became of the job: it was killed, or printed no id.
var ErrUnclear = errors.New("whether the job was submitted is not known")

// CommandError is a program that failed.
type CommandError struct {
	Program string
	Said    string // why, by its standard error
	Err     error  // ErrUnreachable, ErrUnclear, or how it ended
}

func (e *CommandError) Error() string {
	if e.Said == "" {
		return e.Program + ": " + e.Err.Error()
	}
	return e.Program + ": " + e.Said
}

func (e *CommandError) Unwrap() error { return e.Err }

// Submit submits a job and returns its id. After ErrUnreachable and ErrUnclear it may have been submitted all the same:
// look for its name before the next attempt.
func (c *Client) Submit(ctx context.Context, j Job) (id string, err error) {
	args := []string{
		"--parsable", "--no-requeue", "--export=ALL", "--job-name=" + j.Name, "--output=" + escaped(j.Output),
		fmt.Sprintf("--time=%d", minutes(j.Limit)), fmt.Sprintf("--signal=B:USR1@%d", int(j.Warning.Seconds())),
	}
	if j.Memory > 0 {
		args = append(args, fmt.Sprintf("--mem=%dM", (j.Memory+(1<<20)-1)>>20))
	}
	out, err := c.call(ctx, j.Script, "sbatch", append(args, j.Args...)...)
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(out) { // what a site's own sbatch adds may be before it or after it
		id, _, _ := strings.Cut(strings.TrimSpace(line), ";") // the cluster follows, if there are several
		if _, err := strconv.ParseUint(id, 10, 64); err == nil {
			return id, nil
		}
	}
	return "", &CommandError{"sbatch", "printed no job id: " + printable.Line(lastLine(out)), ErrUnclear}
}

// escaped is a file name in which sbatch replaces nothing: %j would be the job's id.
func escaped(file string) string { return strings.ReplaceAll(file, "%", "%%") }

func minutes(d time.Duration) int64 { return int64(min(math.Ceil(d.Minutes()), 365*24*60)) }

// List returns the caller's jobs, those included that have ended some time ago, by id.
func (c *Client) List(ctx context.Context) (map[string]Status, error) {
	return c.list(ctx, "--me")
}

// Find returns the last job with a name.
func (c *Client) Find(ctx context.Context, name string) (s Status, ok bool, err error) {
	jobs, err := c.list(ctx, "--me", "--name="+name)
	for _, job := range jobs {
		if job.Name == name && (!ok || len(job.ID) > len(s.ID) || len(job.ID) == len(s.ID) && job.ID > s.ID) {
			s, ok = job, true
		}
	}
	return s, ok, err
}

func (c *Client) list(ctx context.Context, which ...string) (map[string]Status, error) {
	out, err := c.call(ctx, "", "squeue", append([]string{"--noheader", "--states=all", "--format=%A|%T|%r|%N|%j"}, which...)...)
	if err != nil {
		return nil, err
	}
	jobs := map[string]Status{}
	for line := range strings.Lines(out) {
		const columns = 5
		parts := strings.SplitN(strings.TrimRight(line, "\r\n"), "|", columns)
		if len(parts) == columns {
			jobs[parts[0]] = Status{ID: parts[0], State: state(parts[1]), Reason: parts[2], Nodes: parts[3], Name: parts[4]}
		}
	}
	if len(jobs) == 0 && strings.TrimSpace(out) != "" {
		return nil, fmt.Errorf("%w: squeue printed no jobs, but %q", ErrUnreachable, lastLine(out)) // a notice, say
	}
	return jobs, nil
}

// Cancel has a job ended, if it has this name too: ids may be given out again.
func (c *Client) Cancel(ctx context.Context, id, name string) error {
	_, err := c.call(ctx, "", "scancel", "--quiet", "--name="+name, id)
	return err
}

var killWait = regexp.MustCompile(`(?m)^KillWait\s*=\s*(\d+) sec`)

// KillWait returns the time between the signal that announces the end of a job and the one that brings it.
func (c *Client) KillWait(ctx context.Context) (time.Duration, error) {
	out, err := c.call(ctx, "", "scontrol", "show", "config")
	if err != nil {
		return 0, err
	}
	found := killWait.FindStringSubmatch(out)
	if found == nil {
		return 0, &CommandError{"scontrol", "show config has no KillWait", errors.ErrUnsupported}
	}
	seconds, err := strconv.Atoi(found[1])
	return time.Duration(seconds) * time.Second, err
}

// call runs a program of Slurm, and returns what it has printed.
func (c *Client) call(ctx context.Context, stdin, program string, args ...string) (string, error) {
	const (
		together = 8
		longest  = 60 * time.Second // they try for some time themselves
	)
	c.once.Do(func() { c.busy = make(chan struct{}, together) })
	select {
	case c.busy <- struct{}{}:
		defer func() { <-c.busy }()
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	path := program
	if c.bin != "" {
		path = filepath.Join(c.bin, program)
	}
	limited, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	cmd := exec.CommandContext(limited, path, args...)
	cmd.Env = environ(os.Environ())
	cmd.WaitDelay = time.Second
	cmd.Stdin = strings.NewReader(stdin)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	err := cmd.Run()
	if err == nil {
		return out.String(), nil
	}
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	if cmd.Process == nil {
		return "", fmt.Errorf("a program of Slurm cannot be started: %w", err)
	}
	e := &CommandError{program, printable.Line(reason(said.String())), err}
	switch {
	case limited.Err() != nil || isUnreachable(said.String()):
		e.Err = ErrUnreachable
	case !cmd.ProcessState.Exited() && program == "sbatch": // it was killed
		e.Err = fmt.Errorf("%w (%w)", ErrUnclear, err)
	case !cmd.ProcessState.Exited():
		e.Err = fmt.Errorf("%w (%w)", ErrUnreachable, err)
	}
	return "", e
}

// reason returns the lines that say what is wrong, without the name of the program that each begins with. Slurm's
// programs go on with notes on what that means, and with a word on --help.
func reason(said string) string {
	var errs []string
	last := ""
	for line := range strings.Lines(said) {
		line = strings.TrimSpace(line)
		if _, text, ok := strings.Cut(line, ": error: "); ok {
			errs = append(errs, text)
		} else if line != "" && !strings.HasPrefix(line, "Try ") {
			last = line
		}
	}
	if len(errs) == 0 {
		if program, text, ok := strings.Cut(last, ": "); ok && !strings.Contains(program, " ") {
			return text
		}
		return last
	}
	return strings.Join(errs, "; ")
}

// isUnreachable reports whether a program says that its call may be repeated.
func isUnreachable(said string) bool {
	for _, text := range []string{
		"Unable to contact slurm controller", "Socket timed out", "Connection refused", "Connection timed out", "Connection reset",
		"Resource temporarily unavailable", "Transport endpoint", "Zero Bytes were transmitted", "Slurm backup controller in standby mode",
		"Unexpected message received", "communication connection failure", "Slurm temporarily unable to accept job", "Munge decode failed",
		"Insane message length", "Slurmctld is in the process of", "Message receive failure",
	} {
		if strings.Contains(strings.ToLower(said), strings.ToLower(text)) {
			return true
		}
	}
	return false
}

// environ is what the programs are given, and sbatch gives to the job: enough to reach the cluster. All else of the
// caller's stays here. What an outer job has set would change what they do.
func environ(all []string) []string {
	list := []string{"LC_ALL=C"}
	for _, entry := range all {
		switch name, _, _ := strings.Cut(entry, "="); name {
		case "PATH", "HOME", "USER", "LOGNAME", "LD_LIBRARY_PATH", "SLURM_CONF", "KRB5CCNAME":
			list = append(list, entry)
		}
	}
	return list
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}
