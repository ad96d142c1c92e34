package scriptspec

import (
	"encoding/json"
	"errors"
	"io/fs"
	"reflect"
	"time"

	"github.com/scriptspec/scriptspec/internal/strictjson"
)

// Settings are what a team shares about its store, in <test_data_dir>/.specs/scriptspec.json. The command follows them; no
// function of this package does of its own accord: a program that is to run scripts as the command does takes [Store.Tester].
type Settings struct {
	// Python is for RuntimeTester.Python and LintOptions.Python.
	Python string `json:"python"`
	// Timeout is for RuntimeTester.Timeout, in JSON in seconds.
	Timeout time.Duration `json:"timeout"`
	// CommandLine is for RuntimeTester.CommandLine and LintOptions.CommandLine.
	CommandLine []string `json:"command_line"`
	// KnownTags and ScriptDirs are for LintOptions.
	KnownTags  []string `json:"known_tags"`
	ScriptDirs []string `json:"script_dirs"`
}

const settingsName, settingsSuffix = "scriptspec", ".json"

var settingsLayout = newLayout("the settings", reflect.TypeFor[Settings](), settingsMembers())

func settingsMembers() []member {
	table := tableOf(reflect.TypeFor[Settings]())
	for i := range table {
		table[i].nullable = false
	}
	return table
}

// Settings reads the settings of the store. Without the file they are zero; what it has besides is refused. The error is a
// [*DecodeError] for each problem of the text.
func (st *Store) Settings() (*Settings, error) {
	data, file, err := st.readNamed(settingsName, settingsSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return &Settings{}, nil
	}
	if err != nil {
		return nil, err
	}
	s := &Settings{}
	if err := s.read(data, file); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Settings) read(data []byte, file string) error {
	d := decoder{r: new(strictjson.Reader), strict: true}
	d.r.Reset(data)
	d.object(settingsLayout, reflect.ValueOf(s).Elem())
	d.r.End()
	return problemsError(data, file, d.r.Problems(), placeText)
}

// MarshalJSON writes what a file has.
func (s Settings) MarshalJSON() ([]byte, error) {
	type plain Settings
	return json.Marshal(struct {
		plain
		Timeout float64 `json:"timeout"`
	}{plain(s), s.Timeout.Seconds()})
}

// UnmarshalJSON reads what MarshalJSON writes, as [Store.Settings] reads a file.
func (s *Settings) UnmarshalJSON(data []byte) error {
	var read Settings
	if err := read.read(data, ""); err != nil {
		return err
	}
	*s = read
	return nil
}
