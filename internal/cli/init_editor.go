package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// editorFiles are which files have which schema.
var editorFiles = []struct{ pattern, schema string }{
	{"*_runtime_test_spec.json", "spec"}, {"*_pipeline_testing_spec.json", "pipeline"}, {"*_spec_base.json", "base"},
}

var editors = []string{"jetbrains", "vscode"}

func (a *app) initEditor(kind string) error {
	switch kind {
	case "vscode":
		if err := writeSchemas(filepath.Join(".vscode", "scriptspec")); err != nil {
			return err
		}
		return a.initVSCode()
	case "jetbrains":
		if err := writeSchemas(filepath.Join(".idea", "scriptspec")); err != nil {
			return err
		}
		var b strings.Builder
		b.WriteString("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<project version=\"4\">\n  <component name=\"JsonSchemaMappingsProjectConfiguration\">\n    <state>\n      <map>\n")
		for _, f := range editorFiles {
			fmt.Fprintf(&b, `        <entry key="scriptspec %[1]s"><value><SchemaInfo>
          <option name="name" value="scriptspec %[1]s" /><option name="relativePathToSchema" value=".idea/scriptspec/%[1]s.schema.json" />
          <option name="patterns"><list><Item><option name="pattern" value="true" /><option name="path" value="%[2]s" /><option name="mappingKind" value="Pattern" /></Item></list></option>
        </SchemaInfo></value></entry>
`, f.schema, f.pattern)
		}
		b.WriteString("      </map>\n    </state>\n  </component>\n</project>\n")
		return a.writeOnce(filepath.Join(".idea", "jsonSchemas.xml"), b.String(), "scriptspec/spec.schema.json")
	}
	return nil
}

// The lines of lint and run in the form gnu, as VS Code finds problems in what a task prints.
const gnuLine = `^(.+?):(\d+):(\d+): (error|warning|note): (.*) \[([a-z_]+)\]$`

// initVSCode adds the schemas to the settings of a workspace, and tasks whose findings are shown as problems.
func (a *app) initVSCode() error {
	var schemas, tasks []any
	for _, f := range editorFiles {
		schemas = append(schemas, map[string]any{"fileMatch": []string{"**/.specs/" + f.pattern}, "url": "./.vscode/scriptspec/" + f.schema + ".schema.json"})
	}
	for _, task := range [][2]string{{"lint", ""}, {"run", " --without-pipelines"}} { // in a pipeline inputs are made as it runs
		tasks = append(tasks, map[string]any{
			"label": "scriptspec " + task[0], "type": "shell", "command": "scriptspec " + task[0] + task[1] + " --format gnu", "group": "test",
			"problemMatcher": map[string]any{
				"owner": "scriptspec", "fileLocation": []string{"autoDetect", "${workspaceFolder}"}, "severity": "info",
				"pattern": map[string]any{"regexp": gnuLine, "file": 1, "line": 2, "column": 3, "severity": 4, "message": 5, "code": 6},
			},
		})
	}
	same := func(member string) func(old, ours json.RawMessage) bool {
		return func(old, ours json.RawMessage) bool {
			var a, b map[string]any
			return json.Unmarshal(old, &a) == nil && json.Unmarshal(ours, &b) == nil && fmt.Sprint(a[member]) == fmt.Sprint(b[member])
		}
	}
	return errors.Join(
		a.mergeList(filepath.Join(".vscode", "settings.json"), "json.schemas", schemas, nil, same("fileMatch")),
		a.mergeList(filepath.Join(".vscode", "tasks.json"), "tasks", tasks, map[string]any{"version": "2.0.0"}, same("label")))
}

// mergeList adds what is missing to a list in a file of settings, which has the given members if it is new. Everything else
// in the file stays as it is, comments included. If the file cannot be read, what it lacks is printed.
func (a *app) mergeList(path, member string, ours []any, first map[string]any, same func(old, ours json.RawMessage) bool) error {
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if trimmed := string(bytes.TrimSpace(text)); trimmed == "" || trimmed == "null" {
		text = []byte("{}\n")
	}
	settings, err := parseJSONC(text)
	for _, name := range sortedNames(first) {
		if err == nil && len(settings.members) == 0 {
			text, err = settings.with(name, first[name])
		}
		if err == nil {
			settings, err = parseJSONC(text)
		}
	}
	var all []json.RawMessage
	if err == nil {
		if at, ok := settings.members[member]; ok {
			err = json.Unmarshal(settings.plain[at.start:at.end], &all)
		}
	}
	if err != nil {
		text, _ := json.MarshalIndent(map[string]any{member: ours}, "", "  ") // it was made here
		fmt.Fprintf(a.out, "%s\n", text)
		return &exit{exitNo, fmt.Errorf("%s: %w; add the lines above by hand", path, err)}
	}
	var missing []any
	for _, item := range ours {
		text, _ := json.Marshal(item) // it was made here
		if !slices.ContainsFunc(all, func(old json.RawMessage) bool { return same(old, text) }) {
			missing = append(missing, item)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if at, ok := settings.members[member]; ok {
		text, err = settings.insert(at, missing, "")
	} else {
		text, err = settings.with(member, missing)
	}
	if err != nil {
		return err
	}
	if err := replaceFile(path, text); err != nil {
		return err
	}
	_, err = fmt.Fprintln(a.out, path)
	return err
}
