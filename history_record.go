package scriptspec

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/scriptspec/scriptspec/internal/history"
)

// recordVersion is that of the lines of a history.
const recordVersion = 1

// Record is what a history has of one attempt to run a script. No environment value, no output and no name of a user or
// machine is in it. Digests are the first 16 hexadecimal digits of a SHA-256, "" where they are not known; they say whether two records
// are of the same, and nothing else.
type Record struct {
	// Run is the same for all attempts of one call of the tester.
	Run string `json:"run"`
	// Session is the same for all runs of one tester, as of `scriptspec run --repeat`: of several runs of a step in it the first one
	// starts cold, and is compared with nothing.
	Session string `json:"session,omitzero"`
	// At is when the attempt ended.
	At         Timestamp `json:"at"`
	ScriptName string    `json:"script_name"`
	// StepName and Example, "" for the spec itself, are what a record is of: records of other parameters or data are of the
	// same, and differ in their digests.
	StepName string `json:"step_name"`
	Example  string `json:"example,omitzero"`
	// Pipeline is that of a node; "" outside of one.
	Pipeline string `json:"pipeline,omitzero"`
	// Attempt counts from 1.
	Attempt int `json:"attempt"`
	// Shard is the part of a suite that the run was, as "2/4"; "" for all of it.
	Shard   string  `json:"shard,omitzero"`
	Outcome Outcome `json:"outcome"`
	// Expect is how the run had to end; "" means with OutcomePassed.
	Expect Outcome `json:"expect,omitzero"`
	// ErrorType is that of the Python exception, ErrorAt where it was raised as file:line, in the script if the traceback leads
	// through it. The file is relative to the base of the store, or without its directory.
	ErrorType string `json:"error_type,omitzero"`
	ErrorAt   string `json:"error_at,omitzero"`
	// Duration, User, System and ImportTime are as ExecutionTime, UserTime, SystemTime and ImportTime of the result; seconds in
	// JSON, to the microsecond.
	Duration   time.Duration `json:"-"`
	User       time.Duration `json:"-"`
	System     time.Duration `json:"-"`
	ImportTime time.Duration `json:"-"`
	// PeakMemory is in bytes, 0 where the system does not tell.
	PeakMemory int64 `json:"peak_memory"`
	Warm       bool  `json:"warm"`
	// Outputs are by logical name; without them if the line would be longer than 4 KiB.
	Outputs map[string]RecordedOutput `json:"outputs,omitempty"`
	// SpecDigest is of the spec without paths, times and environment values, ScriptDigest of the script and the files that it
	// depends on, but not of what it imports, InputDigest of the inputs: of the names and sizes of all files, and of the ends of some.
	SpecDigest   string `json:"spec_digest,omitzero"`
	ScriptDigest string `json:"script_digest,omitzero"`
	InputDigest  string `json:"input_digest,omitzero"`
	// InputBytes is how large the inputs are together.
	InputBytes int64 `json:"input_bytes"`
	// Python is the version of the interpreter, as "3.12.4", Platform the system and the processor, as "linux/amd64".
	Python   string `json:"python,omitzero"`
	Platform string `json:"platform"`
	// CI reports whether the variable CI was set.
	CI bool `json:"ci"`
	// Commit is HEAD of the work tree of git that the store is in, "" if there is none. Dirty reports whether files that git tracks
	// differ from it; nil if that is not known, as in a very large work tree.
	Commit string `json:"commit,omitzero"`
	Dirty  *bool  `json:"dirty,omitempty"`
}

// RecordedOutput is what a run wrote to an output. Digest is as InputDigest of a [Record].
type RecordedOutput struct {
	Files  int    `json:"files"`
	Bytes  int64  `json:"bytes"`
	Digest string `json:"digest,omitzero"`
}

// Passed reports whether the attempt ended as it should.
func (r *Record) Passed() bool { return r.Outcome == expected(r.Expect) }

// plainRecord is Record without its methods.
type plainRecord Record

type recordJSON struct {
	Version int `json:"v"`
	plainRecord
	Duration   float64 `json:"duration"`
	User       float64 `json:"user"`
	System     float64 `json:"system"`
	ImportTime float64 `json:"import_time,omitzero"`
}

// MarshalJSON writes a line of a history.
func (r Record) MarshalJSON() ([]byte, error) {
	seconds := func(d time.Duration) float64 { return d.Round(time.Microsecond).Seconds() }
	return json.Marshal(recordJSON{recordVersion, plainRecord(r), seconds(r.Duration), seconds(r.User), seconds(r.System), seconds(r.ImportTime)})
}

// UnmarshalJSON reads what MarshalJSON writes. Members that it does not know are passed over.
func (r *Record) UnmarshalJSON(data []byte) error {
	d := recordDecoder{texts: history.Texts{}, whole: true}
	if !d.read(data) {
		return &DecodeError{Message: fmt.Sprintf("is no record of version %d of a history", recordVersion)}
	}
	*r = d.Record
	return nil
}

// line returns the record as a line of a file. Too long a line loses its outputs.
func (r *Record) line() ([]byte, error) {
	if err := r.problem(); err != nil {
		return nil, err
	}
	text, err := json.Marshal(r)
	if err == nil && len(text) >= history.MaxLine {
		c := *r
		c.Outputs = nil
		text, err = json.Marshal(c)
	}
	return text, err
}

// longestRun bounds the wall times of a record: what is longer was written by something else, and would drown all others in sums.
const longestRun = 3653 * 24 * time.Hour

// problem says why something is not a record.
func (r *Record) problem() error {
	fail := func(path, message string) error { return &FieldError{Path: path, Code: CodeRequired, Message: message} }
	switch {
	case r.StepName == "":
		return fail("step_name", "a record of a history needs the name of its step")
	case r.Outcome == "":
		return fail("outcome", "a record of a history needs an outcome")
	case r.At.IsZero():
		return fail("at", "a record of a history needs its time")
	}
	for i, d := range [...]time.Duration{r.Duration, r.ImportTime, r.User, r.System} {
		path := [...]string{"duration", "import_time", "user", "system"}[i]
		if processors := i > 1; d < 0 || d > longestRun && !processors {
			return &FieldError{Path: path, Code: CodeFormat, Value: d.Seconds(), Message: path + " of a record of a history must be from 0 to ten years, in seconds"}
		}
	}
	return nil
}

// recordDecoder reads lines one after the other.
type recordDecoder struct {
	Record
	outputs []byte // as they are written, nil if there are none; part of the line
	whole   bool   // read them as well
	texts   history.Texts
	ok      bool
}

// read reads a line, and reports whether it is a record of a version that is known.
func (d *recordDecoder) read(line []byte) bool {
	d.Record, d.outputs, d.ok = Record{}, nil, true
	version, closed := 0.0, false
	for name, value := range history.Object(line).Members(&closed) {
		switch string(name) {
		case "v":
			d.number(value, &version)
		case "run":
			d.text(value, &d.Run)
		case "session":
			d.text(value, &d.Session)
		case "at":
			d.time(value)
		case "script_name":
			d.text(value, &d.ScriptName)
		case "step_name":
			d.text(value, &d.StepName)
		case "example":
			d.text(value, &d.Example)
		case "pipeline":
			d.text(value, &d.Pipeline)
		case "attempt":
			d.Attempt = int(d.count(value))
		case "shard":
			d.text(value, &d.Shard)
		case "outcome":
			d.text(value, (*string)(&d.Outcome))
		case "expect":
			d.text(value, (*string)(&d.Expect))
		case "error_type":
			d.text(value, &d.ErrorType)
		case "error_at":
			d.text(value, &d.ErrorAt)
		case "duration":
			d.seconds(value, &d.Duration)
		case "user":
			d.seconds(value, &d.User)
		case "system":
			d.seconds(value, &d.System)
		case "import_time":
			d.seconds(value, &d.ImportTime)
		case "peak_memory":
			d.PeakMemory = d.count(value)
		case "warm":
			d.flag(value, &d.Warm)
		case "outputs":
			if d.outputs = value; d.whole {
				d.readOutputs()
			}
		case "spec_digest":
			d.text(value, &d.SpecDigest)
		case "script_digest":
			d.text(value, &d.ScriptDigest)
		case "input_digest":
			d.text(value, &d.InputDigest)
		case "input_bytes":
			d.InputBytes = d.count(value)
		case "python":
			d.text(value, &d.Python)
		case "platform":
			d.text(value, &d.Platform)
		case "ci":
			d.flag(value, &d.CI)
		case "commit":
			d.text(value, &d.Commit)
		case "dirty":
			d.Dirty = new(bool)
			d.flag(value, d.Dirty)
		}
	}
	return closed && d.ok && version == recordVersion && d.problem() == nil
}

func (d *recordDecoder) text(value []byte, to *string) {
	text, ok := d.texts.Of(value)
	d.ok = d.ok && ok
	*to = text
}

func (d *recordDecoder) number(value []byte, to *float64) {
	n, ok := history.Number(value)
	d.ok = d.ok && ok
	*to = n
}

// count returns a number of things, none of which is negative.
func (d *recordDecoder) count(value []byte) int64 {
	var n float64
	d.number(value, &n)
	const most = 1 << 53 // above it a float64 is not exact
	d.ok = d.ok && n >= 0 && n <= most && n == math.Trunc(n)
	return int64(n)
}

func (d *recordDecoder) seconds(value []byte, to *time.Duration) {
	var n float64
	d.number(value, &n)
	d.ok = d.ok && n >= 0
	*to = fromSeconds(n)
}

func (d *recordDecoder) flag(value []byte, to *bool) {
	yes, ok := history.Bool(value)
	d.ok = d.ok && ok
	*to = yes
}

func (d *recordDecoder) time(value []byte) {
	text, ok := history.Text(value)
	at, err := ParseTimestamp(text)
	d.ok, d.At = d.ok && ok && err == nil, at
}

// readOutputs reads the outputs of the line.
func (d *recordDecoder) readOutputs() {
	d.Outputs = map[string]RecordedOutput{}
	var closed bool
	for quoted, value := range history.Object(d.outputs).Members(&closed) {
		var o RecordedOutput
		var name string
		d.text(slices.Concat([]byte{'"'}, quoted, []byte{'"'}), &name)
		var whole bool
		for member, value := range history.Object(value).Members(&whole) {
			switch string(member) {
			case "files":
				o.Files = int(d.count(value))
			case "bytes":
				o.Bytes = d.count(value)
			case "digest":
				d.text(value, &o.Digest)
			}
		}
		d.ok = d.ok && whole
		d.Outputs[name] = o
	}
	d.ok = d.ok && closed
}

// decodedOutputs returns the outputs of a record that were kept as they are written.
func decodedOutputs(text []byte) map[string]RecordedOutput {
	d := recordDecoder{outputs: text, texts: history.Texts{}}
	d.readOutputs()
	return d.Outputs
}

// cutText keeps the beginning of a text from a script.
func cutText(text string) string {
	const longest = 200
	if len(text) <= longest {
		return text
	}
	return strings.ToValidUTF8(text[:longest], "") + "..."
}
