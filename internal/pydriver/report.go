package pydriver

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Outcomes of a script that the driver saw to its end.
const (
	Returned       = "returned"         // main returned, or called sys.exit(0)
	Exited         = "exited"           // sys.exit with another number
	ExitedWithText = "exited_with_text" // sys.exit with a text
	Interrupted    = "interrupted"      // a KeyboardInterrupt
	Failed         = "failed"           // any other exception
	NoMain         = "no_main"          // there is no function main
	BadMain        = "bad_main"         // main cannot be called as it should be
	PackageMissing = "package_missing"  // the interpreter lacks what the request asked for; nothing was run
)

// Report is what the driver says of a run.
type Report struct {
	Python  string // "3.11.7"; "" if the driver did not even begin
	Program string // sys.executable
	// Identity is who the interpreter is, if the request asked for it.
	Identity        Identity
	Other           bool          // it is not the one that the request expected; nothing was run
	Bytecode        Bytecode      // of the driver, if this interpreter had to make it
	ImportTime      time.Duration // of a script that could be imported; 0 for a program
	HasMainFunction bool
	Outcome         string
	ErrorType       string
	ErrorMessage    string
	Traceback       string
	ExitCode        int
	ReturnValue     string // JSON, or "" for None
	// Modules are the files that a script which returned has imported, itself among them, but for those of
	// Python and of installed packages.
	Modules []string
	// Over reports whether Python ended the process, after what the script had registered for the end.
	Over bool
}

// Identity is what an interpreter is started as, and with. Who starts one with the same circumstances and
// environment need not go through a wrapper.
type Identity struct {
	Circumstances []byte   // options, directory and what is inherited, to be compared
	Environ       []string // "name=value"
}

// Bytecode is what an interpreter has made of the driver, for the next start of the same interpreter.
// The zero value is none.
type Bytecode struct{ start, driver []byte }

// IsZero reports whether there is none.
func (b Bytecode) IsZero() bool { return len(b.start) == 0 || len(b.driver) == 0 }

// ErrNoReport is returned for a process that ended without a whole report.
var ErrNoReport = errors.New("the process ended without a report")

// ErrGarbage is returned for a report in which there is something that the driver did not write.
var ErrGarbage = errors.New("something else than the driver wrote to the result pipe")

// parseReport reads frames, each "<token> <name> <length>\n" and a text, up to the one called end.
// What came before an error is in the report.
func parseReport(data []byte, token string) (*Report, error) {
	r := &Report{}
	texts := map[string]*string{
		"hello": &r.Python, "outcome": &r.Outcome, "error_type": &r.ErrorType, "error_message": &r.ErrorMessage,
		"traceback": &r.Traceback, "return_value": &r.ReturnValue,
	}
	for {
		if len(data) == 0 {
			return r, ErrNoReport
		}
		line, rest, _ := bytes.Cut(data, []byte("\n"))
		header, _ := strings.CutPrefix(string(line), token+" ")
		name, length, _ := strings.Cut(header, " ")
		size, err := strconv.Atoi(length)
		if err != nil || size < 0 || size > len(rest) || !bytes.HasPrefix(data, fmt.Appendf(nil, "%s %s %d\n", token, name, size)) {
			return r, ErrGarbage
		}
		text := string(rest[:size])
		data = rest[size:]
		switch to := texts[name]; {
		case to != nil:
			*to = text
		case name == "driver" && r.Python == "": // before the script can have a say
			r.Bytecode.driver = []byte(text)
		case name == "start" && r.Python == "":
			r.Bytecode.start = []byte(text)
		case name == "program" && r.Python == "":
			r.Program = text
		case name == "circumstances" && r.Python == "":
			r.Identity.Circumstances = []byte(text)
		case name == "environment" && r.Python == "":
			r.Identity.Environ = strings.Split(text, "\x00")
		case name == "other" && r.Python == "":
			r.Other = true
		case name == "main":
			r.HasMainFunction = true
		case name == "import_time":
			seconds, err := strconv.ParseFloat(text, 64)
			if err != nil || !(seconds >= 0 && seconds < 1e9) {
				return r, ErrGarbage
			}
			r.ImportTime = time.Duration(seconds * float64(time.Second))
		case name == "modules":
			r.Modules = slices.DeleteFunc(strings.Split(text, "\x00"), func(file string) bool { return file == "" })
		case name == "exit_code":
			if r.ExitCode, err = strconv.Atoi(text); err != nil {
				return r, ErrGarbage
			}
		case name == "end":
			r.Over = string(data) == token+" over 0\n"
			if text != "" || len(data) > 0 && !r.Over {
				return r, fmt.Errorf("%w, behind the report", ErrGarbage)
			}
			return r, nil
		default:
			return r, ErrGarbage
		}
	}
}
