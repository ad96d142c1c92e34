package scriptspec

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/scriptspec/scriptspec/internal/githead"
)

// choose returns which of some specs of the store are selected; nil means all. The error is for words that match none, and
// for what has to be looked up and cannot be.
func (st *Store) choose(ctx context.Context, sel *Selector, all []storedSpec) ([]bool, error) {
	found, err := st.lookUp(ctx, cmp.Or(sel, &Selector{}), all)
	if err != nil {
		return make([]bool, len(all)), err
	}
	return found.choose(all)
}

// lookUp returns a selection in which the terms that are not about specs alone have the files that they match: what
// pipelines refer to, what git says has changed, and paths.
func (st *Store) lookUp(ctx context.Context, sel *Selector, all []storedSpec) (*Selector, error) {
	found := *sel
	found.words = slices.Clone(sel.words)
	var errs []error
	for i := range found.words {
		w := &found.words[i]
		w.terms = slices.Clone(w.terms)
		for k := range w.terms {
			t := &w.terms[k]
			var err error
			switch {
			case t.kind == "pipeline":
				t.stems, err = st.stemsOfPipelines(t.value)
			case t.kind == "changed":
				t.stems, err = st.changedStems(ctx, w.text, t.value, all)
			case t.kind == "" && isSpecFile(t.value):
				t.stems, err = st.stemOfPath(w.text, t.value)
			}
			if err != nil {
				errs = append(errs, err)
			}
		}
	}
	if sel.without != nil {
		var err error
		if found.without, err = st.lookUp(ctx, sel.without, all); err != nil {
			errs = append(errs, err)
		}
	}
	return &found, errors.Join(errs...)
}

// isSpecFile reports whether a word is the path of a file that has the name of a spec.
func isSpecFile(word string) bool { return strings.HasSuffix(word, specFileSuffix) }

// stemOfPath returns the spec of a file, which must be in the directory of the store.
func (st *Store) stemOfPath(word, file string) (map[string]bool, error) {
	dir, err := os.Stat(filepath.Dir(file))
	own, ownErr := os.Stat(st.specs)
	if err != nil || ownErr != nil || !os.SameFile(dir, own) {
		return nil, &FieldError{Path: "select", Code: CodeBadSelector, Value: word, Message: printable(file) + " is not in " + printable(st.specs)}
	}
	return map[string]bool{strings.TrimSuffix(filepath.Base(file), specFileSuffix): true}, nil
}

// stemsOfPipelines returns the specs to which the pipelines that a glob matches refer.
func (st *Store) stemsOfPipelines(glob string) (map[string]bool, error) {
	names, err := st.Pipelines()
	if err != nil {
		return nil, err
	}
	stems, matched := map[string]bool{}, false
	for _, name := range names {
		if ok, _ := path.Match(glob, name); !ok {
			continue
		}
		matched = true
		_, files, err := st.refsOfPipeline(name)
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			stems[strings.TrimSuffix(file, specFileSuffix)] = true
		}
	}
	if !matched {
		return nil, &FieldError{Path: "select", Code: CodeMissing, Value: glob, Message: "there is no pipeline " + printable(glob), Hint: meantOf(names, glob)}
	}
	return stems, nil
}

// changedStems returns the specs of which the file, the script or a file of depends_on differs from a revision of git.
func (st *Store) changedStems(ctx context.Context, word, revision string, all []storedSpec) (map[string]bool, error) {
	var paths []string
	owners := map[string][]string{} // stems by path
	own := func(file, stem string) {
		if abs, err := filepath.Abs(file); err == nil {
			if owners[abs] == nil {
				paths = append(paths, abs)
			}
			owners[abs] = append(owners[abs], stem)
		}
	}
	for _, c := range all {
		own(filepath.Join(st.specs, c.stem+specFileSuffix), c.stem)
		if c.err != nil {
			continue
		}
		resolved, _ := st.paths().resolve(c.spec) // a path that cannot be resolved is none of git's
		s := resolved.common()
		for _, file := range append([]string{*s.scriptPath}, s.meta.DependsOn.Files...) {
			if file != "" {
				own(file, c.stem)
			}
		}
	}
	changed, err := githead.Changed(ctx, st.specs, revision, paths)
	if err != nil {
		return nil, &FieldError{Path: "select", Code: CodeBadSelector, Value: word, Message: printable(word) + ": " + printable(err.Error())}
	}
	stems := map[string]bool{}
	for file := range changed {
		for _, stem := range owners[file] {
			stems[stem] = true
		}
	}
	return stems, nil
}
