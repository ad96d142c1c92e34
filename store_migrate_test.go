package scriptspec_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// Each file of testdata/migrate becomes its golden pair, and that stays as it is. A program that knows the members of
// version 1 alone reads the same from both.
func TestMigrateGoldenPairs(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/migrate/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	const same = `
import json, sys
old, new = (json.load(open(path, encoding="utf-8-sig")) for path in sys.argv[1:])
print(all(new[name] == value for name, value in old.items()))
`
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		st := openStore(t, t.TempDir(), nil)
		s, err := decode(string(text))
		require.NoError(t, err, file)
		write(t, st.Path(s.Basic().ScriptName), string(text))
		for m, err := range st.MigrateAll(t.Context(), nil) {
			require.NoError(t, err)
			assert.Equal(t, string(text), string(m.Old))
			golden(t, "migrate/"+filepath.Base(file)+".golden", string(m.New))
			golden(t, "migrate/"+filepath.Base(file)+".changes", strings.Join(lines(m.Changes), "\n")+"\n")
		}
		got, err := os.ReadFile(st.Path(s.Basic().ScriptName))
		require.NoError(t, err)
		assert.Equal(t, string(text), string(got), "it only looks")

		backup := filepath.Join(t.TempDir(), "backup")
		for m, err := range st.MigrateAll(t.Context(), &scriptspec.MigrateOptions{Write: true, Backup: backup}) {
			require.NoError(t, err)
			assert.NotEmpty(t, m.Changes)
			kept, err := os.ReadFile(filepath.Join(backup, filepath.Base(m.File)))
			require.NoError(t, err)
			assert.Equal(t, string(text), string(kept))
			written, err := os.ReadFile(m.File)
			require.NoError(t, err)
			assert.Equal(t, string(m.New), string(written))
		}
		for m, err := range st.MigrateAll(t.Context(), &scriptspec.MigrateOptions{Write: true, Backup: backup}) {
			require.NoError(t, err)
			assert.Empty(t, m.Changes, "twice changes nothing")
			assert.Equal(t, string(m.Old), string(m.New))
		}
		out, err := exec.Command(python(t), "-c", same, file, st.Path(s.Basic().ScriptName)).CombinedOutput()
		require.NoError(t, err)
		assert.Equal(t, "True\n", string(out), "%s: every member is as it was", file)
	}
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	s := noted()
	at := s.UpdatedAt
	changes, err := scriptspec.Migrate(s)
	require.NoError(t, err)
	assert.Equal(t, []string{"spec_version: added 2"}, lines(changes))
	assert.Equal(t, at, s.UpdatedAt, "it asks no clock")
	changes, err = scriptspec.Migrate(s)
	require.NoError(t, err)
	assert.Empty(t, changes)

	old := noted()
	old.SpecVersion, old.Description, old.UpdatedAt = 1, "mine", scriptspec.Timestamp{}
	old.Extra = map[string]jsonRaw{"user_notes": jsonRaw(`"theirs"`), "last_updated": jsonRaw(`"2025-01-02T03:04:05"`)}
	changes, err = scriptspec.Migrate(old)
	require.NoError(t, err)
	assert.Equal(t, []string{"spec_version: changed 1 to 2", `updated_at: added "2025-01-02T03:04:05.000000"`}, lines(changes))
	assert.Equal(t, "mine", old.Description)
	assert.Len(t, old.Extra, 2)

	odd := noted()
	odd.Extra = map[string]jsonRaw{"user_notes": jsonRaw(`"no\u0000text"`), "last_updated": jsonRaw(`"never"`)}
	changes, err = scriptspec.Migrate(odd)
	require.NoError(t, err)
	assert.Equal(t, []string{"spec_version: added 2"}, lines(changes), "what a description cannot have stays where it is")

	newer := noted()
	newer.SpecVersion = 3
	_, err = scriptspec.Migrate(newer)
	assert.ErrorContains(t, err, "spec_version is 3")
	_, err = scriptspec.Migrate(nil)
	require.Error(t, err)
}

// What cannot be migrated is named, and the rest goes on; what is kept is not overwritten.
func TestMigrateAllGoesOn(t *testing.T) {
	t.Parallel()
	st := openStore(t, t.TempDir(), nil)
	backup := t.TempDir()
	write(t, st.Path("a"), `{"script_name": "a", "step_name": "A", "spec_version": 7}`)
	write(t, st.Path("b"), `{`)
	write(t, st.Path("c"), "{\r\n\t\"script_name\": \"c\",\r\n\t\"step_name\": \"C\"\r\n}\r\n")
	write(t, st.Path("d"), `{"script_name":"d","step_name":"D"}`)
	write(t, st.Path("e"), `{"script_name": "e", "spec_version": 1, "step_name":  "E","last_updated":"2025-01-02T03:04:05", "updated_at":null, "user_notes": "n",  "x-m": "description", "tags": [ ]}`)
	write(t, st.Path("f"), `{"script_name": "g", "step_name": "F"}`)
	write(t, st.Path("h"), `{"script_name":"h","step_name":"H"}`)
	write(t, filepath.Join(backup, filepath.Base(st.Path("h"))), `{"script_name":"h","step_name":"H"}`)
	write(t, filepath.Join(backup, filepath.Base(st.Path("d"))), "kept")
	told := map[string]string{}
	for m, err := range st.MigrateAll(t.Context(), &scriptspec.MigrateOptions{Write: true, Backup: backup}) {
		told[filepath.Base(m.File)[:1]] = fmt.Sprint(err)
	}
	assert.Contains(t, told["a"], "a_runtime_test_spec.json:1:56: spec_version: is 7, and this version of scriptspec knows up to 2 (use a newer one)")
	assert.Contains(t, told["b"], "b_runtime_test_spec.json:1:2: ")
	assert.Equal(t, "<nil>", told["c"])
	assert.Contains(t, told["d"], "file exists; name another directory")
	for name, want := range map[string]string{
		"c": "{\r\n\t\"script_name\": \"c\",\r\n\t\"step_name\": \"C\",\r\n\t\"spec_version\": 2\r\n}\r\n",
		"d": `{"script_name":"d","step_name":"D"}`,
		"e": `{"script_name": "e", "spec_version": 2, "step_name":  "E","last_updated":"2025-01-02T03:04:05", "updated_at":"2025-01-02T03:04:05.000000", "user_notes": "n",  "x-m": "description", "tags": [ ],"description": "n"}`,
		"f": `{"script_name": "g", "step_name": "F"}`,
		"h": `{"script_name":"h","step_name":"H","spec_version": 2}`,
	} {
		text, err := os.ReadFile(st.Path(name))
		require.NoError(t, err)
		assert.Equal(t, want, string(text), name)
	}
	assert.Contains(t, told["f"], `f_runtime_test_spec.json: holds the spec of script_name "g"`)
	assert.Equal(t, "<nil>", told["h"], "the copy that is there is the file as it was")

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range st.MigrateAll(ended, nil) {
		require.ErrorIs(t, err, context.Canceled)
	}
}

// A migration that is killed leaves every file whole, as it was or as it is to be.
func TestMigrateIsKilled(t *testing.T) {
	if dir := os.Getenv("SCRIPTSPEC_TEST_MIGRATE"); dir != "" {
		st := openStore(t, dir, nil)
		for _, err := range st.MigrateAll(t.Context(), &scriptspec.MigrateOptions{Write: true}) {
			require.NoError(t, err)
		}
		return
	}
	t.Parallel()
	if testing.Short() {
		t.Skip("starts processes: -short")
	}
	dir := t.TempDir()
	st := openStore(t, dir, nil)
	const files = 1000
	old := map[string][]byte{}
	for i := range files {
		name := fmt.Sprintf("script_%d", i)
		text := []byte(strings.ReplaceAll(notedJSON, "tabular_preprocessing\"", name+"\""))
		old[name] = text
		write(t, st.Path(name), string(text))
	}
	done := 0
	for kill := 0; done < files && kill < 40; kill++ {
		command := exec.Command(os.Args[0], "-test.run=^TestMigrateIsKilled$")
		command.Env = append(os.Environ(), "SCRIPTSPEC_TEST_MIGRATE="+dir)
		require.NoError(t, command.Start())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = command.Wait() // it may have been killed
		}()
		limit := time.NewTimer(time.Duration(20+10*kill) * time.Millisecond)
		select {
		case <-limit.C:
			_ = command.Process.Kill()
			<-ended
		case <-ended:
		}
		done = 0
		for name, text := range old {
			now, err := os.ReadFile(st.Path(name))
			require.NoError(t, err)
			if bytes.Equal(now, text) {
				continue
			}
			s, err := decode(string(now))
			require.NoError(t, err, "%s", now)
			require.Equal(t, scriptspec.SpecVersion, s.Basic().SpecVersion)
			done++
		}
	}
	assert.Positive(t, done)
}
