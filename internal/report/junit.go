package report

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/scriptspec/scriptspec/internal/printable"
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
	Failure   *junitProblem `xml:"failure"`
	Rerun     []junitRerun  `xml:"rerunFailure"`
	Flaky     []junitRerun  `xml:"flakyFailure"`
	Skipped   *junitProblem `xml:"skipped"`
	Error     *junitProblem `xml:"error"`
	Stdout    *junitText    `xml:"system-out"`
	Stderr    *junitText    `xml:"system-err"`
}

type junitProblem struct {
	Type    string `xml:"type,attr,omitempty"`
	Message string `xml:"message,attr"`
	Text    string `xml:",cdata"`
}

// junitRerun is an attempt that failed, beside the one that counts, as Maven's Surefire writes it.
type junitRerun struct {
	Type    string    `xml:"type,attr"`
	Message string    `xml:"message,attr"`
	Trace   junitText `xml:"stackTrace"`
}

type junitText struct {
	Text string `xml:",cdata"`
}

// WriteJUnit writes a run as the JUnit XML that CI systems show: a suite with a test for each node, and one
// with a test for each edge along which data was handed over.
func (r *Run) WriteJUnit(w io.Writer) error {
	name := printable.Line(r.Name)
	if name == "" {
		name = r.Kind.Noun
	}
	nodes := junitSuite{Name: name, Time: seconds(r.Duration)}
	if at := r.Started; !at.IsZero() {
		if !r.Naive {
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

func nodeCase(class string, n Node) junitCase {
	c := junitCase{Name: printable.Line(n.Name), ClassName: class, Time: seconds(n.Duration)}
	problem := &junitProblem{Type: printable.Line(string(n.Status)), Message: printable.Line(n.Reason)}
	switch n.Status {
	case Passed:
	case Skipped, Blocked, Reused:
		c.Skipped = problem
	case Cancelled, Lost:
		c.Error = problem
	default:
		c.Failure = problem
	}
	if s := n.Script; s != nil {
		if c.Failure != nil {
			c.Failure.Type = printable.Line(s.Outcome)
			c.Failure.Text = failureText(s)
		}
		for _, earlier := range n.earlier() {
			if earlier == nil {
				continue
			}
			rerun := junitRerun{printable.Line(earlier.Outcome), printable.Line(earlier.ending()), junitText{printable.Tail(failureText(earlier), junitStream)}}
			if c.Failure == nil && c.Error == nil {
				c.Flaky = append(c.Flaky, rerun)
			} else {
				c.Rerun = append(c.Rerun, rerun)
			}
		}
		c.Stdout, c.Stderr = junitOutput(s.Stdout), junitOutput(s.Stderr)
		var remarks []string
		if remains := s.remains(); remains != "" {
			remarks = append(remarks, "processes "+remains)
		}
		for _, e := range s.OverBudget {
			remarks = append(remarks, "over budget: "+e.Text)
		}
		for _, remark := range remarks {
			if c.Stderr == nil {
				c.Stderr = &junitText{}
			}
			c.Stderr.Text += "[" + printable.Block(remark) + "]\n"
		}
	}
	return c
}

// failureText returns the traceback of a failure and the ends of the streams.
func failureText(s *Script) string {
	text := s.Traceback
	if text == "" {
		text = s.ErrorMessage
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", strings.TrimRight(tail(text, junitStream), "\n"))
	for _, c := range []struct {
		name string
		Stream
	}{{"stdout", s.Stdout}, {"stderr", s.Stderr}} {
		if c.Text != "" {
			fmt.Fprintf(&b, "\nend of %s:\n%s\n", c.name, strings.TrimRight(tail(c.Text, junitTail), "\n"))
		}
	}
	return b.String()
}

func junitOutput(c Stream) *junitText {
	if c.Text == "" {
		return nil
	}
	return &junitText{tail(c.Text, junitStream)}
}

// edgeCase is the test case of an edge.
func edgeCase(class string, e Edge) junitCase {
	c := junitCase{Name: printable.Line(e.Source) + " -> " + printable.Line(e.Dest), ClassName: class + ".data", Time: seconds(0)}
	var texts []string
	first := ""
	for _, h := range e.Transfers {
		for _, p := range h.Problems {
			if first == "" {
				first, _, _ = strings.Cut(p, "\n")
			}
			texts = append(texts, printable.Line(h.Output)+" -> "+printable.Line(h.Input)+": "+printable.Block(p))
		}
	}
	if len(texts) > 0 {
		c.Failure = &junitProblem{"data", printable.Line(first), printable.Tail(strings.Join(texts, "\n"), junitStream)}
	}
	return c
}

// seconds writes a time as the schema has it, which is never negative.
func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", max(d, 0).Seconds()) }
