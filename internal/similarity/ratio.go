package similarity

import "slices"

// matcher computes the ratio of Python's difflib.SequenceMatcher(None, a, b), Ratcliff and Obershelp's
// with its rule that in texts of 200 characters and more the most frequent ones of b start no match. It
// reuses its memory from one call to the next.
type matcher struct {
	a, b    []byte
	popular [256]bool // characters of b that start no match
	lengths []int     // of the matches that end at each place of b
	todo    []span    // parts of a and b that are yet to be matched
}

// span is a part of a and a part of b.
type span struct{ aLow, aHigh, bLow, bHigh int }

// ratio returns twice the number of matched characters over the number of all. It is not symmetric.
func (m *matcher) ratio(a, b []byte) float64 {
	if len(a)+len(b) == 0 {
		return 1
	}
	m.a, m.b = a, b
	m.findPopular()
	m.lengths = slices.Grow(m.lengths[:0], len(b)+1)[:len(b)+1] // cleared by longest
	matched := 0
	m.todo = append(m.todo[:0], span{0, len(a), 0, len(b)})
	for len(m.todo) > 0 {
		s := m.todo[len(m.todo)-1]
		m.todo = m.todo[:len(m.todo)-1]
		i, j, size := m.longest(s)
		if size == 0 {
			continue
		}
		matched += size
		if s.aLow < i && s.bLow < j {
			m.todo = append(m.todo, span{s.aLow, i, s.bLow, j})
		}
		if i+size < s.aHigh && j+size < s.bHigh {
			m.todo = append(m.todo, span{i + size, s.aHigh, j + size, s.bHigh})
		}
	}
	return 2 * float64(matched) / float64(len(a)+len(b))
}

// findPopular applies the rule for long texts: more than 1 % of b, and one more.
func (m *matcher) findPopular() {
	clear(m.popular[:])
	const long = 200
	if len(m.b) < long {
		return
	}
	var count [256]int
	for _, c := range m.b {
		count[c]++
	}
	for c, n := range count {
		m.popular[c] = n > len(m.b)/100+1
	}
}

// longest returns the longest match in a span: of several the one that starts first in a, then in b.
func (m *matcher) longest(s span) (i, j, size int) {
	i, j = s.aLow, s.bLow
	// lengths[k+1] is how long a match is that ends at b[k] and the character of a looked at before.
	lengths := m.lengths
	clear(lengths[s.bLow : s.bHigh+1])
	for x := s.aLow; x < s.aHigh; x++ {
		c := m.a[x]
		if m.popular[c] {
			clear(lengths[s.bLow : s.bHigh+1])
			continue
		}
		before := 0 // lengths[y] as it was for the character before
		for y := s.bLow; y < s.bHigh; y++ {
			was := lengths[y+1]
			k := 0
			if m.b[y] == c {
				if k = before + 1; k > size {
					i, j, size = x-k+1, y-k+1, k
				}
			}
			lengths[y+1], before = k, was
		}
	}
	// Popular characters start no match, but they may be part of one.
	for i > s.aLow && j > s.bLow && m.a[i-1] == m.b[j-1] {
		i, j, size = i-1, j-1, size+1
	}
	for i+size < s.aHigh && j+size < s.bHigh && m.a[i+size] == m.b[j+size] {
		size++
	}
	return i, j, size
}
