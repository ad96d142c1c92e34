package scriptspec

import (
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"slices"
	"strconv"
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
			items, err := flagList(name, v)
			if err != nil {
				return nil, err
			}
			list = append(list, items...)
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

// flagList returns a list as the arguments of one flag. Of those that begin with a dash, argparse takes none
// but numbers without an exponent for a value, or a single one that is joined to the flag.
func flagList(name string, values []any) ([]string, error) {
	list := []string{"--" + name}
	for i, value := range values {
		text := flagText(value)
		if n, ok := value.(json.Number); ok && strings.HasPrefix(text, "-") {
			text = withoutExponent(n)
		}
		if !strings.HasPrefix(text, "-") || negativeNumber(text) {
			list = append(list, text)
			continue
		}
		if len(values) == 1 {
			return []string{"--" + name + "=" + text}, nil
		}
		return nil, jobArgError(name, CodeUnsupported, nil, "item %d of the list begins with a dash, and argparse would take it for a flag", i).
			hintf("give the list as one text that the script splits, or in a file among the inputs")
	}
	return list, nil
}

// negativeNumber reports whether every argparse takes a text for a negative number.
func negativeNumber(text string) bool {
	whole, fraction, point := strings.Cut(strings.TrimPrefix(text, "-"), ".")
	digits := func(s string) bool { return strings.Trim(s, "0123456789") == "" }
	return digits(whole) && digits(fraction) && (fraction != "" || !point && whole != "")
}

// withoutExponent writes a number with its digits alone: -1e-07 as -0.0000001. One that would be very long it
// leaves as it is.
func withoutExponent(n json.Number) string {
	mantissa, exponent, found := strings.Cut(strings.ToLower(n.String()), "e")
	shift, err := strconv.Atoi(exponent)
	const most = 400 // more than a float64 has
	if !found || err != nil || shift > most || shift < -most {
		return n.String()
	}
	value, ok := new(big.Rat).SetString(n.String())
	if !ok {
		return n.String()
	}
	_, fraction, _ := strings.Cut(mantissa, ".")
	return value.FloatString(max(len(fraction)-shift, 0))
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
	dir := r.tester.Dir
	if dir == "" {
		dir, _ = os.Getwd() // without one it runs wherever the person is
	}
	if dir != "" {
		b.WriteString("cd " + shellQuote(dir) + " && ")
	}
	args := JobArgs(orEmpty(r.spec.JobArgs.clone()))
	redactArgs(args, r.spec.common().isSecret)
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
		list, _ := flags(args) // they were flags before
		for _, arg := range list {
			b.WriteString(" " + shellQuote(arg))
		}
		return b.String()
	}
	var parameters map[string]json.RawMessage
	_ = json.Unmarshal(r.request.Parameters, &parameters)   // written by the writer
	values, _ := json.Marshal(append([]string{}, names...)) // strings can be marshalled
	parameters["environ_vars"] = values
	if shown, err := args.MarshalJSON(); err == nil {
		parameters["job_args"] = shown
	}
	text, _ := json.Marshal(parameters) // it came from JSON
	const longest = 32 << 10
	if len(text) > longest {
		parameters["job_args"] = json.RawMessage(`{"_": "too long to be shown"}`)
		text, _ = json.Marshal(parameters)
	}
	// It can be copied from where all lines are indented, as go test shows it.
	const program = `if 1:
    import argparse, asyncio, importlib.util, inspect, json, os, sys
    path, p = sys.argv[1], json.loads(sys.argv[2])
    sys.argv = [path]
    p["environ_vars"] = {name: os.environ[name] for name in p["environ_vars"]}
    p["job_args"] = argparse.Namespace(**p["job_args"])
    for directory in p["output_paths"].values():
        os.makedirs(directory, exist_ok=True)
    sys.path[0] = os.path.dirname(os.path.realpath(path))
    name = os.path.splitext(os.path.basename(path))[0]
    name = "script_" + name if name in sys.modules else name
    spec = importlib.util.spec_from_file_location(name, path)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    main = module.main
    names = inspect.signature(main).parameters.values()
    names = p if any(n.kind == n.VAR_KEYWORD for n in names) else [n.name for n in names]
    result = main(**{name: p[name] for name in p if name in names})
    print(asyncio.run(result) if inspect.iscoroutine(result) else result)`
	b.WriteString("-c " + inQuotes(program) + " " + shellQuote(r.request.Script) + " " + shellQuote(string(text)))
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

// shellQuote quotes for a POSIX shell what needs it, with lines in one, as the next may be indented where it is shown.
func shellQuote(s string) string {
	if text := strings.TrimRight(s, "\n"); strings.Contains(text, "\n") {
		escaped := strings.NewReplacer(`\`, `\\`, "%", "%%", "'", `\047`, "\n", `\n`).Replace(text)
		if strings.HasPrefix(escaped, "-") { // which would be a flag of printf
			escaped = `\055` + escaped[1:]
		}
		return `"$(printf '` + escaped + `')"` + strings.TrimSuffix("'"+s[len(text):]+"'", "''") // which "$()" loses
	}
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,+@%") == "" {
		return s
	}
	return inQuotes(s)
}

func inQuotes(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
