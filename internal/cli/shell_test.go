package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// installed builds the program into a GOBIN of its own, as go install does for a user, and makes a store beside it.
func installed(t *testing.T) (dir string, env []string) {
	t.Helper()
	dir = t.TempDir()
	bin := filepath.Join(dir, "bin")
	install := exec.Command("go", "install", "../../cmd/scriptspec")
	install.Env = append(os.Environ(), "GOBIN="+bin)
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("%s", out)
	}
	specs := filepath.Join(dir, "testdata", ".specs")
	if err := os.MkdirAll(specs, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		filepath.Join(specs, "a_runtime_test_spec.json"):         `{"script_name": "a", "step_name": "A", "script_path": "a.py", "output_paths": {"o": "x"}}`,
		filepath.Join(specs, "prep_runtime_test_spec.json"):      `{"script_name": "prep", "step_name": "Prep", "script_path": "prep.py", "output_paths": {"o": "y"}, "tags": ["nightly"]}`,
		filepath.Join(specs, "churn_pipeline_testing_spec.json"): `{"name": "churn", "dag": {"nodes": ["A"]}, "specs": {"A": "a"}}`,
		filepath.Join(specs, "line_pipeline_testing_spec.json"):  `{"name": "line", "dag": {"nodes": ["Prep", "A"], "edges": [["Prep", "A"]]}, "wires": [{"source": "Prep", "output": "", "dest": "A", "input": ""}], "specs": {"Prep": "prep", "A": "a"}}`,
		filepath.Join(dir, "a.py"):                               "def main(output_paths):\n    open(output_paths['o'] + '/x', 'w').write('x')\n",
		filepath.Join(dir, "prep.py"): "import os, signal, time\n" +
			"def main(output_paths):\n    if os.environ['STUBBORN']:\n        signal.signal(signal.SIGINT, signal.SIG_IGN)\n        signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" +
			"    os.write(os.open(os.environ['FIFO'], os.O_WRONLY), b'begun')\n    time.sleep(600)\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir, append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"), "CI=", "SCRIPTSPEC_DIR=")
}

// needs returns the path of a program that CI installs.
func needs(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") == "" {
			t.Skip("needs ", name)
		}
		t.Fatal(err)
	}
	return path
}

// Each shell is asked what it would offer.
func TestCompletion(t *testing.T) {
	t.Parallel()
	dir, env := installed(t)
	ask := func(t *testing.T, shell string, args ...string) string {
		command := exec.Command(needs(t, shell), args...)
		command.Dir, command.Env = dir, env
		out, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return string(out)
	}
	t.Run("bash", func(t *testing.T) {
		const functions = "/usr/share/bash-completion/bash_completion"
		if _, err := os.Stat(functions); err != nil && os.Getenv("CI") == "" {
			t.Skip("needs bash-completion")
		}
		for words, want := range map[string]string{
			"scriptspec run pr": "prep", "scriptspec run tag : ni": "nightly", "scriptspec run --pipeline ch": "churn", "scriptspec plan c": "churn", "scriptspec li": "lint", "scriptspec new sage": "sagemaker_training",
		} {
			line := strings.ReplaceAll(words, " : ", ":")
			got := ask(t, "bash", "-c", "source "+functions+`; source <(scriptspec completion bash); COMP_WORDS=($1); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMP_LINE=$2; COMP_POINT=${#COMP_LINE}
compopt() { :; }
__start_scriptspec; printf '%s\n' "${COMPREPLY[@]}"`, "bash", words, line)
			if !strings.Contains(got, want) {
				t.Errorf("bash offers %q for %q", got, line)
			}
		}
	})
	t.Run("zsh", func(t *testing.T) {
		const session = `
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z 'PS1=; autoload -Uz compinit; compinit -D; source <(scriptspec completion zsh); compdef _scriptspec scriptspec; bindkey "^I" complete-word; zle-line-init() { print -n READ""Y }; zle -N zle-line-init'
zpty -r -m z line '*READY*' # now the line editor reads
zpty -w -n z "$1"$'\t'
zpty -w -n z $'\x01: \x05 END\n'
zpty -r -m z line '*END*'
print -r -- $line`
		for words, want := range map[string]string{"scriptspec run pr": "scriptspec run prep", "scriptspec plan c": "scriptspec plan churn", "scriptspec run tag:ni": "tag:nightly"} {
			if got := ask(t, "zsh", "-f", "-c", session, "zsh", words); !strings.Contains(got, want) {
				t.Errorf("zsh makes %q of %q", got, words)
			}
		}
	})
}
