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
	for _, edge := range []float64{0.0095, 0.01, 0.9995, 1, 59.95, 60} {
		for i := range 21 {
			d := time.Duration(edge*float64(time.Second)) + time.Duration(i-10)*time.Millisecond/10
			assert.Equal(t, amount.Time(d), shownTime(d))
		}
	}
	for _, edge := range []int64{100, 1000, 1023, 1 << 10, 1023<<10 + 1<<9, 1 << 20} {
		for i := range int64(21) {
			assert.Equal(t, amount.Bytes(edge+i-10), shownBytes(edge+i-10))
		}
	}
}
