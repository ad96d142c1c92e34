package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/scriptspec/scriptspec"
	"github.com/spf13/cobra"
)

func (a *app) initCommand() *cobra.Command {
	var ci, editor, dag, name string
	cmd := &cobra.Command{
		Use: "init [DIRECTORY]", Short: "Make specs for the scripts of a directory, or set up CI and editors", Args: takes(cobra.MaximumNArgs(1)),
		Example: "  scriptspec init scripts\n  scriptspec init scripts --dag dag.json --name churn\n  scriptspec init --ci github --editor vscode",
		RunE: func(cmd *cobra.Command, args []string) error {
			if ci == "" && editor == "" && len(args) == 0 {
				return usage("name a directory with scripts, or --ci or --editor")
			}
			if len(args) == 1 {
				if err := a.initSpecs(cmd, args[0], dag, name); err != nil {
					return err
				}
			}
			if err := a.initCI(ci); err != nil {
				return err
			}
			return a.initEditor(editor)
		},
	}
	cmd.Flags().StringVar(&ci, "ci", "", "github, gitlab or pre-commit")
	cmd.Flags().StringVar(&editor, "editor", "", "vscode or jetbrains")
	cmd.Flags().StringVar(&dag, "dag", "", "make a pipeline of this graph (JSON) too")
	cmd.Flags().StringVar(&name, "name", "pipeline", "name of the pipeline")
	return cmd
}

// initSpecs makes a spec for each script that has none. What is there is not touched.
func (a *app) initSpecs(cmd *cobra.Command, dir, dag, name string) error {
	data := a.dir
	if data == "" {
		data = "testdata"
	}
	if err := os.MkdirAll(filepath.Join(data, ".specs"), 0o755); err != nil {
		return err
	}
	st, err := scriptspec.OpenStore(data, nil)
	if err != nil {
		return err
	}
	defer st.Close()
	files, err := filepath.Glob(filepath.Join(dir, "*.py"))
	if err != nil {
		return err
	}
	found, err := scriptspec.Inspect(cmd.Context(), files...)
	if err != nil {
		return err
	}
	for i, script := range found {
		stem := strings.TrimSuffix(filepath.Base(files[i]), ".py")
		switch {
		case script.Error != "":
			fmt.Fprintf(a.err, "%s: left out: %s\n", files[i], harmless(script.Error))
			continue
		case !script.HasMain && len(script.Flags) == 0:
			fmt.Fprintf(a.err, "%s: left out: it has no main and reads no flags\n", files[i])
			continue
		case !scriptspec.IsScriptName(scriptspec.ToSnakeCase(stem)):
			fmt.Fprintf(a.err, "%s: left out: its name makes no script name\n", files[i])
			continue
		}
		s, err := a.fromScript(cmd, st, files[i], "")
		if err != nil {
			return err
		}
		b := s.Basic()
		if _, err := os.Stat(st.Path(b.ScriptName)); err == nil {
			continue
		}
		if err := st.Save(s); err != nil {
			return &exit{exitNo, err}
		}
		fmt.Fprintln(a.out, st.Path(b.ScriptName))
		if script.HasMain {
			continue
		}
		fmt.Fprintf(a.err, "%s: a program, which is run if RuntimeTester.CommandLine names it\n", files[i])
	}
	if dag == "" {
		return nil
	}
	graph, err := scriptspec.LoadDAG(dag)
	if err != nil {
		return &exit{exitNo, err}
	}
	p, err := (&scriptspec.SpecBuilder{Store: st, ScriptDirs: []string{dir}, Python: a.python}).FromDAG(graph)
	if err != nil {
		return &exit{exitNo, err}
	}
	p.Name, p.Refs = name, map[string]string{}
	for node, s := range p.Specs {
		if script := s.Basic().ScriptName; node == scriptspec.ToPascalCase(script) {
			p.Refs[node] = script // its spec has a file of its own
		}
	}
	if plan, err := p.Plan(nil); plan != nil && err != nil {
		fmt.Fprintln(a.err, harmlessLines(err.Error()))
	}
	if err := st.SavePipeline(p); err != nil {
		return &exit{exitNo, err}
	}
	_, err = fmt.Fprintln(a.out, filepath.Join(filepath.Dir(st.Path("x")), name+"_pipeline_testing_spec.json"))
	return err
}

func harmlessLines(text string) string {
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		lines = append(lines, harmless(line))
	}
	return strings.Join(lines, "\n")
}

// files of CI systems. They are written where there is none.
var ciFiles = map[string][2]string{
	"github": {".github/workflows/scriptspec.yml", `name: scriptspec
on: [push, pull_request]
jobs:
  specs:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-go@v5
        with: {go-version: stable}
      - uses: actions/setup-python@v5
        with: {python-version: "3.x"}
      - run: go install github.com/scriptspec/scriptspec/cmd/scriptspec@latest
      - run: scriptspec lint --scripts --format github --format sarif=lint.sarif
      - run: scriptspec render --check
      - run: scriptspec run --format github --format junit=junit.xml --format html=report.html --format markdown=summary
      - uses: actions/upload-artifact@v4
        if: always()
        with: {name: scriptspec, path: "lint.sarif\njunit.xml\nreport.html"}
`},
	"gitlab": {".gitlab-ci.yml", `scriptspec:
  image: golang:latest
  script:
    - apt-get update && apt-get install -y python3
    - go install github.com/scriptspec/scriptspec/cmd/scriptspec@latest
    - scriptspec lint --scripts
    - scriptspec render --check
    - scriptspec run --format text --format junit=junit.xml
  artifacts:
    reports: {junit: junit.xml}
`},
	"pre-commit": {".pre-commit-config.yaml", `repos:
  - repo: https://github.com/scriptspec/scriptspec
    rev: main
    hooks: [{id: scriptspec-lint}]
`},
}

func (a *app) initCI(kind string) error {
	if kind == "" {
		return nil
	}
	file, ok := ciFiles[kind]
	if !ok {
		return usage("--ci %s: there is %s", kind, strings.Join(sortedNames(ciFiles), ", "))
	}
	return a.writeOnce(file[0], []byte(file[1]))
}

// writeOnce writes a file. One that is there and says something else is left alone, and what was to be in it shown.
func (a *app) writeOnce(path string, text []byte) error {
	old, err := os.ReadFile(path)
	switch {
	case err == nil && bytes.Equal(old, text):
		return nil
	case err == nil:
		fmt.Fprintf(a.out, "%s\n", text)
		return &exit{exitNo, fmt.Errorf("%s is there already; put in what it lacks, which is printed above", path)}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if err := writeNew(path, text, false); err != nil {
		return err
	}
	_, err = fmt.Fprintln(a.out, path)
	return err
}
