// Package cgroup reads what the kernel says of the memory of this process's control group, of either version. On
// systems without it nothing is known.
package cgroup

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Memory is a control group for memory. The zero value knows nothing.
type Memory struct {
	dir    string
	second bool // version 2
}

// Own returns the group that this process is in.
func Own() Memory { return find("/proc/self/cgroup", "/sys/fs/cgroup") }

func find(file, mount string) Memory {
	text, _ := os.ReadFile(file) // elsewhere there is none
	var unified Memory
	for line := range strings.Lines(string(text)) {
		const parts = 3
		fields := strings.SplitN(strings.TrimSpace(line), ":", parts)
		if len(fields) < parts {
			continue
		}
		for controller := range strings.SplitSeq(fields[1], ",") {
			if controller == "memory" {
				return Memory{dir: filepath.Join(mount, "memory", fields[2])}
			}
		}
		if fields[0] == "0" && fields[1] == "" {
			unified = Memory{dir: filepath.Join(mount, fields[2]), second: true}
		}
	}
	return unified
}

// Kills returns how many processes the kernel has killed in the group since it runs out of memory; 0 if that is not
// known.
func (m Memory) Kills() int64 {
	file := "memory.oom_control"
	if m.second {
		file = "memory.events"
	}
	for line := range strings.Lines(m.read(file)) {
		if name, value, _ := strings.Cut(strings.TrimSpace(line), " "); name == "oom_kill" {
			n, _ := strconv.ParseInt(value, 10, 64)
			return n
		}
	}
	return 0
}

// Limit returns the smallest bound of the group and those that it is in, in bytes; 0 if there is none.
func (m Memory) Limit() int64 {
	file := "memory.limit_in_bytes"
	if m.second {
		file = "memory.max"
	}
	const none = 1 << 60 // what version 1 says of no bound is near 1<<63
	least := int64(0)
	for dir := m.dir; len(dir) > 1; dir = filepath.Dir(dir) {
		n, err := strconv.ParseInt(strings.TrimSpace(Memory{dir: dir}.read(file)), 10, 64)
		if err == nil && n < none && (least == 0 || n < least) {
			least = n
		}
	}
	return least
}

func (m Memory) read(file string) string {
	if m.dir == "" {
		return ""
	}
	text, _ := os.ReadFile(filepath.Join(m.dir, file)) // what cannot be read is not known
	return string(text)
}
