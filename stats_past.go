package scriptspec

import (
	"fmt"
	"time"

	"github.com/scriptspec/scriptspec/internal/amount"
)

// Compare says how long one run took beside these: "+52 %, median 1.5s of 20 runs", with "~" for a difference that is small or
// usual, or "too few comparable runs (3 of 6)". One run is no verdict: it has to take longer than 90 % of them, or shorter than all, and
// differ from the median as medians of a [Trend] do.
func (p PastTimes) Compare(took time.Duration) string {
	if p.Runs < fewestRuns {
		return tooFew(p.Runs)
	}
	t := Trend{Verdict: VerdictSame, Old: p.Median.Seconds(), New: took.Seconds()}
	if large(t.Old, t.New, leastChange.Seconds()) && (took > p.P90 || took < p.Min) {
		t.Verdict = VerdictMore // or less, which is shown in the same way
	}
	return fmt.Sprintf("%s, median %s of %d runs", t, amount.Time(p.Median), p.Runs)
}

func tooFew(comparable int) string {
	return fmt.Sprintf("too few comparable runs (%d of %d)", comparable, fewestRuns)
}
