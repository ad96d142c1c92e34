package slurm

import (
	"context"
	"sync"
	"time"
)

// Watch asks for the states of many jobs with one squeue for all of them, as often as there is news: once a second,
// and with none less and less often, down to twice a minute. A squeue that fails is not news.
type Watch struct {
	client *Client
	// shortest is the first pause; a field so that a test need not wait.
	shortest time.Duration

	mu       sync.Mutex
	followed map[*Follower]bool
	running  bool          // while something is followed, and a little longer
	hurry    chan struct{} // has room for one
}

const (
	longest = 30 * time.Second
	// strikes is how often in a row squeue must not know a job before that counts: it may be asked while slurmctld
	// reads its state.
	strikes = 3
)

// NewWatch returns a watch that asks only while jobs are followed.
func NewWatch(c *Client) *Watch {
	return &Watch{client: c, shortest: time.Second, followed: map[*Follower]bool{}, hurry: make(chan struct{}, 1)}
}

// Follower receives the states of a job.
type Follower struct {
	// C has the latest state, if it has not been received yet.
	C <-chan Status

	c        chan Status
	watch    *Watch
	id, name string
	last     Status
	missed   int
}

// Follow begins to follow a job. What the cluster says of another that has its id counts as not knowing it.
func (w *Watch) Follow(id, name string) *Follower {
	c := make(chan Status, 1)
	f := &Follower{C: c, c: c, watch: w, id: id, name: name}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.followed[f] = true
	if w.running {
		w.Hurry()
	} else {
		w.running = true
		go w.run()
	}
	return f
}

// Stop ends it.
func (f *Follower) Stop() {
	f.watch.mu.Lock()
	defer f.watch.mu.Unlock()
	delete(f.watch.followed, f)
	if len(f.watch.followed) == 0 {
		f.watch.Hurry() // there is nothing to wait for
	}
}

// Hurry makes the pauses short again, as news are to be expected.
func (w *Watch) Hurry() {
	select {
	case w.hurry <- struct{}{}:
	default:
	}
}

// run asks until nothing is followed.
func (w *Watch) run() {
	pause := w.shortest
	timer := time.NewTimer(pause)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-w.hurry:
			if w.idle() {
				return
			}
			if pause > w.shortest {
				pause = w.shortest
				timer.Reset(pause)
			}
			continue
		}
		jobs, err := w.client.List(context.Background()) // which is bounded
		news := w.tell(jobs, err)
		if w.idle() {
			return
		}
		if pause = min(pause*5/4, longest); news {
			pause = w.shortest
		}
		timer.Reset(pause)
	}
}

// idle reports whether nothing is followed, when nothing runs any more.
func (w *Watch) idle() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.running = len(w.followed) > 0
	return !w.running
}

// tell passes on what is new, and reports whether there was anything.
func (w *Watch) tell(jobs map[string]Status, err error) (news bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for f := range w.followed {
		if err != nil {
			break
		}
		now, ok := jobs[f.id]
		if !ok || now.Name != f.name {
			news = true // it is soon to be known
			if f.missed++; f.missed < strikes {
				continue
			}
			now = Status{ID: f.id, Name: f.name, State: Unknown}
			if ok {
				now.Reason = "its id was given to another job"
			}
		} else {
			f.missed = 0
		}
		if now == f.last {
			continue
		}
		f.last, news = now, true
		select {
		case <-f.c: // what has not been received is not needed
		default:
		}
		f.c <- now
	}
	return news
}
