package scriptspec

import (
	"errors"
	"io/fs"
	"slices"
	"strconv"
)

// settings looks at what a team shares: its text, and whether there are the scripts that it lists as programs.
func (l *linter) settings(names []string) {
	const name = settingsName + settingsSuffix
	text, err := l.read(name)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	l.result.Files = append(l.result.Files, l.path(name))
	if err != nil {
		l.failure(l.path(name), nil, err)
		return
	}
	var s Settings
	if err := s.read(text, l.path(name)); err != nil {
		l.failure(l.path(name), text, err)
		return
	}
	if l.scripted == nil {
		return // a pipeline that cannot be read may have them
	}
	known := l.scripted
	for _, file := range names {
		if script, ok := scriptOfFile(file); ok {
			known = append(known, script)
		}
	}
	for i, script := range s.CommandLine {
		if slices.Contains(known, script) {
			continue
		}
		path := "command_line[" + strconv.Itoa(i) + "]"
		f := Finding{
			File: l.path(name), Path: path, Severity: SeverityWarning, Code: CodeUnknownMember,
			Message: "no spec is of the script " + printable(script), Hint: meantOf(known, script),
		}
		f.locate(text, path)
		l.add(f)
	}
}
