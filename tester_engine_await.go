package scriptspec

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/scriptspec/scriptspec/internal/slurm"
)

// errStillThere is behind the error for a job that may still run.
var errStillThere = errors.New("its job may still be running")

// How long a reply may take to be seen here, once its job has ended: with the exit code 0 there is one, and a network
// file system may show it late.
const (
	replyDelay   = 60 * time.Second
	noReplyDelay = 5 * time.Second
)

// await waits for the reply of a job. The reply decides, whatever Slurm says of the job; without one it is lost, once
// Slurm says that it has ended, or does not know it.
func (j *slurmJob) await(ctx context.Context) (*nodeReply, error) {
	if j.record.ID == "" {
		if reply, err := j.reply(); reply != nil || err != nil {
			return reply, err
		}
		if err := j.identify(ctx); err != nil {
			return nil, err
		}
	}
	follower := j.engine.watch.Follow(j.record.ID, j.record.Name)
	defer func() { follower.Stop() }()
	begun, last := time.Now(), slurm.Status{}
	var over <-chan time.Time       // when nothing more is to be expected
	instead := func(other string) { // is the job, by its name
		follower.Stop()
		j.record.ID, over = other, nil
		follower = j.engine.watch.Follow(j.record.ID, j.record.Name)
	}
	stopped, cancelled := ctx.Done(), false
	for {
		reply, err := j.reply()
		switch {
		case err != nil:
			return nil, err
		case reply != nil && reply.Ended != "":
			return nil, j.endedFromOutside(ctx, follower, reply, last)
		case reply != nil:
			return reply, nil
		}
		const quick, slow = 5 * time.Millisecond, 250 * time.Millisecond
		timer := time.NewTimer(min(max(time.Since(begun)/20, quick), slow))
		select {
		case <-timer.C:
		case <-stopped:
			if last.State.Ended() || last.State == slurm.Unknown {
				timer.Stop()
				return nil, context.Cause(ctx)
			}
			stopped, cancelled = nil, true
			over = j.cancel(ctx)
		case last = <-follower.C:
			switch gone := last.State.Ended() || last.State == slurm.Unknown; {
			case cancelled && gone:
				timer.Stop()
				return nil, context.Cause(ctx)
			case cancelled: // which bounds what is waited for
			case last.Never():
				timer.Stop()
				j.cancel(ctx)
				_ = j.dir.Withdraw()
				return nil, fmt.Errorf("job %s cannot begin%s: %s; it was cancelled", j.record.ID, j.arguments(), printable(last.String()))
			case last.State == "PENDING":
				over = nil
				j.pending(last)
			case !gone:
				over = nil
			case last.State == "COMPLETED":
				over = time.After(replyDelay)
			default:
				over = time.After(noReplyDelay)
			}
		case <-over:
			timer.Stop()
			if cancelled {
				return nil, fmt.Errorf("%w; job %s may still be running: %w", context.Cause(ctx), j.record.ID, errStillThere)
			}
			if other, ok := j.dir.Begun(); ok && other.Job != "" && other.Job != j.record.ID {
				instead(other.Job) // sbatch had submitted twice, and this one was first
				continue
			}
			if last.State == slurm.Unknown { // to the list of all jobs, and under this id
				now, known, err := j.engine.client.Find(ctx, j.record.Name)
				switch {
				case err != nil: // is no news
					over = time.After(noReplyDelay)
					continue
				case known && !now.State.Ended():
					instead(now.ID)
					continue
				case known:
					last = now
				default:
					_ = j.engine.client.Cancel(ctx, j.record.ID, j.record.Name) // should it be there all the same
				}
			}
			return nil, j.lost(last)
		}
		timer.Stop()
	}
}

// pending tells an observer why a job has not begun, in the engine's words.
func (j *slurmJob) pending(s slurm.Status) {
	if j.what == nil {
		return
	}
	e := j.what.event(EventPending)
	e.Reason = printable(s.String())
	j.tester.tell(e)
}

// lost is the error for a job that ended without a reply. What may be left of it, on a node that Slurm cannot reach, is
// told to end.
func (j *slurmJob) lost(last slurm.Status) error {
	_, begun := j.dir.Begun()
	_ = j.dir.Withdraw() // a directory that cannot be written to is not read either
	what := "before the script was started"
	if begun {
		const notice = 3 * time.Second
		time.Sleep(notice)
		what = "without a reply"
	}
	if last.State == slurm.Unknown {
		text := "is not known to Slurm any more"
		if last.Reason != "" {
			text += ", as " + last.Reason
		}
		return fmt.Errorf("%w: job %s ended %s and %s", ErrLost, j.record.ID, what, text)
	}
	return fmt.Errorf("%w: job %s ended %s: %s", ErrLost, j.record.ID, what, printable(last.String()))
}

// endedFromOutside is the error for a job whose helper was told to end, by this driver or another.
func (j *slurmJob) endedFromOutside(ctx context.Context, follower *slurm.Follower, reply *nodeReply, last slurm.Status) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	why := "on " + printable(reply.Host)
	const patience = 10 * time.Second // for Slurm's word for it
	j.engine.watch.Hurry()
	for over := time.After(patience); !last.State.Ended(); {
		select {
		case last = <-follower.C:
			continue
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-over:
		}
		break
	}
	if last.State.Ended() {
		why = last.String()
	}
	return fmt.Errorf("%w: job %s was ended by %s: %s", ErrLost, j.record.ID, printable(reply.Ended), printable(why))
}

// cancel has the job ended, and returns what says that this should be over: the helper ends what it has started, or Slurm
// kills all of it. A scancel that Slurm refuses, as for a job that has ended meanwhile, is not repeated.
func (j *slurmJob) cancel(ctx context.Context) (over <-chan time.Time) {
	const more = 45 * time.Second
	most := j.request.Grace + j.killWait + more
	limited, stop := context.WithTimeout(context.WithoutCancel(ctx), most)
	defer stop()
	for errors.Is(j.engine.client.Cancel(limited, j.record.ID, j.record.Name), slurm.ErrUnreachable) && sleep(limited, time.Second) {
	}
	j.engine.watch.Hurry()
	return time.After(most)
}

// identify finds the id of a job of which only the name is known.
func (j *slurmJob) identify(ctx context.Context) error {
	if begun, ok := j.dir.Begun(); ok && begun.Job != "" {
		j.record.ID = begun.Job
		return nil
	}
	for pause := time.Second; ; pause = min(2*pause, 30*time.Second) {
		status, ok, err := j.engine.client.Find(ctx, j.record.Name)
		switch {
		case ok:
			j.record.ID = status.ID
			return j.dir.SetRecord(j.record)
		case err == nil:
			_ = j.dir.Withdraw()
			return fmt.Errorf("%w: it was not submitted before its driver ended", ErrLost)
		case !errors.Is(err, slurm.ErrUnreachable) && ctx.Err() == nil:
			return err
		case !sleep(ctx, pause):
			return context.Cause(ctx)
		}
	}
}

// reply returns the reply, nil as long as there is none. One of another version or job is an error.
func (j *slurmJob) reply() (*nodeReply, error) {
	data, ok, err := j.dir.Reply()
	if err != nil || !ok {
		return nil, nil //nolint:nilerr // a file system that fails now may answer later; Slurm says when the job has ended
	}
	var head nodeHead
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, fmt.Errorf("the reply of job %s cannot be read: %w", j.record.ID, err)
	}
	if head.Version != nodeVersion {
		return nil, versionError(nodeVersion, head.Version)
	}
	reply := new(nodeReply)
	if err := json.Unmarshal(data, reply); err != nil {
		return nil, fmt.Errorf("the reply of job %s cannot be read: %w", j.record.ID, err)
	}
	if reply.Token != j.record.Name {
		return nil, fmt.Errorf("the reply of job %s is of another one", j.record.ID)
	}
	return reply, nil
}
