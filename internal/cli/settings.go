package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// settings are what the people of a repository agree on, in scriptspec.json beside the specs. A flag counts before it.
type settings struct {
	Python    string   `json:"python"`
	Timeout   float64  `json:"timeout"` // seconds
	KnownTags []string `json:"known_tags"`
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
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&a.settings); err != nil {
		return &exit{exitUsage, fmt.Errorf("%s: %s; there is known_tags, python and timeout", file, strings.TrimPrefix(err.Error(), "json: "))}
	}
	if a.settings.Timeout < 0 {
		return usage("%s: timeout is negative", file)
	}
	if a.python == "" && os.Getenv("SCRIPTSPEC_PYTHON") == "" {
		a.python = a.settings.Python
	}
	return nil
}

// timeout returns the flag, or else what the environment or the settings say.
func (a *app) timeout(flag time.Duration) (time.Duration, error) {
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
