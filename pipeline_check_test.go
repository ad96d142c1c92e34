package scriptspec_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// flow is data in a new directory.
func flow(t testing.TB, files map[string]string) scriptspec.Transfer {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	return scriptspec.Transfer{Source: "A", Output: "o", Dest: "B", Input: "i", Path: dir}
}

// checkAll returns what the default checkers say, one string each.
func checkAll(t *testing.T, d scriptspec.Transfer) []string {
	t.Helper()
	texts := []string{}
	for _, check := range scriptspec.DefaultCheckers() {
		if err := check(t.Context(), d); err != nil {
			_, ok := errors.AsType[*scriptspec.DecodeError](err)
			assert.True(t, ok, "%T", err)
			texts = append(texts, err.Error())
		}
	}
	return texts
}

func TestDefaultCheckers(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"good":         {map[string]string{"a.csv": "a,b\n1,2\n", "b/m.json": "{}", "l.jsonl": "1\n2\n", "x.bin": "\x00"}, []string{}},
		"nothing":      {nil, []string{"there is no file with content"}},
		"empty":        {map[string]string{"a.bin": ""}, []string{"there is no file with content"}},
		"only parts":   {map[string]string{"a.csv.part": "a", ".x": "x"}, []string{"there is no file with content"}},
		"header alone": {map[string]string{"a.csv": "a,b\n"}, []string{}},
		"rows cut off": {map[string]string{"a.csv": "a,b\n1\n"}, []string{}},
		"several": {
			map[string]string{"a.csv": "a,,b\n1\n", "b/c.tsv": "a\ta\n", "m.json": "{"},
			[]string{"a.csv:1:1: column 2 has no name\nb/c.tsv:1:1: columns 1 and 2 have one name", "m.json: ends before the document does"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := flow(t, tc.files)
			for range 25 {
				require.Equal(t, tc.want, checkAll(t, d))
			}
		})
	}
}

func TestCheckersOfAFile(t *testing.T) {
	t.Parallel()
	d := flow(t, map[string]string{"a.csv": "a,a\n1\n"})
	d.Path = filepath.Join(d.Path, "a.csv")
	assert.Equal(t, []string{"a.csv:1:1: columns 1 and 2 have one name"}, checkAll(t, d))
}

func TestCheckersOfNothing(t *testing.T) {
	t.Parallel()
	d := flow(t, nil)
	d.Path = filepath.Join(d.Path, "none")
	assert.Len(t, checkAll(t, d), 1, "one problem, not one of each check")
	assert.ErrorIs(t, scriptspec.CheckExists(t.Context(), d), fs.ErrNotExist)
	assert.Error(t, scriptspec.CheckTables(0, "a")(t.Context(), d))
	d.Path = os.DevNull
	assert.ErrorIs(t, scriptspec.CheckExists(t.Context(), d), fs.ErrInvalid, "a device is no data")
	assert.ErrorIs(t, scriptspec.CheckJSON(t.Context(), d), fs.ErrInvalid)
}

func TestCheckTables(t *testing.T) {
	t.Parallel()
	d := flow(t, map[string]string{"a.csv": "id,x\n1,2\n", "b.csv": "id,y\n1,2\n2,3\n"})
	assert.NoError(t, scriptspec.CheckTables(1, "id")(t.Context(), d))
	assert.EqualError(t, scriptspec.CheckTables(2)(t.Context(), d), "a.csv: has 1 rows below its header; want at least 2")
	assert.EqualError(t, scriptspec.CheckTables(0, "id", "x")(t.Context(), d), `b.csv:1:1: there is no column "x"`)
	cut := flow(t, map[string]string{"a.csv": "id,x\n1\n"})
	assert.EqualError(t, scriptspec.CheckTables(0)(t.Context(), cut), "a.csv:2:1: the row has 1 fields, the header 2")
	assert.NoError(t, scriptspec.CheckTables(-1, "x")(t.Context(), cut))
	none := flow(t, map[string]string{"m.json": "{}"})
	assert.NoError(t, scriptspec.CheckTables(1)(t.Context(), none))
	assert.EqualError(t, scriptspec.CheckTables(1, "id")(t.Context(), none), "there is no table (.csv, .tsv)")
}

// The columns are those of the call, whatever becomes of the slice.
func TestCheckTablesKeepsItsColumns(t *testing.T) {
	t.Parallel()
	columns := []string{"id"}
	check := scriptspec.CheckTables(0, columns...)
	columns[0] = "other"
	assert.NoError(t, check(t.Context(), flow(t, map[string]string{"a.csv": "id\n"})))
}

func TestCheckersStopAtTwentyProblems(t *testing.T) {
	t.Parallel()
	files := map[string]string{}
	for i := range 30 {
		files[fmt.Sprintf("%02d.json", i)] = "x"
	}
	err := scriptspec.CheckJSON(t.Context(), flow(t, files))
	assert.Equal(t, 20, strings.Count(err.Error(), "is not JSON"))
	assert.NotContains(t, err.Error(), "more", "the others were not looked at")
	de, ok := errors.AsType[*scriptspec.DecodeError](err)
	require.True(t, ok)
	assert.Equal(t, &scriptspec.DecodeError{File: "00.json", Line: 1, Column: 1, Message: "is not JSON"}, de)
}

// What is in the data stays there.
func TestCheckersShowNoData(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		sentinel + "," + sentinel + "\n", "a,b\n" + sentinel + "\n", "a,b\n\"" + sentinel, "a,b\nx\"" + sentinel + ",2\n",
		"{\"" + sentinel + "\": " + sentinel + "}", "[\"" + sentinel + "\" x]", "{\"" + sentinel + "\": {\"a\" 1}}", sentinel,
	} {
		d := flow(t, map[string]string{"a.csv": text, "a.tsv": text, "a.json": text, "a.jsonl": text})
		checkers := append(scriptspec.DefaultCheckers(), scriptspec.CheckTables(1, "column"))
		for _, check := range checkers {
			if err := check(t.Context(), d); err != nil {
				for e := err; e != nil; e = errors.Unwrap(e) {
					assert.NotContains(t, fmt.Sprintf("%v %+v %#v", e, e, e), sentinel)
				}
			}
		}
	}
}

func TestCheckersEndWithTheContext(t *testing.T) {
	t.Parallel()
	why := errors.New("why")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	d := flow(t, map[string]string{"a.csv": "a\n", "m.json": "1"})
	for _, check := range scriptspec.DefaultCheckers() {
		assert.ErrorIs(t, check(ctx, d), why)
	}
}

// BenchmarkCheckTables compares the check of a table of 10 MB with encoding/csv alone. Goal: 1.1.
func BenchmarkCheckTables(b *testing.B) {
	var text bytes.Buffer
	text.WriteString("id,name,amount,comment\n")
	for i := range 250_000 {
		fmt.Fprintf(&text, "%d,name %d,%d.5,\"well, %d\"\n", i, i, i, i)
	}
	d := flow(b, map[string]string{"a.csv": text.String()})
	check := scriptspec.CheckTables(1, "id")
	compare(b, 1, func() {
		f, err := os.Open(filepath.Join(d.Path, "a.csv"))
		require.NoError(b, err)
		defer f.Close()
		r := csv.NewReader(f)
		r.ReuseRecord = true
		for err == nil {
			_, err = r.Read()
		}
		require.ErrorIs(b, err, io.EOF)
	}, func() { require.NoError(b, check(b.Context(), d)) })
}

func TestInspectData(t *testing.T) {
	t.Parallel()
	d := flow(t, map[string]string{"a.csv": "a,b\n1,2\n", "b/model.pkl": "\x80\x04\x95", "m.csv": "{}", "x.tmp": "x"})
	files, size, formats := scriptspec.InspectData(d.Path)
	assert.Equal(t, 3, files)
	assert.Equal(t, int64(13), size)
	assert.Equal(t, []string{"csv", "json named .csv", "pickle"}, formats)
}

// BenchmarkInspectData compares looking at 10,000 files with listing them alone. Goal: 2.
func BenchmarkInspectData(b *testing.B) {
	files := map[string]string{}
	for i := range amount(10_000) {
		files[fmt.Sprintf("part-%05d.csv", i)] = "a,b\n1,2\n"
	}
	d := flow(b, files)
	compare(b, 1, func() {
		require.NoError(b, filepath.WalkDir(d.Path, func(_ string, entry fs.DirEntry, _ error) error {
			_, err := entry.Info()
			return err
		}))
	}, func() { scriptspec.InspectData(d.Path) })
}
