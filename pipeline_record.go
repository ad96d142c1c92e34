package scriptspec

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/scriptspec/scriptspec/internal/snapshot"
	"github.com/scriptspec/scriptspec/internal/workdir"
)

// maxHashed bounds the bytes of an input or output of which contents are remembered. Of more, names, sizes,
// times and inodes decide whether it is the same.
const maxHashed = 256 << 20

// maxCode bounds the files that a script has imported whose contents are remembered.
const maxCode = 10_000

// sum is the digest of data, whose contents are read while other things happen.
type sum struct {
	stamp   string
	content string
	done    chan struct{}
}

func newSum(ctx context.Context, s snapshot.Snapshot) *sum {
	x := &sum{stamp: s.Digest().Stamp, done: make(chan struct{})}
	go func() {
		defer close(x.done)
		x.content = s.Content(ctx, maxHashed)
	}()
	return x
}

// digest returns what is known by now.
func (x *sum) digest() snapshot.Digest {
	select {
	case <-x.done:
		return snapshot.Digest{Stamp: x.stamp, Content: x.content}
	default:
		return snapshot.Digest{Stamp: x.stamp}
	}
}

func digests(sums map[string]*sum) map[string]snapshot.Digest {
	all := map[string]snapshot.Digest{}
	for name, x := range sums {
		all[name] = x.digest()
	}
	return all
}

// keyed returns a digest of a text under the key of the work directory, from which the text cannot be found
// without it.
func (r *pipelineRun) keyed(text string) string {
	h := hmac.New(sha256.New, r.key)
	h.Write([]byte(text))
	return hex.EncodeToString(h.Sum(nil))
}

// digest sums up what a node is run with, but for values of environment variables and what is in files: its
// spec, with absolute paths and without times and the paths that a run replaces, and its wires.
func (r *pipelineRun) digest(n *runNode) string {
	if isNil(n.spec) {
		return ""
	}
	b := n.spec.self().Basic()
	b.CreatedAt, b.UpdatedAt = Timestamp{}, Timestamp{}
	b.ScriptPath = realPath(b.ScriptPath) // which decides what it imports
	for name, path := range b.InputPaths {
		moveEntry(b, fieldInputs, name, absolutePath(path))
	}
	for name := range b.OutputPaths {
		moveEntry(b, fieldOutputs, name, name)
	}
	for name := range b.EnvironVars {
		b.EnvironVars[name] = ""
	}
	b.Metadata = Metadata{DependsOn: b.DependsOn, Optional: b.Optional} // the rest changes no data
	var wires strings.Builder
	fmt.Fprintf(&wires, "%v %q\n", slices.Contains(r.tester.CommandLine, b.ScriptName), absolutePath(cmp.Or(r.tester.Dir, ".")))
	for _, p := range n.Inputs {
		moveEntry(b, fieldInputs, p.DestLogicalName, p.DestLogicalName)
		fmt.Fprintf(&wires, "%q %q %q\n", p.DestLogicalName, p.Source, p.SourceLogicalName)
	}
	e, err := encode(b, 0)
	if err != nil {
		return "" // a script cannot be run with it either
	}
	defer e.release()
	return r.keyed(string(e.w.Buf) + wires.String())
}

func absolutePath(path string) string {
	if abs, err := filepath.Abs(path); err == nil && path != "" {
		return abs
	}
	return path
}

// newRecord returns the record of a node that begins: what it is run with.
func (r *pipelineRun) newRecord(n *runNode) workdir.Record {
	rec := workdir.Record{
		Node: n.Node, Run: rand.Text(), Digest: n.digest,
		After: map[string]string{}, Environ: map[string]string{}, Code: map[string]string{},
	}
	for _, i := range n.before {
		before := &r.nodes[i]
		rec.After[before.Node] = workdir.Skipped
		if !before.Skipped {
			rec.After[before.Node] = before.record.Run
		}
	}
	for name, value := range *n.spec.common().environVars {
		rec.Environ[name] = r.keyed(name + "=" + value)
	}
	n.sums = map[string]*sum{}
	for name, path := range r.readFrom(n) {
		n.sums[name] = newSum(r.reading, r.input(n, path))
	}
	return rec
}

// outside returns the inputs of a node that no node of the pipeline makes: those of its spec, and those from
// skipped nodes.
func (r *pipelineRun) outside(n *runNode) map[string]string {
	paths := map[string]string{}
	n.spec.eachPath(fieldInputs, func(name, path string) { paths[name] = path })
	for _, pair := range n.Inputs {
		source := &r.nodes[r.number[pair.Source]]
		if delete(paths, pair.DestLogicalName); source.Skipped {
			paths[pair.DestLogicalName] = source.paths[pair.SourceLogicalName]
		}
	}
	return paths
}

// readFrom returns what a node reads besides its script that no node makes: such inputs, and the files that it depends on.
func (r *pipelineRun) readFrom(n *runNode) map[string]string {
	paths := r.outside(n)
	for i, file := range n.spec.common().meta.DependsOn.Files {
		paths[dependedFile(i)] = file
	}
	return paths
}

// keepRecord records the end of a node for later runs. If that fails they find no record.
func (r *pipelineRun) keepRecord(n *runNode) {
	if r.late {
		return
	}
	if n.record.Run == "" {
		n.record = workdir.Record{Node: n.Node, Run: rand.Text()}
	}
	n.record.Status = string(n.outcome.Status)
	n.record.Inputs, n.record.Data = digests(n.sums), map[string]snapshot.Digest{}
	for name, output := range n.outputs {
		n.record.Data[name] = output.digest()
	}
	_ = r.work.SetRecord(n.record)
}

// completeRecords adds to the records what was read in the background.
func (r *pipelineRun) completeRecords() {
	for i := range r.nodes {
		n := &r.nodes[i]
		pending := false
		wait := func(x *sum) {
			if x != nil {
				<-x.done
				pending = true
			}
		}
		for _, x := range n.sums {
			wait(x)
		}
		if n.begun {
			for _, output := range n.outputs {
				wait(output.sum)
			}
		}
		if pending && n.record.Changed == "" {
			r.keepRecord(n)
		}
	}
}

func (o *outputData) digest() snapshot.Digest {
	if o.sum == nil {
		return o.state.Digest()
	}
	return o.sum.digest()
}

// keepOutputs records the state of the outputs of a node that is not run.
func (r *pipelineRun) keepOutputs(n *runNode) {
	n.outputs = map[string]*outputData{}
	for name, path := range n.paths {
		if r.feedsAny(n, name) {
			state := snapshot.Input(path, false)
			if !n.Skipped {
				state = r.written(n, path)
			}
			n.outputs[name] = lookAtOutput(state, path, true)
		}
	}
}

// input takes a snapshot of an input from outside of the pipeline. Links may lead to the others.
func (r *pipelineRun) input(n *runNode, path string) snapshot.Snapshot {
	var within []string
	for _, other := range r.outside(n) {
		within = append(within, realPath(other))
	}
	return snapshot.Input(path, false, within...)
}

// unknown is the digest of what cannot be compared: nothing has it.
const unknown = "unknown"

// addCode notes the files that a script was made of. Of one that was changed since the run began it is not known
// what the script has seen, and one with a secret in its path is not named.
func (r *pipelineRun) addCode(rec *workdir.Record, script string, modules []string, begun time.Time) {
	left := int64(maxHashed)
	for _, file := range append([]string{absolutePath(script)}, modules[:min(len(modules), maxCode)]...) {
		file = existingFile(file)
		info, err := os.Stat(file)
		switch {
		case file == "" || err != nil:
		case r.masker.String(file) != file:
			rec.Code[strconv.Quote("a file with a secret in its path")] = unknown
		case info.ModTime().After(begun):
			rec.Code[strconv.Quote(file)] = unknown
		default:
			digest, size, ok := snapshot.HashFile(r.reading, file, left)
			if left -= size; !ok {
				digest = unknown
			}
			rec.Code[strconv.Quote(file)] = digest
		}
	}
}

// existingFile returns a file, or the archive that it is in, "" if there is neither.
func existingFile(path string) string {
	for filepath.IsAbs(path) {
		info, err := os.Stat(path)
		if err == nil {
			return map[bool]string{true: path}[info.Mode().IsRegular()]
		}
		if parent := filepath.Dir(path); parent != path {
			path = parent
			continue
		}
		break
	}
	return ""
}

// unusable says why the results of an earlier run cannot be reused, "" if they can.
func (r *pipelineRun) unusable(n *runNode) string {
	if why := r.outdated(n, map[string]bool{}); why != "" {
		return why
	}
	for _, e := range sortedPaths(n.spec, fieldOutputs) {
		if !r.feedsAny(n, e.key) {
			continue
		}
		path := n.paths[e.key]
		if _, err := os.Lstat(path); err != nil {
			return "its output " + printable(e.key) + " is no longer there: " + printable(path)
		}
		if !r.written(n, path).Is(r.reading, n.record.Data[e.key], maxHashed) {
			return "its output " + printable(e.key) + " is not as it was made: " + printable(path)
		}
	}
	return ""
}

// outdated says what has changed since a node was run, or one that it depends on, "" if nothing has. It sets
// the record of the node.
func (r *pipelineRun) outdated(n *runNode, visited map[string]bool) string {
	if visited[n.Node] {
		return ""
	}
	visited[n.Node] = true
	ok := false
	if r.work != nil {
		n.record, ok = r.work.Record(n.Node)
	}
	rec := &n.record
	switch {
	case !ok:
		return "has no result of an earlier run in " + printable(r.options.WorkDir)
	case rec.Changed != "":
		return "has data that was changed after it had ended: " + printable(rec.Changed)
	case rec.Status != string(NodePassed):
		return "did not pass in the last run: " + rec.Status
	}
	for _, i := range n.before {
		before := &r.nodes[i]
		run, known := rec.After[before.Node]
		var why string
		switch {
		case before.Skipped:
			if known && run != workdir.Skipped {
				return "was made when " + printable(before.Node) + " was not skipped"
			}
			continue
		case run == workdir.Skipped:
			return "was made when " + printable(before.Node) + " was skipped"
		default:
			why = r.outdated(before, visited)
		}
		if !known {
			return otherSpec // without this edge
		}
		if now, ok := r.work.Record(before.Node); !ok || now.Run != run {
			return "was not run since " + printable(before.Node) + " was, on which it depends"
		}
		if why == otherSpec {
			return why
		}
		if why != "" {
			return "depends on " + printable(before.Node) + ", which " + why
		}
	}
	if rec.Digest == "" || rec.Digest != n.digest {
		return otherSpec
	}
	return r.changed(n, rec)
}

const otherSpec = "passed with another spec or other wires, its own or those of a node before it"

// changed says which variable, script, module or input of a node is not what it was run with.
func (r *pipelineRun) changed(n *runNode, rec *workdir.Record) string {
	environ := *n.spec.common().environVars
	for _, name := range sortedKeys(environ) {
		if rec.Environ[name] != r.keyed(name+"="+environ[name]) {
			return "passed with another value of the environment variable " + printable(name)
		}
	}
	script := absolutePath(*n.spec.common().scriptPath)
	if _, ok := rec.Code[strconv.Quote(script)]; !ok {
		return "passed with another script: " + printable(script)
	}
	left := int64(maxHashed)
	for _, quoted := range sortedKeys(rec.Code) {
		file, _ := strconv.Unquote(quoted) // a damaged one is no file
		digest, size, ok := snapshot.HashFile(r.reading, file, left)
		if left -= size; !ok || digest != rec.Code[quoted] {
			what := "with other code in a module that it imported"
			if file == script {
				what = "with another script"
			}
			return "passed " + what + ": " + printable(file)
		}
	}
	paths := r.readFrom(n)
	for _, name := range sortedKeys(paths) {
		if !r.input(n, paths[name]).Is(r.reading, rec.Inputs[name], maxHashed) {
			what := "with other data at input " + printable(name)
			if strings.HasPrefix(name, fields[fieldDependsOn].name+".") {
				what = "with another file that it depends on"
			}
			return "passed " + what + ": " + printable(paths[name])
		}
	}
	return ""
}

// written takes a snapshot of an output of a node.
func (r *pipelineRun) written(n *runNode, path string) snapshot.Snapshot {
	return snapshot.Written(path, r.linkTargets(n)...)
}

// linkTargets returns the directories that links in the outputs of a node may lead to: its own, and its inputs.
func (r *pipelineRun) linkTargets(n *runNode) []string {
	within := []string{realPath(filepath.Join(r.work.Path(), n.Node))}
	for _, input := range r.outside(n) {
		within = append(within, realPath(input))
	}
	for _, pair := range n.Inputs {
		if source := &r.nodes[r.number[pair.Source]]; !source.Skipped {
			within = append(within, realPath(source.paths[pair.SourceLogicalName]))
		}
	}
	return within
}
