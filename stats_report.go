package scriptspec

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/scriptspec/scriptspec/internal/amount"
	"github.com/scriptspec/scriptspec/internal/tables"
)

// MarshalJSON writes a version and snake_case members, times in seconds.
func (s *Stats) MarshalJSON() ([]byte, error) {
	type plain Stats // without methods
	return json.Marshal(struct {
		Version int `json:"version"`
		*plain
	}{statsVersion, (*plain)(s)})
}

// MarshalJSON writes times in seconds.
func (s StepStats) MarshalJSON() ([]byte, error) {
	type plain StepStats
	return json.Marshal(struct {
		plain
		Median float64 `json:"median"`
		P90    float64 `json:"p90"`
		Min    float64 `json:"min"`
		Total  float64 `json:"total"`
	}{plain(s), s.Median.Seconds(), s.P90.Seconds(), s.Min.Seconds(), s.Total.Seconds()})
}

// MarshalJSON writes times in seconds.
func (s PipelineStats) MarshalJSON() ([]byte, error) {
	type plain PipelineStats
	s.Path = orNone(s.Path)
	return json.Marshal(struct {
		plain
		Wall     float64 `json:"wall"`
		Busy     float64 `json:"busy"`
		Critical float64 `json:"critical"`
	}{plain(s), s.Wall.Seconds(), s.Busy.Seconds(), s.Critical.Seconds()})
}

// MarshalJSON writes the saving in seconds.
func (s Suggestion) MarshalJSON() ([]byte, error) {
	type plain Suggestion
	return json.Marshal(struct {
		plain
		Saving float64 `json:"saving"`
	}{plain(s), s.Saving.Seconds()})
}

// WriteText writes the statistics for a terminal: a line about all, a table of the steps and one of the pipelines, and the
// suggestions. The error is that of w.
func (s *Stats) WriteText(w io.Writer) error { return s.page().WriteText(w) }

// WriteMarkdown writes them for the summary of a CI job.
func (s *Stats) WriteMarkdown(w io.Writer) error { return s.page().WriteMarkdown(w) }

// WriteHTML writes them as one page that needs nothing else, without scripts.
func (s *Stats) WriteHTML(w io.Writer) error { return s.page().WriteHTML(w) }

func (s *Stats) page() *tables.Page {
	p := &tables.Page{Title: "scriptspec: history"}
	switch {
	case s.Records == 0 && s.others:
		p.Lines = append(p.Lines, "there is no record of such a run")
	case s.Records == 0:
		p.Lines = append(p.Lines, "there is no record of a run")
	default:
		p.Lines = append(p.Lines, fmt.Sprintf("%s in %s from %s to %s, %s passed", counted(s.Records, "attempt"), counted(s.Runs, "run"),
			s.Since.Format(time.DateOnly), s.Until.Format(time.DateOnly), amount.Part(float64(s.Passed)/float64(s.Records))))
	}
	if s.Skipped > 0 {
		text := "1 line of the history that is no record was skipped"
		if s.Skipped > 1 {
			text = fmt.Sprintf("%d lines of the history that are no records were skipped", s.Skipped)
		}
		p.Lines = append(p.Lines, text)
	}
	for _, why := range s.Unread {
		p.Lines = append(p.Lines, "not all of the history could be read: "+printable(why))
	}
	if len(s.NeverRun) > 0 {
		p.Lines = append(p.Lines, "never run: "+listed(s.NeverRun))
	}
	if len(s.Steps) > 0 {
		t := tables.Table{Title: "Steps", Columns: []string{
			"step", " runs", " passed", " flaky", " median", " p90", " min", " of", " time", " memory", "trend", "last run", "outcome",
		}}
		for _, step := range s.Steps {
			t.Rows = append(t.Rows, step.row())
		}
		p.Tables = append(p.Tables, t)
	}
	if len(s.Pipelines) > 0 {
		t := tables.Table{Title: "Pipelines", Columns: []string{"pipeline", " runs", " wall", " critical", " busy", "critical path"}}
		for _, r := range s.Pipelines {
			t.Rows = append(t.Rows, []string{
				r.Name, strconv.Itoa(r.Runs), amount.Time(r.Wall), amount.Time(r.Critical), amount.Time(r.Busy), strings.Join(r.Path, " > "),
			})
		}
		p.Tables = append(p.Tables, t)
	}
	if len(s.Suggestions) > 0 {
		l := tables.List{Title: "Suggestions"}
		for _, one := range s.Suggestions {
			l.Items = append(l.Items, one.item())
		}
		if s.MoreSuggestions > 0 {
			l.Title = fmt.Sprintf("Suggestions (%d more with --all)", s.MoreSuggestions)
		}
		p.Lists = append(p.Lists, l)
	}
	return p
}

func (s *StepStats) row() []string {
	cells := []string{s.Name(), strconv.Itoa(s.Runs), amount.Part(float64(s.Passed) / float64(s.Runs)), "", "", "", "", "", amount.Part(s.Share), "", s.Duration.String(),
		s.LastRun.Format("2006-01-02 15:04"), string(s.LastOutcome)}
	if s.Memory.Verdict == VerdictMore || s.Memory.Verdict == VerdictLess {
		cells[10] += ", memory " + s.Memory.String()
	}
	if s.Flaky > 0 {
		cells[3] = shortScore(s.Flaky)
	}
	if s.Window > 0 {
		cells[4], cells[5], cells[6] = amount.Time(s.Median), amount.Time(s.P90), amount.Time(s.Min)
		cells[7] = strconv.Itoa(s.Window)
		if s.PeakMemory > 0 { // else the system does not tell
			cells[9] = amount.Bytes(s.PeakMemory)
		}
	}
	return cells
}

func (s *Suggestion) item() tables.Item {
	item := tables.Item{Text: s.ID + ": " + s.Message, Notes: []string{s.Evidence}, Code: s.Command}
	if s.Saving > 0 {
		item.Notes = append(item.Notes, "saves about "+amount.Time(s.Saving)+" a week")
	}
	return item
}

func counted(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
