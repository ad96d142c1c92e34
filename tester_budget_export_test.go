package scriptspec

// UsesOf returns what a result needed of a budget.
func UsesOf(b Budget, r *ScriptTestResult) []BudgetUse { return b.uses(r) }
