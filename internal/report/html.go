package report

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed" // the page, its style and its script
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/scriptspec/scriptspec/internal/amount"
	"github.com/scriptspec/scriptspec/internal/printable"
)

var (
	//go:embed page.html.tmpl
	pageTemplate string
	//go:embed page.css
	pageStyle string
	//go:embed page.js
	pageScript string
)

// pageStream bounds what the page shows of a stream; the JSON report has all of it.
const pageStream = 64 << 10

// pageText bounds every other text of several lines.
const pageText = 16 << 10

var parsePage = sync.OnceValues(func() (*template.Template, error) {
	return template.New("report").Funcs(template.FuncMap{"breaks": breaks}).Parse(pageTemplate)
})

// WriteHTML writes a run as one page that needs nothing else.
func (r *Run) WriteHTML(w io.Writer) error {
	t, err := parsePage()
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, newPage(r)); err != nil {
		return err
	}
	_, err = w.Write(b.Bytes())
	return err
}

// page is what the template shows. Its strings are plain text that is fit to be seen.
type page struct {
	Kind    Kind
	Policy  string
	Style   template.CSS
	Script  template.JS
	Title   string
	Verdict string
	Counts  []pageCount
	Facts   []pageFact
	Drawing *drawing
	Nodes   []*pageNode
	pageAnswers
	Timeline *timeline
	Critical string // the critical path, in words
	Charts   bool   // some node has runs on record
}

type pageCount struct {
	Class, Word string
	N           int
}

type pageFact struct{ Name, Value string }

// pageNode is a node with all that is known of it.
type pageNode struct {
	ID, Name, Status, Class string
	Outcome, Reason         string
	Description             string
	Took, Time, Memory      string // Time is what lists show, see page.took
	Facts                   []pageFact
	Traceback               string
	Streams                 []pageStreamText
	Outputs                 []pageOutput
	Received, Passed        []pageFlow
	Bar                     *bar
	Spark, Plot             *chart
	Usual, Median           string // how long it takes, by those of its last runs that are like this one
	New                     string // what is new of it, as a word: "new failure"
	News                    string // and as a text
	Caption                 string // of the plot
	Past                    []pagePast
	Warnings                []string
	Attempts                []pageAttempt
	Flaky                   bool
}

type pageStreamText struct {
	Name, Size, Text string
	Open             bool
}

type pageOutput struct {
	Name, Amount, Path string
	Missing            bool
}

// pageFlow is something that was handed over. Other is the node at its other end.
type pageFlow struct {
	Other, OtherID, Output, Input, Match string
	Amount, Formats, Path                string
	Problems                             []string
}

func newPage(r *Run) *page {
	p := &page{Kind: r.Kind, Title: cmp.Or(printable.Line(r.Name), r.Kind.Noun), Verdict: r.verdict()}
	p.count(r)
	p.Facts = facts(
		"took", amount.Time(r.Duration),
		"started", startedAt(r.Started, r.Naive),
		"results in", printable.Line(r.WorkDir))
	p.Timeline = newTimeline(r)
	ids := map[string]string{}
	for i, n := range r.Nodes {
		node := newPageNode(n)
		node.ID = fmt.Sprintf("n%d", i)
		node.addPast(r, n)
		if p.Timeline != nil {
			node.Bar = p.Timeline.bars[i]
		}
		p.Charts = p.Charts || node.Spark != nil
		p.Nodes = append(p.Nodes, node)
		ids[n.Name] = node.ID
	}
	for i, n := range r.Nodes {
		if took := p.took(n); took > 0 {
			p.Nodes[i].Time = amount.Time(took)
		}
	}
	if p.Timeline != nil {
		p.Critical = p.Timeline.summary(r)
	}
	p.link(r, ids)
	p.answer(r, ids)
	p.Drawing = newDrawing(r, p.Nodes, ids)
	p.mark()
	p.Style, p.Script = template.CSS(pageStyle), template.JS(pageScript)
	if p.Drawing != nil {
		p.Style += template.CSS(p.Drawing.style())
	}
	p.Policy = fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s'; base-uri 'none'; form-action 'none'",
		sourceHash(string(p.Style)), sourceHash(string(p.Script)))
	return p
}

// block is a text of several lines, of which the page shows the beginning.
func block(text string) string {
	return beginning(printable.Block(text[:min(len(text), 2*pageText+1)]), pageText)
}

// startedAt is a time as people write it, with the zone where it has one.
func startedAt(t time.Time, naive bool) string {
	switch {
	case t.IsZero():
		return ""
	case naive:
		return t.Format("2006-01-02 15:04:05")
	}
	return t.Format("2006-01-02 15:04:05 -07:00")
}

// sourceHash names a style or script in a Content-Security-Policy.
func sourceHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// breaks cuts a name or path where a line may end.
func breaks(name string) []string {
	var parts []string
	for part := range strings.SplitAfterSeq(name, "_") {
		parts = append(parts, strings.SplitAfter(part, "/")...)
	}
	return parts
}

// facts pairs names and values, without those that have no value.
func facts(pairs ...string) []pageFact {
	var list []pageFact
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			list = append(list, pageFact{pairs[i], pairs[i+1]})
		}
	}
	return list
}

// class is the status as a word of the style; an unknown status has a class of its own.
func class(s Status) string {
	if slices.Contains(statuses(), s) {
		return string(s)
	}
	return "unknown"
}

func newPageNode(n Node) *pageNode {
	p := &pageNode{Name: printable.Line(n.Name), Status: printable.Line(string(n.Status)), Class: class(n.Status), Reason: block(n.Reason)}
	if n.Duration > 0 {
		p.Took = amount.Time(n.Duration)
	}
	s := n.Script
	if s == nil {
		return p
	}
	p.Description = block(s.Description)
	p.Memory, p.Outcome = formatMemory(s.PeakMemory), printable.Line(s.Outcome)
	exit := ""
	if s.ExitCode != 0 && s.Signal == "" {
		exit = strconv.Itoa(s.ExitCode)
	}
	p.Facts = facts(
		"script", printable.Line(s.ScriptName), "outcome", p.Outcome, "exit code", exit, "signal", printable.Line(s.Signal),
		"began", "after "+amount.Time(n.Started), "took", p.Took, "process", amount.Time(s.ExecutionTime), "imports", formatImport(s),
		"peak memory", p.Memory, "processes", block(s.remains()),
		"budget", block(strings.Join(s.Unchecked, "; ")))
	if detail := strings.TrimPrefix(printable.Line(s.ErrorType)+": "+block(s.ErrorMessage), ": "); s.ErrorMessage != "" && detail != p.Reason {
		p.Facts = append(p.Facts, pageFact{"error", detail})
	}
	p.Traceback = strings.TrimRight(tail(s.Traceback, pageStream), "\n")
	for _, c := range []struct {
		name string
		Stream
	}{{"stdout", s.Stdout}, {"stderr", s.Stderr}} {
		if c.Text == "" {
			continue
		}
		text := tail(c.Text, pageStream)
		size := amount.Bytes(c.Bytes)
		if c.Truncated || strings.HasPrefix(text, "[...]\n") {
			size += ", not all of it shown"
		}
		p.Streams = append(p.Streams, pageStreamText{c.name, size, strings.TrimRight(text, "\n"), !s.Success})
	}
	for _, name := range slices.Sorted(maps.Keys(s.Outputs)) {
		o := s.Outputs[name]
		p.Outputs = append(p.Outputs, pageOutput{
			Name: printable.Line(name), Amount: plural(o.Files, "file") + ", " + amount.Bytes(o.Bytes), Path: printable.Line(o.Path),
			Missing: !o.Exists || o.Bytes == 0,
		})
	}
	return p
}

// link adds to each node what it received and handed on, and collects what went wrong.
func (p *page) link(r *Run, ids map[string]string) {
	nodes := map[string]*pageNode{}
	for _, n := range p.Nodes {
		nodes[n.ID] = n
	}
	for _, e := range r.Edges {
		from, to := nodes[ids[e.Source]], nodes[ids[e.Dest]]
		for _, h := range e.Transfers {
			amount, formats := volume([]Transfer{h})
			f := pageFlow{
				Output: printable.Line(h.Output), Input: printable.Line(h.Input), Path: printable.Line(h.Path),
				Match:  fmt.Sprintf("%s, %.0f\u00a0%%", strings.ReplaceAll(printable.Line(h.Match), "_", " "), 100*h.Confidence),
				Amount: amount, Formats: printable.Line(formats),
			}
			for _, text := range h.Problems {
				f.Problems = append(f.Problems, block(text))
			}
			if to != nil {
				f.Other, f.OtherID = printable.Line(e.Source), ids[e.Source]
				to.Received = append(to.Received, f)
			}
			if from != nil {
				f.Other, f.OtherID = printable.Line(e.Dest), ids[e.Dest]
				from.Passed = append(from.Passed, f)
			}
		}
	}
}
