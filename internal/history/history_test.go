package history_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec/internal/atomicfile"
	"github.com/scriptspec/scriptspec/internal/history"
)

var november = time.Date(2026, 11, 28, 23, 30, 0, 0, time.UTC)

func newLog(t *testing.T) (log *history.Log, dir string) {
	t.Helper()
	top := t.TempDir()
	parent, err := atomicfile.OpenPath(top)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, parent.Close()) })
	_, err = history.Open(parent, false, 0o700)
	require.ErrorIs(t, err, os.ErrNotExist)
	log, err = history.Open(parent, true, 0o700)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, log.Close()) })
	return log, filepath.Join(top, history.DirName)
}

func lines(t *testing.T, log *history.Log, from time.Time) []string {
	t.Helper()
	var all []string
	for line, err := range log.Lines(from) {
		require.NoError(t, err)
		all = append(all, fmt.Sprintf("%s:%d %s", line.File, line.Number, line.Text))
	}
	return all
}

func TestAppendAndLines(t *testing.T) {
	t.Parallel()
	log, dir := newLog(t)
	require.NoError(t, log.Append(november, []byte("b"), 0o600))
	require.NoError(t, log.Append(november.AddDate(0, -1, 0), []byte("a"), 0o600))
	require.NoError(t, log.Append(november.Add(time.Minute), []byte("c"), 0o600))
	zone := time.FixedZone("", 7200)
	require.NoError(t, log.Append(november.In(zone), []byte("d"), 0o600)) // December there
	require.NoError(t, os.WriteFile(filepath.Join(dir, "notes.jsonl"), []byte("no\n"), 0o600))
	assert.Equal(t, []string{"2026-10.jsonl:1 a", "2026-11.jsonl:1 b", "2026-11.jsonl:2 c", "2026-11.jsonl:3 d"}, lines(t, log, time.Time{}))
	assert.Equal(t, []string{"2026-11.jsonl:1 b", "2026-11.jsonl:2 c", "2026-11.jsonl:3 d"}, lines(t, log, november))
	ignored, err := os.ReadFile(filepath.Join(dir, ".gitignore"))
	require.NoError(t, err)
	assert.Equal(t, "*\n", string(ignored))
	for _, err := range log.Lines(time.Time{}) {
		require.NoError(t, err)
		break // a reader may have seen enough
	}
}

func TestLongLines(t *testing.T) {
	t.Parallel()
	log, dir := newLog(t)
	longest := strings.Repeat("x", history.MaxLine-1)
	require.NoError(t, log.Append(november, []byte(longest), 0o600))
	require.ErrorIs(t, log.Append(november, []byte(longest+"x"), 0o600), history.ErrTooLong)
	foreign := strings.Repeat("y", 300_000) + "\nz"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "2026-12.jsonl"), []byte(foreign), 0o600))
	assert.Equal(t, []string{"2026-11.jsonl:1 " + longest, "2026-12.jsonl:1 ", "2026-12.jsonl:2 z"}, lines(t, log, time.Time{}))
}

// Wherever a file is cut off, one line is lost at most, and none of those that follow.
func TestTruncation(t *testing.T) {
	t.Parallel()
	log, dir := newLog(t)
	file := filepath.Join(dir, "2026-11.jsonl")
	for i := range 5 {
		require.NoError(t, log.Append(november, fmt.Appendf(nil, `{"n": %d}`, i), 0o600))
	}
	whole, err := os.ReadFile(file)
	require.NoError(t, err)
	for size := range len(whole) + 1 {
		require.NoError(t, os.WriteFile(file, whole[:size], 0o600))
		for i := 5; i < 7; i++ {
			require.NoError(t, log.Append(november, fmt.Appendf(nil, `{"n": %d}`, i), 0o600))
		}
		var found []int
		for line, err := range log.Lines(time.Time{}) {
			require.NoError(t, err)
			var v struct{ N int }
			if json.Unmarshal(line.Text, &v) == nil {
				found = append(found, v.N)
			}
		}
		begun := strings.Count(string(whole[:size]), "{")
		assert.GreaterOrEqual(t, len(found), begun-1+2, "at %d", size)
		assert.Equal(t, []int{5, 6}, found[len(found)-2:], "at %d", size)
	}
}

func TestWhatIsNoFileIsSaid(t *testing.T) {
	t.Parallel()
	log, dir := newLog(t)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "2026-10.jsonl"), 0o700))
	require.NoError(t, log.Append(november, []byte("b"), 0o600))
	assert.ErrorIs(t, log.Append(november.AddDate(0, -1, 0), []byte("a"), 0o600), atomicfile.ErrNotRegular)
	var failed, read int
	for line, err := range log.Lines(time.Time{}) {
		if err != nil {
			assert.ErrorIs(t, err, atomicfile.ErrNotRegular)
			assert.Equal(t, "2026-10.jsonl", line.File)
			failed++
			continue
		}
		read++
	}
	assert.Equal(t, 1, failed)
	assert.Equal(t, 1, read, "the others go on")
}

func TestPrune(t *testing.T) {
	t.Parallel()
	log, dir := newLog(t)
	fill := func() {
		for i := range 4 {
			for range 10 {
				require.NoError(t, log.Append(november.AddDate(0, -i, -20), []byte(strings.Repeat("x", 99)), 0o600))
			}
		}
	}
	fill()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("mine"), 0o600))
	freed, err := log.Prune(history.Limits{})
	require.NoError(t, err)
	assert.Zero(t, freed)
	freed, err = log.Prune(history.Limits{Since: november.AddDate(0, -2, 0)})
	require.NoError(t, err)
	assert.Equal(t, int64(1000), freed, "September may have lines that are new enough, August has none")
	assert.Len(t, lines(t, log, time.Time{}), 30)
	freed, err = log.Prune(history.Limits{Bytes: 2500})
	require.NoError(t, err)
	assert.Equal(t, int64(1000), freed, "the oldest file")
	freed, err = log.Prune(history.Limits{Bytes: 700})
	require.NoError(t, err)
	assert.Equal(t, int64(1700), freed, "the oldest file, and of the newest what is above the half of the bound, with the line that is cut")
	assert.Len(t, lines(t, log, time.Time{}), 3)
	assert.FileExists(t, filepath.Join(dir, "notes.txt"))
	require.NoError(t, log.Append(november.AddDate(0, 0, -20), []byte("y"), 0o600))
	left := lines(t, log, time.Time{})
	assert.Equal(t, "2026-11.jsonl:4 y", left[3])
}

// What is no file keeps nothing else from being dropped.
func TestPruneGoesOn(t *testing.T) {
	t.Parallel()
	log, dir := newLog(t)
	line := []byte(strings.Repeat("x", 99))
	for i := range 3 {
		require.NoError(t, log.Append(november.AddDate(0, -i, -20), line, 0o600))
	}
	require.NoError(t, os.Mkdir(filepath.Join(dir, "2026-01.jsonl"), 0o700))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "9999-12.jsonl"), 0o700))
	freed, err := log.Prune(history.Limits{Since: november.AddDate(0, -1, 0)})
	require.NoError(t, err)
	assert.Equal(t, int64(100), freed, "September")
	freed, err = log.Prune(history.Limits{Bytes: 100})
	require.NoError(t, err)
	assert.Equal(t, int64(100), freed, "October")
	freed, err = log.Prune(history.Limits{Bytes: 50})
	require.NoError(t, err)
	assert.Equal(t, int64(100), freed, "November is the newest file")
	assert.DirExists(t, filepath.Join(dir, "2026-01.jsonl"))
	assert.DirExists(t, filepath.Join(dir, "9999-12.jsonl"))
}

func members(text string) (found map[string]string, ok bool) {
	found = map[string]string{}
	for name, value := range history.Object(text).Members(&ok) {
		found[string(name)] = string(value)
	}
	return found, ok
}

func TestMembers(t *testing.T) {
	t.Parallel()
	found, ok := members(`{"a": "x\"}", "b":[1,{"c":"]"}] , "d":-1.5e3,"e":true,"f":{}}`)
	assert.True(t, ok)
	assert.Equal(t, map[string]string{"a": `"x\"}"`, "b": `[1,{"c":"]"}]`, "d": "-1.5e3", "e": "true", "f": "{}"}, found)
	_, ok = members(`{}`)
	assert.True(t, ok)
	for _, text := range []string{
		"", "{", "}", "[]", `"a"`, `{"a"}`, `{"a":}`, `{"a":1`, `{"a":1,}`, `{"a":1}x`, `{"a":"b}`, `{"a":[1}`, `{a:1}`, `{"a":1 "b":2}`, `{"a":"b` + "\n" + `"}`, "null",
	} {
		_, ok := members(text)
		assert.False(t, ok, text)
	}
}

// What encoding/json reads as an object is one, with the same members; a text that was cut off is none.
func FuzzMembers(f *testing.F) {
	f.Add(`{"a": "x\"}", "b":[1,{"c":"]"}] , "d":-1.5e3,"e":true,"f":{}}`)
	f.Add(`{"\u00e9":null}`)
	f.Add(`{"": "0\b"}`) // cut behind the backslash it has 8 bytes, and so have their copies: no room to read on
	f.Add(`{"a": ["\b"]}`)
	f.Fuzz(func(t *testing.T, text string) {
		var want map[string]json.RawMessage
		if json.Unmarshal([]byte(text), &want) != nil || want == nil {
			return
		}
		found, ok := members(text)
		require.True(t, ok, "%q", text)
		for name, value := range found {
			var decoded string
			require.NoError(t, json.Unmarshal([]byte(`"`+name+`"`), &decoded))
			assert.Contains(t, want, decoded)
			assert.True(t, json.Valid([]byte(value)), "%q", value)
		}
		for size := range len(strings.TrimSpace(text)) {
			_, ok := members(strings.TrimSpace(text)[:size])
			require.False(t, ok, "%q", text[:size])
		}
	})
}

func TestTexts(t *testing.T) {
	t.Parallel()
	texts := history.Texts{}
	for value, want := range map[string]string{`"a"`: "a", `"a\u00e9\n"`: "aé\n", `""`: "", "\"\xff\"": "\uFFFD"} {
		for range 2 {
			got, ok := texts.Of([]byte(value))
			assert.True(t, ok)
			assert.Equal(t, want, got)
		}
	}
	for _, value := range []string{"1", "", `"`, `"\x"`, "null"} {
		_, ok := texts.Of([]byte(value))
		assert.False(t, ok, value)
	}
	for i := range 100_000 {
		_, ok := texts.Of(fmt.Appendf(nil, `"%d"`, i))
		require.True(t, ok)
	}
	assert.Less(t, len(texts), 1<<17, "it is bounded")
	for value, want := range map[string]float64{"1": 1, "-0.5": -0.5, "1e3": 1000} {
		got, ok := history.Number([]byte(value))
		assert.True(t, ok)
		assert.InDelta(t, want, got, 0)
	}
	for _, value := range []string{"", "Inf", "nan", "true", `"1"`, "1x"} {
		_, ok := history.Number([]byte(value))
		assert.False(t, ok, value)
	}
	yes, ok := history.Bool([]byte("true"))
	assert.True(t, yes && ok)
	_, ok = history.Bool([]byte("1"))
	assert.False(t, ok)
}
