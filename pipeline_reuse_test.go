package scriptspec_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// reusable is a pipeline of First, Middle and Last that has run. First reads a file of the user's and imports a
// module, and its data has a link to a directory in it.
func reusable(t *testing.T) *factory {
	t.Helper()
	f := newFactory(t)
	first := f.node("First", `
import os, helper_rules
def main(input_paths, output_paths):
    os.mkdir(output_paths["rows"] + "/../real")
    with open(os.path.join(output_paths["rows"], "../real/r.csv"), "w") as f:
        f.write("%s %s %s" % (open(input_paths["raw"]).read(), helper_rules.V, os.environ.get("FACTOR")))
    os.symlink("../real", output_paths["rows"] + "/link")
    with open(os.path.join(output_paths["rows"], "own.csv"), "w") as f:
        f.write("own")
`, []string{"raw"}, []string{"rows"})
	first.AddEnvironVar("FACTOR", "7")
	beside := filepath.Dir(first.ScriptPath)
	write(t, filepath.Join(beside, "helper_rules.py"), "V = 1\n")
	write(t, filepath.Join(beside, "codes.json"), "{}")
	first.DependsOn.Files = []string{filepath.Join(beside, "codes.json")}
	f.node("Middle", joins, []string{"rows"}, []string{"done"})
	f.node("Last", joins, []string{"done"}, []string{"report"})
	f.edge("First", "Middle")
	f.edge("Middle", "Last")
	r := f.run(nil)
	require.True(t, r.Success, "%v", r)
	return f
}

// What a reused node was made of is as it was, or it is refused by name.
func TestPipelineReuseIsRefused(t *testing.T) {
	t.Parallel()
	beside := func(f *factory, name string) string {
		return filepath.Join(filepath.Dir(f.p.Specs["First"].Basic().ScriptPath), name)
	}
	for name, test := range map[string]struct {
		change func(t *testing.T, f *factory)
		want   string // what is said of First; "" if it is reused
	}{
		"nothing": {func(*testing.T, *factory) {}, ""},
		"touched": {func(t *testing.T, f *factory) {
			for _, file := range []string{f.p.Specs["First"].Basic().InputPaths["raw"], beside(f, "helper_rules.py"), beside(f, "codes.json"), filepath.Join(f.work(), "First", "rows", "own.csv")} {
				require.NoError(t, os.Chtimes(file, time.Unix(9, 0), time.Unix(9, 0)))
			}
		}, ""},
		"input edited": {func(t *testing.T, f *factory) {
			write(t, f.p.Specs["First"].Basic().InputPaths["raw"], "RAW")
		}, "passed with other data at input raw: "},
		"module edited":                  {func(t *testing.T, f *factory) { write(t, beside(f, "helper_rules.py"), "V = 2\n") }, "passed with other code in a module that it imported: "},
		"file edited that it depends on": {func(t *testing.T, f *factory) { write(t, beside(f, "codes.json"), "[]") }, "passed with another file that it depends on: "},
		"script edited": {func(t *testing.T, f *factory) {
			text, err := os.ReadFile(beside(f, "first.py"))
			require.NoError(t, err)
			write(t, beside(f, "first.py"), string(text)+"\n# more\n")
		}, "passed with another script: "},
		"input edited in place, its time restored": {func(t *testing.T, f *factory) {
			if !onLinux {
				t.Skip("another time of change is known on Linux only")
			}
			raw := f.p.Specs["First"].Basic().InputPaths["raw"]
			info, err := os.Stat(raw)
			require.NoError(t, err)
			write(t, raw, "war")
			require.NoError(t, os.Chtimes(raw, info.ModTime(), info.ModTime()))
		}, "passed with other data at input raw: "},
		"another directory":   {func(t *testing.T, f *factory) { f.tester.Dir = t.TempDir() }, "passed with another spec"},
		"temporary file left": {func(t *testing.T, f *factory) { write(t, filepath.Join(f.work(), "First", "rows", ".lock"), "") }, ""},
		"record without code": {func(t *testing.T, f *factory) {
			record := filepath.Join(f.work(), ".scriptspec", "First.json")
			data, err := os.ReadFile(record)
			require.NoError(t, err)
			write(t, record, strings.Replace(string(data), `"code":`, `"edoc":`, 1))
		}, "passed with another script: "},
		"variable changed": {func(_ *testing.T, f *factory) {
			f.p.Specs["First"].(*scriptspec.ScriptExecutionSpec).AddEnvironVar("FACTOR", "8")
		},
			"passed with another value of the environment variable FACTOR"},
		"variable added": {func(_ *testing.T, f *factory) {
			f.p.Specs["First"].(*scriptspec.ScriptExecutionSpec).AddEnvironVar("OTHER", "")
		}, "passed with another spec"},
		"secret argument changed": {func(_ *testing.T, f *factory) {
			f.p.Specs["First"].(*scriptspec.ScriptExecutionSpec).AddJobArg("api_key", "x")
		}, "passed with another spec"},
		"data edited behind a link": {func(t *testing.T, f *factory) {
			write(t, filepath.Join(f.work(), "First", "real", "r.csv"), "by hand")
		}, "its output rows is not as it was made: "},
		"data deleted behind a link": {func(t *testing.T, f *factory) {
			require.NoError(t, os.Remove(filepath.Join(f.work(), "First", "real", "r.csv")))
		}, "its output rows is not as it was made: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := reusable(t)
			test.change(t, f)
			o := &scriptspec.PipelineOptions{From: []string{"Middle"}, WorkDir: f.work()}
			if test.want == "" {
				r := f.run(o)
				assert.Equal(t, "reused: passed in an earlier run", statuses(r)["First"])
				return
			}
			assert.Contains(t, f.refused(o)[0].message, "node First is not part of this run and "+test.want)
			if !strings.HasPrefix(test.want, "its output") { // for what is behind it counts what it was made of
				last := f.refused(&scriptspec.PipelineOptions{Only: []string{"Last"}})
				assert.Contains(t, last[0].message, "node Middle is not part of this run and ")
				assert.Contains(t, last[0].message, test.want)
			}
		})
	}
}

func TestPipelineReuseAfterSkip(t *testing.T) {
	t.Parallel()
	f := reusable(t)
	only := func() *scriptspec.PipelineOptions { return &scriptspec.PipelineOptions{Only: []string{"Last"}} }
	require.True(t, f.run(only()).Success)
	first := f.p.Specs["First"].(*scriptspec.ScriptExecutionSpec)
	own := filepath.Join(t.TempDir(), "own")
	write(t, filepath.Join(own, "x.csv"), "x")
	first.AddOutputPath("rows", own)
	f.p.Skip["First"] = "slow"
	assert.Contains(t, f.refused(only())[0].message, "node Middle is not part of this run and was made when First was not skipped")
	require.True(t, f.run(&scriptspec.PipelineOptions{From: []string{"Middle"}}).Success)
	require.True(t, f.run(only()).Success)
	write(t, filepath.Join(own, "x.csv"), "other")
	assert.Contains(t, f.refused(only())[0].message, "node Middle is not part of this run and passed with other data at input rows: "+own)
	write(t, filepath.Join(own, "x.csv"), "x")
	require.True(t, f.run(only()).Success, "content decides")
	delete(f.p.Skip, "First")
	assert.Contains(t, f.refused(only())[0].message, "node Middle is not part of this run and was made when First was skipped")
}

// Another pipeline has run a node that both have, in the same work directory.
func TestPipelineReuseAfterAnotherPipeline(t *testing.T) {
	t.Parallel()
	f := reusable(t)
	other := *f
	other.p = &scriptspec.PipelineTestingSpec{
		Name: "other", DAG: &scriptspec.DAG{Nodes: []string{"First"}}, Specs: map[string]scriptspec.Spec{"First": f.p.Specs["First"]},
	}
	require.True(t, other.run(nil).Success)
	message := f.refused(&scriptspec.PipelineOptions{Only: []string{"Last"}})[0].message
	assert.Contains(t, message, "node Middle is not part of this run and was not run since First was, on which it depends")
	require.True(t, f.run(&scriptspec.PipelineOptions{From: []string{"Middle"}}).Success)
}

// Records hold no value of a variable, and no digest of one that could be looked up.
func TestPipelineRecordsAreKeyed(t *testing.T) {
	t.Parallel()
	a, b := reusable(t), reusable(t)
	read := func(f *factory) string {
		data, err := os.ReadFile(filepath.Join(f.work(), ".scriptspec", "First.json"))
		require.NoError(t, err)
		_, environ, ok := strings.Cut(string(data), `"environ":{"FACTOR":"`)
		require.True(t, ok, "%s", data)
		return environ[:64]
	}
	assert.NotEqual(t, read(a), read(b))
}

// What a run would clear is not what it reads, and what is missing is missed before the first script runs.
func TestPipelineLooksBeforeItRuns(t *testing.T) {
	t.Parallel()
	f := reusable(t)
	last := f.p.Specs["Last"].(*scriptspec.ScriptExecutionSpec)
	inside := filepath.Join(f.work(), "First", "mine.csv")
	write(t, inside, "mine")
	last.AddInputPath("extra", inside)
	o := &scriptspec.PipelineOptions{WorkDir: f.work()}
	_, err := f.tester.TestPipeline(t.Context(), f.p, o)
	assert.Equal(t, []problem{{
		`specs["Last"].input_paths["extra"]`, scriptspec.CodeOverlap,
		`input_paths["extra"] lies in the directory of node First in the work directory, which a run clears: ` + inside,
	}}, problems(t, err))
	assert.FileExists(t, inside)

	gone := filepath.Join(t.TempDir(), "gone.csv")
	last.AddInputPath("extra", gone)
	record := filepath.Join(f.work(), ".scriptspec", "First.json")
	before, err := os.Stat(record)
	require.NoError(t, err)
	_, err = f.tester.TestPipeline(t.Context(), f.p, o)
	assert.Equal(t, []problem{{`specs["Last"].input_paths["extra"]`, scriptspec.CodeNotExist, "Input path 'extra' does not exist: " + gone}}, problems(t, err))
	after, err := os.Stat(record)
	require.NoError(t, err)
	assert.True(t, os.SameFile(before, after), "nothing was run")
}

// A pipeline of which nothing can be run is no success.
func TestPipelineOfSkippedNodes(t *testing.T) {
	t.Parallel()
	f := reusable(t)
	for _, node := range f.p.DAG.Nodes {
		f.p.Skip[node] = "not here"
	}
	r := f.run(nil)
	assert.False(t, r.Success)
}

// Relative paths are of other files in another working directory.
func TestPipelineReuseInAnotherDirectory(t *testing.T) {
	f := reusable(t)
	first := f.p.Specs["First"].(*scriptspec.ScriptExecutionSpec)
	here := t.TempDir()
	for _, file := range []string{"first.py", "raw.txt", "helper_rules.py", "codes.json"} {
		data, err := os.ReadFile(filepath.Join(f.dir, file))
		require.NoError(t, err)
		write(t, filepath.Join(here, file), string(data))
	}
	for _, relative := range []func(){
		func() { first.ScriptPath = "first.py" },
		func() { first.ScriptPath = filepath.Join(f.dir, "first.py"); first.AddInputPath("raw", "raw.txt") },
	} {
		t.Chdir(here)
		relative()
		require.True(t, f.run(nil).Success)
		require.True(t, f.run(&scriptspec.PipelineOptions{From: []string{"Middle"}}).Success)
		t.Chdir(t.TempDir())
		write(t, "first.py", "def main(output_paths):\n    pass\n")
		write(t, "raw.txt", "raw")
		assert.Contains(t, f.refused(&scriptspec.PipelineOptions{From: []string{"Middle"}})[0].message, "node First is not part of this run and passed with another spec")
	}
}

// What was saved while a node ran is not what it was made of, as far as anybody knows.
func TestPipelineReuseOfCodeSavedMeanwhile(t *testing.T) {
	t.Parallel()
	f := newFactory(t)
	helper := filepath.Join(f.dir, "helper.py")
	f.node("First", "import helper\ndef main(output_paths):\n    with open(output_paths['rows'] + '/r.csv', 'w') as f:\n        f.write(helper.V)\n    with open(helper.__file__, 'w') as f:\n        f.write(\"V = 'new'\")\n", nil, []string{"rows"})
	write(t, helper, "V = 'old'")
	require.NoError(t, os.Chtimes(helper, time.Unix(9, 0), time.Unix(9, 0)))
	f.node("Last", joins, []string{"rows"}, []string{"done"})
	f.edge("First", "Last")
	require.True(t, f.run(nil).Success)
	assert.Contains(t, f.refused(&scriptspec.PipelineOptions{Only: []string{"Last"}})[0].message, "node First is not part of this run and passed with other code in a module that it imported: "+helper)
}

// An edge that was added says that a node is to come after another.
func TestPipelineReuseWithAnotherEdge(t *testing.T) {
	t.Parallel()
	f := reusable(t)
	f.node("Setup", joins, []string{"raw"}, []string{"other"})
	f.edge("Setup", "First")
	f.p.Wires = append(f.p.Wires, scriptspec.Wire{Source: "Setup", Dest: "First"})
	require.True(t, f.run(&scriptspec.PipelineOptions{Only: []string{"Setup"}}).Success)
	assert.Contains(t, f.refused(&scriptspec.PipelineOptions{From: []string{"Middle"}})[0].message, "node First is not part of this run and passed with another spec")
}

// Links from one input into another are followed, and what is behind them counts.
func TestPipelineReuseOfInputsWithLinks(t *testing.T) {
	t.Parallel()
	f := newFactory(t)
	s := f.node("First", joins, nil, []string{"rows"})
	raw, other := filepath.Join(f.dir, "raw"), filepath.Join(f.dir, "other")
	write(t, filepath.Join(raw, "a.csv"), "a")
	write(t, filepath.Join(raw, "z.csv"), "old")
	write(t, filepath.Join(other, "deep", "b.csv"), "b")
	if os.Symlink("../other/deep", filepath.Join(raw, "b_link")) != nil {
		t.Skip("needs links")
	}
	s.AddInputPath("raw", raw)
	s.AddInputPath("other", other)
	f.node("Last", joins, []string{"rows"}, []string{"done"})
	f.edge("First", "Last")
	require.True(t, f.run(nil).Success)
	only := func() *scriptspec.PipelineOptions { return &scriptspec.PipelineOptions{Only: []string{"Last"}} }
	require.NoError(t, os.Chtimes(filepath.Join(raw, "a.csv"), time.Unix(9, 0), time.Unix(9, 0)))
	require.True(t, f.run(only()).Success, "content decides")
	write(t, filepath.Join(raw, "z.csv"), "new")
	assert.Contains(t, f.refused(only())[0].message, "passed with other data at input raw")
}

// The result of a part is remembered like that of a whole run, however fast the run ends.
func TestPipelineReuseOfAPart(t *testing.T) {
	t.Parallel()
	f := reusable(t)
	require.True(t, f.run(&scriptspec.PipelineOptions{To: []string{"First"}}).Success)
	require.NoError(t, os.Chtimes(filepath.Join(f.work(), "First", "rows", "own.csv"), time.Unix(9, 0), time.Unix(9, 0)))
	require.True(t, f.run(&scriptspec.PipelineOptions{From: []string{"Middle"}}).Success)
}

// A run of a part clears nothing that a node outside of it reads, and not the tester's own directories.
func TestPipelinePartClearsNothingOfOthers(t *testing.T) {
	t.Parallel()
	f := reusable(t)
	mine := filepath.Join(f.work(), "First", "mine", "thesis.tex")
	write(t, mine, "x")
	f.p.Specs["Last"].(*scriptspec.ScriptExecutionSpec).AddInputPath("extra", mine)
	_, err := f.tester.TestPipeline(t.Context(), f.p, &scriptspec.PipelineOptions{WorkDir: f.work(), Only: []string{"First"}})
	require.Len(t, problems(t, err), 1)
	assert.Equal(t, scriptspec.CodeOverlap, problems(t, err)[0].code)
	delete(f.p.Specs["Last"].(*scriptspec.ScriptExecutionSpec).InputPaths, "extra")
	f.tester.Dir = filepath.Dir(mine)
	_, err = f.tester.TestPipeline(t.Context(), f.p, &scriptspec.PipelineOptions{WorkDir: f.work()})
	require.Len(t, problems(t, err), 1)
	assert.Equal(t, "RuntimeTester.Dir", problems(t, err)[0].path)
	assert.FileExists(t, mine)
}

// A secret in the path of a module is in no record and no message.
func TestPipelineRecordsHideSecretPaths(t *testing.T) {
	t.Parallel()
	f := newFactory(t)
	plugins := filepath.Join(t.TempDir(), sentinel)
	write(t, filepath.Join(plugins, "plugin.py"), "V = 1\n")
	f.node("First", "import os, sys\nsys.path.insert(0, os.environ['PLUGINS'])\nimport plugin\ndef main(output_paths):\n    with open(output_paths['rows'] + '/r.csv', 'w') as f:\n        f.write('x')\n", nil, []string{"rows"}).AddEnvironVar("PLUGINS", plugins)
	f.node("Last", joins, []string{"rows"}, []string{"done"})
	f.edge("First", "Last")
	require.True(t, f.run(nil).Success)
	record, err := os.ReadFile(filepath.Join(f.work(), ".scriptspec", "First.json"))
	require.NoError(t, err)
	assert.NotContains(t, string(record), sentinel)
	message := f.refused(&scriptspec.PipelineOptions{Only: []string{"Last"}})[0].message
	assert.NotContains(t, message, sentinel)
	assert.Contains(t, message, "a file with a secret in its path")
}
