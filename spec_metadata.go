package scriptspec

import (
	"encoding/json"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// SpecVersion is the newest version of the file format that this package knows all of. A file without
// spec_version is of version 1, and needs none if it has no member of Metadata.
const SpecVersion = 2

// Metadata is what version 2 of the file format added to a spec, in JSON beside its other members. The nine
// members of version 1 hold all that a run needs, with what bases gave already in them: a program that knows
// only these runs a spec as it is meant.
type Metadata struct {
	// Schema is where an editor finds the JSON Schema of the file.
	Schema string `json:"$schema,omitzero" yaml:"$schema,omitempty" validate:"-"`
	// SpecVersion is that of the file; 0 stands for the first that has all that is set. A newer one than
	// SpecVersion is run and saved without loss, as far as this version understands it.
	SpecVersion int `json:"spec_version,omitzero" yaml:"spec_version,omitempty" validate:"-"`
	// Description is for people, in a few sentences.
	Description string `json:"description,omitzero" yaml:"description,omitempty" validate:"-"`
	// Tags are short names by which specs are selected.
	Tags []string `json:"tags,omitzero" yaml:"tags,omitempty" validate:"-"`
	// Labels are names with values of up to 256 characters, as owner: "churn".
	Labels map[string]string `json:"labels,omitzero" yaml:"labels,omitempty" validate:"-"`
	// Extends names the bases of the spec, later ones over earlier ones; see Store.Render.
	Extends []string `json:"extends,omitzero" yaml:"extends,omitempty" validate:"-"`
	// Inherited is what the spec last took from its bases: member -> value or, for an object, key -> value.
	Inherited map[string]any `json:"inherited,omitzero" yaml:"inherited,omitempty" validate:"-"`
	// DependsOn is what must be there besides the inputs.
	DependsOn Dependencies `json:"depends_on,omitzero" yaml:"depends_on,omitempty" validate:"-"`
	// Optional names inputs and outputs that may be missing: a run leaves out an input that is not there, and
	// passes without data in an output.
	Optional []string `json:"optional,omitzero" yaml:"optional,omitempty" validate:"-"`
	// Timeout bounds a run, in seconds, over RuntimeTester.Timeout and under PipelineOptions.Timeout; 0 means
	// that the spec has none.
	Timeout float64 `json:"timeout,omitzero" yaml:"timeout,omitempty" validate:"gte=0"`
	// MaxMemory bounds the memory of a run, in bytes, over RuntimeTester.MaxMemory; 0 means that the spec has
	// no bound.
	MaxMemory int64 `json:"max_memory,omitzero" yaml:"max_memory,omitempty" validate:"gte=0"`
	// Examples are further runs of the script, each with some values of its own; see WithExample.
	Examples []Example `json:"examples,omitzero" yaml:"examples,omitempty" validate:"-"`
	// ContainerPaths maps absolute paths that the script has in a container to paths on this machine. They are
	// kept and checked; a run does not map them yet.
	ContainerPaths map[string]string `json:"container_paths,omitzero" yaml:"container_paths,omitempty" validate:"-"`
	// Budget is what a run should need at most; what is over it is in [ScriptTestResult.OverBudget], and fails nothing.
	Budget Budget `json:"budget,omitzero" yaml:"budget,omitempty" validate:"-"`
	// Retries is how often a script may be run again that failed in a way that may be chance; see
	// RuntimeTester.Retries, which may allow more. At most 5.
	Retries int `json:"retries,omitzero" yaml:"retries,omitempty" validate:"gte=0"`
	// Secrets names environment variables and job arguments that are secret whatever they are called, and
	// whatever RuntimeTester.Secrets says of them.
	Secrets []string `json:"secrets,omitzero" yaml:"secrets,omitempty" validate:"-"`
}

// isZero reports whether nothing is set, as in a file of version 1. Reflection would take ten times as long.
func (m *Metadata) isZero() bool {
	return m.Schema == "" && m.SpecVersion == 0 && m.Description == "" && m.Tags == nil && m.Labels == nil && m.Extends == nil &&
		m.Inherited == nil && m.DependsOn.isZero() && m.Optional == nil && m.Timeout == 0 && m.MaxMemory == 0 && m.Examples == nil &&
		m.ContainerPaths == nil && m.Budget.isZero() && m.Retries == 0 && m.Secrets == nil
}

func (d *Dependencies) isZero() bool {
	return d.Steps == nil && d.Packages == nil && d.Files == nil && d.Extra == nil
}

func (b *Budget) isZero() bool {
	return b.Duration == 0 && b.PeakMemory == 0 && b.OutputBytes == 0 && b.Regression == 0 && b.Extra == nil
}

// Dependencies is what a run depends on besides its inputs.
type Dependencies struct {
	// Steps are to run before this one; the wires of a pipeline say what flows.
	Steps []string `json:"steps,omitzero" yaml:"steps,omitempty"`
	// Packages maps Python packages to the versions that will do, as PEP 440 writes them: ">=1.3,<2"; "" for
	// any. They are looked at before the script is imported ([OutcomePackageMissing]).
	Packages map[string]string `json:"packages,omitzero" yaml:"packages,omitempty"`
	// Files are further files that the script reads, modules and schemas for example.
	Files []string `json:"files,omitzero" yaml:"files,omitempty"`
	// Extra is as in ScriptExecutionSpec.
	Extra map[string]json.RawMessage `json:"-" yaml:"-"`
}

// Example is one more way to run a script: what it says replaces what the spec says, key by key.
type Example struct {
	Name        string            `json:"name" yaml:"name"`
	Description string            `json:"description,omitzero" yaml:"description,omitempty"`
	InputPaths  map[string]string `json:"input_paths,omitzero" yaml:"input_paths,omitempty"`
	EnvironVars map[string]string `json:"environ_vars,omitzero" yaml:"environ_vars,omitempty"`
	JobArgs     JobArgs           `json:"job_args,omitzero" yaml:"job_args,omitempty"`
	// Expect is how the run must end; "" means OutcomePassed.
	Expect Outcome `json:"expect,omitzero" yaml:"expect,omitempty"`
	// Extra is as in ScriptExecutionSpec.
	Extra map[string]json.RawMessage `json:"-" yaml:"-"`
}

// Budget is what a run should need at most; 0 is no bound.
type Budget struct {
	Duration    float64 `json:"duration,omitzero" yaml:"duration,omitempty"`         // seconds
	PeakMemory  float64 `json:"peak_memory,omitzero" yaml:"peak_memory,omitempty"`   // bytes
	OutputBytes float64 `json:"output_bytes,omitzero" yaml:"output_bytes,omitempty"` // of all outputs together
	Regression  float64 `json:"regression,omitzero" yaml:"regression,omitempty"`     // 0.25 is a quarter more than the median of comparable runs before
	// Extra is as in ScriptExecutionSpec.
	Extra map[string]json.RawMessage `json:"-" yaml:"-"`
}

// withVersion returns a spec whose version is that of what it has: itself, or a shallow copy.
func withVersion(s Spec) Spec {
	s = s.self()
	meta := s.common().meta
	if meta.isZero() || meta.SpecVersion >= SpecVersion || !meta.hasNews() {
		return s
	}
	switch s := s.(type) {
	case *ScriptExecutionSpec:
		c := *s
		c.SpecVersion = SpecVersion
		return &c
	case *EnhancedScriptExecutionSpec:
		c := *s
		c.SpecVersion = SpecVersion
		return &c
	}
	return s
}

// hasNews reports whether a member of version 2 would be written.
func (m *Metadata) hasNews() bool {
	other := *m
	other.SpecVersion = 0
	l, v := layoutOf(&ScriptExecutionSpec{Metadata: other})
	for i, c := range l.codecs {
		if l.has(i) && l.inMeta[i] && !c.empty(l.at(v, i)) {
			return true
		}
	}
	return false
}

// packageVersion is a version specifier of PEP 440.
var packageVersion = regexp.MustCompile(`(?i)^(===\s*\S+|(==|!=)\s*v?([0-9]+!)?[0-9]+(\.[0-9]+)*` + pep440Pre + pep440Post + `\.\*|(==|!=|<=|>=|<|>)\s*` + pep440 + `(\+[a-z0-9]+([-_.][a-z0-9]+)*)?|~=\s*v?([0-9]+!)?[0-9]+(\.[0-9]+)+` + pep440End + `)$`)

const (
	pep440     = `v?([0-9]+!)?[0-9]+(\.[0-9]+)*` + pep440End
	pep440End  = pep440Pre + pep440Post + `([-_.]?dev[-_.]?[0-9]*)?`
	pep440Pre  = `([-_.]?(a|b|c|rc|alpha|beta|pre|preview)[-_.]?[0-9]*)?`
	pep440Post = `(-[0-9]+|[-_.]?(post|rev|r)[-_.]?[0-9]*)?`
)

// isPlainVersion reports whether a specifier is one like >=1.3, without asking packageVersion, which takes ten times
// as long. False means that it does not know.
func isPlainVersion(text string) bool {
	for _, operator := range [...]string{">=", "<=", "==", "!=", ">", "<"} {
		if release, ok := strings.CutPrefix(text, operator); ok {
			for part := range strings.SplitSeq(release, ".") {
				if part == "" || strings.Trim(part, "0123456789") != "" {
					return false
				}
			}
			return true
		}
	}
	return false
}

// inheritable are the members that a base may have, each with whether it is merged key by key.
var inheritable = map[field]bool{
	fieldInputs: true, fieldOutputs: true, fieldInputSpecs: true, fieldOutputSpecs: true, fieldEnviron: true, fieldJobArgs: true,
	fieldDescription: false, fieldTags: false, fieldLabels: true, fieldDependsOn: true, fieldOptional: false, fieldTimeout: false,
	fieldMaxMemory: false, fieldExamples: false, fieldContainers: true, fieldBudget: true, fieldRetries: false, fieldSecrets: false,
}

// metadataErrors finds what the rules of single texts do not say: bounds, names of other members, and the forms of
// what is in lists and maps.
func metadataErrors(s Spec) []*FieldError {
	meta := s.common().meta
	if meta.isZero() || meta.SpecVersion > SpecVersion { // which may mean more by its members than is known here
		return nil
	}
	errs := limitErrors(s)
	fail := func(f field, index int, place string, code Code, value any, hint, format string, args ...any) {
		fe := fieldErrorf(rank{section: int(f), index: index, key: place}, fields[f].name+place, code, format, args...)
		fe.Value, fe.Hint = value, hint
		errs = append(errs, fe)
	}
	if meta.SpecVersion < 0 {
		fail(fieldVersion, 0, "", CodeFormat, meta.SpecVersion, "", "spec_version is negative")
	}
	if meta.Retries < 0 {
		fail(fieldRetries, 0, "", CodeFormat, meta.Retries, "", "retries is negative")
	}
	if meta.Retries > mostRetries {
		fail(fieldRetries, 0, "", CodeFormat, meta.Retries, retriesHint, "retries is more than %d", mostRetries)
	}
	for i, value := range [...]float64{meta.Budget.Duration, meta.Budget.PeakMemory, meta.Budget.OutputBytes, meta.Budget.Regression} {
		if !(value >= 0) || math.IsInf(value, 0) {
			name := [...]string{"duration", "peak_memory", "output_bytes", "regression"}[i]
			fail(fieldBudget, i, "."+name, CodeFormat, value, "", "%s must be a finite number, 0 or more", name)
		}
	}
	for i, step := range meta.DependsOn.Steps {
		if _, err := ParseStepName(step); err != nil {
			fail(fieldDependsOn, i, ".steps["+strconv.Itoa(i)+"]", CodeFormat, step, "want something like TabularPreprocessing_training", "%s is no step name", step)
		}
	}
	for name, versions := range meta.DependsOn.Packages { // errors are sorted later
		for part := range strings.SplitSeq(versions, ",") {
			if part = strings.TrimSpace(part); part != "" && !isPlainVersion(part) && !packageVersion.MatchString(part) {
				fail(fieldDependsOn, 0, keyed(".packages", name), CodeFormat, part, "want something like >=1.3,<2 or ==2.*",
					"%s is no version as PEP 440 writes them", part)
			}
		}
	}
	for name := range meta.Inherited {
		i := slices.IndexFunc(fields[:], func(m member) bool { return m.name == name })
		if _, ok := inheritable[field(i)]; !ok {
			fail(fieldInherited, 0, keyed("", name), CodeFormat, name, "", "%s is no member that a base has", name)
		}
	}
	for i, e := range meta.Examples {
		place := "[" + strconv.Itoa(i) + "]"
		if slices.ContainsFunc(meta.Examples[:i], func(o Example) bool { return o.Name == e.Name }) {
			fail(fieldExamples, i, place+".name", CodeDuplicate, e.Name, "", "two examples have the name %s", e.Name)
		}
		if e.Expect != "" && !slices.Contains(outcomes[:], e.Expect) {
			var known []string
			for _, o := range outcomes {
				known = append(known, string(o))
			}
			fail(fieldExamples, i, place+".expect", CodeFormat, string(e.Expect), meantOf(known, string(e.Expect)),
				"%s is no outcome of a run", string(e.Expect))
		}
		for _, problem := range e.JobArgs.problems() {
			problem.Path = fields[fieldExamples].name + place + "." + problem.Path
			problem.rank = rank{section: int(fieldExamples), index: i, key: problem.Path}
			errs = append(errs, problem)
		}
	}
	for _, f := range JobArgs(meta.Inherited).problems() {
		f.Path = strings.Replace(f.Path, fields[fieldJobArgs].name, fields[fieldInherited].name, 1)
		f.rank = rank{section: int(fieldInherited), index: 1, key: f.Path}
		errs = append(errs, f)
	}
	return errs
}

// isSecret reports whether a job argument or variable is to be shown nowhere.
func (c common) isSecret(name string) bool {
	return isSecretName(name) || slices.Contains(c.meta.Secrets, name)
}
