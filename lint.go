package scriptspec

import (
	"cmp"
	"context"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/scriptspec/scriptspec/internal/atomicfile"
	"github.com/scriptspec/scriptspec/internal/similarity"
	"github.com/scriptspec/scriptspec/internal/strictjson"
)

// linter gathers findings.
type linter struct {
	st     *Store
	files  *atomicfile.Dir
	o      *LintOptions
	result LintResult
	specs  []lintedSpec
	fed    map[string]map[string]bool // inputs that an edge of a pipeline feeds, by file of the spec
	steps  map[string]bool            // step names that there are
	used   map[string]bool            // files of specs that a pipeline has; nil if there is no pipeline

	scripted []string // scripts of the specs that pipelines have themselves; nil if one cannot be read

	members     map[string]map[string][2]int64 // where the members of each file are
	pythonFiles map[string][]string            // by name; nil before they are looked for
}

type lintedSpec struct {
	file string // its name in the directory
	text []byte
	spec Spec // nil if the file cannot be loaded
}

// Lint looks at every spec, base, template and pipeline of the store, and at its settings: what keeps a file from being read, rules that are broken,
// paths that are not there (but for inputs that an edge of a pipeline feeds), bases that have changed, members and
// dependencies that are not known, members that the last commit of git has and a program has dropped since, and with
// Scripts where specs and scripts differ. The error is for a store or an
// interpreter that cannot be used.
func (st *Store) Lint(ctx context.Context, o *LintOptions) (*LintResult, error) {
	l := &linter{st: st, o: cmp.Or(o, &LintOptions{}), fed: map[string]map[string]bool{}, steps: map[string]bool{}, members: map[string]map[string][2]int64{}}
	l.result = LintResult{Dir: st.specs, Files: []string{}, Findings: []Finding{}}
	files, names, err := st.names()
	if err != nil {
		return nil, err
	}
	if files == nil {
		return &l.result, nil
	}
	l.files = files
	names = l.withTexts(names, func(name string) bool { _, isSpec := scriptOfFile(name); return isSpec })
	if err := l.load(ctx, names); err != nil {
		return nil, err
	}
	l.rewritten(ctx)
	l.mend(ctx)
	if err := l.sources(); err != nil {
		return nil, err
	}
	if err := l.pipelines(ctx); err != nil {
		return nil, err
	}
	l.settings(names)
	if err := l.scripts(ctx); err != nil {
		return nil, err
	}
	for _, s := range l.specs {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		l.rules(s)
		l.unknown(s)
		l.tags(s)
		l.bases(s)
		if l.used != nil && !l.used[s.file] {
			l.at(s, "", SeverityNote, CodeUnused, "no pipeline of the store refers to this spec", "")
		}
	}
	for _, name := range misnamed(files) {
		l.add(Finding{File: l.path(name), Severity: SeverityWarning, Code: CodeMisnamed, Message: "looks like a spec, but is ignored because of its name", Hint: "want <script_name>" + specFileSuffix})
	}
	slices.Sort(l.result.Files)
	slices.SortStableFunc(l.result.Findings, func(a, b Finding) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), strings.Compare(a.Message, b.Message))
	})
	return &l.result, nil
}

func (l *linter) path(name string) string { return filepath.Join(l.st.specs, name) }

func (l *linter) add(f Finding) { l.result.Findings = append(l.result.Findings, f) }

// at adds a finding at a place of a spec.
func (l *linter) at(s lintedSpec, path string, severity Severity, code Code, message, hint string) {
	f := Finding{File: l.path(s.file), Path: path, Severity: severity, Code: code, Message: message, Hint: hint}
	members, known := l.members[s.file]
	if !known {
		members = strictjson.Members(s.text)
		l.members[s.file] = members
	}
	f.locateIn(s.text, members, path)
	l.add(f)
}

// failure adds what an error about a file says.
func (l *linter) failure(file string, text []byte, err error) {
	var walk func(err error)
	walk = func(err error) {
		switch e := err.(type) { //nolint:errorlint // each level is looked at
		case *DecodeError:
			f := Finding{File: cmp.Or(e.File, file), Line: e.Line, Column: e.Column, Path: e.Path, Severity: SeverityError, Code: codeOf(e), Message: e.Message}
			if f.File == file {
				f.countCodePoints(text)
			}
			l.add(f)
		case *FieldError:
			f := Finding{File: file, Path: e.Path, Severity: SeverityError, Code: e.Code, Message: e.Message, Hint: e.Hint}
			if place := e.Path; text != nil {
				if strings.HasPrefix(place, "nodes[") || strings.HasPrefix(place, "edges[") {
					place = "dag." + place // of a pipeline
				}
				f.locate(text, place)
			}
			l.add(f)
		case interface{ Unwrap() []error }:
			for _, err := range e.Unwrap() {
				walk(err)
			}
		default:
			l.add(Finding{File: file, Severity: SeverityError, Code: CodeUnreadable, Message: printable(err.Error())})
		}
	}
	walk(err)
}

// load reads the files of specs that are selected.
func (l *linter) load(ctx context.Context, names []string) error {
	var all []storedSpec
	var found []lintedSpec
	for _, name := range names {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		s := lintedSpec{file: name}
		var err error
		if s.text, err = l.read(name); err == nil {
			s.spec, err = decode(s.text, l.path(name), false)
		}
		if err == nil {
			err = named(s.spec, name)
		}
		if err == nil {
			l.steps[*s.spec.common().stepName] = true
		}
		found = append(found, s)
		all = append(all, storedSpec{s.spec, strings.TrimSuffix(name, specFileSuffix), err})
	}
	chosen, err := l.st.choose(ctx, l.o.Select, all)
	for i, s := range found {
		if !chosen[i] {
			continue
		}
		l.result.Specs++
		l.result.Files = append(l.result.Files, l.path(s.file))
		if problem := all[i].err; problem != nil && s.spec == nil {
			if problem = l.mended(ctx, &s, problem); problem != nil {
				l.failure(l.path(s.file), s.text, problem)
				continue
			}
			l.steps[*s.spec.common().stepName] = true
		}
		if fe := named(s.spec, s.file); fe != nil {
			l.failure(l.path(s.file), s.text, fe)
			continue
		}
		l.specs = append(l.specs, s)
	}
	return err
}

// named returns a problem unless a spec is of the script that its file is named after.
func named(s Spec, file string) error {
	script, _ := scriptOfFile(file)
	if *s.common().scriptName == script {
		return nil
	}
	return fieldErrorf(rank{}, "script_name", CodeMismatch, "the file is named after script %s", script).hintf("rename the file or correct script_name")
}

// read returns the text of a file of the store, or the one that stands in its place.
func (l *linter) read(name string) ([]byte, error) {
	if text, given := l.o.Texts[name]; given {
		return text, nil
	}
	text, _, err := l.files.Read(name, maxSpecFile, nil)
	return text, readError(err, l.path(name))
}

// withTexts returns the names of files of a kind, sorted, with those that only texts have.
func (l *linter) withTexts(names []string, isOne func(name string) bool) []string {
	for name := range l.o.Texts {
		if isOne(name) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// pipelines looks at pipelines, and notes which inputs they feed.
func (l *linter) pipelines(ctx context.Context) error {
	names, err := l.st.Pipelines()
	if err != nil {
		return err
	}
	broken := false
	l.scripted = []string{}
	for i, name := range names {
		names[i] = name + pipelineFileSuffix
	}
	for _, base := range l.withTexts(names, func(name string) bool { return strings.HasSuffix(name, pipelineFileSuffix) }) {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		file := l.path(base)
		l.result.Files = append(l.result.Files, file)
		text, err := l.read(base)
		var p *PipelineTestingSpec
		if err == nil {
			p, err = l.st.pipelineOf(text, file, strings.TrimSuffix(base, pipelineFileSuffix))
		}
		if err != nil {
			l.failure(file, text, err)
			broken = true
			if p != nil {
				plan, _ := p.Plan(nil) // without specs there is more to say, which is said already
				l.feeds(p, plan)
			}
			continue
		}
		plan, err := p.Plan(nil)
		if err != nil {
			l.failure(file, text, err)
		}
		broken = broken || plan == nil
		setEntry(&l.used, "", true)
		for _, s := range p.enhanced() {
			l.scripted = append(l.scripted, s.ScriptName)
		}
		l.feeds(p, plan)
	}
	if broken {
		l.used, l.scripted = nil, nil // nobody knows what it has
	}
	return nil
}

// feeds notes which specs a pipeline has, and which of their inputs it feeds. Of a node behind one whose spec cannot be loaded,
// or in a graph without an order, that may be any.
func (l *linter) feeds(p *PipelineTestingSpec, plan *PipelinePlan) {
	feeds := map[string][]string{} // by node
	unclear := map[string]bool{}
	for _, edge := range p.DAG.Edges {
		_, skipped := p.Skip[edge[0]]
		unclear[edge[1]] = unclear[edge[1]] || plan == nil || !skipped && p.Specs[edge[0]] == nil
	}
	if plan != nil {
		for _, n := range plan.Nodes {
			for _, pair := range n.Inputs {
				feeds[n.Node] = append(feeds[n.Node], pair.DestLogicalName)
			}
		}
	}
	for _, node := range p.DAG.Nodes {
		l.steps[node] = true
		script, isRef := p.Refs[node]
		if !isRef {
			continue
		}
		s, file, err := l.st.loadStep(node, script)
		if err != nil {
			continue
		}
		file = filepath.Base(file)
		if l.used != nil {
			l.used[file] = true
		}
		if unclear[node] {
			feeds[node] = entryKeys(sortedPaths(s, fieldInputs))
		}
		for _, input := range feeds[node] {
			fed := l.fed[file]
			setEntry(&fed, input, true)
			l.fed[file] = fed
		}
	}
}

// rules looks at what ValidateSpec does.
func (l *linter) rules(s lintedSpec) {
	c := s.spec.common()
	inputs := fields[c.own(fieldInputs)].name
	err := validateSpec(s.spec, &ValidateOptions{Base: l.st.base, PathVars: l.o.PathVars})
	for _, fe := range fieldErrors(err) {
		if fe.Code == CodeNotExist && slices.ContainsFunc(sortedKeys(l.fed[s.file]), func(name string) bool { return fe.Path == keyed(inputs, name) }) {
			continue
		}
		l.at(s, fe.Path, SeverityError, fe.Code, fe.Message, fe.Hint)
	}
}

// tags looks for tags that nobody has declared.
func (l *linter) tags(s lintedSpec) {
	if l.o.KnownTags == nil {
		return
	}
	for i, tag := range s.spec.common().meta.Tags {
		if !slices.Contains(l.o.KnownTags, tag) {
			place := fields[fieldTags].name + "[" + strconv.Itoa(i) + "]"
			l.at(s, place, SeverityWarning, CodeUnknownTag, "the tag "+printable(tag)+" is not declared", meantOf(l.o.KnownTags, tag))
		}
	}
}

// isOwnMember reports whether a member is a person's own, or one that the original keeps.
func isOwnMember(name string) bool {
	return strings.HasPrefix(name, "x-") || name == "last_updated" || name == "user_notes"
}

// unknown looks at what is not known.
func (l *linter) unknown(s lintedSpec) {
	c := s.spec.common()
	layout, v := layoutOf(s.spec)
	for _, name := range sortedKeys(*layout.extraOf(v)) {
		if isOwnMember(name) {
			continue
		}
		hint := "prefix members of your own with x-"
		if near := similarity.Nearest(layout.names, name, ToSnakeCase(name)); near != "" {
			hint = "did you mean " + near + "?"
		}
		l.at(s, name, SeverityWarning, CodeUnknownMember, "unknown member", hint)
	}
	if fe := newerError(s.spec); fe != nil {
		l.at(s, fe.Path, SeverityWarning, fe.Code, fe.Message, fe.Hint)
	}
	for i, step := range c.meta.DependsOn.Steps {
		if !l.steps[step] {
			fe := unknownStep("", i, step, sortedKeys(l.steps))
			l.at(s, strings.TrimPrefix(fe.Path, keyed("specs", "")+"."), SeverityWarning, fe.Code, fe.Message, fe.Hint)
		}
	}
	for i, e := range c.meta.Examples {
		for _, side := range []struct {
			member string
			names  []string
			known  []string
		}{
			{"input_paths", sortedKeys(e.InputPaths), entryKeys(sortedPaths(s.spec, fieldInputs))},
			{"environ_vars", sortedKeys(e.EnvironVars), sortedKeys(*c.environVars)},
			{"job_args", sortedKeys(e.JobArgs), sortedKeys(*c.jobArgs)},
		} {
			for _, name := range side.names {
				if !slices.Contains(side.known, name) {
					place := fields[fieldExamples].name + "[" + strconv.Itoa(i) + "]" + "." + keyed(side.member, name)
					l.at(s, place, SeverityWarning, CodeUnknownMember, "the example sets a name that the spec does not have", meantOf(side.known, name))
				}
			}
		}
	}
}

// bases looks at whether a spec is what its bases make of it.
func (l *linter) bases(s lintedSpec) {
	if len(s.spec.common().meta.Extends) == 0 || newerError(s.spec) != nil {
		return
	}
	rendered := cloneSpec(s.spec)
	changes, err := l.st.Render(rendered)
	if err != nil {
		l.failure(l.path(s.file), s.text, err)
		return
	}
	first := len(l.result.Findings)
	for _, change := range changes {
		if change.Kind == changeKept {
			l.at(s, change.Path, SeverityNote, CodeBaseConflict, change.String(), "")
			continue
		}
		l.at(s, change.Path, SeverityWarning, CodeStaleBase, "out of date with its bases: "+change.String(), "render the spec")
	}
	if _, given := l.o.Texts[s.file]; given || !l.o.Fix || len(changes) == 0 {
		return
	}
	if err := l.st.saveRendered(s.spec, rendered, s.file); err != nil {
		l.failure(l.path(s.file), nil, err)
		return
	}
	for i := first; i < len(l.result.Findings); i++ {
		l.result.Findings[i].Fixed = true
	}
}

// scripts compares specs with their scripts.
func (l *linter) scripts(ctx context.Context) error {
	if !l.o.Scripts {
		return nil
	}
	var paths []string
	index := make([]int, len(l.specs))
	at := map[string]int{}
	for i, s := range l.specs {
		resolved, errs := pathResolver{base: l.st.base, vars: l.o.PathVars}.resolve(s.spec)
		path := *resolved.common().scriptPath
		index[i] = -1
		if len(errs) > 0 || path == "" || len(scriptErrors(resolved, checkPath)) > 0 {
			continue // which rules says
		}
		if _, known := at[path]; !known {
			at[path] = len(paths)
			paths = append(paths, path)
		}
		index[i] = at[path]
	}
	scripts, err := inspect(ctx, l.o.Python, paths)
	if err != nil {
		return err
	}
	for i, s := range l.specs {
		if index[i] < 0 {
			continue
		}
		script := scripts[index[i]]
		for _, d := range script.compare(s.spec, slices.Contains(l.o.CommandLine, *s.spec.common().scriptName)) {
			severity := SeverityWarning
			switch {
			case d.Kind == DriftUnreadable:
				severity = SeverityError
			case d.Optional:
				severity = SeverityNote
			}
			l.at(s, d.Path, severity, CodeDrift, d.Message, "")
		}
	}
	return nil
}
