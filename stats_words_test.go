package scriptspec_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// Small numbers are not shown as nothing, large ones without an exponent, and what is not known not at all.
func TestStatsAreReadable(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		step scriptspec.StepStats
		want string
	}{
		{scriptspec.StepStats{Median: 400 * time.Microsecond, P90: 9400 * time.Microsecond, Min: 0, PeakMemory: 1, Share: 1e-6, Flaky: 1e-4, Runs: 1000, Passed: 1},
			"1 % 0.01 0.4ms 9ms 0s 6 1 % 1 B"},
		{scriptspec.StepStats{Median: 999 * time.Millisecond, P90: 999600 * time.Microsecond, Min: 95 * time.Millisecond, PeakMemory: 1023 << 10, Share: 0.999, Runs: 1000, Passed: 999},
			"99 % - 999ms 1s 95ms 6 99 % 1023 KiB"},
		{scriptspec.StepStats{Median: 59900 * time.Millisecond, P90: 59999 * time.Millisecond, Min: time.Hour, PeakMemory: 1<<40 - 1, Share: 1, Runs: 1, Passed: 1},
			"100 % - 59.9s 1m0s 1h0m0s 6 100 % 1 TiB"},
		{scriptspec.StepStats{Median: 1, P90: 1, Min: 1, Runs: 1}, "0 % - 0.001ms 0.001ms 0.001ms 6 0 % -"},
	} {
		c.step.StepName, c.step.Window, c.step.Duration.Verdict = "Prep", 6, scriptspec.VerdictSame
		var b bytes.Buffer
		require.NoError(t, (&scriptspec.Stats{Steps: []scriptspec.StepStats{c.step}}).WriteText(&b))
		_, row, _ := strings.Cut(b.String(), "\nPrep ")
		cells, _, _ := strings.Cut(row, " ~")
		assert.Equal(t, c.want, strings.Join(strings.Fields(cells)[1:], " "))
	}
}
