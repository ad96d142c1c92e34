package cli

import (
	"errors"
	"strings"

	"github.com/scriptspec/scriptspec"
)

// flagPlaces are the places in errors of the library that are set by a flag of the same name.
var flagPlaces = map[string]string{
	"options.from": "--from", "options.to": "--to", "options.only": "--only", "options.work_dir": "--work", "options.timeout": "--timeout",
	"options.parallelism": "--jobs",
	"argo.image":          "--image", "argo.claim": "--claim", "argo.mount": "--mount", "argo.data": "--data", "argo.work": "--work",
	"argo.namespace": "--namespace", "argo.service_account": "--service-account", "argo.timeout": "--timeout",
}

// goWords are what the library calls by the names of Go, with what a caller of the command knows it by.
var goWords = [][2]string{
	{"set RuntimeTester.Python or SCRIPTSPEC_PYTHON", "pass --python or set SCRIPTSPEC_PYTHON"},
	{"RuntimeTester.Python", "--python"},
	{"to be named in RuntimeTester.CommandLine", "to be run with --command-line"},
	{"name it in RuntimeTester.CommandLine", "run it with --command-line"},
	{"RuntimeTester.Preload", "--preload"},
	{"Slurm.Args", "--sbatch"},
	{"save it with Save or SaveStep, or put the spec itself in the place of its name", "create it with scriptspec new, or put the spec itself in the place of its name"},
	{"it is WorkDir of that run's result", "pass it with --work"},
	{"Only names no node", "--only names no node"},
	{"Only runs exactly its nodes and does not go with From and To", "it runs exactly its nodes and does not go with --from and --to"},
	{"allow such pairs with AllowSemantic", "allow such pairs with allow_semantic in its options"},
	{"Fix restores them", "lint --fix restores them"},
	{"(only with KnownTags)", "(only with known_tags in the settings)"},
	{"(only with Scripts)", "(only with --scripts)"},
	{", which is not in PathVars", ", to which the command gives no value"},
	{"variables of PathVars are in braces", "variables are in braces, and the command gives none a value"},
	{"write the path out, or give ${NAME} a value in PathVars", "write the path out"},
}

// inWords says what the library does in the words of the command.
func inWords(text string) string {
	var pairs []string
	for _, words := range goWords {
		pairs = append(pairs, words[0], words[1])
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// inFlags is inWords for an error that is not about the text of a file, in which the same places keep their names.
func inFlags(text string) string {
	var pairs []string
	for place, flag := range flagPlaces {
		_, name, _ := strings.Cut(place, ".")
		pairs = append(pairs, place+": "+name+" ", flag+" ", place+":", flag+":", place+"[", flag+"[")
	}
	return inWords(strings.NewReplacer(pairs...).Replace(text))
}

// wordedResult says in the words of the command what went wrong in a run.
func wordedResult(r scriptspec.Result) {
	switch r := r.(type) {
	case *scriptspec.StoreTestResult:
		for i, s := range r.Specs {
			r.Specs[i].Error, r.Specs[i].Result = inWords(s.Error), wordedScript(s.Result)
		}
	case *scriptspec.PipelineTestResult:
		for i, n := range r.Nodes {
			r.Nodes[i].Reason, r.Nodes[i].Result = inWords(n.Reason), wordedScript(n.Result)
		}
	}
}

// wordedScript is wordedResult for one script, of which the tester may still have the original.
func wordedScript(r *scriptspec.ScriptTestResult) *scriptspec.ScriptTestResult {
	if r == nil || inWords(r.ErrorMessage) == r.ErrorMessage {
		return r
	}
	worded := *r
	worded.ErrorMessage = inWords(r.ErrorMessage)
	return &worded
}

// wordedEvent is wordedResult for what happens in a run.
func wordedEvent(e scriptspec.Event) scriptspec.Event {
	e.Error, e.Reason, e.Result = inWords(e.Error), inWords(e.Reason), wordedScript(e.Result)
	return e
}

// codeOfFlags returns the exit code for an error that is about what flags say: about nodes that there are not, nothing is
// selected. 0 if it is about something else as well.
func codeOfFlags(err error) int {
	code := 0
	problems := []error{err}
	if all, ok := errors.AsType[*scriptspec.ValidationError](err); ok {
		problems = all.Unwrap()
	}
	for _, err := range problems {
		_, isText := errors.AsType[*scriptspec.DecodeError](err)
		fe, ok := errors.AsType[*scriptspec.FieldError](err)
		if !ok || isText {
			return 0
		}
		place, _, _ := strings.Cut(fe.Path, "[")
		switch _, known := flagPlaces[place]; {
		case !known:
			return 0
		case fe.Code != scriptspec.CodeUnknownNode:
			code = exitUsage
		case code == 0:
			code = exitNone
		}
	}
	return code
}

// wrongCall makes an error about a name or value that was passed one of the call. What a file says stays as it is.
func wrongCall(err error) error {
	_, isText := errors.AsType[*scriptspec.DecodeError](err)
	if _, ok := errors.AsType[*scriptspec.FieldError](err); ok && !isText {
		return &exit{exitUsage, err}
	}
	return err
}
