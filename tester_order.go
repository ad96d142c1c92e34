package scriptspec

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/scriptspec/scriptspec/internal/stats"
)

// Shard is a part of a suite: the first of three is {1, 3}. The zero Shard is all of it.
//
// Runs are dealt so that all shards take about as long, by the medians of the history. Only what it has from before today, in UTC,
// counts: what one shard records does not change the next one. Shards 1 to n of equal stores with equal histories have each run exactly
// once between them. ShardResult.Plan tells where histories differ.
type Shard struct{ Index, Count int }

// ParseShard reads "1/3". The error is a [*FieldError].
func ParseShard(text string) (Shard, error) {
	first, second, ok := strings.Cut(text, "/")
	index, err := strconv.Atoi(first)
	count, countErr := strconv.Atoi(second)
	s := Shard{index, count}
	if !ok || err != nil || countErr != nil || s == (Shard{}) || s.check() != nil {
		return Shard{}, (&FieldError{Path: "shard", Code: CodeFormat, Value: text, Message: string(quote(text)) + " is not a shard"}).
			hintf("write which one of how many, as 1/3")
	}
	return s, nil
}

// String returns "1/3", or "" for the zero Shard.
func (s Shard) String() string {
	if s == (Shard{}) {
		return ""
	}
	return fmt.Sprintf("%d/%d", s.Index, s.Count)
}

func (s Shard) check() error {
	if s != (Shard{}) && (s.Index < 1 || s.Index > s.Count) {
		return (&FieldError{Path: "shard", Code: CodeFormat, Value: s, Message: fmt.Sprintf("there is no shard %d of %d", s.Index, s.Count)}).
			hintf("shards count from 1")
	}
	return nil
}

// ShardResult says which part of a suite was run.
type ShardResult struct {
	// Shard is as Shard.String.
	Shard string `json:"shard"`
	// Runs is how many runs were to be made of this shard, in each round, which SuiteOptions.LastFailed may leave some out of, All how many runs
	// all shards have together. A shard without runs is a success.
	Runs int `json:"runs"`
	All  int `json:"all"`
	// Plan is a digest of which runs are in which shard. Results with the same Plan have each run exactly once between them.
	Plan string `json:"plan"`
}

// suiteRun is a run of a suite that is to be.
type suiteRun struct {
	id     runID
	spec   Spec
	expect Outcome
	err    error // of a file that cannot be loaded
	place  int   // in the store
	number int   // in the result of a round
}

// in returns the identity of the run in a round.
func (r *suiteRun) in(round runID) runID {
	round.Name, round.Example = r.id.Name, r.id.Example
	return round
}

func (r *suiteRun) key() pastKey {
	if isNil(r.spec) {
		return pastKey{}
	}
	return pastKey{step: *r.spec.common().stepName, example: r.id.Example}
}

// arrange chooses the runs of a suite that are to be, in their order.
func (s *suite) arrange(st *Store, runs []*suiteRun) []*suiteRun {
	o := s.o
	if o.Shard == (Shard{}) && !o.LastFailed && !o.FailedFirst {
		return runs
	}
	today := s.result.StartedAt.UTC().Truncate(24 * time.Hour)
	past := readOrder(&st.history, today)
	failed := func(r *suiteRun) bool { return r.err != nil || past.failed[r.key()] }
	known := func(r *suiteRun) bool { _, ok := past.failed[r.key()]; return ok }
	sharded := o.Shard != (Shard{})
	if sharded { // before anything is left out, which what other shards record would change
		runs = s.deal(runs, past)
	}
	if o.LastFailed {
		kept := slices.DeleteFunc(slices.Clone(runs), func(r *suiteRun) bool { return !failed(r) && known(r) })
		if len(kept) > 0 || sharded {
			runs = kept
		}
	}
	if sharded {
		s.result.Shard.Runs = len(runs)
	}
	if o.FailedFirst {
		slices.SortStableFunc(runs, func(a, b *suiteRun) int {
			rank := map[bool]int{true: 0, false: 1}
			return cmp.Compare(rank[failed(a)], rank[failed(b)])
		})
	}
	return runs
}

// deal returns the runs of a shard, longest first. Each run goes to the shard that has the least to do so far.
func (s *suite) deal(runs []*suiteRun, past *order) []*suiteRun {
	type dealt struct {
		*suiteRun
		seconds float64
		shard   int
	}
	all := make([]dealt, len(runs))
	usual := past.usual()
	for i, r := range runs {
		all[i] = dealt{suiteRun: r, seconds: usual}
		if times := past.times[r.key()]; len(times) > 0 {
			all[i].seconds = stats.Median(times)
		}
	}
	slices.SortStableFunc(all, func(a, b dealt) int {
		return cmp.Or(cmp.Compare(b.seconds, a.seconds), strings.Compare(a.id.Name, b.id.Name))
	})
	h := sha256.New()
	load := make([]float64, min(s.o.Shard.Count, len(runs))) // the other shards are empty
	var own []*suiteRun
	for i := range all {
		least := 0
		for shard := range load {
			if load[shard] < load[least] {
				least = shard
			}
		}
		load[least] += all[i].seconds
		all[i].shard = least + 1
		if all[i].shard == s.o.Shard.Index {
			own = append(own, all[i].suiteRun)
		}
	}
	slices.SortFunc(all, func(a, b dealt) int { return strings.Compare(a.id.Name, b.id.Name) })
	for _, d := range all {
		fmt.Fprintf(h, "%q %d/%d\n", d.id.Name, d.shard, s.o.Shard.Count)
	}
	s.result.Shard = &ShardResult{Shard: s.o.Shard.String(), All: len(all), Plan: hex.EncodeToString(h.Sum(nil)[:8])}
	return own
}

// order is what of a history decides about the order of a suite.
type order struct {
	failed map[pastKey]bool      // the last attempt did not end as it should
	times  map[pastKey][]float64 // seconds of the last 20 that did, up to a time
}

// readOrder reads a history, of which it takes times from before a day. One that cannot be read says nothing.
func readOrder(h *History, before time.Time) *order {
	o := &order{map[pastKey]bool{}, map[pastKey][]float64{}}
	for d, err := range h.read(time.Time{}, false, map[string]*skippedLines{}) {
		if err != nil || d.Pipeline != "" { // a suite is none
			continue
		}
		key := d.key()
		o.failed[key] = !d.Passed()
		if !d.Passed() || !d.At.instant().Before(before) {
			continue
		}
		o.times[key] = append(o.times[key], d.Duration.Seconds())
		o.times[key] = o.times[key][max(0, len(o.times[key])-windowRuns):]
	}
	return o
}

// usual is what a run takes of which nothing is known: the median of all that are known.
func (o *order) usual() float64 {
	var all []float64
	for _, times := range o.times {
		all = append(all, stats.Median(times))
	}
	if len(all) == 0 {
		return 1
	}
	return max(stats.Median(all), 1e-3)
}
