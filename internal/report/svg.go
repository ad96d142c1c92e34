package report

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/scriptspec/scriptspec/internal/daglayout"
	"github.com/scriptspec/scriptspec/internal/printable"
)

// Sizes of what is drawn, in pixels; the fonts are those of page.css.
const (
	boxHeight   = 50
	boxNarrow   = 150
	boxText     = 44 // from the left edge of a box, past its mark
	boxPadding  = 14
	nameFont    = 13
	statusFont  = 12
	labelFont   = 11
	labelLine   = 15
	longestName = 36 // characters; of longer ones the middle is left out
	longestInfo = 26
)

// drawing is the graph with places.
type drawing struct {
	Width, Height int
	Boxes         []box
	Lines         []arrow
}

type box struct {
	*pageNode
	X, Y, W, H  int
	Short, Info string
	Describes   string // for those who cannot see it
}

type arrow struct {
	From, To, Path string
	Class          string
	Describes      string
	X, Y, W, H     int // of the label
	Texts          []labelText
}

type labelText struct {
	X, Y  int
	Text  string
	Class string
}

// newDrawing draws the nodes and the edges that join two of them; nil if there is nothing to draw, or
// too much.
func newDrawing(r *Run, nodes []*pageNode, ids map[string]string) *drawing {
	if r.Kind != Pipeline {
		return nil
	}
	d := &drawing{}
	boxes := make([]daglayout.Node, len(nodes))
	number := make(map[string]int, len(nodes))
	for i, n := range nodes {
		b := box{pageNode: n, H: boxHeight, Short: shorten(n.Name, longestName), Info: shorten(n.summary(), longestInfo)}
		b.W = max(boxNarrow, boxText+boxPadding+max(textWidth(b.Short, nameFont), textWidth(b.Info, statusFont)))
		b.Describes = n.Name + ": " + n.summary()
		d.Boxes = append(d.Boxes, b)
		boxes[i] = daglayout.Node{Level: r.Nodes[i].Level, Width: b.W, Height: b.H}
		number[n.ID] = i
	}
	var edges []daglayout.Edge
	for _, e := range r.Edges {
		from, known := ids[e.Source]
		to, known2 := ids[e.Dest]
		if !known || !known2 {
			continue
		}
		a := newArrow(e)
		a.From, a.To = from, to
		d.Lines = append(d.Lines, a)
		edges = append(edges, daglayout.Edge{From: number[from], To: number[to], Width: a.W, Height: a.H})
	}
	places, ok := daglayout.Layout(boxes, edges)
	if !ok || len(boxes) == 0 {
		return nil
	}
	d.Width, d.Height = places.Width, places.Height
	for i, p := range places.Nodes {
		d.Boxes[i].X, d.Boxes[i].Y = p.X, p.Y
	}
	drawn := d.Lines[:0]
	for i, route := range places.Edges {
		if a := d.Lines[i]; len(route.Points) > 0 {
			a.Path = route.Path()
			a.put(route.Label)
			drawn = append(drawn, a)
		}
	}
	d.Lines = drawn
	return d
}

// newArrow labels an edge with what it carried, in lines that fit beside each other.
func newArrow(e Edge) arrow {
	a := arrow{Class: "idle", Describes: printable.Line(e.Source) + " to " + printable.Line(e.Dest) + ": nothing handed over"}
	if len(e.Transfers) == 0 {
		return a
	}
	problems := 0
	for _, h := range e.Transfers {
		problems += len(h.Problems)
	}
	amount, formats := volume(e.Transfers)
	formats = printable.Line(formats)
	a.Class = "flow"
	a.Describes = strings.TrimSuffix(printable.Line(e.Source)+" to "+printable.Line(e.Dest)+": "+amount+": "+formats, ": ")
	if problems > 0 {
		a.Class = "flow bad"
		a.Texts = append(a.Texts, labelText{Text: "\u26a0\ufe0e " + plural(problems, "problem"), Class: "problem"})
		a.Describes += ", " + plural(problems, "problem")
	}
	a.Texts = append(a.Texts, labelText{Text: amount})
	if formats != "" {
		a.Texts = append(a.Texts, labelText{Text: shorten(formats, longestInfo), Class: "formats"})
	}
	for _, t := range a.Texts {
		a.W = max(a.W, textWidth(t.Text, labelFont)+8)
	}
	a.H = len(a.Texts)*labelLine + 4
	return a
}

// put moves the label to its place.
func (a *arrow) put(centre daglayout.Point) {
	a.X, a.Y = centre.X-a.W/2, centre.Y-a.H/2
	for i := range a.Texts {
		a.Texts[i].X, a.Texts[i].Y = centre.X, a.Y+(i+1)*labelLine-2
	}
}

// mark marks the edges of the graph that are of the critical path.
func (p *page) mark() {
	if p.Drawing == nil || p.Timeline == nil {
		return
	}
	critical := map[[2]string]bool{}
	for i := 1; i < len(p.Timeline.Path); i++ {
		critical[[2]string{p.Nodes[p.Timeline.Path[i-1]].ID, p.Nodes[p.Timeline.Path[i]].ID}] = true
	}
	for i := range p.Drawing.Lines {
		if line := &p.Drawing.Lines[i]; critical[[2]string{line.From, line.To}] {
			line.Class += " on-path"
			line.Describes += ", on the critical path"
		}
	}
}

// style lets the drawing shrink to nine tenths, below which its labels are too small to read, and to any size where it is to fit.
func (d *drawing) style() string {
	return fmt.Sprintf("#graph svg{max-width:%dpx;min-width:%dpx}\n", d.Width, d.Width*9/10)
}

// summary is the second line of a box.
func (n *pageNode) summary() string {
	parts := []string{n.Status}
	if n.Outcome != "" && n.Outcome != n.Status {
		parts[0] += ": " + n.Outcome
	}
	if n.Flaky {
		parts[0] += ", flaky"
	}
	if n.Took != "" {
		parts = append(parts, n.Took)
	}
	return strings.Join(parts, " \u00b7 ")
}

// shorten leaves out the middle of a text: names differ at their ends.
func shorten(text string, limit int) string {
	if utf8.RuneCountInString(text) <= limit {
		return text
	}
	runes := []rune(text)
	end := (limit - 1) * 2 / 5
	return string(runes[:limit-1-end]) + "\u2026" + string(runes[len(runes)-end:])
}

// textWidth estimates the width of a text in the widest of the usual sans serif fonts, so that it
// fits in the others too.
func textWidth(text string, font int) int {
	width := 0 // in hundredths of the font size
	for _, r := range text {
		switch {
		case strings.ContainsRune("iljtfr.,:;'|!()[] ", r):
			width += 42
		case strings.ContainsRune("mwMW@%", r):
			width += 102
		case r >= 'A' && r <= 'Z':
			width += 76
		case r < 0x1100:
			width += 70
		default:
			width += 105
		}
	}
	return (width*font + 99) / 100
}
