package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/scriptspec/scriptspec"
)

// explain shows what a person needs of a run that has failed, on standard error: what has happened and where in the script,
// the end of what it said, how to run it again, and what to do next.
func (a *app) explain(name string, r *scriptspec.ScriptTestResult, again string) {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s: %s", harmless(name), r.Outcome)
	if r.ErrorType != "" || r.ErrorMessage != "" {
		b.WriteString(": " + strings.TrimPrefix(harmless(r.ErrorType)+": "+harmless(r.ErrorMessage), ": "))
	}
	b.WriteByte('\n')
	frames, others := ownFrames(r.Traceback)
	for _, f := range frames {
		fmt.Fprintf(&b, "  %s:%s in %s\n", f.file, f.line, f.function)
		if f.code != "" {
			fmt.Fprintf(&b, "      %s\n", f.code)
		}
	}
	if others > 0 {
		fmt.Fprintf(&b, "  and %s that the script called\n", plural(others, "frame"))
	}
	if end := lastLines(r.Stderr.Text); len(end) > 0 {
		b.WriteString("  stderr ends with\n")
		for _, line := range end {
			fmt.Fprintf(&b, "      %s\n", line)
		}
	}
	fmt.Fprintf(&b, "  again: %s\n", again)
	if next := nextThing(r, frames); next != "" {
		fmt.Fprintf(&b, "  next:  %s\n", next)
	}
	fmt.Fprint(a.err, b.String())
}

// frame is one of a traceback.
type frame struct{ file, line, function, code string }

// ownFrames returns the frames of a traceback that are not of Python's library or of installed packages, and how many others
// there are behind the last of them.
func ownFrames(traceback string) (own []frame, others int) {
	here, _ := os.Getwd()
	inOwn := false
	for line := range strings.Lines(traceback) {
		line = strings.TrimRight(line, "\n")
		rest, isFrame := strings.CutPrefix(line, `  File "`)
		file, rest, located := strings.Cut(rest, `", line `)
		if !isFrame || !located {
			if inOwn && strings.HasPrefix(line, "    ") && own[len(own)-1].code == "" {
				own[len(own)-1].code = harmless(strings.TrimSpace(line))
			}
			continue
		}
		number, function, _ := strings.Cut(rest, ", in ")
		if inOwn = !strings.Contains(file, "/lib/python") && !strings.Contains(file, "site-packages") && !strings.HasPrefix(file, "<"); inOwn {
			own = append(own, frame{file: harmless(relative(here, file)), line: harmless(number), function: harmless(function)})
			others = 0
		} else {
			others++
		}
	}
	return own, others
}

// lastLines returns the end of what a script said, without a traceback that is shown already.
func lastLines(text string) []string {
	const most = 10
	text, _, _ = strings.Cut(text, "Traceback (most recent call last):")
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimRight(harmless(line), " "); line != "" {
			lines = append(lines, line)
		}
	}
	return lines[max(len(lines)-most, 0):]
}

// nextThing says what to do about an outcome.
func nextThing(r *scriptspec.ScriptTestResult, frames []frame) string {
	at := ""
	if len(frames) > 0 {
		at = " at " + frames[len(frames)-1].file + ":" + frames[len(frames)-1].line
	}
	switch r.Outcome {
	case scriptspec.OutcomeException:
		switch r.ErrorType {
		case "ModuleNotFoundError", "ImportError":
			return "install it for " + filepath.Base(harmless(r.Interpreter.Path)) + ", or name another interpreter with --python"
		}
		return "look at the script" + at
	case scriptspec.OutcomeTimeout:
		return "give it less data, or more time with --timeout or timeout in the spec"
	case scriptspec.OutcomeMemory:
		return "give it less data, or raise max_memory in the spec"
	case scriptspec.OutcomeNoOutput:
		return "write to the directory in output_paths, or name the output in optional"
	case scriptspec.OutcomeInputMissing, scriptspec.OutcomeScriptMissing, scriptspec.OutcomeOutputUnusable:
		return "correct the path in the spec; scriptspec lint shows all that are wrong"
	case scriptspec.OutcomeInputChanged:
		return "write to an output; inputs are for reading"
	case scriptspec.OutcomePackageMissing:
		return "install it, or name another interpreter with --python"
	case scriptspec.OutcomeNoMain, scriptspec.OutcomeBadMain:
		return "define main(input_paths, output_paths, environ_vars, job_args), with any of the four"
	case scriptspec.OutcomeUnfinished:
		return "wait in main for what it has started"
	}
	return "" // the message says it
}
