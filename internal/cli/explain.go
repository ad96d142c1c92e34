package cli

import (
	"fmt"
	"strings"

	"github.com/scriptspec/scriptspec"
)

// explain prints on standard error what a person needs to know of a failed run: what happened and where in the script, the
// end of its output, how to run it again, and what to do next.
func (a *app) explain(name string, r *scriptspec.ScriptTestResult, again string, in surroundings) {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s: %s%s", harmless(name), unexpected(in.expect), a.colour(a.err, "failed", string(r.Outcome)))
	if r.ErrorType != "" || r.ErrorMessage != "" {
		b.WriteString(": " + strings.TrimPrefix(harmless(r.ErrorType)+": "+harmless(r.ErrorMessage), ": "))
	}
	b.WriteByte('\n')
	t := tell(r.Traceback)
	if a.verbose {
		_, details, _ := strings.Cut(r.Details(), "\n")
		b.WriteString(details + "\n")
		a.explainNext(&b, r, t.last.frames, again, in)
		return
	}
	t.write(&b)
	if end := lastLines(r.Stderr.Text, r.Traceback); len(end) > 0 {
		b.WriteString("  end of stderr:\n")
		for _, line := range end {
			fmt.Fprintf(&b, "      %s\n", line)
		}
	}
	a.explainNext(&b, r, t.last.frames, again, in)
}

// unexpected begins what is said of a run that has not ended as its example says, "" for one that had to pass.
func unexpected(expect scriptspec.Outcome) string {
	if expect == "" {
		return ""
	}
	return "expected outcome " + harmless(string(expect)) + ", got "
}

// explainNext ends an explanation with the way on, and prints it.
func (a *app) explainNext(b *strings.Builder, r *scriptspec.ScriptTestResult, frames []frame, again string, in surroundings) {
	fmt.Fprintf(b, "  rerun: %s\n", again)
	if len(in.hidden) > 0 {
		fmt.Fprintf(b, "         after setting %s, whose values are not shown\n", strings.Join(in.hidden, ", "))
	}
	if kept := keptOutputs(r); kept != "" && in.pipeline == "" {
		fmt.Fprintf(b, "  outputs: %s\n", kept)
	}
	if next := a.nextThing(r, frames, in); next != "" {
		fmt.Fprintf(b, "  next:  %s\n", next)
	}
	fmt.Fprint(a.err, b.String())
}

// lastLines returns the end of what a script printed, without a traceback that is shown already, and without the frames of
// others in the tracebacks that it printed itself. Of the last of these it has at least what was raised.
func lastLines(text, shown string) []string {
	const most = 10
	if shown = strings.TrimSpace(shown); shown != "" {
		text = strings.ReplaceAll(text, shown, "")
	}
	var lines []string
	last := -1 // the line that says what was raised
	grouped, reading, others := false, false, false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \r\n")
		if strings.TrimSpace(line) == "" {
			continue
		}
		inner := line
		if grouped = grouped || strings.HasSuffix(line, groupHead); grouped {
			inner, _ = ofGroup(line)
		}
		file, isFrame := strings.CutPrefix(inner, `  File "`)
		switch {
		case strings.HasSuffix(line, tracebackHead):
			reading, others = true, false
		case !reading:
		case isFrame:
			others = !isOwn(file)
		case !strings.HasPrefix(inner, "  "):
			reading, others, last = false, false, len(lines)
		case strings.Trim(inner, " ~^") == "":
			continue
		}
		if !others {
			lines = append(lines, harmless(line))
		}
	}
	from := max(len(lines)-most, 0)
	if last >= 0 && last < from {
		return append([]string{lines[last], "[...]"}, lines[from+2:]...)
	}
	return lines[from:]
}
