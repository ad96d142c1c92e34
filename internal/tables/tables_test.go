package tables_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec/internal/tables"
)

var hostile = "<b>x</b> | *y* \u202e\x1b[31m\n::error::z & \"q\""

func page() *tables.Page {
	return &tables.Page{
		Title: hostile, Lines: []string{hostile},
		Tables: []tables.Table{{Title: hostile, Columns: []string{"name", " number"}, Rows: [][]string{{hostile, "1"}, {"a", ""}}}},
		Lists:  []tables.List{{Title: "list", Items: []tables.Item{{Text: hostile, Notes: []string{hostile}, Code: hostile}}}},
	}
}

// Whatever a text holds, it is no markup, no command of a CI system and no code of a terminal.
func TestNothingIsMarkup(t *testing.T) {
	t.Parallel()
	var text, markdown, html bytes.Buffer
	require.NoError(t, page().WriteText(&text))
	require.NoError(t, page().WriteMarkdown(&markdown))
	require.NoError(t, page().WriteHTML(&html))
	for _, all := range []string{text.String(), markdown.String(), html.String()} {
		assert.NotContains(t, all, "\x1b")
		assert.NotContains(t, all, "\u202e")
		for line := range strings.Lines(all) {
			assert.NotRegexp(t, `^\s*::`, line)
			assert.NotRegexp(t, `[ \t]\n$`, line)
		}
	}
	assert.NotContains(t, html.String(), "<b>")
	assert.NotContains(t, markdown.String(), " <b>")
	assert.NotRegexp(t, `[^\\]\*y`, markdown.String())
	assert.Contains(t, html.String(), `<td class="n">1</td>`)
	assert.Contains(t, text.String(), "NAME")
}

func TestEmptyPage(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	require.NoError(t, (&tables.Page{Title: "x"}).WriteText(&b))
	assert.Empty(t, b.String())
	require.NoError(t, (&tables.Page{Title: "x"}).WriteMarkdown(&b))
	assert.Equal(t, "## x\n", b.String())
}
