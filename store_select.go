package scriptspec

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/scriptspec/scriptspec/internal/similarity"
)

// Selector says which specs are meant. The zero value means all.
type Selector struct {
	words   []selectWord
	without *Selector
}

// selectWord is a word of a selection: what all of its terms are about, with what that needs or what needs it.
type selectWord struct {
	text           string
	terms          []selectTerm
	before, beyond bool // +x, x+
}

// selectTerm is a condition: kind is "" for a name or glob.
type selectTerm struct {
	kind, value string
	stems       map[string]bool // of the files that it matches, where it has to be looked up: see lookUp
}

var selectKinds = []string{"tag", "label", "step", "path", "pipeline", "changed"}

// ParseSelector reads the words of a selection, of which each adds specs:
//
//	xgboost_training     a script name, a step name, or the name of a file without its suffix
//	XGBoost*             a glob of these
//	tag:nightly          specs with the tag
//	label:owner=churn    specs with the label; without a value, with any
//	step:*_training      a glob of the step name alone
//	path:scripts/fraud/* a glob of the script path
//	pipeline:churn       specs that the pipeline refers to; or a glob of pipelines
//	changed              specs whose file, script or depends_on.files differ from the last commit of git, also untracked ones
//	changed:main         ... from a revision
//	x_runtime_test_spec.json  the path of a spec file of the store
//	tag:gpu,label:owner  commas join conditions that must all hold
//	+tag:gpu  tag:gpu+   with the steps that they depend on, and with those that depend on them
//
// The error is a [*FieldError] with CodeBadSelector for each word that cannot be read.
func ParseSelector(words ...string) (*Selector, error) {
	sel := &Selector{}
	var errs []error
	for _, text := range words {
		word, fe := parseSelectWord(text)
		if fe != nil {
			errs = append(errs, fe)
			continue
		}
		sel.words = append(sel.words, word)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return sel, nil
}

func parseSelectWord(text string) (selectWord, *FieldError) {
	w := selectWord{text: text}
	refuse := func(message, hint string) (selectWord, *FieldError) {
		return w, &FieldError{Path: "select", Code: CodeBadSelector, Value: text, Message: message + ": " + string(quote(text)), Hint: hint}
	}
	rest := strings.TrimSpace(text)
	rest, w.before = strings.CutPrefix(rest, "+")
	rest, w.beyond = strings.CutSuffix(rest, "+")
	for part := range strings.SplitSeq(rest, ",") {
		term := selectTerm{value: part}
		if part == "changed" {
			term = selectTerm{kind: part, value: "HEAD"}
		} else if kind, value, found := strings.Cut(part, ":"); found && !isSpecFile(part) {
			if term = (selectTerm{kind: kind, value: value}); !slices.Contains(selectKinds, kind) {
				return refuse("cannot select by "+printable(kind), meantOf(selectKinds, kind))
			}
		}
		if term.value == "" {
			return refuse("empty condition", "write a name, a glob, or "+strings.Join(selectKinds, ":, ")+":")
		}
		if _, err := path.Match(term.value, ""); err != nil && term.kind != "changed" && !isSpecFile(part) {
			return refuse("invalid glob", "close the bracket, or write \\[ for one")
		}
		w.terms = append(w.terms, term)
	}
	return w, nil
}

// Without returns a selection of what sel is about, all if it is nil, but for what another one is about. A nil or empty
// other one leaves it as it is.
func (sel *Selector) Without(other *Selector) *Selector {
	result := *cmp.Or(sel, &Selector{})
	if other != nil && len(other.words) > 0 {
		result.without = other
	}
	return &result
}

// String returns the words as they were given.
func (sel *Selector) String() string {
	if sel == nil {
		return ""
	}
	var words []string
	for _, w := range sel.words {
		words = append(words, w.text)
	}
	if sel.without != nil {
		words = append(words, "without", sel.without.String())
	}
	return strings.Join(words, " ")
}

// storedSpec is a spec that may be selected, with the name of its file. One that cannot be loaded has an error in its place,
// and is selected by what is known of it without: its file.
type storedSpec struct {
	spec Spec
	stem string
	err  error
}

func (t selectTerm) holds(c storedSpec) bool {
	if t.stems != nil {
		return t.stems[c.stem]
	}
	glob := func(text string) bool {
		ok, _ := path.Match(t.value, text)
		return ok
	}
	if c.err != nil {
		return t.kind == "" && glob(c.stem)
	}
	s := c.spec.common()
	switch t.kind {
	case "tag":
		return slices.ContainsFunc(s.meta.Tags, glob)
	case "label":
		name, value, given := strings.Cut(t.value, "=")
		found, ok := s.meta.Labels[name]
		matched, _ := path.Match(value, found)
		return ok && (!given || matched)
	case "step":
		return glob(*s.stepName)
	case "path":
		return glob(*s.scriptPath)
	}
	return glob(*s.scriptName) || glob(*s.stepName) || glob(c.stem)
}

func (w *selectWord) holds(c storedSpec) bool {
	return !slices.ContainsFunc(w.terms, func(t selectTerm) bool { return !t.holds(c) })
}

// choose returns which of some specs are selected. The error is for words that select none.
func (sel *Selector) choose(all []storedSpec) (chosen []bool, err error) {
	chosen, err = sel.positive(all)
	if sel.without == nil {
		return chosen, err
	}
	left, withoutErr := sel.without.choose(all)
	for i := range chosen {
		chosen[i] = chosen[i] && !left[i]
	}
	return chosen, errors.Join(err, withoutErr)
}

func (sel *Selector) positive(all []storedSpec) (chosen []bool, err error) {
	chosen = make([]bool, len(all))
	if len(sel.words) == 0 {
		for i := range chosen {
			chosen[i] = true
		}
		return chosen, nil
	}
	var errs []error
	for i := range sel.words {
		w := &sel.words[i]
		found := make([]bool, len(all))
		any := false
		for k, c := range all {
			found[k] = w.holds(c)
			any = any || found[k]
		}
		if !any {
			errs = append(errs, w.noneError(all))
		}
		before, beyond := slices.Clone(found), slices.Clone(found)
		if w.before {
			reachSteps(all, before, needs)
		}
		if w.beyond {
			reachSteps(all, beyond, func(a, b storedSpec) bool { return needs(b, a) })
		}
		for k := range found {
			chosen[k] = chosen[k] || before[k] || beyond[k]
		}
	}
	return chosen, errors.Join(errs...)
}

// needs reports whether a spec names another one's step in its depends_on.
func needs(a, b storedSpec) bool {
	return a.err == nil && b.err == nil && slices.Contains(a.spec.common().meta.DependsOn.Steps, *b.spec.common().stepName)
}

// reachSteps adds to found what it leads to.
func reachSteps(all []storedSpec, found []bool, leads func(a, b storedSpec) bool) {
	var todo []int
	for i, ok := range found {
		if ok {
			todo = append(todo, i)
		}
	}
	for ; len(todo) > 0; todo = todo[1:] {
		for k := range all {
			if !found[k] && leads(all[todo[0]], all[k]) {
				found[k] = true
				todo = append(todo, k)
			}
		}
	}
}

// noneError says that a word selects nothing, and what it may mean.
func (w *selectWord) noneError(all []storedSpec) error {
	fe := w.nothing(all)
	var broken []storedSpec
	var errs []error
	for _, c := range all {
		if c.err != nil {
			broken, errs = append(broken, c), append(errs, c.err)
		}
	}
	if len(broken) == 0 || slices.ContainsFunc(w.terms, func(t selectTerm) bool { return t.kind == "pipeline" || isSpecFile(t.value) }) {
		return fe
	}
	hint := printable(broken[0].stem+specFileSuffix) + " cannot be loaded, and may be meant"
	if more := len(broken) - 1; more > 0 {
		hint = printable(broken[0].stem+specFileSuffix) + " and " + strconv.Itoa(more) + " more cannot be loaded, and may be meant"
	}
	fe.Hint, fe.Err = strings.TrimPrefix(fe.Hint+"; "+hint, "; "), errors.Join(errs...)
	return fe
}

// nothing is noneError for what is known of the specs.
func (w *selectWord) nothing(all []storedSpec) *FieldError {
	fe := &FieldError{Path: "select", Code: CodeMissing, Value: w.text, Message: "no spec matches " + string(quote(w.text))}
	// Of several conditions one may be of nothing by itself.
	i := slices.IndexFunc(w.terms, func(t selectTerm) bool { return !slices.ContainsFunc(all, t.holds) })
	if i < 0 {
		return fe
	}
	term := w.terms[i]
	var known []string
	for _, c := range all {
		if c.err != nil {
			if term.kind == "" {
				known = append(known, c.stem)
			}
			continue
		}
		s := c.spec.common()
		switch term.kind {
		case "tag":
			known = append(known, s.meta.Tags...)
		case "label":
			known = append(known, sortedKeys(s.meta.Labels)...)
		case "", "step":
			known = append(known, *s.stepName, c.stem)
		}
	}
	slices.Sort(known)
	known = slices.Compact(known)
	name, _, _ := strings.Cut(term.value, "=")
	switch term.kind {
	case "changed":
		fe.Message = "no spec has changed since " + printable(term.value)
	case "tag":
		fe.Code, fe.Message = CodeUnknownTag, "no spec has the tag "+printable(name)
		if fe.Hint = meantOf(known, name); fe.Hint == "" {
			fe.Hint = "no spec has any"
		}
	case "label":
		fe.Message = "no spec has the label " + printable(term.value)
		if fe.Hint = meantOf(known, name); fe.Hint == "" {
			fe.Hint = "no spec has any"
		}
		if _, value, given := strings.Cut(term.value, "="); given && slices.Contains(known, name) {
			var values []string
			for _, c := range all {
				if c.err != nil {
					continue
				}
				if v, ok := c.spec.common().meta.Labels[name]; ok {
					values = append(values, v)
				}
			}
			slices.Sort(values)
			fe.Hint = meantOf(slices.Compact(values), value)
		}
	default:
		if near := similarity.Nearest(known, name); near != "" {
			fe.Hint = "did you mean " + printable(near) + "?"
		}
	}
	return fe
}

// Select iterates over the selected specs of the store, sorted by file name; nil means all. A file that cannot be loaded is
// selected by its name, by its path, by changed and by pipeline alone, and yields its error, as by [Store.All]. Before
// anything else comes what is wrong with the selection: a [*FieldError] with CodeUnknownTag or CodeMissing for each word that
// matches nothing, wrapping the errors of files that may be meant, one with CodeBadSelector for a revision that git does not
// have or the path of a file of another store, or the error of a pipeline that cannot be loaded.
func (st *Store) Select(ctx context.Context, sel *Selector) iter.Seq2[Spec, error] {
	return func(yield func(Spec, error) bool) {
		all, err := st.stored(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		chosen, err := st.choose(ctx, sel, all)
		if err != nil && !yield(nil, err) {
			return
		}
		for i, c := range all {
			if chosen[i] && !yield(c.spec, c.err) {
				return
			}
		}
	}
}

// stored loads all specs of the store.
func (st *Store) stored(ctx context.Context) (all []storedSpec, err error) {
	files, names, err := st.names()
	if err != nil {
		return nil, err
	}
	for l := range st.loadNames(ctx, files, names, func(Spec, *cachedSpec) error { return nil }) {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		all = append(all, storedSpec{l.spec, strings.TrimSuffix(l.name, specFileSuffix), l.err})
	}
	return all, nil
}
