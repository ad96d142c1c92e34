package stats

import "math"

// smallSample is up to which size of the smaller sample the exact distribution is used.
const smallSample = 8

// MannWhitney returns the two-sided p-value of the Mann-Whitney U test: how likely two samples of one distribution lie at
// least as far apart in rank as x and y do. It is exact if one sample has at most 8 values and no two values are equal,
// and else the normal approximation with corrections for ties and continuity: the choices of SciPy's mannwhitneyu with
// method="auto". It is NaN if a sample is empty.
func MannWhitney(x, y []float64) float64 {
	if len(x) == 0 || len(y) == 0 {
		return math.NaN()
	}
	rank, ties := ranks(append(append(make([]float64, 0, len(x)+len(y)), x...), y...))
	m, n := float64(len(x)), float64(len(y))
	u := -m * (m + 1) / 2
	for _, r := range rank[:len(x)] {
		u += r
	}
	u = max(u, m*n-u)
	tail := 0.0
	if ties == 0 && min(len(x), len(y)) <= smallSample {
		tail = exactTail(len(x), len(y), int(m*n-u))
	} else {
		all := m + n
		deviation := math.Sqrt(m * n / 12 * (all + 1 - ties/(all*(all-1))))
		tail = math.Erfc((u-m*n/2-0.5)/deviation/math.Sqrt2) / 2 // no deviation at all: the tail is everything
	}
	return min(2*tail, 1)
}

// exactTail returns the probability that U is at most k for samples of m and n different values. Of the ways to mix them,
// f(m, n, k) have a U of k: the last one is of the second sample or of the first, so it is f(m-1, n, k-n) + f(m, n-1, k).
func exactTail(m, n, k int) float64 {
	if m > n {
		m, n = n, m
	}
	ways := make([][]float64, m+1) // by the size of the first sample, with the size of the second growing
	for i := range ways {
		ways[i] = make([]float64, k+1)
		ways[i][0] = 1
	}
	all := 1.0
	for j := 1; j <= n; j++ {
		for i := 1; i <= m; i++ {
			for u := k; u >= j; u-- {
				ways[i][u] += ways[i-1][u-j]
			}
		}
		all = all * float64(m+j) / float64(j)
	}
	tail := 0.0
	for _, w := range ways[m] {
		tail += w
	}
	return tail / all
}
