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
)

//go:embed inspect.py
var inspectSource []byte

// Interface is what reading a script tells of it.
type Interface struct {
	Path        string      `json:"path"`
	HasMain     bool        `json:"has_main"`
	IsAsync     bool        `json:"is_async"`
	Parameters  []Parameter `json:"parameters"`
	InputPaths  []Use       `json:"input_paths"`
	OutputPaths []Use       `json:"output_paths"`
	EnvironVars []Use       `json:"environ_vars"`
	JobArgs     []Use       `json:"job_args"`
	Dynamic     []string    `json:"dynamic"`
	Error       string      `json:"error"`
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

// Inspect reads scripts with one start of the interpreter. It runs nothing of them and writes
// nothing: the program comes to Python by its standard input, in isolated mode.
func Inspect(ctx context.Context, python string, scripts []string) ([]Interface, error) {
	list, err := json.Marshal(scripts)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, python, "-I", "-S", "-B", "-")
	cmd.Stdin = bytes.NewReader(fmt.Appendf(inspectSource[:len(inspectSource):len(inspectSource)], "run(%q)\n", base64.StdEncoding.EncodeToString(list)))
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
		return nil, fmt.Errorf("reading scripts with %s: %w: %s", python, err, lines[len(lines)-1])
	}
	var found []Interface
	d := json.NewDecoder(&stdout)
	d.UseNumber()
	if err := d.Decode(&found); err != nil {
		return nil, fmt.Errorf("reading scripts with %s: %w", python, err)
	}
	if len(found) != len(scripts) {
		return nil, fmt.Errorf("reading scripts with %s: %d answers for %d scripts", python, len(found), len(scripts))
	}
	return found, nil
}
