package cli

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/scriptspec/scriptspec/internal/amount"
)

// The command shows times and sizes as reports do.
func TestAmounts(t *testing.T) {
	t.Parallel()
	assert.Equal(t, amount.Time(0), shownTime(0))
	assert.Equal(t, amount.Bytes[int64](0), shownBytes(0))
	for n := int64(1); n > 0 && n < 1<<60; n = n*21/20 + 1 {
		assert.Equal(t, amount.Time(time.Duration(n)), shownTime(time.Duration(n)))
		assert.Equal(t, amount.Bytes(n), shownBytes(n))
	}
}
