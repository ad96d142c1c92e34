package cli

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/scriptspec/scriptspec"
)

// progress shows what is running: on a terminal one line that is redrawn, elsewhere a line for each finished script.
type progress struct {
	app      *app
	out      io.Writer
	screen   *os.File // nil if it is no terminal
	terminal bool

	mu           sync.Mutex
	done, failed int
	running      []started // in the order of their start
	reasons      []string  // why jobs wait
	drawn        bool
	stop         chan struct{}
	stopped      sync.WaitGroup
}

type started struct {
	name string
	at   time.Time
}

func newProgress(a *app) *progress {
	p := &progress{app: a, out: a.err, stop: make(chan struct{})}
	if a.quiet {
		p.out = io.Discard
		return p
	}
	a.progress.Store(p)
	if f, ok := a.err.(*os.File); ok {
		p.screen = f
		_, p.terminal = size(f)
	}
	p.terminal = p.terminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && os.Getenv("CI") == ""
	if p.terminal {
		p.stopped.Go(p.tick)
	}
	return p
}

func (p *progress) close() {
	close(p.stop)
	p.stopped.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.print("")
	p.app.progress.CompareAndSwap(p, nil)
}

// say prints a line of its own.
func (p *progress) say(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.print(line + "\n")
	p.draw()
}

func (p *progress) begin(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = append(p.running, started{name, time.Now()})
	p.draw()
}

// wait says why a job waits, once for each reason: there may be thousands of jobs.
func (p *progress) wait(name, reason string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if slices.Contains(p.reasons, reason) {
		return
	}
	p.reasons = append(p.reasons, reason)
	p.print(fmt.Sprintf("%-9s %s: %s\n", "pending", harmless(name), harmless(reason)))
	p.draw()
}

func (p *progress) end(name, status, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = slices.DeleteFunc(p.running, func(s started) bool { return s.name == name })
	p.done++
	bad := status == string(scriptspec.NodeFailed) || status == string(scriptspec.NodeLost)
	if bad {
		p.failed++
	}
	if !p.terminal || bad || p.app.verbose {
		line, _, _ := strings.Cut(text, "\n")
		p.print(fmt.Sprintf("%s %s: %s\n", p.app.colour(p.out, status, fmt.Sprintf("%-9s", status)), harmless(name), harmless(line)))
	}
	p.draw()
}

// draw writes the line of a terminal over the previous one, in one piece, so that nothing flickers.
func (p *progress) draw() {
	if !p.terminal {
		return
	}
	if len(p.running) == 0 {
		p.print("")
		return
	}
	slowest := p.running[0]
	line := fmt.Sprintf("%d done, %d failed, %d running; %s for %v", p.done, p.failed, len(p.running), harmless(slowest.name),
		time.Since(slowest.at).Round(100*time.Millisecond))
	const usual = 80
	columns, _ := size(p.screen) // which may have changed
	fmt.Fprint(p.out, "\r"+fitting(line, cmp.Or(columns, usual)-1)+"\x1b[K")
	p.drawn = true
}

// fitting returns the beginning of a line that fits into this many cells of a terminal.
func fitting(line string, room int) string {
	for i, r := range line {
		if room -= cells(r); room < 0 {
			return line[:i]
		}
	}
	return line
}

// cells is how many cells of a terminal a character adds at most: two where the scripts of East Asia begin and after it, for
// emoji as well, none for an accent that is put on the one before.
func cells(r rune) int {
	const (
		wide  = '\u1100'
		emoji = '\uFE0F' // makes an emoji of the sign before it
	)
	switch {
	case r == emoji:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me):
		return 0
	case r >= wide:
		return 2
	}
	return 1
}

// print writes a text in the place of the line of a terminal.
func (p *progress) print(text string) {
	if p.drawn {
		text = "\r\x1b[K" + text
		p.drawn = false
	}
	if text != "" {
		fmt.Fprint(p.out, text)
	}
}

func (p *progress) tick() {
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			p.mu.Lock()
			p.draw()
			p.mu.Unlock()
		case <-p.stop:
			return
		}
	}
}

// harmless replaces what a terminal would act on: a text may quote what a script printed.
func harmless(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
}
