package scriptspec

import (
	"bytes"
	"io"
	"path/filepath"
	"strconv"
	"strings"
)

// annotationLimit bounds the text of an annotation; GitHub cuts at 64 KiB.
const annotationLimit = 16 << 10

// WriteGitHub writes the result as workflow commands of GitHub Actions, which a step prints on
// stdout: an ::error for each node that failed and for each problem of data, a ::warning for each
// that was cancelled, and a ::notice for each that was skipped or blocked. Where a traceback leads to
// the script, the annotation is put on its line. Nothing that a script printed can begin a command of
// its own. The error is that of w.
func (r *PipelineTestResult) WriteGitHub(w io.Writer) error {
	if r == nil {
		r = &PipelineTestResult{}
	}
	var b bytes.Buffer
	for _, n := range r.Nodes {
		title := r.title() + ": " + printable(n.Node) + " " + printable(string(n.Status))
		switch n.Status {
		case NodeFailed:
			text := n.Reason
			var place []string
			if s := n.Result; s != nil {
				title += ": " + printable(string(s.Outcome))
				if s.Traceback != "" {
					text += "\n\n" + s.Traceback
				}
				place = scriptPlace(s)
			}
			command(&b, "error", title, place, text)
		case NodeCancelled:
			command(&b, "warning", title, nil, n.Reason)
		case NodeSkipped, NodeBlocked:
			if n.Reason == notPart {
				continue // there may be thousands
			}
			command(&b, "notice", title, nil, n.Reason)
		}
	}
	for _, p := range r.dataProblems() {
		command(&b, "error", r.title()+": data of "+p.subject(), nil, p.text)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// command writes one workflow command. Properties are further names and values.
func command(b *bytes.Buffer, name, title string, properties []string, text string) {
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	b.WriteString("::" + name + " title=" + property.Replace(harmless(title)))
	for i := 0; i+1 < len(properties); i += 2 {
		b.WriteString("," + properties[i] + "=" + property.Replace(harmless(properties[i+1])))
	}
	text = strings.TrimRight(harmless(text), "\n")
	if len(text) > annotationLimit {
		text = strings.ToValidUTF8(text[:annotationLimit], "") + "\n[...]"
	}
	b.WriteString("::" + data.Replace(text) + "\n")
}

// scriptPlace returns the innermost line of a traceback that is in the script, as properties.
func scriptPlace(s *ScriptTestResult) []string {
	var place []string
	for line := range strings.Lines(s.Traceback) {
		rest, ok := strings.CutPrefix(strings.TrimLeft(line, " "), `File "`)
		file, rest, ok2 := strings.Cut(rest, `", line `)
		if !ok || !ok2 || strings.TrimSuffix(filepath.Base(file), ".py") != s.ScriptName {
			continue
		}
		digits := rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))]
		if n, err := strconv.Atoi(digits); err == nil && n > 0 {
			place = []string{"file", file, "line", strconv.Itoa(n)}
		}
	}
	return place
}
