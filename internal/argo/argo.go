// Package argo writes workflows for Argo Workflows: a graph of tasks, each a pod with a volume that all share.
package argo

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Workflow is what is written. Its texts stay what they are, whatever is in them: Argo substitutes {{...}} wherever it
// is and has no way to quote it, so that a text with it is refused.
type Workflow struct {
	Name           string // what the names of its runs begin with
	Namespace      string // "" for that of the one who submits it
	ServiceAccount string // "" for that of the namespace
	Image          string
	Claim          string // the persistent volume claim
	Mount          string // where the pods have its volume
	FailFast       bool   // start nothing more once a task has failed
	Parallelism    int    // of pods, 0 for no bound
	Tasks          []Task
}

// Task is one pod.
type Task struct {
	Name     string        // any text
	After    []int         // the tasks that must have succeeded, by number
	Command  []Arg         // the program and its arguments, which no shell sees
	Deadline time.Duration // of the pod, 0 for none
	Memory   int64         // of the pod in bytes, 0 for what the cluster gives
}

// Arg is an argument: a text, and behind it what Argo is to substitute.
type Arg struct{ Text, Variable string }

// WorkflowName is the variable for the name of the workflow as it runs, which no other one in its namespace has.
const WorkflowName = "{{workflow.name}}"

// Args returns arguments that are mere text.
func Args(texts ...string) []Arg {
	args := make([]Arg, len(texts))
	for i, text := range texts {
		args[i].Text = text
	}
	return args
}

// TextError is returned for a text that would not reach the pod as it is.
type TextError struct {
	Place string // image, claim, mount, ...
	Text  string
	Why   string
}

func (e *TextError) Error() string { return e.Place + " " + e.Why + ": " + strconv.Quote(e.Text) }

// Write writes the workflow as YAML. The same workflow is always the same bytes. The error is a *TextError, or that of
// the writer.
func (w *Workflow) Write(to io.Writer) error {
	y := &writer{}
	names := w.names()
	y.line(0, "apiVersion: argoproj.io/v1alpha1")
	y.line(0, "kind: Workflow")
	y.line(0, "metadata:")
	y.text(1, "generateName", label(w.Name, "workflow")+"-")
	y.some(1, "namespace", w.Namespace)
	y.line(0, "spec:")
	y.line(1, "entrypoint: "+entrypoint)
	y.some(1, "serviceAccountName", w.ServiceAccount)
	if w.Parallelism > 0 {
		y.line(1, "parallelism: "+strconv.Itoa(w.Parallelism))
	}
	y.line(1, "volumes:")
	y.line(2, "- name: "+volume)
	y.line(3, "persistentVolumeClaim:")
	y.text(4, "claimName", w.Claim)
	y.line(1, "templates:")
	y.line(2, "- name: "+entrypoint)
	y.line(3, "dag:")
	y.line(4, "failFast: "+strconv.FormatBool(w.FailFast))
	y.line(4, "tasks:")
	for i, t := range w.Tasks {
		y.text(5, "- name", names[i])
		y.text(6, "template", names[i])
		if len(t.After) > 0 {
			y.line(6, "dependencies:")
		}
		for _, before := range t.After {
			y.line(7, "- "+quote(names[before]))
		}
	}
	for i := range w.Tasks {
		w.template(y, names[i], &w.Tasks[i])
	}
	if y.err != nil {
		return y.err
	}
	_, err := io.WriteString(to, y.b.String())
	return err
}

const (
	entrypoint = "pipeline"
	volume     = "shared"
)

// template writes the pod of a task. One that was lost, not one that failed, is started once more.
func (w *Workflow) template(y *writer, name string, t *Task) {
	y.text(2, "- name", name)
	if t.Deadline > 0 {
		y.line(3, "activeDeadlineSeconds: "+strconv.FormatInt(int64((t.Deadline+time.Second-1)/time.Second), 10))
	}
	y.line(3, "retryStrategy:")
	y.line(4, `limit: "1"`)
	y.line(4, "retryPolicy: OnError")
	y.line(3, "container:")
	y.text(4, "image", w.Image)
	for i, arg := range t.Command {
		switch i {
		case 0:
			y.line(4, "command:")
		case 1:
			y.line(4, "args:")
		}
		text := strings.ReplaceAll(y.plain("command", arg.Text), "$", "$$") // Kubernetes substitutes $(...)
		if arg.Variable != "" && strings.HasSuffix(text, "{") {
			y.refuse("command", arg.Text, braces)
		}
		y.line(5, "- "+quote(text+arg.Variable))
	}
	if t.Memory > 0 {
		const unit = 1 << 20
		memory := quote(strconv.FormatInt((t.Memory-1)/unit+1, 10) + "Mi")
		y.line(4, "resources:")
		for _, kind := range []string{"requests", "limits"} {
			y.line(5, kind+":")
			y.line(6, "memory: "+memory)
		}
	}
	y.line(4, "volumeMounts:")
	y.line(5, "- name: "+volume)
	y.text(6, "mountPath", w.Mount)
}

// names returns a name for each task that Argo and Kubernetes accept and no other has.
func (w *Workflow) names() []string {
	names, taken := make([]string, len(w.Tasks)), map[string]bool{entrypoint: true}
	for i, t := range w.Tasks {
		base := label(t.Name, "node")
		if base[0] <= '9' { // which Argo refuses of a task with dependencies
			base = "node-" + base
		}
		name := base
		for n := 2; taken[name]; n++ {
			name = base + "-" + strconv.Itoa(n)
		}
		names[i], taken[name] = name, true
	}
	return names
}

// label turns a text into a label of RFC 1123, with room for what is appended: TrainModel_calibration becomes
// train-model-calibration.
func label(text, otherwise string) string {
	const longest = 50 // of 63
	var b strings.Builder
	low := false // the last one was lower case, or a digit
	for _, c := range []byte(text) {
		upper := c >= 'A' && c <= 'Z'
		plain := c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
		if (upper && low || !upper && !plain) && b.Len() > 0 && b.String()[b.Len()-1] != '-' {
			b.WriteByte('-')
		}
		if upper || plain {
			b.WriteString(strings.ToLower(string(rune(c))))
		}
		low = plain
	}
	name := b.String()
	return cmp.Or(strings.Trim(name[:min(len(name), longest)], "-"), otherwise)
}

// writer writes YAML and keeps the first error.
type writer struct {
	b   strings.Builder
	err error
}

func (y *writer) line(depth int, text string) {
	fmt.Fprintf(&y.b, "%*s%s\n", 2*depth, "", text)
}

func (y *writer) text(depth int, name, text string) {
	y.line(depth, name+": "+quote(y.plain(strings.TrimPrefix(name, "- "), text)))
}

func (y *writer) some(depth int, name, text string) {
	if text != "" {
		y.text(depth, name, text)
	}
}

const braces = "has {{, which Argo Workflows would substitute"

// plain returns a text that reaches the pod as it is.
func (y *writer) plain(place, text string) string {
	switch {
	case strings.Contains(text, "{{"):
		y.refuse(place, text, braces)
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		y.refuse(place, text, "is not text")
	}
	return text
}

func (y *writer) refuse(place, text, why string) {
	if y.err == nil {
		y.err = &TextError{place, text, why}
	}
}

// quote returns a text in double quotes as every reader of YAML takes it.
func quote(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range text {
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteRune(c)
		case c < ' ' || c >= 0x7f && c < 0xa0 || c == 0x2028 || c == 0x2029 || c == 0xfeff || c == 0xfffe || c == 0xffff:
			fmt.Fprintf(&b, `\u%04x`, c)
		default:
			b.WriteRune(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
