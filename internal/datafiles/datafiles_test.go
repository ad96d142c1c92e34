package datafiles_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec/internal/datafiles"
)

// data writes files below a new directory.
func data(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	return dir
}

func open(t *testing.T, path string) *datafiles.Place {
	t.Helper()
	p, err := datafiles.Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, p.Close()) })
	return p
}

func names(t *testing.T, path string) []string {
	t.Helper()
	list := []string{}
	for f, err := range open(t, path).Files() {
		require.NoError(t, err)
		list = append(list, fmt.Sprintf("%s %d", f.Name, f.Size))
	}
	return list
}

func TestFilesLeavesTemporaryOnesOut(t *testing.T) {
	t.Parallel()
	dir := data(t, map[string]string{
		"b.csv": "x", "a/c.csv": "xy", "a/d/e": "", ".hidden": "x", ".git/x": "x", "x.tmp": "x", "x~": "x", "x.temp": "x",
		"x.part": "x", "x.swp": "x", "__pycache__/m.pyc": "x", "tmp.d.tmp/kept": "x", "part": "x",
	})
	assert.Equal(t, []string{"a/c.csv 2", "a/d/e 0", "b.csv 1", "part 1", "tmp.d.tmp/kept 1"}, names(t, dir))
	assert.Equal(t, []string{"c.csv 2"}, names(t, filepath.Join(dir, "a", "c.csv")), "a file is a place")
	assert.Equal(t, []string{".hidden 1"}, names(t, filepath.Join(dir, ".hidden")), "what was asked for is looked at")
	_, err := datafiles.Open(filepath.Join(dir, "none"))
	assert.ErrorIs(t, err, os.ErrNotExist)
}

// Names are bytes, and those of directories need not be UTF-8 either.
func TestFilesInDirectoriesOfAnyName(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	odd := filepath.Join(dir, "caf\xe9")
	if err := os.Mkdir(odd, 0o700); err != nil {
		t.Skipf("the file system takes UTF-8 only: %v", err)
	}
	require.NoError(t, os.WriteFile(filepath.Join(odd, "a.json"), []byte("{}"), 0o600))
	assert.Equal(t, []string{"caf\xe9/a.json 2"}, names(t, dir))
	assert.NoError(t, open(t, dir).JSON(t.Context(), "caf\xe9/a.json"))
}

func TestFilesStopsWhenAskedTo(t *testing.T) {
	t.Parallel()
	seen := 0
	for _, err := range open(t, data(t, map[string]string{"a": "", "b": ""})).Files() {
		require.NoError(t, err)
		seen++
		break
	}
	assert.Equal(t, 1, seen)
}

func TestFormats(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 5000)
	for name, tc := range map[string]struct{ file, text, want string }{
		"csv":                     {"a.csv", "a,b\n1,2\n", "csv"},
		"upper case":              {"A.CSV", "a,b\n1,2\n", "csv"},
		"one column":              {"a.csv", "a\n1\n", "csv"},
		"semicolons":              {"a.csv", "a;b\n1;2\n", "csv"},
		"csv, no name":            {"part-0", "a,\"b,c\"\n1,2\n", "csv?"},
		"tsv":                     {"a.tsv", "a\tb\n1\t2\n", "tsv"},
		"tsv, no name":            {"a", "a\tb\n1\t2\n", "tsv?"},
		"tsv named csv":           {"a.csv", "a\tb\n1\t2\n", "tsv named .csv"},
		"json":                    {"a.json", "{\"a\": [1]}\n", "json"},
		"json, byte order mark":   {"a.json", "\ufeff{}", "json"},
		"json, no name":           {"a", "[1, 2]", "json?"},
		"json named csv":          {"a.csv", `{"a": 1}`, "json named .csv"},
		"no json at all":          {"a.json", "oops", "json?"},
		"broken json":             {"a.json", `{"a": `, "json?"},
		"long json":               {"a.json", `{"a": "` + long + `"}`, "json"},
		"jsonl":                   {"a.jsonl", "{}\n{}\n", "jsonl"},
		"jsonl, one line":         {"a.ndjson", "{}\n", "jsonl"},
		"jsonl named json":        {"a.json", "{}\n{}\n", "jsonl named .json"},
		"long jsonl":              {"a", "{}\n{\"a\": \"" + long + "\"}\n", "jsonl?"},
		"text":                    {"a.txt", "a,b\n1,2\n", "text"},
		"text, no name":           {"README", "one\ntwo, three\n", "text"},
		"latin-1":                 {"a", "caf\xe9\n", "text"},
		"yaml":                    {"a.yml", "a: 1\n", "yaml"},
		"xml":                     {"a", "<?xml version='1.0'?>", "xml"},
		"white space":             {"a", " \n", "text"},
		"parquet":                 {"a.parquet", "PAR1\x15\x00\x15", "parquet"},
		"parquet, no name":        {"a", "PAR1\x15\x00\x15", "parquet"},
		"parquet named csv":       {"a.csv", "PAR1\x15\x00\x15", "parquet named .csv"},
		"text that begins so":     {"a.txt", "PAR1 is a magic number", "text"},
		"text named parquet":      {"a.parquet", "no", "text named .parquet"},
		"gzip":                    {"a.csv.gz", "\x1f\x8b\x08", "gzip"},
		"npz":                     {"a.npz", "PK\x03\x04\x14\x00", "npz"},
		"npy":                     {"a.npy", "\x93NUMPY\x01\x00", "npy"},
		"pickle":                  {"m.pkl", "\x80\x04\x95\x05", "pickle"},
		"joblib":                  {"m.joblib", "\x80\x03c", "joblib"},
		"pytorch":                 {"m.pt", "PK\x03\x04\x00\x00", "pytorch"},
		"hdf5":                    {"m.h5", "\x89HDF\r\n\x1a\n\x00", "hdf5"},
		"sqlite":                  {"m.db", "SQLite format 3\x00", "sqlite"},
		"tar":                     {"m.tar", strings.Repeat("\x00", 257) + "ustar\x00", "tar"},
		"zip named pickle":        {"m.pkl", "PK\x03\x04\x00\x00", "zip named .pkl"},
		"binary":                  {"m.bin", "\x00\x01\x02", "binary"},
		"binary named csv":        {"m.csv", "\x00\x01\x02", "binary named .csv"},
		"empty":                   {"m.csv", "", "empty"},
		"an extension of control": {"a.\x1b[31m", "\x00", "binary"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := data(t, map[string]string{tc.file: tc.text})
			files, size, formats := datafiles.Inspect(dir)
			assert.Equal(t, 1, files)
			assert.Equal(t, int64(len(tc.text)), size)
			assert.Equal(t, []string{tc.want}, formats)
		})
	}
}

func TestInspect(t *testing.T) {
	t.Parallel()
	dir := data(t, map[string]string{"a.csv": "a,b\n1,2\n", "b/c.json": "{}", "b/d.json": "{}", "e": "", "f.tmp": "zzz"})
	for range 25 {
		files, size, formats := datafiles.Inspect(dir)
		assert.Equal(t, 4, files)
		assert.Equal(t, int64(12), size)
		assert.Equal(t, []string{"csv", "empty", "json"}, formats)
	}
	files, size, formats := datafiles.Inspect(filepath.Join(dir, "none"))
	assert.Zero(t, files)
	assert.Zero(t, size)
	assert.Empty(t, formats)
}

// Of many files only some are looked into: here all others would be refused, being no longer there
// under the extension that the first have.
func TestInspectLooksIntoFewOfMany(t *testing.T) {
	t.Parallel()
	files := map[string]string{}
	for i := range 300 {
		files[fmt.Sprintf("part-%03d.csv", i)] = "a,b\n1,2\n"
		files[fmt.Sprintf("x.x%03d", i)] = "x"
	}
	files["part-299.csv"] = "PAR1\x00"
	files["z.json"] = "{}"
	n, _, formats := datafiles.Inspect(data(t, files))
	assert.Equal(t, 601, n)
	assert.Equal(t, []string{"csv", "json?", "text"}, formats)
}

func TestTable(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		file, text string
		rule       datafiles.TableRule
		want       string
	}{
		"good":                {"a.csv", "a,b\n1,2\n", datafiles.TableRule{}, ""},
		"no last newline":     {"a.csv", "a,b\n1,2", datafiles.TableRule{MinRows: 1}, ""},
		"quoted newline":      {"a.csv", "a,b\n\"1\n1\",2\n3,4\n", datafiles.TableRule{MinRows: 2}, ""},
		"byte order mark":     {"a.csv", "\ufeff\"a\",b\r\n1,2\r\n", datafiles.TableRule{Columns: []string{"a"}}, ""},
		"index of pandas":     {"a.csv", ",a\n0,1\n", datafiles.TableRule{}, ""},
		"semicolons":          {"a.csv", "a;b\n1,5;2\n", datafiles.TableRule{Columns: []string{"b"}}, ""},
		"header alone":        {"a.csv", "a,b\n", datafiles.TableRule{}, ""},
		"tsv":                 {"a.tsv", "a\tb\nsay \"x\"\t2\n", datafiles.TableRule{}, ""},
		"rows left alone":     {"a.csv", "a,b\n1\n\"", datafiles.TableRule{MinRows: -1}, ""},
		"too few rows":        {"a.csv", "a,b\n1,2\n", datafiles.TableRule{MinRows: 2}, "a.csv: has 1 rows below its header; want at least 2"},
		"long row":            {"a.csv", "a,b\n1,2\n1,2,3\n", datafiles.TableRule{}, "a.csv:3:1: the row has 3 fields, the header 2"},
		"short row":           {"a.csv", "a,b\n\"1\n1\",2\n1\n", datafiles.TableRule{}, "a.csv:4:1: the row has 1 fields, the header 2"},
		"no name":             {"a.csv", "a,,b\n1,2,3\n", datafiles.TableRule{}, "a.csv:1:1: column 2 has no name"},
		"one name":            {"a.csv", "a,b, a\n1,2,3\n", datafiles.TableRule{}, "a.csv:1:1: columns 1 and 3 have one name"},
		"lacks a column":      {"a.csv", "a,b\n", datafiles.TableRule{Columns: []string{"b", "c"}}, `a.csv:1:1: there is no column "c"`},
		"bare quote":          {"a.csv", "a,b\nx\"x,1\n", datafiles.TableRule{}, "a.csv:2:2: a quote inside a field that is not quoted"},
		"open quote":          {"a.csv", "a,b\n\"x,1\n", datafiles.TableRule{}, "a.csv:2:1: a quoted field does not end with its quote"},
		"open quote, forever": {"a.csv", "a,b\n\"" + strings.Repeat("x", 17<<20), datafiles.TableRule{}, "a.csv: a row is longer than 16 MiB; is a quote not closed?"},
		"empty":               {"a.csv", "", datafiles.TableRule{}, "a.csv: is empty; a table has a header"},
		"blank":               {"a.csv", " \n\n", datafiles.TableRule{}, "a.csv: is empty; a table has a header"},
		"parquet":             {"a.csv", "PAR1\x00", datafiles.TableRule{}, "a.csv: is no text table: its content is parquet"},
		"utf-16":              {"a.csv", "\xff\xfea\x00,\x00b\x00", datafiles.TableRule{}, "a.csv: is no text table: its content is binary"},
		"missing":             {"b/../a.csv", "", datafiles.TableRule{}, "b/../a.csv: cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := open(t, data(t, map[string]string{filepath.Base(tc.file): tc.text}))
			check(t, tc.want, p.Table(t.Context(), tc.file, tc.rule))
		})
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ file, text, want string }{
		"object":          {"a.json", "{\"a\": [1, 2]}\n", ""},
		"scalar":          {"a.json", "1\n", ""},
		"twice one name":  {"a.json", `{"a": 1, "a": 2}`, ""},
		"lines":           {"a.jsonl", "{}\n\n[1]\n\"x\"", ""},
		"empty":           {"a.json", " \n", "a.json: is empty"},
		"no lines":        {"a.jsonl", "\n", "a.jsonl: is empty"},
		"cut off":         {"a.json", "{\n\"a\": [", "a.json: ends before the document does"},
		"lines in .json":  {"a.json", "{}\n{}\n", ""},
		"scalars":         {"a.json", "1\n2\n3", ""},
		"second document": {"a.json", "{}\n{\n}\n{}{}\n", "a.json:2:1: a second document begins here; JSON Lines have each on a line of its own"},
		"NaN in lines":    {"a.jsonl", "{}\n{\"auc\": NaN}\n", "a.jsonl:2:9: NaN is not JSON"},
		"Infinity":        {"a.json", "{\"a\": Infinity}", "a.json:1:7: Infinity is not JSON"},
		"not JSON":        {"a.json", "{\n\"a\": 1\n\"b\": 2}", "a.json:3:1: is not JSON"},
		"NaN":             {"a.json", "[\nNaN]", "a.json:2:1: NaN is not JSON"},
		"not UTF-8":       {"a.json", "\"\xff\"", "a.json:1:2: is not JSON"},
		"trailing":        {"a.json", "{}\nx", "a.json:2:1: is not JSON"},
		"bad line":        {"a.ndjson", "{}\n\n{\n}", "a.ndjson:3:1: is not one JSON document"},
		"two on a line":   {"a.jsonl", "{}{}\n", "a.jsonl:1:1: is not one JSON document"},
		"long value":      {"a.json", "\"" + strings.Repeat("x", 17<<20), "a.json: a value is longer than 16 MiB"},
		"long line":       {"a.jsonl", "1\n\"" + strings.Repeat("x", 17<<20), "a.jsonl:2:1: the line is longer than 16 MiB"},
		"missing":         {"b/../a.json", "", "b/../a.json: cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := open(t, data(t, map[string]string{filepath.Base(tc.file): tc.text}))
			check(t, tc.want, p.JSON(t.Context(), tc.file))
		})
	}
}

func check(t *testing.T, want string, err error) {
	t.Helper()
	if want == "" {
		require.NoError(t, err)
		return
	}
	var problem *datafiles.Problem
	require.ErrorAs(t, err, &problem)
	assert.Equal(t, want, problem.Error())
}

// A large document is read through a window; nothing of it adds up.
func TestLargeDocuments(t *testing.T) {
	t.Parallel()
	p := open(t, data(t, map[string]string{
		"a.json": "[" + strings.Repeat("{\"a\": \"xxxxxxxxxxxxxxxxxxxxx\"},\n", 1<<20) + "1]",
		"a.csv":  "a,b\n" + strings.Repeat("xxxxxxxxxxxxxxxxx,y\n", 1<<20),
	}))
	assert.NoError(t, p.JSON(t.Context(), "a.json"))
	assert.NoError(t, p.Table(t.Context(), "a.csv", datafiles.TableRule{MinRows: 1 << 20}))
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	why := errors.New("why")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	p := open(t, data(t, map[string]string{"a.json": "1", "a.jsonl": "1", "a.csv": "a\n"}))
	assert.ErrorIs(t, p.JSON(ctx, "a.json"), why)
	assert.ErrorIs(t, p.JSON(ctx, "a.jsonl"), why)
	assert.ErrorIs(t, p.Table(ctx, "a.csv", datafiles.TableRule{}), why)
}
