package report

import (
	"fmt"
	"time"

	"github.com/scriptspec/scriptspec/internal/amount"
	"github.com/scriptspec/scriptspec/internal/printable"
)

// Sizes of the charts of the last runs, in pixels.
const (
	chartRuns = 20 // before this one

	sparkStep, sparkBar, sparkHeight = 6, 4, 24
	plotStep, plotBar, plotHeight    = 14, 10, 76

	chartFoot = 3 // below the bars, where this run is underlined
	leastBar  = 3
)

// chart is the last runs of a node, the oldest at the left: the height of a bar is how long it took. Runs that failed are
// hollow and have a cross, so that colours are not needed; this run is underlined.
type chart struct {
	Width, Height, Base int
	Bars                []chartBar
	Median              int    // where the median of those that are comparable is; 0 if it is not shown
	Describes           string // for those who cannot see it
}

// Large reports whether the bars are wide enough to be pointed at.
func (c *chart) Large() bool { return c.Height >= plotHeight }

// Foot is where this run is underlined.
func (c *chart) Foot() int { return c.Base + 1 }

type chartBar struct {
	X, Y, W, H int
	Class      string
	Cross      string // the path of it, or ""
	Now        bool
	Describes  string
}

// newChart draws the last runs and this one; nil if nothing is on record.
func newChart(n Node, step, width, height int) *chart {
	if len(n.Past) == 0 {
		return nil
	}
	past := n.Past[max(len(n.Past)-chartRuns, 0):]
	took := n.took()
	longest := max(took, 1)
	if n.Usual.known() {
		longest = max(longest, n.Usual.Median)
	}
	for _, p := range past {
		longest = max(longest, p.Duration)
	}
	c := &chart{Width: chartRuns*step + step + width, Height: height, Base: height - chartFoot}
	cross := min(width+1, 7) // above a bar, where a run failed; not as wide as to touch another
	room := c.Base - cross - 2
	tall := func(d time.Duration) int {
		return min(max(int(float64(room)*float64(max(d, 0))/float64(longest)), leastBar), room)
	}
	put := func(at int, d time.Duration, passed bool, describes string) {
		b := chartBar{X: at * step, W: width, H: tall(d), Class: string(Passed), Describes: describes}
		b.Y = c.Base - b.H
		if !passed {
			b.Class = string(Failed)
			size := cross - 1
			x, y := b.X+(width-size)/2, b.Y-cross-1
			b.Cross = fmt.Sprintf("M%d %dl%d %dm0 -%dl-%d %d", x, y, size, size, size, size, size)
		}
		c.Bars = append(c.Bars, b)
	}
	for i, p := range past {
		text := printable.Line(p.Outcome) + ", " + amount.Time(p.Duration)
		if at := startedAt(p.At, false); at != "" {
			text = at + ": " + text
		}
		put(chartRuns-len(past)+i, p.Duration, p.Passed, text)
	}
	if c.Large() && n.Usual.known() {
		c.Median = c.Base - tall(n.Usual.Median)
	}
	this := "not run"
	if took > 0 {
		this = string(n.Status) + ", " + amount.Time(took)
		put(chartRuns+1, took, !n.Status.wrong(), "this run: "+printable.Line(this))
		c.Bars[len(c.Bars)-1].Now = true
	}
	c.Describes = printable.Line(describePast(past) + "; this run: " + this)
	return c
}
