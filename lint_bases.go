package scriptspec

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// sources looks at what specs are made of: bases, with those that they extend, and the store's own templates.
func (l *linter) sources() error {
	names, err := l.files.Names()
	if err != nil {
		return atPath("lint", err, l.st.specs)
	}
	isBase := func(file string) bool { return strings.HasSuffix(file, baseFileSuffix) }
	names = slices.DeleteFunc(names, func(file string) bool { return !isBase(file) })
	for _, file := range l.withTexts(names, isBase) {
		name := strings.TrimSuffix(file, baseFileSuffix)
		if !IsScriptName(name) {
			continue
		}
		l.result.Files = append(l.result.Files, l.path(file))
		text, err := l.read(file)
		if err != nil {
			l.failure(l.path(file), nil, err)
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
	var names []string
	if dir, err := l.st.openTemplates(); err == nil {
		names, err = dir.Names()
		if err := errors.Join(err, dir.Close()); err != nil {
			return fmt.Errorf("lint: %w", err)
		}
	}
	for i, file := range names {
		names[i] = templateDir + "/" + file
	}
	for _, file := range l.withTexts(names, func(name string) bool { return strings.HasPrefix(name, templateDir+"/") }) {
		name, ok := strings.CutSuffix(strings.TrimPrefix(file, templateDir+"/"), ".json")
		if !ok || !IsScriptName(name) {
			continue
		}
		path := l.path(filepath.FromSlash(file))
		l.result.Files = append(l.result.Files, path)
		var err error
		if text, given := l.o.Texts[file]; given {
			_, err = decodeTemplate(text, path, name)
		} else {
			_, err = l.st.LoadTemplate(name)
		}
		if err != nil {
			l.failure(path, nil, err)
		}
	}
	return nil
}
