package cli

import (
	"os"
	"time"

	"github.com/scriptspec/scriptspec"
)

// readSettings reads what a team shares, which flags and the environment override.
func (a *app) readSettings(st *scriptspec.Store) error {
	s, err := st.Settings()
	if err != nil {
		return &exit{exitUsage, fromHere(err)}
	}
	a.settings = *s
	if a.python == "" && os.Getenv("SCRIPTSPEC_PYTHON") == "" {
		a.python = s.Python
	}
	return nil
}

// fromHere gives errors of a text that nobody else has the path of its file as a person here would write it.
func fromHere(err error) error {
	switch e := err.(type) { //nolint:errorlint // which others may have wrapped
	case *scriptspec.DecodeError:
		e.File = relativeHere(e.File)
	case interface{ Unwrap() []error }:
		for _, err := range e.Unwrap() {
			_ = fromHere(err)
		}
	}
	return err
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
	return a.settings.Timeout, nil
}
