package scriptspec

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/scriptspec/scriptspec/internal/pydriver"
)

// Interpreter is the Python that ran a script.
type Interpreter struct {
	// Path is its program, sys.executable: what a pyenv, asdf or conda shim has led to.
	Path string `json:"path"`
	// Version is that of Python: 3.11.7.
	Version string `json:"version"`
}

// configured is where an interpreter comes from that a caller has named, in Go, by a flag or in settings.
const configured = "the configured one"

// pythonName returns what an interpreter is to be looked up by, and says where that comes from.
func pythonName(given string) (name, source string) {
	if given != "" {
		return given, configured
	}
	if name = os.Getenv("SCRIPTSPEC_PYTHON"); name != "" {
		return name, "SCRIPTSPEC_PYTHON"
	}
	return "python3", "python3 on the PATH"
}

// interpreter is findPython, but on a compute node, whose helper has looked it up.
func (t *RuntimeTester) interpreter() (path, source string, err error) {
	if t.node != nil {
		return t.node.python, t.node.source, nil
	}
	return findPython(t.Python)
}

// unfit is the error for a tester that can run no script: nil where an engine is to find the interpreter on its nodes.
func (t *RuntimeTester) unfit() error {
	if fe := t.retriesError(); fe != nil {
		return fe
	}
	if t.Engine != nil {
		return newValidationError("", sbatchErrors("slurm.args", rank{}, t.Engine.Args))
	}
	_, _, err := findPython(t.Python)
	return err
}

// findPython returns the absolute path of an interpreter, and says where the name came from. Without a
// name it is $SCRIPTSPEC_PYTHON, or else python3.
func findPython(name string) (path, source string, err error) {
	name, source = pythonName(name)
	path, err = exec.LookPath(name)
	if err == nil {
		path, err = filepath.Abs(path) // links stay: they lead out of a virtual environment
	}
	if err != nil {
		return "", "", noPython(source, err)
	}
	return path, source, nil
}

// noPython is the error for an interpreter that cannot be looked up.
func noPython(source string, err error) error {
	if source == configured {
		return fmt.Errorf("no Python interpreter where it is configured to be: %w", err)
	}
	return fmt.Errorf("no Python interpreter (install python3, or name another one in SCRIPTSPEC_PYTHON): %w", err)
}

// interpreters remembers the programs behind the interpreters that scripts were run with. A shim such as
// pyenv's is a shell program that takes several times as long as the interpreter it starts, so it is
// asked once: the first run through it reports the program and the environment that it came to, and later
// ones start that program with that environment. The zero value is ready to use.
type interpreters struct {
	mu    sync.Mutex
	known map[string][]*shim // by path and working directory
}

// shim is what starting an interpreter by a path comes to.
type shim struct {
	program string
	files   [2]fileID          // of the path and of the program
	given   map[string]*string // the variables that decide and those that it changes, as it got them
	changes environChanges
	// circumstances are those of the program. The first direct start compares its own with them.
	circumstances []byte
	verified      bool
	indirect      bool // a direct start would not be the same
}

// fileID differs once a file has been replaced or changed.
type fileID struct{ info fs.FileInfo }

func fileIDOf(path string) fileID {
	info, err := os.Stat(path)
	if err != nil {
		return fileID{}
	}
	return fileID{info}
}

func (id fileID) equal(o fileID) bool {
	return id.info != nil && o.info != nil && os.SameFile(id.info, o.info) &&
		id.info.Size() == o.info.Size() && id.info.ModTime().Equal(o.info.ModTime())
}

// environChanges is what a shim does to the environment.
type environChanges struct {
	set   map[string]string
	unset []string
}

// changesOf compares the environment that a process was given with the one that it found.
func changesOf(given map[string]string, found []string) environChanges {
	c := environChanges{set: map[string]string{}}
	seen := map[string]bool{}
	for _, entry := range found {
		name, value, ok := strings.Cut(entry, "=")
		if !ok {
			continue // what there is of an empty environment
		}
		seen[name] = true
		if old, ok := given[name]; !ok || old != value {
			c.set[name] = value
		}
	}
	for name := range given {
		if !seen[name] {
			c.unset = append(c.unset, name)
		}
	}
	return c
}

func (c environChanges) apply(env map[string]string) {
	maps.Copy(env, c.set)
	for _, name := range c.unset {
		delete(env, name)
	}
}

// names returns the variables that are changed.
func (c environChanges) names() []string { return append(slices.Collect(maps.Keys(c.set)), c.unset...) }

// decides reports whether the choice of a shim may depend on a variable.
func decides(name string) bool {
	switch name {
	case "PATH", "HOME", "VIRTUAL_ENV":
		return true
	}
	for _, prefix := range []string{"PYENV_", "ASDF_", "CONDA_", "_CE_", "MAMBA_", "MISE_", "POETRY_", "PIPENV_", "UV_", "PDM_", "RYE_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return pydriver.CountsAtStart(name)
}

func interpreterKey(python, dir string) string { return python + "\x00" + dir }

// direct returns how to start an interpreter without its shim: the program, the changes of the environment
// and what to expect. ok is false if that is not known or not possible; then ask reports whether to find
// out.
func (x *interpreters) direct(python, dir string, env map[string]string) (s shim, ok, ask bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	key := interpreterKey(python, dir)
	i := slices.IndexFunc(x.known[key], func(s *shim) bool { return s.knows(env) })
	if i < 0 {
		return shim{}, false, true
	}
	known := x.known[key][i]
	if !fileIDOf(python).equal(known.files[0]) || !fileIDOf(known.program).equal(known.files[1]) {
		x.known[key] = slices.Delete(x.known[key], i, i+1)
		return shim{}, false, true
	}
	return *known, !known.indirect, false
}

// knows reports whether all variables that decide, and those that the shim has changed, are as they were.
func (s *shim) knows(env map[string]string) bool {
	for name, value := range s.given {
		now, ok := env[name]
		if ok != (value != nil) || ok && now != *value {
			return false
		}
	}
	for name := range env {
		if _, known := s.given[name]; !known && decides(name) {
			return false
		}
	}
	return true
}

// learn notes what a run through a path has reported. runDir is a directory that the next run does not have.
func (x *interpreters) learn(python, dir, runDir string, env map[string]string, r *pydriver.Report) {
	s := &shim{
		program: r.Program, files: [2]fileID{fileIDOf(python), fileIDOf(r.Program)},
		given: map[string]*string{}, changes: changesOf(env, r.Identity.Environ), circumstances: r.Identity.Circumstances,
	}
	if coerced := s.changes.set["LC_CTYPE"]; coerced == "C.UTF-8" || coerced == "C.utf8" || coerced == "UTF-8" {
		delete(s.changes.set, "LC_CTYPE") // Python's own doing in the C locale, and it counts as another one if it is given
	}
	for name, value := range env {
		if decides(name) {
			s.given[name] = &value
		}
	}
	for _, name := range s.changes.names() {
		s.given[name] = nil
		if value, ok := env[name]; ok {
			s.given[name] = &value
		}
	}
	if !filepath.IsAbs(s.program) || s.files[0].info == nil || s.files[1].info == nil {
		s.indirect = true
	}
	for _, value := range s.changes.set {
		s.indirect = s.indirect || strings.Contains(value, runDir)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.known == nil {
		x.known = map[string][]*shim{}
	}
	const most = 16 // environments of one interpreter
	key := interpreterKey(python, dir)
	x.known[key] = append([]*shim{s}, x.known[key][:min(len(x.known[key]), most-1)]...)
}

// confirm notes whether a direct start was the same as one through the shim.
func (x *interpreters) confirm(python, dir string, circumstances []byte, same bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, s := range x.known[interpreterKey(python, dir)] {
		if bytes.Equal(s.circumstances, circumstances) {
			s.verified, s.indirect = same, !same
		}
	}
}

// forget drops all that is known of an interpreter, and reports whether there was anything.
func (x *interpreters) forget(python, dir string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	key := interpreterKey(python, dir)
	known := len(x.known[key]) > 0
	delete(x.known, key)
	return known
}
