package scriptspec

import (
	"math"
	"time"

	"github.com/scriptspec/scriptspec/internal/stats"
)

// pipelineRuns are the runs of a pipeline: what became of its nodes, by step.
type pipelineRuns map[number]map[string]nodeRun

// nodeRun is what became of a node in a run, with all of its attempts.
type nodeRun struct {
	begin, end int64 // of the first attempt and of the last one, in microseconds since 1970
	passed     bool  // in the last attempt
}

func (n nodeRun) took() time.Duration { return time.Duration(n.end-n.begin) * time.Microsecond }

// runsOf returns the runs of each pipeline.
func (a *seriesOfSteps) runsOf() map[string]pipelineRuns {
	all := map[string]pipelineRuns{}
	for _, s := range a.series {
		for _, x := range s.attempts {
			name := a.names[x.pipeline]
			if name == "" {
				continue
			}
			if all[name] == nil {
				all[name] = pipelineRuns{}
			}
			if all[name][x.run] == nil {
				all[name][x.run] = map[string]nodeRun{}
			}
			n, again := all[name][x.run][s.key.step]
			if !again {
				n.begin = x.at - x.duration.Microseconds()
			}
			n.end, n.passed = x.at, x.passed
			all[name][x.run][s.key.step] = n
		}
	}
	return all
}

// pipelines fills in what is said of the pipelines of the store. One that cannot be loaded is left to lint.
func (r *statsReport) pipelines() error {
	names, err := r.store.Pipelines()
	if err != nil {
		return err
	}
	runs := r.history.runsOf()
	for _, name := range names {
		p, err := r.store.LoadPipeline(name)
		if err != nil {
			continue
		}
		r.loaded = append(r.loaded, p)
		if stats, ok := pipelineStats(p, runs[name]); ok {
			r.stats.Pipelines = append(r.stats.Pipelines, stats)
		}
	}
	return nil
}

// wholeRuns returns the runs in which every node that is to be run has passed.
func wholeRuns(p *PipelineTestingSpec, runs pipelineRuns) []map[string]nodeRun {
	var whole []map[string]nodeRun
	for _, nodes := range runs {
		all := true
		for node, s := range p.Specs {
			if _, skipped := p.Skip[node]; skipped {
				continue
			}
			x, ran := nodes[*s.common().stepName]
			all = all && ran && x.passed
		}
		if all {
			whole = append(whole, nodes)
		}
	}
	return whole
}

func pipelineStats(p *PipelineTestingSpec, runs pipelineRuns) (r PipelineStats, ok bool) {
	whole := wholeRuns(p, runs)
	if len(whole) == 0 {
		return r, false
	}
	r = PipelineStats{Name: p.Name, Runs: len(whole)}
	var wall, busy []float64
	took := map[string][]float64{} // by step
	for _, nodes := range whole {
		begin, end, sum := int64(math.MaxInt64), int64(math.MinInt64), time.Duration(0)
		for step, n := range nodes {
			begin, end = min(begin, n.begin), max(end, n.end)
			sum += n.took()
			took[step] = append(took[step], n.took().Seconds())
		}
		wall, busy = append(wall, nodeRun{begin: begin, end: end}.took().Seconds()), append(busy, sum.Seconds())
	}
	r.Wall, r.Busy = fromSeconds(stats.Median(wall)), fromSeconds(stats.Median(busy))
	r.Path, r.Critical = criticalPath(p, func(node string) time.Duration {
		if s := p.Specs[node]; !isNil(s) && len(took[*s.common().stepName]) > 0 {
			return fromSeconds(stats.Median(took[*s.common().stepName]))
		}
		return 0
	})
	return r, true
}

// criticalPath returns the longest way through a graph whose nodes take so long.
func criticalPath(p *PipelineTestingSpec, takes func(node string) time.Duration) (path []string, total time.Duration) {
	g, order, err := p.DAG.order()
	if err != nil {
		return nil, 0
	}
	times := make([]time.Duration, len(p.DAG.Nodes))
	for i, node := range p.DAG.Nodes {
		times[i] = takes(node)
	}
	numbers, total := g.Critical(order, times)
	return p.DAG.names(numbers), total
}
