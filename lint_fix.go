package scriptspec

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/scriptspec/scriptspec/internal/similarity"
	"github.com/scriptspec/scriptspec/internal/strictjson"
)

// repair is a change of a spec's text that mends a finding.
type repair struct {
	finding    Finding
	start, end int64
	text       string
}

// mend repairs in the texts of specs what has one right answer, and notes each repair as a finding that is fixed. What it
// leaves is for the rules that follow.
func (l *linter) mend(ctx context.Context) {
	if !l.o.Fix {
		return
	}
	for i := range l.specs {
		s := &l.specs[i]
		if _, given := l.o.Texts[s.file]; given || newerError(s.spec) != nil {
			continue
		}
		repairs := slices.Concat(l.misspelt(s), l.moved(s))
		if len(repairs) == 0 {
			continue
		}
		l.save(ctx, s, apply(s.text, repairs), repairs)
	}
}

// save gives a spec the text that some repairs have made of its own, notes these, and reports whether that went well.
func (l *linter) save(ctx context.Context, s *lintedSpec, text []byte, repairs []repair) bool {
	before := *s
	if err := l.replace(ctx, s, text); err != nil {
		l.failure(l.path(s.file), nil, err)
		return false
	}
	for _, r := range repairs {
		f := r.finding
		f.File, f.Fixed = l.path(before.file), true
		f.locate(before.text, f.Path)
		l.add(f)
	}
	return true
}

// apply makes the changes of some repairs that do not overlap, the last one first.
func apply(text []byte, repairs []repair) []byte {
	repairs = slices.SortedFunc(slices.Values(repairs), func(a, b repair) int { return cmp.Compare(b.start, a.start) })
	for _, r := range repairs {
		text = slices.Concat(text[:r.start], []byte(r.text), text[r.end:])
	}
	return text
}

// replace writes the text of a spec in the place of the one that was looked at.
func (l *linter) replace(ctx context.Context, s *lintedSpec, text []byte) error {
	spec, err := decode(text, l.path(s.file), false)
	if err != nil && s.spec != nil {
		return err // what can be loaded stays so
	}
	unlock, err := l.st.lock(ctx, l.files)
	if err != nil {
		return atPath("lint", err, l.path(s.file))
	}
	defer unlock()
	now, _, err := l.files.Read(s.file, maxSpecFile, nil)
	if err != nil {
		return readError(err, l.path(s.file))
	}
	if !bytes.Equal(now, s.text) {
		return fileError(l.path(s.file), "was changed while it was being linted; run lint again", nil)
	}
	if err := l.files.Write(s.file, text, l.st.fileMode, nil); err != nil {
		return atPath("lint", err, l.path(s.file))
	}
	s.text, s.spec = text, spec
	delete(l.members, s.file)
	return nil
}

// misspelt renames unknown members of which only one known name is near, if the spec does not have that one and takes the
// value for it.
func (l *linter) misspelt(s *lintedSpec) (repairs []repair) {
	layout, v := layoutOf(s.spec)
	members := strictjson.Members(s.text)
	meant := map[string]int{}
	for _, name := range sortedKeys(*layout.extraOf(v)) {
		if isOwnMember(name) {
			continue
		}
		near := similarity.Typo(layout.names, name, ToSnakeCase(name))
		if _, taken := members[near]; near == "" || taken {
			continue
		}
		start, end, found := nameBefore(s.text, name, members[name][0])
		if !found {
			continue
		}
		r := repair{Finding{Path: name, Severity: SeverityWarning, Code: CodeUnknownMember, Message: "unknown member", Hint: "renamed to " + near}, start, end, string(quote(near))}
		if l.breaks(s, apply(s.text, []repair{r})) {
			continue
		}
		meant[near]++
		repairs = append(repairs, r)
	}
	return slices.DeleteFunc(repairs, func(r repair) bool { return meant[strings.Trim(r.text, `"`)] > 1 })
}

// nameBefore returns where the name of a member is, of which the value begins at an offset.
func nameBefore(text []byte, name string, value int64) (start, end int64, found bool) {
	head, isMember := bytes.CutSuffix(bytes.TrimRight(text[:value], " \t\r\n"), []byte(":"))
	head = bytes.TrimRight(head, " \t\r\n")
	quoted := []byte(quote(name))
	found = isMember && bytes.HasSuffix(head, quoted) // else it is written with escapes
	return int64(len(head) - len(quoted)), int64(len(head)), found
}

// breaks reports whether a text is not a spec, or has problems that the present one does not have.
func (l *linter) breaks(s *lintedSpec, text []byte) bool {
	spec, err := decode(text, "", false)
	if err != nil {
		return true
	}
	known := fieldErrors(s.spec.Validate())
	return slices.ContainsFunc(fieldErrors(spec.Validate()), func(fe *FieldError) bool {
		return !slices.ContainsFunc(known, func(old *FieldError) bool { return old.Path == fe.Path && old.Code == fe.Code })
	})
}

// mended repairs what it can of what keeps a file from being a spec, and returns what still does, nil if nothing: tags become
// lower case, and what a list has twice, also by that, is taken out.
func (l *linter) mended(ctx context.Context, s *lintedSpec, err error) error {
	if _, given := l.o.Texts[s.file]; given || !l.o.Fix || errors.Is(err, ErrCorrupt) {
		return err
	}
	text, problems, left := s.text, decodeProblems(err), err
	var repairs []repair
	for _, repairOf := range []func([]byte, *DecodeError) (repair, bool){inLowerCase, onlyOnce} {
		made := repairsOf(text, problems, repairOf)
		text = apply(text, made)
		repairs = append(repairs, made...)
		_, left = decode(text, l.path(s.file), false)
		problems = decodeProblems(left)
	}
	if len(repairs) == 0 || !l.save(ctx, s, text, repairs) {
		return err
	}
	return left
}

// decodeProblems returns the problems of a text, as decode has them.
func decodeProblems(err error) decodeErrors {
	switch err := err.(type) { //nolint:errorlint // as decode returns it
	case decodeErrors:
		return err
	case *DecodeError:
		return decodeErrors{err}
	}
	return nil
}

// repairsOf returns the repairs of one kind for problems that keep a text from being a spec.
func repairsOf(text []byte, problems []*DecodeError, of func([]byte, *DecodeError) (repair, bool)) (repairs []repair) {
	for _, e := range problems {
		if r, ok := of(text, e); ok {
			r.finding.Path, r.finding.Severity, r.finding.Code, r.finding.Message = e.Path, SeverityError, codeOf(e), e.Message
			repairs = append(repairs, r)
		}
	}
	return repairs
}

// item returns the path of an item of a list that a problem is about, and where it is in the text.
func item(text []byte, e *DecodeError) (steps []strictjson.Step, start, end int64, ok bool) {
	steps = stepsOf(e.Path)
	start, end, ok = strictjson.Span(text, steps)
	return steps, start, end, ok && len(steps) > 1 && steps[len(steps)-1].Name == nil
}

// inLowerCase returns the repair of a tag that is none because of its upper-case letters.
func inLowerCase(text []byte, e *DecodeError) (r repair, ok bool) {
	steps, start, end, ok := item(text, e)
	var tag string
	if !ok || *steps[0].Name != fields[fieldTags].name || json.Unmarshal(text[start:end], &tag) != nil {
		return r, false
	}
	lower := strings.ToLower(tag)
	return repair{Finding{Hint: "now " + lower}, start, end, string(quote(lower))}, lower != tag && tagRules.broken(lower, always) == nil
}

// onlyOnce returns the repair of what a list has twice: it is taken out, with the comma before it.
func onlyOnce(text []byte, e *DecodeError) (r repair, ok bool) {
	steps, _, end, ok := item(text, e)
	if !ok || codeOf(e) != CodeDuplicate || steps[len(steps)-1].Index == 0 {
		return r, false
	}
	steps[len(steps)-1].Index--
	_, start, ok := strictjson.Span(text, steps)
	return repair{Finding{Hint: "removed"}, start, end, ""}, ok
}

// moved gives a spec the path of its script if that is not where the spec says and one file of that name is elsewhere.
func (l *linter) moved(s *lintedSpec) []repair {
	written := *s.spec.common().scriptPath
	resolved, errs := pathResolver{base: l.st.base, vars: l.o.PathVars}.resolve(s.spec)
	if len(errs) > 0 || strings.Contains(written, "${") {
		return nil
	}
	missing := scriptErrors(resolved, checkPath)
	if len(missing) == 0 || missing[0].Code != CodeNotExist {
		return nil
	}
	found := l.scriptFiles()[filepath.Base(*resolved.common().scriptPath)]
	start, end, ok := strictjson.Span(s.text, stepsOf("script_path"))
	if len(found) != 1 || !ok {
		return nil
	}
	path := found[0]
	if !filepath.IsAbs(written) {
		if rel, err := filepath.Rel(l.scriptBase(), path); err == nil {
			path = filepath.ToSlash(rel)
		}
	}
	f := Finding{Path: "script_path", Severity: SeverityError, Code: CodeNotExist, Message: missing[0].Message, Hint: "now " + strconv.Quote(printable(path)) + ", the only file of that name"}
	return []repair{{f, start, end, string(quote(path))}}
}

// scriptBase returns the directory that relative paths of specs count from.
func (l *linter) scriptBase() string {
	dir, err := filepath.Abs(l.st.base) // "" is the working directory
	if err != nil {
		return l.st.base
	}
	return dir
}

// maxScriptSearch bounds the entries of directories that are looked at for scripts that have moved.
const maxScriptSearch = 20_000

// scriptFiles returns the Python files below LintOptions.ScriptDirs by name, without those of virtual environments and hidden
// directories; none if there are too many, for then nobody knows whether one is the only one.
func (l *linter) scriptFiles() map[string][]string {
	if l.pythonFiles != nil {
		return l.pythonFiles
	}
	dirs := slices.Clone(l.o.ScriptDirs)
	if len(dirs) == 0 {
		dirs = []string{"."}
	}
	for i, dir := range dirs {
		if !filepath.IsAbs(dir) {
			dirs[i] = filepath.Join(l.scriptBase(), dir)
		}
	}
	l.pythonFiles, _ = pythonFilesBelow(dirs, maxScriptSearch)
	return l.pythonFiles
}

// pythonFilesBelow is scriptFiles for directories. It looks at so many entries and says at how many it has.
func pythonFilesBelow(dirs []string, most int) (files map[string][]string, looked int) {
	files = map[string][]string{}
	seen := map[string]bool{}
	for _, dir := range dirs {
		_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error { // what cannot be read has no script for us
			if looked == most {
				files = nil
				return filepath.SkipAll
			}
			looked++
			switch {
			case err != nil:
				return nil
			case e.IsDir():
				_, venv := os.Stat(filepath.Join(path, "pyvenv.cfg"))
				if name := e.Name(); path != dir && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "site-packages" || venv == nil) {
					return filepath.SkipDir
				}
			case e.Type().IsRegular() && strings.HasSuffix(e.Name(), ".py") && !seen[path]:
				seen[path] = true
				files[e.Name()] = append(files[e.Name()], path)
			}
			return nil
		})
		if files == nil {
			return map[string][]string{}, looked
		}
	}
	return files, looked
}
