package history

import (
	"bytes"
	"encoding/json"
	"iter"
	"strconv"
	"strings"
)

// Object is the text of a JSON object, which is read several times faster than encoding/json does it: member by member and
// without a copy.
type Object []byte

// Members iterates over names and values as they are written, names without their quotation marks. Of the text of a value
// only its extent has been checked. ok is false behind the last one if the text is no whole object.
func (o Object) Members(ok *bool) iter.Seq2[[]byte, []byte] {
	return func(yield func([]byte, []byte) bool) {
		*ok = false
		s := scanner{text: o}
		if !s.accept('{') {
			return
		}
		if s.accept('}') {
			*ok = s.atEnd()
			return
		}
		for {
			name, found := s.value()
			if !found || len(name) < 2 || name[0] != '"' || !s.accept(':') {
				return
			}
			value, found := s.value()
			if !found || !yield(name[1:len(name)-1], value) {
				return
			}
			if s.accept(',') {
				continue
			}
			*ok = s.accept('}') && s.atEnd()
			return
		}
	}
}

// scanner walks a text.
type scanner struct {
	text []byte
	at   int
}

func (s *scanner) space() {
	for s.at < len(s.text) && (s.text[s.at] == ' ' || s.text[s.at] == '\t' || s.text[s.at] == '\r' || s.text[s.at] == '\n') {
		s.at++
	}
}

func (s *scanner) accept(c byte) bool {
	s.space()
	if s.at < len(s.text) && s.text[s.at] == c {
		s.at++
		return true
	}
	return false
}

func (s *scanner) atEnd() bool {
	s.space()
	return s.at == len(s.text)
}

// value returns the text of the next value.
func (s *scanner) value() (text []byte, ok bool) {
	s.space()
	start := s.at
	if s.at == len(s.text) {
		return nil, false
	}
	switch s.text[s.at] {
	case '"':
		ok = s.quoted()
	case '{', '[':
		ok = s.nested()
	default:
		s.word()
		ok = s.at > start
	}
	if !ok {
		return nil, false // a text that ends behind a backslash leaves s.at beyond its end
	}
	return s.text[start:s.at], true
}

// word passes over a number, true, false or null.
func (s *scanner) word() {
	for ; s.at < len(s.text); s.at++ {
		switch s.text[s.at] {
		case ',', ':', ']', '}', '"', ' ', '\t', '\r', '\n':
			return
		}
	}
}

func (s *scanner) quoted() bool {
	for s.at++; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; {
		case c == '"':
			s.at++
			return true
		case c == '\\':
			s.at++
		case c < ' ':
			return false
		}
	}
	return false
}

// nested passes over a list or an object.
func (s *scanner) nested() bool {
	depth := 0
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case '"':
			if !s.quoted() {
				return false
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		if s.at++; depth == 0 {
			return true
		}
	}
	return false
}

// Text returns what a JSON string stands for.
func Text(value []byte) (text string, ok bool) {
	if len(value) < 2 || value[0] != '"' {
		return "", false
	}
	if bytes.IndexByte(value, '\\') < 0 {
		return strings.ToValidUTF8(string(value[1:len(value)-1]), "\uFFFD"), true
	}
	return text, json.Unmarshal(value, &text) == nil
}

// Texts are texts that were read, each kept once however often it comes.
type Texts map[string]string

// Of is Text.
func (t Texts) Of(value []byte) (text string, ok bool) {
	if text, ok = t[string(value)]; ok {
		return text, true
	}
	if text, ok = Text(value); ok {
		const most = 1 << 16 // of a history that never repeats itself
		if len(t) >= most {
			clear(t)
		}
		t[string(value)] = text
	}
	return text, ok
}

// Number returns a JSON number.
func Number(value []byte) (float64, bool) {
	if len(value) == 0 || value[0] != '-' && (value[0] < '0' || value[0] > '9') {
		return 0, false // "Inf", which strconv reads
	}
	f, err := strconv.ParseFloat(string(value), 64)
	return f, err == nil
}

// Bool returns true or false.
func Bool(value []byte) (yes, ok bool) {
	yes = string(value) == "true"
	return yes, yes || string(value) == "false"
}
