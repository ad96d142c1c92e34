package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"
)

// project is what CI has to know of where specs are.
type project struct {
	root string // the top of the repository
	data string // the test data directory, from there, with slashes
	base string // where the project's packages are listed: the directory of the test data directory
}

// projectOf returns the project of the specs that are there, or are to be created. CI has no more than the repository.
func (a *app) projectOf(creates bool) (p project, err error) {
	dir := cmp.Or(a.dir, findStore(), os.Getenv("SCRIPTSPEC_DIR"), "testdata")
	if creates {
		if dir, err = a.initStore(); err != nil {
			return p, err
		}
	}
	data, err := filepath.Abs(dir)
	if err != nil {
		return p, err
	}
	here, _ := os.Getwd()
	p.root, p.base = cmp.Or(workTree(filepath.Dir(data)), workTree(here), here), filepath.Dir(data)
	rel, err := filepath.Rel(p.root, data)
	if err != nil || !filepath.IsLocal(rel) {
		return p, usage("%s is not in %s, and CI sees nothing else; call init at the top of the repository", dir, p.root)
	}
	p.data = filepath.ToSlash(rel)
	return p, nil
}

// at returns the arguments with which the program finds the specs when it is called at the top of the repository.
func (p project) at() []string {
	if p.data == "." || p.data == "testdata" {
		return nil
	}
	return []string{"-C", p.data}
}

// packages returns the command that installs what the project's scripts import, if it says so in a file that pip knows.
func (p project) packages() []string {
	for _, dir := range []string{p.base, p.root} {
		rel, err := filepath.Rel(p.root, dir)
		if err != nil {
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, "requirements.txt")); err == nil {
			return []string{"python -m pip install -r " + quoted(filepath.ToSlash(filepath.Join(rel, "requirements.txt")))}
		}
		text, _ := os.ReadFile(filepath.Join(dir, "pyproject.toml")) // there may be none
		_, err = os.Stat(filepath.Join(dir, "setup.py"))
		if err == nil || packaged.Match(text) {
			return []string{"python -m pip install " + quoted(strings.TrimSuffix("./"+filepath.ToSlash(rel), "/."))}
		}
	}
	return nil
}

// packaged finds the tables of a pyproject.toml that can be installed; others only have settings of tools.
var packaged = regexp.MustCompile(`(?m)^\[(project|build-system|tool\.poetry)\]`)

// ciSystems are where the file of each is, its text, and what a file has that is set up already.
var ciSystems = map[string]struct {
	file string
	text func(a *app, p project) string
	mark string
}{
	"github":     {".github/workflows/scriptspec.yml", (*app).githubWorkflow, "scriptspec lint"},
	"gitlab":     {".gitlab-ci.yml", (*app).gitlabPipeline, "scriptspec lint"},
	"pre-commit": {".pre-commit-config.yaml", (*app).preCommitConfig, "scriptspec-lint"},
}

func (a *app) initCI(kind string, p project) error {
	if kind == "" {
		return nil
	}
	system := ciSystems[kind]
	return a.writeOnce(filepath.Join(p.root, filepath.FromSlash(system.file)), system.text(a, p), system.mark)
}

func (a *app) githubWorkflow(p project) string {
	const key = "scriptspec-history-${{ github.ref_name }}-"
	history := yamlText(p.data + "/.specs/.history")
	var steps strings.Builder
	step := func(lines ...string) { steps.WriteString("      - " + strings.Join(lines, "\n        ") + "\n") }
	step("uses: actions/checkout@v4")
	step("uses: actions/setup-go@v5", "with: {go-version: stable, cache: false}")
	step("uses: actions/setup-python@v5", `with: {python-version: "3.x"}`)
	for _, command := range append(p.packages(), installs()) {
		step("run: " + yamlText(command))
	}
	step("uses: actions/cache/restore@v4", "with:", "  path: "+history, "  key: "+key+"${{ github.run_id }}-${{ github.run_attempt }}",
		"  restore-keys: |", "    "+key, "    scriptspec-history-")
	for _, command := range a.checks(p, " --format github --format sarif=lint.sarif", "--format github --format markdown=summary") {
		step("run: " + yamlText(command))
	}
	step("uses: actions/cache/save@v4", "if: always()", "with:", "  path: "+history, "  key: "+key+"${{ github.run_id }}-${{ github.run_attempt }}")
	step("uses: actions/upload-artifact@v4", "if: always()", `with: {name: scriptspec, path: "lint.sarif\n*.junit.xml\n*.html"}`)
	return `name: scriptspec
on: [push, pull_request]
permissions: {contents: read}
jobs:
  specs:
    runs-on: ubuntu-latest
    steps:
` + steps.String()
}

func (a *app) gitlabPipeline(p project) string {
	var script strings.Builder
	commands := []string{"apt-get update && apt-get install -y python3 python3-venv", "python3 -m venv /tmp/python && . /tmp/python/bin/activate"}
	commands = append(append(commands, p.packages()...), installs())
	for _, command := range append(commands, a.checks(p, "", "--format text")...) {
		script.WriteString("    - " + yamlText(command) + "\n")
	}
	return `scriptspec:
  image: golang:latest
  script:
` + script.String() + `  cache:
    key: scriptspec-history
    paths: [` + string(yamlQuoted(p.data+"/.specs/.history")) + `]
    when: always
  artifacts:
    when: always
    paths: ["*.html"]
    reports: {junit: "*.junit.xml"}
`
}

func (a *app) preCommitConfig(p project) string {
	_, rev := builtFrom()
	if rev == "" {
		rev = "VERSION # replace with a tag or commit of scriptspec"
		fmt.Fprintln(a.err, "replace VERSION: this program was built without one")
	}
	text := `repos:
  - repo: https://github.com/scriptspec/scriptspec
    rev: ` + rev + `
    hooks:
      - id: scriptspec-lint
`
	if at := p.at(); at != nil {
		text += "        args: [" + at[0] + ", " + string(yamlQuoted(at[1])) + "]\n"
	}
	return text
}

// checks are the calls that look at everything and run everything: each pipeline, and the specs that are in none.
func (a *app) checks(p project, lintForms, runForms string) []string {
	at := ""
	for _, word := range p.at() {
		at += " " + quoted(word)
	}
	commands := []string{"scriptspec lint" + at + " --scripts" + lintForms, "scriptspec render" + at + " --check"}
	var pipelines []string
	if st, err := a.open(filepath.Join(p.root, filepath.FromSlash(p.data))); err == nil {
		pipelines, _ = st.Pipelines()
		_ = st.Close()
	}
	for _, name := range pipelines {
		commands = append(commands, fmt.Sprintf("scriptspec run%s --pipeline %s %s --format junit=%s.junit.xml --format html=%s.html", at, name, runForms, name, name))
	}
	return append(commands, fmt.Sprintf("scriptspec run%s --without-pipelines --pass-with-none %s --format junit=specs.junit.xml --format html=specs.html", at, runForms))
}

// installs is the call that installs this program as it is here.
func installs() string {
	version, _ := builtFrom()
	return "go install github.com/scriptspec/scriptspec/cmd/scriptspec@" + cmp.Or(version, "latest")
}

// builtFrom returns the version of this program, as go install takes it, and the tag or commit that it is of; "" if it was
// built without.
func builtFrom() (version, rev string) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "", ""
	}
	return versionOf(info.Main.Version)
}

// pseudoVersion has the commit that a version without a tag is of.
var pseudoVersion = regexp.MustCompile(`[.-][0-9]{14}-([0-9a-f]{12})$`)

func versionOf(built string) (version, rev string) {
	version, _, _ = strings.Cut(built, "+") // +dirty
	if !strings.HasPrefix(version, "v") {
		return "", ""
	}
	if commit := pseudoVersion.FindStringSubmatch(version); commit != nil {
		return version, commit[1]
	}
	return version, version
}

// yamlText returns a text as a value of YAML, plain if that is enough.
func yamlText(text string) string {
	if strings.ContainsAny(text, "\"'#:{}[]\\%!*?") {
		return string(yamlQuoted(text))
	}
	return text
}

// yamlQuoted returns a text in quotes, which JSON and YAML write alike.
func yamlQuoted(text string) []byte {
	quoted, _ := json.Marshal(text) // it is a string
	return quoted
}
