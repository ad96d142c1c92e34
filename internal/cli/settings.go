package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
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
		return usage("%s: %w", file, err)
	}
	if members == nil {
		return usage("%s: not a JSON object", file)
	}
	a.settings = settings{}
	for _, name := range sortedNames(members) {
		var err error
		switch name {
		case "python":
			a.settings.Python, err = scriptspec.JobArg[string](members, name)
		case "timeout":
			if a.settings.Timeout, err = scriptspec.JobArg[float64](members, name); err == nil && a.settings.Timeout < 0 {
				err = errors.New("must not be negative")
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

// texts reads a list of strings.
func texts(value any) ([]string, error) {
	list, ok := value.([]any)
	all := []string{}
	for _, item := range list {
		text, isText := item.(string)
		all, ok = append(all, text), ok && isText
	}
	if !ok {
		return nil, errors.New("want a list of strings")
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
