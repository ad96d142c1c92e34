package report

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/scriptspec/scriptspec/internal/printable"
)

// What SARIF 2.1.0 calls its parts: sections 3.13 to 3.51 of the standard of OASIS.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool struct {
			Driver sarifDriver `json:"driver"`
		} `json:"tool"`
		Automation struct {
			ID string `json:"id"`
		} `json:"automationDetails"`
		Bases   map[string]sarifArtifact `json:"originalUriBaseIds,omitempty"`
		Columns string                   `json:"columnKind"`
		Results []sarifResult            `json:"results"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"semanticVersion,omitempty"`
		URI     string      `json:"informationUri"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID    string    `json:"id"`
		Name  string    `json:"name"`
		Short sarifText `json:"shortDescription"`
		Help  sarifText `json:"help"`
		Usual struct {
			Level string `json:"level"`
		} `json:"defaultConfiguration"`
	}
	sarifText struct {
		Text     string `json:"text"`
		Markdown string `json:"markdown,omitempty"`
	}
	sarifResult struct {
		RuleID       string            `json:"ruleId"`
		RuleIndex    int               `json:"ruleIndex"`
		Level        string            `json:"level"`
		Message      sarifText         `json:"message"`
		Locations    []sarifLocation   `json:"locations"`
		Fingerprints map[string]string `json:"partialFingerprints"`
	}
	sarifLocation struct {
		Physical struct {
			Artifact sarifArtifact `json:"artifactLocation"`
			Region   *sarifRegion  `json:"region,omitempty"`
		} `json:"physicalLocation"`
	}
	sarifArtifact struct {
		URI    string `json:"uri"`
		BaseID string `json:"uriBaseId,omitempty"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn,omitempty"`
	}
)

const (
	sarifSchema = "https://json.schemastore.org/sarif-2.1.0.json"
	homepage    = "https://github.com/scriptspec/scriptspec"
	sourceBase  = "%SRCROOT%"
)

// WriteSARIF writes what a check, such as lint, has found as SARIF 2.1.0, with paths relative to a directory where they
// lie in it.
func WriteSARIF(w io.Writer, check, root string, notes []Note) error {
	rules, index := sarifRules(notes)
	run := sarifRun{Columns: "unicodeCodePoints", Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{Name: "scriptspec", URI: homepage, Rules: rules}
	run.Automation.ID = "scriptspec/" + check + "/"
	if root != "" {
		run.Bases = map[string]sarifArtifact{sourceBase: {URI: strings.TrimSuffix(fileURI(root), "/") + "/"}}
	}
	seen := map[string]int{}
	for _, n := range notes {
		r := sarifResult{RuleID: n.Code, RuleIndex: index[n.Code], Level: n.Severity, Message: sarifText{Text: printable.Line(n.Message)}, Locations: []sarifLocation{}}
		var where sarifLocation
		if n.File != "" {
			where.Physical.Artifact = artifactOf(root, n.File)
			if n.Line > 0 {
				where.Physical.Region = &sarifRegion{n.Line, cmp.Or(n.CodePoint, n.Column)}
			}
			r.Locations = append(r.Locations, where)
		}
		// Lines move when a file is edited; the place in the document and the rule stay.
		print := n.Code + "\x00" + where.Physical.Artifact.URI + "\x00" + cmp.Or(n.Place, n.Message)
		seen[print]++
		sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d", print, seen[print]))
		r.Fingerprints = map[string]string{"scriptspec/v1": hex.EncodeToString(sum[:16])}
		run.Results = append(run.Results, r)
	}
	data, err := json.MarshalIndent(sarifLog{sarifSchema, "2.1.0", []sarifRun{run}}, "", "  ")
	if err == nil {
		_, err = w.Write(append(data, '\n'))
	}
	return err
}

// sarifRules returns the rules that notes are of, sorted, and the number of each.
func sarifRules(notes []Note) ([]sarifRule, map[string]int) {
	rules, index := []sarifRule{}, map[string]int{}
	level := map[string]string{}
	for _, n := range notes {
		if _, known := level[n.Code]; !known || n.Severity == "error" {
			level[n.Code] = n.Severity
		}
	}
	for code := range level {
		words := strings.Split(code, "_")
		rule := sarifRule{ID: code, Short: sarifText{Text: strings.Join(words, " ")}}
		for _, word := range words {
			if word != "" {
				rule.Name += strings.ToUpper(word[:1]) + word[1:]
			}
		}
		help := homepage + "/blob/main/docs/rules.md#" + code
		rule.Help = sarifText{Text: help, Markdown: "[" + code + "](" + help + ")"}
		rule.Usual.Level = level[code]
		rules = append(rules, rule)
	}
	slices.SortFunc(rules, func(a, b sarifRule) int { return strings.Compare(a.ID, b.ID) })
	for i, rule := range rules {
		index[rule.ID] = i
	}
	return rules, index
}

// artifactOf returns where a file is, relative to the root of the sources if it lies there.
func artifactOf(root, file string) sarifArtifact {
	abs, err := filepath.Abs(file)
	if err != nil {
		abs = file
	}
	if rel, err := filepath.Rel(root, abs); root != "" && err == nil && filepath.IsLocal(rel) {
		return sarifArtifact{(&url.URL{Path: filepath.ToSlash(rel)}).String(), sourceBase}
	}
	return sarifArtifact{URI: fileURI(abs)}
}

func fileURI(path string) string {
	return (&url.URL{Scheme: "file", Path: "/" + strings.Trim(filepath.ToSlash(path), "/")}).String()
}
