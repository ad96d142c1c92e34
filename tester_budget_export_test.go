package scriptspec

// OverBudget returns where a result needs more than a budget allows.
func OverBudget(b Budget, r *ScriptTestResult) []BudgetExcess { return over(b.uses(r)) }
