package proctree

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// openForWriting lists the files in directories that processes have open for writing, sorted.
func openForWriting(members []member, dirs []string) []string {
	if len(dirs) == 0 {
		return nil
	}
	var files []string
	for _, m := range members {
		proc := "/proc/" + strconv.Itoa(m.pid)
		entries, _ := os.ReadDir(proc + "/fd") // none if it has ended
		if threads, _ := os.ReadDir(proc + "/task"); len(entries) == 0 && len(threads) > 1 {
			proc += "/task/" + threads[len(threads)-1].Name() // its first thread has
			entries, _ = os.ReadDir(proc + "/fd")
		}
		for _, entry := range entries {
			file, err := os.Readlink(proc + "/fd/" + entry.Name())
			if err != nil || slices.Contains(files, file) || !writes(proc+"/fdinfo/"+entry.Name()) {
				continue
			}
			if slices.ContainsFunc(dirs, func(dir string) bool { return isIn(file, dir) }) {
				files = append(files, file)
			}
		}
	}
	slices.Sort(files)
	return files
}

func isIn(file, dir string) bool {
	rel, err := filepath.Rel(dir, file)
	return err == nil && filepath.IsLocal(rel)
}

// writes reports whether a descriptor is open for writing, from what proc_pid_fdinfo(5) says.
func writes(fdinfo string) bool {
	text, _ := os.ReadFile(fdinfo)
	_, rest, _ := strings.Cut(string(text), "flags:")
	line, _, _ := strings.Cut(rest, "\n")
	flags, err := strconv.ParseUint(strings.TrimSpace(line), 8, 64)
	return err == nil && flags&syscall.O_ACCMODE != syscall.O_RDONLY
}
