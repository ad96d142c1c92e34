// Package proctree ends processes together with everything that they started, and measures what the
// tree used. On Linux that includes children that have left the session, whatever their environment; on
// other unix systems it is the process group, on Windows the process alone.
package proctree

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Leader is the first process of a tree. It has a session and a process group of its own, where the
// system has them.
type Leader interface {
	// PID is the number of the process, which is that of its group.
	PID() int
	// Ended is closed when the process has ended. Where the system can do it, its number stays taken
	// until Reap.
	Ended() <-chan struct{}
	// Origin is the leader itself, or the process that has forked it or its monitor: what was started at
	// a known moment, and before all else of the tree. The zero Origin is not known.
	Origin() Origin
	// Reap returns how the process ended. Call it once, after Ended.
	Reap() (State, error)
}

// Origin is a process, with what there was before it was started.
type Origin struct {
	PID    int
	before system
}

// system is what the kernel reports about all processes. The zero value means that it is not known.
type system struct {
	forks uint64 // processes and threads started since it booted
	tasks uint64 // that there are
}

// State is how a process ended, and what it and the children that it waited for used.
type State struct {
	ExitCode     int    // -1 if a signal ended it
	Signal       string // "SIGKILL", or ""
	User, System time.Duration
	PeakMemory   int64 // of the largest process, in bytes; 0 where the system does not tell
}

// String returns the signal, or the exit code.
func (s State) String() string {
	if s.Signal != "" {
		return s.Signal
	}
	return fmt.Sprintf("exit code %d", s.ExitCode)
}

// Limits say what ends a tree and how.
type Limits struct {
	// Grace is the time between the interrupt and the kill.
	Grace time.Duration
	// Memory bounds what all processes of the tree have in memory together, in bytes; 0 does not.
	Memory int64
	// Sampled, unless it is nil, is called with each sample of the memory, which there are only with a bound.
	Sampled func(bytes int64)
	// Mark makes it possible to find also what leaves the session. It must be set before the leader starts others.
	Mark bool
	// Writes are directories. What leftover processes have open for writing in them is noted.
	Writes []string
	// Guard is a process that waits for the leader on our behalf, or 0. It is killed if it does not.
	Guard int
}

// Reason is why a tree ended.
type Reason int

// The reasons.
const (
	ByItself Reason = iota // the leader ended before anything was done to it
	Context                // the context ended
	Memory                 // the tree grew beyond Limits.Memory
)

// End is how a tree ended.
type End struct {
	State
	Reason Reason
	// Leftover names the processes that were still there some time after the leader had ended by
	// itself, and were ended then.
	Leftover []string
	// Written are the files in Limits.Writes that these had open for writing. Linux only.
	Written []string
	// Survivors names the processes that could not be ended.
	Survivors []string
}

// exitDelay is how long children may go on by themselves after the leader's own end: helpers such as
// multiprocessing's resource tracker clean up and go when they see it.
const exitDelay = 250 * time.Millisecond

// last is how long the system may take to end what was killed.
const last = 700 * time.Millisecond

// Wait waits for the end of the tree, and brings it about when ctx ends or the tree outgrows its
// memory: interrupt, termination after half of the grace, kill after all of it. Nothing that can be
// found of the tree is left when it returns, which it does within the grace and about a second. The
// error is for a leader whose end cannot be determined.
func (t *Tree) Wait(ctx context.Context) (End, error) {
	end := End{Reason: t.watch(ctx)}
	if end.Reason == ByItself {
		if t.gone(exitDelay) {
			return t.reap(end)
		}
		left := t.members()
		end.Leftover = names(left)
		end.Written = openForWriting(left, t.limits.Writes)
	} else {
		t.signal(interrupt)
		if t.gone(t.limits.Grace / 2) {
			return t.reap(end)
		}
	}
	t.signal(terminate)
	if !t.gone(t.limits.Grace - t.limits.Grace/2) {
		for start := time.Now(); time.Since(start) < last; {
			t.signal(kill) // again: a process may fork while it is being looked for
			if t.gone(last / 10) {
				break
			}
		}
		end.Survivors = names(t.members())
	}
	return t.reap(end)
}

func (t *Tree) reap(end End) (End, error) {
	select {
	case <-t.leader.Ended():
	default:
		if !t.freeGuard() {
			return end, fmt.Errorf("process %d cannot be killed", t.leader.PID())
		}
	}
	var err error
	end.State, err = t.leader.Reap()
	return end, err
}

// freeGuard kills a guard that does not say that the leader has ended, and reports whether that helped.
func (t *Tree) freeGuard() bool {
	if t.limits.Guard == 0 {
		return false
	}
	killProcess(t.limits.Guard)
	select {
	case <-t.leader.Ended():
		return true
	case <-time.After(last / 10):
		return false
	}
}

// watch waits for the first reason to end.
func (t *Tree) watch(ctx context.Context) Reason {
	var tick <-chan time.Time
	if t.limits.Memory > 0 {
		const often = 20 * time.Millisecond
		ticker := time.NewTicker(often)
		defer ticker.Stop()
		tick = ticker.C
	}
	for {
		select {
		case <-t.leader.Ended():
			return ByItself
		case <-ctx.Done():
			return Context
		case <-tick:
			used := t.memory()
			if t.limits.Sampled != nil {
				t.limits.Sampled(used)
			}
			if used > t.limits.Memory {
				return Memory
			}
		}
	}
}

// gone waits until nothing of the tree runs any more, and reports false if that takes longer than
// limit.
func (t *Tree) gone(limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-t.leader.Ended():
	case <-timer.C:
		return false
	}
	const longest = 20 * time.Millisecond
	for pause := time.Millisecond; ; pause = min(2*pause, longest) {
		if len(t.members()) == 0 {
			return true
		}
		select {
		case <-time.After(pause):
		case <-timer.C:
			return false
		}
	}
}

// member is a process of the tree other than the leader.
type member struct {
	pid  int
	name string
	born uint64 // distinguishes it from a later process with the same number
}

func names(members []member) []string {
	var list []string
	for _, m := range members {
		list = append(list, m.name)
	}
	slices.Sort(list)
	return list
}
