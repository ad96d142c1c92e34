// Package pydriver runs a Python script's main under the embedded driver, with parameters and
// outcome on pipes of their own, so that standard output belongs to the script.
package pydriver

import (
	"bytes"
	"crypto/rand"
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/scriptspec/scriptspec/internal/fsaccess"
)

//go:embed start.py
var startSource string

//go:embed driver.py
var driverSource string

//go:embed packages.py
var packagesSource []byte

//go:embed ondemand.py
var ondemandSource string

//go:embed serve.py
var serveSource string

// ErrServerGone is returned by [Server.Fork] if the interpreter does not answer any more.
var ErrServerGone = errors.New("the warm interpreter has ended")

// ErrNoPython is returned by [StartServer] for an interpreter that is none.
var ErrNoPython = errors.New("it did not start as Python does")

// PreloadError tells that a module could not be imported.
type PreloadError struct{ Message string }

func (e *PreloadError) Error() string { return e.Message }

// ThreadsError is returned for an interpreter that is not forked, because a module has started threads.
type ThreadsError struct{ Message string }

func (e *ThreadsError) Error() string { return e.Message }

// Request is what the driver is asked to do.
type Request struct {
	Script string // absolute path
	// Parameters is a JSON object with input_paths, output_paths, environ_vars and job_args.
	Parameters []byte
	// Program asks for the script to be run as a program with Args, instead of calling its main.
	Program bool
	Args    []string
	// Packages are what the interpreter must have, each with the versions that will do; "" for any.
	Packages map[string]string
	// Dir and Environ are what a forked child is to have; a process that is started has them.
	Dir     string
	Environ []string
	// Identify asks for the identity of the interpreter. With the circumstances in Expect nothing is run
	// if its own are different.
	Identify bool
	Expect   []byte
}

// CutMark is what the driver puts at the end of a text that it has cut. A part of a secret may be before it.
func (r *Run) CutMark() string { return "[cut " + r.token + "]" }

// Run is one run of the driver.
type Run struct {
	// Dir is a directory of the run's own, which goes with it.
	Dir string

	token           string
	bytecode        Bytecode
	request, result *os.File   // our ends
	theirs          []*os.File // request and result
	done            chan struct{}
	report          []byte
	excess          bool
}

// maxReport bounds the report: what is longer is no report of the driver.
const maxReport = 16 << 20

// New makes the directory and the pipes of a run.
func New() (*Run, error) {
	dir, err := tempDir("scriptspec-run-")
	if err != nil {
		return nil, err
	}
	r := &Run{Dir: dir, token: rand.Text(), done: make(chan struct{})}
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
	return r, nil
}

// tempDir makes a temporary directory and returns its absolute path, which TMPDIR may not be.
func tempDir(prefix string) (string, error) {
	dir, err := os.MkdirTemp("", prefix)
	if err != nil {
		return "", err
	}
	return filepath.Abs(dir)
}

// Command returns a process that runs the driver, from bytecode if there is some. Call Start once it
// runs, or Close if it does not.
func (r *Run) Command(python string, bytecode Bytecode) (*exec.Cmd, error) {
	start := filepath.Join(r.Dir, "start.py")
	var err error
	if r.bytecode = bytecode; bytecode.IsZero() {
		err = writeSources(r.Dir, map[string]string{"start.py": startSource, "driver.py": driverSource})
	} else {
		start += "c"
		err = os.WriteFile(start, bytecode.start, 0o600)
	}
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(python)
	// -B: no bytecode in the user's tree. -u: what was printed before a crash is not lost.
	cmd.Args = append([]string{cmd.Path, "-B", "-u", start}, inherit(cmd, r.theirs)...)
	return cmd, nil
}

func writeSources(dir string, sources map[string]string) error {
	for name, source := range sources {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(source), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// Start hands the request to the process that has the pipes, and begins to listen.
func (r *Run) Start(request Request) error {
	closeAll(r.theirs)
	r.theirs = nil
	go r.listen()
	data, err := r.marshal(request)
	if err != nil {
		return err
	}
	go func() {
		// An error means that the process is gone, which its missing report tells as well. The pipe
		// stays open: the driver takes its end for that of the harness.
		_, _ = r.request.Write(data)
	}()
	return nil
}

func (r *Run) marshal(q Request) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(q.Parameters))
	d.UseNumber() // as it is written: 1 and 1.0 stay different
	var all map[string]any
	if err := d.Decode(&all); err != nil {
		return nil, err
	}
	environ := make([][]byte, len(q.Environ))
	for i, entry := range q.Environ {
		environ[i] = []byte(entry)
	}
	all["token"], all["script_path"], all["program"], all["argv"] = r.token, []byte(q.Script), q.Program, q.Args
	all["dir"], all["environ"], all["driver"] = q.Dir, environ, r.bytecode.driver
	all["ondemand_source"], all["cut"], all["run_dir"] = ondemandSource, r.CutMark(), r.Dir
	all["identify"], all["expect"] = q.Identify, q.Expect
	if len(q.Packages) > 0 {
		all["packages"], all["packages_source"] = q.Packages, packagesSource
	}
	const header = 8
	data, err := appendMarshal(make([]byte, header), all)
	if err != nil {
		return nil, err
	}
	binary.LittleEndian.PutUint64(data, uint64(len(data)-header))
	return data, nil
}

// listen keeps the beginning of what comes, and takes in the rest, so that its writer is not held up.
func (r *Run) listen() {
	defer close(r.done)
	r.report, _ = io.ReadAll(io.LimitReader(r.result, maxReport))
	n, _ := io.Copy(io.Discard, r.result)
	r.excess = n > 0
}

// Report returns what the driver said, after the process has ended. A descendant that could not be
// ended may still hold the pipe, so no more than wait is spent on its end.
func (r *Run) Report(wait time.Duration) (*Report, error) {
	_ = r.result.SetReadDeadline(time.Now().Add(wait)) // where it does not work, there is Close
	select {
	case <-r.done:
	case <-time.After(2 * wait):
		_ = r.result.Close()
		<-r.done
	}
	if r.excess {
		return &Report{}, ErrGarbage
	}
	return parseReport(r.report, r.token)
}

// Close releases pipes and files.
func (r *Run) Close() error {
	closeAll(append(r.theirs, r.request, r.result))
	return fsaccess.RemoveTree(r.Dir)
}

func closeAll(files []*os.File) {
	for _, f := range files {
		if f != nil {
			_ = f.Close() // closed by its reader or writer, most often
		}
	}
}

// CountsAtStart reports whether an environment variable counts when an interpreter starts or a library is
// loaded. One that is forked has missed it.
func CountsAtStart(name string) bool {
	switch name {
	case "HOME", "USERPROFILE", "APPDATA": // modules of the user
		return true
	}
	for _, prefix := range []string{"PYTHON", "PYENV_", "__PYVENV", "LD_", "DYLD_", "LC_", "LANG", "MALLOC_", "OMP_", "MKL_", "OPENBLAS_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
