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
		Long: `Create specs for a directory of scripts, or set up CI and editors.

Existing files are left alone, and what is new in a graph is for you to add to its pipeline. What new specs and a new pipeline still
lack is said, and no failure: lint and plan fail until it is there.`,
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
	cmd.Flags().StringVar(&dag, "dag", "", "also create a pipeline from this graph (JSON)")
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
	m := &maker{app: a, st: st, scripts: map[string]*scriptspec.ScriptInterface{}, saved: map[string]bool{}}
	m.builder = &scriptspec.SpecBuilder{Store: st, ScriptDirs: []string{dir}, Python: a.python}
	proposals, err := m.builder.FromScripts(cmd.Context(), files...)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(data, ".specs"), dirMode); err != nil { // nothing is made before
		return err
	}
	for _, p := range proposals {
		abs, err := filepath.Abs(p.Script.Path)
		if err != nil {
			return err
		}
		m.scripts[abs] = p.Script
	}
	if graph != nil {
		if err := m.pipeline(graph, name); err != nil {
			return err
		}
	}
	for _, p := range proposals {
		if err := m.script(p); err != nil {
			return err
		}
	}
	if below := m.unseen(foldersBelow(dir)); len(below) > 0 {
		m.note("not looked into: %s; call scriptspec init for each that has scripts", strings.Join(below, ", "))
	}
	return m.listPrograms(filepath.Join(data, ".specs", settingsFile))
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

// pipeline creates the specs of the nodes of a graph, and the pipeline. What it lacks to be run is for a person to add, as what
// specs lack is, and no failure.
func (m *maker) pipeline(graph *scriptspec.DAG, name string) error {
	file := filepath.Join(filepath.Dir(m.st.Path("x")), name+"_pipeline_testing_spec.json")
	if _, err := os.Stat(file); err == nil {
		m.note("%s already exists; left unchanged%s", relativeHere(file), m.otherGraph(graph, name))
		return nil
	}
	p, err := m.builder.FromDAG(graph)
	if err != nil {
		return &exit{exitNo, unresolved(err)}
	}
	p.Name, p.Refs = name, map[string]string{}
	for _, node := range graph.Nodes {
		s, ok := p.Specs[node].(*scriptspec.ScriptExecutionSpec)
		if !ok {
			continue // it has no script, or a spec that someone wrote
		}
		path := m.st.StepPath(node, s.ScriptName)
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			if err := m.save(path, s, m.st.SaveStep); err != nil {
				return err
			}
		}
		p.Refs[node] = s.ScriptName // its spec has a file
	}
	if err := m.st.SavePipeline(p); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(m.app.out, relativeHere(file)); err != nil {
		return err
	}
	plan, err := p.Plan(nil)
	if plan != nil {
		for _, n := range plan.Nodes {
			if s := p.Specs[n.Node]; s != nil {
				m.noteInputs(n.Node, s.Basic(), n.FromSpec)
			}
		}
	}
	if err != nil {
		for line := range strings.SplitSeq("to be completed before it can be run: "+err.Error(), "\n") {
			m.note("%s", line)
		}
	}
	return nil
}

// otherGraph says how the graph of a pipeline that is there becomes another one, "" if it is the same.
func (m *maker) otherGraph(graph *scriptspec.DAG, name string) string {
	p, err := m.st.LoadPipeline(name)
	if err != nil || p.DAG == nil {
		return "" // which lint says
	}
	edges := func(all [][2]string) []string {
		texts := make([]string, len(all))
		for i, e := range all {
			texts[i] = e[0] + " -> " + e[1]
		}
		return texts
	}
	without := func(all, known []string) []string {
		return slices.DeleteFunc(slices.Clone(all), func(text string) bool { return slices.Contains(known, text) })
	}
	added := slices.Concat(without(graph.Nodes, p.DAG.Nodes), without(edges(graph.Edges), edges(p.DAG.Edges)))
	gone := slices.Concat(without(p.DAG.Nodes, graph.Nodes), without(edges(p.DAG.Edges), edges(graph.Edges)))
	switch {
	case len(added) > 0:
		return ", without " + strings.Join(added, ", ") + ": add what is new to dag and specs there, or remove the file and call scriptspec init again, which keeps the specs"
	case len(gone) > 0:
		return ", with " + strings.Join(gone, ", ") + ": take that out of dag and specs there, or remove the file and call scriptspec init again, which keeps the specs"
	}
	return ""
}

// unresolved says which files the nodes of a graph may have been meant for, if it is such a graph.
func unresolved(err error) error {
	text, _, _ := strings.Cut(err.Error(), "\nadd to SpecBuilder.Scripts") // which is for Go programs
	nodes, ok := err.(interface{ Unwrap() []error })                       // as FromDAG returns it
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
		fmt.Fprintf(a.err, "%s already exists; left unchanged\n", harmless(relativeHere(path)))
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
