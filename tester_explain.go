package scriptspec

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/scriptspec/scriptspec/internal/datafiles"
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
			if line := lastLineOf(r.request.Script, res.Traceback); strings.Contains(line, "."+found[1]+"(") {
				return notDict(line)
			}
			tables := r.tables()
			return r.lacking(tables[len(tables)-1], found[1])
		}
	case "TypeError":
		if notMapping.MatchString(res.ErrorMessage) {
			return notDict(lastLineOf(r.request.Script, res.Traceback))
		}
	case "KeyError":
		if text := r.missingKey(); text != "" {
			return text
		}
		return r.missingColumn()
	case "IsADirectoryError":
		for _, e := range sortedPaths(r.spec, fieldOutputs) {
			if strings.Contains(res.ErrorMessage, "'"+e.path+"'") {
				return sprintf(" (output '%s' is a directory, which the script is to write files in)", []any{e.key})
			}
		}
	}
	return ""
}

var (
	notMapping = regexp.MustCompile(`^'Namespace' object (?:is not subscriptable|does not support item)`)
	// keyRead finds the key in a line that reads a Namespace as it would read a dict.
	keyRead = regexp.MustCompile(`(?:\.(?:get|pop|setdefault)\(|\[)\s*['"]([A-Za-z_]\w*)['"]`)
)

// notDict says how a job argument is read, after a line that takes all of them for a dict.
func notDict(line string) string {
	name := "NAME"
	if found := keyRead.FindStringSubmatch(line); found != nil {
		name = found[1]
	}
	return sprintf(" (job_args is an argparse.Namespace and not a dict: write job_args.%s, or getattr(job_args, \"%s\", DEFAULT))", []any{name, name})
}

// usageError returns what argparse said before it ended the script, in parentheses.
func (r *scriptRun) usageError() string {
	_, said, found := strings.Cut(lastLine(r.result.Stderr.Text), ": error: ")
	switch {
	case !found:
		return ""
	case r.request.Program:
		return sprintf(" (%s)", []any{said})
	}
	return sprintf(" (%s; if the script is a program, list it under command_line)", []any{said})
}

// missingKey explains a KeyError of a line that reads one of the maps of a spec.
func (r *scriptRun) missingKey() string {
	key := strings.Trim(r.result.ErrorMessage, `'"`)
	line := lastLineOf(r.request.Script, r.result.Traceback)
	for _, table := range r.tables() {
		if reads(line, table.word, key) {
			return r.lacking(table, key)
		}
	}
	return ""
}

// specTable is a map of a spec as a script has it.
type specTable struct {
	member, word, noun string // in the spec, in a line that reads it, in a sentence
	names              []string
}

func (r *scriptRun) tables() [4]specTable {
	return [...]specTable{
		{"input_paths", "input_paths", "inputs", sortedKeys(r.spec.InputPaths)},
		{"output_paths", "output_paths", "outputs", sortedKeys(r.spec.OutputPaths)},
		{"environ_vars", "environ", "environment variables", sortedKeys(r.spec.EnvironVars)},
		{"job_args", "job_args", "job arguments", sortedKeys(r.spec.JobArgs)},
	}
}

// reads reports whether a line of code reads a key of a map, by a literal or a variable: it may use a value of
// the map as the key of another.
func reads(line, word, key string) bool {
	literal := regexp.MustCompile(word + `\w*\s*(\[|\.pop\()\s*['"]` + regexp.QuoteMeta(key) + `['"]`)
	_, rest, found := strings.Cut(line, word)
	return literal.MatchString(line) || found && variableIndex.MatchString(rest)
}

var variableIndex = regexp.MustCompile(`^\w*\[([A-Za-z_]\w*|f["'][^"']*["'])\]`)

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

const renamed = "was %s, which it never reads, renamed?"

// lacking says which names a spec has instead of one, and which of them the script may mean.
func (r *scriptRun) lacking(t specTable, name string) string {
	text := sprintf("the spec has no %s", []any{t.noun})
	if len(t.names) > 0 {
		text = sprintf("the spec has the %s ", []any{t.noun}) + listed(t.names)
	}
	candidates, doubt := t.names, "did you mean %s?"
	if script := r.read(); script != nil {
		uses, dynamic := script.usesOf(t.member)
		if len(uses) > 0 {
			text += ", the script reads " + listed(uses)
		}
		unread := slices.DeleteFunc(slices.Clone(t.names), func(n string) bool { return slices.Contains(uses, n) })
		if !dynamic && len(unread) > 0 {
			candidates, doubt = unread, renamed
		}
	}
	near := similarity.Nearest(candidates, name)
	if near == "" && len(candidates) == 1 && doubt == renamed {
		near = candidates[0]
	}
	if near != "" {
		text += "; " + sprintf(doubt, []any{near})
	}
	return " (" + text + ")"
}

// read returns what the text of the script says, nil if it cannot be read.
func (r *scriptRun) read() *ScriptInterface {
	const enough = 10 * time.Second // the run is over, and who waits for it need not wait for this
	ctx, cancel := context.WithTimeout(context.Background(), enough)
	defer cancel()
	found, err := inspect(ctx, cmp.Or(r.result.Interpreter.Path, r.python), []string{r.request.Script})
	if err != nil || found[0].Error != "" {
		return nil
	}
	return found[0]
}

// usesOf returns the names that a script reads of a map of the spec, and whether it may read others.
func (script *ScriptInterface) usesOf(member string) (names []string, dynamic bool) {
	uses := map[string][]ScriptUse{
		"input_paths": script.InputPaths, "output_paths": script.OutputPaths, "environ_vars": script.EnvironVars, "job_args": script.JobArgs,
	}
	return namesOf(uses[member]), slices.Contains(script.Dynamic, member)
}

// quotedName finds the names in the message of a KeyError, as of pandas: "['a', 'b'] not in index".
var quotedName = regexp.MustCompile(`'([^']+)'`)

// missingColumn explains a KeyError for a column that no table among the inputs has: where the nearest one is
// or, if pandas or polars raised it, what there is.
func (r *scriptRun) missingColumn() string {
	names := []string{strings.Trim(r.result.ErrorMessage, `'"`)}
	for _, found := range quotedName.FindAllStringSubmatch(r.result.ErrorMessage, maxListed) {
		names = append(names, found[1])
	}
	headers := r.headers()
	for _, name := range names[min(len(names)-1, 1):] {
		if slices.ContainsFunc(headers, func(h header) bool { return slices.Contains(h.columns, name) }) {
			continue
		}
		var of *header
		doubt := ""
		for i := range headers {
			if near := similarity.Nearest(headers[i].columns, name); near != "" {
				of, doubt = &headers[i], sprintf("; did you mean %s?", []any{near})
				break
			}
		}
		if of == nil && len(headers) > 0 && framed.MatchString(r.result.Traceback) {
			of = &headers[0]
		}
		if of != nil {
			return sprintf(" (no table among the inputs has a column '%s'; %s of input '%s' has ", []any{name, of.file, of.input}) +
				listed(of.columns) + doubt + ")"
		}
	}
	return ""
}

var framed = regexp.MustCompile(`(?m)^  File ".*/(pandas|polars)/`)

// header has the columns of a table among the inputs.
type header struct {
	input, file string
	columns     []string
}

// headers returns those of the first tables among the inputs.
func (r *scriptRun) headers() (headers []header) {
	const maxTables, maxFiles = 16, 1000
	files := 0
	for _, e := range sortedPaths(r.spec, fieldInputs) {
		place, err := datafiles.Open(e.path)
		if err != nil {
			continue
		}
		for file, err := range place.Files() {
			if files++; files > maxFiles || len(headers) == maxTables {
				break
			}
			if err != nil || !datafiles.IsTable(file.Name) {
				continue
			}
			if columns := place.Header(file.Name); len(columns) > 0 {
				headers = append(headers, header{e.key, file.Name, columns})
			}
		}
		_ = place.Close()
	}
	return headers
}
