package cli

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// raised is an exception of a traceback.
type raised struct {
	text   string  // its last line, with type and message; "" if the traceback is cut before
	frames []frame // outside of Python's library and installed packages
	others int     // how many frames follow the last of them
	link   string  // what it is to the next exception that was raised
	depth  int     // more than 1 for a member of an exception group, which it follows
}

// frame is one of a traceback.
type frame struct{ file, line, function, code string }

func (f frame) String() string {
	if f.function == "" { // of a SyntaxError
		return f.file + ":" + f.line
	}
	return f.file + ":" + f.line + " in " + f.function
}

// isOwn reports whether a file is the script, or one that belongs to it.
func isOwn(file string) bool {
	return !strings.Contains(file, "/lib/python") && !strings.Contains(file, "site-packages") && !strings.HasPrefix(file, "<")
}

// links are what Python writes between two exceptions.
var links = map[string]string{
	"During handling of the above exception, another exception occurred:":  "while handling",
	"The above exception was the direct cause of the following exception:": "caused by",
}

const (
	tracebackHead = "Traceback (most recent call last):"
	groupHead     = "+ Exception Group " + tracebackHead
)

// parseTraceback returns the exceptions of a traceback, as it has them: the one that ended the script is the last that is no
// member of a group.
func parseTraceback(traceback string) []raised {
	here, _ := os.Getwd()
	var all []raised
	grouped, fresh, reading, inOwn := false, true, false, false // fresh: an exception begins, perhaps without frames
	for line := range strings.Lines(traceback) {
		line = strings.TrimRight(line, "\r\n")
		depth := 0
		if grouped = grouped || strings.HasSuffix(line, groupHead); grouped {
			if line, depth = ofGroup(line); strings.HasPrefix(line, "+-") {
				fresh, reading = true, false
				continue
			}
		}
		file, place, isFrame := strings.Cut(strings.TrimPrefix(line, `  File "`), `", line `)
		switch {
		case strings.TrimSpace(line) == "":
		case links[line] != "" && len(all) > 0:
			linked := len(all) - 1
			for linked > 0 && all[linked].depth > max(depth, 1) { // members of the group
				linked--
			}
			all[linked].link = links[line]
			fresh, reading = true, false
		case strings.HasSuffix(line, tracebackHead) && !strings.HasPrefix(line, "    "):
			all = append(all, raised{depth: depth})
			fresh, reading, inOwn = false, true, false
		case fresh:
			all = append(all, raised{text: line, depth: depth})
			fresh = false
		case !reading: // a further line of a message
		case isFrame && strings.HasPrefix(line, `  File "`):
			now := &all[len(all)-1]
			number, function, _ := strings.Cut(place, ", in ")
			if inOwn = isOwn(file); inOwn {
				now.frames = append(now.frames, frame{file: harmless(relative(here, file)), line: harmless(number), function: harmless(function)})
				now.others = 0
			} else {
				now.others++
			}
		case strings.HasPrefix(line, "    "):
			if now := &all[len(all)-1]; inOwn && now.frames[len(now.frames)-1].code == "" {
				now.frames[len(now.frames)-1].code = harmless(strings.TrimSpace(line))
			}
		case !strings.HasPrefix(line, " "):
			all[len(all)-1].text, reading = line, false
		}
	}
	return all
}

// ofGroup returns a line of the traceback of an exception group without the margin, and how deep it is in groups.
func ofGroup(line string) (string, int) {
	rest := strings.TrimLeft(line, " ")
	indent := len(line) - len(rest)
	switch {
	case strings.HasPrefix(rest, "+-"):
		return rest, indent / 2
	case strings.HasPrefix(rest, "| ") || strings.HasPrefix(rest, "+ "):
		return rest[2:], indent / 2
	case rest == "|":
		return "", indent / 2
	}
	return line, 0
}

// told is what a person is shown of a traceback.
type told struct {
	last    raised   // what ended the script
	earlier []raised // what has to do with it, nearest first
}

func tell(traceback string) told {
	var t told
	var group []raised // the members of the exception before
	for _, r := range slices.Backward(parseTraceback(traceback)) {
		switch {
		case r.depth > 1:
			group = append(group, r)
			continue
		case t.last.text == "" && len(t.last.frames) == 0:
			t.last = r
		case r.link != "" || len(r.frames) > 0: // else it begins the text of another traceback
			t.earlier = append(t.earlier, r)
		}
		for len(group) > 0 { // what a member is linked to follows it
			first := len(group) - 1
			for first > 0 && group[first].link != "" {
				first--
			}
			t.earlier = append(t.earlier, group[first:]...)
			group = group[:first]
		}
	}
	return t
}

// write writes the own frames of what ended the script, and in a line or two what came before it.
func (t told) write(b *strings.Builder) {
	const first, most = 2, 10
	write := func(margin string, f frame) {
		fmt.Fprintf(b, "%s%s\n", margin, f)
		if f.code != "" {
			fmt.Fprintf(b, "%s    %s\n", margin, f.code)
		}
	}
	leave := len(t.last.frames) - most // of a recursion there may be a thousand
	for i, f := range t.last.frames {
		switch {
		case leave <= 1 || i < first || i >= first+leave:
			write("  ", f)
		case i == first:
			fmt.Fprintf(b, "  ... %s ...\n", plural(leave, "more frame"))
		}
	}
	if t.last.others > 0 {
		fmt.Fprintf(b, "  and %s in code that it called\n", plural(t.last.others, "more frame"))
	}
	for i, r := range t.earlier {
		if i == most {
			fmt.Fprintf(b, "  and %s\n", plural(len(t.earlier)-most, "more exception"))
			return
		}
		link := r.link
		if link == "" {
			link = "with"
		}
		fmt.Fprintf(b, "  %s %s\n", link, harmless(r.text))
		if n := len(r.frames); n > 0 {
			write("    ", r.frames[n-1])
		}
	}
}
