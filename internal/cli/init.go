package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/scriptspec/scriptspec"
	"github.com/spf13/cobra"
)

func (a *app) initCommand() *cobra.Command {
	var ci, editor, dag, name string
	cmd := &cobra.Command{
		Use: "init [DIRECTORY]", Short: "Create specs for a directory of scripts, or set up CI and editors", Args: takes(cobra.MaximumNArgs(1)),
		Example: "  scriptspec init scripts\n  scriptspec init scripts --dag dag.json --name churn\n  scriptspec init --ci github --editor vscode",
		RunE: func(cmd *cobra.Command, args []string) error {
			if ci == "" && editor == "" && len(args) == 0 {
				return usage("name a directory with scripts, or pass --ci or --editor")
			}
			if dag != "" && len(args) == 0 {
				return usage("--dag needs the directory of the scripts")
			}
			if cmd.Flags().Changed("name") && dag == "" {
				return usage("--name is that of a pipeline, which needs --dag")
			}
			if _, known := ciSystems[ci]; ci != "" && !known {
				return usage("unknown CI system %q; want %s", ci, strings.Join(sortedNames(ciSystems), ", "))
			}
			if editor != "" && !slices.Contains(editors, editor) {
				return usage("unknown editor %q; want %s", editor, strings.Join(editors, " or "))
			}
			var p project
			var err error
			if ci != "" {
				if p, err = a.projectOf(len(args) == 1); err != nil {
					return err
				}
			}
			if len(args) == 1 {
				err = a.initSpecs(cmd, args[0], dag, name)
			}
			return errors.Join(err, a.initCI(ci, p), a.initEditor(editor))
		},
	}
	cmd.Flags().StringVar(&ci, "ci", "", "set up CI: github, gitlab or pre-commit")
	cmd.Flags().StringVar(&editor, "editor", "", "set up an editor: vscode or jetbrains")
	cmd.Flags().StringVar(&dag, "dag", "", "create a pipeline from this graph (JSON), too")
	cmd.Flags().StringVar(&name, "name", "pipeline", "name of the pipeline")
	return cmd
}

// initSpecs creates a spec for each script that has none, and for each node of a graph. Existing files are left alone.
func (a *app) initSpecs(cmd *cobra.Command, dir, dag, name string) error {
	files, err := scriptsIn(dir)
	if err != nil {
		return err
	}
	data, err := a.initStore()
	if err != nil {
		return err
	}
	st, err := a.open(data)
	if err != nil {
		return err
	}
	defer st.Close()
	var graph *scriptspec.DAG
	if dag != "" {
		_, err := st.LoadPipeline(name)
		if fe, ok := err.(*scriptspec.FieldError); ok && fe.Path == "name" { //nolint:errorlint // of the name, not in a file
			return usage("--%w", fe)
		}
		if graph, err = scriptspec.LoadDAG(dag); err != nil {
			return err
		}
	}
	m := &maker{app: a, st: st, scripts: map[string]*scriptspec.ScriptInterface{}, described: map[string]bool{}}
	m.builder = &scriptspec.SpecBuilder{Store: st, ScriptDirs: []string{dir}, Scripts: map[string]string{}, Python: a.python}
	found, err := m.builder.Inspect(cmd.Context(), files...)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(data, ".specs"), dirMode); err != nil { // nothing is made before
		return err
	}
	for i, file := range files {
		abs, err := filepath.Abs(file)
		if err != nil {
			return err
		}
		m.scripts[abs] = found[i]
		stem := strings.TrimSuffix(filepath.Base(file), ".py")
		step := scriptspec.ToPascalCase(scriptspec.ToSnakeCase(stem))
		if _, taken := m.builder.Scripts[step]; !taken || stem == scriptspec.ToSnakeCase(stem) {
			m.builder.Scripts[step] = abs
		}
	}
	for s, err := range st.All() {
		if err == nil { // lint reports what cannot be read
			m.described[m.fileOf(s.Basic().ScriptPath)] = true
		}
	}
	var unplanned error
	if graph != nil {
		saved, err := m.pipeline(graph, name)
		if !saved && err != nil {
			return err
		}
		unplanned = err
	}
	for i, file := range files {
		if err := m.script(file, found[i]); err != nil {
			return errors.Join(unplanned, err)
		}
	}
	return unplanned
}

// initStore returns the test data directory that specs are created in: that of the flags, the one here, or a new one. One
// above is for a person to choose.
func (a *app) initStore() (string, error) {
	if a.dir != "" {
		return a.dir, nil
	}
	switch found := findStore(); {
	case found == "." || found == "testdata":
		return found, nil
	case found != "":
		return "", usage("%s has specs already; pass -C %s to add to them, or -C testdata to begin with others here", found, found)
	}
	return cmp.Or(os.Getenv("SCRIPTSPEC_DIR"), "testdata"), nil
}

// scriptsIn returns the Python files of a directory.
func scriptsIn(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, usage("%w; name a directory of scripts", err)
	}
	var files []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".py") && !e.IsDir() {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	if len(files) == 0 {
		return nil, &exit{exitNone, fmt.Errorf("no .py files in %s", dir)}
	}
	return files, nil
}

// maker creates the specs of scripts that were read.
type maker struct {
	app     *app
	st      *scriptspec.Store
	builder *scriptspec.SpecBuilder
	// By absolute path: the scripts, and those that have a spec.
	scripts   map[string]*scriptspec.ScriptInterface
	described map[string]bool
}

func (m *maker) note(format string, args ...any) {
	fmt.Fprintln(m.app.err, harmless(fmt.Sprintf(format, args...)))
}

// script creates the spec of a script that belongs to no node of the graph.
func (m *maker) script(file string, found *scriptspec.ScriptInterface) error {
	abs, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	script := scriptspec.ToSnakeCase(strings.TrimSuffix(filepath.Base(file), ".py"))
	switch {
	case m.described[abs]:
		return nil
	case found.Error != "":
		m.note("skipped %s: %s", file, found.Error)
		return nil
	case !found.HasMain && len(found.Flags) == 0:
		m.note("skipped %s: it has no main and no flags", file)
		return nil
	case !scriptspec.IsScriptName(script):
		m.note("skipped %s: its name cannot be turned into a script name", file)
		return nil
	}
	if there, err := m.st.LoadEnhanced(script); err == nil {
		if of := m.fileOf(there.ScriptPath); of != abs {
			m.note("skipped %s: %s already describes %s; rename one of the scripts", file, relativeHere(m.st.Path(script)), there.ScriptPath)
		}
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		m.note("skipped %s: %v", file, err)
		return nil
	}
	step := scriptspec.ToPascalCase(script)
	if other := m.builder.Scripts[step]; other != abs {
		m.note("skipped %s: it has the same name as %s; rename one of them", file, relativeHere(other))
		return nil
	}
	s, err := m.builder.SpecFromNode(step)
	if err != nil {
		return err
	}
	m.complete(s, found)
	return m.save(m.st.Path(script), s, m.st.Save)
}

// fileOf returns the file of a script path of the store.
func (m *maker) fileOf(path string) string {
	if !filepath.IsAbs(path) {
		path = filepath.Join(m.st.Base(), path)
	}
	return filepath.Clean(path)
}

// argument returns the job argument that a program gets as a flag, which argparse may keep by another name; "" if there is
// none.
func argument(f scriptspec.ScriptFlag) string {
	for _, name := range f.Names {
		if long, ok := strings.CutPrefix(name, "--"); ok {
			return long
		}
	}
	return ""
}

// complete gives a new spec the job arguments for which its script has a default, and notes those without one.
func (m *maker) complete(s *scriptspec.ScriptExecutionSpec, found *scriptspec.ScriptInterface) {
	s.SpecVersion = scriptspec.SpecVersion
	defaults := map[string]any{}
	for _, f := range found.Flags {
		value := f.Default
		if value == nil && len(f.Choices) > 0 {
			value = f.Choices[0]
		}
		defaults[f.Dest], defaults[argument(f)] = value, value // as a script reads it, and as a program is given it
	}
	needs := slices.Clone(found.JobArgs)
	for _, f := range found.Flags {
		switch name := argument(f); {
		case name == "" || !found.IsProgram():
		case f.Required:
			needs = append(needs, scriptspec.ScriptUse{Name: name, Required: true})
		case f.Default == nil || f.Takes == "none" && f.Default != false: // true would pass a flag that stands for false
		default:
			if _, given := s.JobArgs[name]; !given {
				s.AddJobArg(name, f.Default)
			}
		}
	}
	for _, use := range needs {
		if _, given := s.JobArgs[use.Name]; given {
			continue
		}
		value := use.Default
		if value == nil {
			value = defaults[use.Name]
		}
		if value != nil {
			s.AddJobArg(use.Name, value)
		} else if use.Required {
			m.note("%s: job_args.%s has no default; add a value to the spec", s.StepName, use.Name)
		}
	}
	if found.IsProgram() && !slices.Contains(m.app.settings.CommandLine, s.ScriptName) {
		m.note("%s is a command-line program: run it with --command-line %s, or list it under command_line in scriptspec.json", s.ScriptPath, s.ScriptName)
	}
}

func (m *maker) save(path string, s *scriptspec.ScriptExecutionSpec, save func(scriptspec.Spec) error) error {
	if err := save(s); err != nil {
		return err
	}
	m.described[m.fileOf(s.ScriptPath)] = true
	_, err := fmt.Fprintln(m.app.out, relativeHere(path))
	return err
}

// pipeline creates the specs of the nodes of a graph, and the pipeline. One that was saved may still have no plan, and be
// for a person to complete.
func (m *maker) pipeline(graph *scriptspec.DAG, name string) (saved bool, err error) {
	file := filepath.Join(filepath.Dir(m.st.Path("x")), name+"_pipeline_testing_spec.json")
	if _, err := os.Stat(file); err == nil {
		m.note("%s already exists; left unchanged", relativeHere(file))
		return true, nil
	}
	p, err := m.builder.FromDAG(graph)
	if err != nil {
		return false, &exit{exitNo, unresolved(err)}
	}
	p.Name, p.Refs = name, map[string]string{}
	for _, node := range graph.Nodes {
		s, ok := p.Specs[node].(*scriptspec.ScriptExecutionSpec)
		if !ok {
			continue // it has no script, or a spec that someone wrote
		}
		path := m.st.StepPath(node, s.ScriptName)
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			if found := m.scripts[m.fileOf(s.ScriptPath)]; found != nil {
				m.complete(s, found)
			}
			if err := m.save(path, s, m.st.SaveStep); err != nil {
				return false, err
			}
		}
		p.Refs[node] = s.ScriptName // its spec has a file
	}
	if err := m.st.SavePipeline(p); err != nil {
		return false, err
	}
	if _, err := fmt.Fprintln(m.app.out, relativeHere(file)); err != nil {
		return false, err
	}
	if _, err := p.Plan(nil); err != nil {
		return true, &exit{exitNo, err}
	}
	return true, nil
}

// unresolved says which files the nodes of a graph may have been meant for, if it is such a graph.
func unresolved(err error) error {
	text, _, _ := strings.Cut(err.Error(), "\nadd to SpecBuilder.Scripts") // which is for Go programs
	nodes, ok := err.(interface{ Unwrap() []error })                       //nolint:errorlint // as FromDAG returns it
	if !ok {
		return err
	}
	names := func(files []string) string {
		shown := make([]string, len(files))
		for i, file := range files {
			shown[i] = harmless(relativeHere(file))
		}
		return strings.Join(shown, ", ")
	}
	missing, several := false, false
	for _, err := range nodes.Unwrap() {
		if e, ok := errors.AsType[*scriptspec.NotFoundError](err); ok {
			missing = true
			if len(e.Suggestions) > 0 {
				text += "\nnearest to " + e.Node + ": " + names(e.Suggestions)
			}
		}
		if e, ok := errors.AsType[*scriptspec.AmbiguousError](err); ok {
			several = true
			text += "\nscripts that fit " + e.Node + ": " + names(e.Candidates)
		}
	}
	if missing {
		text += "\nrename the script to the node in snake_case, or the node to the script in PascalCase"
	}
	if several {
		text += "\nrename all but one of several scripts that fit"
	}
	return errors.New(text)
}

// writeOnce writes a file. An existing one is left alone: what it should contain is printed, unless it has the mark of that.
func (a *app) writeOnce(path, text, mark string) error {
	old, err := os.ReadFile(path)
	switch {
	case err == nil && (string(old) == text || strings.Contains(string(old), mark)):
		return nil
	case err == nil:
		fmt.Fprintf(a.out, "%s\n", text)
		return &exit{exitNo, fmt.Errorf("%s already exists without %s; add the lines above by hand", relativeHere(path), mark)}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if err := writeNew(path, []byte(text)); err != nil {
		return err
	}
	_, err = fmt.Fprintln(a.out, relativeHere(path))
	return err
}
