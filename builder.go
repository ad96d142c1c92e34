package scriptspec

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/scriptspec/scriptspec/internal/filename"
)

// SpecBuilder leads from the nodes of a DAG to scripts and specs. It may be used by several
// goroutines; its fields must not be changed after the first use. It creates and changes no file.
type SpecBuilder struct {
	// Store has the specs that LoadOrCreate looks for, and its test data directory is where new
	// specs have their inputs and outputs.
	Store *Store
	// ScriptDirs are searched for scripts, without their subdirectories. A relative one is taken from
	// the working directory at the first use.
	ScriptDirs []string
	// Scripts names the script file of a node, or of all nodes of a base step. An empty name declares
	// that there is none. A relative one is looked for in ScriptDirs, then in the working directory
	// at the first use.
	Scripts map[string]string
	// Terms replace DefaultTerms, if not nil.
	Terms map[string]string
	// Python is the interpreter that reads scripts for new specs, as in RuntimeTester.
	Python string

	once    sync.Once
	dirs    []string          // ScriptDirs, absolute
	table   map[string]string // Scripts, absolute
	terms   termReplacer
	onceErr error

	mu      sync.Mutex
	scripts scriptIndex
}

// ErrNoScript is returned for a node that is declared to have no script. It is a normal outcome:
// pipelines skip such a node.
var ErrNoScript = errors.New("the step is declared to have no script")

// ResolveMethod is how the script of a node was found. The set is closed.
type ResolveMethod string

// The ways in which a script is found, in the order in which they are tried.
const (
	ResolvedByTable ResolveMethod = "table" // SpecBuilder.Scripts has it
	ResolvedExact   ResolveMethod = "exact" // <snake_case of the base>.py in a script directory
	ResolvedEqual   ResolveMethod = "equal" // the one file that is equal but for case, separators and abbreviations
)

// Resolution is the script of a node.
type Resolution struct {
	// Node is the node that was asked for, Step its parts.
	Node string
	Step StepName
	// ScriptName is the script's name, ScriptPath its absolute path.
	ScriptName, ScriptPath string
	// Method says how it was found.
	Method ResolveMethod
}

// NotFoundError is returned for a node that has no script where scripts are looked for. It is
// fs.ErrNotExist.
type NotFoundError struct {
	Node string
	// Tried says what was looked for and where.
	Tried []string
	// Suggestions are the three nearest files, the nearest first. None is ever taken for the
	// node's: only SpecBuilder.Scripts decides that.
	Suggestions []string
}

// Error returns one line with the node, what was tried and the suggestions.
func (e *NotFoundError) Error() string {
	text := fmt.Sprintf("node %s has no script; tried %s", printable(e.Node), printable(strings.Join(e.Tried, ", ")))
	if len(e.Suggestions) > 0 {
		text += "; the nearest files are " + printable(strings.Join(e.Suggestions, ", "))
	}
	return text + "; name its script in SpecBuilder.Scripts, or \"\" if it has none"
}

// Is reports that the error is fs.ErrNotExist.
func (e *NotFoundError) Is(target error) bool { return target == fs.ErrNotExist }

// AmbiguousError is returned for a node that several files fit equally.
type AmbiguousError struct {
	Node string
	// Candidates are their absolute paths, sorted.
	Candidates []string
}

// Error returns one line with the node and the files.
func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("node %s fits several scripts: %s; name one of them in SpecBuilder.Scripts",
		printable(e.Node), printable(strings.Join(e.Candidates, ", ")))
}

// Resolve finds the script of a node: in Scripts by the node and then by its base, else the file
// <snake_case of the base>.py in the first of ScriptDirs that has it, else the one file in all of
// them that is equal to it when case and separators do not count and abbreviations are spelt out
// (XGBoostModelEval and xgboost_model_evaluation.py). It never takes a file that is merely similar.
//
// The error is a [*FieldError] for an invalid step name and for a file of the table whose name makes
// no script name, [ErrNoScript], a [*NotFoundError], an [*AmbiguousError], or "script directory: ..."
// with the system's error for one of ScriptDirs that cannot be read. Neither is a script read nor an
// interpreter started.
func (b *SpecBuilder) Resolve(node string) (*Resolution, error) {
	step, err := ParseStepName(node)
	if err != nil {
		return nil, err
	}
	if err := b.prepare(); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	r := &Resolution{Node: node, Step: step}
	file, found, err := b.lookUp(r)
	if !found && err == nil {
		file, err = b.find(r)
	}
	if err != nil {
		return nil, err
	}
	r.ScriptPath = file
	stem := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	if r.ScriptName = toSnakeCase(stem, b.terms); checkScriptName(r.ScriptName) != "" {
		return nil, nameError(fieldScriptName, stem, CodeFormat)
	}
	return r, nil
}

// lookUp looks in the user's table, which needs no directory.
func (b *SpecBuilder) lookUp(r *Resolution) (file string, found bool, err error) {
	for _, key := range []string{r.Node, r.Step.Base} {
		path, ok := b.table[key]
		if !ok {
			continue
		}
		if path == "" {
			return "", true, fmt.Errorf("node %s: %w", printable(r.Node), ErrNoScript)
		}
		if errs := scriptErrors(&ScriptExecutionSpec{ScriptPath: path}, checkPath); len(errs) > 0 {
			nf := &NotFoundError{Node: r.Node, Tried: []string{"SpecBuilder.Scripts: " + errs[0].Message}}
			if b.scripts.refresh(b.dirs, b.terms) == nil {
				nf.Suggestions = b.scripts.nearest(strings.TrimSuffix(filepath.Base(path), ".py"))
			}
			return "", true, nf
		}
		r.Method = ResolvedByTable
		return path, true, nil
	}
	return "", false, nil
}

// find looks for the script of a node in the directories and notes how it was found.
func (b *SpecBuilder) find(r *Resolution) (string, error) {
	if err := b.scripts.refresh(b.dirs, b.terms); err != nil {
		return "", err
	}
	name := toSnakeCase(r.Step.Base, b.terms)
	tried := []string{"SpecBuilder.Scripts"}
	for _, dir := range b.dirs {
		file := filepath.Join(dir, name+".py")
		if b.scripts.has(file) {
			r.Method = ResolvedExact
			return file, nil
		}
		tried = append(tried, file)
	}
	switch equal := b.scripts.equal(r.Step.Base, b.terms); len(equal) {
	case 0:
		for _, dir := range b.dirs {
			tried = append(tried, "every "+filepath.Join(dir, "*.py")+" that is equal to "+name)
		}
		return "", &NotFoundError{r.Node, tried, b.scripts.nearest(name)}
	case 1:
		r.Method = ResolvedEqual
		return equal[0], nil
	default:
		return "", &AmbiguousError{r.Node, equal}
	}
}

// tableFiles lists the files of the table, to be read with the rest.
func (b *SpecBuilder) tableFiles() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Values(b.table)), func(path string) bool { return path == "" })
}

// prepare makes the directories absolute, once.
func (b *SpecBuilder) prepare() error {
	b.once.Do(func() {
		for _, dir := range b.ScriptDirs {
			abs, err := filepath.Abs(dir)
			if err != nil {
				b.onceErr = err
				return
			}
			b.dirs = append(b.dirs, abs)
		}
		b.table = make(map[string]string, len(b.Scripts))
		for key, file := range b.Scripts {
			path, err := b.tablePath(file)
			if err != nil {
				b.onceErr = err
				return
			}
			b.table[key] = path
		}
		b.terms = defaultReplacer
		if b.Terms != nil {
			b.terms = newTermReplacer(b.Terms)
		}
	})
	return b.onceErr
}

// tablePath makes a file of the table absolute.
func (b *SpecBuilder) tablePath(file string) (string, error) {
	if file == "" || filepath.IsAbs(file) {
		return file, nil
	}
	for _, dir := range b.dirs {
		if path := filepath.Join(dir, file); isFile(path) {
			return path, nil
		}
	}
	return filepath.Abs(file)
}

// Without a script that can be read, a new spec has the logical names of the design note's example.
var (
	noteInputs  = []string{"config", "data_input"}
	noteOutputs = []string{"data_output", "metrics"}
)

// SpecFromNode returns a new spec for a node, with what Resolve finds and these defaults, all to be
// changed as need be:
//
//   - script_path is absolute, and all paths are relative to the store's Base if it has one;
//   - inputs and outputs are those whose logical names are in the script, at
//     <test_data_dir>/<node>/input/<logical name> and .../output/<logical name>, so that no two nodes
//     share a directory; the design note's if the script cannot be read, for which Inspect says why;
//   - job_args has "job_type" if the node has one, unless the script is a program without such a flag, and what the script has
//     a literal default or a choice for; what it needs besides, ScriptInterface.Compare names;
//   - the timestamps are now.
func (b *SpecBuilder) SpecFromNode(node string) (*ScriptExecutionSpec, error) {
	r, err := b.Resolve(node)
	if err != nil {
		return nil, err
	}
	return b.newSpec(r)
}

func errNoStore() error {
	return &FieldError{Path: "Store", Code: CodeRequired, Message: "SpecBuilder.Store is required: it says where inputs and outputs are"}
}

func (b *SpecBuilder) newSpec(r *Resolution) (*ScriptExecutionSpec, error) {
	if b.Store == nil {
		return nil, errNoStore()
	}
	return b.specOf(r, b.read(r.ScriptPath)), nil
}

// specOf is newSpec for a script that was read; nil stands for one that could not be.
func (b *SpecBuilder) specOf(r *Resolution, script *ScriptInterface) *ScriptExecutionSpec {
	s := New(r.ScriptName, r.Node, r.ScriptPath)
	inputs, outputs := noteInputs, noteOutputs
	if script != nil {
		inputs, outputs = namesOf(script.InputPaths), namesOf(script.OutputPaths)
	}
	dir := filepath.Join(b.Store.dir, r.Node)
	s.InputPaths = newPaths(filepath.Join(dir, "input"), inputs)
	s.OutputPaths = newPaths(filepath.Join(dir, "output"), outputs)
	if base := b.Store.base; base != "" {
		s.ScriptPath = relativePath(base, s.ScriptPath)
		for _, paths := range []map[string]string{s.InputPaths, s.OutputPaths} {
			for name, path := range paths {
				paths[name] = relativePath(base, path)
			}
		}
	}
	if r.Step.JobType != "" && (script == nil || script.takes("job_type")) {
		s.JobArgs = JobArgs{"job_type": r.Step.JobType}
	}
	if script != nil {
		script.addDefaults(s)
	}
	return s
}

// relativePath returns a path relative to a base, with slashes, or as it is if there is no way from one to the
// other.
func relativePath(base, path string) string {
	if rel, err := filepath.Rel(base, path); err == nil {
		return filepath.ToSlash(rel)
	}
	return path
}

// read returns the interface of a script, nil if it cannot be read.
func (b *SpecBuilder) read(path string) *ScriptInterface {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.scripts.read(b.Python, path, b.tableFiles())
}

func namesOf(list []ScriptUse) []string {
	var names []string
	for _, n := range list {
		names = append(names, n.Name)
	}
	return names
}

// newPaths gives each name a path of its own in dir, distinct even if case is ignored.
func newPaths(dir string, names []string) map[string]string {
	paths := map[string]string{}
	taken := map[string]bool{}
	for _, name := range names {
		if name == "" || strings.IndexByte(name, 0) >= 0 {
			continue // not allowed in a spec
		}
		element := filename.Element(name)
		for i := 2; taken[strings.ToLower(element)]; i++ {
			element = fmt.Sprintf("%s_%d", filename.Element(name), i)
		}
		taken[strings.ToLower(element)] = true
		paths[name] = filepath.Join(dir, element)
	}
	return paths
}

// LoadOrCreate returns the spec of a node from the store: the step's own file, else the script's with
// step_name set to the node. If there is neither it makes a new one, as SpecFromNode does, without
// saving it, and created is true.
func (b *SpecBuilder) LoadOrCreate(node string) (s *ScriptExecutionSpec, created bool, err error) {
	spec, file, err := b.loadOrCreate(node)
	if err != nil {
		return nil, false, err
	}
	s, err = asBasic(spec, file, "Store.LoadEnhancedStep")
	return s, file == "", err
}

// loadOrCreate is LoadOrCreate for both kinds of spec, with the file it took, "" for a new spec.
func (b *SpecBuilder) loadOrCreate(node string) (s Spec, file string, err error) {
	r, err := b.Resolve(node)
	if err != nil {
		return nil, "", err
	}
	if b.Store != nil {
		s, file, err := b.Store.loadStep(node, r.ScriptName)
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return s, file, err
		}
	}
	made, err := b.newSpec(r)
	if err != nil {
		return nil, "", err
	}
	return made, "", nil
}
