// Package similarity measures how alike two names of pipeline inputs and outputs are: a weighted sum
// of four measures over normalised words. The numbers are those of the original
// Python system, to the last bits of a float64.
package similarity

import (
	"bytes"
	"sync"
	"unicode"
)

// Components are the four measures, each from 0 to 1.
type Components struct {
	String    float64 // Ratcliff-Obershelp ratio of the normalised texts
	Token     float64 // common words among all words
	Semantic  float64 // how many pairs of words are equal or synonyms
	Substring float64 // how much of the longer text the shorter one is
}

// Total is the weighted sum. It is summed in this order, which decides its last bits.
func (c Components) Total() float64 {
	return 0.30*c.String + 0.25*c.Token + 0.25*c.Semantic + 0.20*c.Substring
}

// maxName bounds the work: a longer name resembles only itself.
const maxName = 4096

// Name is a name prepared for comparison.
type Name struct {
	raw   string
	text  []byte // normalised: words joined by single spaces
	words []word // the distinct words of text, in order
}

type word struct {
	low, high int   // its place in the name's text
	groups    uint8 // bit i: it is in synonyms[i]
}

func (n *Name) word(i int) []byte { return n.text[n.words[i].low:n.words[i].high] }

// NewName prepares a name that is compared more than once.
func NewName(raw string) *Name {
	n := new(Name)
	n.set(raw)
	return n
}

// Normalized returns the form in which names are compared.
func (n *Name) Normalized() string { return string(n.text) }

// Compare returns the similarity of two raw names, from 0 to 1.
func Compare(a, b string) float64 {
	p := pairs.Get().(*pair)
	defer pairs.Put(p)
	p.a.set(a)
	p.b.set(b)
	return p.compare(&p.a, &p.b)
}

// Comparer compares prepared names. It is not for use by several goroutines at once.
type Comparer struct{ p pair }

// Compare is [Compare] for prepared names.
func (c *Comparer) Compare(a, b *Name) float64 { return c.p.compare(a, b) }

// AtLeast returns the similarity if that is at least the threshold. Where the cheaper measures show
// that it cannot be, the text ratio is not computed.
func (c *Comparer) AtLeast(a, b *Name, threshold float64) (float64, bool) {
	if a.comparable(b) {
		most := Components{String: 1, Token: tokenOverlap(a, b), Semantic: semanticOverlap(a, b), Substring: substring(a, b)}
		if most.Total() < threshold {
			return 0, false
		}
	}
	s := c.p.compare(a, b)
	return s, s >= threshold
}

// comparable reports whether the four measures decide.
func (n *Name) comparable(o *Name) bool {
	return n.raw != "" && o.raw != "" && len(n.text)+len(o.text) > 0 && !bytes.Equal(n.text, o.text)
}

// Measure returns the four measures of two names that normalise to different texts.
func (c *Comparer) Measure(a, b *Name) Components { return c.p.measure(a, b) }

// pair holds what two names and their comparison need, to be used again.
type pair struct {
	a, b    Name
	matcher matcher
}

var pairs = sync.Pool{New: func() any { return new(pair) }}

func (p *pair) compare(a, b *Name) float64 {
	switch {
	case a.raw == "" || b.raw == "":
		return 0
	case len(a.text) == 0 && len(b.text) == 0, len(a.raw) > maxName, len(b.raw) > maxName:
		// Nothing to compare, where the original divides by zero; or too much.
		if a.raw == b.raw {
			return 1
		}
		return 0
	case string(a.text) == string(b.text):
		return 1
	}
	return p.measure(a, b).Total()
}

func (p *pair) measure(a, b *Name) Components {
	return Components{
		String:    p.matcher.ratio(a.text, b.text),
		Token:     tokenOverlap(a, b),
		Semantic:  semanticOverlap(a, b),
		Substring: substring(a, b),
	}
}

// set normalises a name: lower case, separators and white space as one space, nothing but ASCII
// letters and digits, abbreviations spelt out, no stop words.
func (n *Name) set(raw string) {
	n.raw, n.text, n.words = raw, n.text[:0], n.words[:0]
	if len(raw) > maxName {
		return
	}
	start := 0
	for _, r := range raw {
		switch {
		case r < unicode.MaxASCII && isAlnum(byte(r)):
			n.text = append(n.text, lower(byte(r)))
		case r == '_' || r == '-' || r == '.' || isSpace(r):
			start = n.endWord(start)
		case r >= unicode.MaxASCII:
			// Some letters have an ASCII one as their lower case: the Kelvin sign, for one.
			if l := unicode.ToLower(r); l < unicode.MaxASCII && isAlnum(byte(l)) {
				n.text = append(n.text, byte(l))
			}
		}
	}
	n.endWord(start)
	if len(n.text) > 0 {
		n.text = n.text[:len(n.text)-1] // the space after the last word
	}
}

// endWord finishes the word that begins at start of text and returns where the next one begins.
func (n *Name) endWord(start int) int {
	if len(n.text) == start {
		return start
	}
	w := vocabulary[string(n.text[start:])]
	switch {
	case w.stop:
		n.text = n.text[:start]
		return start
	case w.text != "":
		n.text = append(n.text[:start], w.text...)
	}
	end := len(n.text)
	n.text = append(n.text, ' ')
	for i := range n.words {
		if bytes.Equal(n.word(i), n.text[start:end]) {
			return len(n.text) // a word counts once
		}
	}
	n.words = append(n.words, word{start, end, w.groups})
	return len(n.text)
}

// isSpace reports what Python's \s matches in text.
func isSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

func isAlnum(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func tokenOverlap(a, b *Name) float64 {
	common := 0
	for i := range a.words {
		for j := range b.words {
			if bytes.Equal(a.word(i), b.word(j)) {
				common++
			}
		}
	}
	all := len(a.words) + len(b.words) - common
	if all == 0 {
		return 0
	}
	return float64(common) / float64(all)
}

func semanticOverlap(a, b *Name) float64 {
	if len(a.words) == 0 || len(b.words) == 0 {
		return 0
	}
	sum := 0.0
	for i, x := range a.words {
		for j, y := range b.words {
			switch {
			case bytes.Equal(a.word(i), b.word(j)):
				sum++
			case x.groups&y.groups != 0:
				sum += 0.8
			}
		}
	}
	return sum / float64(len(a.words)*len(b.words))
}

func substring(a, b *Name) float64 {
	if r, ok := contained(a.text, b.text); ok {
		return r
	}
	best := 0.0
	for i := range a.words {
		for j := range b.words {
			x, y := a.word(i), b.word(j)
			if len(x) < 3 || len(y) < 3 {
				continue
			}
			if r, ok := contained(x, y); ok {
				best = max(best, r)
			}
		}
	}
	return best
}

// contained returns shorter/longer if one text contains the other.
func contained(a, b []byte) (ratio float64, ok bool) {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b) == 0 || !bytes.Contains(b, a) {
		return 0, false
	}
	return float64(len(a)) / float64(len(b)), true
}
