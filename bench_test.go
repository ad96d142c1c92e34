package scriptspec_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/go-playground/validator/v10"
	"github.com/stretchr/testify/assert"

	"github.com/scriptspec/scriptspec"
)

// amount is how much of something a benchmark works on: a tenth with -short, where it has only to be shown to run.
func amount(n int) int {
	if testing.Short() {
		return n / 10
	}
	return n
}

// compare runs a baseline and ours in turn, batch times each, in one process, and reports how many
// times the baseline's time ours takes. The machine may be noisy; both see the same noise.
func compare(b *testing.B, batch int, baseline, ours func()) {
	b.Helper()
	var base, own time.Duration
	for b.Loop() {
		start := time.Now()
		for range batch {
			baseline()
		}
		middle := time.Now()
		for range batch {
			ours()
		}
		base += middle.Sub(start)
		own += time.Since(middle)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(own)/float64(base), "x-baseline")
	b.ReportMetric(float64(own.Nanoseconds())/float64(b.N*batch), "ns/ours")
	b.ReportMetric(float64(base.Nanoseconds())/float64(b.N*batch), "ns/baseline")
}

// comparePairs is compare for a difference that is smaller than the noise: it runs both in pairs, each first in every second one, and
// reports the median of the pairs' ratios, with the bounds between which the true one is with 95 % probability. A hundred pairs or more
// are needed: -benchtime 400x.
func comparePairs(b *testing.B, baseline, ours func()) {
	b.Helper()
	took := func(do func()) time.Duration {
		start := time.Now()
		do()
		return time.Since(start)
	}
	var ratios, base []float64
	for i := 0; b.Loop(); i++ {
		var without, with time.Duration
		if i%2 == 0 {
			without, with = took(baseline), took(ours)
		} else {
			with, without = took(ours), took(baseline)
		}
		ratios, base = append(ratios, float64(with)/float64(without)), append(base, float64(without))
	}
	slices.Sort(ratios)
	slices.Sort(base)
	n := float64(len(ratios))
	rank := func(r float64) float64 { return ratios[min(max(int(r), 0), len(ratios)-1)] }
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(rank(n/2), "x-baseline")
	b.ReportMetric(rank(n/2-0.98*math.Sqrt(n)), "x-from")
	b.ReportMetric(rank(n/2+0.98*math.Sqrt(n)), "x-to")
	b.ReportMetric(base[len(base)/2], "ns/baseline")
}

// BenchmarkValidate compares Validate with a bare validator on the same struct. Goal: 1.3.
func BenchmarkValidate(b *testing.B) {
	bare := validator.New()
	basic, enhanced := noted(), notedEnhanced()
	b.Run("basic", func(b *testing.B) {
		compare(b, 50, func() { _ = bare.Struct(basic) }, func() { _ = basic.Validate() })
	})
	b.Run("enhanced", func(b *testing.B) {
		compare(b, 50, func() { _ = bare.Struct(enhanced) }, func() { _ = enhanced.Validate() })
	})
}

// A valid spec costs no allocation beyond those of the bare validator.
func TestValidateAllocatesNoMoreThanTheValidator(t *testing.T) {
	if raceDetector {
		return // it empties the validator's pools at random
	}
	bare := validator.New()
	basic, enhanced := noted(), notedEnhanced()
	assert.LessOrEqual(t,
		testing.AllocsPerRun(100, func() { _ = basic.Validate() }),
		testing.AllocsPerRun(100, func() { _ = bare.Struct(basic) }))
	assert.LessOrEqual(t,
		testing.AllocsPerRun(100, func() { _ = enhanced.Validate() }),
		testing.AllocsPerRun(100, func() { _ = bare.Struct(enhanced) }))
}

// BenchmarkClone shows as B/op what a spec takes in memory. The design note says 1 to 2 KB for a
// basic one and 2 to 5 KB for an enhanced one.
func BenchmarkClone(b *testing.B) {
	basic, enhanced := noted(), notedEnhanced()
	b.Run("basic", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			sinkBasic = basic.Clone()
		}
	})
	b.Run("enhanced", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			sinkEnhanced = enhanced.Clone()
		}
	})
}

// What a benchmark makes must escape, or it would not be made at all.
var (
	sinkBasic    *scriptspec.ScriptExecutionSpec
	sinkEnhanced *scriptspec.EnhancedScriptExecutionSpec
)
