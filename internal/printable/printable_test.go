package printable

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestBlock(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a\r\nb\rc":       "a\nb\nc",
		"\x1b[31mred\x07": `\x1b[31mred\a`,
		"bad \xff":        "bad \uFFFD",
	} {
		assert.Equal(t, want, Block(text))
	}
}

func TestLog(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"::error::x":                        `\::error::x`,
		"a\n \t\u00a0::set-output name=x::": "a\n \t\u00a0\\::set-output name=x::",
		"a ::notice::x":                     "a ::notice::x",
		"see ##[error]x, ##vso[task.x]":     `see #\#[error]x, #\#vso[task.x]`,
		"## [a], #[b]":                      "## [a], #[b]",
	} {
		assert.Equal(t, want, Log(text))
	}
}

func TestLine(t *testing.T) {
	t.Parallel()
	assert.Equal(t, `a\nb "c"`, Line("a\nb \"c\""))
	assert.Equal(t, strings.Repeat("x", 4096)+"...", Line(strings.Repeat("x", 5000)))
}

func TestTail(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "short", Tail("short", 5))
	assert.Equal(t, "[...]\nlast", Tail("first line\nlast", 6))
}
