package scriptspec

import (
	"errors"
	"io/fs"
	"reflect"

	"github.com/scriptspec/scriptspec/internal/strictjson"
)

// Settings are what a team shares about its store, in <test_data_dir>/.specs/scriptspec.json. The command follows them; no
// function of this package does of its own accord: a program that is to run scripts as the command does takes [Store.Tester].
type Settings struct {
	// Python is for RuntimeTester.Python and LintOptions.Python.
	Python string `json:"python"`
	// Timeout is for RuntimeTester.Timeout, in seconds.
	Timeout float64 `json:"timeout"`
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
	d := decoder{r: new(strictjson.Reader), strict: true}
	d.r.Reset(data)
	d.object(settingsLayout, reflect.ValueOf(s).Elem())
	d.r.End()
	if err := problemsError(data, file, d.r.Problems(), placeText); err != nil {
		return nil, err
	}
	if s.Timeout > maxSettingsTimeout {
		return nil, located(&FieldError{Path: "timeout", Code: CodeFormat, Value: s.Timeout, Message: "is more seconds than a time limit can have"}, data, file)
	}
	return s, nil
}

// maxSettingsTimeout is in seconds what a time.Duration holds with room to spare.
const maxSettingsTimeout = 4e9
