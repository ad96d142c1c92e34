package scriptspec

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"unicode/utf8"

	"github.com/scriptspec/scriptspec/internal/pydriver"
)

// ScriptInterface is what can be read in the text of a script, without running or importing it.
type ScriptInterface struct {
	// Path is the script's file.
	Path string
	// HasMain reports whether there is a main, IsAsync whether it is a coroutine, Opaque whether what it takes
	// cannot be told from the text: it may be imported, a class, or the result of a call.
	HasMain, IsAsync, Opaque bool
	// Parameters are those of main, in order.
	Parameters []ScriptParameter
	// InputPaths, OutputPaths, EnvironVars and JobArgs are the names that the script uses by
	// literal keys and attributes, sorted. EnvironVars also has those of os.environ and os.getenv.
	InputPaths, OutputPaths, EnvironVars, JobArgs []ScriptUse
	// Flags are what the script tells argparse of, in order. A script without a main gets its job arguments by
	// these (RuntimeTester.CommandLine).
	Flags []ScriptFlag
	// Dynamic lists those of input_paths, output_paths, environ_vars, job_args and flags of which the
	// script may also use names that only a run can tell: it goes through them, passes them on, or
	// puts keys together.
	Dynamic []string
	// Unread has, by the same names, the line on which the script first uses a key that could not be read: there may be names
	// that are not listed above. A script that only goes through the keys it is given has none.
	Unread map[string]int
	// Error says why the script cannot be read, as "line 3: invalid syntax"; the rest is empty then.
	Error string
}

// ScriptParameter is a parameter of a script's main.
type ScriptParameter struct {
	Name string
	// Kind is as in Python's inspect: positional_only, positional_or_keyword, var_positional,
	// keyword_only or var_keyword.
	Kind       string
	HasDefault bool
}

// ScriptUse is a logical name, variable or argument that a script uses.
type ScriptUse struct {
	Name string
	// Required reports whether the script fails without it, as far as its text shows.
	Required bool
	// Default is the literal default that the script has for it, as JSON reads it; nil for none.
	Default any
}

// Inspect reads scripts as Python does, but without importing them: one start of the interpreter
// ($SCRIPTSPEC_PYTHON, else python3) serves all. The results are in the order of the scripts; a
// script that is missing or not Python has an Error. The error is for an interpreter that is missing or
// unusable.
func Inspect(ctx context.Context, scripts ...string) ([]*ScriptInterface, error) {
	return inspect(ctx, "", scripts)
}

// Inspect is as the function, with the interpreter of the builder.
func (b *SpecBuilder) Inspect(ctx context.Context, scripts ...string) ([]*ScriptInterface, error) {
	return inspect(ctx, b.Python, scripts)
}

// inspect is Inspect with the caller's interpreter.
func inspect(ctx context.Context, python string, scripts []string) ([]*ScriptInterface, error) {
	results := make([]*ScriptInterface, len(scripts))
	var paths []string
	var places []int
	for i, script := range scripts {
		results[i] = &ScriptInterface{Path: script}
		path, err := filepath.Abs(script)
		if err != nil {
			return nil, err
		}
		if !utf8.ValidString(path) {
			results[i].Error = "its path is not UTF-8, in which scripts and paths are handed over"
			continue
		}
		// Opening something other than a regular file might block.
		if errs := scriptErrors(&ScriptExecutionSpec{ScriptPath: path}, checkPath); len(errs) > 0 {
			results[i].Error = errs[0].Message
			continue
		}
		if info, err := os.Stat(path); err == nil && info.Size() > maxScript {
			results[i].Error = fmt.Sprintf("larger than %d bytes, which is not read", maxScript)
			continue
		}
		paths, places = append(paths, path), append(places, i)
	}
	if len(paths) == 0 {
		return results, nil
	}
	path, _, err := findPython(python)
	if err != nil {
		return nil, err
	}
	found, err := pydriver.Inspect(ctx, path, paths)
	if err != nil {
		return nil, err
	}
	for k, f := range found {
		r := results[places[k]]
		r.HasMain, r.IsAsync, r.Opaque, r.Dynamic, r.Error = f.HasMain, f.IsAsync, f.Opaque, f.Dynamic, printable(f.Error)
		if len(f.Unread) > 0 {
			r.Unread = f.Unread
		}
		for _, p := range f.Parameters {
			r.Parameters = append(r.Parameters, ScriptParameter(p))
		}
		r.InputPaths, r.OutputPaths = scriptUses(f.InputPaths), scriptUses(f.OutputPaths)
		r.EnvironVars, r.JobArgs = scriptUses(f.EnvironVars), scriptUses(f.JobArgs)
		for _, flag := range f.Flags {
			r.Flags = append(r.Flags, ScriptFlag(flag))
		}
	}
	return results, nil
}

// maxScript is the size up to which scripts are read; Python takes seconds for larger ones.
const maxScript = 2 << 20

func scriptUses(uses []pydriver.Use) []ScriptUse {
	var names []ScriptUse
	for _, u := range uses {
		names = append(names, ScriptUse(u))
	}
	return names
}

// DriftKind is how a spec and its script differ. The set is closed.
type DriftKind string

// The kinds of drift.
const (
	DriftMissing    DriftKind = "missing"    // the script reads it, the spec lacks it
	DriftUnused     DriftKind = "unused"     // the spec has it, the script never reads it
	DriftValue      DriftKind = "value"      // argparse, as the script describes its flags, refuses the value of a job argument
	DriftMain       DriftKind = "main"       // there is no main, or it cannot be called with the four parameters
	DriftUnreadable DriftKind = "unreadable" // the script cannot be read
	DriftUnread     DriftKind = "unread"     // the script uses keys that could not be read, and the spec has none but those that could
)

// Drift is one difference between a spec and its script.
type Drift struct {
	Kind DriftKind
	// Path is the place in the spec, as in FieldError; "script_path" where the script as a whole is
	// meant.
	Path string
	// Optional reports whether the script may well run as it is: it has a default for what is missing,
	// a library may read what it does not, or its main is given what argparse would not have let through.
	Optional bool
	// Message is a sentence.
	Message string
}

// String returns path and message.
func (d Drift) String() string { return d.Path + ": " + d.Message }

// Compare lists where a spec and its script differ: by field, then by name. If the script may read
// further names at run time, none of that kind is called unused.
func (script *ScriptInterface) Compare(s Spec) []Drift { return script.compare(s, false) }

// compare is Compare for a script that may be listed as a program, and is called as one whatever it looks like.
func (script *ScriptInterface) compare(s Spec, listed bool) []Drift {
	if isNil(s) || script == nil {
		return nil
	}
	if script.Error != "" {
		return []Drift{{DriftUnreadable, "script_path", false, "the script cannot be read: " + script.Error}}
	}
	c := s.common()
	program := listed || script.isProgram()
	var drifts []Drift
	if !listed {
		drifts = mainDrift(script, map[string][]string{
			"input_paths": entryKeys(sortedPaths(s, fieldInputs)), "output_paths": entryKeys(sortedPaths(s, fieldOutputs)),
			"environ_vars": sortedKeys(*c.environVars), "job_args": sortedKeys(*c.jobArgs),
		})
	}
	for _, side := range []struct {
		field  field
		member string
		uses   []ScriptUse
		has    []string
		env    bool
	}{
		{fieldInputs, "input_paths", script.InputPaths, entryKeys(sortedPaths(s, fieldInputs)), false},
		{fieldOutputs, "output_paths", script.OutputPaths, entryKeys(sortedPaths(s, fieldOutputs)), false},
		{fieldEnviron, "environ_vars", script.EnvironVars, sortedKeys(*c.environVars), true},
		{fieldJobArgs, "job_args", script.JobArgs, sortedKeys(*c.jobArgs), false},
	} {
		if side.field == fieldJobArgs && program {
			if script.isProgram() { // else nothing is known of its flags
				drifts = append(drifts, script.programDrift(*c.jobArgs, c.isSecret)...)
			}
			continue
		}
		name := c.name(side.field)
		if program && !side.env { // by nothing but its job arguments it gets paths
			for _, e := range sortedPaths(s, side.field) {
				if _, told := pathBelow((*c.jobArgs)[e.key], e.path); !told {
					drifts = append(drifts, Drift{DriftUnused, keyed(name, e.key), true, "the program is not told of it: no job argument of this name is this path"})
				}
			}
			continue
		}
		for _, use := range side.uses {
			if !slices.Contains(side.has, use.Name) {
				message := "the script reads it and the spec lacks it"
				if !use.Required {
					message += "; the script can do without"
				}
				drifts = append(drifts, Drift{DriftMissing, keyed(name, use.Name), !use.Required, message})
			}
		}
		knows := func(key string) bool {
			return slices.ContainsFunc(side.uses, func(u ScriptUse) bool { return u.Name == key }) || isJobTypeOf(s, key)
		}
		if line := script.Unread[side.member]; line > 0 && !slices.ContainsFunc(side.has, func(key string) bool { return !knows(key) }) {
			drifts = append(drifts, Drift{DriftUnread, name, true,
				fmt.Sprintf("the script uses keys of it that could not be read (%s:%d); add them", printable(filepath.Base(script.Path)), line)})
		}
		for _, key := range side.has {
			i := slices.IndexFunc(side.uses, func(u ScriptUse) bool { return u.Name == key })
			if i >= 0 && side.uses[i].Required && (side.field == fieldInputs || side.field == fieldOutputs) && c.isOptional(key) {
				drifts = append(drifts, Drift{DriftMissing, keyed(name, key), false, "the script cannot do without it and the spec calls it optional"})
			}
			if side.field == fieldJobArgs {
				if f := script.flagWithDest(key); f != nil {
					if problem := f.problem((*c.jobArgs)[key], false, c.isSecret(key)); problem != "" {
						drifts = append(drifts, Drift{DriftValue, keyed(name, key), true, problem})
					}
				}
				if isJobTypeOf(s, key) {
					continue // which the builder adds
				}
			}
			if used := i >= 0; !used && !slices.Contains(script.Dynamic, side.member) {
				drifts = append(drifts, Drift{DriftUnused, keyed(name, key), side.env, "the spec has it and the script never reads it"})
			}
		}
	}
	return drifts
}

// isJobTypeOf reports whether a job argument is job_type, with that of the step.
func isJobTypeOf(s Spec, key string) bool {
	c := s.common()
	step, err := ParseStepName(*c.stepName)
	return key == "job_type" && err == nil && step.JobType != "" && (*c.jobArgs)[key] == step.JobType
}

// mainParameters are what main is called with.
var mainParameters = [...]string{"input_paths", "output_paths", "environ_vars", "job_args"}

// mainDrift says what keeps main from being called with those of the four parameters by name for which the spec has
// something.
func mainDrift(script *ScriptInterface, given map[string][]string) []Drift {
	if script.Opaque {
		return nil
	}
	if script.isProgram() {
		return []Drift{{DriftMain, "script_path", true, "the script has no main with the four parameters; it is a program, to be listed under command_line"}}
	}
	if !script.HasMain {
		return []Drift{{DriftMain, "script_path", false, "the script has no function main"}}
	}
	var drifts []Drift
	takes := map[string]bool{}
	any := false
	for _, p := range script.Parameters {
		known := slices.Contains(mainParameters[:], p.Name)
		switch {
		case p.Kind == "var_keyword":
			any = true
		case p.Kind == "positional_or_keyword" || p.Kind == "keyword_only":
			takes[p.Name] = true
			if !known && !p.HasDefault {
				drifts = append(drifts, Drift{DriftMain, "script_path", false,
					fmt.Sprintf("main has a parameter %s without a default, which nothing is passed for", p.Name)})
			}
		case p.Kind == "positional_only" && !p.HasDefault:
			drifts = append(drifts, Drift{DriftMain, "script_path", false,
				fmt.Sprintf("main takes %s by position only; it is called by name", p.Name)})
		}
	}
	takesNone := !any && !slices.ContainsFunc(mainParameters[:], func(name string) bool { return takes[name] })
	for _, name := range mainParameters {
		if !takes[name] && !any && (takesNone || len(given[name]) > 0) {
			drifts = append(drifts, Drift{DriftMain, "script_path", !takesNone, "main has no parameter " + name})
		}
	}
	return drifts
}
