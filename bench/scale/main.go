//go:build linux

// Command scale runs a pipeline of many nodes with the engine for Slurm and prints what its driver does: calls of Slurm's
// programs, memory, time. By default the cluster is a simulation in this process, whose jobs start no script; with -slurm it
// is the one that SLURM_CONF names, and the scripts do next to nothing.
//
//	go run ./bench/scale -nodes 10000 -jobs 100
//	go run ./bench/scale -slurm -nodes 1000
package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"time"

	"github.com/scriptspec/scriptspec"
)

func main() {
	name := filepath.Base(os.Args[0])
	if slices.Contains(programs, name) {
		os.Exit(call(name))
	}
	s := setup{}
	flag.IntVar(&s.Nodes, "nodes", 10_000, "nodes of the pipeline")
	flag.IntVar(&s.Jobs, "jobs", 100, "jobs at the same time, and branches of the pipeline")
	flag.DurationVar(&s.Takes, "takes", time.Second, "how long a simulated job takes")
	flag.BoolVar(&s.Slurm, "slurm", false, "run on the cluster of SLURM_CONF")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	run := s.run
	if text := os.Getenv(driverEnv); text != "" {
		run = func(ctx context.Context) error { return drive(ctx, text) }
	}
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

// driverEnv has the setup for the process whose memory is measured.
const driverEnv = "SCRIPTSPEC_SCALE_DRIVER"

// setup is what is run.
type setup struct {
	Nodes, Jobs int
	Takes       time.Duration
	Slurm       bool
	Dir         string // for all files
	Helper      string // the program of real jobs
}

// measured is what the driver says of itself.
type measured struct {
	Planned  float64 // seconds from the graph to the plan
	Resident int64   // bytes before the first job
	Took     float64 // seconds
	CPU      float64 // seconds, its own
	Passed   int
	Overhead []float64 // seconds of each node besides its script, sorted
}

// run starts the cluster, and the driver as a process of its own.
func (s *setup) run(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "scriptspec-scale-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	self, err := os.Executable()
	if err != nil {
		return err
	}
	s.Dir = dir
	c, err := newCluster(filepath.Join(dir, "bin"), self, s)
	if err != nil {
		return err
	}
	defer c.close()
	if s.Slurm {
		s.Helper = filepath.Join(dir, "scriptspec")
		build := exec.CommandContext(ctx, "go", "build", "-o", s.Helper, "github.com/scriptspec/scriptspec/cmd/scriptspec")
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
	}
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	driver := exec.CommandContext(ctx, self)
	driver.Cancel = func() error { return driver.Process.Signal(os.Interrupt) }
	driver.Env = append(os.Environ(), driverEnv+"="+string(text))
	var out bytes.Buffer
	driver.Stdout, driver.Stderr = &out, os.Stderr
	if err := driver.Run(); err != nil {
		return errors.Join(fmt.Errorf("driver: %w", err), c.problem())
	}
	var m measured
	if err := json.Unmarshal(out.Bytes(), &m); err != nil {
		return err
	}
	return errors.Join(c.problem(), s.table(os.Stdout, &m, c, driver.ProcessState))
}

// drive is the driver: what a program with a pipeline does.
func drive(ctx context.Context, text string) error {
	var s setup
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return err
	}
	begun := time.Now()
	p, err := s.pipeline()
	if err != nil {
		return err
	}
	if _, err := p.Plan(nil); err != nil {
		return err
	}
	m := measured{Planned: time.Since(begun).Seconds(), Resident: resident()}
	tester := &scriptspec.RuntimeTester{Engine: &scriptspec.Slurm{
		Bin: filepath.Join(s.Dir, "bin"), Dir: filepath.Join(s.Dir, "shared"), Helper: []string{cmp.Or(s.Helper, "/simulated"), "node"},
	}}
	begun = time.Now()
	r, err := tester.TestPipeline(ctx, p, &scriptspec.PipelineOptions{WorkDir: filepath.Join(s.Dir, "work"), Parallelism: s.Jobs})
	if err != nil {
		return err
	}
	m.Took, m.CPU = time.Since(begun).Seconds(), ownTime().Seconds()
	for _, n := range r.Nodes {
		if n.Status != scriptspec.NodePassed {
			return fmt.Errorf("node %s: %s: %s", n.Node, n.Status, n.Reason)
		}
		m.Passed++
		m.Overhead = append(m.Overhead, (n.Duration - n.Result.ExecutionTime).Seconds())
	}
	slices.Sort(m.Overhead)
	return json.NewEncoder(os.Stdout).Encode(m)
}

// pipeline returns as many branches as there are jobs at the same time, each a chain of nodes that hand on a file.
func (s *setup) pipeline() (*scriptspec.PipelineTestingSpec, error) {
	script := filepath.Join(s.Dir, "step.py")
	const text = "def main(output_paths):\n    with open(output_paths['data'] + '/data.txt', 'w') as f:\n        f.write('x')\n"
	if err := os.WriteFile(script, []byte(text), 0o600); err != nil {
		return nil, err
	}
	p := &scriptspec.PipelineTestingSpec{Name: "scale", DAG: &scriptspec.DAG{}, Specs: map[string]scriptspec.Spec{}}
	for i := range s.Nodes {
		node := fmt.Sprintf("Step%05d", i)
		spec := scriptspec.New("step", node, script)
		spec.AddOutputPath("data", filepath.Join(s.Dir, "never", node))
		if before := i - s.Jobs; before >= 0 {
			spec.AddInputPath("data", filepath.Join(s.Dir, "never", node, "in"))
			p.DAG.Edges = append(p.DAG.Edges, [2]string{p.DAG.Nodes[before], node})
		}
		p.DAG.Nodes = append(p.DAG.Nodes, node)
		p.Specs[node] = spec
	}
	return p, nil
}
