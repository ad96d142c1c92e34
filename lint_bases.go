package scriptspec

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// sources looks at what specs are made of: bases, with those that they extend, and the store's own templates.
func (l *linter) sources() error {
	names, err := l.files.Names()
	if err != nil {
		return atPath("lint", err, l.st.specs)
	}
	for _, file := range names {
		name, isBase := strings.CutSuffix(file, baseFileSuffix)
		if !isBase || !IsScriptName(name) {
			continue
		}
		l.result.Files = append(l.result.Files, l.path(file))
		text, _, err := l.files.Read(file, maxSpecFile, nil)
		if err != nil {
			l.failure(l.path(file), nil, readError(err, l.path(file)))
			continue
		}
		b, err := decodeBase(text, l.path(file), name)
		if err != nil {
			l.failure(l.path(file), text, err)
			continue
		}
		l.extended(b, text)
	}
	return l.templates()
}

// extended looks at the bases that a base extends. What is wrong with what they extend in turn is said of their own files,
// but for a circle, which is said of each base in it.
func (l *linter) extended(b *Base, text []byte) {
	_, errs := l.st.layers([]string{b.Name}, false)
	for _, fe := range errs {
		path, own := strings.CutPrefix(fe.Path, "extends[0]: "+b.Name+": ")
		if path, _, deeper := strings.Cut(path, ":"); own && (!deeper || fe.Code == CodeBaseCycle && strings.Contains(fe.Message, " "+b.Name+" ")) {
			f := Finding{File: l.path(b.Name + baseFileSuffix), Path: path, Severity: SeverityError, Code: fe.Code, Message: fe.Message, Hint: fe.Hint}
			f.locate(text, path)
			l.add(f)
		}
	}
}

func (l *linter) templates() error {
	dir, err := l.st.openTemplates()
	if err != nil {
		return nil //nolint:nilerr // there are none
	}
	names, err := dir.Names()
	if err := errors.Join(err, dir.Close()); err != nil {
		return fmt.Errorf("lint: %w", err)
	}
	for _, file := range names {
		name, ok := strings.CutSuffix(file, ".json")
		if !ok || !IsScriptName(name) {
			continue
		}
		path := l.path(filepath.Join(templateDir, file))
		l.result.Files = append(l.result.Files, path)
		if _, err := l.st.LoadTemplate(name); err != nil {
			l.failure(path, nil, err)
		}
	}
	return nil
}
