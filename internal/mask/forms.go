package mask

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"strings"
	"unicode/utf8"
)

// forms lists what a value looks like when programs print it: as it is or without the spaces around it,
// or a line of it; plain, as JSON and as JSON inside of JSON, as Python's repr and ascii, quoted for
// URLs, HTML or a shell, in hex and in base64.
func forms(value string, shortest int) []string {
	texts := []string{value, strings.TrimSpace(value)}
	for line := range strings.Lines(value) {
		texts = append(texts, strings.TrimRight(line, "\r\n"), strings.TrimSpace(line))
	}
	var list []string
	for _, text := range texts {
		if len(text) < shortest {
			continue
		}
		list = append(list, text, goJSON(text), goJSON(goJSON(text)))
		for _, as := range []style{json7, json8, repr, asciiRepr, bytesRepr} {
			list = append(list, escaped(text, as))
		}
		list = append(list, escaped(escaped(text, json7), json7), strings.ReplaceAll(escaped(text, repr), "'", `\'`))
		for _, safe := range []string{"/", ""} {
			list = append(list, quoted(text, safe), lowerPercent(quoted(text, safe)))
		}
		list = append(list, url.QueryEscape(text), lowerPercent(url.QueryEscape(text)), url.PathEscape(text))
		list = append(list, html.EscapeString(text), pythonHTML.Replace(text), strings.ReplaceAll(text, "'", `'"'"'`))
		list = append(list, hex.EncodeToString([]byte(text)))
		list = append(list, base64Forms(text)...)
	}
	return list
}

// pythonHTML is html.escape.
var pythonHTML = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#x27;")

// lowerPercent writes the digits of %3A as %3a.
func lowerPercent(s string) string {
	b := []byte(s)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i+1:i+3], bytes.ToLower(b[i+1:i+3]))
		}
	}
	return string(b)
}

func goJSON(s string) string {
	text, _ := json.Marshal(s) // a string can always be marshalled
	return string(text[1 : len(text)-1])
}

// style is a way of writing a string between quotes.
type style int

const (
	json7     style = iota // json.dumps
	json8                  // json.dumps(ensure_ascii=False)
	repr                   // repr of a str
	asciiRepr              // ascii of a str
	bytesRepr              // repr of bytes
)

// escaped writes s as Python does.
func escaped(s string, as style) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if as == bytesRepr && r >= utf8.RuneSelf {
			r, size = rune(s[i]), 1
		}
		i += size
		short := strings.IndexRune("\n\r\t\\\"\b\f", r)
		python := as == repr || as == asciiRepr || as == bytesRepr
		switch {
		case short >= 0 && (!python || short < len("\n\r\t\\")):
			b.WriteByte('\\')
			b.WriteByte(`nrt\"bf`[short])
		case python && (r < 0x20 || r == 0x7f || as != repr && r > 0x7f && r <= 0xff):
			fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x20 || (as == json7 || as == asciiRepr) && r > 0x7e && r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		case as == asciiRepr && r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		case as == json7 && r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// quoted is urllib.parse.quote.
func quoted(s, safe string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("_.-~"+safe, c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// base64Forms are what the value looks like inside of a base64 text: it may begin at any of three
// places within a group, and only the digits that the value alone decides are told. What is wrapped
// as Python's encodebytes does it is told by its lines.
func base64Forms(value string) []string {
	var list []string
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for offset := range 3 {
			text := encoding.EncodeToString(append(make([]byte, offset), value...))
			from := (offset*8 + 5) / 6
			to := (offset + len(value)) * 8 / 6
			list = append(list, text[from:to])
		}
		const line = 76
		for text := encoding.EncodeToString([]byte(value)); len(text) > line; text = text[line:] {
			list = append(list, text[:line])
		}
	}
	return list
}
