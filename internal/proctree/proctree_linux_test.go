package proctree

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestRecentPIDs(t *testing.T) {
	t.Parallel()
	const highest = 32768
	origin := Origin{PID: 5000, before: system{forks: 10_000, tasks: 200}}
	after := func(forks uint64) system { return system{forks: origin.before.forks + forks, tasks: 50} }
	for name, test := range map[string]struct {
		origin   Origin
		now      system
		in, left []int
	}{
		"just started":        {origin, after(10), []int{5001, 5010, 5210, 5600}, []int{1, 300, 4999, 6000, 20_000}},
		"long and busy":       {origin, after(9000), []int{5001, 13_000, 14_600}, []int{1, 4000, 20_000}},
		"too much to tell by": {origin, after(20_000), []int{1, 4000, 5001, 20_000}, nil},
		"counter went back":   {origin, system{forks: 1, tasks: 1}, []int{1, 4000, 5001}, nil},
		"nothing known":       {Origin{}, after(10), []int{1, 4000, 5001}, nil},
		"nothing known now":   {origin, system{}, []int{1, 4000, 5001}, nil},
		"numbers start over": {Origin{PID: 32_700, before: system{forks: 1, tasks: 10}}, system{forks: 100, tasks: 10},
			[]int{32_701, 32_767, 301, 400}, []int{9000, 32_600, 2000}},
	} {
		recent := recentPIDs(test.origin, test.now, highest)
		for _, pid := range test.in {
			assert.True(t, recent(pid), "%s: %d", name, pid)
		}
		for _, pid := range test.left {
			assert.False(t, recent(pid), "%s: %d", name, pid)
		}
	}
	assert.True(t, recentPIDs(origin, after(1), 0)(1), "the highest number is not known")
}

func TestReadSystem(t *testing.T) {
	t.Parallel()
	s := readSystem()
	if _, err := os.Stat("/proc/loadavg"); err != nil {
		t.Skip("needs /proc")
	}
	assert.Positive(t, s.forks)
	assert.Positive(t, s.tasks)
	assert.Greater(t, pidMax(), uint64(300))
}
