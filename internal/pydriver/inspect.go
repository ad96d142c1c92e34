package pydriver

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/scriptspec/scriptspec/internal/proctree"
)

//go:embed inspect.py
var inspectSource []byte

// Interface is what reading a script tells of it.
type Interface struct {
	Path        string         `json:"path"`
	HasMain     bool           `json:"has_main"`
	Opaque      bool           `json:"opaque"`
	IsAsync     bool           `json:"is_async"`
	Parameters  []Parameter    `json:"parameters"`
	InputPaths  []Use          `json:"input_paths"`
	OutputPaths []Use          `json:"output_paths"`
	EnvironVars []Use          `json:"environ_vars"`
	JobArgs     []Use          `json:"job_args"`
	Flags       []Flag         `json:"flags"`
	Dynamic     []string       `json:"dynamic"`
	Unread      map[string]int `json:"unread"`
	Error       string         `json:"error"`
}

// Parameter is a parameter of main.
type Parameter struct {
	Name       string `json:"name"`
	Kind       string `json:"kind"`
	HasDefault bool   `json:"has_default"`
}

// Use is a name that a script reads by a literal.
type Use struct {
	Name     string `json:"name"`
	Required bool   `json:"required"`
	Default  any    `json:"default"`
}

// Flag is an argument that a script describes to argparse.
type Flag struct {
	Names    []string `json:"names"`
	Dest     string   `json:"dest"`
	Type     string   `json:"type"`    // int, float, str or bool; "" if it cannot be told
	Takes    string   `json:"takes"`   // none, one, maybe, many; "" if it cannot be told
	Choices  []any    `json:"choices"` // nil if there are none, or cannot be told
	Action   string   `json:"action"`  // "" for store
	Required bool     `json:"required"`
	Default  any      `json:"default"`
}

// Inspect reads scripts with one start of the interpreter. It runs nothing of them and writes
// nothing: the program comes to Python by its standard input, in isolated mode.
func Inspect(ctx context.Context, python string, scripts []string) ([]Interface, error) {
	list, err := json.Marshal(scripts)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := exec.Command(python, "-I", "-S", "-B", "-")
	cmd.Stdin = bytes.NewReader(fmt.Appendf(inspectSource[:len(inspectSource):len(inspectSource)], "run(%q)\n", base64.StdEncoding.EncodeToString(list)))
	// Whatever the interpreter is, it is bounded: in time, in what it leaves behind, in its output.
	const grace, maxAnswer = time.Second, 1 << 20
	cmd.WaitDelay = grace
	stdout, stderr := limited{limit: maxAnswer * (1 + len(scripts))}, limited{limit: maxStderr}
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	leader, err := proctree.Start(cmd)
	if err != nil {
		return nil, err
	}
	end, err := proctree.New(leader, proctree.Limits{Grace: grace}).Wait(ctx)
	if err != nil {
		return nil, err
	}
	if end.Reason != proctree.ByItself {
		return nil, context.Cause(ctx)
	}
	if end.ExitCode != 0 {
		return nil, fmt.Errorf("reading scripts with %s: it ended with %s: %.200q", python, end.State, stderr.lastLine())
	}
	var found []Interface
	d := json.NewDecoder(&stdout.text)
	d.UseNumber()
	if err := d.Decode(&found); err != nil || stdout.over {
		return nil, fmt.Errorf("reading scripts with %s: it did not answer as Python does", python)
	}
	for i, path := range scripts {
		if len(found) != len(scripts) || found[i].Path != path {
			return nil, fmt.Errorf("reading scripts with %s: its answers are not for these scripts", python)
		}
	}
	return found, nil
}

// maxStderr is how much is kept of what an interpreter complains of.
const maxStderr = 64 << 10

// limited keeps the beginning of what is written to it.
type limited struct {
	text  bytes.Buffer
	limit int
	over  bool
}

func (l *limited) Write(p []byte) (int, error) {
	room := max(l.limit-l.text.Len(), 0)
	l.over = l.over || len(p) > room
	l.text.Write(p[:min(len(p), room)])
	return len(p), nil
}

func (l *limited) lastLine() string {
	lines := strings.Split(strings.TrimSpace(l.text.String()), "\n")
	return lines[len(lines)-1]
}
