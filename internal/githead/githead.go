// Package githead reads files as the last commit of a git work tree has them.
package githead

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// patience is how long git may take: it reads one commit of a repository on this machine.
const patience = 30 * time.Second

// Files returns the texts of files of a directory at HEAD, by name, up to limit bytes each. It has none of files that are
// not in the commit, and none at all outside of a work tree, without git, or if git fails: there is nothing to compare
// with then.
func Files(ctx context.Context, dir string, names []string, limit int64) map[string][]byte {
	git, err := exec.LookPath("git")
	if err != nil || len(names) == 0 || !inWorkTree(dir) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return strings.ContainsAny(name, "\n\r") })
	var asked bytes.Buffer
	for _, name := range names {
		fmt.Fprintf(&asked, "HEAD:./%s\n", name)
	}
	command := exec.CommandContext(ctx, git, "-C", dir, "cat-file", "--batch")
	command.Env, command.Stdin, command.WaitDelay = environ(), &asked, time.Second
	answer, err := command.StdoutPipe()
	if err != nil || command.Start() != nil {
		return nil
	}
	files := parse(bufio.NewReader(answer), names, limit)
	cancel() // what is left of the answer is of no use
	_ = command.Wait()
	return files
}

// parse reads the answer to names: for each a line, "<object> blob <size>" and the text, or that there is none.
func parse(r *bufio.Reader, names []string, limit int64) map[string][]byte {
	files := map[string][]byte{}
	for _, name := range names {
		line, err := r.ReadString('\n')
		if err != nil {
			break
		}
		var object, kind string
		var size int64
		if n, _ := fmt.Sscanf(line, "%s %s %d\n", &object, &kind, &size); n != 3 {
			continue // missing
		}
		if kind != "blob" || size > limit {
			if _, err := io.CopyN(io.Discard, r, size+1); err != nil {
				break
			}
			continue
		}
		text := make([]byte, size+1) // with the end of the line
		if _, err := io.ReadFull(r, text); err != nil {
			break
		}
		files[name] = text[:size]
	}
	return files
}

// inWorkTree reports whether a directory is in one, without starting git.
func inWorkTree(dir string) bool {
	dir, err := filepath.Abs(dir)
	for err == nil {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			return true
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			break
		}
		dir = parent
	}
	return false
}

// environ is the environment without what a hook says of another directory. Git asks nobody, and fetches nothing.
func environ() []string {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "GIT_DIR=") || strings.HasPrefix(v, "GIT_WORK_TREE=") || strings.HasPrefix(v, "GIT_INDEX_FILE=") || strings.HasPrefix(v, "GIT_PREFIX=")
	})
	return append(env, "GIT_TERMINAL_PROMPT=0", "GIT_NO_LAZY_FETCH=1", "GIT_OPTIONAL_LOCKS=0")
}
