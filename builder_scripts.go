package scriptspec

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// Proposal is what FromScripts has for a script. One that has a spec in the store has neither Spec nor Reason.
type Proposal struct {
	// Script is what can be read in it; Path is as it was given.
	Script *ScriptInterface
	// Spec is new and not saved: see Store.Save. What the script needs and does not say itself, Compare names.
	Spec *ScriptExecutionSpec
	// Reason says why there is no spec: the script cannot be read, is none, or has the name of another one.
	Reason string
}

// FromScripts proposes a spec for each script that no spec of the store describes, as SpecFromNode does, with the file's name
// for a script name and step name. All scripts are read by one start of the interpreter, and none is imported. The
// proposals are in the order of the scripts. The error is for an interpreter that is missing or unusable.
func (b *SpecBuilder) FromScripts(ctx context.Context, scripts ...string) ([]Proposal, error) {
	if b.Store == nil {
		return nil, errNoStore()
	}
	if err := b.prepare(); err != nil {
		return nil, err
	}
	found, err := b.Inspect(ctx, scripts...)
	if err != nil {
		return nil, err
	}
	paths := make([]string, len(scripts))
	first := map[string]int{} // by script name: of several files, the one with just this name
	for i, script := range scripts {
		if paths[i], err = filepath.Abs(script); err != nil {
			return nil, err
		}
		name, exact := b.scriptNameOf(script)
		if _, taken := first[name]; !taken || exact {
			first[name] = i
		}
	}
	described := map[string]bool{}
	for s, err := range b.Store.All() {
		if err == nil { // what cannot be loaded, lint reports
			described[b.Store.scriptFile(s)] = true
		}
	}
	proposals := make([]Proposal, len(scripts))
	for i := range scripts {
		p := &proposals[i]
		if p.Script = found[i]; described[paths[i]] {
			continue
		}
		name, _ := b.scriptNameOf(scripts[i])
		if p.Reason = b.unfit(found[i], name, scripts[first[name]]); p.Reason != "" {
			continue
		}
		p.Spec = b.specOf(&Resolution{Node: ToPascalCase(name), ScriptName: name, ScriptPath: paths[i]}, found[i])
	}
	return proposals, nil
}

// scriptNameOf returns the script name that is made of a file's, and whether that has it already.
func (b *SpecBuilder) scriptNameOf(file string) (name string, exact bool) {
	stem := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	name = toSnakeCase(stem, b.terms)
	return name, name == stem
}

// unfit says why there is no spec to propose for a script with a name that this file has first; "" if there is one.
func (b *SpecBuilder) unfit(script *ScriptInterface, name, first string) string {
	switch {
	case script.Error != "":
		return script.Error
	case !script.HasMain && !script.isProgram():
		return "it has no main and no flags"
	case checkScriptName(name) != "":
		return "its name cannot be turned into a script name"
	case first != script.Path:
		return "it has the same name as " + printable(first) + "; rename one of them"
	}
	switch there, err := b.Store.load(name, name+specFileSuffix); {
	case err == nil:
		return name + specFileSuffix + " already describes " + printable(*there.common().scriptPath) + "; rename one of the scripts"
	case !errors.Is(err, fs.ErrNotExist):
		return err.Error()
	}
	return ""
}

// scriptFile returns the file of a spec of the store.
func (st *Store) scriptFile(s Spec) string {
	path := *s.common().scriptPath
	if !filepath.IsAbs(path) {
		path = filepath.Join(st.base, path)
	}
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return filepath.Clean(path)
}

// addDefaults gives a new spec the job arguments that a script, in its own text, has a value for.
func (script *ScriptInterface) addDefaults(s *ScriptExecutionSpec) {
	values := map[string]any{}
	needs := slices.Clone(script.JobArgs)
	for _, f := range script.Flags {
		value := f.Default
		if value == nil && len(f.Choices) > 0 {
			value = f.Choices[0]
		}
		name := f.argument()
		values[f.Dest], values[name] = value, value // as a script reads it, and as a program is given it
		switch {
		case name == "" || !script.isProgram():
		case f.Required:
			needs = append(needs, ScriptUse{Name: name, Required: true})
		case f.Default != nil && (f.Takes != "none" || f.Default == false): // true would pass a flag that stands for false
			needs = append(needs, ScriptUse{Name: name, Default: f.Default})
		}
	}
	for _, use := range needs {
		value := use.Default
		if value == nil {
			value = values[use.Name]
		}
		if _, given := s.JobArgs[use.Name]; !given && value != nil {
			s.AddJobArg(use.Name, value)
		}
	}
}

// argument returns the job argument that a program gets as a flag, which argparse may keep by another name; "" if there is
// none.
func (f *ScriptFlag) argument() string {
	for _, name := range f.Names {
		if long, ok := strings.CutPrefix(name, "--"); ok {
			return long
		}
	}
	return ""
}
