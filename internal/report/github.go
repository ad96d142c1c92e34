package report

import (
	"bytes"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/scriptspec/scriptspec/internal/printable"
)

// longestPath is PATH_MAX: what is longer is no file.
const longestPath = 4096

// annotationLimit bounds the text of an annotation; GitHub cuts at 64 KiB.
const annotationLimit = 16 << 10

// WriteGitHub writes a run as workflow commands of GitHub Actions.
func (r *Run) WriteGitHub(w io.Writer) error {
	var b bytes.Buffer
	for _, n := range r.Nodes {
		title := r.title() + ": " + printable.Line(n.Name) + " " + printable.Line(string(n.Status))
		switch n.Status {
		case Failed:
			text := n.Reason
			var place []string
			if s := n.Script; s != nil {
				title += ": " + printable.Line(s.Outcome)
				if s.Traceback != "" {
					text += "\n\n" + s.Traceback
				}
				place = scriptPlace(s)
			}
			if tried := n.triedText(); tried != "" {
				text = strings.TrimRight(text, "\n") + "\n\n" + tried
			}
			command(&b, "error", title, place, text)
		case Lost:
			command(&b, "error", title, nil, n.Reason)
		case Cancelled:
			command(&b, "warning", title, nil, n.Reason)
		case Skipped, Blocked:
			if n.Apart {
				continue // there may be thousands
			}
			command(&b, "notice", title, nil, n.Reason)
		}
		for _, w := range n.warnings() {
			text, place := w.Text, []string(nil)
			if earlier := n.earlier(); w.Code == codeFlaky && len(earlier) > 0 && earlier[len(earlier)-1] != nil {
				last := earlier[len(earlier)-1]
				text, place = text+"\n\n"+last.Traceback, scriptPlace(last)
			}
			command(&b, "warning", r.title()+": "+printable.Line(n.Name)+": "+strings.ReplaceAll(w.Code, "_", " "), place, text)
		}
		if n.Script != nil && n.Script.remains() != "" {
			command(&b, "warning", r.title()+": "+printable.Line(n.Name)+": processes", nil, n.Script.remains())
		}
	}
	for _, p := range r.Findings() {
		command(&b, "error", r.title()+": data of "+p.Subject, nil, p.Text)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// command writes one workflow command. Properties are further names and values.
func command(b *bytes.Buffer, name, title string, properties []string, text string) {
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	b.WriteString("::" + name + " title=" + property.Replace(printable.Block(title)))
	for i := 0; i+1 < len(properties); i += 2 {
		b.WriteString("," + properties[i] + "=" + property.Replace(printable.Block(properties[i+1])))
	}
	text = strings.TrimRight(printable.Block(text), "\n")
	text = beginning(text, annotationLimit)
	b.WriteString("::" + data.Replace(text) + "\n")
}

// scriptPlace returns the innermost line of a traceback that is in the script, as properties.
func scriptPlace(s *Script) []string {
	var place []string
	for line := range strings.Lines(s.Traceback) {
		rest, ok := strings.CutPrefix(strings.TrimLeft(line, " "), `File "`)
		file, rest, ok2 := strings.Cut(rest, `", line `)
		if !ok || !ok2 || len(file) > longestPath || strings.TrimSuffix(filepath.Base(file), ".py") != s.ScriptName {
			continue
		}
		digits := rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))]
		if n, err := strconv.Atoi(digits); err == nil && n > 0 {
			place = []string{"file", file, "line", strconv.Itoa(n)}
		}
	}
	return place
}
