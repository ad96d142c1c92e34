package scriptspec

import (
	"fmt"
	"strconv"
	"time"
)

// BudgetExcess is something of which a run that passed needed more than the budget of its spec allows.
type BudgetExcess struct {
	// What is the member of the budget: "duration", "peak_memory", "output_bytes" or "regression".
	What string `json:"what"`
	// Value is what the run needed: seconds, bytes, or for "regression" the part by which it took longer than the
	// median of comparable runs before. Limit is what the budget allows of it.
	Value float64 `json:"value"`
	Limit float64 `json:"limit"`
}

// String returns the excess as a sentence without a period: "duration is 1m12s, over the budget of 1m0s". Both are rounded if they
// differ then.
func (e BudgetExcess) String() string {
	factor, unit, short := 1.0, " B", shortBytes
	switch e.What {
	case budgetDuration:
		unit, short = "s", func(v float64) string {
			d := fromSeconds(v)
			if d < time.Second {
				return d.Round(time.Microsecond).String()
			}
			return d.Round(time.Millisecond).String()
		}
	case budgetRegression:
		factor, unit, short = 100, "%", func(v float64) string { return threeDigits(100*v) + "%" }
	}
	value, limit := short(e.Value), short(e.Limit)
	if value == limit {
		exact := func(v float64) string { return strconv.FormatFloat(factor*v, 'f', -1, 64) + unit }
		value, limit = exact(e.Value), exact(e.Limit)
	}
	return fmt.Sprintf("%s is %s, over the budget of %s", printable(e.What), value, limit)
}

// What a budget bounds.
const (
	budgetDuration   = "duration"
	budgetPeakMemory = "peak_memory"
	budgetOutput     = "output_bytes"
	budgetRegression = "regression"
)

// BudgetUse is what a run that passed needed of what the budget of its spec allows. The members are as in [BudgetExcess].
type BudgetUse struct {
	What  string  `json:"what"`
	Value float64 `json:"value"`
	Limit float64 `json:"limit"`
}

// uses returns what a run needed of each bound of the budget of which that is known.
func (b *Budget) uses(r *ScriptTestResult) []BudgetUse {
	var written int64
	for _, o := range r.Outputs {
		written += o.Bytes
	}
	usual, known, slower := r.Past.Comparable.Median, r.Past.Comparable.Runs >= fewestRuns, 0.0
	if usual > 0 && r.ExecutionTime-usual >= leastChange {
		slower = r.ExecutionTime.Seconds()/usual.Seconds() - 1
	}
	var list []BudgetUse
	use := func(what string, known bool, value, limit float64) {
		if known && limit > 0 {
			list = append(list, BudgetUse{what, value, limit})
		}
	}
	use(budgetDuration, true, r.ExecutionTime.Seconds(), b.Duration)
	use(budgetPeakMemory, r.PeakMemory > 0, float64(r.PeakMemory), b.PeakMemory)
	use(budgetOutput, true, float64(written), b.OutputBytes)
	use(budgetRegression, known, slower, b.Regression)
	return list
}

// over returns where a run needed more than the budget allows.
func over(uses []BudgetUse) []BudgetExcess {
	var list []BudgetExcess
	for _, u := range uses {
		if u.Value > u.Limit {
			list = append(list, BudgetExcess(u))
		}
	}
	return list
}

// UncheckedBudget is something of which it is not known whether a run that passed needed more than the budget of its spec allows.
type UncheckedBudget struct {
	// What is as in [BudgetExcess].
	What string `json:"what"`
	// Why says what is missing: "too few comparable runs (3 of 6)".
	Why string `json:"why"`
}

// String returns both as a sentence without a period: "regression was not checked: too few comparable runs (3 of 6)".
func (u UncheckedBudget) String() string {
	return fmt.Sprintf("%s was not checked: %s", printable(u.What), printable(u.Why))
}

// unchecked returns what of the budget is not known of a run.
func (b *Budget) unchecked(r *ScriptTestResult, recorded bool) []UncheckedBudget {
	var list []UncheckedBudget
	if b.PeakMemory > 0 && r.PeakMemory == 0 {
		list = append(list, UncheckedBudget{budgetPeakMemory, "the system does not tell how much memory was used"})
	}
	if b.Regression <= 0 || r.Past.Comparable.Runs >= fewestRuns {
		return list
	}
	why := tooFew(r.Past.Comparable.Runs)
	switch {
	case !recorded:
		why = "there is no history to compare with"
	case r.like.input == "":
		why = "it is not known whether the inputs are those of earlier runs"
	}
	return append(list, UncheckedBudget{budgetRegression, why})
}
