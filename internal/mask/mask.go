// Package mask replaces secrets in texts and streams, in the forms in which programs print them.
package mask

import (
	"bytes"
	"cmp"
	"io"
	"maps"
	"slices"
	"strings"
)

// Masker replaces a fixed set of secrets. A nil Masker replaces nothing. It does not change after New
// and may be used by several goroutines.
type Masker struct {
	secrets  map[string]string
	patterns map[[2]byte][]pattern // by their first two bytes, longest first
	first    [256]bool             // their first bytes
	pairs    [1 << 10]uint64       // a bit for each of their first two bytes
}

// pattern is a form of a secret, and what is shown instead.
type pattern struct{ text, shown string }

// New returns a masker for secrets, each with what is shown instead of it in any of the forms of [forms].
// Secrets of fewer than shortest bytes are left alone, and so are the lines of others that are as short.
func New(secrets map[string]string, shortest int) *Masker {
	m := &Masker{secrets: maps.Clone(secrets), patterns: map[[2]byte][]pattern{}}
	seen := map[string]bool{}
	for _, value := range slices.Sorted(maps.Keys(secrets)) {
		if len(value) < shortest {
			continue
		}
		for _, form := range forms(value, shortest) {
			if len(form) < max(shortest, 2) || seen[form] {
				continue
			}
			seen[form] = true
			key := [2]byte{form[0], form[1]}
			m.patterns[key] = append(m.patterns[key], pattern{form, secrets[value]})
			m.first[key[0]] = true
			pair := uint(key[0])<<8 | uint(key[1])
			m.pairs[pair/64] |= 1 << (pair % 64)
		}
	}
	if len(seen) == 0 {
		return nil
	}
	for _, list := range m.patterns {
		slices.SortFunc(list, func(a, b pattern) int { return cmp.Or(len(b.text)-len(a.text), strings.Compare(a.text, b.text)) })
	}
	return m
}

// Secrets returns what New was given, for a masker of the same secrets in another process.
func (m *Masker) Secrets() map[string]string {
	if m == nil {
		return nil
	}
	return maps.Clone(m.secrets)
}

// String returns s with every secret replaced.
func (m *Masker) String(s string) string {
	if m == nil {
		return s
	}
	var b bytes.Buffer
	w := m.Writer(&b)
	_, _ = io.WriteString(w, s) // a bytes.Buffer does not fail
	_ = w.Flush()
	return b.String()
}

// Beginning returns the beginning of a text of which the rest was cut off, with every secret replaced, and
// without what may be the first part of one.
func (m *Masker) Beginning(s string) string {
	if m == nil {
		return s
	}
	var b bytes.Buffer
	_, _ = io.WriteString(m.Writer(&b), s) // what is held back stays so
	return b.String()
}

// begins tells, quickly, whether a secret may begin with p.
func (m *Masker) begins(p []byte) bool {
	if len(p) < 2 {
		return m.first[p[0]]
	}
	pair := uint(p[0])<<8 | uint(p[1])
	return m.pairs[pair/64]&(1<<(pair%64)) != 0
}

// at returns the longest secret that p begins with, if any. More reports whether with further bytes it might
// be a longer one.
func (m *Masker) at(p []byte) (found pattern, more bool) {
	if len(p) < 2 {
		return found, true
	}
	for _, candidate := range m.patterns[[2]byte{p[0], p[1]}] {
		if len(candidate.text) <= len(p) {
			if string(p[:len(candidate.text)]) == candidate.text {
				return candidate, more
			}
		} else if strings.HasPrefix(candidate.text, string(p)) {
			more = true
		}
	}
	return found, more
}

// Writer returns a writer that passes on to w what it is given, masked. A secret that comes in
// several writes is held back until it is whole, so that Flush has to be called at the end.
func (m *Masker) Writer(w io.Writer) *Writer {
	return &Writer{masker: m, to: w}
}

// Writer masks a stream.
type Writer struct {
	masker *Masker
	to     io.Writer
	held   []byte // the beginning of what may be a secret
}

// Write masks p. The error is that of the writer behind, which is then given no more.
func (w *Writer) Write(p []byte) (int, error) {
	if w.masker == nil {
		return w.to.Write(p)
	}
	text := p
	if len(w.held) > 0 {
		w.held = append(w.held, p...)
		text = w.held
	}
	rest, err := w.mask(text, false)
	w.held = bytes.Clone(rest)
	return len(p), err
}

// Flush writes what was held back.
func (w *Writer) Flush() error {
	if len(w.held) == 0 {
		return nil
	}
	_, err := w.mask(w.held, true)
	w.held = nil
	return err
}

// mask writes text up to where a secret may begin that is not whole yet, which it returns. At the end
// of the stream there is nothing to wait for.
func (w *Writer) mask(text []byte, end bool) (rest []byte, err error) {
	done := 0
	write := func(p []byte) {
		if len(p) > 0 && err == nil {
			_, err = w.to.Write(p)
		}
	}
	for i := 0; i < len(text); i++ {
		if !w.masker.begins(text[i:]) {
			continue
		}
		found, more := w.masker.at(text[i:])
		if more && !end {
			write(text[done:i])
			return text[i:], err
		}
		if found.text != "" {
			write(text[done:i])
			write([]byte(found.shown))
			done = i + len(found.text)
			i = done - 1
		}
	}
	write(text[done:])
	return nil, err
}
