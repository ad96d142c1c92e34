package cli

import (
	"bytes"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/scriptspec/scriptspec"
)

// A flag of run is part of the command that runs a script again, or about something else than how that is run.
func TestRerunFlags(t *testing.T) {
	t.Parallel()
	others := []string{
		"dir", "python", "pipeline", "from", "to", "only", "work", "example", // in their own way
		"jobs", "repeat", "fail-fast", "without-pipelines", "select", "exclude", "pass-with-none", "last-failed", "failed-first", "shard", // which scripts, and when
		"durations", "fail-on", "format", "color", "quiet", "verbose", "help", // what is said of it
	}
	known := slices.Concat(others, repeated)
	root := (&app{}).command()
	cmd, _, err := root.Find([]string{"run"})
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^ +(?:-\w, )?--([a-z-]+)`).FindAllStringSubmatch(cmd.Flags().FlagUsages()+root.PersistentFlags().FlagUsages(), -1)
	if len(found) < len(repeated) {
		t.Fatalf("flags are not found: %q", found)
	}
	for _, flag := range found {
		if !slices.Contains(known, flag[1]) {
			t.Errorf("is --%s part of the command that runs a script again?", flag[1])
		}
	}
}

// The command that runs a script again has the flags that change how it is run, and no secret.
func TestRerun(t *testing.T) {
	t.Parallel()
	spec := &scriptspec.ScriptExecutionSpec{EnvironVars: map[string]string{"TOKEN": "hunter22"}, Metadata: scriptspec.Metadata{Secrets: []string{"salt"}}}
	for want, args := range map[string][]string{
		"":                                       {"-j", "3", "--repeat", "2", "--fail-fast", "--durations", "5", "--fail-on", "flaky", "--select", "a", "--warm=false"},
		" --set job_args.n=7":                    {"--set", "job_args.n=7"},
		` --set 'job_args.name="it'\''s $HOME"'`: {"--set", `job_args.name="it's $HOME"`},
		` --set environ_vars.A_B="${A_B?}" --set environ_vars.1-x="${_1_x?}"`: {"--set", "environ_vars.A_B=b", "--set", "environ_vars.1-x=s3cret"},
		` --set job_args.api_key="${api_key?}" --set job_args.n=7`:            {"--set", `job_args.api_key="s3cret"`, "--set", "job_args.n=7"},
		` --set job_args.salt="${salt?}"`:                                     {"--set", `job_args.salt="s3cret"`},
		` --set job_args.db="${db?}"`:                                         {"--set", `job_args.db={"password": "s3cret"}`},
		` --set job_args.url="${url?}"`:                                       {"--set", `job_args.url="x?t=hunter22"`},
		" --command-line a --command-line b --timeout 1m30s --retries 2":      {"--command-line", "a,b", "--retries", "2", "--timeout", "90s"},
		" --warm --preload csv --preload json --keep 'my out' --no-history":   {"--preload", "csv,json", "--keep", "my out", "--no-history", "--warm"},
		" --engine slurm --sbatch=--partition=gpu --sbatch='--comment=a, b'":  {"--engine", "slurm", "--sbatch=--partition=gpu", "--sbatch=--comment=a, b"},
		` --preload '"a,b"'`:                                                  {"--preload", `"a,b"`},
	} {
		cmd := (&app{}).runCommand()
		if err := cmd.ParseFlags(args); err != nil {
			t.Fatal(err)
		}
		texts, err := cmd.Flags().GetStringArray("set")
		if err != nil {
			t.Fatal(err)
		}
		sets, err := settingsOf(texts)
		if err != nil {
			t.Fatal(err)
		}
		if err := sets.apply(spec.Clone()); err != nil {
			t.Fatal(err)
		}
		if got := (&app{}).rerun(cmd, sets, "run", "x"); got != "scriptspec run x"+want {
			t.Errorf("got  %s\nwant scriptspec run x%s", got, want)
		}
	}
	a := &app{dir: "my data", python: "python3.9"}
	if got, want := a.again("run", "it's", "a/b"), `scriptspec -C 'my data' --python python3.9 run 'it'\''s' a/b`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	var b bytes.Buffer
	(&app{err: &b}).explain("x", &scriptspec.ScriptTestResult{Outcome: scriptspec.OutcomeExit}, "scriptspec run x", surroundings{hidden: []string{"A_B", "api_key (JSON)"}})
	if want := "\n  rerun: scriptspec run x\n         after setting A_B, api_key (JSON), whose values are not shown\n"; !strings.HasSuffix(b.String(), want) {
		t.Errorf("got %q, want %q at its end", b.String(), want)
	}
}

// A shell reads a quoted word as it was, and a terminal takes nothing of it for a command.
func TestQuoted(t *testing.T) {
	t.Parallel()
	sh := needs(t, "sh")
	for _, word := range []string{"", "plain", "a b", "it's", `\n`, "$HOME `id` $(id)", "100%", "é", "*", "~", "a\nb", "-a\nb", "a\nb'c\n\n", "\x1b[2J%s é\\", "\u202e"} {
		text := quoted(word)
		out, err := exec.Command(sh, "-c", "printf '%s' "+text).Output()
		if err != nil || string(out) != word {
			t.Errorf("%q is quoted as %s, which is %q: %v", word, text, out, err)
		}
		if harmless(strings.TrimRight(text, "\n'")) != strings.TrimRight(text, "\n'") {
			t.Errorf("%q is quoted as %q", word, text)
		}
	}
}
