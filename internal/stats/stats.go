// Package stats has the statistics that a history of runs needs: medians, a test of whether two samples differ that
// assumes no distribution, its correction for many tests, and rank correlation.
package stats

import (
	"cmp"
	"math"
	"slices"
)

// Fewest is how many values it takes to tell a difference from noise: a median of fewer says nothing yet.
const Fewest = 6

// Median returns the middle of the values, NaN if there are none.
func Median(values []float64) float64 { return Quantile(values, 0.5) }

// Quantile returns the value below which a share q of the values lies, between neighbours in proportion, as NumPy's
// quantile does by default. It is NaN if there are none.
func Quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	at := min(max(q, 0), 1) * float64(len(sorted)-1)
	below := int(at)
	above := min(below+1, len(sorted)-1)
	return sorted[below] + (at-float64(below))*(sorted[above]-sorted[below])
}

// Holm adjusts the p-values of several tests so that comparing each with a level bounds the chance of any false alarm
// among all of them by that level. The order is kept.
func Holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	adjusted := make([]float64, len(p))
	highest := 0.0
	for rank, i := range order {
		highest = max(highest, min(p[i]*float64(len(p)-rank), 1))
		adjusted[i] = highest
	}
	return adjusted
}

// Spearman returns the rank correlation of two samples of one length: 1 where one always grows with the other, 0 where
// they have nothing to do with each other. It is NaN if one of them is constant or there are fewer than two pairs.
func Spearman(x, y []float64) float64 {
	if len(x) != len(y) || len(x) < 2 {
		return math.NaN()
	}
	rx, _ := ranks(x)
	ry, _ := ranks(y)
	mean := float64(len(x)+1) / 2
	var xy, xx, yy float64
	for i := range rx {
		dx, dy := rx[i]-mean, ry[i]-mean
		xy, xx, yy = xy+dx*dy, xx+dx*dx, yy+dy*dy
	}
	if xx == 0 || yy == 0 {
		return math.NaN()
	}
	return xy / math.Sqrt(xx*yy)
}

// ranks returns the rank of each value from 1 on, equal values sharing the mean of theirs, and the sum of t³-t over groups
// of t equal values, which is 0 if no two are equal.
func ranks(values []float64) (rank []float64, ties float64) {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(values[a], values[b]) })
	rank = make([]float64, len(values))
	for from := 0; from < len(order); {
		to := from + 1
		for to < len(order) && values[order[to]] == values[order[from]] {
			to++
		}
		for _, i := range order[from:to] {
			rank[i] = float64(from+1+to) / 2
		}
		t := float64(to - from)
		ties += t*t*t - t
		from = to
	}
	return rank, ties
}
