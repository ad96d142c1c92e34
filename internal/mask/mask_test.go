package mask

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const secret = "p@ss \"wörd\"/\\+🚀"

// as returns secrets that are all shown as one text.
func as(shown string, values ...string) map[string]string {
	secrets := map[string]string{}
	for _, value := range values {
		secrets[value] = shown
	}
	return secrets
}

func TestForms(t *testing.T) {
	t.Parallel()
	goText, err := json.Marshal(secret)
	require.NoError(t, err)
	m := New(as("***", secret, "first line\nsecond line\nx", "it's a third", " stripped value\n"), 6)
	for name, text := range map[string]string{
		"plain":              secret,
		"Go's JSON":          string(goText),
		"Python's JSON":      `"p@ss \"w\u00f6rd\"/\\+\ud83d\ude80"`,
		"JSON, not ASCII":    `"p@ss \"wörd\"/\\+🚀"`,
		"repr":               `'p@ss "wörd"/\\+🚀'`,
		"repr of bytes":      `b'p@ss "w\xc3\xb6rd"/\\+\xf0\x9f\x9a\x80'`,
		"query":              "?q=" + url.QueryEscape(secret) + "&",
		"path":               "/" + url.PathEscape(secret) + "/",
		"quote":              "/p%40ss%20%22w%C3%B6rd%22/%5C%2B%F0%9F%9A%80",
		"base64":             base64.StdEncoding.EncodeToString([]byte(secret)),
		"base64, URL":        base64.URLEncoding.EncodeToString([]byte(secret)),
		"base64, behind one": base64.StdEncoding.EncodeToString([]byte("u" + secret + "tail")),
		"base64, behind two": base64.StdEncoding.EncodeToString([]byte("u:" + secret)),
		"one line of many":   "it says second line here",
		"JSON in JSON":       `"{\"x\": \"p@ss \\\"w\\u00f6rd\\\"/\\\\+\\ud83d\\ude80\"}"`,
		"ascii":              `'p@ss "w\xf6rd"/\\+\U0001f680'`,
		"lower-case percent": "/p%40ss%20%22w%c3%b6rd%22/%5c%2b%f0%9f%9a%80",
		"HTML":               "<b>p@ss &quot;wörd&quot;/\\+🚀</b>",
		"hex":                hex.EncodeToString([]byte("x" + secret + "x")),
		"shell":              `'it'"'"'s a third'`,
		"stripped":           "[stripped value]",
		"base64 of a line":   base64.StdEncoding.EncodeToString([]byte("second line")),
	} {
		masked := m.String("before " + text + " after")
		assert.Contains(t, masked, "***", name)
		for _, part := range []string{"ss", "rd", "40ss", "second", "first", "third", "stripped"} {
			assert.NotContains(t, masked, part, name)
		}
		assert.True(t, strings.HasPrefix(masked, "before ") && strings.HasSuffix(masked, " after"), name)
	}
	encoded := base64.StdEncoding.EncodeToString([]byte("u:" + secret))
	assert.Less(t, len(m.String(encoded)), 12, "next to nothing of it is left: %s", m.String(encoded))
}

// encodebytes and PEM wrap: what is left of a long secret is less than a line.
func TestWrappedBase64(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("0123456789abcdef", 20)
	text := base64.StdEncoding.EncodeToString([]byte(long))
	var wrapped strings.Builder
	for ; len(text) > 76; text = text[76:] {
		wrapped.WriteString(text[:76] + "\n")
	}
	masked := New(as("*", long), 6).String(wrapped.String())
	assert.Equal(t, strings.Repeat("*\n", strings.Count(wrapped.String(), "\n")), masked)
}

func TestShortValuesStay(t *testing.T) {
	t.Parallel()
	assert.Nil(t, New(as("*", "true", "12345", ""), 6))
	m := New(map[string]string{"secret-one": "[ONE]", "secret-two": "[TWO]"}, 6)
	assert.Equal(t, "[TWO], [ONE] and secret-three", m.String("secret-two, secret-one and secret-three"))
	assert.Equal(t, "[ONE] and secret-", m.String("secret-one and secret-"))
	assert.Equal(t, "[ONE] and ", m.Beginning("secret-one and secret-"), "the rest may have been one of them")
	assert.Equal(t, "secret-", (*Masker)(nil).Beginning("secret-"))
	var none *Masker
	assert.Equal(t, "true", none.String("true"))
	assert.Equal(t, "true *", New(as("*", "true", "123456"), 6).String("true 123456"))
}

func TestLongestFirst(t *testing.T) {
	t.Parallel()
	m := New(as("*", "abcdef", "abcdefghij", "fghijk"), 6)
	assert.Equal(t, "* * *gh *k", m.String("abcdef abcdefghij abcdefgh abcdefghijk"))
}

// However a stream is cut into writes, the result is that of the whole.
func TestWriterIsIndependentOfChunks(t *testing.T) {
	t.Parallel()
	m := New(as("*", "aabaab", "aabaac", "baabaabaab"), 6)
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		text := make([]byte, random.IntN(60))
		for i := range text {
			text[i] = "aaabc"[random.IntN(5)]
		}
		want := m.String(string(text))
		for _, pattern := range []string{"aabaab", "aabaac", "baabaabaab"} {
			require.NotContains(t, want, pattern)
		}
		var b bytes.Buffer
		w := m.Writer(&b)
		for rest := text; len(rest) > 0; {
			n := 1 + random.IntN(len(rest))
			written, err := w.Write(rest[:n])
			require.NoError(t, err)
			require.Equal(t, n, written)
			rest = rest[n:]
		}
		require.NoError(t, w.Flush())
		require.Equal(t, want, b.String(), string(text))
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestWriterError(t *testing.T) {
	t.Parallel()
	_, err := New(as("*", "secret"), 6).Writer(failing{}).Write([]byte("text"))
	assert.True(t, errors.Is(err, io.ErrShortWrite))
}

func BenchmarkWriter(b *testing.B) {
	chunk := bytes.Repeat([]byte("2026-11-22 10:00:00 INFO epoch 12 loss 0.123456 accuracy 0.98\n"), 1000)
	m := New(as("[redacted]", "s3cr3t-sentinel-value", "/path/to/cursus/src", "another value of some length"), 6)
	b.Run("masked", func(b *testing.B) {
		w := m.Writer(io.Discard)
		b.SetBytes(int64(len(chunk)))
		for b.Loop() {
			if _, err := w.Write(chunk); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("copied", func(b *testing.B) {
		to := make([]byte, len(chunk))
		b.SetBytes(int64(len(chunk)))
		for b.Loop() {
			copy(to, chunk)
		}
	})
}
