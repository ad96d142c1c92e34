package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The hook that pre-commit reads is one that works: its package is there to be installed, its files are those of stores, and
// its entry finds what is wrong. .ci/precommit runs it with pre-commit itself.
func TestPreCommitHook(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../.pre-commit-hooks.yaml")
	if err != nil {
		t.Fatal(err)
	}
	hook := map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimLeft(line, "- "), ": ")
		hook[name] = strings.TrimSpace(value)
	}
	if hook["id"] != "scriptspec-lint" || hook["language"] != "golang" || hook["pass_filenames"] != "false" || hook["additional_dependencies"] != `["./cmd/scriptspec"]` {
		t.Errorf("the hook is %q", hook)
	}
	files, err := regexp.Compile(hook["files"])
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		"testdata/.specs/a_runtime_test_spec.json": true, ".specs/a_spec_base.json": true, "x/.specs/templates/t.json": true, "specs/a.json": false, "a/x.specs/a.json": false, "testdata/.specs/a.txt": false,
	} {
		if files.MatchString(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
	dir, env := installed(t)
	entry := strings.Fields(hook["entry"])
	run := func() (string, int) {
		command := exec.Command(filepath.Join(dir, "bin", entry[0]), entry[1:]...)
		command.Dir, command.Env = dir, env
		out, _ := command.CombinedOutput() // the exit code says more
		return string(out), command.ProcessState.ExitCode()
	}
	if out, code := run(); code != 0 {
		t.Errorf("exit code %d: %s", code, out)
	}
	broken := filepath.Join(dir, "testdata", ".specs", "a_runtime_test_spec.json")
	if err := os.WriteFile(broken, []byte(`{"script_name": 1}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, code := run(); code != exitNo || !strings.Contains(out, "testdata/.specs/a_runtime_test_spec.json:1:17: error: script_name: ") {
		t.Errorf("exit code %d: %s", code, out)
	}
}
