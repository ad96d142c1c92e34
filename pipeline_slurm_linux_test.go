package scriptspec_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
	"github.com/scriptspec/scriptspec/internal/testprogram"
)

// The pipeline of examples/pipeline has the same result here and on a cluster, with both nodes at work.
func TestSlurmExamplePipeline(t *testing.T) {
	t.Parallel()
	engine := onSlurm(t)
	example := exec.Command("go", "run", "./examples/pipeline")
	example.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
	out, err := example.Output()
	require.NoError(t, err, string(out))
	found := regexp.MustCompile(`(?m)^Everything is in (.*)$`).FindSubmatch(out)
	require.NotNil(t, found, string(out))
	st, err := scriptspec.OpenStore(string(found[1]), nil)
	require.NoError(t, err)
	defer st.Close()
	p, err := st.LoadPipeline("churn")
	require.NoError(t, err)
	hosts := strings.Fields(slurmSays(t, "sinfo", "-h", "-N", "-o", "%N"))
	p.Engine.NodeSlurm = map[string][]string{
		"TabularPreprocessing_validation": {"--nodelist=" + hosts[1]}, "TabularPreprocessing_training": {"--nodelist=" + hosts[0]},
	}
	results, files := make([]*scriptspec.PipelineTestResult, 2), make([]map[string]string, 2)
	for i, tester := range []*scriptspec.RuntimeTester{{}, {Engine: engine}} {
		o := p.Options
		o.WorkDir = filepath.Join(t.TempDir(), "work")
		r, err := tester.TestPipeline(t.Context(), p, &o)
		require.NoError(t, err)
		require.True(t, r.Success, "%v", statuses(r))
		files[i] = contents(t, o.WorkDir)
		results[i] = timeless(t, r)
	}
	assert.Equal(t, files[0], files[1])
	assert.Equal(t, results[0], results[1])
	nodes := strings.Fields(slurmSays(t, "squeue", "-h", "-t", "all", "-o", "%N"))
	assert.Contains(t, nodes, hosts[0])
	assert.Contains(t, nodes, hosts[1])
}

// contents returns the files of a work directory that scripts have made.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.Name() == ".scriptspec":
			return fs.SkipDir
		case d.IsDir():
			return nil
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		all[name] = string(data)
		return err
	}))
	require.NotEmpty(t, all)
	return all
}

// timeless returns a result without times, memory and the directory that it is in.
func timeless(t *testing.T, r *scriptspec.PipelineTestResult) *scriptspec.PipelineTestResult {
	t.Helper()
	data, err := json.Marshal(r)
	require.NoError(t, err)
	text := strings.ReplaceAll(string(data), r.WorkDir, "WORK")
	text = regexp.MustCompile(`"(started|duration|execution_time|user_time|system_time|import_time|peak_memory)":[0-9.e+-]+`).ReplaceAllString(text, `"$1":0`)
	text = regexp.MustCompile(`"started_at":"[^"]*"`).ReplaceAllString(text, `"started_at":null`)
	c := new(scriptspec.PipelineTestResult)
	require.NoError(t, json.Unmarshal([]byte(text), c))
	return c
}

// A part of a pipeline goes on with the results of the other side.
func TestSlurmParts(t *testing.T) {
	t.Parallel()
	engine, f := onSlurm(t), diamond(t)
	slurm, here := &scriptspec.RuntimeTester{Engine: engine}, &scriptspec.RuntimeTester{}
	for _, run := range []struct {
		tester *scriptspec.RuntimeTester
		o      scriptspec.PipelineOptions
	}{
		{slurm, scriptspec.PipelineOptions{}},
		{here, scriptspec.PipelineOptions{From: []string{"Train"}}},
		{here, scriptspec.PipelineOptions{Only: []string{"Prep_training"}}},
		{slurm, scriptspec.PipelineOptions{Only: []string{"Train"}}},
	} {
		f.tester = run.tester
		r := f.run(&run.o)
		assert.True(t, r.Success, "%v", statuses(r))
	}
}

// The jobs of a driver that was killed are taken up, and each script is run once.
func TestSlurmDriverKilled(t *testing.T) {
	t.Parallel()
	_, f, g, driver := driven(t)
	command := func() *exec.Cmd {
		program := onSlurm(t).Helper[0]
		cmd := exec.Command(program, append(driver().Args[1:], "--sbatch=--mem=300M")...)
		cmd.Dir = f.dir
		return cmd
	}
	first := command()
	require.NoError(t, first.Start())
	assert.Equal(t, "A", g.await())
	g.tell("A", "go on")
	assert.Equal(t, "B", g.await())
	require.NoError(t, first.Process.Kill())
	require.Error(t, first.Wait())
	second := command()
	var out bytes.Buffer
	second.Stdout, second.Stderr = &out, &out
	require.NoError(t, second.Start())
	g.tell("B", "go on")
	assert.Equal(t, "C", g.await())
	g.tell("C", "go on")
	require.NoError(t, second.Wait(), out.String())
	log, err := os.ReadFile(filepath.Join(f.dir, "log"))
	require.NoError(t, err)
	assert.Equal(t, "A\nB\nC\n", string(log))
}

// somewhere is a directory for another user, with a copy of the command and a pipeline in a store.
func somewhere(t *testing.T, owner int) (dir, program string) {
	t.Helper()
	built := onSlurm(t).Helper[0]
	dir, err := os.MkdirTemp("", "scriptspec-user-")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(dir)) })
	f := newFactory(t)
	f.dir = dir
	write(t, filepath.Join(dir, "raw.txt"), "raw")
	f.node("A", joins, []string{"x"}, []string{"a"})
	f.node("B", joins, []string{"a"}, []string{"b"})
	f.edge("A", "B")
	st, err := scriptspec.OpenStore(filepath.Join(dir, "data"), nil)
	require.NoError(t, err)
	require.NoError(t, st.SavePipeline(f.p))
	require.NoError(t, st.Close())
	data, err := os.ReadFile(built)
	require.NoError(t, err)
	program = filepath.Join(dir, "scriptspec")
	testprogram.Write(t, program, string(data))
	require.NoError(t, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err == nil {
			err = os.Lchown(path, owner, owner)
		}
		return err
	}))
	return dir, program
}

// A user who is not root, and a driver that is a job itself.
func TestSlurmOtherUserAndInsideAJob(t *testing.T) {
	t.Parallel()
	needsCluster(t)
	const nobody = 65534
	python := "/usr/bin/python3" // which every user can read
	if _, err := os.Stat(python); err != nil {
		t.Skip("needs " + python)
	}
	for name, owner := range map[string]int{"another user": nobody, "inside a job": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, program := somewhere(t, owner)
			args := []string{
				program, "run", "-q", "-C", filepath.Join(dir, "data"), "--python", python, "--pipeline", "p", "--engine", "slurm",
				"--sbatch=--mem=300M", "--work", filepath.Join(dir, "work"), "--format", "text",
			}
			if owner == 0 {
				args = append([]string{"srun", "--mem=300M", "--time=5"}, args...)
			}
			cmd := exec.Command(args[0], args[1:]...)
			cmd.Dir, cmd.Env = dir, append(slices.DeleteFunc(os.Environ(), func(entry string) bool {
				return strings.HasPrefix(entry, "SCRIPTSPEC_PYTHON=")
			}), "HOME="+dir)
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(owner), Gid: uint32(owner)}}
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, string(out))
			made, err := os.ReadFile(filepath.Join(dir, "work", "B", "b", "b.txt"))
			require.NoError(t, err)
			assert.Equal(t, "B(A(raw))", string(made))
		})
	}
}
