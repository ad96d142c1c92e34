package scriptspec_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// neglected is a store with something of everything that is wrong, in a directory of its own.
func neglected(t *testing.T) (*scriptspec.Store, string) {
	t.Helper()
	dir := t.TempDir()
	st := openStore(t, filepath.Join(dir, "testdata"), &scriptspec.StoreOptions{Base: dir})
	write(t, filepath.Join(dir, "train.py"), "def main(input_paths, output_paths, environ_vars, job_args):\n    input_paths['data'], output_paths['model'], job_args.rate\n")
	write(t, filepath.Join(dir, "load.py"), "def main(output_paths):\n    output_paths['data']\n")
	for name, text := range map[string]string{
		"load_runtime_test_spec.json":      `{"script_name": "load", "step_name": "Load", "script_path": "load.py", "output_paths": {"data": "out/load"}}`,
		"train_runtime_test_spec.json":     "{\n  \"script_name\": \"train\",\n  \"step_name\": \"Train\",\n  \"script_path\": \"train.py\",\n  \"input_paths\": {\"data\": \"in/none\", \"more\": \"in/none\"},\n  \"output_paths\": {\"model\": \"out/train\"},\n  \"job_args\": {\"rat\": 1},\n  \"tagz\": 1,\n  \"x-own\": 1,\n  \"extends\": [\"defaults\"],\n  \"depends_on\": {\"steps\": [\"Laod\"]},\n  \"examples\": [{\"name\": \"a\", \"job_args\": {\"rate\": 1}}]\n}\n",
		"other_runtime_test_spec.json":     `{"script_name": "another", "step_name": "Other", "script_path": "load.py"}`,
		"broken_runtime_test_spec.json":    "{\n \"script_name\": 1\n}",
		"newer_runtime_test_spec.json":     `{"script_name": "newer", "step_name": "Newer", "script_path": "load.py", "output_paths": {"data": "out/newer"}, "spec_version": 3, "tags": ["gpu", "nighly"]}`,
		"x_runtime_test_specs.json":        "{}",
		"defaults_spec_base.json":          `{"job_args": {"rate": 0.5}, "timeout": 9}`,
		"churn_pipeline_testing_spec.json": `{"name": "churn", "dag": {"nodes": ["Load", "Train"], "edges": [["Load", "Train"]]}, "specs": {"Load": "load", "Train": "train"}}`,
		"bad_pipeline_testing_spec.json":   `{"name": "bad", "dag": {"nodes": ["Load"], "edges": [["Load", "Trian"]]}}`,
	} {
		write(t, filepath.Join(dir, "testdata", ".specs", name), text)
	}
	return st, filepath.Join(dir, "testdata", ".specs")
}

func linted(t *testing.T, r *scriptspec.LintResult, write func(r *scriptspec.LintResult, b *bytes.Buffer) error) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, write(r, &b))
	return strings.ReplaceAll(b.String(), r.Dir+"/", "")
}

func TestLint(t *testing.T) {
	t.Parallel()
	python(t)
	st, dir := neglected(t)
	r, err := st.Lint(t.Context(), &scriptspec.LintOptions{Scripts: true, KnownTags: []string{"nightly", "gpu"}})
	require.NoError(t, err)
	assert.False(t, r.Success())
	assert.Len(t, r.Files, 8)
	text := linted(t, r, func(r *scriptspec.LintResult, b *bytes.Buffer) error { return r.WriteText(b) })
	for _, want := range []string{
		"bad_pipeline_testing_spec.json:1:63: error: dag.edges[0][1]: edge Load -> Trian: there is no node Trian [unknown_node]\n",
		"churn_pipeline_testing_spec.json:1:121: error: specs[\"Train\"].depends_on.steps[0]: no spec or node has the step_name Laod (did you mean Load?) [unknown_step]\n",
		"broken_runtime_test_spec.json:2:17: error: script_name: want a string, found a number [unreadable]\n",
		"newer_runtime_test_spec.json:1:129: warning: spec_version is 3, and this version of scriptspec knows up to 2 (use a newer one) [newer_version]\n",
		"other_runtime_test_spec.json:1:17: error: script_name: the file is named after script other (rename the file or correct script_name) [mismatch]\n",
		"train_runtime_test_spec.json:5:46: error: input_paths[\"more\"]: Input path 'more' does not exist: ",
		"train_runtime_test_spec.json:7:23: warning: job_args[\"rat\"]: the spec has it and the script never reads it [drift]\n",
		"train_runtime_test_spec.json:7:15: warning: job_args[\"rate\"]: ",
		"train_runtime_test_spec.json:8:11: warning: tagz: unknown member (did you mean tags?) [unknown_member]\n",
		"train_runtime_test_spec.json:11:28: warning: depends_on.steps[0]: no spec or node has the step_name Laod (did you mean Load?) [unknown_step]\n",
		"train_runtime_test_spec.json:12:51: warning: examples[0].job_args[\"rate\"]: the example sets a name that the spec does not have (did you mean rat?) [unknown_member]\n",
		"warning: timeout: out of date with its bases: timeout: added 9 (render the spec) [stale_base]\n",
		"newer_runtime_test_spec.json:1:148: warning: tags[1]: the tag nighly is not declared (did you mean nightly?) [unknown_tag]\n",
		"x_runtime_test_specs.json:1:1: warning: looks like a spec, but is ignored because of its name (want <script_name>_runtime_test_spec.json) [misnamed]\n",
	} {
		assert.Contains(t, text, want)
	}
	assert.NotContains(t, text, `input_paths["data"]`, "an edge of a pipeline feeds it")
	assert.NotContains(t, text, "x-own")
	assert.NotContains(t, text, "[unused]", "nobody knows what the pipeline has that cannot be loaded")

	github := linted(t, r, func(r *scriptspec.LintResult, b *bytes.Buffer) error { return r.WriteGitHub(b) })
	assert.Contains(t, github, "::warning title=unknown_member,file=train_runtime_test_spec.json,line=8,col=11::tagz: unknown member")
	checkCommands(t, github)
	elements := checkJUnit(t, linted(t, r, func(r *scriptspec.LintResult, b *bytes.Buffer) error { return r.WriteJUnit(b) }))
	assert.Len(t, elements["testcase"], 9)

	var sarif struct {
		Version string
		Runs    []struct {
			Tool struct {
				Driver struct{ Rules []struct{ ID string } }
			}
			Results []struct {
				RuleID    string
				RuleIndex int
				Level     string
				Locations []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI, URIBaseID string }
					}
				}
				PartialFingerprints map[string]string
			}
		}
	}
	var b bytes.Buffer
	require.NoError(t, r.WriteSARIF(&b, filepath.Dir(filepath.Dir(dir))))
	require.NoError(t, json.Unmarshal(b.Bytes(), &sarif))
	assert.Equal(t, "2.1.0", sarif.Version)
	require.Len(t, sarif.Runs[0].Results, len(r.Findings))
	prints := map[string]bool{}
	for _, result := range sarif.Runs[0].Results {
		assert.Equal(t, result.RuleID, sarif.Runs[0].Tool.Driver.Rules[result.RuleIndex].ID)
		assert.True(t, strings.HasPrefix(result.Locations[0].PhysicalLocation.ArtifactLocation.URI, "testdata/.specs/"))
		prints[result.PartialFingerprints["scriptspec/v1"]] = true
	}
	assert.Len(t, prints, len(r.Findings), "each has a fingerprint of its own")

	// What has one right answer is mended.
	r, err = st.Lint(t.Context(), &scriptspec.LintOptions{Fix: true})
	require.NoError(t, err)
	assert.Contains(t, linted(t, r, func(r *scriptspec.LintResult, b *bytes.Buffer) error { return r.WriteText(b) }), "(render the spec) (fixed) [stale_base]")
	r, err = st.Lint(t.Context(), nil)
	require.NoError(t, err)
	assert.NotContains(t, linted(t, r, func(r *scriptspec.LintResult, b *bytes.Buffer) error { return r.WriteText(b) }), "stale_base")

	// Of a store with pipelines each spec is one of theirs, or that is said.
	require.NoError(t, os.Remove(filepath.Join(dir, "bad_pipeline_testing_spec.json")))
	r, err = st.Lint(t.Context(), nil)
	require.NoError(t, err)
	text = linted(t, r, func(r *scriptspec.LintResult, b *bytes.Buffer) error { return r.WriteText(b) })
	assert.Contains(t, text, "newer_runtime_test_spec.json:1:1: note: no pipeline of the store refers to this spec [unused]\n")
	assert.NotContains(t, text, "load_runtime_test_spec.json:1:1: note")
	write(t, filepath.Join(dir, "lost_pipeline_testing_spec.json"), `{"name": "lost", "dag": {"nodes": ["Load", "Train"], "edges": [["Load", "Train"], ["Train", "Load"]]}, "specs": {"Load": "load", "Train": "train"}}`)
	r, err = st.Lint(t.Context(), nil)
	require.NoError(t, err)
	text = linted(t, r, func(r *scriptspec.LintResult, b *bytes.Buffer) error { return r.WriteText(b) })
	assert.Contains(t, text, "lost_pipeline_testing_spec.json:")
	assert.NotContains(t, text, "[unused]", "nor that of one without a plan")

	none, err := openStore(t, filepath.Join(t.TempDir(), "none"), nil).Lint(t.Context(), nil)
	require.NoError(t, err)
	assert.True(t, none.Success())
	var empty bytes.Buffer
	require.NoError(t, none.WriteSARIF(&empty, "."))
	assert.Contains(t, empty.String(), `"results": []`)
}

// Bases and templates are looked at as well, each mistake in its own file.
func TestLintOfBases(t *testing.T) {
	t.Parallel()
	st := openStore(t, t.TempDir(), nil)
	dir := filepath.Dir(st.Path("x"))
	for name, text := range map[string]string{
		"broken_spec_base.json": "{\n  \"tags\": [\"X\"],\n  \"nope\": 1\n}", "newer_spec_base.json": `{"spec_version": 3, "timeout": {}}`, "wrong_spec_base.json": `{"depends_on": {"packages": {"x": "1.3"}}}`,
		"lost_spec_base.json": `{"extends": ["nobody"]}`, "deep_spec_base.json": `{"extends": ["lost"]}`, "a_spec_base.json": `{"extends": ["b"]}`, "b_spec_base.json": `{"extends": ["a"]}`,
		"into_spec_base.json": `{"extends": ["a"]}`, "templates/t.json": `{"template_version": 2, "name": "t", "spec": {}}`, "templates/notes.txt": "x",
		"train_runtime_test_spec.json": `{"script_name": "train", "step_name": "Train", "script_path": "` + filepath.Join(dir, "train.py") + `", "extends": ["wrong", "newer"]}`,
		"train.py":                     "",
	} {
		write(t, filepath.Join(dir, name), text)
	}
	train, err := os.ReadFile(st.Path("train"))
	require.NoError(t, err)
	column := func(part string) string { return strconv.Itoa(1 + strings.Index(string(train), part)) }
	r, err := st.Lint(t.Context(), nil)
	require.NoError(t, err)
	assert.Len(t, r.Files, 10)
	assert.Equal(t, strings.Join([]string{
		`a_spec_base.json:1:14: error: extends[0]: bases go in a circle: a -> b -> a [base_cycle]`,
		`b_spec_base.json:1:14: error: extends[0]: bases go in a circle: b -> a -> b [base_cycle]`,
		`broken_spec_base.json:2:12: error: tags[0]: must begin with a lower-case letter or digit, and have only these, '_', '.' and '-' [format]`,
		`broken_spec_base.json:3:3: error: nope: unknown member [unknown_member]`,
		`lost_spec_base.json:1:14: error: extends[0]: there is no base nobody in ` + dir + ` [unknown_base]`,
		`newer_spec_base.json:1:18: error: spec_version: is 3, and this version of scriptspec knows up to 2 (use a newer one) [newer_version]`,
		`templates/t.json:1:22: error: template_version: this version of scriptspec knows templates of version 1 [newer_version]`,
		`train_runtime_test_spec.json:1:` + column(`"wrong"`) + `: error: extends[0]: base wrong cannot be loaded: wrong_spec_base.json:1:35: depends_on.packages["x"]: 1.3 is no version as PEP 440 writes them (want something like >=1.3,<2 or ==2.*) [format]`,
		`train_runtime_test_spec.json:1:` + column(`"newer"`) + `: error: extends[1]: base newer cannot be loaded: newer_spec_base.json:1:18: spec_version: is 3, and this version of scriptspec knows up to 2 (use a newer one) [newer_version]`,
		`wrong_spec_base.json:1:35: error: depends_on.packages["x"]: 1.3 is no version as PEP 440 writes them (want something like >=1.3,<2 or ==2.*) [format]`,
	}, "\n")+"\n", linted(t, r, func(r *scriptspec.LintResult, b *bytes.Buffer) error { return r.WriteText(b) }))
}

// An editor has texts that are not saved yet.
func TestLintOfTexts(t *testing.T) {
	t.Parallel()
	st, dir := neglected(t)
	r, err := st.Lint(t.Context(), &scriptspec.LintOptions{Fix: true, Texts: map[string][]byte{
		"broken_runtime_test_spec.json": []byte("{\n \"script_name\": \"broken\",\n \"step_name\": \"Broken\",\n \"script_path\": \"load.py\", \"x-é\": 1, \"tagz\": [1,\n2]}"),
		"new_runtime_test_spec.json":    []byte("{"),
		"other_runtime_test_spec.json":  []byte(`{"script_name": "other", "step_name": "Other", "script_path": "load.py", "extends": ["defaults"]}`),
		"notes.txt":                     []byte("x"),
	}})
	require.NoError(t, err)
	found := map[string]scriptspec.Finding{}
	for _, f := range r.Findings {
		found[filepath.Base(f.File)+" "+string(f.Code)] = f
	}
	f := found["broken_runtime_test_spec.json unknown_member"]
	assert.Equal(t, [4]int{4, 47, 5, 3}, [4]int{f.Line, f.Column, f.EndLine, f.EndColumn})
	assert.Equal(t, 1, found["new_runtime_test_spec.json unreadable"].Line)
	assert.False(t, found["other_runtime_test_spec.json stale_base"].Fixed, "a text is the editor's to change")
	assert.NotContains(t, r.Files, filepath.Join(dir, "notes.txt"))
	text, err := os.ReadFile(filepath.Join(dir, "other_runtime_test_spec.json"))
	require.NoError(t, err)
	assert.Contains(t, string(text), "another")
	var b bytes.Buffer
	require.NoError(t, r.WriteSARIF(&b, dir))
	assert.Contains(t, b.String(), "\"startLine\": 4,\n                  \"startColumn\": 46", "code points")
}

func TestLocate(t *testing.T) {
	t.Parallel()
	text := []byte("{\n  \"a\": {\"b.c\": [1, {\"d\": true}]},\n  \"\": 1\n}")
	for path, want := range map[string][3]int{
		"":                 {1, 1, 1},
		"a":                {2, 8, 1},
		`a["b.c"]`:         {2, 16, 1},
		`a["b.c"][1]`:      {2, 20, 1},
		`a["b.c"][1].d`:    {2, 26, 1},
		`a["b.c"][1]["d"]`: {2, 26, 1},
		`a["b.c"][7]`:      {2, 16, 0},
		"a.x.y":            {2, 8, 0},
		`[""]`:             {3, 7, 1},
		"none":             {1, 1, 0},
		"a[":               {2, 8, 1},
	} {
		line, column, ok := scriptspec.Locate(text, path)
		assert.Equal(t, want, [3]int{line, column, map[bool]int{true: 1}[ok]}, path)
	}
	line, _, ok := scriptspec.Locate([]byte("{"), "a")
	assert.Equal(t, 1, line)
	assert.False(t, ok)
}

func TestDiff(t *testing.T) {
	t.Parallel()
	a, b := noted(), noted()
	b.UpdateTimestamp()
	changes, err := scriptspec.Diff(a, b)
	require.NoError(t, err)
	assert.Empty(t, changes)
	b.AddEnvironVar("TOKEN", sentinel)
	b.AddInputPath("more", "x")
	b.Tags = []string{"gpu"}
	b.ScriptPath = "other.py"
	changes, err = scriptspec.Diff(a, b)
	require.NoError(t, err)
	got := strings.Join(lines(changes), "\n")
	for _, want := range []string{`environ_vars["TOKEN"]: added "[redacted]"`, `input_paths["more"]: added "x"`, `tags: added ["gpu"]`, "script_path: changed "} {
		assert.Contains(t, got, want)
	}
	assert.Len(t, changes, 4)
	// 1 and 1.0 differ, as in the file; and nothing that Equal looks at is passed over, but for times.
	one, other := noted(), noted()
	one.JobArgs["x"], other.JobArgs["x"] = jsonNumber("1"), jsonNumber("1.0")
	changes, err = scriptspec.Diff(one, other)
	require.NoError(t, err)
	assert.Equal(t, []string{`job_args["x"]: changed 1 to 1.0`}, lines(changes))
	all := fullSpec(t)
	all.Optional = []string{"metrics"}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[scriptspec.ScriptExecutionSpec]()) {
		if field.Anonymous || field.Name == "CreatedAt" || field.Name == "UpdatedAt" || field.Name == "SpecVersion" {
			continue
		}
		differ := 0
		for _, whole := range []*scriptspec.ScriptExecutionSpec{noted(), all} {
			without := whole.Clone()
			value := reflect.ValueOf(without).Elem().FieldByIndex(field.Index)
			value.SetZero()
			without.ScriptName, without.StepName = whole.ScriptName, whole.StepName
			switch field.Name {
			case "ScriptName":
				without.ScriptName = "other"
			case "StepName":
				without.StepName = "Other"
			}
			changes, err := scriptspec.Diff(whole, without)
			require.NoError(t, err, field.Name)
			assert.Equal(t, whole.Equal(without), len(changes) == 0, "Diff and Equal see %s differently", field.Name)
			differ += len(changes)
		}
		assert.Positive(t, differ, "Diff passes over %s", field.Name)
	}
	_, err = scriptspec.Diff(a, nil)
	require.Error(t, err)
}

// A file that cannot be loaded breaks a rule as any other does, if it is JSON.
func TestLintOfWhatCannotBeLoaded(t *testing.T) {
	t.Parallel()
	const spec = `{"script_name": "a", "step_name": "A", "script_path": "a.py"`
	for text, want := range map[string]scriptspec.Code{
		`{"script_name": "a"`:                                           scriptspec.CodeUnreadable,
		`{"script_name": "a", "step_name": "A"}`:                        scriptspec.CodeRequired,
		spec + `, "tags": ["X"]}`:                                       scriptspec.CodeFormat,
		spec + `, "tags": ["x", "x"]}`:                                  scriptspec.CodeDuplicate,
		spec + `, "step_name": "B"}`:                                    scriptspec.CodeDuplicate,
		spec + `, "Job_Args": {}}`:                                      scriptspec.CodeUnknownMember,
		spec + `, "input_paths": {"x": "\u0000"}}`:                      scriptspec.CodeNUL,
		spec + `, "environ_vars": {"": "1"}}`:                           scriptspec.CodeEmpty,
		spec + `, "labels": {"x": "` + strings.Repeat("y", 257) + `"}}`: scriptspec.CodeTooLong,
		spec + `, "timeout": -1}`:                                       scriptspec.CodeFormat,
		spec + `, "job_args": []}`:                                      scriptspec.CodeUnreadable,
	} {
		st := openStore(t, t.TempDir(), nil)
		write(t, st.Path("a"), text)
		r, err := st.Lint(t.Context(), nil)
		require.NoError(t, err)
		require.NotEmpty(t, r.Findings, text)
		assert.Equal(t, want, r.Findings[0].Code, "%s: %s", text, r.Findings[0].Message)
	}
}

// A spec or graph that is broken is no reason to look on the disk for what an edge feeds.
func TestLintOfWhatBrokenPipelinesFeed(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		load, edges string
		want        []string
	}{
		"a spec that cannot be loaded": {`{"script_name": "load"`, `["Load", "Train"], ["Train", "Eval"]`, []string{`eval more`}},
		"no spec at all":               {"", `["Load", "Train"], ["Train", "Eval"]`, []string{`eval more`}},
		"without an order":             {`{"script_name": "load", "step_name": "Load", "script_path": "a.py", "output_paths": {"data": "o"}}`, `["Load", "Train"], ["Train", "Eval"], ["Eval", "Train"]`, nil},
		"whole":                        {`{"script_name": "load", "step_name": "Load", "script_path": "a.py", "output_paths": {"data": "o"}}`, `["Load", "Train"], ["Train", "Eval"]`, []string{`eval more`, `train rest`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			st := openStore(t, filepath.Join(dir, "testdata"), &scriptspec.StoreOptions{Base: dir})
			write(t, filepath.Join(dir, "a.py"), "")
			if test.load != "" {
				write(t, st.Path("load"), test.load)
			}
			write(t, st.Path("train"), `{"script_name": "train", "step_name": "Train", "script_path": "a.py", "input_paths": {"data": "none", "rest": "none"}, "output_paths": {"model": "m"}}`)
			write(t, st.Path("eval"), `{"script_name": "eval", "step_name": "Eval", "script_path": "a.py", "input_paths": {"model": "none", "more": "none"}}`)
			write(t, filepath.Join(dir, "testdata", ".specs", "p_pipeline_testing_spec.json"),
				`{"name": "p", "dag": {"nodes": ["Load", "Train", "Eval"], "edges": [`+test.edges+`]}, "specs": {"Load": "load", "Train": "train", "Eval": "eval"}}`)
			r, err := st.Lint(t.Context(), nil)
			require.NoError(t, err)
			var missing []string
			for _, f := range r.Findings {
				if script, ok := strings.CutSuffix(filepath.Base(f.File), "_runtime_test_spec.json"); ok && f.Code == scriptspec.CodeNotExist {
					missing = append(missing, script+" "+strings.TrimSuffix(strings.TrimPrefix(f.Path, `input_paths["`), `"]`))
				}
			}
			assert.Equal(t, test.want, missing)
			said := slices.ContainsFunc(r.Findings, func(f scriptspec.Finding) bool { return filepath.Base(f.File) == "p_pipeline_testing_spec.json" })
			assert.Equal(t, name != "whole", said, "what is broken")
		})
	}
}
