package report

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/scriptspec/scriptspec/internal/printable"
)

// metric is a family of a Prometheus file.
type metric struct{ name, kind, help string }

// metrics are the families of a Prometheus file in its order. Of scripts that a run has twice, such as a spec and its
// examples, the sample is the greatest one, so that no series is there twice; success is that of all.
var metrics = [...]metric{
	{"scriptspec_last_run_success", "gauge", "Whether the last run of the script ended as it should: 1 or 0."},
	{"scriptspec_last_run_timestamp_seconds", "gauge", "When the last run of the script ended, in seconds since 1970."},
	{"scriptspec_duration_seconds", "gauge", "Wall time of the last run of the script."},
	{"scriptspec_peak_memory_bytes", "gauge", "Memory of the largest process of the last run of the script."},
	{"scriptspec_flaky", "gauge", "Whether the last run of the script passed only after attempts that failed: 1 or 0."},
	{"scriptspec_budget_ratio", "gauge", "What the last run of the script took of what its budget allows, where it passed: more than 1 is over it."},
}

// series are the samples of a family, by their labels.
type series map[string]float64

// WritePrometheus writes the last runs in the text format of Prometheus, for the textfile collector of the node exporter:
// without times of samples, which it takes for an error.
func (r *Run) WritePrometheus(w io.Writer) error {
	families := make([]series, len(metrics))
	for i := range families {
		families[i] = series{}
	}
	for _, n := range r.Nodes {
		r.sample(n, families)
	}
	var b bytes.Buffer
	for i, m := range metrics {
		m.write(&b, families[i])
	}
	_, err := w.Write(b.Bytes())
	return err
}

// OfScript are the labels of a series about a script.
type OfScript struct{ Step, Script string }

func (s OfScript) labels() string { return label("step", s.Step) + "," + label("script", s.Script) }

// WriteRecorded writes how many attempts are on record of each script, as a family to be put behind those of WritePrometheus.
func WriteRecorded(w io.Writer, attempts map[OfScript]int) error {
	all := series{}
	for of, n := range attempts {
		all[of.labels()] += float64(n)
	}
	var b bytes.Buffer
	metric{"scriptspec_recorded_runs", "gauge", "Runs of the script on record, every attempt counted; fewer once old records are dropped."}.write(&b, all)
	_, err := w.Write(b.Bytes())
	return err
}

func (m metric) write(b *bytes.Buffer, all series) {
	if len(all) == 0 {
		return
	}
	fmt.Fprintf(b, "# HELP %s %s\n# TYPE %s %s\n", m.name, m.help, m.name, m.kind)
	for _, labels := range sortedLabels(all) {
		fmt.Fprintf(b, "%s{%s} %s\n", m.name, labels, formatSample(all[labels]))
	}
}

// sample adds what is known of a node that was run, or was to be and could not. The families are in the order of metrics.
func (r *Run) sample(n Node, families []series) {
	if n.Status != Passed && !n.Status.wrong() {
		return
	}
	s := n.Script
	if s == nil {
		s = &Script{}
	}
	labels := OfScript{cmp.Or(s.StepName, n.Name), s.ScriptName}.labels()
	put := func(family int, labels string, value float64) {
		if old, ok := families[family][labels]; !ok || value > old {
			families[family][labels] = value
		}
	}
	success := float64(bit(n.Status == Passed))
	if old, ok := families[0][labels]; ok {
		success = min(old, success)
	}
	families[0][labels] = success
	if end := r.endOf(n); !end.IsZero() {
		put(1, labels, float64(end.UnixMilli())/1000)
	}
	if n.Script == nil {
		return
	}
	put(2, labels, n.took().Seconds())
	if s.PeakMemory > 0 {
		put(3, labels, float64(s.PeakMemory))
	}
	put(4, labels, float64(bit(n.Flaky)))
	for _, e := range s.Budget {
		if e.Limit > 0 {
			put(5, labels+","+label("what", e.What), e.Value/e.Limit)
		}
	}
}

// endOf returns when a node ended, zero if it is not known.
func (r *Run) endOf(n Node) time.Time {
	if n.Script != nil && !n.Script.Started.IsZero() {
		return n.Script.Started.Add(n.Script.ExecutionTime)
	}
	if r.Started.IsZero() {
		return time.Time{}
	}
	return r.Started.Add(later(max(n.Started, 0), max(n.Duration, 0)))
}

// label writes a label and its value.
func label(name, value string) string {
	return name + `="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(printable.Line(value)) + `"`
}

// formatSample writes a number without an exponent where it can be read without one.
func formatSample(v float64) string {
	if math.Abs(v) < 1e15 {
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

func sortedLabels(s series) []string {
	var list []string
	for labels := range s {
		list = append(list, labels)
	}
	slices.Sort(list)
	return list
}

// bit makes a fact a number.
func bit(fact bool) int {
	if fact {
		return 1
	}
	return 0
}
