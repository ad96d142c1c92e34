package scriptspec

import (
	"slices"
	"time"

	"github.com/scriptspec/scriptspec/internal/stats"
)

// pipelineRuns are the runs of a pipeline: what became of its nodes.
type pipelineRuns map[number]map[string]attempt

// runsOf returns the runs of each pipeline, with the last attempt of each node.
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
				all[name][x.run] = map[string]attempt{}
			}
			all[name][x.run][s.key.step] = x
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
func wholeRuns(p *PipelineTestingSpec, runs pipelineRuns) []map[string]attempt {
	var whole []map[string]attempt
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
		var begin, end int64
		sum := 0.0
		for step, x := range nodes {
			if start := x.at - x.duration.Microseconds(); begin == 0 || start < begin {
				begin = start
			}
			end = max(end, x.at)
			sum += x.duration.Seconds()
			took[step] = append(took[step], x.duration.Seconds())
		}
		wall, busy = append(wall, (time.Duration(end-begin)*time.Microsecond).Seconds()), append(busy, sum)
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
	until := make([]time.Duration, len(p.DAG.Nodes)) // to the end of the node
	from := make([]int, len(p.DAG.Nodes))
	for i := range from {
		from[i] = -1
	}
	last := -1
	for _, i := range order {
		until[i] += takes(p.DAG.Nodes[i])
		for _, next := range g.Next(i) {
			if until[i] > until[next] || from[next] < 0 {
				until[next], from[next] = until[i], i
			}
		}
		if last < 0 || until[i] > until[last] {
			last = i
		}
	}
	if last < 0 {
		return nil, 0
	}
	for i := last; i >= 0; i = from[i] {
		if takes(p.DAG.Nodes[i]) > 0 {
			path = append(path, p.DAG.Nodes[i])
		}
	}
	slices.Reverse(path)
	return path, until[last]
}
