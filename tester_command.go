package scriptspec

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/scriptspec/scriptspec/internal/strictjson"
)

// flags returns job arguments as the arguments of a program: "--name", "value", sorted by name.
func flags(args JobArgs) ([]string, error) {
	var list []string
	for _, name := range sortedKeys(args) {
		value, err := plainJSON(args[name])
		if err == nil && hasNUL(name, value) {
			return nil, jobArgError(name, CodeNUL, nil, "a NUL byte, which no program can be given in an argument")
		}
		if err != nil {
			return nil, jobArgError(name, CodeUnsupported, err, "%s", err)
		}
		switch v := value.(type) {
		case nil:
		case bool:
			if v {
				list = append(list, "--"+name)
			}
		case []any:
			list = append(list, "--"+name)
			for _, item := range v {
				list = append(list, flagText(item))
			}
		default:
			if text := flagText(v); strings.HasPrefix(text, "-") {
				list = append(list, "--"+name+"="+text) // or it would be taken for a flag
			} else {
				list = append(list, "--"+name, text)
			}
		}
	}
	return list, nil
}

// plainJSON returns what a value is in JSON, with numbers as they are written.
func plainJSON(v any) (plain any, err error) {
	w := strictjson.Writer{Compact: true}
	if err := w.Value(v); err != nil {
		return nil, err
	}
	d := json.NewDecoder(strings.NewReader(string(w.Buf)))
	d.UseNumber()
	err = d.Decode(&plain)
	return plain, err
}

// hasNUL looks at the texts that become arguments; inside of JSON a NUL is escaped.
func hasNUL(name string, value any) bool {
	texts := []any{name, value}
	if list, ok := value.([]any); ok {
		texts = append(texts, list...)
	}
	return slices.ContainsFunc(texts, func(v any) bool {
		s, ok := v.(string)
		return ok && strings.Contains(s, "\x00")
	})
}

func flagText(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	w := strictjson.Writer{Compact: true}
	_ = w.Value(v) // it came from JSON
	return string(w.Buf)
}

// command returns a shell command that runs the script as the tester does, for a person to try.
// Environment variables are in it by name only.
func (r *scriptRun) command() string {
	var b strings.Builder
	if r.tester.Dir != "" {
		b.WriteString("cd " + shellQuote(r.tester.Dir) + " && ")
	}
	names := sortedKeys(r.spec.EnvironVars)
	if slices.ContainsFunc(names, isShellName) {
		b.WriteString(":")
		for _, name := range names {
			if isShellName(name) {
				fmt.Fprintf(&b, ` "${%s?}"`, name) // the shell fails and names one that is not set
			}
		}
		b.WriteString(" && ")
	}
	b.WriteString(shellQuote(r.python) + " -B -u ")
	if r.request.Program {
		b.WriteString(shellQuote(r.request.Script))
		for _, arg := range r.request.Args {
			b.WriteString(" " + shellQuote(arg))
		}
		return b.String()
	}
	var parameters map[string]json.RawMessage
	_ = json.Unmarshal(r.request.Parameters, &parameters)   // written by the writer
	values, _ := json.Marshal(append([]string{}, names...)) // strings can be marshalled
	parameters["environ_vars"] = values
	text, _ := json.Marshal(parameters) // it came from JSON
	const longest = 32 << 10
	if len(text) > longest {
		parameters["job_args"] = json.RawMessage(`{"_": "too long to be shown"}`)
		text, _ = json.Marshal(parameters)
	}
	const program = `import argparse, asyncio, inspect, json, os, runpy, sys
p = json.loads(sys.argv[2])
p["environ_vars"] = {name: os.environ[name] for name in p["environ_vars"]}
p["job_args"] = argparse.Namespace(**p["job_args"])
for path in p["output_paths"].values():
    os.makedirs(path, exist_ok=True)
sys.path[0] = os.path.dirname(sys.argv[1])
main = runpy.run_path(sys.argv[1])["main"]
names = inspect.signature(main).parameters.values()
names = p if any(n.kind == n.VAR_KEYWORD for n in names) else [n.name for n in names]
result = main(**{name: p[name] for name in p if name in names})
print(asyncio.run(result) if inspect.iscoroutine(result) else result)`
	b.WriteString("-c " + shellQuote(program) + " " + shellQuote(r.request.Script) + " " + shellQuote(string(text)))
	return b.String()
}

func isShellName(name string) bool {
	for i, c := range name {
		if c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}

// shellQuote quotes for a POSIX shell what needs it.
func shellQuote(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,+@%") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
