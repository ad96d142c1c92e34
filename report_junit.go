package scriptspec

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
)

// Bounds of what a JUnit report repeats of a stream: CI systems keep these files for long, and the
// JSON report has all of it.
const (
	junitStream = 64 << 10 // in system-out and system-err
	junitTail   = 2 << 10  // in the text of a failure
)

type junitSuites struct {
	XMLName  xml.Name `xml:"testsuites"`
	Name     string   `xml:"name,attr"`
	Tests    int      `xml:"tests,attr"`
	Failures int      `xml:"failures,attr"`
	Errors   int      `xml:"errors,attr"`
	Time     string   `xml:"time,attr"`
	Suites   []junitSuite
}

type junitSuite struct {
	XMLName   xml.Name `xml:"testsuite"`
	Name      string   `xml:"name,attr"`
	Tests     int      `xml:"tests,attr"`
	Failures  int      `xml:"failures,attr"`
	Errors    int      `xml:"errors,attr"`
	Skipped   int      `xml:"skipped,attr"`
	Time      string   `xml:"time,attr"`
	Timestamp string   `xml:"timestamp,attr,omitempty"`
	Cases     []junitCase
}

type junitCase struct {
	XMLName   xml.Name      `xml:"testcase"`
	Name      string        `xml:"name,attr"`
	ClassName string        `xml:"classname,attr"`
	Time      string        `xml:"time,attr"`
	Skipped   *junitProblem `xml:"skipped"`
	Error     *junitProblem `xml:"error"`
	Failure   *junitProblem `xml:"failure"`
	Stdout    *junitText    `xml:"system-out"`
	Stderr    *junitText    `xml:"system-err"`
}

type junitProblem struct {
	Type    string `xml:"type,attr,omitempty"`
	Message string `xml:"message,attr"`
	Text    string `xml:",cdata"`
}

type junitText struct {
	Text string `xml:",cdata"`
}

// WriteJUnit writes the result as the JUnit XML that CI systems show: a test suite with a test for
// each node, and one with a test for each edge along which data was handed over. A node that failed
// is a failure whose type is the outcome, one that was cancelled an error, and one that was skipped,
// blocked or reused is skipped. The end of stdout and stderr goes with each, at most 64 KiB. Times are
// in seconds; characters that XML cannot carry are spelled out. The error is that of w.
func (r *PipelineTestResult) WriteJUnit(w io.Writer) error {
	if r == nil {
		r = &PipelineTestResult{}
	}
	name := printable(r.Name)
	if name == "" {
		name = "pipeline"
	}
	nodes := junitSuite{Name: name, Time: seconds(r.Duration)}
	if !r.StartedAt.IsZero() {
		at := r.StartedAt.Time
		if !r.StartedAt.IsNaive() {
			at = at.UTC()
		}
		nodes.Timestamp = at.Format("2006-01-02T15:04:05") // the schema has no zone
	}
	for _, n := range r.Nodes {
		nodes.add(nodeCase(name, n))
	}
	data := junitSuite{Name: name + ": data", Time: seconds(0), Timestamp: nodes.Timestamp}
	for _, e := range r.Edges {
		if len(e.Transfers) > 0 {
			data.add(edgeCase(name, e))
		}
	}
	all := junitSuites{Name: name, Time: nodes.Time}
	for _, s := range []junitSuite{nodes, data} {
		if s.Tests > 0 {
			all.Suites = append(all.Suites, s)
		}
		all.Tests, all.Failures, all.Errors = all.Tests+s.Tests, all.Failures+s.Failures, all.Errors+s.Errors
	}
	var b bytes.Buffer
	b.WriteString(xml.Header)
	enc := xml.NewEncoder(&b)
	enc.Indent("", "  ")
	if err := enc.Encode(all); err != nil {
		return err
	}
	b.WriteByte('\n')
	_, err := w.Write(b.Bytes())
	return err
}

func (s *junitSuite) add(c junitCase) {
	s.Tests++
	switch {
	case c.Failure != nil:
		s.Failures++
	case c.Error != nil:
		s.Errors++
	case c.Skipped != nil:
		s.Skipped++
	}
	s.Cases = append(s.Cases, c)
}

func nodeCase(class string, n NodeResult) junitCase {
	c := junitCase{Name: printable(n.Node), ClassName: class, Time: seconds(n.Duration)}
	problem := &junitProblem{Type: printable(string(n.Status)), Message: printable(n.Reason)}
	switch n.Status {
	case NodePassed:
	case NodeSkipped, NodeBlocked, NodeReused:
		c.Skipped = problem
	case NodeCancelled:
		c.Error = problem
	default:
		c.Failure = problem
	}
	if s := n.Result; s != nil {
		if c.Failure != nil {
			c.Failure.Type = printable(string(s.Outcome))
			c.Failure.Text = failureText(s)
		}
		c.Stdout, c.Stderr = junitOutput(s.Stdout), junitOutput(s.Stderr)
	}
	return c
}

// failureText has what is known of a failure: the traceback, and how the streams ended.
func failureText(s *ScriptTestResult) string {
	text := s.Traceback
	if text == "" {
		text = s.ErrorMessage
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", strings.TrimRight(tail(harmless(text), junitStream), "\n"))
	for _, c := range []struct {
		name string
		Capture
	}{{"stdout", s.Stdout}, {"stderr", s.Stderr}} {
		if c.Text != "" {
			fmt.Fprintf(&b, "\nend of %s:\n%s\n", c.name, strings.TrimRight(tail(harmless(c.Text), junitTail), "\n"))
		}
	}
	return b.String()
}

func junitOutput(c Capture) *junitText {
	if c.Text == "" {
		return nil
	}
	return &junitText{tail(harmless(c.Text), junitStream)}
}

// edgeCase is the test of what was handed over along an edge.
func edgeCase(class string, e EdgeResult) junitCase {
	c := junitCase{Name: printable(e.Source) + " -> " + printable(e.Dest), ClassName: class + ".data", Time: seconds(0)}
	var texts []string
	first := ""
	for _, h := range e.Transfers {
		for _, p := range h.Problems {
			if first == "" {
				first, _, _ = strings.Cut(p, "\n")
			}
			texts = append(texts, printable(h.Output)+" -> "+printable(h.Input)+": "+harmless(p))
		}
	}
	if len(texts) > 0 {
		c.Failure = &junitProblem{"data", printable(first), tail(strings.Join(texts, "\n"), junitStream)}
	}
	return c
}

// seconds writes a time as the schema has it; it knows none below 0.
func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", max(d, 0).Seconds()) }
