package scriptspec

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/scriptspec/scriptspec/internal/jobdir"
	"github.com/scriptspec/scriptspec/internal/mask"
	"github.com/scriptspec/scriptspec/internal/slurm"
)

// Slurm runs scripts as jobs of a Slurm cluster, one for each, by sbatch, squeue and scancel. Scripts, inputs, outputs
// and Dir must be on a file system that the driver, which is this process, and the compute nodes share under the same
// paths. The zero value asks for nothing but the time that a script may take, and its memory if that is bounded.
type Slurm struct {
	// Args are arguments of sbatch for every job: --partition=gpu, --account=churn, --gres=gpu:1, --mem=8G. An option
	// and its value are one argument. Those that the driver needs itself, such as --job-name, are refused.
	Args []string
	// Helper is the program that a job runs on its node, to which the directory of the job is added; nil means
	// scriptspec node, with the scriptspec of the PATH. A program of one's own calls [RunNode].
	Helper []string
	// Dir has a directory for each job of a script that is run outside of a pipeline, and temporary outputs; those of
	// pipelines are in their work directories. "" means scriptspec in the user's cache directory.
	Dir string
	// Bin is the directory with sbatch, squeue, scancel and scontrol; "" means the PATH.
	Bin string
	// LostRetries is how often a script is submitted again whose job was lost; 0 means once, less than 0 never.
	LostRetries int
}

// ErrLost is returned for a script of which there is no verdict, as its job ended without one: its node failed, it was
// preempted, cancelled by others or killed. The text has the state that Slurm gives.
var ErrLost = errors.New("lost")

// defaultJobs is how many jobs there are at the same time unless Parallelism says otherwise: the cluster has a queue of
// its own.
const defaultJobs = 100

// engineState is what a tester keeps of its engine. The zero value is ready to use.
type engineState struct {
	once   sync.Once
	client *slurm.Client
	watch  *slurm.Watch
	jobs   jobdir.Owned // of scripts outside of pipelines

	mu       sync.Mutex
	killWait time.Duration // 0 as long as it is not known
	askAgain time.Time     // for it, not before
}

func (t *RuntimeTester) slurm() *engineState {
	x := &t.engine
	x.once.Do(func() {
		x.client = slurm.New(t.Engine.Bin)
		x.watch = slurm.NewWatch(x.client)
	})
	return x
}

// grace returns the grace for a script, which is over before Slurm kills what is left of a job, and when it does that; 0
// if it is not known.
func (x *engineState) grace(ctx context.Context, t *RuntimeTester) (grace, killWait time.Duration, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.killWait == 0 && time.Now().After(x.askAgain) {
		if x.killWait, err = x.client.KillWait(ctx); errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
			return 0, 0, err // there is no Slurm here; else the cluster may be out of reach, or not tell
		}
		x.askAgain = time.Now().Add(time.Minute)
	}
	const reply = time.Second // what the helper needs besides
	switch most := x.killWait - reply; {
	case x.killWait == 0 || t.grace() <= most:
		return t.grace(), x.killWait, nil
	case t.Grace > 0:
		return 0, 0, &FieldError{
			Path: "RuntimeTester.Grace", Code: CodeFormat, Value: t.Grace,
			Message: fmt.Sprintf("Grace is %v, and the cluster kills a job %v after it has announced its end (KillWait)", t.Grace, x.killWait),
			Hint:    fmt.Sprintf("%v is the longest that leaves time for a reply", max(most, 0)),
		}
	default:
		return max(most, reply/2), x.killWait, nil
	}
}

// jobPlace is what the jobs of a script need besides what a run has: what a pipeline knows of its node.
type jobPlace struct {
	dir     string     // has a directory for each job
	release func()     // the directory, nil in a pipeline
	args    []string   // of sbatch, besides those of all
	digest  string     // of what is asked for
	found   jobdir.Dir // of an earlier driver's job, which is taken up, or ""
	name    string     // of the last job
}

// sharedDir returns the directory for what belongs to no work directory.
func (e *Slurm) sharedDir() (string, error) {
	if e.Dir != "" {
		return filepath.Abs(e.Dir)
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", &FieldError{
			Path: "Slurm.Dir", Code: CodeRequired, Err: err, Message: "there is no cache directory of the user: " + err.Error(),
			Hint: "name a directory on a file system that the compute nodes share",
		}
	}
	return filepath.Join(dir, "scriptspec"), nil
}

// tempDir makes a temporary directory where scripts can write to it.
func (t *RuntimeTester) tempDir(pattern string) (string, error) {
	if t.Engine == nil {
		return os.MkdirTemp("", pattern)
	}
	dir, err := t.Engine.sharedDir()
	if err != nil {
		return "", err
	}
	const private = 0o700
	if err := os.MkdirAll(dir, private); err != nil {
		return "", err
	}
	return os.MkdirTemp(dir, pattern)
}

// helper returns the program of a job.
func (e *Slurm) helper() ([]string, error) {
	if len(e.Helper) > 0 {
		program, err := filepath.Abs(e.Helper[0])
		return append([]string{program}, e.Helper[1:]...), err
	}
	program, err := exec.LookPath("scriptspec")
	if err == nil {
		program, err = filepath.Abs(program)
	}
	if err != nil {
		return nil, fmt.Errorf("no helper for the compute nodes (set Slurm.Helper, or install scriptspec on the PATH): %w", err)
	}
	return []string{program, "node"}, nil
}

// sbatchErrors finds arguments that sbatch would take for the script, and those that the driver needs itself.
func sbatchErrors(place string, at rank, args []string) []*FieldError {
	own := []string{
		"--job-name", "-J", "--output", "-o", "--error", "-e", "--parsable", "--wrap", "--array", "-a", "--wait", "-W", "--test-only",
		"--export", "--export-file", "--input", "-i", "--clusters", "-M", "--help", "-h", "--usage", "--version", "-V", "--requeue", "--signal",
		"--uid", "--gid",
	}
	// reserved returns the option of the driver's that sbatch would take arg for, as it takes -HJname for -H and -J, and
	// --job for --job-name.
	reserved := func(arg string) string {
		name, _, _ := strings.Cut(arg, "=")
		if strings.HasPrefix(name, "--") {
			if len(name) > 2 {
				for _, o := range own {
					if strings.HasPrefix(o, name) {
						return o
					}
				}
			}
			return ""
		}
		if !strings.HasPrefix(name, "-") {
			return ""
		}
		const flags = "HIkKOQsvX" // short options without a value, behind which there may be another
		for i := 1; i < len(name); i++ {
			if o := "-" + name[i:i+1]; slices.Contains(own, o) {
				return o
			}
			if strings.IndexByte(flags, name[i]) < 0 {
				break
			}
		}
		return ""
	}
	var errs []*FieldError
	for i, arg := range args {
		option := reserved(arg)
		fe := fieldErrorf(at, fmt.Sprintf("%s[%d]", place, i), CodeFormat, "%s is not an option of sbatch", arg).
			hintf("write an option and its value as one argument: --partition=gpu")
		fe.Value = arg
		switch {
		case strings.ContainsRune(arg, 0):
			fe.Code, fe.Message = CodeNUL, "a NUL byte, which no program can be given in an argument"
		case option != "":
			fe.Message, fe.Hint = option+" is an option that the driver sets itself", "leave it out"
		case strings.HasPrefix(arg, "-") && strings.Trim(arg, "-") != "":
			continue
		}
		errs = append(errs, fe)
	}
	return errs
}

// attempt is test, here or by the engine.
func (t *RuntimeTester) attempt(ctx context.Context, j job, given Spec) (*ScriptTestResult, error) {
	if t.Engine == nil {
		return t.test(ctx, j, given)
	}
	result, err := t.remote(ctx, j)
	if err == nil { // what the inputs were only the node knows
		run := &scriptRun{tester: t, spec: j.spec.self().Basic(), job: &j, given: given, masker: j.masker, result: *result}
		t.tell(run.ended())
		result = &run.result
	}
	return result, err
}

// remote is test by the engine: the script runs on a compute node, under the same care, and what came of it is read
// here.
func (t *RuntimeTester) remote(ctx context.Context, what job) (*ScriptTestResult, error) {
	s := what.spec
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	if errs := sbatchErrors("slurm.args", rank{}, t.Engine.Args); len(errs) > 0 {
		return nil, newValidationError(subject(s), errs)
	}
	basic := s.self().Basic()
	if fe := t.logDirError(basic); fe != nil {
		return nil, newValidationError(subject(s), []*FieldError{fe})
	}
	release, taken := inUse.claim(basic)
	if taken != nil {
		return refused(basic, what.masker, taken), nil
	}
	defer release()
	j, err := t.newSlurmJob(ctx, what, basic)
	if err != nil {
		return nil, err
	}
	reply, err := j.run(ctx)
	if err != nil {
		return nil, err
	}
	return j.result(reply, basic), nil
}

// refused is the result of a script whose outputs another one writes to.
func refused(s *ScriptExecutionSpec, masker *mask.Masker, taken *FieldError) *ScriptTestResult {
	r := scriptRun{masker: masker}
	r.result.ScriptName, r.result.StepName, r.result.Description = s.ScriptName, s.StepName, masker.String(s.Description)
	r.result.Outputs = map[string]OutputInfo{}
	r.refuse(OutcomeOutputUnusable, "%s", taken)
	return &r.result
}

// result is what a helper says of a script, with what only this process can check.
func (j *slurmJob) result(reply *nodeReply, s *ScriptExecutionSpec) *ScriptTestResult {
	res := reply.Result
	if reply.Returned != "" {
		res.ReturnValue = []byte(reply.Returned)
	}
	res.modules = reply.Modules
	declare(res.modules...)
	for name, info := range res.Outputs {
		if path, ok := s.OutputPaths[name]; ok { // relative ones are absolute there
			info.Path = path
			res.Outputs[name] = info
		}
	}
	if j.tester.OutputCheck == nil || res.Outcome != OutcomePassed && res.Outcome != OutcomeInputChanged {
		return res
	}
	var lacking []string
	for _, name := range slices.Sorted(maps.Keys(res.Outputs)) {
		info := res.Outputs[name]
		if s.common().isOptional(name) && info.Bytes == 0 {
			continue
		}
		if text := guarded("it", func() error { return j.tester.OutputCheck(name, info) }); text != "" {
			lacking = append(lacking, fmt.Sprintf("'%s': %s", printable(name), printable(j.masker.String(text))))
		}
	}
	if len(lacking) > 0 {
		res.Success, res.Outcome, res.ErrorMessage = false, OutcomeNoOutput, "an output was refused by OutputCheck: "+strings.Join(lacking, "; ")
	}
	return res
}

// lostRetries returns how often a job may be submitted again.
func (e *Slurm) lostRetries() int { return max(cmp.Or(e.LostRetries, 1), 0) }
