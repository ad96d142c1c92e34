package daglayout

import "slices"

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
