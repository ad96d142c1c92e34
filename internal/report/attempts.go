package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/scriptspec/scriptspec/internal/printable"
)

// flaky counts the nodes that passed after attempts that failed.
func (r *Run) flaky() int {
	count := 0
	for _, n := range r.Nodes {
		if n.Flaky {
			count++
		}
	}
	return count
}

// overBudget counts the nodes that took more than their budgets.
func (r *Run) overBudget() int {
	count := 0
	for _, n := range r.Nodes {
		if n.Script != nil && len(n.Script.OverBudget) > 0 {
			count++
		}
	}
	return count
}

// warning is something that a node that passed should be looked at for. Its texts are those of the run: writers make them
// printable.
type warning struct{ Code, Text string }

// Codes of warnings.
const (
	codeFlaky  = "flaky"
	codeBudget = "over_budget"
)

// warnings lists what a node should be looked at for besides its status.
func (n Node) warnings() []warning {
	var list []warning
	if n.Flaky {
		list = append(list, warning{codeFlaky, n.flakyText()})
	}
	if n.Script != nil {
		for _, e := range n.Script.OverBudget {
			list = append(list, warning{codeBudget, e.Text})
		}
	}
	return list
}

// unchecked is something that is not known of some nodes.
type unchecked struct {
	text  string
	nodes []string
}

// unchecked lists what of budgets could not be checked, each once.
func (r *Run) unchecked() []unchecked {
	var list []unchecked
	for _, n := range r.Nodes {
		if n.Script == nil {
			continue
		}
		for _, text := range n.Script.Unchecked {
			at := slices.IndexFunc(list, func(u unchecked) bool { return u.text == text })
			if at < 0 {
				at = len(list)
				list = append(list, unchecked{text: text})
			}
			list[at].nodes = append(list[at].nodes, printable.Line(n.Name))
		}
	}
	return list
}

// names names the first nodes, and counts the others.
func (u unchecked) names() string {
	shown := u.nodes[:min(len(u.nodes), namesShown)]
	text := strings.Join(shown, ", ")
	if more := len(u.nodes) - len(shown); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// flakyText says how a node came to pass: "passed on attempt 3 of 3, after exception: ValueError: no rows".
func (n Node) flakyText() string {
	text := "passed after attempts that failed"
	if earlier := n.earlier(); len(earlier) > 0 {
		text = fmt.Sprintf("passed on attempt %d of %d, after %s", len(n.Attempts), len(n.Attempts), earlier[len(earlier)-1].ending())
	}
	return text
}

// triedText says that a node failed more than once, "" if it did not: "failed on all 3 attempts, with exception".
func (n Node) triedText() string {
	if n.Status != Failed || n.Flaky || len(n.earlier()) == 0 {
		return ""
	}
	var outcomes []string
	for _, s := range n.Attempts {
		if outcome := s.outcome(); len(outcomes) == 0 || outcomes[len(outcomes)-1] != outcome {
			outcomes = append(outcomes, outcome)
		}
	}
	all := fmt.Sprintf("all %d attempts", len(n.Attempts))
	if len(n.Attempts) == 2 {
		all = "both attempts"
	}
	return "failed on " + all + ", with " + strings.Join(outcomes, ", then ")
}

func (s *Script) outcome() string {
	if s == nil {
		return "no result"
	}
	return s.Outcome
}

// ending is how a script ended, in one line: "exception: ValueError: no rows".
func (s *Script) ending() string {
	parts := []string{s.outcome()}
	if s != nil && !s.Success {
		first, _, _ := strings.Cut(strings.TrimSpace(s.ErrorMessage), "\n")
		for _, part := range []string{s.ErrorType, first} {
			if part != "" {
				parts = append(parts, part)
			}
		}
	}
	return printable.Clip(strings.Join(parts, ": "))
}
