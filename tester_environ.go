package scriptspec

import (
	"cmp"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/scriptspec/scriptspec/internal/pydriver"
)

// environment returns the variables of the script's process, but for its temporary directory.
func (t *RuntimeTester) environment(s *ScriptExecutionSpec) map[string]string {
	if t.node != nil { // where the driver has computed it
		return maps.Clone(t.node.environ)
	}
	env := s.ExecutionEnvironment()
	if t.CleanEnv {
		maps.DeleteFunc(env, func(name, _ string) bool {
			_, own := s.EnvironVars[name]
			return !own && !cleanEnvKeeps(name) && !slices.Contains(t.PassEnv, name)
		})
	}
	if path, ok := env["PYTHONPATH"]; ok {
		if path = searchPath(path); path == "" {
			delete(env, "PYTHONPATH")
		} else {
			env["PYTHONPATH"] = path
		}
	}
	return env
}

func cleanEnvKeeps(name string) bool {
	switch name {
	case "PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT":
		return true
	}
	return strings.HasPrefix(name, "LC_")
}

// searchPath makes the entries of PYTHONPATH absolute, as relative paths are those of the caller, and
// drops empty ones, which would be the working directory.
func searchPath(list string) string {
	var entries []string
	for _, entry := range filepath.SplitList(list) {
		if abs, err := filepath.Abs(entry); err == nil && entry != "" {
			entries = append(entries, abs)
		}
	}
	return strings.Join(entries, string(filepath.ListSeparator))
}

// startEnvironment returns the variables for a warm interpreter: those of this process, and of the
// spec's those that count at its start only.
func (t *RuntimeTester) startEnvironment(s *ScriptExecutionSpec) map[string]string {
	early := &ScriptExecutionSpec{EnvironVars: maps.Clone(s.EnvironVars)}
	maps.DeleteFunc(early.EnvironVars, func(name, _ string) bool { return !pydriver.CountsAtStart(name) })
	return t.environment(early)
}

// envList returns variables as processes have them, sorted.
func envList(env map[string]string) []string {
	list := make([]string, 0, len(env))
	for _, name := range slices.Sorted(maps.Keys(env)) {
		list = append(list, name+"="+env[name])
	}
	return list
}

// environErrors finds variables that are too long for a process.
func environErrors(s Spec) []*FieldError {
	const longest = 131_072 // MAX_ARG_STRLEN of Linux: name, "=", value and a NUL
	if runtime.GOOS != "linux" {
		return nil
	}
	var errs []*FieldError
	c := s.common()
	for _, name := range sortedKeys(*c.environVars) {
		if len(name)+len((*c.environVars)[name])+2 > longest {
			fe := fieldErrorf(rank{section: int(fieldEnviron), key: name}, keyed(c.name(fieldEnviron), name), CodeTooLong,
				"the environment variable is longer than the system gives to a process, 131,071 bytes")
			errs = append(errs, fe.hintf("hand it over in a file among the inputs"))
		}
	}
	return errs
}

// scratch is the directory for a script's temporary files, unless the spec names another.
func scratch(runDir string, env map[string]string, own map[string]string) error {
	if cmp.Or(own["TMPDIR"], own["TEMP"], own["TMP"]) != "" {
		return nil
	}
	dir := filepath.Join(runDir, "tmp")
	env["TMPDIR"] = dir
	if runtime.GOOS == "windows" {
		env["TEMP"], env["TMP"] = dir, dir
	}
	return os.Mkdir(dir, 0o700)
}
