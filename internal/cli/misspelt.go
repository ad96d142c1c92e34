package cli

import (
	"context"
	"path/filepath"
	"slices"
	"strings"

	"github.com/scriptspec/scriptspec"
)

// meant ends a message about a word that nothing is called: with the name that may have been meant, or else all there are.
func meant(word string, names []string) string {
	if hint, _ := scriptspec.MeantName(names, word); hint != "" {
		return " (" + hint + ")"
	}
	return ""
}

// checkNames returns an error for an example, or a script to run as a program, that no spec of the store has.
func (f *runFlags) checkNames(st *scriptspec.Store) error {
	if len(f.programs) == 0 && (f.example == "" || f.example == noExamples) {
		return nil
	}
	var examples, scripts []string
	for s, err := range st.All() {
		if err != nil { // which the run says
			continue
		}
		b := s.Basic()
		scripts = append(scripts, b.ScriptName)
		for _, e := range b.Examples {
			examples = append(examples, e.Name)
		}
	}
	if f.pipeline != "" {
		if p, err := st.LoadPipeline(f.pipeline); err == nil { // which may have specs of its own
			for _, s := range p.Specs {
				scripts = append(scripts, s.Basic().ScriptName)
			}
		}
	}
	for _, name := range f.programs {
		if !slices.Contains(scripts, name) {
			return usage("--command-line %s: no spec has a script of this name%s", name, meant(name, scripts))
		}
	}
	if f.example != "" && f.example != noExamples && !slices.Contains(examples, f.example) {
		return usage("--example %s: no spec has an example of this name%s", f.example, meant(f.example, examples))
	}
	return nil
}

// checkSets returns an error for a job argument that no selected spec has and no script of theirs reads. Where scripts do not
// say what they read, and of an environment variable that may be misspelt, there is a note.
func (a *app) checkSets(ctx context.Context, st *scriptspec.Store, sel *scriptspec.Selector, sets settingList) error {
	if len(sets) == 0 {
		return nil
	}
	var args, variables, paths []string
	for s, err := range st.Select(ctx, sel) {
		if err != nil { // which the run says
			continue
		}
		b := s.Basic()
		add := func(environ map[string]string, jobArgs scriptspec.JobArgs) {
			variables = append(variables, sortedNames(environ)...)
			args = append(args, sortedNames(jobArgs)...)
		}
		add(b.EnvironVars, b.JobArgs)
		for _, e := range b.Examples {
			add(e.EnvironVars, e.JobArgs)
		}
		path := b.ScriptPath
		if !filepath.IsAbs(path) {
			path = filepath.Join(st.Base(), path)
		}
		paths = append(paths, path)
	}
	var read *readArgs
	for _, one := range sets {
		known, place := args, one.place()
		if one.environ {
			known = variables
		}
		if len(paths) == 0 || slices.Contains(known, one.name) {
			continue
		}
		if one.environ {
			if _, near := scriptspec.MeantName(known, one.name); near {
				a.notice("scriptspec: note: no selected spec has " + harmless(place) + meant(one.name, known))
			}
			continue
		}
		if read == nil {
			read = a.readBy(ctx, paths)
		}
		switch {
		case slices.Contains(read.names, one.name):
		case read.more:
			a.notice("scriptspec: note: no selected spec has " + harmless(place) + meant(one.name, known))
		default:
			return usage("--set %s: no selected spec has this job argument, and no script of theirs reads it%s", place, meant(one.name, slices.Concat(known, read.names)))
		}
	}
	return nil
}

// readArgs are the job arguments that scripts read.
type readArgs struct {
	names []string
	more  bool // there may be others, which only a run can tell
}

func (a *app) readBy(ctx context.Context, paths []string) *readArgs {
	slices.Sort(paths)
	found, err := (&scriptspec.SpecBuilder{Python: a.python}).Inspect(ctx, slices.Compact(paths)...)
	read := &readArgs{more: err != nil}
	for _, script := range found {
		for _, use := range script.JobArgs {
			read.names = append(read.names, use.Name)
		}
		for _, flag := range script.Flags {
			for _, name := range flag.Names {
				read.names = append(read.names, strings.TrimLeft(name, "-"))
			}
		}
		read.more = read.more || script.Error != "" || script.Opaque || slices.Contains(script.Dynamic, "job_args") || slices.Contains(script.Dynamic, "flags")
	}
	return read
}
