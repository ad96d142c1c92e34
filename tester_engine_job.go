package scriptspec

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/scriptspec/scriptspec/internal/jobdir"
	"github.com/scriptspec/scriptspec/internal/mask"
	"github.com/scriptspec/scriptspec/internal/slurm"
)

// slurmJob runs a script as a job of Slurm, and again if that is lost.
type slurmJob struct {
	tester   *RuntimeTester
	engine   *engineState
	what     *job // nil if nobody waits for what comes of it
	place    *jobPlace
	masker   *mask.Masker
	clear    func() error // the outputs, may be nil
	request  nodeRequest
	memory   int64
	killWait time.Duration // from the signal that ends a job to the kill
	// What counts for one attempt.
	dir    jobdir.Dir
	record jobdir.Record
}

// jobPrefix begins the names of jobs, which end in a random text by which they are told apart.
const jobPrefix = "scriptspec-"

func (t *RuntimeTester) newSlurmJob(ctx context.Context, what job, s *ScriptExecutionSpec) (*slurmJob, error) {
	j := &slurmJob{tester: t, engine: t.slurm(), what: &what, masker: what.masker, clear: what.clear, place: what.place, memory: cmp.Or(s.MaxMemory, t.MaxMemory)}
	grace, killWait, err := j.engine.grace(ctx, t)
	j.killWait = killWait
	if err != nil {
		return nil, err
	}
	if j.request, err = newNodeRequest(t, what, s, grace); err != nil {
		return nil, err
	}
	if j.place != nil {
		return j, nil
	}
	shared, err := t.Engine.sharedDir()
	if err != nil {
		return nil, err
	}
	j.place = new(jobPlace)
	j.place.dir, j.place.release, err = j.engine.jobs.Place(filepath.Join(shared, "jobs"), func(left jobdir.Dir) error {
		return t.discard(ctx, left) // there may be secrets in it, and it may write to the same outputs
	})
	return j, err
}

// run returns the verdict on the script: that of an earlier driver's job, or of one that is submitted, and again if it
// is lost. After a verdict nothing is submitted. The error is one of the node's, ErrLost, or the cause of the context's
// end.
func (j *slurmJob) run(ctx context.Context) (*nodeReply, error) {
	alone := j.place.release != nil // not of a pipeline, which removes the directories at its end
	if alone {
		defer j.place.release()
	}
	for retries := j.tester.Engine.lostRetries(); ; retries-- {
		reply, err := j.attempt(ctx)
		if reply == nil && !alone && !errors.Is(err, errStillThere) {
			_ = j.dir.Remove() // there is nothing for a later driver
		}
		switch {
		case err != nil && !errors.Is(err, ErrLost):
			return nil, err
		case err == nil && reply.Result == nil:
			return nil, &nodeError{reply}
		case err == nil:
			return reply, nil
		case retries == 0:
			return nil, err
		}
		if j.clear == nil {
			continue
		}
		if err := j.clear(); err != nil {
			return nil, err
		}
	}
}

// attempt takes up the job that was found, or submits one, and returns its reply.
func (j *slurmJob) attempt(ctx context.Context) (reply *nodeReply, err error) {
	if j.dir, j.place.found = j.place.found, ""; j.dir != "" {
		j.record, _ = j.dir.Record()
	} else if err := j.submit(ctx); err != nil {
		return nil, err
	}
	j.place.name = j.record.Name
	return j.await(ctx)
}

// submit makes the directory of a new job and submits it. Its name is in the directory before the job is in the queue.
func (j *slurmJob) submit(ctx context.Context) (err error) {
	if j.dir, err = jobdir.Create(j.place.dir); err != nil {
		return err
	}
	j.record = jobdir.Record{Version: nodeVersion, Name: jobPrefix + rand.Text(), Digest: j.place.digest}
	j.request.Token = j.record.Name
	data, err := json.Marshal(j.request)
	if err != nil {
		return err
	}
	helper, err := j.tester.Engine.helper()
	if err != nil {
		return err
	}
	words := slices.Concat(helper, []string{string(j.dir)})
	for i, word := range words {
		words[i] = shellQuote(word)
	}
	script := "#!/bin/sh\nexec " + strings.Join(words, " ") + "\n"
	args := slices.Concat(j.tester.Engine.Args, j.place.args)
	const (
		margin  = 2 * time.Minute // for the start, and as Slurm's clock is coarse
		warning = time.Minute
		more    = 64 << 20 // for the helper
	)
	what := slurm.Job{
		Name: j.record.Name, Output: j.dir.Log(), Limit: j.request.Timeout + j.request.Grace + margin, Warning: warning,
		Args: args, Script: script,
	}
	if j.memory > 0 && !slices.ContainsFunc(args, asksForMemory) {
		what.Memory = j.memory + more
	}
	if err := errors.Join(j.dir.SetRequest(data), j.dir.SetRecord(j.record)); err != nil {
		return err
	}
	if j.record.ID, err = j.sbatch(ctx, what); err != nil {
		return err
	}
	return j.dir.SetRecord(j.record)
}

// asksForMemory reports whether sbatch takes an argument for --mem, --mem-per-cpu or --mem-per-gpu.
func asksForMemory(arg string) bool {
	name, _, _ := strings.Cut(arg, "=")
	return name == "--mem" || strings.HasPrefix(name, "--mem-p")
}

// patience bounds how long a cluster may be out of reach for a job that is to be submitted.
const patience = 10 * time.Minute

// sbatch submits until slurmctld has answered: a call that failed may have submitted the job, whatever it said, so that
// its name is looked for. It is not interrupted, since a job must be known to be ended.
func (j *slurmJob) sbatch(ctx context.Context, what slurm.Job) (id string, err error) {
	begun, calls := time.Now(), context.WithoutCancel(ctx)
	looks := 3 // after a call of which nothing is known: the job may still be on its way
	for pause := time.Second; ; pause = min(2*pause, 30*time.Second) {
		if id, err = j.engine.client.Submit(calls, what); err == nil {
			return id, nil
		}
		if _, started := errors.AsType[*slurm.CommandError](err); !started {
			return "", j.unsubmitted(ctx, err)
		}
		for answered := false; !answered; {
			status, found, findErr := j.engine.client.Find(calls, what.Name)
			switch {
			case found:
				return status.ID, nil
			case errors.Is(findErr, slurm.ErrUnreachable):
			case errors.Is(err, slurm.ErrUnclear):
				if looks--; looks == 0 {
					return "", j.unsubmitted(ctx, err)
				}
			case !errors.Is(err, slurm.ErrUnreachable):
				return "", j.unsubmitted(ctx, err)
			default:
				answered = findErr == nil
			}
			if time.Since(begun) > patience || !sleep(ctx, pause) {
				return "", j.unsubmitted(ctx, err)
			}
		}
	}
}

// unsubmitted is the error for a job that is not in the queue, as far as is known.
func (j *slurmJob) unsubmitted(ctx context.Context, err error) error {
	_ = j.dir.Withdraw() // should it begin all the same, there is nothing that it could do
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return fmt.Errorf("a job cannot be submitted%s: %w", j.arguments(), maskedError{err, j.masker})
}

// arguments says what the user has asked sbatch for, for errors.
func (j *slurmJob) arguments() string {
	args := slices.Concat(j.tester.Engine.Args, j.place.args)
	if len(args) == 0 {
		return ""
	}
	return " with " + printable(j.masker.String(strings.Join(args, " ")))
}

// maskedError hides secrets in the text of an error.
type maskedError struct {
	err    error
	masker *mask.Masker
}

func (e maskedError) Error() string { return e.masker.String(e.err.Error()) }

func (e maskedError) Unwrap() error { return e.err }

// sleep reports false if the context ends before.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
