package report

import (
	"testing"

	"github.com/stretchr/testify/assert"
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
