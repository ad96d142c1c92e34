package amount_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/scriptspec/scriptspec/internal/amount"
)

func TestTime(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0s", 1: "0.001ms", 400 * time.Microsecond: "0.4ms", 9_400 * time.Microsecond: "9ms", 87_400 * time.Microsecond: "87ms", 999_400 * time.Microsecond: "999ms",
		999_600 * time.Microsecond: "1s", 1_523 * time.Millisecond: "1.52s", 59_940 * time.Millisecond: "59.9s", 59_960 * time.Millisecond: "1m0s",
		160 * time.Second: "2m40s", time.Hour: "1h0m0s", -1_523 * time.Millisecond: "-1.52s",
	} {
		assert.Equal(t, want, amount.Time(d))
	}
}

func TestBytes(t *testing.T) {
	t.Parallel()
	for n, want := range map[float64]string{
		0: "0 B", 1: "1 B", 640: "640 B", 1023: "1023 B", 1024: "1 KiB", 1.5 * (1 << 20): "1.5 MiB", 1010 << 10: "1010 KiB", 1<<20 - 1: "1 MiB", 1<<30 - 1: "1 GiB",
		3 << 40: "3 TiB", 1 << 50: "1 PiB", math.MaxInt64: "8 EiB", 1 << 72: "4096 EiB",
	} {
		assert.Equal(t, want, amount.Bytes(n))
	}
}

func TestPart(t *testing.T) {
	t.Parallel()
	for part, want := range map[float64]string{-1: "0 %", 0: "0 %", 0.001: "1 %", 0.5: "50 %", 0.999: "99 %", 1: "100 %", 2: "100 %"} {
		assert.Equal(t, want, amount.Part(part))
	}
}
