package scriptspec

import (
	"sync"

	"github.com/scriptspec/scriptspec/internal/snapshot"
)

// inUse are the outputs of all scripts that this process runs at the moment, by whichever tester.
var inUse outputsInUse

// outputsInUse are outputs and who writes to them. The zero value is ready to use.
type outputsInUse struct {
	mu    sync.Mutex
	users map[string]string // node by directory
}

// claim reserves the outputs of a script, unless one overlaps with an output of another script: each would take
// the other's files for its own.
func (u *outputsInUse) claim(s *ScriptExecutionSpec) (release func(), problem *FieldError) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.users == nil {
		u.users = map[string]string{}
	}
	var dirs []string
	for _, e := range sortedPaths(s, fieldOutputs) {
		dir := realPath(e.path)
		for other, user := range u.users {
			if snapshot.IsWithin(dir, other) || snapshot.IsWithin(other, dir) {
				fe := fieldErrorf(rank{}, keyed("output_paths", e.key), CodeOverlap, "Output path '%s' is written to by %s, which runs at the same time: %s", e.key, user, e.path)
				return nil, fe.hintf("run one after the other, or give each a directory of its own")
			}
		}
		dirs = append(dirs, dir)
	}
	for _, dir := range dirs {
		u.users[dir] = s.StepName
	}
	return func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		for _, dir := range dirs {
			delete(u.users, dir)
		}
	}, nil
}

// logDirError refuses a directory for logs in an input or output, where they would count as data.
func (t *RuntimeTester) logDirError(s *ScriptExecutionSpec) *FieldError {
	if t.LogDir == "" {
		return nil
	}
	dir := realPath(t.LogDir)
	for _, f := range []field{fieldInputs, fieldOutputs} {
		for _, e := range sortedPaths(s, f) {
			if snapshot.IsWithin(dir, realPath(e.path)) {
				fe := fieldErrorf(rank{}, "RuntimeTester.LogDir", CodeOverlap, "LogDir lies in %s, where logs would count as data: %s",
					keyed(fields[f].name, e.key), t.LogDir).hintf("name a directory that no script reads or writes")
				fe.Value = t.LogDir
				return fe
			}
		}
	}
	return nil
}
