package scriptspec

import (
	"encoding/json"
	"fmt"
	"time"
)

// Outcome is a way a run can end. The set is closed.
type Outcome string

// The outcomes.
const (
	OutcomePassed         Outcome = "passed"          // main returned and there is data in every output
	OutcomeException      Outcome = "exception"       // an exception left main or the import
	OutcomeExit           Outcome = "exit"            // sys.exit with a code other than 0
	OutcomeSignal         Outcome = "signal"          // a signal ended the process
	OutcomeTimeout        Outcome = "timeout"         // it ran longer than RuntimeTester.Timeout
	OutcomeCrashed        Outcome = "crashed"         // the interpreter ended without a report
	OutcomeNoMain         Outcome = "no_main"         // the script has no function main
	OutcomeNoOutput       Outcome = "no_output"       // main returned and an output has no data
	OutcomeScriptMissing  Outcome = "script_missing"  // the script cannot be read; nothing was started
	OutcomeInputMissing   Outcome = "input_missing"   // an input cannot be read; nothing was started
	OutcomeOutputUnusable Outcome = "output_unusable" // an output cannot be made; nothing was started
)

// ScriptTestResult is what came of one run of a script. Environment values do not appear in it.
type ScriptTestResult struct {
	ScriptName string  `json:"script_name"`
	StepName   string  `json:"step_name"`
	Success    bool    `json:"success"` // Outcome is OutcomePassed
	Outcome    Outcome `json:"outcome"`
	// ErrorType, ErrorMessage and Traceback are those of the Python exception, if that is what
	// ended the script; otherwise ErrorMessage says what happened and the others are "".
	ErrorType    string `json:"error_type"`
	ErrorMessage string `json:"error_message"`
	Traceback    string `json:"traceback"`
	// ExecutionTime is the wall time of the process; seconds in JSON.
	ExecutionTime time.Duration `json:"-"`
	// HasMainFunction tells that the script was seen to have a function main; false also where it
	// did not live to say so.
	HasMainFunction bool    `json:"has_main_function"`
	ExitCode        int     `json:"exit_code"` // -1 if a signal ended the process
	Signal          string  `json:"signal"`    // "SIGKILL", or ""
	Stdout          Capture `json:"stdout"`
	Stderr          Capture `json:"stderr"`
	// Outputs tells, by logical name, what is in each output directory after the run.
	Outputs map[string]OutputInfo `json:"outputs"`
}

// OutputInfo is what was found at an output path.
type OutputInfo struct {
	Path   string `json:"path"`
	Exists bool   `json:"exists"`
	Files  int    `json:"files"` // regular files, in subdirectories too
	Bytes  int64  `json:"bytes"` // of these files
}

// plainResult is ScriptTestResult without its methods.
type plainResult ScriptTestResult

type resultJSON struct {
	*plainResult
	ExecutionTime float64 `json:"execution_time"`
}

// MarshalJSON writes snake_case members, with execution_time in seconds.
func (r ScriptTestResult) MarshalJSON() ([]byte, error) {
	return json.Marshal(resultJSON{(*plainResult)(&r), r.ExecutionTime.Seconds()})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (r *ScriptTestResult) UnmarshalJSON(data []byte) error {
	v := resultJSON{plainResult: (*plainResult)(r)}
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	r.ExecutionTime = time.Duration(v.ExecutionTime * float64(time.Second))
	return nil
}

// String returns one line: node, outcome, time and, where there is one, what went wrong.
func (r *ScriptTestResult) String() string {
	text := fmt.Sprintf("%s: %s in %v", printable(r.StepName), r.Outcome, r.ExecutionTime.Round(time.Millisecond))
	if r.ErrorType != "" {
		return text + ": " + r.ErrorType + ": " + printable(r.ErrorMessage)
	}
	if r.ErrorMessage != "" {
		return text + ": " + printable(r.ErrorMessage)
	}
	return text
}
