package strictjson

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// precheck refuses what its first bytes show not to be JSON in UTF-8.
func precheck(data []byte) (Problem, bool) {
	const wide = "UTF-16 or UTF-32; save the file as UTF-8"
	switch {
	case len(bytes.TrimLeft(data, " \t\r\n")) == 0:
		return Problem{Kind: Empty, Message: "the file is empty"}, true
	case bytes.HasPrefix(data, []byte{0xEF, 0xBB, 0xBF}):
		return Problem{Kind: Encoding, Message: "byte order mark; save the file as UTF-8 without BOM (Python's json refuses it too)"}, true
	case bytes.HasPrefix(data, []byte{0xFF, 0xFE}), bytes.HasPrefix(data, []byte{0xFE, 0xFF}),
		bytes.HasPrefix(data, []byte{0, 0, 0xFE, 0xFF}),
		len(data) > 3 && data[0] == 0 && data[1] == 0 && data[2] == 0 && data[3] != 0,
		len(data) > 1 && (data[0] == 0) != (data[1] == 0):
		return Problem{Kind: Encoding, Message: wide}, true
	}
	return Problem{}, false
}

// explain guesses from the text near offset which mistake a person made there, and where it begins.
func explain(data []byte, offset int64) (int64, string) {
	at := int(offset)
	if bad := invalidUTF8(data[:min(at+utf8.UTFMax, len(data))]); bad >= 0 && bad <= at {
		return int64(bad), "invalid UTF-8"
	}
	// The decoder may stop inside a word; a person looks for its start.
	for at > 0 && at <= len(data) && isWord(data[at-1]) && (at == len(data) || isWord(data[at])) {
		at--
	}
	rest := string(data[at:min(at+16, len(data))])
	before := bytes.TrimRight(data[:at], " \t\r\n")
	return int64(at), explainText(rest, before)
}

// explainText names the mistake that begins with rest and follows before.
func explainText(rest string, before []byte) string {
	last := byte(0)
	if len(before) > 0 {
		last = before[len(before)-1]
	}
	after := strings.TrimLeft(rest, " \t\r\n,")
	closing := func(s string) bool { return s != "" && (s[0] == '}' || s[0] == ']') }
	number := strings.TrimLeft(rest, "-+")
	switch {
	case hasWord(number, "NaN", "nan", "Infinity", "infinity", "inf", "Inf"):
		return "NaN and Infinity are not JSON; Python's json.dump writes this, use null or a string"
	case strings.HasPrefix(rest, `\u`):
		return "invalid escape: \\u takes four hexadecimal digits, and a surrogate must be one of a pair"
	case strings.HasPrefix(rest, `\`):
		return `invalid escape; JSON has \" \\ \/ \b \f \n \r \t and \u`
	case strings.HasPrefix(rest, "//"), strings.HasPrefix(rest, "/*"), strings.HasPrefix(rest, "#"):
		return "JSON has no comments; remove it"
	case strings.HasPrefix(rest, "'"):
		return "strings must be in double quotes"
	case last == ',' && closing(rest), strings.HasPrefix(rest, ",") && (after == "" || closing(after)):
		return "no comma before a closing bracket"
	case hasWord(rest, "True", "False", "None"):
		return "Python literal; JSON has true, false and null"
	case strings.HasPrefix(rest, "\x00"):
		return "NUL byte; the file was not written whole"
	case rest != "" && rest[0] < 0x20:
		return "control character; inside of a string write it as an escape"
	case isWord(last) || last == '"' || last == '}' || last == ']':
		return "invalid JSON; a comma or a colon is missing here"
	case number != "" && isDigit(number[0]), strings.HasPrefix(rest, "+"), strings.HasPrefix(number, "."):
		if len(number) > 1 && number[0] == '0' && isDigit(number[1]) {
			return "a number has no leading zero"
		}
		return "not a JSON number"
	case rest != "" && isWord(rest[0]):
		return "not a JSON value; text and names must be in double quotes"
	}
	return "invalid JSON; a value or a name is missing here"
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isWord(c byte) bool {
	return c == '-' || c == '+' || c == '.' || isDigit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func hasWord(s string, words ...string) bool {
	for _, word := range words {
		if strings.HasPrefix(s, word) && (len(s) == len(word) || !isWord(s[len(word)])) {
			return true
		}
	}
	return false
}

func invalidUTF8(data []byte) int {
	if utf8.Valid(data) {
		return -1
	}
	for i := 0; i < len(data); {
		c, n := utf8.DecodeRune(data[i:])
		if c == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}
