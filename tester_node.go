package scriptspec

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/scriptspec/scriptspec/internal/cgroup"
	"github.com/scriptspec/scriptspec/internal/jobdir"
	"github.com/scriptspec/scriptspec/internal/mask"
)

// nodeVersion is that of the protocol between the driver and the helper: what is in requests and replies.
const nodeVersion = 1

// nodeHead is what requests and replies of all versions have.
type nodeHead struct {
	Version int    `json:"version"`
	Token   string `json:"token"` // the name of the job
}

func versionError(driver, helper int) error {
	return fmt.Errorf("the driver speaks version %d of the protocol with compute nodes, and the helper there version %d; "+
		"use the same version of scriptspec for both", driver, helper)
}

// nodeRequest is what a helper is to do: a test with all that the driver's process had to do with it. Paths are
// absolute.
type nodeRequest struct {
	nodeHead

	Spec        json.RawMessage   `json:"spec"`
	Python      string            `json:"python"`      // as it was given
	PythonFrom  string            `json:"python_from"` // where the name comes from
	Path        string            `json:"path"`        // that of the driver, where it is looked up
	Dir         string            `json:"dir"`
	LogDir      string            `json:"log_dir"`
	Timeout     time.Duration     `json:"timeout"`
	Grace       time.Duration     `json:"grace"`
	MaxMemory   int64             `json:"max_memory"`
	MaxOutput   int64             `json:"max_output"`
	CommandLine []string          `json:"command_line"`
	HashInputs  bool              `json:"hash_inputs"`
	AnyOutput   bool              `json:"any_output"` // the driver checks outputs
	Environ     [][]byte          `json:"environ"`    // name=value, whatever bytes
	Within      []string          `json:"within"`
	Masks       map[string]string `json:"masks"` // what is shown for each secret
}

// newNodeRequest writes a test down. What the script's environment would be here it is there, but for what Slurm has
// set, here or there.
func newNodeRequest(t *RuntimeTester, what job, s *ScriptExecutionSpec, grace time.Duration) (q nodeRequest, err error) {
	s = s.Clone()
	s.ScriptPath = absolutePath(s.ScriptPath)
	makeAbsolute(s)
	for i, file := range s.DependsOn.Files {
		s.DependsOn.Files[i] = absolutePath(file)
	}
	var text bytes.Buffer
	if err := Encode(&text, s); err != nil {
		return q, err
	}
	q = nodeRequest{
		nodeHead: nodeHead{Version: nodeVersion}, Spec: text.Bytes(), Path: os.Getenv("PATH"), Dir: absolutePath(cmp.Or(t.Dir, ".")),
		LogDir: absolutePath(t.LogDir), Timeout: what.timeout, Grace: grace, MaxMemory: t.MaxMemory, MaxOutput: t.maxOutput(),
		CommandLine: t.CommandLine, HashInputs: t.HashInputs, AnyOutput: t.OutputCheck != nil, Masks: what.masker.Secrets(),
	}
	q.Python, q.PythonFrom = pythonName(t.Python)
	if strings.ContainsRune(q.Python, filepath.Separator) {
		q.Python = absolutePath(q.Python)
	}
	for _, dir := range what.within {
		q.Within = append(q.Within, absolutePath(dir))
	}
	env := t.environment(s)
	maps.DeleteFunc(env, func(name, _ string) bool {
		_, own := s.EnvironVars[name]
		return !own && (isOfSlurm(name) || slices.Contains(nodeVariables, name))
	})
	for _, entry := range envList(env) {
		q.Environ = append(q.Environ, []byte(entry))
	}
	return q, nil
}

// isOfSlurm reports whether a variable describes a job to Slurm's programs. Frameworks take it for their own.
func isOfSlurm(name string) bool {
	for _, prefix := range []string{"SLURM_", "SLURMD_", "SBATCH_", "SRUN_", "SALLOC_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// nodeVariables are those that a node gives to a script: which devices are the job's, and its id.
var nodeVariables = []string{
	"CUDA_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "ZE_AFFINITY_MASK", "SLURM_JOB_ID",
}

// nodeSide is what a tester has on a compute node in the place of its own process's.
type nodeSide struct {
	python, source string
	environ        map[string]string
}

// nodeReply is what a helper says: what came of the script, or why there was no test, or what ended it.
type nodeReply struct {
	nodeHead

	Host     string            `json:"host"`
	Result   *ScriptTestResult `json:"result,omitempty"`
	Returned string            `json:"returned,omitempty"` // the return value as it was written
	Modules  []string          `json:"modules,omitempty"`
	Error    string            `json:"error,omitempty"`
	Kind     string            `json:"kind,omitempty"`  // of the error
	Ended    string            `json:"ended,omitempty"` // by what the helper was told to end
}

// nodeError is an error of a compute node.
type nodeError struct{ reply *nodeReply }

// nodeErrors are the errors that a driver's caller may look for.
var nodeErrors = map[string]error{
	"interpreter": ErrInterpreter, "not_found": exec.ErrNotFound, "not_exist": fs.ErrNotExist, "permission": fs.ErrPermission,
	"unsupported": errors.ErrUnsupported,
}

func (e *nodeError) Error() string { return "on " + printable(e.reply.Host) + ": " + e.reply.Error }

func (e *nodeError) Unwrap() error { return nodeErrors[e.reply.Kind] }

// RunNode runs the script that a driver has asked for in the directory of a job, on the compute node where it is
// called, and writes what came of it there: what scriptspec node does. Ctx is to end when the job is to: on SIGTERM,
// SIGINT and SIGUSR1, with a cause that names it; then the script and all that it has started are ended, as TestScript
// does it, and the driver is told. The error is for a request that is not there or cannot be read, and for a reply that
// cannot be written.
func RunNode(ctx context.Context, dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	d := jobdir.Dir(dir)
	host, _ := os.Hostname() // is only shown
	failed := func(err error) error { return fmt.Errorf("job directory %s: %w", printable(dir), err) }
	data, err := d.TakeRequest()
	if err != nil {
		return failed(err)
	}
	reply := nodeReply{Host: cmp.Or(os.Getenv("SLURMD_NODENAME"), host)}
	if err := json.Unmarshal(data, &reply.nodeHead); err != nil {
		return failed(errors.New("the request is not JSON")) // of which the error may show a part
	}
	driver := reply.Version
	reply.Version = nodeVersion
	if err := d.SetBegun(jobdir.Begun{Job: os.Getenv("SLURM_JOB_ID"), Host: reply.Host, PID: os.Getpid()}); err != nil {
		return failed(err)
	}
	if driver != nodeVersion {
		reply.Error = versionError(driver, nodeVersion).Error()
	} else {
		var q nodeRequest
		if err := json.Unmarshal(data, &q); err != nil {
			return failed(errors.New("the request is not one"))
		}
		guarded, stop := context.WithCancelCause(ctx)
		defer stop(nil)
		go withdrawn(guarded, d, stop)
		q.run(guarded, &reply)
	}
	if data, err = json.Marshal(reply); err == nil {
		err = d.SetReply(data)
	}
	if err != nil {
		return failed(err)
	}
	return nil
}

// withdrawn ends the run of a job that its driver has given up: another one may write to the same outputs.
func withdrawn(ctx context.Context, d jobdir.Dir, stop context.CancelCauseFunc) {
	const often, misses = time.Second, 2
	for missed := 0; sleep(ctx, often); {
		if !d.Withdrawn() {
			missed = 0
		} else if missed++; missed == misses {
			stop(errors.New("the driver, which has given it up"))
		}
	}
}

// run is the test of a request.
func (q *nodeRequest) run(ctx context.Context, reply *nodeReply) {
	masker := mask.New(q.Masks, shortestSecret)
	fail := func(err error) {
		reply.Error = masker.String(err.Error())
		for _, kind := range slices.Sorted(maps.Keys(nodeErrors)) {
			if errors.Is(err, nodeErrors[kind]) {
				reply.Kind = kind
			}
		}
	}
	s, err := Decode(bytes.NewReader(q.Spec), nil)
	if err != nil {
		fail(err)
		return
	}
	t := &RuntimeTester{
		Dir: q.Dir, LogDir: q.LogDir, Grace: q.Grace, MaxMemory: q.MaxMemory, MaxOutput: q.MaxOutput, CommandLine: q.CommandLine,
		HashInputs: q.HashInputs, node: &nodeSide{source: q.PythonFrom, environ: map[string]string{}},
	}
	if q.AnyOutput {
		t.OutputCheck = func(string, OutputInfo) error { return nil }
	}
	for _, entry := range q.Environ {
		name, value, _ := strings.Cut(string(entry), "=")
		t.node.environ[name] = value
	}
	own := *s.common().environVars
	for _, name := range nodeVariables {
		if value, ok := os.LookupEnv(name); ok {
			if _, spec := own[name]; !spec {
				t.node.environ[name] = value
			}
		}
	}
	if t.node.python, err = lookPath(q.Python, q.Path); err != nil {
		fail(noPython(q.PythonFrom, err))
		return
	}
	group := cgroup.Own()
	killed := group.Kills()
	result, err := t.test(ctx, job{spec: s, timeout: q.Timeout, masker: masker, within: q.Within}, s)
	if err == nil && !result.Success {
		// Slurm may have sent the signal to the script as well, and that has ended first.
		const later = 200 * time.Millisecond
		sleep(ctx, later)
	}
	switch {
	case ctx.Err() != nil && (err != nil || !result.Success):
		reply.Ended = context.Cause(ctx).Error()
		return
	case err != nil:
		fail(err)
		return
	case !result.Success && group.Kills() > killed:
		outOfMemory(result, group.Limit())
	}
	reply.Result, reply.Returned, reply.Modules = result, string(result.ReturnValue), result.modules
}

// outOfMemory makes a result that of a script of which the kernel has killed a process, as its job had no more memory.
func outOfMemory(r *ScriptTestResult, limit int64) {
	r.Outcome, r.ErrorType, r.Traceback = OutcomeMemory, "", ""
	r.ErrorMessage = "took more memory than its job has"
	if limit > 0 {
		r.ErrorMessage += fmt.Sprintf(", %d MiB", limit>>20)
	}
	r.ErrorMessage += "; ask for more with --mem"
}

// lookPath is exec.LookPath in another PATH than that of this process.
func lookPath(name, path string) (string, error) {
	if strings.ContainsRune(name, filepath.Separator) {
		return exec.LookPath(name)
	}
	for _, dir := range filepath.SplitList(path) {
		if !filepath.IsAbs(dir) {
			continue // as Go does it, nothing is taken from the working directory
		}
		if found, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return found, nil
		}
	}
	return "", &exec.Error{Name: name, Err: exec.ErrNotFound}
}
