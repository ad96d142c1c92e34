package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/scriptspec/scriptspec"
)

// stream writes the events of a run as they come, where --format jsonl wants them.
type stream struct {
	to    []*json.Encoder
	files []*os.File
	err   error // the first
}

// newStream opens what --format jsonl names, which is then no format of the result any more.
func (a *app) newStream() (*stream, error) {
	s := &stream{}
	for _, format := range a.formats {
		name, file, toFile := strings.Cut(format, "=")
		switch {
		case name != formatLines:
		case !toFile:
			s.add(a.out)
		default:
			if err := os.MkdirAll(filepath.Dir(file), dirMode); err != nil {
				return nil, errors.Join(err, s.close())
			}
			f, err := os.Create(file) // in place: others may follow it
			if err != nil {
				return nil, errors.Join(err, s.close())
			}
			s.files = append(s.files, f)
			s.add(f)
		}
	}
	a.formats = slices.DeleteFunc(slices.Clone(a.formats), func(format string) bool {
		name, _, _ := strings.Cut(format, "=")
		return name == formatLines
	})
	return s, nil
}

// follow has the events of what is run shown as progress, and streamed. The error is that of the stream.
func (a *app) follow(tester *scriptspec.RuntimeTester, run func()) error {
	s, err := a.newStream()
	if err != nil {
		return &exit{exitNoTest, err}
	}
	p := newProgress(a)
	tester.Observer = func(e scriptspec.Event) {
		p.event(e)
		s.event(e)
	}
	run()
	p.close()
	if err := s.close(); err != nil {
		return &exit{exitNoTest, err}
	}
	return nil
}

const formatLines = "jsonl"

func (s *stream) add(w io.Writer) {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	s.to = append(s.to, e)
}

func (s *stream) event(e scriptspec.Event) {
	for _, to := range s.to {
		if err := to.Encode(e); err != nil && s.err == nil {
			s.err = err
		}
	}
}

// close returns what has gone wrong since the stream was opened.
func (s *stream) close() error {
	errs := []error{s.err}
	for _, f := range s.files {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

// writeEvents writes the last events of a run that is over.
func writeEvents(w io.Writer, r scriptspec.Result) error {
	s := &stream{}
	s.add(w)
	finished := func(name, pipeline string, r *scriptspec.ScriptTestResult) scriptspec.Event {
		e := scriptspec.Event{Kind: scriptspec.EventFinished, Name: name, Pipeline: pipeline, Result: r}
		if r != nil {
			e.Attempt = max(1, len(r.Attempts))
			if !r.StartedAt.IsZero() {
				e.At = r.StartedAt.Add(r.ExecutionTime)
			}
		}
		return e
	}
	switch r := r.(type) {
	case *scriptspec.StoreTestResult:
		for _, spec := range r.Specs {
			e := finished(spec.Name, "", spec.Result)
			e.Error, e.Expect, e.Status = spec.Error, spec.Expect, spec.Status
			e.Example, e.Round = spec.Example, spec.Round
			s.event(e)
		}
	case *scriptspec.PipelineTestResult:
		for _, n := range r.Nodes {
			e := finished(n.Node, r.Name, n.Result)
			e.Status, e.Reason = n.Status, n.Reason
			e.At = r.StartedAt.Add(n.Started + n.Duration)
			s.event(e)
		}
	case *scriptspec.ScriptTestResult:
		s.event(finished(r.StepName, "", r))
	}
	return s.close()
}

// event shows what happens.
func (p *progress) event(e scriptspec.Event) {
	switch e.Kind {
	case scriptspec.EventStarted:
		if e.Attempt == 1 {
			p.begin(inRound(e.Name, e.Round))
		}
	case scriptspec.EventPending:
		p.wait(inRound(e.Name, e.Round), e.Reason)
	case scriptspec.EventFinished:
		p.end(inRound(e.Name, e.Round), statusOf(e), reasonOf(e))
	}
}

// inRound returns the name of a run as reports show it: with the round behind it, if it is not the first.
func inRound(name string, round int) string {
	if round < 2 {
		return name
	}
	return name + "#" + strconv.Itoa(round)
}

// statusOf returns what became of a run as one word.
func statusOf(e scriptspec.Event) string {
	expect := e.Expect
	if expect == "" {
		expect = scriptspec.OutcomePassed
	}
	switch {
	case e.Status != "" && e.Status != scriptspec.NodePassed:
		return string(e.Status)
	case e.Result == nil || e.Result.Outcome != expect:
		return string(scriptspec.NodeFailed)
	case e.Result.Flaky:
		return "flaky"
	}
	return string(scriptspec.NodePassed)
}

func reasonOf(e scriptspec.Event) string {
	switch {
	case e.Error != "" || e.Reason != "":
		return e.Error + e.Reason
	case e.Result == nil:
		return ""
	case e.Result.Success && e.Result.Flaky:
		n := len(e.Result.Attempts)
		return fmt.Sprintf("passed on attempt %d of %d, after %s", n, n, e.Result.Attempts[max(n-2, 0)].String())
	case e.Result.Success && e.Expect == "":
		return shownTime(e.Result.ExecutionTime)
	case e.Expect == "":
		return e.Result.String()
	}
	text := strings.TrimPrefix(e.Result.String(), e.Result.StepName+": ")
	if e.Expect == e.Result.Outcome {
		return "as expected, " + text
	}
	return unexpected(e.Expect) + text
}
