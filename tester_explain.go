package scriptspec

import (
	"regexp"
	"strings"

	"github.com/scriptspec/scriptspec/internal/similarity"
)

var noAttribute = regexp.MustCompile(`^'Namespace' object has no attribute '(.+)'$`)

// explanation says what an exception has to do with the spec, in parentheses; "" for most.
func (r *scriptRun) explanation() string {
	res := &r.result
	switch res.ErrorType {
	case "ModuleNotFoundError": // most often another interpreter was meant
		return sprintf(" (Python %s at %s, which is %s)", []any{res.Interpreter.Version, res.Interpreter.Path, r.source})
	case "AttributeError":
		if found := noAttribute.FindStringSubmatch(res.ErrorMessage); found != nil {
			return lacking("job arguments", found[1], sortedKeys(r.spec.JobArgs))
		}
	case "KeyError":
		return r.missingKey()
	case "IsADirectoryError":
		for _, e := range sortedPaths(r.spec, fieldOutputs) {
			if strings.Contains(res.ErrorMessage, "'"+e.path+"'") {
				return sprintf(" (output '%s' is a directory, which the script is to write files in)", []any{e.key})
			}
		}
	}
	return ""
}

// missingKey explains a KeyError of a line that reads one of the maps of a spec.
func (r *scriptRun) missingKey() string {
	key := strings.Trim(r.result.ErrorMessage, `'"`)
	line := lastLineOf(r.request.Script, r.result.Traceback)
	for _, table := range []struct {
		word, noun string
		names      []string
	}{
		{"input_paths", "inputs", sortedKeys(r.spec.InputPaths)},
		{"output_paths", "outputs", sortedKeys(r.spec.OutputPaths)},
		{"environ", "environment variables", sortedKeys(r.spec.EnvironVars)},
		{"job_args", "job arguments", sortedKeys(r.spec.JobArgs)},
	} {
		if reads(line, table.word, key) {
			return lacking(table.noun, key, table.names)
		}
	}
	return ""
}

// reads reports whether a line of code reads a key of a map, by a literal or a variable: it may use a value of
// the map as the key of another.
func reads(line, word, key string) bool {
	_, rest, found := strings.Cut(line, word)
	return found && (strings.Contains(rest, `"`+key+`"`) || strings.Contains(rest, "'"+key+"'") || variableIndex.MatchString(rest))
}

var variableIndex = regexp.MustCompile(`^\w*\[[A-Za-z_]\w*\]`)

// lastLineOf returns the innermost line of a file in a traceback.
func lastLineOf(file, traceback string) string {
	var line string
	previous := ""
	for text := range strings.Lines(traceback) {
		if strings.HasPrefix(previous, `  File "`+file+`"`) {
			line = strings.TrimSpace(text)
		}
		previous = text
	}
	return line
}

// lacking says which names a spec has instead of one.
func lacking(noun, name string, names []string) string {
	text := sprintf(" (the spec has no %s", []any{noun})
	if len(names) > 0 {
		text = sprintf(" (the spec has the %s ", []any{noun}) + listed(names)
	}
	if near := similarity.Nearest(names, name); near != "" {
		text += "; did you mean " + printable(near) + "?"
	}
	return text + ")"
}
