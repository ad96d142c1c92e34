package scriptspec

import (
	"fmt"
	"strconv"

	"github.com/scriptspec/scriptspec/internal/amount"
)

// BudgetUse is what a run that passed needed of something that the budget of its spec bounds.
type BudgetUse struct {
	// What is the member of the budget: "duration", "peak_memory", "output_bytes" or "regression".
	What string `json:"what"`
	// Value is what the run needed: seconds, bytes, or for "regression" the part by which it took longer than the
	// median of comparable runs before. Limit is what the budget allows of it.
	Value float64 `json:"value"`
	Limit float64 `json:"limit"`
}

func (u BudgetUse) over() bool { return u.Value > u.Limit }

// String returns a sentence without a period: "duration is 1m12s, over the budget of 1m0s", or "within" it. Both are rounded if what is
// over it differs then.
func (u BudgetUse) String() string {
	factor, unit, short := 1.0, " B", amount.Bytes[float64]
	switch u.What {
	case budgetDuration:
		unit, short = "s", shortTime
	case budgetRegression:
		factor, unit, short = 100, " %", func(v float64) string { return amount.Digits(100*v) + " %" }
	}
	value, limit := short(u.Value), short(u.Limit)
	if value == limit && u.over() {
		exact := func(v float64) string { return strconv.FormatFloat(factor*v, 'f', -1, 64) + unit }
		value, limit = exact(u.Value), exact(u.Limit)
	}
	where := "within"
	if u.over() {
		where = "over"
	}
	return fmt.Sprintf("%s is %s, %s the budget of %s", printable(u.What), value, where, limit)
}

// What a budget bounds.
const (
	budgetDuration   = "duration"
	budgetPeakMemory = "peak_memory"
	budgetOutput     = "output_bytes"
	budgetRegression = "regression"
)

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

// OverBudget returns where a run that passed needed more than the budget of its spec allows, which fails nothing.
func (r *ScriptTestResult) OverBudget() []BudgetUse {
	var list []BudgetUse
	for _, u := range r.Budget {
		if u.over() {
			list = append(list, u)
		}
	}
	return list
}

// UncheckedBudget is something of which it is not known whether a run that passed needed more than the budget of its spec allows.
type UncheckedBudget struct {
	// What is as in [BudgetUse].
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
