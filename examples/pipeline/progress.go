package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/scriptspec/scriptspec"
)

// progress shows the events of a run: on a terminal with a live line for each node that runs, else as
// plain lines.
type progress struct {
	out      io.Writer
	terminal bool

	mu      sync.Mutex
	running []running // in the order of their start
	drawn   int       // live lines on the screen
	stop    chan struct{}
	stopped sync.WaitGroup
}

type running struct {
	node    string
	started time.Time
}

func newProgress(out io.Writer) *progress {
	p := &progress{out: out, terminal: isTerminal(out), stop: make(chan struct{})}
	if p.terminal {
		p.stopped.Go(p.tick)
	}
	return p
}

// isTerminal takes every character device for one, but for the null device, which nobody looks at.
func isTerminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && f.Name() != os.DevNull
}

// close leaves no live line behind.
func (p *progress) close() {
	close(p.stop)
	p.stopped.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = nil
	p.draw("")
}

// event is called by the run, for one event at a time.
func (p *progress) event(e scriptspec.PipelineEvent) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e.Result == nil {
		p.running = append(p.running, running{e.Node, time.Now()})
		p.draw(p.plain(fmt.Sprintf("%-9s %s\n", "started", e.Node)))
		return
	}
	for i, r := range p.running {
		if r.node == e.Node {
			p.running = append(p.running[:i], p.running[i+1:]...)
			break
		}
	}
	line := fmt.Sprintf("%-9s %s", e.Result.Status, e.Node)
	if e.Result.Duration > 0 {
		line += fmt.Sprintf(" in %v", e.Result.Duration.Round(time.Millisecond))
	}
	if e.Result.Reason != "" {
		line += ": " + harmless(e.Result.Reason)
	}
	p.draw(p.colour(e.Result.Status, line) + "\n")
}

// plain returns a line that a terminal does not need: it has a live one.
func (p *progress) plain(line string) string {
	if p.terminal {
		return ""
	}
	return line
}

// colour writes a line of a terminal in the colour of what became of the node.
func (p *progress) colour(status scriptspec.NodeStatus, line string) string {
	if !p.terminal {
		return line
	}
	code := "33" // yellow
	switch status {
	case scriptspec.NodePassed:
		code = "32" // green
	case scriptspec.NodeFailed:
		code = "31" // red
	case scriptspec.NodeSkipped, scriptspec.NodeReused:
		code = "2" // faint
	}
	return "\x1b[" + code + "m" + line + "\x1b[0m"
}

// narrow is how long a live line may be: one that wraps could not be taken off the screen again.
const narrow = 79

// draw takes the live lines off the screen, writes text that is to stay, and draws them anew.
func (p *progress) draw(text string) {
	var b strings.Builder
	if p.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\x1b[J", p.drawn) // up so many lines, clear what is below
	}
	b.WriteString(text)
	p.drawn = 0
	if p.terminal {
		for _, r := range p.running {
			line := fmt.Sprintf("%-9s %s for %v", "running", r.node, time.Since(r.started).Round(100*time.Millisecond))
			b.WriteString(line[:min(len(line), narrow)] + "\n")
			p.drawn++
		}
	}
	fmt.Fprint(p.out, b.String())
}

// tick keeps the times of the live lines true.
func (p *progress) tick() {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			p.mu.Lock()
			if len(p.running) > 0 {
				p.draw("")
			}
			p.mu.Unlock()
		case <-p.stop:
			return
		}
	}
}

// harmless leaves out what a terminal would act on: a reason may quote what a script said.
func harmless(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
}
