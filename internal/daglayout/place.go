package daglayout

import (
	"math"
	"slices"
)

// place seeks an x for every item. Each row in turn is put where its lines are shortest, all at once,
// without changing its order or bringing two items too close; the squares of what lines go sideways
// become fewer each time.
func (l *layout) place() {
	for _, row := range l.rows {
		x := 0
		for i, number := range row {
			if i > 0 {
				x += l.distance(row[i-1], number)
			}
			l.items[number].x = x
		}
	}
	up := func(it *item) [][]link { return [][]link{it.up} }
	down := func(it *item) [][]link { return [][]link{it.down} }
	both := func(it *item) [][]link { return [][]link{it.up, it.down} }
	for range 6 {
		l.sweep(up, false)
		l.sweep(down, true)
	}
	for range 30 {
		l.sweep(both, false)
		l.sweep(both, true)
	}
	chains := l.chains()
	for range 2 {
		for _, chain := range chains {
			l.straighten(chain)
		}
		for _, line := range l.lines {
			if len(line.via) > 3 {
				l.straighten(line.via[1 : len(line.via)-1])
			}
		}
	}
}

// chains returns the runs of boxes that have only each other, with what is between them.
func (l *layout) chains() [][]int {
	only := map[int][]int{} // by the box that it leaves, a line that is the only one of both its boxes
	inside := map[int]bool{}
	for _, line := range l.lines {
		if n := len(line.via); n > 0 && len(l.items[line.via[0]].down) == 1 && len(l.items[line.via[n-1]].up) == 1 {
			only[line.via[0]], inside[line.via[n-1]] = line.via, true
		}
	}
	var chains [][]int
	for box := range l.items {
		if only[box] == nil || inside[box] {
			continue
		}
		chain := []int{box}
		for via := only[box]; via != nil; via = only[via[len(via)-1]] {
			chain = append(chain, via[1:]...)
		}
		chains = append(chains, chain)
	}
	return chains
}

// straighten puts items of successive rows below each other, as far as there is room beside the other
// items of the rows: it begins a new upright only where the last one cannot go on.
func (l *layout) straighten(items []int) {
	for len(items) > 0 {
		low, high := l.room(items[0])
		sum, n := 0, 0
		for n < len(items) {
			from, to := l.room(items[n])
			if max(low, from) > min(high, to) {
				break
			}
			low, high = max(low, from), min(high, to)
			sum += l.items[items[n]].x
			n++
		}
		x := min(max(sum/n, low), high)
		for _, i := range items[:n] {
			l.items[i].x = x
		}
		items = items[n:]
	}
}

// room returns how far an item may go to the left and to the right.
func (l *layout) room(number int) (from, to int) {
	row, at := l.rows[l.items[number].row], l.at[number]
	from, to = math.MinInt/2, math.MaxInt/2
	if at > 0 {
		from = l.items[row[at-1]].x + l.distance(row[at-1], number)
	}
	if at+1 < len(row) {
		to = l.items[row[at+1]].x - l.distance(number, row[at+1])
	}
	return from, to
}

func (l *layout) sweep(neighbours func(*item) [][]link, upwards bool) {
	for i := range l.rows {
		if upwards {
			i = len(l.rows) - 1 - i
		}
		l.settle(l.rows[i], neighbours)
	}
}

// distance is what the centres of two neighbours are apart, at least.
func (l *layout) distance(a, b int) int {
	gap := labelGap
	if l.items[a].node >= 0 && l.items[b].node >= 0 {
		gap = boxGap
	}
	return (l.items[a].width+l.items[b].width)*fine/2 + gap*fine
}

// block is a run of items that stand as close as they may, and where they would like to begin.
type block struct{ first, sum, weight int }

func (b block) mean() int {
	if b.sum >= 0 {
		return b.sum / b.weight
	}
	return -((-b.sum + b.weight - 1) / b.weight) // as always rounded down
}

// settle puts the items of a row as near as possible to the means of their neighbours. Measured from
// the leftmost place that each could have, the places only have to be in order: the best ones are
// found by merging what is in the wrong order.
func (l *layout) settle(row []int, neighbours func(*item) [][]link) {
	offsets := make([]int, len(row))
	blocks := make([]block, 0, len(row))
	for i, number := range row {
		if i > 0 {
			offsets[i] = offsets[i-1] + l.distance(row[i-1], number)
		}
		it := &l.items[number]
		sum, weight := 0, 0
		for _, link := range slices.Concat(neighbours(it)...) {
			sum += (l.items[link.to].x - offsets[i]) * link.weight
			weight += link.weight
		}
		if weight == 0 {
			sum, weight = it.x-offsets[i], 1
		}
		blocks = append(blocks, block{i, sum, weight})
		for n := len(blocks); n > 1 && blocks[n-2].mean() > blocks[n-1].mean(); n-- {
			blocks[n-2].sum += blocks[n-1].sum
			blocks[n-2].weight += blocks[n-1].weight
			blocks = blocks[:n-1]
		}
	}
	for n, b := range blocks {
		end := len(row)
		if n+1 < len(blocks) {
			end = blocks[n+1].first
		}
		for i := b.first; i < end; i++ {
			l.items[row[i]].x = b.mean() + offsets[i]
		}
	}
}
