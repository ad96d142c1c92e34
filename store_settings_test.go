package scriptspec_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// What is wrong with the settings is said with the place and what may be there.
func TestSettings(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		`{"timeout": "2m"}`:             {"1:13: timeout: want a number, found a string"},
		`{"timeout": null}`:             {"1:13: timeout: want a number, found null"},
		`{"timeout": -1}`:               {"1:13: timeout: must be a finite number, 0 or more"},
		`{"timeout": 1e99}`:             {"1:13: timeout: is more seconds than a time limit can have"},
		`{"timeout": 2m}`:               {"1:13: not a JSON number"},
		`{"python": 3}`:                 {"1:12: python: want a string, found a number"},
		`{"known_tags": {}}`:            {"1:16: known_tags: want a list, found an object"},
		`{"command_line": ["a", true]}`: {"1:24: command_line[1]: want a string, found a boolean"},
		`{"a\u001b": 1, "pyhton": "p"}`: {`1:2: a\x1b: unknown member`, "1:16: pyhton: unknown member (did you mean python?)"},
		`{"timeout": 1, "timeout": 2}`:  {"1:16: timeout: duplicate name, first at 1:2; keep one of them"},
		`[]`:                            {"1:1: want an object, found a list"},
		`null`:                          {"1:1: want an object, found null"},
		``:                              {"1:1: the file is empty"},
	} {
		dir := t.TempDir()
		st := openStore(t, dir, nil)
		file := filepath.Join(dir, ".specs", "scriptspec.json")
		write(t, file, text)
		_, err := st.Settings()
		if _, isText := errors.AsType[*scriptspec.DecodeError](err); !isText {
			t.Errorf("%s: %v", text, err)
			continue
		}
		for _, want := range want {
			assert.ErrorContains(t, err, file+":"+want, text)
		}
	}
}

func TestSettingsRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	st := openStore(t, dir, nil)
	s, err := st.Settings()
	require.NoError(t, err)
	assert.Equal(t, &scriptspec.Settings{}, s, "there is no directory")
	write(t, filepath.Join(dir, ".specs", "x.json"), "")
	s, err = st.Settings()
	require.NoError(t, err)
	assert.Equal(t, &scriptspec.Settings{}, s, "there is no file")
	write(t, filepath.Join(dir, ".specs", "scriptspec.json"),
		`{"timeout": 1.5, "python": "p", "known_tags": [], "command_line": ["a"], "script_dirs": ["s", "t"]}`)
	s, err = st.Settings()
	require.NoError(t, err)
	assert.Equal(t, &scriptspec.Settings{Python: "p", Timeout: 1500 * time.Millisecond, CommandLine: []string{"a"}, KnownTags: []string{}, ScriptDirs: []string{"s", "t"}}, s)

	text, err := json.Marshal(s)
	require.NoError(t, err)
	assert.JSONEq(t, `{"timeout": 1.5, "python": "p", "known_tags": [], "command_line": ["a"], "script_dirs": ["s", "t"]}`, string(text))
	var again scriptspec.Settings
	require.NoError(t, json.Unmarshal(text, &again))
	assert.Equal(t, *s, again)
	before := again
	require.Error(t, json.Unmarshal([]byte(`{"timeout": 2, "pyhton": "p"}`), &again))
	assert.Equal(t, before, again, "nothing of what is refused")
}

// The nearest directory with specs is found from below it and beside it, and a file of that name is none.
func TestFindStore(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	at := func(path string) string { return filepath.Join(top, path) }
	write(t, at("testdata/.specs/a.json"), "{}")
	write(t, at("sub/deep/.specs"), "a file")
	write(t, at("other/.specs/a.json"), "{}")
	write(t, at("other/testdata/.specs/a.json"), "{}")
	for dir, want := range map[string]string{
		".": "testdata", "sub/deep": "testdata", "none": "testdata", "testdata": "testdata", "testdata/.specs": "testdata", "other": "other", "other/x": "other",
	} {
		found, err := scriptspec.FindStore(at(dir))
		require.NoError(t, err)
		assert.Equal(t, at(want), found, dir)
	}
	here, err := filepath.Abs("")
	require.NoError(t, err)
	want, wantErr := scriptspec.FindStore(here)
	got, err := scriptspec.FindStore("")
	assert.Equal(t, want, got)
	assert.Equal(t, wantErr, err)
	_, err = scriptspec.FindStore(t.TempDir())
	require.ErrorIs(t, err, fs.ErrNotExist)
}
