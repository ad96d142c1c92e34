package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/scriptspec/scriptspec"
)

// explain prints on standard error what a person needs to know of a failed run: what happened and where in the script, the
// end of its output, how to run it again, and what to do next.
func (a *app) explain(name string, r *scriptspec.ScriptTestResult, again string) {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s: %s", harmless(name), a.colour(a.err, "failed", string(r.Outcome)))
	if r.ErrorType != "" || r.ErrorMessage != "" {
		b.WriteString(": " + strings.TrimPrefix(harmless(r.ErrorType)+": "+harmless(r.ErrorMessage), ": "))
	}
	b.WriteByte('\n')
	frames, others := ownFrames(r.Traceback)
	if a.verbose {
		_, details, _ := strings.Cut(r.Details(), "\n")
		b.WriteString(details + "\n")
		a.explainNext(&b, r, frames, again)
		return
	}
	for _, f := range frames {
		fmt.Fprintf(&b, "  %s:%s in %s\n", f.file, f.line, f.function)
		if f.code != "" {
			fmt.Fprintf(&b, "      %s\n", f.code)
		}
	}
	if others > 0 {
		fmt.Fprintf(&b, "  and %s in code that it called\n", plural(others, "more frame"))
	}
	if end := lastLines(r.Stderr.Text); len(end) > 0 {
		b.WriteString("  end of stderr:\n")
		for _, line := range end {
			fmt.Fprintf(&b, "      %s\n", line)
		}
	}
	a.explainNext(&b, r, frames, again)
}

// explainNext ends an explanation with the way on, and prints it.
func (a *app) explainNext(b *strings.Builder, r *scriptspec.ScriptTestResult, frames []frame, again string) {
	fmt.Fprintf(b, "  rerun: %s\n", again)
	if next := nextThing(r, frames); next != "" {
		fmt.Fprintf(b, "  next:  %s\n", next)
	}
	fmt.Fprint(a.err, b.String())
}

// frame is one of a traceback.
type frame struct{ file, line, function, code string }

// ownFrames returns the frames of a traceback outside of Python's library and installed packages, and how many others follow
// the last of them.
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

// lastLines returns the end of what a script printed, without a traceback that is shown already.
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
			return "install it for " + filepath.Base(harmless(r.Interpreter.Path)) + ", or pass another interpreter with --python"
		}
		return "fix the script" + at
	case scriptspec.OutcomeTimeout:
		return "use less data, or allow more time with --timeout or timeout in the spec"
	case scriptspec.OutcomeMemory:
		return "use less data, or raise max_memory in the spec"
	case scriptspec.OutcomeNoOutput:
		return "write to the directory in output_paths, or list the output under optional"
	case scriptspec.OutcomeInputMissing, scriptspec.OutcomeScriptMissing, scriptspec.OutcomeOutputUnusable:
		return "fix the path in the spec; scriptspec lint shows all wrong paths"
	case scriptspec.OutcomeInputChanged:
		return "write to an output; inputs must stay as they are"
	case scriptspec.OutcomePackageMissing:
		return "install it, or pass another interpreter with --python"
	case scriptspec.OutcomeNoMain, scriptspec.OutcomeBadMain:
		return "define main with any of the parameters input_paths, output_paths, environ_vars and job_args, or run a program with --command-line"
	case scriptspec.OutcomeUnfinished:
		return "make main wait for the processes it starts"
	}
	return "" // the message says it
}
