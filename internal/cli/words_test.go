package cli

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/scriptspec/scriptspec"
)

// textsOfLibrary returns what is quoted in the sources of the root package, each with its place.
func textsOfLibrary(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	files := token.NewFileSet()
	const root = "../.."
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if name := e.Name(); e.Type() != fs.FileMode(0) || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(files, filepath.Join(root, e.Name()), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				text, _ := strconv.Unquote(literal.Value) // it is Go
				texts[text] = files.Position(literal.Pos()).String()
			}
			return true
		})
	}
	return texts
}

// A place that the library calls otherwise would be shown as it is in Go, and have the wrong exit code.
func TestPlacesOfFlags(t *testing.T) {
	t.Parallel()
	texts := textsOfLibrary(t)
	for place, flag := range flagPlaces {
		_, whole := texts[place]
		prefix, member, _ := strings.Cut(place, ".")
		_, hasPrefix := texts[prefix+"."]
		_, hasMember := texts[member]
		if !whole && (!hasPrefix || !hasMember) {
			t.Errorf("no error of the library is about %s, which %s sets", place, flag)
		}
	}
}

// The library speaks in the same words to those who call it in Go and to those who call the command: what could be named in
// Go alone is not part of a sentence.
func TestNeutralWords(t *testing.T) {
	t.Parallel()
	ofGo := regexp.MustCompile(`.\b(RuntimeTester|Slurm|SuiteOptions|PipelineOptions|HarnessOptions|LintOptions)\.[A-Z]|SaveStep|AllowSemantic|KnownTags`)
	for text, place := range textsOfLibrary(t) {
		ofTests := strings.HasPrefix(filepath.Base(place), "harness")
		if ofGo.MatchString(text) && !ofTests && !strings.Contains(text, "set Slurm.Helper") { // the command sets it itself
			t.Errorf("%s: a caller of the command does not know what this names: %q", place, text)
		}
	}
}

func TestInFlags(t *testing.T) {
	t.Parallel()
	for want, fe := range map[string]*scriptspec.FieldError{
		"--from No pe: there is no node (did you mean Nope?)": {Path: `options.from["No\npe"]`, Message: "there is no node", Hint: "did you mean Nope?"},
		"--sbatch: job.sh is not an option":                   {Path: "slurm.args[1]", Message: "job.sh is not an option"},
		"--image is required":                                 {Path: "argo.image", Message: "image is required"},
		`specs["options.from"]: options.from: is missing`:     {Path: `specs["options.from"]`, Message: "options.from: is missing"},
	} {
		if got := inFlags(&exit{exitUsage, fe}, flagPlaces); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	text := &scriptspec.DecodeError{File: "p.json", Line: 1, Column: 2, Path: "options.from", Message: "want a list", Err: &scriptspec.FieldError{Path: "options.from"}}
	if got := inFlags(text, flagPlaces); got != text.Error() {
		t.Errorf("what a file says is put into words of flags: %q", got)
	}
}
