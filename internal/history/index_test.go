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

	"github.com/scriptspec/scriptspec/internal/history"
)

func newIndex() *history.Index {
	return history.NewIndex(history.Key{Members: []string{"step", "example"}, Begin: `{"v":1,`, End: "n"})
}

// last returns the numbers of the last lines with a key.
func last(t *testing.T, x *history.Index, log *history.Log, most int, key ...string) []string {
	t.Helper()
	found := []string{}
	if len(key) < 2 {
		key = append(key, "")
	}
	require.NoError(t, x.Last(log, key, func(line []byte) bool {
		_, number, _ := strings.Cut(string(line), `"n":`)
		number, _, _ = strings.Cut(number, ",")
		found = append(found, strings.TrimSuffix(number, "}"))
		return len(found) < most
	}))
	return found
}

func TestIndexFindsTheLastLines(t *testing.T) {
	t.Parallel()
	log, dir := newLog(t)
	x := newIndex()
	assert.Empty(t, last(t, x, log, 9, "a"))
	put := func(month int, line string) {
		t.Helper()
		require.NoError(t, log.Append(november.AddDate(0, month, 0), []byte(line), 0o600))
	}
	put(0, `{"v":1,"step":"a","n":3}`)
	put(-1, `{"v":1,"step":"a","n":1}`)
	put(-1, `{"v":1,"step":"b","n":2}`)
	put(0, `{"v":1,"step":"a","example":"x","n":4}`)
	put(0, `{"n": 5, "example": "x", "v": 1, "step": "a"}`)
	put(0, `{"v":1,"step":"a\u0062","n":6}`)
	put(0, `{"v":1,"other":{"step":3},"step":"a","n":7}`)
	put(0, `{"v":1,"step":"a","n":8`)
	put(0, "no line")
	for range 2 {
		assert.Equal(t, []string{"8", "7", "3", "1"}, last(t, x, log, 9, "a"))
		assert.Equal(t, []string{"8", "7"}, last(t, x, log, 2, "a"))
		assert.Equal(t, []string{" 5", "4"}, last(t, x, log, 9, "a", "x"), "in any order, and with any spaces")
		assert.Equal(t, []string{"6"}, last(t, x, log, 9, "ab"), "however it is written")
		assert.Empty(t, last(t, x, log, 9, "c"))
	}
	put(0, `{"v":1,"step":"a","n":9}`)
	put(1, `{"v":1,"step":"a","n":10}`)
	assert.Equal(t, []string{"10", "9", "8", "7", "3", "1"}, last(t, x, log, 9, "a"), "and what was appended since")
	count, err := x.Count(log, []string{"a", ""})
	require.NoError(t, err)
	assert.Equal(t, 6, count)

	file := filepath.Join(dir, "2026-11.jsonl")
	open, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = open.WriteString(`{"v":1,"step":"a","n":`)
	require.NoError(t, err)
	assert.Len(t, last(t, x, log, 9, "a"), 6, "a line that is being written")
	_, err = open.WriteString("11}\n")
	require.NoError(t, err)
	require.NoError(t, open.Close())
	assert.Equal(t, []string{"10", "11"}, last(t, x, log, 2, "a"))

	require.NoError(t, os.WriteFile(file+"2", []byte(`{"v":1,"step":"a","n":12}`), 0o600))
	require.NoError(t, os.Rename(file+"2", file))
	assert.Equal(t, []string{"10", "12", "1"}, last(t, x, log, 9, "a"), "another file in its place")
	require.NoError(t, os.Remove(filepath.Join(dir, "2026-10.jsonl")))
	assert.Equal(t, []string{"10", "12"}, last(t, x, log, 9, "a"), "a month is gone")
	require.NoError(t, os.Truncate(file, 0))
	assert.Equal(t, []string{"10"}, last(t, x, log, 9, "a"), "a file has been emptied")
}

// Wherever blocks end, lines are found in order and once.
func TestIndexOfLargeFiles(t *testing.T) {
	t.Parallel()
	log, dir := newLog(t)
	var b strings.Builder
	want := []string{}
	for i := 0; b.Len() < 3<<20; i++ {
		step := "a"
		if i%3 > 0 {
			step = "b"
		} else {
			want = append(want, fmt.Sprint(i))
		}
		fmt.Fprintf(&b, "{\"v\":1,\"step\":%q,\"n\":%d,\"text\":%q}\n", step, i, strings.Repeat("x", i*7%4000))
		if i == 500 {
			b.WriteString(`{"v":1,"step":"a","n":501,"text":"` + strings.Repeat("y", 2<<20) + "\"}\n") // longer than several blocks
		}
	}
	slices.Reverse(want)
	file := filepath.Join(dir, "2026-11.jsonl")
	require.NoError(t, os.WriteFile(file, []byte(b.String()), 0o600))
	x := newIndex()
	assert.Equal(t, want[:3], last(t, x, log, 3, "a"))
	assert.Equal(t, want, last(t, x, log, len(want)+1, "a"))
	count, err := x.Count(log, []string{"a", ""})
	require.NoError(t, err)
	assert.Len(t, want, count, "a line that is too long is none")
	require.NoError(t, x.Reach(log, []string{"none", ""}, 1))
	assert.Equal(t, want, last(t, x, log, len(want)+1, "a"))

	appended := newIndex()
	require.NoError(t, os.WriteFile(file, []byte("first\n"), 0o600))
	assert.Empty(t, last(t, appended, log, 1, "a"))
	open, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = open.WriteString(b.String())
	require.NoError(t, err)
	require.NoError(t, open.Close())
	assert.Equal(t, want, last(t, appended, log, len(want)+1, "a"))
}

// No more is read of the files than is needed: what is before the last lines does not count.
func TestIndexReadsFromTheEnd(t *testing.T) {
	t.Parallel()
	log, dir := newLog(t)
	require.NoError(t, log.Append(november, []byte(`{"v":1,"step":"a","n":1}`), 0o600))
	text := strings.Repeat(`{"v":1,"step":"a","n":2}`+"\n", 1<<17)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "2026-12.jsonl"), []byte(text), 0o600))
	x := newIndex()
	require.Len(t, last(t, x, log, 20, "a"), 20)
	assert.Less(t, x.Looked(), int64(len(text)/2))
	require.NoError(t, x.Reach(log, []string{"a", ""}, 20))
	assert.Less(t, x.Looked(), int64(len(text)/2))
	require.Empty(t, last(t, x, log, 20, "b"))
	assert.Greater(t, x.Looked(), int64(len(text)))
	seen := x.Looked()
	require.NoError(t, log.Append(november.Add(40*24*time.Hour), []byte(`{"v":1,"step":"b","n":3}`), 0o600))
	assert.Equal(t, []string{"3"}, last(t, x, log, 20, "b"))
	assert.Equal(t, seen+25, x.Looked())
}
