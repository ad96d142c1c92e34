package scriptspec

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// reportVersion is that of the JSON form of a PipelineTestResult. It rises when a member changes its
// meaning or goes; a new member leaves it.
const reportVersion = 1

// plainPipeline and plainNode are the results without their methods.
type (
	plainPipeline PipelineTestResult
	plainNode     NodeResult
)

type pipelineJSON struct {
	*plainPipeline
	Duration float64 `json:"duration"`
}

type nodeJSON struct {
	*plainNode
	Started  float64 `json:"started"`
	Duration float64 `json:"duration"`
}

// MarshalJSON writes the version, snake_case members, with the duration in seconds, and lists that are
// never null.
func (r PipelineTestResult) MarshalJSON() ([]byte, error) {
	r.Version = reportVersion
	r.Nodes, r.Edges = orNone(r.Nodes), slices.Clone(orNone(r.Edges))
	for i := range r.Edges {
		handed := slices.Clone(orNone(r.Edges[i].Transfers))
		for j := range handed {
			handed[j].Formats, handed[j].Problems = orNone(handed[j].Formats), orNone(handed[j].Problems)
		}
		r.Edges[i].Transfers = handed
	}
	return json.Marshal(pipelineJSON{(*plainPipeline)(&r), r.Duration.Seconds()})
}

// UnmarshalJSON reads what MarshalJSON writes. A document without a version, or of a newer one than
// this package knows, is refused with a [*DecodeError]; members that it does not know are passed over.
func (r *PipelineTestResult) UnmarshalJSON(data []byte) error {
	read := PipelineTestResult{}
	v := pipelineJSON{plainPipeline: (*plainPipeline)(&read)}
	if err := json.Unmarshal(data, &struct {
		Version *int `json:"version"`
	}{&read.Version}); err != nil {
		return err
	}
	switch {
	case read.Version < 1:
		return &DecodeError{Path: "version", Message: "missing; a report of a pipeline has one, from 1"}
	case read.Version > reportVersion:
		return &DecodeError{Path: "version", Message: fmt.Sprintf(
			"the report is of version %d, and %d is the newest that is known here; read it with a newer scriptspec", read.Version, reportVersion)}
	}
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	read.Duration = fromSeconds(v.Duration)
	for _, e := range read.Edges {
		for i := range e.Transfers {
			e.Transfers[i].Source, e.Transfers[i].Dest = e.Source, e.Dest
		}
	}
	*r = read
	return nil
}

// MarshalJSON writes snake_case members, with started and duration in seconds.
func (n NodeResult) MarshalJSON() ([]byte, error) {
	return json.Marshal(nodeJSON{(*plainNode)(&n), n.Started.Seconds(), n.Duration.Seconds()})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (n *NodeResult) UnmarshalJSON(data []byte) error {
	v := nodeJSON{plainNode: (*plainNode)(n)}
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	n.Started, n.Duration = fromSeconds(v.Started), fromSeconds(v.Duration)
	return nil
}

// fromSeconds rounds, for no fraction of a second in nanoseconds is one in binary. What is too long
// for a Duration becomes the longest.
func fromSeconds(s float64) time.Duration {
	switch ns := math.Round(s * float64(time.Second)); {
	case ns >= math.MaxInt64:
		return math.MaxInt64
	case ns <= math.MinInt64:
		return math.MinInt64
	default:
		return time.Duration(ns)
	}
}

func orNone[E any](list []E) []E {
	if list == nil {
		return []E{}
	}
	return list
}

// statuses are all there are, in the order in which reports count them.
func statuses() []NodeStatus {
	return []NodeStatus{NodePassed, NodeFailed, NodeCancelled, NodeBlocked, NodeSkipped, NodeReused}
}

// verdict is the result in a word.
func (r *PipelineTestResult) verdict() string {
	if r.Success {
		return "passed"
	}
	return "failed"
}

// tally counts the nodes by status, and the problems of data: "3 passed, 1 failed".
func (r *PipelineTestResult) tally() string {
	count := map[NodeStatus]int{}
	for _, n := range r.Nodes {
		count[n.Status]++
	}
	var parts []string
	for _, s := range statuses() {
		if count[s] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count[s], s))
		}
	}
	if len(parts) == 0 {
		parts = append(parts, "no nodes")
	}
	if n := len(r.dataProblems()); n > 0 {
		parts = append(parts, plural(n, "data problem"))
	}
	return strings.Join(parts, ", ")
}

// dataProblem is a problem of something that was handed over.
type dataProblem struct {
	edge EdgeResult
	hand Transfer
	text string
}

// subject tells what was handed over: Load.data -> Train.input.
func (p dataProblem) subject() string {
	return printable(p.edge.Source) + "." + printable(p.hand.Output) + " -> " + printable(p.edge.Dest) + "." + printable(p.hand.Input)
}

func (r *PipelineTestResult) dataProblems() []dataProblem {
	var list []dataProblem
	for _, e := range r.Edges {
		for _, h := range e.Transfers {
			for _, text := range h.Problems {
				list = append(list, dataProblem{e, h, text})
			}
		}
	}
	return list
}

// received returns what each node was given.
func (r *PipelineTestResult) received() map[string][]Transfer {
	hands := map[string][]Transfer{}
	for _, e := range r.Edges {
		hands[e.Dest] = append(hands[e.Dest], e.Transfers...)
	}
	return hands
}

// volume says how much was handed over: "3 files, 1.2 MiB", and of which formats.
func volume(hands []Transfer) (amount, formats string) {
	files, size, names := 0, int64(0), map[string]bool{}
	for _, h := range hands {
		files += h.Files
		size += h.Bytes
		for _, f := range h.Formats {
			names[f] = true
		}
	}
	return plural(files, "file") + ", " + formatBytes(size), strings.Join(slices.Sorted(maps.Keys(names)), ", ")
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// formatBytes writes a size with two or more digits: 812 B, 1.2 KiB, 34 MiB.
func formatBytes(n int64) string {
	if n < 1024 {
		return strconv.FormatInt(n, 10) + " B"
	}
	size, unit := float64(n), ""
	for _, unit = range []string{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"} {
		if size /= 1024; size < 1023.5 {
			break
		}
	}
	if size < 9.95 {
		return strconv.FormatFloat(size, 'f', 1, 64) + " " + unit
	}
	return strconv.FormatFloat(size, 'f', 0, 64) + " " + unit
}

// formatMemory is formatBytes where there is something to tell.
func formatMemory(n int64) string {
	if n <= 0 {
		return ""
	}
	return formatBytes(n)
}

// formatDuration writes a time with as many digits as matter: 42ms, 1.52s, 3m12s.
func formatDuration(d time.Duration) string {
	switch {
	case d < time.Second:
		d = d.Round(time.Millisecond)
	case d < time.Minute:
		d = d.Round(10 * time.Millisecond)
	default:
		d = d.Round(time.Second)
	}
	return d.String()
}

// harmless returns a text of several lines that no terminal, browser or XML parser takes for more
// than text: lines end in \n, and control characters, those that turn the direction of writing, and
// what is not Unicode are spelled out or replaced.
func harmless(s string) string {
	if strings.Contains(s, "\r") {
		s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == '\n' || r == '\t':
			b.WriteRune(r)
		case r == utf8.RuneError, r == 0xFFFE, r == 0xFFFF:
			b.WriteRune(utf8.RuneError)
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == '\u2028', r == '\u2029', r == '\ufeff':
			q := strconv.QuoteToASCII(s[i : i+utf8.RuneLen(r)])
			b.WriteString(q[1 : len(q)-1])
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// tail returns the end of a text, from the beginning of a line if possible, where it is longer than
// limit.
func tail(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	text = text[len(text)-limit:]
	if _, rest, ok := strings.Cut(text, "\n"); ok && rest != "" {
		text = rest
	}
	return "[...]\n" + strings.ToValidUTF8(text, "")
}
