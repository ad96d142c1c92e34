// Package pydriver runs a Python script's main under the embedded driver, with parameters and
// outcome on pipes of their own, so that standard output belongs to the script.
package pydriver

import (
	_ "embed"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

//go:embed driver.py
var source []byte

// Outcomes of a script that the driver saw to its end.
const (
	Returned = "returned" // main returned, or called sys.exit(0)
	Exited   = "exited"   // sys.exit with another code
	Failed   = "failed"   // an exception
	NoMain   = "no_main"  // there is no function main
)

// Result is what the driver reports.
type Result struct {
	Outcome         string `json:"outcome"`
	ErrorType       string `json:"error_type"`
	ErrorMessage    string `json:"error_message"`
	Traceback       string `json:"traceback"`
	HasMainFunction bool   `json:"has_main_function"`
	ExitCode        int    `json:"exit_code"`
}

// ErrNoResult is returned by [Run.Result] if the process ended without a report.
var ErrNoResult = errors.New("the interpreter ended without a report")

// maxResult bounds the report: what is longer is no report of the driver.
const maxResult = 64 << 20

// Run is one run of the driver.
type Run struct {
	dir             string
	request, result *os.File // our ends
	theirs          []*os.File
	done            chan struct{}
	report          []byte
}

// New prepares cmd, which has only its Path set, to run the driver on a request: a JSON object with
// script_path, input_paths, output_paths, environ_vars and job_args. Call Start once cmd runs, or
// Close if it does not.
func New(cmd *exec.Cmd) (*Run, error) {
	dir, err := os.MkdirTemp("", "scriptspec-run-")
	if err != nil {
		return nil, err
	}
	r := &Run{dir: dir, done: make(chan struct{})}
	driver := filepath.Join(dir, "driver.py")
	if err := os.WriteFile(driver, source, 0o600); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	requestOut, requestIn, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	r.request, r.theirs = requestIn, append(r.theirs, requestOut)
	resultOut, resultIn, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	r.result, r.theirs = resultOut, append(r.theirs, resultIn)
	// -B: no bytecode in the user's tree. -u: what was printed before a crash is not lost.
	cmd.Args = append([]string{cmd.Path, "-B", "-u", driver}, inherit(cmd, r.theirs)...)
	return r, nil
}

// Start hands over the request to the running process and begins to listen.
func (r *Run) Start(request []byte) {
	closeAll(r.theirs)
	r.theirs = nil
	go func() {
		// An error means that the process is gone, which its missing report tells as well.
		_, _ = r.request.Write(request)
		_ = r.request.Close()
	}()
	go func() {
		defer close(r.done)
		r.report, _ = io.ReadAll(io.LimitReader(r.result, maxResult))
	}()
}

// Result returns the report, after the process has ended. A descendant that was forked may still
// hold the pipe, so no more than wait is spent on its end.
func (r *Run) Result(wait time.Duration) (*Result, error) {
	select {
	case <-r.done:
	case <-time.After(wait):
		_ = r.result.Close()
		<-r.done
	}
	if len(r.report) == 0 {
		return nil, ErrNoResult
	}
	var result Result
	if err := json.Unmarshal(r.report, &result); err != nil {
		return nil, ErrNoResult
	}
	return &result, nil
}

// Close releases pipes and files.
func (r *Run) Close() error {
	closeAll(append(r.theirs, r.request, r.result))
	return os.RemoveAll(r.dir)
}

func closeAll(files []*os.File) {
	for _, f := range files {
		if f != nil {
			_ = f.Close() // closed by its reader or writer, most often
		}
	}
}
