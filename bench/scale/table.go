//go:build linux

package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"syscall"
	"text/tabwriter"
	"time"
)

// table writes what was measured.
func (s *setup) table(out io.Writer, m *measured, c *cluster, driver *os.ProcessState) error {
	const mebi = 1 << 20
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	what := fmt.Sprintf("simulated, jobs of %v", s.Takes)
	if s.Slurm {
		what = "Slurm"
	}
	fmt.Fprintf(w, "cluster\t%s\n", what)
	fmt.Fprintf(w, "nodes, jobs at the same time\t%d, %d\n", m.Passed, s.Jobs)
	fmt.Fprintf(w, "graph to plan\t%.2f s\n", m.Planned)
	fmt.Fprintf(w, "run\t%.1f s, %.1f nodes/s\n", m.Took, float64(m.Passed)/m.Took)
	fmt.Fprintf(w, "a node besides its script\tmedian %.0f ms, 99%% %.0f ms, most %.0f ms\n", at(m.Overhead, 50)*1000, at(m.Overhead, 99)*1000, at(m.Overhead, 100)*1000)
	fmt.Fprintf(w, "driver, own CPU time\t%.1f s, %.2f ms a node\n", m.CPU, m.CPU/float64(m.Passed)*1000)
	peak := driver.SysUsage().(*syscall.Rusage).Maxrss << 10 // of it, as its children are smaller
	fmt.Fprintf(w, "driver, memory\t%d MiB before the first job, %d MiB at most, %.1f KiB a node\n",
		m.Resident/mebi, peak/mebi, float64(peak-m.Resident)/1024/float64(m.Passed))
	all, most := 0, map[int64]int{}
	for _, program := range programs {
		calls := c.calls[program]
		all += len(calls)
		for second, n := range c.second[program] {
			most[second] += n
		}
		var took []float64
		printed := 0
		for _, a := range calls {
			took = append(took, a.Took.Seconds()*1000)
			printed = max(printed, a.Printed)
		}
		slices.Sort(took)
		text := fmt.Sprintf("%d, %.3f a node, prints at most %.1f KiB", len(calls), float64(len(calls))/float64(m.Passed), float64(printed)/1024)
		if s.Slurm && len(took) > 0 {
			text += fmt.Sprintf(", median %.0f ms, most %.0f ms", at(took, 50), at(took, 100))
		}
		fmt.Fprintf(w, "%s\t%s\n", program, text)
	}
	peakCalls := 0
	for _, n := range most {
		peakCalls = max(peakCalls, n)
	}
	fmt.Fprintf(w, "calls of slurmctld\t%.1f a second, at most %d in one\n", float64(all)/m.Took, peakCalls)
	return w.Flush()
}

// at returns the value below which so many in a hundred are.
func at(sorted []float64, percent int) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)*percent/100, len(sorted)-1)]
}

// resident returns the memory of this process.
func resident() int64 {
	text, err := os.ReadFile("/proc/self/statm")
	fields := bytes.Fields(text)
	if err != nil || len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(string(fields[1]), 10, 64) // the kernel writes it
	return pages * int64(os.Getpagesize())
}

// ownTime returns the CPU time of this process, without its children.
func ownTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
