package cli

import (
	"bytes"
	"strings"
	"testing"

	"github.com/scriptspec/scriptspec"
)

// What a person sees is the script's own part of a traceback, the end of what it said, and a way on.
func TestExplain(t *testing.T) {
	t.Parallel()
	traceback := "Traceback (most recent call last):\n" +
		"  File \"/repo/train.py\", line 9, in main\n    fit(rows)\n    ^^^^^^^^^\n" +
		"  File \"/usr/lib/python3/dist-packages/sklearn/base.py\", line 5, in wrapper\n    call()\n" +
		"  File \"/repo/train.py\", line 3, in fit\n    import \x1b[31mxgboost\n" +
		"  File \"<frozen importlib._bootstrap>\", line 1, in _find_and_load\n" +
		"  File \"/x/site-packages/y.py\", line 2, in <module>\nModuleNotFoundError: x\n"
	for _, test := range []struct {
		result *scriptspec.ScriptTestResult
		want   []string
		not    string
	}{
		{
			&scriptspec.ScriptTestResult{
				Outcome: scriptspec.OutcomeException, ErrorType: "ModuleNotFoundError", ErrorMessage: "No module named 'x'", Traceback: traceback, Interpreter: scriptspec.Interpreter{Path: "/usr/bin/python3.11"},
				Stderr: scriptspec.Capture{Text: strings.Repeat("line\n", 30) + "last \x1b[2J\n" + traceback},
			},
			[]string{
				"\nTrain: exception: ModuleNotFoundError: No module named 'x'\n  /repo/train.py:9 in main\n      fit(rows)\n  /repo/train.py:3 in fit\n", "  and 2 more frames in code that it called\n",
				"  end of stderr:\n" + strings.Repeat("      line\n", 9) + "      last  [2J\n", "  rerun: scriptspec run Train\n", "  next:  install it for python3.11, or pass another interpreter with --python\n",
			}, "sklearn",
		},
		{&scriptspec.ScriptTestResult{Outcome: scriptspec.OutcomeTimeout}, []string{"Train: timeout\n", "next:  use less data, or allow more time with --timeout"}, "stderr"},
		{&scriptspec.ScriptTestResult{Outcome: scriptspec.OutcomeCrashed, ErrorMessage: "it called os._exit"}, []string{"Train: crashed: it called os._exit\n"}, "next:"},
	} {
		var b bytes.Buffer
		(&app{err: &b}).explain("Train", test.result, "scriptspec run Train", surroundings{})
		for _, want := range test.want {
			if !strings.Contains(b.String(), want) {
				t.Errorf("there is no %q in %q", want, b.String())
			}
		}
		if strings.Contains(b.String(), test.not) || strings.Contains(b.String(), "\x1b") {
			t.Errorf("%q has %q, or an escape", b.String(), test.not)
		}
	}
}
