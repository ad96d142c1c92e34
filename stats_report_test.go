package scriptspec_test

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// A store in which everything can be said; equal histories give equal reports.
func TestStatsReports(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	st := openStore(t, dir, nil)
	specs := saveSteps(t, st, "Prep_training", "Train", "Never")
	specs["Train"].Timeout = 600
	require.NoError(t, st.SaveStep(specs["Train"]))
	prep, train := healthy("Prep_training", 30), healthy("Train", 30)
	for i := range train {
		train[i].Run = prep[i].Run
		train[i].ImportTime = time.Second
		if i >= 24 {
			train[i].ScriptDigest = "ffffffffffffffff"
			train[i].Duration *= 3
			train[i].PeakMemory *= 2
		}
		if i%10 < 2 {
			prep[i].Outcome = scriptspec.OutcomeSignal
		}
	}
	small := aRecord("Prep_training", 1)
	small.Example, small.Outcome = "small <b>|*x*", "::error::"
	writeHistory(t, dir, append(append(prep, train...), small))
	s := statsOf(t, st, nil)
	for name, write := range map[string]func(io.Writer) error{
		"stats.txt": s.WriteText, "stats.md": s.WriteMarkdown, "stats.html": s.WriteHTML,
		"stats.json": func(w io.Writer) error {
			e := json.NewEncoder(w)
			e.SetIndent("", "  ")
			return e.Encode(s)
		},
	} {
		var b bytes.Buffer
		require.NoError(t, write(&b))
		golden(t, "history/"+name, b.String())
		for line := range strings.Lines(b.String()) {
			assert.NotRegexp(t, `[ \t]\n$`, line, name)
			assert.NotRegexp(t, `^\s*::`, line, name)
		}
	}
	var b bytes.Buffer
	require.NoError(t, (&scriptspec.Stats{}).WriteText(&b))
	assert.Equal(t, "there is no record of a run\n", b.String())
	require.Error(t, s.WriteText(brokenWriter{}))
}
