package scriptspec

import (
	"fmt"

	"github.com/scriptspec/scriptspec/internal/amount"
)

// shortTime shows seconds.
func shortTime(s float64) string { return amount.Time(fromSeconds(s)) }

// shortScore shows a number between 0 and 1 to two digits, and only 0 as 0.
func shortScore(v float64) string {
	if v > 0 {
		v = max(v, 0.01)
	}
	return fmt.Sprintf("%.2f", v)
}
