package githead

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	// maxIndex is how large the index may be for the work tree to be compared with it: about 40,000 files.
	maxIndex = 4 << 20
	// comparing is how long that may take.
	comparing = 2 * time.Second
)

// State is what a work tree has checked out.
type State struct {
	Commit string // the object name of HEAD; "" if there is none
	// Dirty reports whether files that git tracks differ from it. It is known unless the work tree is so large that looking would
	// take long.
	Dirty, Known bool
}

// StateOf returns the state of the work tree that a directory is in. It is the zero State outside of one, without git, or if git
// fails. Files that git does not track are not looked for. The directory need not be there yet.
func StateOf(ctx context.Context, dir string) (s State) {
	for parent := filepath.Dir(dir); parent != dir; parent = filepath.Dir(dir) {
		if _, err := os.Stat(dir); err == nil {
			break
		}
		dir = parent
	}
	git, err := exec.LookPath("git")
	if err != nil || !inWorkTree(dir) {
		return State{}
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	command := func(ctx context.Context, args ...string) *exec.Cmd {
		c := exec.CommandContext(ctx, git, append([]string{"-C", dir}, args...)...)
		c.Env, c.WaitDelay = environ(), time.Second
		return c
	}
	out, err := command(ctx, "rev-parse", "--git-path", "index", "--verify", "HEAD").Output()
	lines := strings.Split(strings.TrimRight(string(out), "\n"), "\n")
	if err != nil || len(lines) < 2 {
		return State{}
	}
	index := lines[0]
	s.Commit = lines[1]
	if !filepath.IsAbs(index) {
		index = filepath.Join(dir, index)
	}
	if info, err := os.Stat(index); err != nil || info.Size() > maxIndex {
		return s
	}
	ctx, enough := context.WithTimeout(ctx, comparing)
	defer enough()
	status := command(ctx, "status", "--porcelain", "--untracked-files=no", "--ignore-submodules=dirty")
	answer, err := status.StdoutPipe()
	if err != nil || status.Start() != nil {
		return s
	}
	var first [1]byte
	_, err = io.ReadFull(answer, first[:])
	if s.Dirty = err == nil; s.Dirty {
		enough() // the first file says it all
	}
	err = status.Wait()
	s.Known = s.Dirty || err == nil
	return s
}
