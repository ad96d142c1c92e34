package cgroup

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		file := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	}
	write("first", "9:name=systemd:/\n4:cpu,memory:/slurm/job_1/step\n0::/init\n")
	write("memory/slurm/job_1/step/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n")
	write("memory/slurm/job_1/step/memory.limit_in_bytes", "9223372036854771712\n")
	write("memory/slurm/job_1/memory.limit_in_bytes", "104857600\n")
	write("memory/slurm/memory.limit_in_bytes", "209715200\n")
	write("second", "0::/system.slice/job_2\n")
	write("system.slice/job_2/memory.events", "low 0\noom 2\noom_kill 2\noom_group_kill 0\n")
	write("system.slice/job_2/memory.max", "max\n")
	write("system.slice/memory.max", "1048576\n")
	write("none", "")
	for name, want := range map[string]struct{ kills, limit int64 }{"first": {3, 100 << 20}, "second": {2, 1 << 20}, "none": {}, "missing": {}} {
		m := find(filepath.Join(dir, name), dir)
		assert.Equal(t, want.kills, m.Kills(), name)
		assert.Equal(t, want.limit, m.Limit(), name)
	}
	Own().Kills() // whatever the system has
}
