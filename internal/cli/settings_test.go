package cli

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is wrong with the settings is said with the file, the member and what may be there.
func TestSettings(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"timeout": 1.5, "python": "p", "known_tags": [], "command_line": ["a"], "script_dirs": ["s"]}`: "",
		`{"timeout": "2m"}`:  `: timeout: want a number of seconds, such as 120, and not "2m"`,
		`{"timeout": null}`:  ": timeout: want a number of seconds, such as 120, and not null",
		`{"timeout": [1]}`:   ": timeout: want a number of seconds, such as 120, and not a list",
		`{"timeout": -1}`:    ": timeout: must not be negative",
		`{"timeout": 1e99}`:  ": timeout: is more seconds than a time limit can have",
		`{"timeout": 2m}`:    ":1:13: not a JSON number",
		`{"python": 3}`:      `: python: want the interpreter as a string, such as "python3.12", and not 3`,
		`{"python": {}}`:     `: python: want the interpreter as a string, such as "python3.12", and not an object`,
		`{"known_tags": {}}`: ": known_tags: want a list of strings, and not an object",
		`{"script_dirs": "` + strings.Repeat("x", 99) + `"}`: ": script_dirs: want a list of strings, and not a string",
		`{"command_line": ["a", true]}`:                      ": command_line: want a list of strings, and in it not true",
		`{"a\u001b": 1}`:                                     ": a : unknown setting; want command_line, known_tags, python, script_dirs or timeout",
		`{"timeout": 1, "timeout": 2}`:                       ":1:16: timeout: duplicate name, first at 1:2; keep one of them",
		`{"known_tags": {"a": {"b": 1, "b": 2}}}`:            `:1:31: known_tags["a"]["b"]: duplicate name, first at 1:23; keep one of them`,
		`[]`:   ": not a JSON object",
		`null`: ": not a JSON object",
	} {
		dir := t.TempDir()
		file := filepath.Join(dir, settingsFile)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		err := (&app{}).readSettings(dir)
		if want == "" {
			if err != nil {
				t.Errorf("%s: %v", text, err)
			}
			continue
		}
		var e *exit
		if !errors.As(err, &e) || e.code != exitUsage || e.Error() != file+want {
			t.Errorf("%s: got  %v\nwant %s", text, err, file+want)
		}
	}
}
