package scriptspec

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/scriptspec/scriptspec/internal/similarity"
)

// ScriptFlag is an argument that a script describes to argparse.
type ScriptFlag struct {
	// Names are as in add_argument: --batch-size, -b. Dest is the attribute that has the value.
	Names []string
	Dest  string
	// Type is int, float, str or bool; "" if it cannot be told.
	Type string
	// Takes says how many values it has: none, one, maybe (one or none) or many; "" if it cannot be told.
	Takes string
	// Choices are the values allowed, as JSON reads them; nil if all are, or it cannot be told.
	Choices []any
	// Action is that of add_argument, by its name; "" for storing what follows.
	Action string
	// Required reports whether argparse refuses to go without it.
	Required bool
	// Default is its literal default, as JSON reads it; nil for none.
	Default any
}

func (f *ScriptFlag) isPositional() bool { return !strings.HasPrefix(f.Names[0], "-") }

// IsProgram reports whether a script is one for RuntimeTester.CommandLine: it reads flags, and has no main that takes what
// others do.
func (script *ScriptInterface) IsProgram() bool { return script.isProgram() }

// isProgram reports whether a script reads flags, as RuntimeTester.CommandLine passes them, and has no main that
// takes what others do.
func (script *ScriptInterface) isProgram() bool {
	takesSome := slices.ContainsFunc(script.Parameters, func(p ScriptParameter) bool {
		return slices.Contains(mainParameters[:], p.Name) || p.Kind == "var_keyword" || !p.HasDefault && p.Kind != "var_positional"
	})
	return !script.Opaque && !takesSome && (len(script.Flags) > 0 || slices.Contains(script.Dynamic, "flags"))
}

// flagOf returns the flag that a job argument is passed as to a program: argparse also takes the beginning of
// one.
func (script *ScriptInterface) flagOf(name string) *ScriptFlag {
	var begins []*ScriptFlag
	for i := range script.Flags {
		f := &script.Flags[i]
		if slices.Contains(f.Names, "--"+name) {
			return f
		}
		if slices.ContainsFunc(f.Names, func(n string) bool { return strings.HasPrefix(n, "--"+name) }) {
			begins = append(begins, f)
		}
	}
	if len(begins) == 1 {
		return begins[0]
	}
	return nil
}

func (script *ScriptInterface) flagWithDest(name string) *ScriptFlag {
	i := slices.IndexFunc(script.Flags, func(f ScriptFlag) bool { return f.Dest == name })
	if i < 0 {
		return nil
	}
	return &script.Flags[i]
}

// takes reports whether a job argument can be given to the script at all.
func (script *ScriptInterface) takes(name string) bool {
	return !script.isProgram() || slices.Contains(script.Dynamic, "flags") || script.flagOf(name) != nil
}

// programDrift compares the job arguments of a spec with the flags of a program.
func (script *ScriptInterface) programDrift(args JobArgs, isSecret func(name string) bool) []Drift {
	var drifts []Drift
	add := func(kind DriftKind, name, message string) {
		drifts = append(drifts, Drift{kind, keyed("job_args", name), false, message})
	}
	given := map[*ScriptFlag]bool{}
	for _, name := range sortedKeys(args) {
		f := script.flagOf(name)
		if f == nil {
			if slices.Contains(script.Dynamic, "flags") {
				continue
			}
			message := "no flag of the script is called --" + name + ", and argparse refuses those it does not know"
			if other := script.flagWithDest(name); other != nil && !other.isPositional() {
				message += "; the script has " + strings.Join(other.Names, " and ")
				given[other] = true
			} else if near := similarity.Nearest(script.flagNames(), name, strings.ReplaceAll(name, "_", "-")); near != "" {
				message += " (did you mean " + near + "?)"
			}
			add(DriftUnused, name, message)
			continue
		}
		given[f] = true
		if problem := f.problem(args[name], true, isSecret(name)); problem != "" {
			add(DriftValue, name, problem)
		}
	}
	for i := range script.Flags {
		f := &script.Flags[i]
		switch {
		case given[f]:
		case f.isPositional() && f.Takes != "maybe" && f.Takes != "many":
			add(DriftMissing, f.Dest, "argparse takes it by its position, and job arguments are passed as flags")
		case f.Required:
			add(DriftMissing, strings.TrimLeft(f.Names[0], "-"), "argparse requires "+f.Names[0]+" and the spec lacks it")
		}
	}
	return drifts
}

// flagNames returns the names of flags as job arguments have them.
func (script *ScriptInterface) flagNames() []string {
	var names []string
	for _, f := range script.Flags {
		for _, name := range f.Names {
			if long, ok := strings.CutPrefix(name, "--"); ok {
				names = append(names, long)
			}
		}
	}
	return names
}

// problem says why argparse would refuse the value of a job argument, or, of a main that is given it as it is,
// would have made something else. It is "" if it would not, or that cannot be told.
func (f *ScriptFlag) problem(value any, program, secret bool) string {
	plain, err := plainJSON(value)
	if err != nil {
		return "" // which is an error of the spec
	}
	list, isList := plain.([]any)
	switch {
	case plain == nil || plain == false:
		if program && plain == false && f.Takes == "none" && f.Default == true && strings.HasPrefix(f.Action, "Boolean") {
			return "false leaves the flag out, whose default is true; write " + strconv.Quote("no-"+strings.TrimLeft(f.Names[0], "-")) + ": true"
		}
		if program && f.Required {
			return "null and false leave the flag out, and argparse requires it"
		}
		return ""
	case plain == true:
		if program && f.Takes == "one" {
			return "true is passed as a flag without a value, and this one takes one"
		}
		if !program && f.Takes == "one" && f.Type != "bool" && f.Type != "" {
			return "argparse makes " + described[f.Type] + " of it, and the spec has true"
		}
		return ""
	case f.Takes == "none":
		return "the flag takes no value; true passes it, and false leaves it out"
	case isList && (f.Takes == "one" || f.Takes == "maybe") && (!program || len(list) > 1):
		return "the flag takes one value, and the spec has a list of " + strconv.Itoa(len(list))
	case !isList:
		list = []any{plain}
	}
	for _, item := range list {
		if problem := f.itemProblem(item, program, secret); problem != "" {
			return problem
		}
	}
	return ""
}

var described = map[string]string{"int": "a whole number", "float": "a number", "str": "a text"}

var pythonInt = regexp.MustCompile(`^\s*[+-]?\d+(_\d+)*\s*$`)

func (f *ScriptFlag) itemProblem(item any, program, secret bool) string {
	text := flagText(item)
	_, isText := item.(string)
	number, isNumber := item.(json.Number)
	shown := string(quote(text))
	if isNumber {
		shown = text
	}
	has := ", and the spec has " + shown
	if secret {
		has = ", and the spec has something else"
	}
	_, notFloat := strconv.ParseFloat(strings.ReplaceAll(strings.TrimSpace(text), "_", ""), 64)
	switch {
	case f.Type == "int" && (!pythonInt.MatchString(text) || isText && !program),
		f.Type == "float" && (notFloat != nil || isText && !program),
		f.Type == "str" && isNumber && !program:
		return "argparse makes " + described[f.Type] + " of it" + has
	case len(f.Choices) > 0 && f.Type != "" && !slices.ContainsFunc(f.Choices, func(c any) bool { return sameChoice(c, item, number, program) }):
		var choices []string
		for _, c := range f.Choices {
			choices = append(choices, flagText(c))
		}
		if len(choices) == 1 {
			return "argparse takes only " + listed(choices) + has
		}
		return "argparse takes one of " + listed(choices) + has
	}
	return ""
}

// sameChoice compares a value with a choice as argparse does after it has converted the text.
func sameChoice(choice, item any, number json.Number, program bool) bool {
	if c, ok := choice.(json.Number); ok && (number != "" || program) {
		x, errX := c.Float64()
		y, errY := strconv.ParseFloat(flagText(item), 64)
		return errX == nil && errY == nil && x == y
	}
	_, choiceIsText := choice.(string)
	return flagText(choice) == flagText(item) && (program || choiceIsText == (number == ""))
}
