package cli

import (
	"bytes"
	"strings"
	"testing"

	"github.com/scriptspec/scriptspec"
)

// pieces keeps what each write has.
type pieces [][]byte

func (p *pieces) Write(b []byte) (int, error) {
	*p = append(*p, bytes.Clone(b))
	return len(b), nil
}

// The line of a terminal is drawn over the one before in one piece, and other lines come in its place.
func TestProgressLine(t *testing.T) {
	t.Parallel()
	var out pieces
	a := &app{err: &out}
	p := &progress{app: a, out: &out, terminal: true, stop: make(chan struct{})}
	a.progress.Store(p)
	p.event(scriptspec.Event{Kind: scriptspec.EventStarted, Name: "a\x1b", Attempt: 1})
	p.event(scriptspec.Event{Kind: scriptspec.EventStarted, Name: "b", Attempt: 1})
	p.event(scriptspec.Event{Kind: scriptspec.EventFinished, Name: "b", Error: "no\nmore"})
	p.event(scriptspec.Event{Kind: scriptspec.EventFinished, Name: "c", Status: scriptspec.NodeLost, Error: "lost: job 7"})
	a.notice("interrupted")
	p.close()
	var got []string
	for _, piece := range out {
		got = append(got, string(piece))
	}
	want := []string{
		"\r0 done, 0 failed, 1 running; a  for 0s\x1b[K", "\r0 done, 0 failed, 2 running; a  for 0s\x1b[K",
		"\r\x1b[Kfailed    b: no\n", "\r1 done, 1 failed, 1 running; a  for 0s\x1b[K",
		"\r\x1b[Klost      c: lost: job 7\n", "\r2 done, 2 failed, 1 running; a  for 0s\x1b[K",
		"\r\x1b[Kinterrupted\n", "\r2 done, 2 failed, 1 running; a  for 0s\x1b[K", "\r\x1b[K",
	}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("got %q\nwant %q", got, want)
	}
	a.notice("later")
	if string(out[len(out)-1]) != "later\n" {
		t.Errorf("after the progress: %q", out[len(out)-1])
	}
}

// The line fits into a terminal, or else it would be drawn on the next line and stay there.
func TestProgressWidth(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		strings.Repeat("é", 35):             "\r0 done, 0 failed, 1 running; " + strings.Repeat("é", 35) + " for 0s\x1b[K",
		strings.Repeat("é", 100):            "\r0 done, 0 failed, 1 running; " + strings.Repeat("é", 50) + "\x1b[K",   // the usual 80, but for the last
		strings.Repeat("データ", 20):           "\r0 done, 0 failed, 1 running; " + strings.Repeat("データ", 8) + "デ\x1b[K", // of two cells each
		strings.Repeat("e\u0301", 49) + "데": "\r0 done, 0 failed, 1 running; " + strings.Repeat("e\u0301", 49) + "\x1b[K",
		strings.Repeat("❤\uFE0F", 26):       "\r0 done, 0 failed, 1 running; " + strings.Repeat("❤\uFE0F", 16) + "❤\x1b[K", // taken for three cells each
		strings.Repeat("#\uFE0F", 26):       "\r0 done, 0 failed, 1 running; " + strings.Repeat("#\uFE0F", 25) + "\x1b[K",
	} {
		var out bytes.Buffer
		p := &progress{app: &app{err: &out}, out: &out, terminal: true, stop: make(chan struct{})}
		p.event(scriptspec.Event{Kind: scriptspec.EventStarted, Name: name, Attempt: 1})
		if out.String() != want {
			t.Errorf("got %q\nwant %q", out.String(), want)
		}
	}
}

// Why a job waits is said once, however many wait for it.
func TestProgressPending(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := &progress{app: &app{err: &out}, out: &out, stop: make(chan struct{})}
	for _, e := range [][2]string{{"a", "PENDING (Priority)"}, {"b", "PENDING (Priority)"}, {"b", "PENDING (Resources)"}} {
		p.event(scriptspec.Event{Kind: scriptspec.EventPending, Name: e[0], Reason: e[1]})
	}
	if want := "pending   a: PENDING (Priority)\npending   b: PENDING (Resources)\n"; out.String() != want {
		t.Errorf("got %q\nwant %q", out.String(), want)
	}
}

// What passed at last is said as in reports.
func TestFlakyInWords(t *testing.T) {
	t.Parallel()
	busy := scriptspec.ScriptTestResult{StepName: "A", Outcome: scriptspec.OutcomeException, ErrorType: "OSError", ErrorMessage: "busy"}
	passed := scriptspec.ScriptTestResult{StepName: "A", Outcome: scriptspec.OutcomePassed, Success: true, Flaky: true}
	passed.Attempts = []scriptspec.ScriptTestResult{busy, busy, passed}
	const want = "passed on attempt 3 of 3, after A: exception in 0s: OSError: busy"
	if got := reasonOf(scriptspec.Event{Result: &passed}); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
