package scriptspec

import (
	"encoding/json"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
)

// Spec is either kind of spec: a [*ScriptExecutionSpec] or an [*EnhancedScriptExecutionSpec]. No
// other type implements it, except by embedding one of these.
type Spec interface {
	// SpecFileName returns "<script_name>_runtime_test_spec.json", or "" for a script name that
	// cannot be part of a file name.
	SpecFileName() string
	// Basic returns a copy of the spec without aliases.
	Basic() *ScriptExecutionSpec
	// Validate checks the rules of every field without looking at the disk.
	Validate() error

	self() Spec // the spec itself if a struct of the caller's embeds it
	common() common
	eachPath(f field, do func(key, path string))
}

// isNil reports whether s is nil or holds a nil pointer.
func isNil(s Spec) bool {
	switch s := s.(type) {
	case nil:
		return true
	case *ScriptExecutionSpec:
		return s == nil
	case *EnhancedScriptExecutionSpec:
		return s == nil
	}
	// A struct that embeds a spec: it or what it embeds may be nil.
	v := reflect.ValueOf(s)
	return v.Kind() == reflect.Pointer && v.IsNil() || isNil(s.self())
}

// common points to the fields that both kinds of spec have and that code asks for by name.
type common struct {
	scriptName, stepName, scriptPath *string
	environVars                      *map[string]string
	jobArgs                          *JobArgs
	createdAt, updatedAt             *Timestamp
	meta                             *Metadata
	enhanced                         bool
}

// pathEntry is an input or output of either kind of spec.
type pathEntry struct{ key, path string }

// own returns the field in which this kind of spec has its inputs or outputs, and any other as it is.
func (c common) own(f field) field {
	switch {
	case c.enhanced && f == fieldInputs:
		return fieldInputSpecs
	case c.enhanced && f == fieldOutputs:
		return fieldOutputSpecs
	}
	return f
}

// name returns the field's name in the file.
func (c common) name(f field) string { return fields[c.own(f)].name }

func (c common) addEnvironVar(key, value string) {
	setEntry(c.environVars, key, value)
	c.touch()
}

func (c common) addJobArg(key string, value any) {
	setEntry(c.jobArgs, key, cloneValue(value, 1))
	c.touch()
}

// touch sets updated_at, which never moves back and is never before created_at, whatever the clock
// says.
func (c common) touch() {
	latest := now()
	for _, t := range []Timestamp{*c.createdAt, *c.updatedAt} {
		if at := t.instant(); at.After(latest.Time) {
			latest = NewTimestamp(at.UTC())
		}
	}
	*c.updatedAt = latest
}

func (c common) specFileName() string {
	if checkScriptName(*c.scriptName) != "" {
		return ""
	}
	return *c.scriptName + specFileSuffix
}

// environment returns the environment of this process with the spec's variables over it.
func (c common) environment() map[string]string {
	system := os.Environ()
	env := make(map[string]string, len(system)+len(*c.environVars))
	for _, entry := range system {
		// Windows keeps the directory of each drive in names like "=C:".
		if i := strings.IndexByte(entry[min(1, len(entry)):], '='); i >= 0 {
			env[entry[:i+1]] = entry[i+2:]
		}
	}
	maps.Copy(env, *c.environVars)
	return env
}

// setEntry sets an entry of a map that may be nil.
func setEntry[M ~map[string]V, V any](m *M, key string, value V) {
	if *m == nil {
		*m = make(M)
	}
	(*m)[key] = value
}

func cloneExtra(extra map[string]json.RawMessage) map[string]json.RawMessage {
	c := maps.Clone(extra)
	for key, raw := range c {
		c[key] = slices.Clone(raw)
	}
	return c
}

// equalExtra compares unknown members by their JSON text, ignoring white space.
func equalExtra(a, b map[string]json.RawMessage) bool {
	return maps.EqualFunc(a, b, func(x, y json.RawMessage) bool {
		return slices.Equal(x, y) || JobArgs{"": x}.equal(JobArgs{"": y})
	})
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// sortedPaths lists the inputs or outputs of a spec by key.
func sortedPaths(s Spec, f field) []pathEntry {
	var entries []pathEntry
	s.eachPath(f, func(key, path string) { entries = append(entries, pathEntry{key, path}) })
	slices.SortFunc(entries, func(a, b pathEntry) int { return strings.Compare(a.key, b.key) })
	return entries
}
