package githead

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// maxArguments bounds the paths of one call of git, in bytes: systems limit the length of a command line.
const maxArguments = 100_000

// Changed returns which of some absolute paths differ from a revision: files that were changed, added or removed since, also
// those that git does not track yet unless it ignores them. A path of a directory counts if something in it does. Paths
// outside of the work tree that dir is in never do. Git is asked only for these paths. The error is for a system without git,
// a directory outside of any work tree, and a revision that git does not have.
func Changed(ctx context.Context, dir, revision string, paths []string) (map[string]bool, error) {
	git, err := exec.LookPath("git")
	if err != nil {
		return nil, errors.New("git is not installed")
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	top, err := run(ctx, git, dir, "rev-parse", "--show-toplevel")
	if err != nil {
		return nil, fmt.Errorf("%s is not in a git work tree", dir)
	}
	root := filepath.FromSlash(strings.TrimSuffix(string(top), "\n"))
	commit, err := run(ctx, git, root, "rev-parse", "--verify", "--quiet", "--end-of-options", revision+"^{commit}")
	if err != nil {
		return nil, fmt.Errorf("git has no revision %q", revision)
	}
	given := map[string][]string{} // by the path from the root, as git has it
	for _, file := range paths {
		if rel, err := filepath.Rel(root, real(file)); err == nil && filepath.IsLocal(rel) {
			rel = filepath.ToSlash(rel)
			given[rel] = append(given[rel], file)
		}
	}
	names := make([]string, 0, len(given))
	for name := range given {
		names = append(names, name)
	}
	slices.Sort(names)
	changed := map[string]bool{}
	for part := range chunks(names, maxArguments) {
		for _, args := range [][]string{
			{"diff", "--no-ext-diff", "--no-renames", "--name-only", "-z", strings.TrimSpace(string(commit)), "--"},
			{"ls-files", "--others", "--exclude-standard", "-z", "--"},
		} {
			out, err := run(ctx, git, root, append(append([]string{"--literal-pathspecs"}, args...), part...)...)
			if err != nil {
				return nil, err
			}
			for name := range strings.SplitSeq(string(out), "\x00") {
				for at := name; at != "" && at != "."; at = path.Dir(at) {
					for _, of := range given[at] {
						changed[of] = true
					}
				}
			}
		}
	}
	return changed, nil
}

// real follows the links in the directory of a path. The last element may be gone, or be a link of its own.
func real(file string) string {
	dir, err := filepath.EvalSymlinks(filepath.Dir(file))
	if err != nil {
		return file
	}
	return filepath.Join(dir, filepath.Base(file))
}

// chunks yields the names in parts of about size bytes.
func chunks(names []string, size int) iter.Seq[[]string] {
	return func(yield func([]string) bool) {
		for len(names) > 0 {
			n, sum := 0, 0
			for n < len(names) && (n == 0 || sum < size) {
				sum += len(names[n]) + 1
				n++
			}
			if !yield(names[:n]) {
				return
			}
			names = names[n:]
		}
	}
}

// Text returns the text of a file of a directory as a revision has it, up to limit bytes.
func Text(ctx context.Context, dir, revision, name string, limit int64) ([]byte, error) {
	git, err := exec.LookPath("git")
	if err != nil {
		return nil, errors.New("git is not installed")
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	object := revision + ":./" + name
	size, err := run(ctx, git, dir, "cat-file", "-s", "--end-of-options", object)
	if err != nil {
		return nil, err
	}
	var n int64
	if _, err := fmt.Sscan(string(size), &n); err != nil || n > limit {
		return nil, fmt.Errorf("%s is larger than %d bytes", object, limit)
	}
	return run(ctx, git, dir, "cat-file", "--end-of-options", "blob", object)
}

// run returns what git prints. The error has the last line that it said.
func run(ctx context.Context, git, dir string, args ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, git, append([]string{"-C", dir}, args...)...)
	command.Env, command.WaitDelay = environ(), time.Second
	out, err := command.Output()
	if ended, ok := errors.AsType[*exec.ExitError](err); ok && ctx.Err() == nil {
		said := bytes.TrimSpace(ended.Stderr)
		if i := bytes.LastIndexByte(said, '\n'); i >= 0 {
			said = said[i+1:]
		}
		if len(said) > 0 {
			return nil, errors.New(strings.TrimPrefix(string(said), "fatal: "))
		}
	}
	return out, err
}
