package report

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAttemptsInWords(t *testing.T) {
	t.Parallel()
	timeout, refused := &Script{Outcome: "timeout"}, &Script{Outcome: "exception", ErrorType: "OSError", ErrorMessage: "refused\nby the host"}
	passed := &Script{Outcome: "passed", Success: true}
	for _, c := range []struct {
		node         Node
		flaky, tried string
	}{
		{Node{Status: Passed, Script: passed}, "passed after attempts that failed", ""},
		{Node{Status: Passed, Flaky: true, Attempts: []*Script{timeout, refused, passed}}, "passed on attempt 3 of 3, after exception: OSError: refused", ""},
		{Node{Status: Passed, Flaky: true, Attempts: []*Script{nil, passed}}, "passed on attempt 2 of 2, after no result", ""},
		{Node{Status: Failed, Attempts: []*Script{refused, refused}}, "", "failed on both attempts, with exception"},
		{Node{Status: Failed, Attempts: []*Script{timeout, refused, refused, timeout}}, "", "failed on all 4 attempts, with timeout, then exception, then timeout"},
		{Node{Status: Failed, Attempts: []*Script{timeout}}, "", ""},
		{Node{Status: Cancelled, Attempts: []*Script{timeout, refused}}, "", ""}, // the last one was not let end
	} {
		if c.flaky != "" {
			assert.Equal(t, c.flaky, c.node.flakyText())
		}
		assert.Equal(t, c.tried, c.node.triedText())
	}
}

// What could not be checked is said once for all nodes, and changes nothing.
func TestUncheckedBudgetsAreSaidOnce(t *testing.T) {
	t.Parallel()
	r := &Run{Kind: Store}
	for i := range 7 {
		r.Nodes = append(r.Nodes, Node{Name: fmt.Sprintf("n%d", i), Status: Passed, Script: &Script{Success: true, Unchecked: []string{"regression was not checked"}}})
	}
	var text, page strings.Builder
	require.NoError(t, r.WriteText(&text))
	assert.Equal(t, 1, strings.Count(text.String(), "not checked"))
	assert.Contains(t, text.String(), "note  n0, n1, n2, n3, n4 and 2 more: regression was not checked")
	assert.Empty(t, r.Notes())
	require.NoError(t, r.WriteHTML(&page))
	assert.Equal(t, 7, strings.Count(page.String(), "regression was not checked"), "each node's page has its own")
}
