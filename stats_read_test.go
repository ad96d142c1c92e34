package scriptspec_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// A month that cannot be read is said to be missing, and no step is said never to have run, which may be in it.
func TestStatsOfAnUnreadableMonth(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	st := openStore(t, dir, nil)
	saveSteps(t, st, "Prep", "Train")
	months := filepath.Join(dir, ".specs", ".history")
	month := filepath.Join(months, "2026-01.jsonl")
	require.NoError(t, os.MkdirAll(month, 0o700))
	_, err := st.Stats(t.Context(), nil)
	require.ErrorContains(t, err, month, "nothing can be read")

	writeHistory(t, dir, healthy("Prep", 10))
	for _, o := range []*scriptspec.StatsOptions{nil, {Since: aRecord("Prep", 0).At.AddDate(1, 0, 0)}} {
		s := statsOf(t, st, o)
		require.Len(t, s.Unread, 1)
		assert.Contains(t, s.Unread[0], month)
		assert.Empty(t, s.NeverRun)
		assert.Empty(t, s.Suggestions)
		var b bytes.Buffer
		require.NoError(t, s.WriteText(&b))
		assert.Contains(t, b.String(), "\nnot all of the history could be read: "+s.Unread[0]+"\n")
	}
	require.NoError(t, os.Remove(month))
	s := statsOf(t, st, nil)
	assert.Empty(t, s.Unread)
	assert.Equal(t, []string{"Train"}, s.NeverRun)
}

// Steps that took as long as each other are sorted by name, example and pipeline.
func TestStatsAreSorted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var all []scriptspec.Record
	for _, name := range []string{"Train", "Prep", "Score", "Load"} {
		for _, r := range healthy(name, 3) {
			for _, of := range [][2]string{{"small", ""}, {"", "churn"}, {"", ""}, {"large", ""}} {
				r.Example, r.Pipeline = of[0], of[1]
				all = append(all, r)
			}
		}
	}
	longest := aRecord("Zip", 1)
	longest.Duration = time.Hour
	writeHistory(t, dir, append(all, longest))
	var names []string
	for _, s := range statsOf(t, openStore(t, dir, nil), nil).Steps {
		names = append(names, s.Name())
	}
	want := []string{"Zip"}
	for _, name := range []string{"Load", "Prep", "Score", "Train"} {
		want = append(want, name, name+" (churn)", name+"/large", name+"/small")
	}
	assert.Equal(t, want, names)
}

// Times between which there is none are refused.
func TestTimesInOrder(t *testing.T) {
	t.Parallel()
	st := openStore(t, t.TempDir(), nil)
	first := aRecord("Prep", 0).At.Time
	second := first.Add(time.Second)
	for name, o := range map[string]scriptspec.StatsOptions{
		"until":    {Since: second, Until: first},
		"new_from": {Since: second, NewFrom: first},
		"nothing":  {Since: first, Until: first},
		"all old":  {NewFrom: second, Until: first},
	} {
		_, err := st.Stats(t.Context(), &o)
		var fe *scriptspec.FieldError
		require.ErrorAs(t, err, &fe, name)
		assert.Contains(t, fe.Message, "not after", name)
	}
	statsOf(t, st, &scriptspec.StatsOptions{Since: first, NewFrom: second, Until: second.Add(1)})
	all, errs := records(st.History(), &scriptspec.HistoryFilter{Since: second, Until: first})
	assert.Empty(t, all)
	require.Len(t, errs, 1)
	var fe *scriptspec.FieldError
	require.ErrorAs(t, errs[0], &fe)
	assert.Equal(t, "until", fe.Path)
}
