package scriptspec_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/scriptspec/scriptspec"
)

func TestPastTimesCompare(t *testing.T) {
	t.Parallel()
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	usual := scriptspec.PastTimes{Runs: 20, Median: ms(1000), P90: ms(1200), Min: ms(700)}
	short := scriptspec.PastTimes{Runs: 6, Median: ms(100), P90: ms(101), Min: ms(99)}
	steady := scriptspec.PastTimes{Runs: 6, Median: ms(1000), P90: ms(1001), Min: ms(999)}
	for _, c := range []struct {
		past scriptspec.PastTimes
		took time.Duration
		want string
	}{
		{usual, ms(1201), "+20 %, median 1s of 20 runs"},
		{usual, ms(1200), "~, median 1s of 20 runs"}, // as 90 % of them
		{usual, ms(699), "-30 %, median 1s of 20 runs"},
		{usual, ms(700), "~, median 1s of 20 runs"}, // as the shortest
		{short, ms(150), "+50 %, median 100ms of 6 runs"},
		{short, ms(149), "~, median 100ms of 6 runs"},
		{short, ms(50), "-50 %, median 100ms of 6 runs"},
		{short, ms(51), "~, median 100ms of 6 runs"},
		{steady, ms(1100), "+10 %, median 1s of 6 runs"},
		{steady, ms(1099), "~, median 1s of 6 runs"},
		{scriptspec.PastTimes{Runs: 6}, ms(50), "new, median 0s of 6 runs"},
		{scriptspec.PastTimes{Runs: 5, Median: ms(1)}, ms(1000), "too few comparable runs (5 of 6)"},
	} {
		assert.Equal(t, c.want, c.past.Compare(c.took), "%v beside %+v", c.took, c.past)
	}
}
