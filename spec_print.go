package scriptspec

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// The printing methods have value receivers, unlike the rest: a spec that is printed as a value
// must not fall back to fmt's walk over its fields, which would show environment values.

// redacted replaces an environment value.
const redacted = "[redacted]"

// String returns one line with the spec's names: of inputs and outputs, environment variables and job
// arguments, without their values.
func (s ScriptExecutionSpec) String() string { return describe(&s) }

// GoString is String: Go syntax would show environment values.
func (s ScriptExecutionSpec) GoString() string { return describe(&s) }

// Format prints String for every verb; %q quotes it.
func (s ScriptExecutionSpec) Format(f fmt.State, verb rune) { format(f, verb, s) }

// LogValue returns the names that String shows as a group, for [log/slog].
func (s ScriptExecutionSpec) LogValue() slog.Value { return logValue(&s) }

// Redacted returns a copy in which every environment value is "[redacted]", and every value of a job argument
// that Secrets names or that has a word such as password, secret, token or api_key in its name, for diffs, dumps and test assertions,
// which read fields and ignore String.
func (s *ScriptExecutionSpec) Redacted() *ScriptExecutionSpec {
	c := s.Clone()
	if c != nil {
		redact(c)
	}
	return c
}

// String is as in [ScriptExecutionSpec.String].
func (s EnhancedScriptExecutionSpec) String() string { return describe(&s) }

// GoString is as in [ScriptExecutionSpec.GoString].
func (s EnhancedScriptExecutionSpec) GoString() string { return describe(&s) }

// Format is as in [ScriptExecutionSpec.Format].
func (s EnhancedScriptExecutionSpec) Format(f fmt.State, verb rune) { format(f, verb, s) }

// LogValue is as in [ScriptExecutionSpec.LogValue].
func (s EnhancedScriptExecutionSpec) LogValue() slog.Value { return logValue(&s) }

// Redacted is as in [ScriptExecutionSpec.Redacted].
func (s *EnhancedScriptExecutionSpec) Redacted() *EnhancedScriptExecutionSpec {
	c := s.Clone()
	if c != nil {
		redact(c)
	}
	return c
}

// redact replaces the values of every secret field.
func redact(s Spec) {
	l, v := layoutOf(s)
	for i := range fields {
		if fields[i].secret && l.has(i) {
			values := get[map[string]string](l.at(v, i))
			for key := range values {
				values[key] = redacted
			}
		}
	}
	c := s.common()
	redactArgs(*c.jobArgs, c.isSecret)
	for i := range c.meta.Examples {
		for name := range c.meta.Examples[i].EnvironVars {
			c.meta.Examples[i].EnvironVars[name] = redacted
		}
		redactArgs(c.meta.Examples[i].JobArgs, c.isSecret)
	}
	switch env := c.meta.Inherited[fields[fieldEnviron].name].(type) {
	case map[string]any:
		for name := range env {
			env[name] = redacted
		}
	case map[string]string:
		for name := range env {
			env[name] = redacted
		}
	}
	redactArgs(c.meta.Inherited, c.isSecret)
	extra := *l.extraOf(v)
	for _, name := range l.names {
		if _, ok := extra[name]; ok { // of a newer version: nobody knows where its secrets are
			extra[name] = json.RawMessage(`"` + redacted + `"`)
		}
	}
}

func describe(s Spec) string {
	c := s.common()
	var b strings.Builder
	fmt.Fprintf(&b, "%s(%s) script=%s", quoteUnlessPlain(*c.stepName), quoteUnlessPlain(*c.scriptName), quoteUnlessPlain(*c.scriptPath))
	for _, list := range []labelled{
		{"inputs", entryKeys(sortedPaths(s, fieldInputs))},
		{"outputs", entryKeys(sortedPaths(s, fieldOutputs))},
		{"env", slices.Sorted(maps.Keys(*c.environVars))},
		{"args", slices.Sorted(maps.Keys(*c.jobArgs))},
	} {
		list.describe(&b)
	}
	return b.String()
}

// labelled is a list of names.
type labelled struct {
	label string
	names []string
}

func (l labelled) describe(b *strings.Builder) {
	b.WriteString(" " + l.label + "=[")
	for i, name := range l.names {
		if i == maxListed {
			fmt.Fprintf(b, " and %d more", len(l.names)-i)
			break
		}
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(quoteUnlessPlain(clip(name)))
	}
	b.WriteByte(']')
}

func format(f fmt.State, verb rune, s fmt.Stringer) {
	text := s.String()
	if verb == 'q' {
		text = strconv.Quote(text)
	}
	io.WriteString(f, text) //nolint:errcheck // fmt.State keeps the error
}

func logValue(s Spec) slog.Value {
	c := s.common()
	return slog.GroupValue(
		slog.String("script_name", *c.scriptName),
		slog.String("step_name", *c.stepName),
		slog.String("script_path", *c.scriptPath),
		slog.Any("inputs", entryKeys(sortedPaths(s, fieldInputs))),
		slog.Any("outputs", entryKeys(sortedPaths(s, fieldOutputs))),
		slog.Any("environ_vars", slices.Sorted(maps.Keys(*c.environVars))),
		slog.Any("job_args", slices.Sorted(maps.Keys(*c.jobArgs))),
	)
}

func entryKeys(entries []pathEntry) []string {
	keys := make([]string, len(entries))
	for i, e := range entries {
		keys[i] = e.key
	}
	return keys
}

func quoteUnlessPlain(s string) string {
	if q := strconv.Quote(s); s == "" || len(q) != len(s)+2 || strings.ContainsAny(s, " []()=") {
		return q
	}
	return s
}
