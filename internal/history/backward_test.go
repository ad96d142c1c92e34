package history_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Backward has the lines of Lines in the opposite order, whatever a file consists of.
func TestBackward(t *testing.T) {
	t.Parallel()
	const block = 512 << 10
	var many strings.Builder
	for i := range 40_000 {
		fmt.Fprintf(&many, "line %d\n%s", i, strings.Repeat("x", i%50))
	}
	for name, text := range map[string]string{
		"empty": "", "a line": "a\n", "no end": "a\nb", "no text": "\n\n\n", "many": many.String(), "too long": "a\n" + strings.Repeat("x", 5000) + "\nb\n",
		"longer than blocks": "a\n" + strings.Repeat("x", 3*block) + "\nb\n", "long at the end": "a\n" + strings.Repeat("x", 2*block),
		"two long ones": "a\n" + strings.Repeat("x", block-1) + "\n" + strings.Repeat("y", block),
		"a block":       strings.Repeat("x", block-1) + "\n",
		"and a line":    "a\n" + strings.Repeat("x", block-1) + "\n", "long at the beginning": strings.Repeat("x", 2*block) + "\nb\n",
	} {
		log, dir := newLog(t)
		require.NoError(t, log.Append(november.AddDate(0, -1, 0), []byte("before"), 0o600), name)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "2026-11.jsonl"), []byte(text), 0o600))
		var want, got []string
		for line, err := range log.Lines(time.Time{}) {
			require.NoError(t, err)
			want = append(want, fmt.Sprint(line.File, line.Text == nil, string(line.Text)))
		}
		for line, err := range log.Backward(time.Time{}) {
			require.NoError(t, err)
			got = append(got, fmt.Sprint(line.File, line.Text == nil, string(line.Text)))
		}
		slices.Reverse(got)
		require.Equal(t, len(want), len(got), name)
		require.Equal(t, want, got, name)
		for line, err := range log.Backward(november) {
			require.NoError(t, err)
			require.Equal(t, "2026-11.jsonl", line.File, name)
			break // a reader may have seen enough
		}
	}
	log, dir := newLog(t)
	require.NoError(t, log.Append(november, []byte("a"), 0o600))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "2026-12.jsonl"), 0o700))
	lines, errs := 0, 0
	for _, err := range log.Backward(time.Time{}) {
		if err != nil {
			errs++
		} else {
			lines++
		}
	}
	assert.Equal(t, []int{1, 1}, []int{lines, errs}, "what cannot be read is said, and the others go on")
}
