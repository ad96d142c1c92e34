package scriptspec

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/scriptspec/scriptspec/internal/similarity"
)

// What StoreOptions.Base can be besides a directory.
const (
	// BaseOfProject is the directory that contains the test data directory, where the command has relative paths start.
	BaseOfProject = "scriptspec:project"
	// BaseOfStore is the test data directory of the store.
	BaseOfStore = "scriptspec:store"
)

// pathResolver turns the paths of specs into those of files.
type pathResolver struct {
	base string            // of relative paths; "" leaves them to the working directory
	vars map[string]string // by the name in ${NAME}; nil expands none
	dir  string            // test data directory of the store that the specs are from; "" if that is not known
}

// resolve returns a copy of a spec with the paths of files. The spec itself is returned if it has them.
func (p pathResolver) resolve(s Spec) (Spec, []*FieldError) {
	if isNil(s) || p.base == "" && p.vars == nil {
		return s, nil
	}
	if fe := p.baseError(); fe != nil {
		return s, []*FieldError{fe}
	}
	s = cloneSpec(s.self())
	var errs []*FieldError
	change := func(f field, key, place string, path *string) {
		resolved, fe := p.path(*path)
		if fe != nil {
			fe.Path, fe.Value, fe.rank = place, *path, rank{section: int(f), key: key}
			errs = append(errs, fe)
			return
		}
		*path = resolved
	}
	c := s.common()
	change(fieldScriptPath, "", "script_path", c.scriptPath)
	for _, f := range []field{fieldInputs, fieldOutputs} {
		own := c.own(f)
		for _, e := range sortedPaths(s, f) {
			path := e.path
			change(own, e.key, keyed(fields[own].name, e.key), &path)
			moveEntry(s, f, e.key, path)
		}
	}
	for i := range c.meta.DependsOn.Files {
		change(fieldDependsOn, "", dependedFile(i), &c.meta.DependsOn.Files[i])
	}
	for i, e := range c.meta.Examples {
		for _, name := range sortedKeys(e.InputPaths) {
			path := e.InputPaths[name]
			change(fieldExamples, name, exampleInput(i, name), &path)
			e.InputPaths[name] = path
		}
	}
	return s, errs
}

// moveEntry gives an input or output another path, and with it the job argument that is this path. A program gets no
// paths but by its job arguments.
func moveEntry(s Spec, f field, name, path string) {
	var old string
	switch s := s.(type) {
	case *ScriptExecutionSpec:
		paths := &s.OutputPaths
		if f == fieldInputs {
			paths = &s.InputPaths
		}
		old = (*paths)[name]
		setEntry(paths, name, path)
	case *EnhancedScriptExecutionSpec:
		entries := &s.OutputPathSpecs
		if f == fieldInputs {
			entries = &s.InputPathSpecs
		}
		old = (*entries)[name].Path
		setPath(entries, name, path)
	}
	args := *s.common().jobArgs
	if below, ok := pathBelow(args[name], old); ok {
		args[name] = filepath.Join(path, below)
	}
}

// moveOutputs gives each output a path of its own in dir.
func moveOutputs(s *ScriptExecutionSpec, dir string) {
	for name, path := range newPaths(dir, entryKeys(sortedPaths(s, fieldOutputs))) {
		moveEntry(s, fieldOutputs, name, path)
	}
}

// dropInput takes an input away, and with it the job argument that is its path.
func dropInput(s *ScriptExecutionSpec, name string) {
	if _, ok := pathBelow(s.JobArgs[name], s.InputPaths[name]); ok {
		delete(s.JobArgs, name)
	}
	delete(s.InputPaths, name)
}

// pathBelow returns where the path that a job argument is lies below another, "." for the same.
func pathBelow(arg any, path string) (below string, ok bool) {
	text, ok := arg.(string)
	if !ok || text == "" || path == "" {
		return "", false
	}
	below, err := filepath.Rel(path, text)
	return below, err == nil && filepath.IsLocal(below)
}

// baseError returns what keeps the base from being one.
func (p pathResolver) baseError() *FieldError {
	fe := notLocal(p.base)
	if name := map[string]string{BaseOfStore: "BaseOfStore", BaseOfProject: "BaseOfProject"}[p.base]; name != "" {
		fe = fieldErrorf(rank{}, "", CodeNotLocal, "%s is for StoreOptions.Base", name).hintf("use the Base method of the store")
	}
	if fe != nil {
		fe.Path = "Base"
	}
	return fe
}

// explain says of errors about paths what these are relative to, if it is the base, and with which other base there is something.
func (p pathResolver) explain(errs []*FieldError, given Spec) {
	if p.base == "" && p.dir == "" {
		return
	}
	eachPlace(given, func(_ field, _, place, path string) {
		if filepath.IsAbs(path) {
			return
		}
		for _, fe := range errs {
			if resolved, _ := p.path(path); fe.Path != place || fe.Value != resolved { // a hook may have set another one
				continue
			}
			if fe.Hint == "" && p.base != "" {
				fe.Hint = printable(path) + " relative to the base, " + printable(p.base)
			}
			if fe.Code == CodeNotExist && fe.Hint != "" {
				fe.Hint += p.elsewhere(path)
			}
		}
	})
}

// elsewhere says with which base of the store a relative path leads somewhere, "" if with none.
func (p pathResolver) elsewhere(path string) string {
	if p.dir == "" {
		return ""
	}
	for _, other := range []struct{ name, dir string }{{"BaseOfProject", filepath.Dir(p.dir)}, {"BaseOfStore", p.dir}} {
		if _, err := os.Stat(filepath.Join(other.dir, path)); err == nil && other.dir != p.base {
			return "; it is in " + printable(other.dir) + ": open the store with StoreOptions{Base: scriptspec." + other.name + "}"
		}
	}
	return ""
}

// eachPlace calls do for every path of a spec, with its place.
func eachPlace(s Spec, do func(f field, key, place, path string)) {
	c := s.common()
	do(fieldScriptPath, "", "script_path", *c.scriptPath)
	for _, f := range []field{fieldInputs, fieldOutputs} {
		own := c.own(f)
		for _, e := range sortedPaths(s, f) {
			do(own, e.key, keyed(fields[own].name, e.key), e.path)
		}
	}
	for i, file := range c.meta.DependsOn.Files {
		do(fieldDependsOn, "", dependedFile(i), file)
	}
	for i, e := range c.meta.Examples {
		for _, name := range sortedKeys(e.InputPaths) {
			do(fieldExamples, name, exampleInput(i, name), e.InputPaths[name])
		}
	}
}

// exampleInput is the place of an input of an example.
func exampleInput(i int, name string) string {
	return fields[fieldExamples].name + "[" + strconv.Itoa(i) + "]." + keyed("input_paths", name)
}

var pathVariable = regexp.MustCompile(`\$\{([^}]*)\}`)

// path expands variables and puts a relative path into the base. The error lacks its place.
func (p pathResolver) path(path string) (string, *FieldError) {
	var fe *FieldError
	if p.vars != nil {
		path = pathVariable.ReplaceAllStringFunc(path, func(found string) string {
			name := found[2 : len(found)-1]
			value, known := p.vars[name]
			if !known && fe == nil {
				fe = fieldErrorf(rank{}, "", CodeNotLocal, "the path has ${%s}, which has no value: %s", name, path)
				fe.Hint = "give it one, or write the path out"
				if near := similarity.Nearest(slices.Collect(maps.Keys(p.vars)), name); near != "" {
					fe.Hint = "did you mean ${" + printable(near) + "}?"
				}
			}
			return value
		})
	}
	if fe != nil {
		return "", fe
	}
	if found := plainVariable.FindString(path); found != "" {
		if _, known := p.vars[found[1:]]; known {
			return "", fieldErrorf(rank{}, "", CodeNotLocal, "variables in paths are in braces: %s", path).hintf("write ${%s}", found[1:])
		}
	}
	if p.base != "" && path != "" && !filepath.IsAbs(path) && notLocal(path) == nil {
		path = filepath.Join(p.base, path)
	}
	return path, nil
}

var (
	urlScheme = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*://`)
	shellWord = regexp.MustCompile(`\$(\{|[A-Za-z_])`)

	plainVariable = regexp.MustCompile(`\$[A-Za-z_][A-Za-z0-9_]*`)
)

// notLocal returns what keeps a path from being one of this machine as it is written, without its place; nil
// for most.
func notLocal(path string) *FieldError {
	refuse := func(rule, hint string) *FieldError {
		fe := fieldErrorf(rank{}, "", CodeNotLocal, "%s: %s", rule, path)
		fe.Hint, fe.Value = hint, path
		return fe
	}
	switch {
	case strings.Contains(path, "://") && urlScheme.MatchString(path):
		return refuse("a URL is not a local path", "name the directory that the data is downloaded to")
	case strings.HasPrefix(path, "~"):
		return refuse("~ is not expanded in paths", "write the home directory out, or the path as ./~")
	case strings.Contains(path, "$") && shellWord.MatchString(path) && !hasDollar(path):
		return refuse("variables are not expanded in paths", "write the path out; only a Go program can give ${NAME} a value, in PathVars")
	}
	return nil
}

// hasDollar reports whether what looks like a variable is there under just that name.
func hasDollar(path string) bool {
	found := shellWord.FindAllStringIndex(path, -1)
	last := found[len(found)-1][1]
	if i := strings.IndexByte(path[last:], filepath.Separator); i >= 0 {
		path = path[:last+i]
	}
	_, err := os.Lstat(path)
	return err == nil
}

// joinByPath adds those of more that are about another place than errs: a path that cannot be resolved has no
// further problems.
func joinByPath(errs, more []*FieldError) []*FieldError {
	known := len(errs)
	for _, fe := range more {
		if !slices.ContainsFunc(errs[:known], func(e *FieldError) bool { return e.Path == fe.Path }) {
			errs = append(errs, fe)
		}
	}
	return errs
}

// localErrors finds paths that are not local.
func localErrors(s Spec) []*FieldError {
	if isNil(s) {
		return nil
	}
	var errs []*FieldError
	eachPlace(s, func(f field, key, place, path string) {
		if fe := notLocal(path); fe != nil {
			fe.Path, fe.rank = place, rank{section: int(f), key: key}
			errs = append(errs, fe)
		}
	})
	return errs
}
