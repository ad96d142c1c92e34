package scriptspec

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/scriptspec/scriptspec/internal/amount"
	printline "github.com/scriptspec/scriptspec/internal/printable"
)

// Outcome is a way a run can end. The set is closed.
type Outcome string

// The outcomes.
const (
	OutcomePassed         Outcome = "passed"          // main returned, the process ended with 0, and OutputCheck had nothing to say
	OutcomeException      Outcome = "exception"       // an exception left main or the import
	OutcomeInterrupted    Outcome = "interrupted"     // a KeyboardInterrupt that the tester did not send left main or the import
	OutcomeExit           Outcome = "exit"            // sys.exit with a number other than 0
	OutcomeExitMessage    Outcome = "exit_message"    // sys.exit with a text or another object
	OutcomeSignal         Outcome = "signal"          // a signal that the tester did not send ended the process
	OutcomeCrashed        Outcome = "crashed"         // the process ended in another way than by main's return, as with os._exit
	OutcomeBadReport      Outcome = "bad_report"      // the script wrote to the pipe that the result travels over
	OutcomeTimeout        Outcome = "timeout"         // it ran longer than RuntimeTester.Timeout
	OutcomeMemory         Outcome = "memory"          // it took more than RuntimeTester.MaxMemory
	OutcomeNoMain         Outcome = "no_main"         // the script has no function main
	OutcomeBadMain        Outcome = "bad_main"        // main takes none of the four parameters, or needs a further one
	OutcomeNoOutput       Outcome = "no_output"       // main returned and an output does not pass OutputCheck
	OutcomeInputChanged   Outcome = "input_changed"   // main returned and an input was changed, deleted or added to
	OutcomeScriptMissing  Outcome = "script_missing"  // the script cannot be read; nothing was started
	OutcomeInputMissing   Outcome = "input_missing"   // an input cannot be read; nothing was started
	OutcomeOutputUnusable Outcome = "output_unusable" // an output cannot be made, or lies in another; nothing was started
	OutcomeOutOfBounds    Outcome = "out_of_bounds"   // an input or output has too much in it to be compared, or a link to a directory elsewhere
	OutcomePackageMissing Outcome = "package_missing" // the interpreter lacks a package of depends_on, or has another version; nothing of the script was run
	OutcomeUnfinished     Outcome = "unfinished"      // main returned, and a process that it left running was ended while it wrote to an output
)

// outcomes are all of them.
var outcomes = [...]Outcome{
	OutcomePassed, OutcomeException, OutcomeInterrupted, OutcomeExit, OutcomeExitMessage, OutcomeSignal, OutcomeCrashed, OutcomeBadReport,
	OutcomeTimeout, OutcomeMemory, OutcomeNoMain, OutcomeBadMain, OutcomeNoOutput, OutcomeInputChanged, OutcomeScriptMissing,
	OutcomeInputMissing, OutcomeOutputUnusable, OutcomeOutOfBounds, OutcomeUnfinished, OutcomePackageMissing,
}

// ScriptTestResult is what came of one run of a script. Environment values do not appear in it.
type ScriptTestResult struct {
	ScriptName string `json:"script_name"`
	StepName   string `json:"step_name"`
	// Description is that of the spec.
	Description string  `json:"description,omitempty"`
	Success     bool    `json:"success"` // Outcome is OutcomePassed
	Outcome     Outcome `json:"outcome"`
	// Flaky reports whether the run ended as it should after attempts that did not; see RuntimeTester.Retries.
	Flaky bool `json:"flaky,omitzero"`
	// Attempts are all attempts in order, if there was more than one. The last one is this result without Flaky,
	// Attempts, Budget, UncheckedBudget and Past; all other members are those of the last attempt.
	Attempts []ScriptTestResult `json:"attempts,omitempty"`
	// Budget is what a run that passed needed of what the budget of its spec allows, as far as that could be checked.
	Budget []BudgetUse `json:"budget,omitempty"`
	// UncheckedBudget is what of the budget could not be checked.
	UncheckedBudget []UncheckedBudget `json:"unchecked_budget,omitempty"`
	// Past is what RuntimeTester.History had of the step, or of this example of it, before the run; zero without one.
	Past PastRuns `json:"past,omitzero"`
	// StartedAt is when the attempt began, zero in results of version 1.
	StartedAt Timestamp `json:"started_at,omitzero"`
	// ErrorType, ErrorMessage and Traceback are those of the Python exception, if that is what
	// ended the script; otherwise ErrorMessage says what happened and the others are "". After an
	// interrupt that the tester sent, Traceback shows where it found the script.
	ErrorType    string `json:"error_type"`
	ErrorMessage string `json:"error_message"`
	Traceback    string `json:"traceback"`
	// ReturnValue is what main returned, as JSON: null for None, and for what JSON cannot represent an
	// object with type, shape or length, and the beginning of its repr. Nil if main did not return.
	ReturnValue json.RawMessage `json:"return_value,omitempty"`
	// ExecutionTime is the wall time of the process, UserTime and SystemTime what it and the
	// children that it waited for took of the CPUs; seconds in JSON.
	ExecutionTime time.Duration `json:"-"`
	UserTime      time.Duration `json:"-"`
	SystemTime    time.Duration `json:"-"`
	// ImportTime is what importing the script took, as part of ExecutionTime; 0 if it was not imported or is run
	// as a program. Seconds in JSON.
	ImportTime time.Duration `json:"-"`
	// PeakMemory is that of the largest process, in bytes; 0 where the system does not tell.
	PeakMemory int64 `json:"peak_memory"`
	// HasMainFunction reports whether the script has a function main; false if it ended before the
	// driver could look.
	HasMainFunction bool `json:"has_main_function"`
	// Interpreter is the Python that ran the script; zero if none did.
	Interpreter Interpreter `json:"interpreter,omitzero"`
	// Warm reports whether the process was forked, not started; see RuntimeTester.Warm.
	Warm bool `json:"warm"`
	// WarmProblem says which module of RuntimeTester.Preload has left threads running, without which a fork
	// may wait for ever, so that a new interpreter was started.
	WarmProblem string `json:"warm_problem,omitempty"`

	ExitCode int     `json:"exit_code"` // -1 if a signal ended the process
	Signal   string  `json:"signal"`    // "SIGKILL", or ""
	Stdout   Capture `json:"stdout"`
	Stderr   Capture `json:"stderr"`
	// Outputs has, by logical name, what is in each output directory after the run.
	Outputs map[string]OutputInfo `json:"outputs"`
	// ChangedInputs has, by logical name, what the run did to its inputs: "changed part.csv",
	// "deleted part.csv", "added part.csv". No entry for those that are as they were.
	ChangedInputs map[string][]string `json:"changed_inputs,omitempty"`
	// Leftover names the processes that the script left running, which were ended.
	Leftover []string `json:"leftover,omitempty"`
	// Survivors names the processes that could not be ended.
	Survivors []string `json:"survivors,omitempty"`
	// Command is a shell command that runs the script again, without the tester's care; "" if nothing was
	// started. Environment variables are in it by name: export them first. Secret job arguments are
	// [redacted].
	Command string `json:"command"`

	modules []string // the files that it has imported, if it returned
	like    likeness
	coldIn  string // as Record.coldIn
}

// plainResult is ScriptTestResult without its methods.
type plainResult ScriptTestResult

type resultJSON struct {
	*plainResult
	OverBudget    []BudgetUse `json:"over_budget,omitempty"` // follows from the budget, but in results of old
	ExecutionTime float64     `json:"execution_time"`
	UserTime      float64     `json:"user_time"`
	SystemTime    float64     `json:"system_time"`
	ImportTime    float64     `json:"import_time,omitzero"`
}

// MarshalJSON writes snake_case members, with times in seconds.
func (r ScriptTestResult) MarshalJSON() ([]byte, error) {
	return json.Marshal(resultJSON{
		(*plainResult)(&r), r.OverBudget(), r.ExecutionTime.Seconds(), r.UserTime.Seconds(), r.SystemTime.Seconds(), r.ImportTime.Seconds(),
	})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (r *ScriptTestResult) UnmarshalJSON(data []byte) error {
	v := resultJSON{plainResult: (*plainResult)(r)}
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	r.ExecutionTime, r.UserTime, r.SystemTime = fromSeconds(v.ExecutionTime), fromSeconds(v.UserTime), fromSeconds(v.SystemTime)
	r.ImportTime = fromSeconds(v.ImportTime)
	for _, over := range v.OverBudget {
		if !slices.ContainsFunc(r.Budget, func(u BudgetUse) bool { return u.What == over.What }) {
			r.Budget = append(r.Budget, over)
		}
	}
	return nil
}

// String returns one line: node, outcome, time, attempts if there was more than one, and what went wrong, if anything.
func (r *ScriptTestResult) String() string {
	text := fmt.Sprintf("%s: %s in %s", printable(r.StepName), r.Outcome, amount.Time(r.ExecutionTime))
	switch n := len(r.Attempts); {
	case n > 0 && r.Flaky:
		text += fmt.Sprintf(" on attempt %d (flaky)", n)
	case n > 0:
		text += fmt.Sprintf(" on the last of %d attempts", n)
	}
	if r.ErrorType != "" {
		text += ": " + printable(r.ErrorType)
	}
	if r.ErrorMessage != "" {
		text += ": " + printable(r.ErrorMessage)
	}
	parts := []string{text}
	for _, e := range r.OverBudget() {
		parts = append(parts, e.String())
	}
	return printline.Log(strings.Join(parts, "; "))
}

// Details returns on several lines what a person needs to see what went wrong: outcome, exception,
// traceback, the ends of stdout and stderr, and the command that runs the script again.
func (r *ScriptTestResult) Details() string {
	var b strings.Builder
	b.WriteString(r.String())
	part := func(title, text string) {
		if text = strings.TrimRight(printline.Block(text), "\n"); text != "" {
			fmt.Fprintf(&b, "\n-- %s\n%s", title, text)
		}
	}
	part("traceback", r.Traceback)
	const longest = 4 << 10
	part("end of stdout", printline.Tail(r.Stdout.Text, longest))
	part("end of stderr", printline.Tail(r.Stderr.Text, longest))
	part("left running", strings.Join(r.Leftover, "\n"))
	part("could not be ended", strings.Join(r.Survivors, "\n"))
	part("not forked", r.WarmProblem)
	for i, attempt := range r.Attempts[:max(len(r.Attempts)-1, 0)] {
		part(fmt.Sprintf("attempt %d", i+1), attempt.String())
	}
	part("run it again", r.Command)
	return printline.Log(b.String())
}

// Capture is what a script wrote to one of its streams.
type Capture struct {
	// Text is the output, cut in the middle if it was too long, as valid UTF-8.
	Text string `json:"text"`
	// Bytes counts all of the output, kept or not.
	Bytes int64 `json:"bytes"`
	// Truncated reports whether Text is not all of the output.
	Truncated bool `json:"truncated"`
	// File is the full copy, if RuntimeTester.LogDir asked for one.
	File string `json:"file,omitempty"`
	// FileError says why File is not all of the output, or is "".
	FileError string `json:"file_error,omitempty"`
}

// OutputInfo is what was found at an output path. Temporary files do not count: names that begin with
// a dot or end in "~", .tmp, .temp, .part or .swp, and what is in __pycache__.
type OutputInfo struct {
	Path   string `json:"path"`
	Exists bool   `json:"exists"`
	Files  int    `json:"files"` // regular files, in subdirectories too
	Bytes  int64  `json:"bytes"` // of these files
	// Written counts the files that are not empty and were created or changed in the run.
	Written int `json:"written"`
}
