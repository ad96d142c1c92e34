package scriptspec

import (
	"sync"
	"time"

	"github.com/scriptspec/scriptspec/internal/capture"
)

// EventKind is what an event says. The set is closed.
type EventKind string

// The kinds of events, in the order in which a run has them.
const (
	EventQueued   EventKind = "queued"   // the run waits for its turn
	EventStarted  EventKind = "started"  // an attempt begins
	EventPending  EventKind = "pending"  // its job waits in the queue of the engine, which gives Reason; again if that changes
	EventOutput   EventKind = "output"   // the script has written lines, StdoutLines and StderrLines of this attempt so far
	EventMemory   EventKind = "memory"   // a sample of Memory, where there is a bound
	EventAttempt  EventKind = "attempt"  // an attempt has ended, with Result
	EventFinished EventKind = "finished" // all attempts have ended, or there was none
)

// Event is something that happens in a run, as [RuntimeTester.Observer] gets it. In JSON its time is "at", in
// RFC 3339.
type Event struct {
	Kind EventKind `json:"event"`
	At   time.Time `json:"at"`
	// Run is the same for all that one call of the tester runs, or one round of it.
	Run string `json:"run"`
	// Name is that of the spec or example in a store, of the node in a pipeline, else the step name.
	Name string `json:"name"`
	// Pipeline is that of a node, Example that of a spec; or "".
	Pipeline string `json:"pipeline,omitzero"`
	Example  string `json:"example,omitzero"`
	// Round is as in SpecTestResult.
	Round int `json:"round,omitzero"`
	// Attempt counts from 1; 0 before the first.
	Attempt int `json:"attempt,omitzero"`
	// StdoutLines and StderrLines count line ends.
	StdoutLines int64 `json:"stdout_lines,omitzero"`
	StderrLines int64 `json:"stderr_lines,omitzero"`
	// Memory is what the script and its children have in memory together, in bytes.
	Memory int64 `json:"memory,omitzero"`
	// Result is that of the attempt, or in the end of all; nil if no script was started. It must not be changed.
	Result *ScriptTestResult `json:"result,omitzero"`
	// Status is what became of a node that has finished, Reason why; a node may finish without having been queued. Of a
	// job that waits Reason is the engine's. Elsewhere Status is as in SpecTestResult.
	Status NodeStatus `json:"status,omitzero"`
	Reason string     `json:"reason,omitzero"`
	// Error says why there was no test.
	Error string `json:"error,omitzero"`
	// Expect is how a run that has finished had to end, if not with OutcomePassed.
	Expect Outcome `json:"expect,omitzero"`
	// Dropped counts the samples of output and memory that were left out before this event, since the observer
	// was still busy.
	Dropped int `json:"dropped,omitzero"`

	run *scriptRun // the attempt that has ended, until it is recorded
}

// maxSamples bounds the events of output and memory that wait for an observer.
const maxSamples = 256

// observers hands the events of a tester to its observer, one at a time and in order, without ever holding a run up.
type observers struct {
	mu      sync.Mutex
	handed  sync.Cond // has been signalled since some were handed over; L is set before it is waited for
	waiting []Event
	samples int // in waiting
	dropped int
	busy    bool // deliver runs
	told    int  // events that were to be handed over
	seen    int  // of these, the ones that have been
}

// tell is where all events come by. The end of an attempt is recorded, while its outputs are still its own; then each event is
// handed to the observer. Samples are dropped while too many wait; all else waits.
func (t *RuntimeTester) tell(e Event) {
	if e.run != nil {
		t.History.record(e.run)
		e.run = nil
	}
	if t.Observer == nil {
		return
	}
	o := &t.observers
	o.mu.Lock()
	defer o.mu.Unlock()
	if e.isSample() {
		if o.samples == maxSamples {
			o.dropped++
			return
		}
		o.samples++
	}
	e.At = time.Now()
	e.Dropped, o.dropped = o.dropped, 0
	o.waiting = append(o.waiting, e)
	o.told++
	if !o.busy {
		o.busy = true
		go t.deliver()
	}
}

func (e *Event) isSample() bool { return e.Kind == EventOutput || e.Kind == EventMemory }

// deliver calls the observer until nothing waits. A panic of the observer is its caller's own.
func (t *RuntimeTester) deliver() {
	o := &t.observers
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.waiting) > 0 {
		events := o.waiting
		o.waiting, o.samples = nil, 0
		o.mu.Unlock()
		for _, e := range events {
			t.Observer(e)
		}
		o.mu.Lock()
		o.seen += len(events)
		o.handed.Broadcast()
	}
	o.busy = false
}

// flush waits until the observer has got all events so far.
func (t *RuntimeTester) flush() {
	if t.Observer == nil {
		return
	}
	o := &t.observers
	o.mu.Lock()
	defer o.mu.Unlock()
	o.handed.L = &o.mu
	for told := o.told; o.seen < told; {
		o.handed.Wait()
	}
}

// event returns an event of the job.
func (j *job) event(kind EventKind) Event {
	name := j.Name
	if name == "" && !isNil(j.spec) {
		name = *j.spec.common().stepName
	}
	return Event{Kind: kind, Run: j.Run, Name: name, Pipeline: j.Pipeline, Example: j.Example, Round: j.Round, Attempt: j.Attempt}
}

// ended returns the event of an attempt that has ended.
func (r *scriptRun) ended() Event {
	e := r.job.event(EventAttempt)
	e.Result, e.run = &r.result, r
	return e
}

// sampled returns what is told of each sample of the memory.
func (r *scriptRun) sampled() func(bytes int64) {
	if r.tester.Observer == nil {
		return nil
	}
	return func(bytes int64) {
		e := r.job.event(EventMemory)
		e.Memory = bytes
		r.tester.tell(e)
	}
}

// watchOutput tells how many lines there are, now and then and at the end, which is when what it returns is called.
func (r *scriptRun) watchOutput(stdout, stderr *capture.Stream) (stop func()) {
	if r.tester.Observer == nil {
		return func() {}
	}
	const often = 200 * time.Millisecond
	ticker := time.NewTicker(often)
	ended, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for said, last := int64(0), false; !last; {
			select {
			case <-ticker.C:
			case <-ended:
				last = true
			}
			e := r.job.event(EventOutput)
			e.StdoutLines, e.StderrLines = stdout.Lines(), stderr.Lines()
			if lines := e.StdoutLines + e.StderrLines; lines > said {
				said = lines
				r.tester.tell(e)
			}
		}
	}()
	return func() {
		ticker.Stop()
		close(ended)
		<-done
	}
}
