package scriptspec

import (
	"cmp"
	"errors"
	"io"
	"math"
	"path"
	"strings"
	"time"

	"github.com/scriptspec/scriptspec/internal/argo"
)

// ArgoOptions are what [ExportArgo] cannot know from a pipeline. Paths are those in the pods: absolute, with slashes.
type ArgoOptions struct {
	// Image is what every pod runs. It has the command scriptspec, python3, and what the scripts import.
	Image string
	// Claim is the persistent volume claim that all pods mount, ReadWriteMany unless all are on one machine. Its file
	// system must hold flock between machines, as NFSv4 does, and show a file to all once it is closed.
	Claim string
	// Mount is where pods have its volume; "" means /mnt/scriptspec.
	Mount string
	// Data is the test data directory, which has .specs in it, on the volume or in the image; "" means testdata
	// in Mount.
	Data string
	// Work is a directory on the volume in which each run of the workflow has a work directory of its own, with
	// the name of the run; "" means work in Mount.
	Work string
	// Namespace and ServiceAccount are those of the workflow; "" leaves them to who submits it.
	Namespace, ServiceAccount string
	// Timeout bounds a script for which neither the pipeline nor its spec has a timeout; 0 means 5 minutes.
	Timeout time.Duration
}

// ExportArgo writes a pipeline as a Workflow of Argo Workflows, in YAML: for each node that is not skipped a task, whose pod
// runs scriptspec node on a volume that all share, with the same checks of what is handed over as [RuntimeTester.TestPipeline]
// has. The tasks depend on each other as [PipelineTestingSpec.Plan] has it; what is behind a skipped node depends on what is
// before it. A pod is killed when its script must be over with all attempts, their grace and 10 minutes; its memory is the
// max_memory of the spec and 256 MiB. One that is lost is started once more, one that failed is not.
//
// The pods load the pipeline from the store in o.Data: what it is run with, environment values above all, is not in the
// workflow. Nor are Before, After, Checkers, and other functions. The same pipeline and options are always the same bytes.
//
// The error is a [*ValidationError] with what Plan reports and what is wrong with the options, or that of the writer.
func ExportArgo(w io.Writer, p *PipelineTestingSpec, o *ArgoOptions) error {
	if o == nil {
		o = &ArgoOptions{}
	}
	plan, err := p.Plan(nil)
	if plan == nil {
		return err
	}
	errs := append(fieldErrors(err), o.problems()...)
	if fe := pipelineNameError(p.Name); fe != nil {
		errs = append(errs, fe) // by which the pods load it
	}
	a := o.workflow(p, plan)
	if len(a.Tasks) == 0 {
		errs = append(errs, &FieldError{Path: "skip", Code: CodeEmpty, Message: "every node is skipped, so that nothing would be run"})
	}
	if len(errs) > 0 {
		return newPipelineError(p.Name, errs)
	}
	err = a.Write(w)
	if te, ok := errors.AsType[*argo.TextError](err); ok {
		return newPipelineError(p.Name, []*FieldError{{Path: "argo." + te.Place, Code: CodeFormat, Value: te.Text, Message: te.Error()}})
	}
	return err
}

func (o *ArgoOptions) mount() string { return cmp.Or(o.Mount, "/mnt/scriptspec") }

func (o *ArgoOptions) data() string { return cmp.Or(o.Data, path.Join(o.mount(), "testdata")) }

func (o *ArgoOptions) work() string { return cmp.Or(o.Work, path.Join(o.mount(), "work")) }

// problems checks what Kubernetes would refuse, or take for something else.
func (o *ArgoOptions) problems() []*FieldError {
	var errs []*FieldError
	fail := func(place string, code Code, value, message, hint string) {
		errs = append(errs, &FieldError{
			Path: "argo." + place, Code: code, Value: value, Message: place + " " + message, Hint: hint, rank: rank{section: rankOptions, key: "argo." + place},
		})
	}
	if o.Image == "" {
		fail("image", CodeRequired, "", "is required", "name one that has scriptspec, python3 and what the scripts import")
	}
	if o.Claim == "" {
		fail("claim", CodeRequired, "", "is required", "name the persistent volume claim that all pods mount")
	}
	for _, name := range []struct{ place, value string }{
		{"claim", o.Claim}, {"namespace", o.Namespace}, {"service_account", o.ServiceAccount},
	} {
		if name.value != "" && !isSubdomain(name.value) {
			fail(name.place, CodeFormat, name.value, "is not a name of Kubernetes: "+printable(name.value), "want lower-case letters, digits, dashes and dots")
		}
	}
	if strings.ContainsFunc(o.Image, func(r rune) bool { return r <= ' ' }) {
		fail("image", CodeFormat, o.Image, "has a space in it: "+printable(o.Image), "")
	}
	for _, dir := range []struct{ place, value string }{{"mount", o.mount()}, {"data", o.data()}, {"work", o.work()}} {
		switch {
		case !path.IsAbs(dir.value):
			fail(dir.place, CodeFormat, dir.value, "is not an absolute path: "+printable(dir.value), "it counts in the pods")
		case strings.Contains(dir.value, "{{"):
			fail(dir.place, CodeFormat, dir.value, "has {{, which Argo Workflows would substitute: "+printable(dir.value), "")
		}
	}
	if strings.Contains(o.Mount, ":") {
		fail("mount", CodeFormat, o.Mount, "has a colon, which Kubernetes refuses: "+printable(o.Mount), "")
	}
	if within := o.work() + "/"; !strings.HasPrefix(path.Clean(within)+"/", path.Clean(o.mount())+"/") {
		fail("work", CodeFormat, o.Work, "is not on the volume: "+printable(o.work()), "pods share nothing else; want a directory in "+printable(o.mount()))
	}
	if o.Timeout < 0 {
		fail("timeout", CodeFormat, "", "is negative", "0 means 5 minutes")
	}
	return errs
}

// isSubdomain reports whether a name is one of RFC 1123, as those of most things in Kubernetes.
func isSubdomain(name string) bool {
	const longest = 253
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
	}
	return len(name) <= longest
}

// workflow returns what is written for a plan.
func (o *ArgoOptions) workflow(p *PipelineTestingSpec, plan *PipelinePlan) *argo.Workflow {
	a := &argo.Workflow{
		Name: p.Name, Namespace: o.Namespace, ServiceAccount: o.ServiceAccount, Image: o.Image, Claim: o.Claim, Mount: o.mount(),
		FailFast: p.Options.FailFast, Parallelism: p.Options.Parallelism,
	}
	behind := map[string][]int{} // the tasks that must have ended before what is after a node
	for i := range plan.Nodes {
		n := &plan.Nodes[i]
		var after []int
		seen := map[int]bool{}
		for _, before := range n.After {
			for _, task := range behind[before] {
				if !seen[task] {
					after = append(after, task)
				}
				seen[task] = true
			}
		}
		s := p.Specs[n.Node]
		if n.Skipped || isNil(s) {
			behind[n.Node] = after
			continue
		}
		behind[n.Node] = []int{len(a.Tasks)}
		timeout := cmp.Or(max(p.Options.Timeout, 0), timeoutOf(s), max(o.Timeout, 0), 5*time.Minute)
		task := argo.Task{Name: n.Node, After: after, Deadline: deadline(timeout, s.common().meta.Retries)}
		task.Command = append(
			argo.Args("scriptspec", "--dir="+o.data(), "node", "--pipeline="+p.Name, "--node="+n.Node, "--timeout="+timeout.String()),
			argo.Arg{Text: "--work=" + path.Clean(o.work()) + "/", Variable: argo.WorkflowName})
		if memory := s.common().meta.MaxMemory; memory > 0 {
			const own = 256 << 20 // of scriptspec, and for what is sampled late
			task.Memory = min(memory, math.MaxInt64-own) + own
		}
		a.Tasks = append(a.Tasks, task)
	}
	return a
}

// deadline returns when the pod of a script must be over: all attempts have their timeout and grace, and the images are
// to be pulled and the data looked at.
func deadline(timeout time.Duration, retries int) time.Duration {
	const grace, slack, longest = 6 * time.Second, 10 * time.Minute, 10 * 365 * 24 * time.Hour
	attempts := time.Duration(max(0, min(retries, 1<<20)) + 1)
	if timeout > longest/attempts {
		return longest
	}
	return (timeout+grace)*attempts + slack
}
