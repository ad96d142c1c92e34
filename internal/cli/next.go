package cli

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/scriptspec/scriptspec"
)

// surroundings are what the next thing to do depends on beside a result.
type surroundings struct {
	pipeline string             // that was run, "" for specs
	expect   scriptspec.Outcome // of an example, "" for passed
	feeds    feeds
	hidden   []string // shell variables in the command that runs it again
}

// feed is where an input comes from in a pipeline.
type feed struct{ pipeline, node, input, source, output string }

// feeds returns what pipelines feed to a script, asked only where it matters.
type feeds func(r *scriptspec.ScriptTestResult) []feed

// feedsOf returns what a pipeline feeds to a script. A pipeline that has no plan says nothing.
func feedsOf(p *scriptspec.PipelineTestingSpec, r *scriptspec.ScriptTestResult) []feed {
	plan, _ := p.Plan(nil) // there may be a plan beside an error
	if plan == nil {
		return nil
	}
	var all []feed
	for _, n := range plan.Nodes {
		s, ok := p.Specs[n.Node]
		if !ok {
			continue
		}
		if b := s.Basic(); b.ScriptName != r.ScriptName || b.StepName != r.StepName {
			continue
		}
		for _, in := range n.Inputs {
			all = append(all, feed{p.Name, n.Node, in.DestLogicalName, in.Source, in.SourceLogicalName})
		}
	}
	return all
}

// feedsIn returns what the pipelines of a store feed to a script.
func feedsIn(st *scriptspec.Store) feeds {
	var loaded []*scriptspec.PipelineTestingSpec
	asked := false
	return func(r *scriptspec.ScriptTestResult) []feed {
		if !asked {
			asked = true
			names, _ := st.Pipelines() // what cannot be read feeds nothing
			for _, name := range names {
				if p, err := st.LoadPipeline(name); err == nil {
					loaded = append(loaded, p)
				}
			}
		}
		var all []feed
		for _, p := range loaded {
			all = append(all, feedsOf(p, r)...)
		}
		return all
	}
}

// nextThing says what to do about an outcome, "" where there is nothing to say but the message.
func (a *app) nextThing(r *scriptspec.ScriptTestResult, frames []frame, in surroundings) string {
	at := ""
	if len(frames) > 0 {
		at = " at " + frames[len(frames)-1].file + ":" + frames[len(frames)-1].line
	}
	switch {
	case in.expect == "":
	case r.Success:
		return "make the script refuse what the example gives it, or take expect out of the example"
	case r.Outcome != scriptspec.OutcomeScriptMissing && r.Outcome != scriptspec.OutcomeInputMissing && r.Outcome != scriptspec.OutcomeOutputUnusable:
		return "fix the script" + at + ", or the outcome that the example expects"
	}
	switch r.Outcome {
	case scriptspec.OutcomeException:
		if r.ErrorType == "ModuleNotFoundError" || r.ErrorType == "ImportError" {
			return nextImport(r, at)
		}
		if found := lacking.FindStringSubmatch(r.ErrorMessage); found != nil {
			return nextMember(found[2], found[1], in)
		}
		return "fix the script" + at
	case scriptspec.OutcomeExit:
		if strings.Contains(r.ErrorMessage, "the following arguments are required: -") { // by argparse
			return asProgram(r) + nextMember("job arguments", "", in)
		}
	case scriptspec.OutcomeTimeout:
		return "use less data, or allow more time with --timeout or timeout in the spec"
	case scriptspec.OutcomeMemory:
		return "use less data, or raise max_memory in the spec"
	case scriptspec.OutcomeNoOutput:
		return "write to the directory in output_paths, or list the output under optional"
	case scriptspec.OutcomeInputMissing:
		for _, f := range in.feedsTo(r) {
			if !strings.HasPrefix(r.ErrorMessage, "Input path '"+f.input+"' ") {
				continue
			}
			if in.pipeline != "" {
				return harmless(fmt.Sprintf("look at what %s has written to %s, which feeds %s", f.source, f.output, f.input))
			}
			return fmt.Sprintf("run the pipeline, where %s feeds this input: %s; or leave specs of pipelines out with --without-pipelines",
				harmless(f.source+"."+f.output), a.again("run", "--pipeline", f.pipeline, "--to", f.node))
		}
		return "put data there, or fix the path in the spec; scriptspec lint shows all wrong paths"
	case scriptspec.OutcomeScriptMissing, scriptspec.OutcomeOutputUnusable:
		return "fix the path in the spec; scriptspec lint shows all wrong paths"
	case scriptspec.OutcomeInputChanged:
		return "write to an output; inputs must stay as they are"
	case scriptspec.OutcomePackageMissing:
		return "install it, or pass another interpreter with --python"
	case scriptspec.OutcomeNoMain, scriptspec.OutcomeBadMain:
		return asProgram(r) + "define main with any of the parameters input_paths, output_paths, environ_vars and job_args"
	case scriptspec.OutcomeUnfinished:
		return "make main wait for the processes it starts"
	}
	return ""
}

// asProgram begins what is to be done about a script that may be a program, and was not run as one.
func asProgram(r *scriptspec.ScriptTestResult) string {
	if !strings.HasSuffix(strings.TrimSuffix(r.ErrorMessage, ")"), "list it under command_line") {
		return ""
	}
	return "if the script is a program, run it with --command-line " + quoted(harmless(r.ScriptName)) + "; else "
}

// withData adds what to do to the error of a pipeline that lacks data to begin with.
func withData(err error) error {
	fe, ok := errors.AsType[*scriptspec.FieldError](err)
	if !ok || fe.Code != scriptspec.CodeNotExist || !strings.Contains(fe.Path, ".input_path") {
		return err
	}
	return fmt.Errorf("%w\nput data there, or fix the path in the spec", err)
}

func (in surroundings) feedsTo(r *scriptspec.ScriptTestResult) []feed {
	if in.feeds == nil {
		return nil
	}
	return in.feeds(r)
}

// lacking matches the explanation of an exception by what the spec lacks, with the name that the script has asked for.
var lacking = regexp.MustCompile(`['"]([^'"]*)['"] \(the spec has (?:the|no) (inputs|outputs|environment variables|job arguments)\b`)

// nextMember says where a name belongs that the spec does not have.
func nextMember(noun, name string, in surroundings) string {
	member, value := map[string]string{"inputs": "input_paths", "outputs": "output_paths", "environment variables": "environ_vars", "job arguments": "job_args"}[noun], ""
	what := "add what is missing"
	if name != "" {
		what = "add " + harmless(name)
	}
	what += " to " + member + " in the spec, or fix its name in the script"
	switch {
	case in.pipeline != "":
		return what
	case member == "environ_vars":
		value = "TEXT"
	case member == "job_args":
		value = "JSON"
	default:
		return what
	}
	if name == "" {
		name = "NAME"
	}
	return what + "; for one run: --set " + quoted(member+"."+harmless(name)+"="+value)
}

var (
	noName   = regexp.MustCompile(`^cannot import name '.*' from (?:partially initialized module )?'([^']*)' \((.*?)\)`)
	noModule = regexp.MustCompile(`^No module named '([^']*)'(; '.*' is not a package)?`)
)

// nextImport says what to do about an import that failed: only a module that is not there can be installed.
func nextImport(r *scriptspec.ScriptTestResult, at string) string {
	if found := noModule.FindStringSubmatch(r.ErrorMessage); found != nil {
		switch top, _, isPart := strings.Cut(found[1], "."); {
		case found[2] != "":
			return "fix the script" + at
		case isPart: // of a package that is there
			return "fix the import" + at + ", or install another version of " + harmless(top)
		}
		return "install it for " + filepath.Base(harmless(r.Interpreter.Path)) + ", or pass another interpreter with --python"
	}
	if found := noName.FindStringSubmatch(r.ErrorMessage); found != nil {
		if top, _, _ := strings.Cut(found[1], "."); !isOwn(found[2]) && !strings.Contains(r.ErrorMessage, "circular import") {
			return "fix the import" + at + ", or install another version of " + harmless(top)
		}
		return "fix the script" + at
	}
	return ""
}
