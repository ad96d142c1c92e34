package scriptspec_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// scriptChain is a pipeline of n nodes of one script, each with the data of the one before. The specs name
// what a run in the directory leaves there, so that each of them can also be run alone.
func scriptChain(b *testing.B, n int, script string, args map[string]any) (*scriptspec.PipelineTestingSpec, string) {
	b.Helper()
	dir := b.TempDir()
	file := filepath.Join(dir, "step.py")
	must(b, os.WriteFile(file, []byte(script), 0o600))
	must(b, os.WriteFile(filepath.Join(dir, "raw"), []byte("raw"), 0o600))
	p := &scriptspec.PipelineTestingSpec{Name: "chain", DAG: &scriptspec.DAG{}, Specs: map[string]scriptspec.Spec{}}
	input := filepath.Join(dir, "raw")
	for i := range n {
		node := fmt.Sprintf("Step_n%d", i)
		s := scriptspec.New("step", node, file)
		output := fmt.Sprintf("out_%d", i)
		s.AddInputPath(fmt.Sprintf("out_%d", i-1), input)
		input = filepath.Join(dir, "work", node, output)
		s.AddOutputPath(output, input)
		for key, value := range args {
			s.AddJobArg(key, value)
		}
		p.DAG.Nodes = append(p.DAG.Nodes, node)
		if i > 0 {
			p.DAG.Edges = append(p.DAG.Edges, [2]string{p.DAG.Nodes[i-1], node})
		}
		p.Specs[node] = s
	}
	return p, filepath.Join(dir, "work")
}

// BenchmarkPipelineNode compares a pipeline with its scripts run alone, one after the other. Goal:
// 1.05 for the time that a node takes.
func BenchmarkPipelineNode(b *testing.B) {
	nodes := 8
	if testing.Short() {
		nodes = 2
	}
	for _, test := range []struct {
		name, script string
	}{
		{"least", joins}, // which takes hardly longer than Python to start
		{"200 ms", joins + "    import time; time.sleep(0.2)\n"},
		{"1,000 files", joins + "    for i in range(1000):\n        with open(os.path.join(path, str(i) + '.csv'), 'w') as f:\n            f.write('id,v\\n1,2\\n' * 100)\n"},
	} {
		b.Run(test.name, func(b *testing.B) {
			p, work := scriptChain(b, nodes, test.script, nil)
			tester := &scriptspec.RuntimeTester{}
			run := func() {
				r, err := tester.TestPipeline(b.Context(), p, &scriptspec.PipelineOptions{WorkDir: work, Parallelism: 1})
				must(b, err)
				require.True(b, r.Success, "%v", statuses(r))
			}
			run() // so that there is data for the scripts alone
			compare(b, 1, func() {
				for _, node := range p.DAG.Nodes {
					r, err := tester.TestScript(b.Context(), p.Specs[node])
					must(b, err)
					require.True(b, r.Success, "%v", r)
				}
			}, run)
		})
	}
}

// BenchmarkPipelineBranches compares two independent branches of two nodes each with the same run one
// at a time. Goal: 0.6 on two cores.
func BenchmarkPipelineBranches(b *testing.B) {
	const waiting = "import time\n" + joins + "    time.sleep(0.3)\n"
	const working = joins + `    import time
    end = time.process_time() + 0.3
    while time.process_time() < end:
        pass
`
	for name, script := range map[string]string{"waiting": waiting, "working": working} {
		b.Run(name, func(b *testing.B) {
			p, work := scriptChain(b, 4, script, nil)
			p.DAG.Edges = [][2]string{p.DAG.Edges[0], p.DAG.Edges[2]}
			run := func(parallelism int) func() {
				return func() {
					r, err := (&scriptspec.RuntimeTester{}).TestPipeline(b.Context(), p, &scriptspec.PipelineOptions{WorkDir: work, Parallelism: parallelism})
					must(b, err)
					require.True(b, r.Success, "%v", statuses(r))
				}
			}
			// The second branch begins with data of its own.
			s := p.Specs["Step_n2"].(*scriptspec.ScriptExecutionSpec)
			s.AddInputPath("out_1", filepath.Join(filepath.Dir(work), "raw"))
			compare(b, 1, run(1), run(2))
		})
	}
}

// BenchmarkPipelinePlan shows as ns/node what a plan takes, which must not grow with the graph. The
// graph has layers of ten nodes, each of which reads from two of the layer before.
func BenchmarkPipelinePlan(b *testing.B) {
	for _, nodes := range []int{1000, 10_000} {
		b.Run(strconv.Itoa(nodes), func(b *testing.B) {
			p := layered(nodes)
			var took time.Duration
			for b.Loop() {
				start := time.Now()
				plan, err := p.Plan(nil)
				took += time.Since(start)
				must(b, err)
				sinkPlan = plan
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(took.Nanoseconds())/float64(b.N*nodes), "ns/node")
		})
	}
}

var sinkPlan *scriptspec.PipelinePlan

func layered(nodes int) *scriptspec.PipelineTestingSpec {
	const wide = 10
	words := strings.Fields("alpha bravo charlie delta echo foxtrot golf hotel india juliett")
	p := &scriptspec.PipelineTestingSpec{Name: "layers", DAG: &scriptspec.DAG{}, Specs: map[string]scriptspec.Spec{}}
	for i := range nodes {
		node := fmt.Sprintf("Step_n%d", i)
		s := scriptspec.New("step", node, "step.py")
		s.AddOutputPath(words[i%wide], fmt.Sprintf("/out/%d", i))
		if i >= wide {
			for _, back := range []int{0, 1} {
				from := i/wide*wide - wide + (i+back)%wide
				s.AddInputPath(words[from%wide], "/in")
				p.DAG.Edges = append(p.DAG.Edges, [2]string{p.DAG.Nodes[from], node})
			}
		}
		p.DAG.Nodes = append(p.DAG.Nodes, node)
		p.Specs[node] = s
	}
	return p
}
