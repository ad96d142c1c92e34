package filename

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestElement(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"data_input": "data_input", "a/b": "a_b", `a\b:c`: "a_b_c", "x.": "x_", "x.\x20": "x__", "..": "__", "nul": "_nul", "NUL.txt": "_NUL.txt",
		"com1": "_com1", "common": "common", "com12": "com12", "a\nb": "a_b", "\u65e5\u672c": "\u65e5\u672c",
	} {
		assert.Equal(t, want, Element(text), text)
		assert.Equal(t, want, Element(Element(text)), "the same again")
	}
}

func TestUnsafe(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"": false, "a": false, "MyScript": false, "a.b": false, ".": true, "..": true, "a/b": true, `a\b`: true, "c:": true, "\x20a": true, "a\n": true,
		"a\x00": true, "\u0430": true, "a\x7f": true, strings.Repeat("a", 255): false, strings.Repeat("a", 256): true,
	} {
		assert.Equal(t, want, Unsafe(name), "%q", name)
	}
}

func TestIsDir(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"Train_training": true, "": false, ".scriptspec": false, "nul": false, "a/b": false, "a.": false,
		strings.Repeat("a", 249): true, strings.Repeat("a", 250): false,
	} {
		assert.Equal(t, want, IsDir(name), "%q", name)
	}
}
