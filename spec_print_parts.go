package scriptspec

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Parts of specs and what specs are made of print as specs do: with names, and without the values that nobody is to see.

// String returns the names of the members that are set.
func (m Metadata) String() string {
	var b strings.Builder
	b.WriteString("metadata")
	var set []string
	l, v := layoutOf(&ScriptExecutionSpec{Metadata: m})
	for i := range fields {
		if l.inMeta[i] && !l.codecs[i].empty(l.at(v, i)) {
			set = append(set, l.names[i])
		}
	}
	labelled{"members", set}.describe(&b)
	return b.String()
}

// Format prints String for every verb; %q quotes it.
func (m Metadata) Format(f fmt.State, verb rune) { format(f, verb, m) }

// LogValue is String, for [log/slog].
func (m Metadata) LogValue() slog.Value { return slog.StringValue(m.String()) }

// String returns the name of the base, and those of what it has.
func (b Base) String() string {
	var text strings.Builder
	text.WriteString("base " + quoteUnlessPlain(b.Name))
	for _, list := range []labelled{
		{"extends", b.Extends},
		{"inputs", append(slices.Sorted(maps.Keys(b.InputPaths)), slices.Sorted(maps.Keys(b.InputPathSpecs))...)},
		{"outputs", append(slices.Sorted(maps.Keys(b.OutputPaths)), slices.Sorted(maps.Keys(b.OutputPathSpecs))...)},
		{"env", slices.Sorted(maps.Keys(b.EnvironVars))},
		{"args", slices.Sorted(maps.Keys(b.JobArgs))},
	} {
		list.describe(&text)
	}
	return text.String()
}

// Format prints String for every verb; %q quotes it.
func (b Base) Format(f fmt.State, verb rune) { format(f, verb, b) }

// LogValue is String, for [log/slog].
func (b Base) LogValue() slog.Value { return slog.StringValue(b.String()) }

// String returns the name of the example, and those of what it replaces.
func (e Example) String() string {
	var text strings.Builder
	text.WriteString("example " + quoteUnlessPlain(e.Name))
	for _, list := range []labelled{
		{"inputs", slices.Sorted(maps.Keys(e.InputPaths))},
		{"env", slices.Sorted(maps.Keys(e.EnvironVars))},
		{"args", slices.Sorted(maps.Keys(e.JobArgs))},
	} {
		list.describe(&text)
	}
	return text.String()
}

// Format prints String for every verb; %q quotes it.
func (e Example) Format(f fmt.State, verb rune) { format(f, verb, e) }

// LogValue is String, for [log/slog].
func (e Example) LogValue() slog.Value { return slog.StringValue(e.String()) }

// String returns the names of the template and of its parameters.
func (t Template) String() string {
	var text strings.Builder
	text.WriteString("template " + quoteUnlessPlain(t.Name))
	labelled{"parameters", slices.Sorted(maps.Keys(t.Parameters))}.describe(&text)
	return text.String()
}

// Format prints String for every verb; %q quotes it.
func (t Template) Format(f fmt.State, verb rune) { format(f, verb, t) }

// LogValue is String, for [log/slog].
func (t Template) LogValue() slog.Value { return slog.StringValue(t.String()) }

// String returns the path of the file and how much of it changes.
func (m Migration) String() string {
	return quoteUnlessPlain(m.File) + " changes=" + strconv.Itoa(len(m.Changes))
}

// Format prints String for every verb; %q quotes it.
func (m Migration) Format(f fmt.State, verb rune) { format(f, verb, m) }

// LogValue is String, for [log/slog].
func (m Migration) LogValue() slog.Value { return slog.StringValue(m.String()) }
