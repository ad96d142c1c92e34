package cli

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("SCRIPTSPEC_TEST_LOAD"); dir != "" {
		loadAll(dir)
		return
	}
	if os.Getenv("SCRIPTSPEC_TEST_RUN") != "" {
		os.Exit(Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	testscript.Main(m, map[string]func(){
		"scriptspec": func() { os.Exit(Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) },
	})
}

// Each verb, and what is said where it cannot be done: testdata/*.txtar, which need no Go.
func TestScripts(t *testing.T) {
	python := os.Getenv("SCRIPTSPEC_PYTHON")
	if python == "" {
		out, err := exec.Command("python3", "-c", "import sys; print(sys.executable)").Output() // behind a shim
		if err != nil {
			if os.Getenv("CI") == "" {
				t.Skip("needs python3")
			}
			t.Fatal(err)
		}
		python = string(out[:len(out)-1])
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			env.Setenv("SCRIPTSPEC_PYTHON", python)
			env.Setenv("PYTHONDONTWRITEBYTECODE", "1")
			env.Setenv("NAMED_PYTHON", python)
			for _, name := range []string{"GITHUB_STEP_SUMMARY", "NO_COLOR", "CLICOLOR_FORCE", "SCRIPTSPEC_DIR", "SCRIPTSPEC_TIMEOUT"} {
				env.Setenv(name, "")
			}
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){"code": wantCode, "matches": matches},
	})
}

// wantCode runs the program and wants an exit code: code 5 scriptspec run tag:none.
func wantCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N PROGRAM [ARGUMENT]...")
	}
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		ended, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = ended.ExitCode()
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit code %d, want %s", got, args[0])
	}
}

// matches wants each line of a file to be one that VS Code finds a problem in, by the tasks that init has written:
// matches FILE TASKS FIRST-PLACE.
func matches(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: matches FILE TASKS PLACE")
	}
	var tasks struct {
		Tasks []struct {
			ProblemMatcher struct {
				Pattern struct {
					Regexp             string
					File, Line, Column int
				}
			}
		}
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[1])), &tasks))
	pattern := tasks.Tasks[0].ProblemMatcher.Pattern
	expression, err := regexp.Compile(pattern.Regexp)
	ts.Check(err)
	var places []string
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		found := expression.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if found == nil {
			ts.Fatalf("VS Code finds no problem in %q", line)
		}
		places = append(places, found[pattern.File]+" "+found[pattern.Line]+" "+found[pattern.Column])
	}
	if len(places) == 0 || places[0] != args[2] {
		ts.Fatalf("the places are %q, want first %q", places, args[2])
	}
}

// The verbs are thin: they use the root package, cobra and the standard library, and the root knows nothing of cobra.
func TestImports(t *testing.T) {
	imports := func(pattern string, args ...string) []string {
		out, err := exec.Command("go", append([]string{"list"}, append(args, pattern)...)...).Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.Fields(string(out))
	}
	for _, path := range imports(".", "-f", `{{join .Imports "\n"}}`) {
		known := []string{"github.com/scriptspec/scriptspec", "github.com/spf13/cobra"}
		if strings.Contains(path, ".") && !slices.Contains(known, path) {
			t.Errorf("internal/cli imports %s", path)
		}
	}
	for _, path := range imports("github.com/scriptspec/scriptspec", "-deps") {
		if strings.HasPrefix(path, "github.com/spf13/") {
			t.Errorf("the root package depends on %s", path)
		}
	}
	lines, err := os.ReadFile("../../cmd/scriptspec/main.go")
	if err != nil || strings.Count(string(lines), "\n") > 20 {
		t.Errorf("main has more than 20 lines, or cannot be read: %v", err)
	}
}

// On a terminal one line is drawn anew; elsewhere, and where there is to be no colour, no terminal code is written.
func TestTerminal(t *testing.T) {
	t.Parallel()
	script := needs(t, "script")
	dir, environ := installed(t)
	for env, drawn := range map[string]bool{"TERM=xterm": true, "NO_COLOR=1": false, "TERM=dumb": false, "CI=true": false} {
		command := exec.Command(script, "-qec", "scriptspec run a --format json=r.json", "/dev/null")
		command.Dir = dir
		command.Env = slices.Concat(environ, []string{"TERM=xterm", env})
		out, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if strings.Contains(string(out), "\x1b[K") != drawn {
			t.Errorf("%s: drawn is not %v: %q", env, drawn, out)
		}
		if !drawn && strings.Contains(string(out), "\x1b") {
			t.Errorf("%s: there is an escape: %q", env, out)
		}
		if drawn && !strings.Contains(string(out), "0 done, 0 failed, 1 running; a for ") {
			t.Errorf("no progress: %q", out)
		}
	}
}

// The line is as wide as the terminal is, but for its last column, where the cursor would go to the next line.
func TestTerminalWidth(t *testing.T) {
	t.Parallel()
	script, _ := needs(t, "script"), needs(t, "stty")
	dir, environ := installed(t)
	for _, columns := range []int{1, 24, 200} {
		command := exec.Command(script, "-qec", "stty cols "+strconv.Itoa(columns)+"; scriptspec run a --format json=r.json", "/dev/null")
		command.Dir, command.Env = dir, slices.Concat(environ, []string{"TERM=xterm"})
		out, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		drawn := regexp.MustCompile(`\r([^\r\n\x1b]*)\x1b\[K`).FindAllSubmatch(out, -1)
		widest := 0
		for _, line := range drawn {
			widest = max(widest, len(line[1]))
		}
		if all := len("0 done, 0 failed, 1 running; a for 0s"); len(drawn) == 0 || widest > columns-1 || widest < min(columns-1, all) {
			t.Errorf("in %d columns the widest line is %d wide: %q", columns, widest, out)
		}
	}
}
