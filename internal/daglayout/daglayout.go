// Package daglayout places the boxes, lines and labels of a layered graph. Boxes of one
// level are in a row, lines lead down; every line has room of its own in each row that it passes,
// and so has its label between the rows, so that neither crosses a box or another label. All
// arithmetic is on integers: the same graph is drawn alike on every machine.
package daglayout

import (
	"slices"
	"strconv"
)

// Node is a box.
type Node struct {
	Level         int // any numbers; only their order matters
	Width, Height int
}

// Edge is a line from one node to another, by number, and the size of its label, which may be 0.
type Edge struct {
	From, To      int
	Width, Height int
}

// Point is a place in the drawing; y grows downwards.
type Point struct{ X, Y int }

// Route is where a line goes. It has no points if it cannot be drawn: one that does not lead to a
// later level.
type Route struct {
	Points []Point
	Label  Point // the centre of the label
}

// Drawing is where everything goes.
type Drawing struct {
	Width, Height int
	Nodes         []Point // the upper left corners
	Edges         []Route
}

// Distances between things, in pixels.
const (
	margin   = 14
	boxGap   = 30 // from box to box
	labelGap = 14 // from anything else to anything else
	rowGap   = 22 // the least between rows of boxes and rows of labels
	rowSlope = 9  // one pixel more for each so many that a line goes sideways in between
	rowMost  = 84
	portGap  = 18 // between lines at one box
)

// fine is how many steps a pixel has while places are sought.
const fine = 16

// maxItems bounds the work: beyond it nobody would look at the drawing.
const maxItems = 20_000

// item is what takes room in a row: a box, a label, or a line that passes.
type item struct {
	node     int // the number of the box, or -1
	row      int
	width    int
	height   int
	x        int // the centre, in fractions of a pixel
	up, down []link
}

// link is a piece of a line, to an item of a neighbouring row.
type link struct{ to, weight int }

type layout struct {
	items []item
	rows  [][]int // items from left to right; boxes in even rows, labels in odd ones
	at    []int   // where an item stands in its row
	lines []line
}

// line is the way of an edge through the rows.
type line struct {
	via   []int // items: the box it leaves, all that it passes, the box it leads to
	label int   // index into via
}

// Layout places a graph. It reports false for one that is too large to be looked at.
func Layout(nodes []Node, edges []Edge) (*Drawing, bool) {
	l, ok := build(nodes, edges)
	if !ok {
		return nil, false
	}
	l.arrange()
	l.place()
	return l.draw(nodes, edges), true
}

// build makes the rows, with an item for each box and for each row that a line passes.
func build(nodes []Node, edges []Edge) (*layout, bool) {
	levels := make([]int, len(nodes))
	for i, n := range nodes {
		levels[i] = n.Level
	}
	slices.Sort(levels)
	levels = slices.Compact(levels)
	l := &layout{lines: make([]line, len(edges))}
	if len(nodes) > maxItems {
		return nil, false
	}
	l.rows = make([][]int, max(0, 2*len(levels)-1))
	outgoing, incoming := make([]int, len(nodes)), make([]int, len(nodes))
	drawn := make([]bool, len(edges))
	for i, n := range nodes {
		level, _ := slices.BinarySearch(levels, n.Level)
		l.add(item{node: i, row: 2 * level, width: n.Width, height: n.Height})
	}
	for i, e := range edges {
		valid := e.From >= 0 && e.From < len(nodes) && e.To >= 0 && e.To < len(nodes)
		if drawn[i] = valid && nodes[e.From].Level < nodes[e.To].Level; drawn[i] {
			outgoing[e.From]++
			incoming[e.To]++
		}
	}
	for i, e := range edges {
		if !drawn[i] {
			continue
		}
		first, last := l.items[e.From].row+1, l.items[e.To].row-1
		if len(l.items)+last-first >= maxItems {
			return nil, false
		}
		label := first // where the line has the fewest neighbours
		if outgoing[e.From] > incoming[e.To] {
			label = last
		}
		via := []int{e.From}
		for row := first; row <= last; row++ {
			it := item{node: -1, row: row}
			if row == label {
				it.width, it.height = e.Width, e.Height
			}
			via = append(via, l.add(it))
		}
		via = append(via, e.To)
		l.lines[i] = line{via, label - first + 1}
		for j := 1; j < len(via); j++ {
			// A line that passes rows is to be straight there, more than it is to be short; so is one
			// that is the only one of both its boxes, and then of one of them.
			weight := 2
			switch single := [...]bool{outgoing[e.From] == 1, incoming[e.To] == 1}; {
			case j > 1 && j < len(via)-1, single[0] && single[1]:
				weight = 16
			case len(via) == 3 && (single[0] || single[1]):
				weight = 6
			}
			a, b := via[j-1], via[j]
			l.items[a].down = append(l.items[a].down, link{b, weight})
			l.items[b].up = append(l.items[b].up, link{a, weight})
		}
	}
	return l, true
}

func (l *layout) add(it item) int {
	number := len(l.items)
	l.items = append(l.items, it)
	l.at = append(l.at, len(l.rows[it.row]))
	l.rows[it.row] = append(l.rows[it.row], number)
	return number
}

// draw turns the places of the items into those of boxes, lines and labels.
func (l *layout) draw(nodes []Node, edges []Edge) *Drawing {
	left := 0
	for i, it := range l.items {
		if x := it.x - it.width*fine/2; i == 0 || x < left {
			left = x
		}
	}
	for i := range l.items {
		l.items[i].x = (l.items[i].x-left)/fine + margin
	}
	d := &Drawing{Width: 2 * margin, Nodes: make([]Point, len(nodes)), Edges: make([]Route, len(edges))}
	tops, bottom := l.heights()
	d.Height = bottom + margin
	for _, it := range l.items {
		d.Width = max(d.Width, it.x+(it.width+1)/2+margin)
		if it.node >= 0 {
			d.Nodes[it.node] = Point{it.x - it.width/2, tops[it.row]}
		}
	}
	l.route(d, tops)
	return d
}

// heights returns the upper edge of each row, and the lower one of the last.
func (l *layout) heights() (tops []int, bottom int) {
	bottom = margin
	for row, items := range l.rows {
		height, sideways := 0, 0
		for _, i := range items {
			height = max(height, l.items[i].height)
			for _, up := range l.items[i].up {
				sideways = max(sideways, abs(l.items[i].x-l.items[up.to].x))
			}
		}
		if row > 0 {
			bottom += min(rowGap+sideways/rowSlope, rowMost)
		}
		tops = append(tops, bottom)
		bottom += height
	}
	return tops, bottom
}

// route draws the lines: down through the middle of each item they pass, and at a box side by side.
func (l *layout) route(d *Drawing, tops []int) {
	height := make([]int, len(l.rows))
	for row, items := range l.rows {
		for _, i := range items {
			height[row] = max(height[row], l.items[i].height)
		}
	}
	leave, arrive := l.ports()
	for e, line := range l.lines {
		if len(line.via) == 0 {
			continue
		}
		from, to := l.items[line.via[0]], l.items[line.via[len(line.via)-1]]
		points := []Point{{leave[e], tops[from.row] + from.height}}
		if below := tops[from.row] + height[from.row]; below > points[0].Y {
			points = append(points, Point{leave[e], below}) // past taller boxes of the row
		}
		for j, i := range line.via[1 : len(line.via)-1] {
			it := l.items[i]
			if height[it.row] == 0 {
				continue // nothing to pass, so one curve instead of two
			}
			points = append(points, Point{it.x, tops[it.row]}, Point{it.x, tops[it.row] + height[it.row]})
			if j+1 == line.label {
				d.Edges[e].Label = Point{it.x, tops[it.row] + height[it.row]/2}
			}
		}
		points = append(points, Point{arrive[e], tops[to.row]})
		d.Edges[e].Points = slices.Compact(points)
	}
}

// ports returns the x at which each line leaves its first box and arrives at its last.
func (l *layout) ports() (leave, arrive []int) {
	leave, arrive = make([]int, len(l.lines)), make([]int, len(l.lines))
	out, in := make([][]int, len(l.items)), make([][]int, len(l.items))
	for e, line := range l.lines {
		if n := len(line.via); n > 0 {
			out[line.via[0]] = append(out[line.via[0]], e)
			in[line.via[n-1]] = append(in[line.via[n-1]], e)
		}
	}
	spread := func(box int, list, ports []int, next func(line) int) {
		slices.SortStableFunc(list, func(a, b int) int { return l.items[next(l.lines[a])].x - l.items[next(l.lines[b])].x })
		it := l.items[box]
		gap := portGap
		if n := len(list); n > 1 {
			gap = min(gap, max(0, it.width-2*portGap)/(n-1))
		}
		for i, e := range list {
			ports[e] = it.x + (2*i-len(list)+1)*gap/2
		}
	}
	for box := range l.items {
		spread(box, out[box], leave, func(ln line) int { return ln.via[1] })
		spread(box, in[box], arrive, func(ln line) int { return ln.via[len(ln.via)-2] })
	}
	return leave, arrive
}

// Path writes the route as the path data of SVG, with curves where it goes sideways.
func (r Route) Path() string {
	var b []byte
	num := func(n int) { b = strconv.AppendInt(b, int64(n), 10) }
	for i, p := range r.Points {
		switch {
		case i == 0:
			b = append(b, 'M')
			num(p.X)
			b = append(b, ' ')
			num(p.Y)
		case p.X == r.Points[i-1].X:
			b = append(b, 'V')
			num(p.Y)
		default:
			from := r.Points[i-1]
			half := (from.Y + p.Y) / 2
			b = append(b, 'C')
			for j, n := range [...]int{from.X, half, p.X, half, p.X, p.Y} {
				if j > 0 {
					b = append(b, ' ')
				}
				num(n)
			}
		}
	}
	return string(b)
}

func abs(n int) int { return max(n, -n) }
