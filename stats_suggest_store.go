package scriptspec

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/scriptspec/scriptspec/internal/amount"
	"github.com/scriptspec/scriptspec/internal/stats"
	"github.com/scriptspec/scriptspec/internal/strictjson"
)

// suggestRunning finds specs that nobody runs (U4).
func (r *statsReport) suggestRunning() []Suggestion {
	if len(r.history.runs) < fewestRuns || len(r.stats.NeverRun) == 0 {
		return nil
	}
	inPipeline := map[string]bool{}
	for _, p := range r.loaded {
		for _, s := range p.Specs {
			inPipeline[*s.common().stepName] = true
		}
	}
	var found []finding
	for _, step := range r.stats.NeverRun {
		evidence := step + " is in no pipeline"
		if inPipeline[step] {
			evidence = step + " is in a pipeline"
		}
		found = append(found, finding{step, evidence, 0})
	}
	list := together("U4", "run %s, or delete what is no longer of use: there is no record of it", "scriptspec run %s", found)
	list[0].Evidence = fmt.Sprintf("%d runs from %s to %s; %s", len(r.history.runs), r.history.first.Format("2006-01-02"), r.history.last.Format("2006-01-02"), list[0].Evidence)
	return list
}

// suggestBase finds what several specs say alike (U5): the values that save the most lines.
func (r *statsReport) suggestBase() []Suggestion {
	holders := map[string][]string{} // steps by variable or argument with its value
	texts := map[string]string{}     // of arguments, as JSON
	for _, step := range sortedKeys(r.specs) {
		c := r.specs[step]
		hasOf := func(member, name string) bool {
			taken, _ := c.meta.Inherited[member].(map[string]any)
			_, inherited := taken[name]
			return inherited
		}
		for name, value := range *c.environVars {
			if !hasOf("environ_vars", name) {
				key := "E" + name + "\x00" + value
				holders[key] = append(holders[key], step)
			}
		}
		for name, value := range *c.jobArgs {
			w, secret := strictjson.Writer{Compact: true}, false
			secretArgs(JobArgs{name: value}, c.isSecret, func(string, string) { secret = true })
			if secret || hasOf("job_args", name) || w.Value(value) != nil {
				continue
			}
			key := "A" + name + "\x00" + string(w.Buf)
			holders[key], texts[key] = append(holders[key], step), strconv.Quote(name)+": "+string(w.Buf)
		}
	}
	groups := map[string][]string{} // keys by who has them
	for key, steps := range holders {
		if len(steps) >= sharedSpecs {
			who := strings.Join(steps, "\x00")
			groups[who] = append(groups[who], key)
		}
	}
	var best string
	for _, who := range sortedKeys(groups) {
		if worth := func(who string) int { return len(groups[who]) * (strings.Count(who, "\x00") + 1) }; best == "" || worth(who) > worth(best) {
			best = who
		}
	}
	if best == "" || len(groups[best]) < sharedLeast {
		return nil
	}
	var args, variables []string
	for _, key := range slices.Sorted(slices.Values(groups[best])) {
		if name, _, _ := strings.Cut(key[1:], "\x00"); key[0] == 'E' {
			variables = append(variables, strconv.Quote(name)+": ...") // values are not shown
		} else {
			args = append(args, texts[key])
		}
	}
	var members []string
	if len(variables) > 0 {
		members = append(members, `"environ_vars": {`+strings.Join(variables, ", ")+"}")
	}
	if len(args) > 0 {
		members = append(members, `"job_args": {`+strings.Join(args, ", ")+"}")
	}
	steps := strings.Split(best, "\x00")
	return []Suggestion{{
		ID: "U5", Steps: steps, Message: "give " + listed(steps) + " a base with what they have in common",
		Evidence: fmt.Sprintf("%d specs have it: {%s}", len(steps), strings.Join(members, ", ")),
	}}
}

// suggestUnread finds large outputs of nodes that no node reads, though others depend on the node (U6).
func (r *statsReport) suggestUnread() []Suggestion {
	read, inner := map[[2]string]bool{}, map[string]*PipelineTestingSpec{}
	for _, p := range r.loaded {
		plan, _ := p.Plan(nil)
		if plan == nil {
			continue
		}
		stepOf := func(node string) string {
			if s := p.Specs[node]; !isNil(s) {
				return *s.common().stepName
			}
			return node
		}
		for _, n := range plan.Nodes {
			for _, in := range n.Inputs {
				read[[2]string{stepOf(in.Source), in.SourceLogicalName}] = true
			}
			for _, before := range n.After {
				inner[stepOf(before)] = p
			}
		}
	}
	var found []finding
	for _, w := range r.windows() {
		if inner[w.key.step] == nil {
			continue
		}
		sizes := map[string][]float64{}
		for _, x := range w.runs {
			for name, o := range w.outputsOf(x) {
				sizes[name] = append(sizes[name], float64(o.Bytes))
			}
		}
		for _, name := range sortedKeys(sizes) {
			if size := stats.Median(sizes[name]); len(sizes[name]) >= fewestRuns && size >= outputLarge && !read[[2]string{w.key.step, name}] {
				found = append(found, finding{w.key.step, fmt.Sprintf("%s of %s: %s in each of %d runs", printable(name), w.name(), amount.Bytes(size), len(sizes[name])), 0})
			}
		}
	}
	return together("U6", "write less in %s: no node reads these outputs", "", found)
}

// suggestParallel finds pipelines that wait for a free slot (U7).
func (r *statsReport) suggestParallel() []Suggestion {
	var list []Suggestion
	for _, p := range r.stats.Pipelines {
		saved := p.Wall - p.Critical
		if p.Runs < fewestRuns || p.Critical <= 0 || p.Wall.Seconds() < wallOver*p.Critical.Seconds() || saved < waitLeast {
			continue
		}
		jobs := int(math.Ceil(p.Busy.Seconds() / p.Critical.Seconds()))
		list = append(list, Suggestion{
			ID: "U7", Steps: []string{p.Name}, Saving: fromSeconds(saved.Seconds() * r.history.weekly(p.Runs)),
			Message: fmt.Sprintf("run more nodes of pipeline %s at the same time: no run needs to take longer than its critical path", p.Name),
			Evidence: fmt.Sprintf("%s from start to end, %s on the critical path %s, %s in all nodes (medians of %d runs)",
				amount.Time(p.Wall), amount.Time(p.Critical), strings.Join(p.Path, " > "), amount.Time(p.Busy), p.Runs),
			Command: fmt.Sprintf("scriptspec run --pipeline %s -j %d", p.Name, max(jobs, 2)),
		})
	}
	return list
}

// suggestShards finds shards of a suite that take longer than others (U8).
func (r *statsReport) suggestShards() []Suggestion {
	type part struct{ begin, end int64 }
	runs := map[string]map[number]*part{} // by shard
	latest := ""
	var at int64
	for _, s := range r.history.series {
		for _, x := range s.attempts {
			shard := s.of.names[x.shard]
			if shard == "" {
				continue
			}
			if runs[shard] == nil {
				runs[shard] = map[number]*part{}
			}
			begin := x.at - x.duration.Microseconds()
			p := runs[shard][x.run]
			if p == nil {
				p = &part{begin, x.at}
				runs[shard][x.run] = p
			}
			p.begin, p.end = min(p.begin, begin), max(p.end, x.at)
			if x.at > at {
				at, latest = x.at, shard
			}
		}
	}
	_, count, _ := strings.Cut(latest, "/")
	n, err := strconv.Atoi(count)
	if err != nil || n < 2 || n > len(runs) {
		return nil
	}
	var medians []float64
	fewest := math.MaxInt
	for i := 1; i <= n; i++ {
		var took []float64
		for _, p := range runs[fmt.Sprintf("%d/%d", i, n)] {
			took = append(took, float64(p.end-p.begin)/1e6)
		}
		if fewest = min(fewest, len(took)); fewest < fewestRuns {
			return nil
		}
		medians = append(medians, stats.Median(took))
	}
	mean := 0.0
	for _, m := range medians {
		mean += m / float64(n)
	}
	longest := slices.Max(medians)
	if longest < shardOver*mean || longest-mean < leastChange.Seconds() {
		return nil
	}
	steps := slices.Sorted(maps.Keys(r.specs))
	return []Suggestion{{
		ID: "U8", Steps: steps, Saving: fromSeconds((longest - mean) * r.history.weekly(fewest)),
		Message: "give all shards the same history, as by the cache of CI: they are balanced by it",
		Evidence: fmt.Sprintf("the longest of %d shards takes %s, all of them %s on average (medians of %d runs or more)",
			n, shortTime(longest), shortTime(mean), fewest),
	}}
}

// comparedLabel is the label of a spec whose outputs are compared with a copy somewhere.
const comparedLabel = "snapshot"

// suggestSnapshots finds outputs that are always the same, so that they can be compared with a copy (U10).
func (r *statsReport) suggestSnapshots() []Suggestion {
	var found []finding
	for _, w := range r.windows() {
		if _, compared := w.spec.meta.Labels[comparedLabel]; compared {
			continue
		}
		digests, seen := map[string]string{}, map[string]int{}
		for _, x := range w.runs {
			for name, o := range w.outputsOf(x) {
				if first, ok := digests[name]; o.Digest == "" || o.Bytes == 0 || ok && first != o.Digest {
					seen[name] = -windowRuns
				} else {
					digests[name] = o.Digest
					seen[name]++
				}
			}
		}
		for _, name := range sortedKeys(seen) {
			if seen[name] >= fewestRuns && seen[name] == len(w.runs) {
				found = append(found, finding{w.key.step, fmt.Sprintf("%s of %s: the same in %d of %d runs", printable(name), w.name(), seen[name], len(w.runs)), 0})
			}
		}
	}
	return together("U10", "compare the outputs of %s with a saved copy, and give the spec the label snapshot once you do", "", found)
}
