package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/scriptspec/scriptspec/internal/printable"
)

// Note is something that was found in a file, not in a run.
type Note struct {
	File         string // "" if it is about none
	Line, Column int    // from 1; 0 if the file as a whole is meant
	Severity     string // error, warning or note
	Code         string
	Message      string
}

// WriteGNU writes a line for each note, as compilers do: file:line:column: severity: message [code].
func WriteGNU(w io.Writer, notes []Note) error {
	var b bytes.Buffer
	for _, n := range notes {
		if n.File != "" {
			b.WriteString(printable.Line(n.File) + ":")
			if n.Line > 0 {
				fmt.Fprintf(&b, "%d:%d:", n.Line, n.Column)
			}
			b.WriteString(" ")
		}
		fmt.Fprintf(&b, "%s: %s [%s]\n", n.Severity, printable.Line(n.Message), n.Code)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// WriteGitHubNotes writes a workflow command for each note.
func WriteGitHubNotes(w io.Writer, notes []Note) error {
	var b bytes.Buffer
	for _, n := range notes {
		var place []string
		if n.File != "" {
			place = []string{"file", n.File}
			if n.Line > 0 {
				place = append(place, "line", strconv.Itoa(n.Line), "col", strconv.Itoa(n.Column))
			}
		}
		kind := map[string]string{"error": "error", "warning": "warning"}[n.Severity]
		if kind == "" {
			kind = "notice"
		}
		command(&b, kind, n.Code, place, n.Message)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// WriteJUnitNotes writes a test case for each file that was looked at, which fails if an error was found in it.
func WriteJUnitNotes(w io.Writer, files []string, notes []Note) error {
	all := slices.Clone(files)
	for _, n := range notes {
		all = append(all, n.File)
	}
	slices.Sort(all)
	s := junitSuite{Name: "lint", Time: seconds(0)}
	for _, file := range slices.Compact(all) {
		c := junitCase{Name: printable.Line(file), ClassName: "lint", Time: seconds(0)}
		var text strings.Builder
		for _, n := range notes {
			if n.File != file || n.Severity != "error" {
				continue
			}
			if c.Failure == nil {
				c.Failure = &junitProblem{Type: n.Code, Message: printable.Line(n.Message)}
			}
			fmt.Fprintf(&text, "%d:%d: %s [%s]\n", n.Line, n.Column, printable.Line(n.Message), n.Code)
		}
		if s.Tests++; c.Failure != nil {
			s.Failures++
			c.Failure.Text = text.String()
		}
		s.Cases = append(s.Cases, c)
	}
	suites := junitSuites{Name: "lint", Tests: s.Tests, Failures: s.Failures, Time: s.Time, Suites: []junitSuite{s}}
	text, err := xml.MarshalIndent(suites, "", "  ")
	if err == nil {
		_, err = w.Write([]byte(xml.Header + string(text) + "\n"))
	}
	return err
}

// WriteSARIF writes notes as SARIF 2.1.0, with paths relative to a directory where they lie in it.
func WriteSARIF(w io.Writer, root string, notes []Note) error {
	type text struct {
		Text string `json:"text"`
	}
	type region struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn,omitempty"`
	}
	type physical struct {
		Artifact artifact `json:"artifactLocation"`
		Region   *region  `json:"region,omitempty"`
	}
	type location struct {
		Physical physical `json:"physicalLocation"`
	}
	type result struct {
		RuleID       string            `json:"ruleId"`
		RuleIndex    int               `json:"ruleIndex"`
		Level        string            `json:"level"`
		Message      text              `json:"message"`
		Locations    []location        `json:"locations"`
		Fingerprints map[string]string `json:"partialFingerprints"`
	}
	type rule struct {
		ID    string `json:"id"`
		Short text   `json:"shortDescription"`
	}
	used, index := []rule{}, map[string]int{}
	results := []result{}
	seen := map[string]int{}
	for _, n := range notes {
		i, known := index[n.Code]
		if !known {
			i = len(used)
			index[n.Code] = i
			used = append(used, rule{n.Code, text{strings.ReplaceAll(n.Code, "_", " ")}})
		}
		r := result{RuleID: n.Code, RuleIndex: i, Level: n.Severity, Message: text{printable.Line(n.Message)}, Locations: []location{}}
		uri := ""
		if n.File != "" {
			where := location{}
			where.Physical.Artifact, uri = artifactOf(root, n.File)
			if n.Line > 0 {
				where.Physical.Region = &region{n.Line, n.Column}
			}
			r.Locations = append(r.Locations, where)
		}
		// Lines move when a file is edited; what is wrong stays the same.
		print := n.Code + "\x00" + uri + "\x00" + n.Message
		seen[print]++
		sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d", print, seen[print]))
		r.Fingerprints = map[string]string{"scriptspec/v1": hex.EncodeToString(sum[:16])}
		results = append(results, r)
	}
	type driver struct {
		Name  string `json:"name"`
		URI   string `json:"informationUri"`
		Rules []rule `json:"rules"`
	}
	type run struct {
		Tool struct {
			Driver driver `json:"driver"`
		} `json:"tool"`
		Columns string   `json:"columnKind"`
		Results []result `json:"results"`
	}
	var one run
	one.Tool.Driver = driver{"scriptspec", "https://github.com/scriptspec/scriptspec", used}
	one.Columns, one.Results = "unicodeCodePoints", results
	document := struct {
		Schema  string `json:"$schema"`
		Version string `json:"version"`
		Runs    []run  `json:"runs"`
	}{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []run{one}}
	data, err := json.MarshalIndent(document, "", "  ")
	if err == nil {
		_, err = w.Write(append(data, '\n'))
	}
	return err
}

// artifact is an artifactLocation of SARIF.
type artifact struct {
	URI    string `json:"uri"`
	BaseID string `json:"uriBaseId,omitempty"`
}

// artifactOf returns where a file is, relative to the root of the sources if it lies there.
func artifactOf(root, file string) (a artifact, uri string) {
	abs, err := filepath.Abs(file)
	if err != nil {
		abs = file
	}
	if rel, err := filepath.Rel(root, abs); root != "" && err == nil && filepath.IsLocal(rel) {
		a.URI, a.BaseID = (&url.URL{Path: filepath.ToSlash(rel)}).String(), "%SRCROOT%"
		return a, a.URI
	}
	a.URI = (&url.URL{Scheme: "file", Path: "/" + strings.TrimPrefix(filepath.ToSlash(abs), "/")}).String()
	return a, a.URI
}
