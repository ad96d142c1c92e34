package scriptspec

import (
	"context"
	"slices"

	"github.com/scriptspec/scriptspec/internal/githead"
	"github.com/scriptspec/scriptspec/internal/strictjson"
)

// rewritten finds specs without a version whose last commit has one: a program that knows the members of version 1 alone
// has dropped all others together. Nothing else keeps a copy of them.
func (l *linter) rewritten(ctx context.Context) {
	var names []string
	for _, s := range l.specs {
		if s.spec.common().meta.SpecVersion == 0 {
			names = append(names, s.file)
		}
	}
	committed := githead.Files(ctx, l.st.specs, names, maxSpecFile)
	for i := range l.specs {
		s := &l.specs[i]
		dropped := droppedMembers(committed[s.file], s.text)
		if len(dropped) == 0 {
			continue
		}
		list := make([]string, len(dropped))
		for i, d := range dropped {
			list[i] = d.name
		}
		finding := len(l.result.Findings)
		l.at(*s, "", SeverityWarning, CodeRewritten, "lost "+listed(list)+", which the last commit has: it was rewritten by a program that knows only version 1",
			"a fix restores them; or commit the file without them")
		if _, given := l.o.Texts[s.file]; given || !l.o.Fix {
			continue
		}
		if err := l.putBack(ctx, s, dropped); err != nil {
			l.failure(l.path(s.file), nil, err)
			continue
		}
		l.result.Findings[finding].Fixed = true
	}
}

// droppedMember is a member that a file had, with the text of its value.
type droppedMember struct {
	name  string
	value []byte
}

// droppedMembers returns the members beyond those of version 1 that the committed text has and the present one has not, in
// the order of the committed text; none if that is of version 1 as well.
func droppedMembers(committed, present []byte) []droppedMember {
	old, err := decode(committed, "", false)
	if err != nil || old.common().meta.SpecVersion == 0 {
		return nil
	}
	var first []string // the members of version 1, of which the original knows all but path specs
	for f := range fieldVersion {
		if f != fieldSchema {
			first = append(first, fields[f].name)
		}
	}
	now := objectOfJSON(present)
	dropped := droppedSpecs(old, present)
	for _, name := range memberNames(committed) {
		if _, kept := now[name]; kept || slices.Contains(first, name) {
			continue
		}
		start, end, _ := strictjson.Span(committed, []strictjson.Step{{Name: &name}}) // it is one of its names
		dropped = append(dropped, droppedMember{name, committed[start:end]})
	}
	return dropped
}

// droppedSpecs returns the path specs that a basic spec has lost, with the paths that it has now.
func droppedSpecs(old Spec, present []byte) (dropped []droppedMember) {
	was, enhanced := old.self().(*EnhancedScriptExecutionSpec)
	s, err := decode(present, "", false)
	if err != nil || !enhanced {
		return nil
	}
	now, basic := s.self().(*ScriptExecutionSpec)
	if !basic {
		return nil
	}
	for _, side := range []struct {
		field field
		specs map[string]PathSpec
		paths map[string]string
	}{{fieldInputSpecs, was.InputPathSpecs, now.InputPaths}, {fieldOutputSpecs, was.OutputPathSpecs, now.OutputPaths}} {
		specs := map[string]any{}
		for name, path := range side.paths {
			p, known := side.specs[name]
			if !known {
				p = PathSpec{LogicalName: name}
			}
			specs[name] = map[string]any{"logical_name": p.LogicalName, "path": path, "aliases": orNone(p.Aliases)}
		}
		w := strictjson.Writer{Compact: true}
		if err := w.Value(specs); err == nil && len(side.specs) > 0 {
			dropped = append(dropped, droppedMember{fields[side.field].name, w.Buf})
		}
	}
	return dropped
}

// memberNames returns the names of an object's members in their order.
func memberNames(text []byte) []string {
	var r strictjson.Reader
	r.Reset(text)
	var names []string
	r.Object()
	for name, more := r.Name(); more; name, more = r.Name() {
		names = append(names, r.Text(name))
		r.Skip()
	}
	return names
}

// putBack writes a file with the members that it had. What is in it now stays as it is.
func (l *linter) putBack(ctx context.Context, s *lintedSpec, dropped []droppedMember) error {
	text := s.text
	for _, d := range dropped {
		text = withMember(text, d.name, d.value)
	}
	return l.replace(ctx, s, text)
}
