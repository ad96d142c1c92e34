package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/scriptspec/scriptspec"
)

// settings are what a team shares, in scriptspec.json beside the specs. Flags and the environment override it.
type settings struct {
	Python      string
	Timeout     float64 // seconds
	KnownTags   []string
	CommandLine []string
	ScriptDirs  []string // relative to the directory that holds the test data directory
}

const settingsFile = "scriptspec.json"

func (a *app) readSettings(dir string) error {
	file := filepath.Join(dir, settingsFile)
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return &exit{exitUsage, err}
	}
	var members scriptspec.JobArgs // which is read as strictly as a spec
	if err := members.UnmarshalJSON(text); err != nil {
		return unreadable(file, err)
	}
	if members == nil {
		return usage("%s: not a JSON object", file)
	}
	a.settings = settings{}
	for _, name := range sortedNames(members) {
		var err error
		switch name {
		case "python":
			if a.settings.Python, err = scriptspec.JobArg[string](members, name); err != nil {
				err = fmt.Errorf(`want the interpreter as a string, such as "python3.12", and not %s`, kindOf(members[name]))
			}
		case "timeout":
			switch a.settings.Timeout, err = scriptspec.JobArg[float64](members, name); {
			case err != nil:
				err = fmt.Errorf("want a number of seconds, such as 120, and not %s", kindOf(members[name]))
			case a.settings.Timeout < 0:
				err = errors.New("must not be negative")
			case a.settings.Timeout > time.Duration(math.MaxInt64).Seconds()/2:
				err = errors.New("is more seconds than a time limit can have")
			}
		case "known_tags":
			a.settings.KnownTags, err = texts(members[name])
		case "command_line":
			a.settings.CommandLine, err = texts(members[name])
		case "script_dirs":
			a.settings.ScriptDirs, err = texts(members[name])
		default:
			err = errors.New("unknown setting; want command_line, known_tags, python, script_dirs or timeout")
		}
		if err != nil {
			return usage("%s: %s: %w", file, harmless(name), err)
		}
	}
	if a.python == "" && os.Getenv("SCRIPTSPEC_PYTHON") == "" {
		a.python = a.settings.Python
	}
	return nil
}

// unreadable returns the error of a file that is no JSON object, with the place in it.
func unreadable(file string, err error) error {
	de, ok := errors.AsType[*scriptspec.DecodeError](err)
	if !ok {
		return usage("%s: not a JSON object", file)
	}
	if de.Line > 0 {
		file += fmt.Sprintf(":%d:%d", de.Line, de.Column)
	}
	place := strings.TrimPrefix(de.Path, "job_args")
	if member, err := strconv.QuotedPrefix(strings.TrimPrefix(place, "[")); err == nil {
		name, _ := strconv.Unquote(member) // it is quoted
		place = harmless(name) + strings.TrimPrefix(place, "["+member+"]")
	}
	if place != "" {
		place += ": "
	}
	return usage("%s: %s%s", file, place, de.Message)
}

// kindOf returns what a value is, in words.
func kindOf(value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case string:
		const longest = 40
		if len(v) > longest {
			return "a string"
		}
		return strconv.Quote(v)
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	}
	return fmt.Sprint(value)
}

// texts reads a list of strings.
func texts(value any) ([]string, error) {
	list, ok := value.([]any)
	if !ok {
		return nil, fmt.Errorf("want a list of strings, and not %s", kindOf(value))
	}
	all := []string{}
	for _, item := range list {
		text, isText := item.(string)
		if !isText {
			return nil, fmt.Errorf("want a list of strings, and in it not %s", kindOf(item))
		}
		all = append(all, text)
	}
	return all, nil
}

// timeout returns the flag, else what the environment or the settings say.
func (a *app) timeout(flag time.Duration) (time.Duration, error) {
	if flag < 0 {
		return 0, usage("--timeout must not be negative")
	}
	if flag != 0 {
		return flag, nil
	}
	if text := os.Getenv("SCRIPTSPEC_TIMEOUT"); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			return 0, usage("SCRIPTSPEC_TIMEOUT is %q; want something like 90s", text)
		}
		return d, nil
	}
	return time.Duration(a.settings.Timeout * float64(time.Second)), nil
}
