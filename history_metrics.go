package scriptspec

import (
	"io"
	"time"

	"github.com/scriptspec/scriptspec/internal/report"
)

// WritePrometheus writes how many attempts of each script are on record, in a pipeline or not, as the gauge scriptspec_recorded_runs
// in the text format of Prometheus: to be put behind what WritePrometheus of a result writes. What cannot be read is not counted. The
// error is that of w.
func (h *History) WritePrometheus(w io.Writer) error {
	attempts := map[report.OfScript]int{}
	for d, err := range h.read(time.Time{}, false, map[string]*skippedLines{}) {
		if err == nil {
			attempts[report.OfScript{Step: d.StepName, Script: d.ScriptName}]++
		}
	}
	return report.WriteRecorded(w, attempts)
}
