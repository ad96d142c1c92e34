package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/scriptspec/scriptspec"
)

// scriptsIn returns the Python files of a directory that may be scripts.
func scriptsIn(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, usage("%w; name a directory of scripts", err)
	}
	var files []string
	for _, e := range entries {
		if isPython(e) {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	if len(files) == 0 {
		text := "no .py files in " + dir
		if below := foldersBelow(dir); len(below) > 0 {
			text += "; name one of its directories: " + strings.Join(below, ", ")
		}
		return nil, &exit{exitNone, errors.New(harmless(text))}
	}
	return files, nil
}

func isPython(e fs.DirEntry) bool {
	return strings.HasSuffix(e.Name(), ".py") && e.Name() != "__init__.py" && !e.IsDir()
}

// foldersBelow returns the directories below one that have Python files, a few of them, and says so if there are more. It does
// not go far.
func foldersBelow(dir string) []string {
	const most, entries = 5, 5000
	var found []string
	left := entries
	_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error { // what cannot be read is not named
		if left--; left < 0 || len(found) > most {
			return filepath.SkipAll
		}
		_, venv := os.Stat(filepath.Join(path, "pyvenv.cfg"))
		switch folder := filepath.Dir(path); {
		case err != nil || path == dir:
		case e.IsDir() && (strings.HasPrefix(e.Name(), ".") || slices.Contains([]string{"__pycache__", "node_modules", "site-packages"}, e.Name()) || venv == nil):
			return filepath.SkipDir
		case isPython(e) && folder != filepath.Clean(dir) && !slices.Contains(found, folder):
			found = append(found, folder)
		}
		return nil
	})
	slices.Sort(found)
	if len(found) > most {
		found[most] = "others"
	}
	return found
}

// maker creates the specs of scripts that were read.
type maker struct {
	app      *app
	st       *scriptspec.Store
	builder  *scriptspec.SpecBuilder
	scripts  map[string]*scriptspec.ScriptInterface // by absolute path
	saved    map[string]bool                        // by absolute path, the scripts whose specs were
	programs []string                               // of these, those that are run with --command-line
}

// unseen leaves out the directories of which a script has a spec.
func (m *maker) unseen(folders []string) []string {
	seen := map[string]bool{}
	for s, err := range m.st.All() {
		if err == nil {
			seen[filepath.Dir(m.fileOf(s.Basic().ScriptPath))] = true
		}
	}
	return slices.DeleteFunc(folders, func(folder string) bool {
		abs, err := filepath.Abs(folder)
		return err == nil && seen[abs]
	})
}

func (m *maker) note(format string, args ...any) {
	fmt.Fprintln(m.app.err, harmless(fmt.Sprintf(format, args...)))
}

// script saves the spec of a script that belongs to no node of the graph.
func (m *maker) script(p scriptspec.Proposal) error {
	abs, err := filepath.Abs(p.Script.Path)
	switch {
	case err != nil:
		return err
	case m.saved[abs]:
		return nil
	case p.Reason != "":
		m.note("skipped %s: %s", p.Script.Path, p.Reason)
		return nil
	case p.Spec == nil:
		return nil
	}
	if err := m.save(m.st.Path(p.Spec.ScriptName), p.Spec, m.st.Save); err != nil {
		return err
	}
	m.noteInputs(p.Spec.StepName, p.Spec, sortedNames(p.Spec.InputPaths))
	return nil
}

// fileOf returns the file of a path of the store.
func (m *maker) fileOf(path string) string {
	if !filepath.IsAbs(path) {
		path = filepath.Join(m.st.Base(), path)
	}
	return filepath.Clean(path)
}

func (m *maker) save(path string, s *scriptspec.ScriptExecutionSpec, save func(scriptspec.Spec) error) error {
	s.SpecVersion = scriptspec.SpecVersion
	if err := save(s); err != nil {
		return err
	}
	file := m.fileOf(s.ScriptPath)
	m.saved[file] = true
	if _, err := fmt.Fprintln(m.app.out, relativeHere(path)); err != nil {
		return err
	}
	script := m.scripts[file]
	m.noteMissing(s, script)
	if script != nil && script.IsProgram() && !slices.Contains(m.app.settings.CommandLine, s.ScriptName) {
		m.programs = append(m.programs, s.ScriptName)
	}
	return nil
}

// noteMissing says what a script needs and its new spec does not have.
func (m *maker) noteMissing(s *scriptspec.ScriptExecutionSpec, script *scriptspec.ScriptInterface) {
	for _, d := range script.Compare(s) {
		if d.Kind == scriptspec.DriftMain && slices.Contains(m.app.settings.CommandLine, s.ScriptName) {
			continue // it is called as a program
		}
		if !d.Optional || d.Kind == scriptspec.DriftUnread {
			m.note("%s: %s", s.StepName, d.String())
		}
	}
}

// noteInputs says where the data of inputs belongs that have none.
func (m *maker) noteInputs(step string, s *scriptspec.ScriptExecutionSpec, names []string) {
	for _, name := range names {
		file := m.fileOf(s.InputPaths[name])
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			m.note("%s: put data for %s at %s", step, name, relativeHere(file))
		}
	}
}

const settingsFile = "scriptspec.json"

// listPrograms has the new programs among the scripts run as such: in the settings if there are none yet, else by a person.
func (m *maker) listPrograms(settings string) error {
	if len(m.programs) == 0 {
		return nil
	}
	slices.Sort(m.programs)
	names, err := json.Marshal(m.programs)
	if err != nil {
		return err
	}
	if err := writeNew(settings, []byte(`{"command_line": `+string(names)+"}\n")); !errors.Is(err, fs.ErrExist) {
		if err == nil {
			_, err = fmt.Fprintln(m.app.out, relativeHere(settings))
		}
		return err
	}
	for _, name := range m.programs {
		m.noteProgram(name, settings)
	}
	return nil
}

func (m *maker) noteProgram(script, settings string) {
	m.note("%s is a command-line program: run it with --command-line %s, or list it under command_line in %s", script, script, relativeHere(settings))
}
