package cli

import (
	"fmt"
	"strings"
	"testing"
)

// What ended the script is shown with its frames, and what came before it with the place where it was raised.
func TestTraceback(t *testing.T) {
	t.Parallel()
	const (
		head    = "Traceback (most recent call last):\n"
		library = "  File \"/usr/lib/python3/json.py\", line 7, in loads\n    decode()\n"
		price   = head + "  File \"/s/a.py\", line 2, in load\n    return row[\"price\"]\n           ~~~^^^^^^^^^\n" + library + "KeyError: 'price'\n"
		cause   = "\nThe above exception was the direct cause of the following exception:\n\n"
		during  = "\nDuring handling of the above exception, another exception occurred:\n\n"
		ended   = head + "  File \"/s/a.py\", line 9, in main\n    work()\n" + library + "RuntimeError: no\n  File \"of a message\", line 1\n"
		shown   = "  /s/a.py:9 in main\n      work()\n  and 1 more frame in code that it called\n"
		was     = "KeyError: 'price'\n    /s/a.py:2 in load\n        return row[\"price\"]\n"
	)
	deep := ""
	for i := range 20 {
		deep += fmt.Sprintf("  File \"/s/a.py\", line %d, in f\n", i)
	}
	for name, test := range map[string]struct{ traceback, want string }{
		"none":         {"", ""},
		"one":          {ended, shown},
		"cause":        {price + cause + ended, shown + "  caused by " + was},
		"context":      {price + during + ended, shown + "  while handling " + was},
		"three":        {price + cause + head + "OSError: x\n" + during + ended, shown + "  while handling OSError: x\n  caused by " + was},
		"no frames":    {"ValueError: \x1b[2J\n" + cause + ended, shown + "  caused by ValueError:  [2J\n"},
		"elsewhere":    {"pool.RemoteTraceback: \n\"\"\"\n" + price + "\"\"\"\n" + cause + ended, shown + "  caused by " + was},
		"of a message": {strings.TrimSuffix(ended, "\n") + "\nDuring\n", shown},
		"syntax":       {head + "  File \"/s/b.py\", line 3\n    a = (\n        ^\nSyntaxError: '(' was never closed\n", "  /s/b.py:3\n      a = (\n"},
		"cut":          {strings.TrimSuffix(ended, "RuntimeError: no\n  File \"of a message\", line 1\n") + "[...]\n", shown},
		"cut between":  {price + cause + "[...]\n", "  caused by " + was},
		"recursion": {
			head + deep + "RecursionError: x\n",
			"  /s/a.py:0 in f\n  /s/a.py:1 in f\n  ... 10 more frames ...\n  /s/a.py:12 in f\n  /s/a.py:13 in f\n  /s/a.py:14 in f\n  /s/a.py:15 in f\n" +
				"  /s/a.py:16 in f\n  /s/a.py:17 in f\n  /s/a.py:18 in f\n  /s/a.py:19 in f\n",
		},
		"many": {
			strings.Repeat("OSError: x\n"+during, 12) + ended,
			shown + strings.Repeat("  while handling OSError: x\n", 10) + "  and 2 more exceptions\n",
		},
		"group": {
			"OSError: x\n" + during + "  + Exception Group " + head + "  |   File \"/s/a.py\", line 9, in main\n  |     work()\n  | ExceptionGroup: many (2 sub-exceptions)\n" +
				"  +-+---------------- 1 ----------------\n    | " + strings.ReplaceAll(price+cause+head, "\n", "\n    | ") + "OSError: y\n" +
				"    +---------------- 2 ----------------\n    | ValueError: z\n    +------------------------------------\n" + cause + ended,
			shown + "  caused by ExceptionGroup: many (2 sub-exceptions)\n    /s/a.py:9 in main\n        work()\n" +
				"  with OSError: y\n  caused by " + was + "  with ValueError: z\n  while handling OSError: x\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b strings.Builder
			tell(test.traceback).write(&b)
			if b.String() != test.want {
				t.Errorf("got:\n%s\nwant:\n%s", b.String(), test.want)
			}
		})
	}
}

// Of what a script printed, tracebacks are shown as well, down to the last exception, and what was printed after them.
func TestLastLines(t *testing.T) {
	t.Parallel()
	const (
		head   = "Traceback (most recent call last):\n"
		first  = head + "  File \"/s/a.py\", line 2, in load\n    x\nKeyError: 'price'\n"
		second = head + "  File \"/s/a.py\", line 9, in main\n    work()\n    ^^^^^^\n  File \"/usr/lib/python3/json.py\", line 7, in loads\n    decode()\nValueError: no\n"
		chain  = "\nDuring handling of the above exception, another exception occurred:\n\n"
	)
	brief := "Traceback (most recent call last):|  File \"/s/a.py\", line 9, in main|    work()|ValueError: no"
	for name, test := range map[string]struct{ text, shown, want string }{
		"nothing":      {"\n", "", ""},
		"plain":        {strings.Repeat("x\n", 12), "", "x" + strings.Repeat("|x", 9)},
		"shown above":  {"before\n" + first + "after\n", first, "before|after"},
		"another":      {"before\n" + second + "after\n", first, "before|" + brief + "|after"},
		"chained":      {first + chain + second, "", strings.ReplaceAll(strings.TrimSpace(first), "\n", "|") + "|" + strings.TrimSpace(chain) + "|" + brief},
		"said since":   {second + strings.Repeat("x\n", 20), "", "ValueError: no|[...]" + strings.Repeat("|x", 8)},
		"of a library": {head + "  File \"/usr/lib/python3/json.py\", line 7, in loads\n    decode()\nValueError: no\n", "", "Traceback (most recent call last):|ValueError: no"},
		"group": {
			"  + Exception Group " + head + "  |   File \"/usr/lib/python3/json.py\", line 7, in loads\n  |     decode()\n  | ExceptionGroup: many (1 sub-exception)\n" +
				"  +-+---------------- 1 ----------------\n    | " + strings.TrimSuffix(strings.ReplaceAll(second, "\n", "\n    | "), "    | ") + "    +------------------------------------\n", "",
			"  + Exception Group Traceback (most recent call last):|  | ExceptionGroup: many (1 sub-exception)|  +-+---------------- 1 ----------------|" +
				"    | Traceback (most recent call last):|    |   File \"/s/a.py\", line 9, in main|    |     work()|    | ValueError: no|    +------------------------------------",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := strings.Join(lastLines(test.text, test.shown), "|"); got != test.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, test.want)
			}
		})
	}
}
