package scriptspec

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// WriteDocs writes a page for each selected spec to a directory, which it creates: <step_name>.md, or <step_name>-<script_name>.md
// where two specs have one step. Files that already have that text are left alone. It returns the files that it has
// written. The error is that of the selection, of specs that cannot be loaded, or of the system.
func (st *Store) WriteDocs(ctx context.Context, dir string, sel *Selector) (written []string, err error) {
	var specs []Spec
	var errs []error
	for s, err := range st.Select(ctx, sel) {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		specs = append(specs, s)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	names := pageNames(specs)
	for i, s := range specs {
		var page bytes.Buffer
		if err := WriteSpecMarkdown(&page, s); err != nil {
			return written, err
		}
		file := filepath.Join(dir, names[i]+".md")
		old, err := os.ReadFile(file)
		if err == nil && bytes.Equal(old, page.Bytes()) {
			continue
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return written, err
		}
		if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(file, page.Bytes(), 0o644)); err != nil {
			return written, err
		}
		written = append(written, file)
	}
	return written, nil
}

// pageNames returns a file name for the page of each spec, distinct even if case is ignored. Where the step's name is not
// valid, and might lead out of the directory, it is that of the script.
func pageNames(specs []Spec) []string {
	steps, taken := map[string]int{}, map[string]int{}
	for _, s := range specs {
		steps[strings.ToLower(*s.common().stepName)]++
	}
	names := make([]string, len(specs))
	for i, s := range specs {
		name, script := *s.common().stepName, *s.common().scriptName
		if _, err := ParseStepName(name); err != nil {
			name = script
		} else if steps[strings.ToLower(name)] > 1 {
			name += "-" + script
		}
		if taken[strings.ToLower(name)]++; taken[strings.ToLower(name)] > 1 {
			name += "-" + strconv.Itoa(taken[strings.ToLower(name)])
		}
		names[i] = name
	}
	return names
}

// WriteSpecMarkdown writes a page that describes a spec: what it is for, its script, inputs, outputs, parameters and examples.
// Values of variables and secret job arguments are not shown. Texts of the spec are text in it, and not markup.
func WriteSpecMarkdown(w io.Writer, s Spec) error {
	if isNil(s) {
		return validateRules(s)
	}
	var b strings.Builder
	basic := s.Basic().Redacted()
	fmt.Fprintf(&b, "# %s\n\n", markdownText(basic.StepName))
	if basic.Description != "" {
		b.WriteString(markdownText(basic.Description) + "\n\n")
	}
	fmt.Fprintf(&b, "Script: %s\n", markdownCode(basic.ScriptPath))
	if len(basic.Tags) > 0 {
		fmt.Fprintf(&b, "Tags: %s\n", markdownText(strings.Join(basic.Tags, ", ")))
	}
	list := func(title string, names []string, value func(name string) string) {
		if len(names) > 0 {
			fmt.Fprintf(&b, "\n## %s\n\n", title)
		}
		for _, name := range names {
			fmt.Fprintf(&b, "- %s", markdownCode(name))
			if value != nil {
				fmt.Fprintf(&b, ": %s", markdownCode(value(name)))
			}
			b.WriteByte('\n')
		}
	}
	list("Inputs", sortedKeys(basic.InputPaths), func(name string) string { return basic.InputPaths[name] })
	list("Outputs", sortedKeys(basic.OutputPaths), func(name string) string { return basic.OutputPaths[name] })
	list("Environment variables", sortedKeys(basic.EnvironVars), nil)
	list("Job arguments", sortedKeys(basic.JobArgs), func(name string) string {
		text, _ := json.Marshal(basic.JobArgs[name]) // a spec has only what JSON has
		return string(text)
	})
	list("Depends on", slices.Concat(basic.DependsOn.Steps, basic.DependsOn.Files), nil)
	for _, e := range basic.Examples {
		fmt.Fprintf(&b, "\n## Example %s\n\n%s\n", markdownText(e.Name), markdownText(e.Description))
	}
	b.WriteByte('\n')
	_, err := io.WriteString(w, b.String())
	return err
}

// markdownText makes a text one that Markdown shows as it is, and in which no line is a command of a CI system.
func markdownText(text string) string {
	var b strings.Builder
	for i, line := range strings.Split(text, "\n") {
		if i > 0 {
			b.WriteByte('\n')
		}
		for _, r := range printable(line) {
			if strings.ContainsRune("\\`*_{}[]()#+-.!|<>&~=:$^@", r) {
				b.WriteByte('\\')
			}
			b.WriteRune(r)
		}
	}
	return b.String()
}

// markdownCode makes a text a span of code.
func markdownCode(text string) string {
	fence := "`"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	text = printable(text)
	if strings.HasPrefix(text, "`") || strings.HasSuffix(text, "`") || text == "" {
		text = " " + text + " "
	}
	return fence + text + fence
}
