package daglayout

import "slices"

// arrange looks for an order of each row in which few lines cross: it sorts rows by the mean place of
// their neighbours in the row above and in the row below, by turns, exchanges neighbours where that
// helps, and keeps the best order it saw.
func (l *layout) arrange() {
	rounds := 24
	if len(l.items) > 3000 {
		rounds = 6
	}
	best, fewest := l.order(), l.crossings()
	for round := 0; round < rounds && fewest > 0; round++ {
		if round%2 == 0 {
			for row := 1; row < len(l.rows); row++ {
				l.sort(row, func(it *item) []link { return it.up })
			}
		} else {
			for row := len(l.rows) - 2; row >= 0; row-- {
				l.sort(row, func(it *item) []link { return it.down })
			}
		}
		for range 4 {
			if !l.exchange() {
				break
			}
		}
		if n := l.crossings(); n < fewest {
			best, fewest = l.order(), n
		}
	}
	for row, order := range best {
		l.set(row, order)
	}
}

func (l *layout) order() [][]int {
	order := make([][]int, len(l.rows))
	for i, row := range l.rows {
		order[i] = slices.Clone(row)
	}
	return order
}

func (l *layout) set(row int, order []int) {
	l.rows[row] = order
	for i, it := range order {
		l.at[it] = i
	}
}

// sort orders a row by the mean place of neighbours. An item without any stays where it is, as far as
// possible.
func (l *layout) sort(row int, neighbours func(*item) []link) {
	const scale = 1 << 10
	mean := map[int]int{}
	for i, number := range l.rows[row] {
		links := neighbours(&l.items[number])
		mean[number] = i * scale
		if len(links) > 0 {
			sum := 0
			for _, link := range links {
				sum += l.at[link.to]
			}
			mean[number] = sum * scale / len(links)
		}
	}
	order := slices.Clone(l.rows[row])
	slices.SortStableFunc(order, func(a, b int) int { return mean[a] - mean[b] })
	l.set(row, order)
}

// exchange swaps neighbours whose lines cross less often the other way round.
func (l *layout) exchange() bool {
	better := false
	for _, row := range l.rows {
		for i := 1; i < len(row); i++ {
			a, b := row[i-1], row[i]
			if l.between(a, b) > l.between(b, a) {
				row[i-1], row[i] = b, a
				l.at[a], l.at[b] = i, i-1
				better = true
			}
		}
	}
	return better
}

// between counts the crossings of the lines of two items, if a is before b.
func (l *layout) between(a, b int) int {
	n := 0
	for _, side := range [...][2][]link{{l.items[a].up, l.items[b].up}, {l.items[a].down, l.items[b].down}} {
		for _, x := range side[0] {
			for _, y := range side[1] {
				if l.at[x.to] > l.at[y.to] {
					n++
				}
			}
		}
	}
	return n
}

// crossings counts those of the whole drawing: between two rows, the pairs of lines that begin in one
// order and end in the other, with a tree of counts over the places of the lower row.
func (l *layout) crossings() int {
	total := 0
	for row := 0; row+1 < len(l.rows); row++ {
		tree := make([]int, len(l.rows[row+1])+1)
		seen := 0
		for _, number := range l.rows[row] {
			links := l.items[number].down
			for _, link := range links {
				before := 0
				for i := l.at[link.to] + 1; i > 0; i &= i - 1 {
					before += tree[i]
				}
				total += seen - before
			}
			for _, link := range links {
				for i := l.at[link.to] + 1; i < len(tree); i += i & -i {
					tree[i]++
				}
			}
			seen += len(links)
		}
	}
	return total
}
