package cli

import (
	"testing"

	"github.com/scriptspec/scriptspec"
)

// The next thing to do is what helps with this outcome, and nothing where the message is all there is.
func TestNextThing(t *testing.T) {
	t.Parallel()
	fed := surroundings{feeds: func(*scriptspec.ScriptTestResult) []feed {
		return []feed{{"churn", "Prep", "rows", "Load", "out"}, {"it's", "Train", "features", "Prep", "features"}}
	}}
	inPipeline := fed
	inPipeline.pipeline = "churn"
	python := scriptspec.Interpreter{Path: "/usr/bin/python3.11"}
	frames := []frame{{file: "a.py", line: "3"}, {file: "b.py", line: "7"}}
	const (
		install    = "install it for python3.11, or pass another interpreter with --python"
		anyPath    = "put data there, or fix the path in the spec; scriptspec lint shows all wrong paths"
		defineMain = "define main with any of the parameters input_paths, output_paths, environ_vars and job_args"
		ofJobArgs  = "add rows to job_args in the spec, or fix its name in the script"
	)
	for name, test := range map[string]struct {
		outcome       scriptspec.Outcome
		kind, message string
		in            surroundings
		want          string
	}{
		"exception":              {scriptspec.OutcomeException, "ValueError", "no", fed, "fix the script at b.py:7"},
		"no module":              {scriptspec.OutcomeException, "ModuleNotFoundError", "No module named 'x' (Python 3.11)", fed, install},
		"no module of a package": {scriptspec.OutcomeException, "ModuleNotFoundError", "No module named 'x.y' (Python 3.11)", fed, "fix the import at b.py:7, or install another version of x"},
		"no package":             {scriptspec.OutcomeException, "ModuleNotFoundError", "No module named 'x.y'; 'x' is not a package (Python 3.11)", fed, "fix the script at b.py:7"},
		"no name":                {scriptspec.OutcomeException, "ImportError", "cannot import name 'f' from 'x.y' (/v/site-packages/x/y.py)", fed, "fix the import at b.py:7, or install another version of x"},
		"no name of our own":     {scriptspec.OutcomeException, "ImportError", "cannot import name 'f' from 'x.y' (/repo/x/y.py)", fed, "fix the script at b.py:7"},
		"circular": {
			scriptspec.OutcomeException, "ImportError",
			"cannot import name 'f' from partially initialized module 'x' (most likely due to a circular import) (/v/site-packages/x.py)", fed, "fix the script at b.py:7",
		},
		"broken library":    {scriptspec.OutcomeException, "ImportError", "libcudart.so.12: cannot open shared object file", fed, ""},
		"no job argument":   {scriptspec.OutcomeException, "AttributeError", "'Namespace' object has no attribute 'rows' (the spec has no job arguments)", fed, ofJobArgs + "; for one run: --set job_args.rows=JSON"},
		"in a pipeline":     {scriptspec.OutcomeException, "KeyError", "'rows' (the spec has the job arguments a, b)", inPipeline, ofJobArgs},
		"no variable":       {scriptspec.OutcomeException, "KeyError", "'MY KEY' (the spec has the environment variables A)", fed, "add MY KEY to environ_vars in the spec, or fix its name in the script; for one run: --set 'environ_vars.MY KEY=TEXT'"},
		"no input":          {scriptspec.OutcomeException, "KeyError", "'rows' (the spec has the inputs a)", fed, "add rows to input_paths in the spec, or fix its name in the script"},
		"no output":         {scriptspec.OutcomeException, "KeyError", "'rows' (the spec has no outputs)", fed, "add rows to output_paths in the spec, or fix its name in the script"},
		"no flag":           {scriptspec.OutcomeExit, "SystemExit", "2 (the following arguments are required: --rows)", fed, "add what is missing to job_args in the spec, or fix its name in the script; for one run: --set job_args.NAME=JSON"},
		"flag of a main":    {scriptspec.OutcomeExit, "SystemExit", "2 (the following arguments are required: --rows; if the script is a program, list it under command_line)", inPipeline, "if the script is a program, run it with --command-line prep; else add what is missing to job_args in the spec, or fix its name in the script"},
		"no main":           {scriptspec.OutcomeNoMain, "", "the script has no function main(); if it is a program, list it under command_line", fed, "if the script is a program, run it with --command-line prep; else " + defineMain},
		"another main":      {scriptspec.OutcomeBadMain, "", "main has a further parameter without a default: x (it is called with job_args)", fed, defineMain},
		"no dict":           {scriptspec.OutcomeException, "AttributeError", "'Namespace' object has no attribute 'get' (job_args is an argparse.Namespace and not a dict: write job_args.nap)", fed, "fix the script at b.py:7"},
		"exit":              {scriptspec.OutcomeExit, "SystemExit", "3", fed, ""},
		"exit with a text":  {scriptspec.OutcomeExitMessage, "SystemExit", "no rows", fed, ""},
		"signal":            {scriptspec.OutcomeSignal, "", "ended by SIGKILL", fed, ""},
		"crashed":           {scriptspec.OutcomeCrashed, "", "as os._exit does it", fed, ""},
		"interrupted":       {scriptspec.OutcomeInterrupted, "KeyboardInterrupt", "", fed, ""},
		"input of an edge":  {scriptspec.OutcomeInputMissing, "", "Input path 'rows' does not exist: x", fed, "run the pipeline, where Load.out feeds this input: scriptspec run --pipeline churn --to Prep; or leave specs of pipelines out with --without-pipelines"},
		"of the second":     {scriptspec.OutcomeInputMissing, "", "Input path 'features' does not exist: x", fed, `run the pipeline, where Prep.features feeds this input: scriptspec run --pipeline 'it'\''s' --to Train; or leave specs of pipelines out with --without-pipelines`},
		"of an edge of now": {scriptspec.OutcomeInputMissing, "", "Input path 'rows' does not exist: x", inPipeline, "look at what Load has written to out, which feeds rows"},
		"of no edge":        {scriptspec.OutcomeInputMissing, "", "Input path 'row' does not exist: x", fed, anyPath},
		"without pipelines": {scriptspec.OutcomeInputMissing, "", "Input path 'rows' does not exist: x", surroundings{}, anyPath},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &scriptspec.ScriptTestResult{ScriptName: "prep", Outcome: test.outcome, ErrorType: test.kind, ErrorMessage: test.message, Interpreter: python}
			if got := (&app{}).nextThing(r, frames, test.in); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}
