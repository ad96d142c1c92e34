package proctree

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestRecentPIDs(t *testing.T) {
	t.Parallel()
	const highest = 32768
	before := system{forks: 10_000, tasks: 200, last: 5000}
	after := func(forks uint64) system { return system{forks: before.forks + forks, tasks: 250, last: 1} }
	for name, test := range map[string]struct {
		now      system
		leader   uint64
		in, left []int
	}{
		"just started":        {after(10), 4990, []int{4991, 5000, 5001, 5010, 5500}, []int{1, 300, 4000, 4989, 20_000}},
		"forked ahead":        {after(10), 3000, []int{5001, 5010}, []int{1, 2999, 3001, 4000, 20_000}},
		"long and busy":       {after(9000), 4990, []int{4991, 13_000}, []int{1, 4000, 20_000}},
		"too much to tell by": {after(20_000), 4990, []int{1, 4000, 5001, 20_000}, nil},
		"counter went back":   {system{forks: 1, tasks: 1, last: 1}, 4990, []int{1, 4000, 5001}, nil},
	} {
		recent := recentPIDs(before, test.now, test.leader, highest)
		for _, pid := range test.in {
			assert.True(t, recent(pid), "%s: %d", name, pid)
		}
		for _, pid := range test.left {
			assert.False(t, recent(pid), "%s: %d", name, pid)
		}
	}
	// Numbers start over.
	recent := recentPIDs(system{forks: 1, tasks: 10, last: 32_760}, system{forks: 100, tasks: 10, last: 350}, 32_700, highest)
	for pid, want := range map[int]bool{32_701: true, 32_767: true, 301: true, 350: true, 9000: false, 32_600: false} {
		assert.Equal(t, want, recent(pid), pid)
	}
	assert.True(t, recentPIDs(before, after(1), 4990, 0)(1), "the highest number is not known")
}

func TestReadSystem(t *testing.T) {
	t.Parallel()
	s := readSystem()
	if _, err := os.Stat("/proc/loadavg"); err != nil {
		t.Skip("needs /proc")
	}
	assert.Positive(t, s.forks)
	assert.Positive(t, s.tasks)
	assert.Positive(t, s.last)
	assert.Greater(t, pidMax(), uint64(300))
}
