package scriptspec

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/scriptspec/scriptspec/internal/githead"
	"github.com/scriptspec/scriptspec/internal/snapshot"
)

// record records an attempt that has ended. It fails no run: what goes wrong is in Err. A nil History records nothing.
func (h *History) record(run *scriptRun) {
	if h == nil {
		return
	}
	res, id := &run.result, run.job.runID
	r := Record{
		Run: id.Run, Session: run.tester.session.id(), At: now(), ScriptName: res.ScriptName, StepName: res.StepName, Example: id.Example, Pipeline: id.Pipeline,
		Attempt: max(id.Attempt, 1), Shard: id.Shard, Outcome: res.Outcome, ErrorType: cutText(res.ErrorType), ErrorAt: h.errorAt(res),
		Duration: res.ExecutionTime, User: res.UserTime, System: res.SystemTime, ImportTime: res.ImportTime, PeakMemory: res.PeakMemory,
		Warm: res.Warm, Python: cutText(res.Interpreter.Version), Platform: runtime.GOOS + "/" + runtime.GOARCH, CI: inCI(),
	}
	if expected(run.job.expect) != OutcomePassed {
		r.Expect = run.job.expect
	}
	r.SpecDigest, r.ScriptDigest = run.specDigest(), run.scriptDigest()
	r.InputDigest, r.InputBytes = run.inputDigest()
	r.Outputs = run.recordedOutputs()
	state := h.git.get(h.store.dir)
	if r.Commit = state.Commit; state.Known {
		r.Dirty = &state.Dirty
	}
	res.like, res.coldIn = r.like(), r.coldIn()
	_ = h.Append(r) // Err has it
}

// session is the time in which one tester runs scripts.
type session struct {
	once sync.Once
	name string
}

func (s *session) id() string {
	s.once.Do(func() { s.name = newRunID() })
	return s.name
}

// inCI reports whether this is a job of a CI system, all of which say so in the same way.
func inCI() bool {
	ci := os.Getenv("CI")
	return ci != "" && ci != "0" && !strings.EqualFold(ci, "false")
}

// errorAt returns where an exception was raised.
func (h *History) errorAt(res *ScriptTestResult) string {
	var place, inScript string
	for line := range strings.Lines(res.Traceback) {
		rest, ok := strings.CutPrefix(strings.TrimLeft(line, " "), `File "`)
		file, rest, cut := strings.Cut(rest, `", line `)
		if !ok || !cut {
			continue
		}
		digits := rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))]
		if n, err := strconv.Atoi(digits); err != nil || n < 1 {
			continue
		}
		place = h.relative(file) + ":" + digits
		if strings.TrimSuffix(filepath.Base(file), ".py") == res.ScriptName {
			inScript = place
		}
	}
	if inScript != "" {
		place = inScript
	}
	return cutText(place)
}

// relative returns a file without the directories that only this machine has.
func (h *History) relative(file string) string {
	base := h.store.base
	if base == "" {
		base = h.store.dir
	}
	if rel, err := filepath.Rel(base, file); err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel)
	}
	return filepath.Base(file)
}

// digestOf shortens a SHA-256 to what tells versions of one thing apart.
func digestOf(sum []byte) string { return hex.EncodeToString(sum[:8]) }

// specDigest sums up what the script is run with, but for where things are, when the spec was changed, values of environment
// variables and other secrets.
func (r *scriptRun) specDigest() string {
	if isNil(r.given) {
		return ""
	}
	b := r.given.self().Basic()
	c := b.common()
	b.CreatedAt, b.UpdatedAt, b.ScriptPath, b.Extra = Timestamp{}, Timestamp{}, b.ScriptName+".py", nil
	for name := range b.InputPaths {
		moveEntry(b, fieldInputs, name, name)
	}
	for name := range b.OutputPaths {
		moveEntry(b, fieldOutputs, name, name)
	}
	for name := range b.EnvironVars {
		b.EnvironVars[name] = ""
	}
	redactArgs(b.JobArgs, c.isSecret)
	b.Metadata = Metadata{ // the rest changes nothing that a run does
		DependsOn: Dependencies{Packages: b.DependsOn.Packages}, Optional: b.Optional, Timeout: b.Timeout, MaxMemory: b.MaxMemory,
	}
	e, err := encode(b, 0)
	if err != nil {
		return ""
	}
	defer e.release()
	text := r.masker.String(string(e.w.Buf))
	if r.request.Program {
		text += "program"
	}
	sum := sha256.Sum256([]byte(text))
	return digestOf(sum[:])
}

// maxDigested bounds the bytes of a script, and of each file that it depends on, that are read for a digest.
const maxDigested = 1 << 20

// scriptDigest is of the script and the files that it depends on: "" if one cannot be read, is very large, or has been changed
// since the script was started.
func (r *scriptRun) scriptDigest() string {
	h := sha256.New()
	for _, file := range append([]string{r.spec.ScriptPath}, r.spec.DependsOn.Files...) {
		info, err := os.Stat(file)
		if err != nil || !r.result.StartedAt.IsZero() && info.ModTime().After(r.result.StartedAt.Time) {
			return ""
		}
		digest, _, ok := snapshot.HashFile(context.Background(), file, maxDigested)
		if !ok {
			return ""
		}
		h.Write([]byte(digest))
	}
	return digestOf(h.Sum(nil))
}

// inputDigest is of the inputs as they were before the run: "" if one could not be read, or was changed by it.
func (r *scriptRun) inputDigest() (digest string, bytes int64) {
	h := sha256.New()
	known := r.inputs != nil && len(r.result.ChangedInputs) == 0
	for _, name := range slices.Sorted(maps.Keys(r.inputs)) {
		sketch, size := r.inputs[name].Sketch()
		known = known && sketch != ""
		bytes += size
		h.Write([]byte(strconv.Quote(name) + sketch))
	}
	if !known {
		return "", bytes
	}
	return digestOf(h.Sum(nil)), bytes
}

// maxSketched is how many files an output may have for it to be walked once more.
const maxSketched = 1000

// recordedOutputs describes the outputs of a run that has passed with a digest, and others without.
func (r *scriptRun) recordedOutputs() map[string]RecordedOutput {
	outputs := make(map[string]RecordedOutput, len(r.result.Outputs))
	for name, info := range r.result.Outputs {
		o := RecordedOutput{Files: info.Files, Bytes: info.Bytes}
		if r.result.Outcome == OutcomePassed && info.Files <= maxSketched {
			o.Digest, _ = snapshot.Written(info.Path).Sketch()
		}
		outputs[name] = o
	}
	return outputs
}

// gitState is what git says of the store's work tree. It is asked in the background, so that no run waits for long.
type gitState struct {
	mu      sync.Mutex
	asked   time.Time
	answer  githead.State
	pending chan struct{} // closed when git has answered
}

const (
	gitFresh = time.Minute            // how long an answer counts
	gitWait  = 100 * time.Millisecond // how long one is waited for
)

// ask asks git, unless it was asked a moment ago.
func (g *gitState) ask(dir string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.asked.IsZero() && time.Since(g.asked) < gitFresh {
		return
	}
	g.asked = time.Now()
	done := make(chan struct{})
	g.pending = done
	go func() {
		answer := githead.StateOf(context.Background(), dir)
		g.mu.Lock()
		g.answer = answer
		g.mu.Unlock()
		close(done)
	}()
}

// get returns the answer: nothing if git takes its time, and an older answer if it does so when asked again.
func (g *gitState) get(dir string) githead.State {
	g.ask(dir)
	g.mu.Lock()
	pending := g.pending
	g.mu.Unlock()
	select {
	case <-pending:
	default:
		timer := time.NewTimer(gitWait)
		defer timer.Stop()
		select {
		case <-pending:
		case <-timer.C:
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.answer
}
