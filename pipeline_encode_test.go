package scriptspec_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// saved is a pipeline with everything in it that a file can hold, and the store with the spec that it
// refers to.
func saved(t *testing.T) (*scriptspec.Store, *scriptspec.PipelineTestingSpec) {
	t.Helper()
	store, err := scriptspec.OpenStore(t.TempDir(), nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	prep := noted()
	prep.ScriptName, prep.StepName = "prep", "Prep_training"
	prep.AddEnvironVar("TOKEN", sentinel)
	require.NoError(t, store.Save(prep))
	return store, &scriptspec.PipelineTestingSpec{
		Name: "churn_2",
		DAG: &scriptspec.DAG{
			Nodes: []string{"Load", "Prep_training", "Train"},
			Edges: [][2]string{{"Load", "Prep_training"}, {"Prep_training", "Train"}},
		},
		Specs: map[string]scriptspec.Spec{"Prep_training": prep, "Train": step("Train", []string{"input:data_output"}, []string{"model"})},
		Refs:  map[string]string{"Prep_training": "prep"},
		Skip:  map[string]string{"Load": "no script: \"é\""},
		Wires: []scriptspec.Wire{{Source: "Prep_training", Output: "data_output", Dest: "Train", Input: "input"}},
		Options: scriptspec.PipelineOptions{
			Timeout: 1500 * time.Millisecond, Parallelism: 2, FailFast: true, AllowSemantic: true,
		},
	}
}

func pipelineFile(store *scriptspec.Store, name string) string {
	return filepath.Join(filepath.Dir(store.Path("x")), name+"_pipeline_testing_spec.json")
}

func TestPipelineFile(t *testing.T) {
	t.Parallel()
	store, p := saved(t)
	require.NoError(t, store.SavePipeline(p))
	file := pipelineFile(store, "churn_2")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Contains(t, string(text), `    "Prep_training": "prep",
    "Train": {
      "script_name": "s",
      "step_name": "Train",`)
	assert.Contains(t, string(text), `    "edges": [
      ["Load", "Prep_training"],
      ["Prep_training", "Train"]
    ]
`)
	assert.True(t, strings.HasSuffix(string(text), `  "options": {
    "timeout": 1.5,
    "parallelism": 2,
    "fail_fast": true,
    "allow_semantic": true
  }
}
`), "%s", text)
	assert.NotContains(t, string(text), sentinel, "the spec that is referred to is not in the file")
	info, err := os.Stat(file)
	require.NoError(t, err)

	for range 25 {
		got, err := store.LoadPipeline("churn_2")
		require.NoError(t, err)
		assert.Equal(t, p.DAG, got.DAG)
		assert.Equal(t, p.Refs, got.Refs)
		assert.Equal(t, p.Skip, got.Skip)
		assert.Equal(t, p.Wires, got.Wires)
		assert.Equal(t, p.Options, got.Options)
		require.Len(t, got.Specs, 2)
		assert.True(t, p.Specs["Train"].(*scriptspec.EnhancedScriptExecutionSpec).Equal(got.Specs["Train"].(*scriptspec.EnhancedScriptExecutionSpec)))
		assert.Equal(t, sentinel, got.Specs["Prep_training"].Basic().EnvironVars["TOKEN"])
		require.NoError(t, got.Validate())
		require.NoError(t, store.SavePipeline(got))
		again, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, string(text), string(again))
	}
	later, err := os.Stat(file)
	require.NoError(t, err)
	assert.True(t, os.SameFile(info, later), "what says the same already is not written")

	for s, err := range store.All() {
		require.NoError(t, err)
		assert.Equal(t, "prep_runtime_test_spec.json", s.SpecFileName(), "pipelines are no specs")
	}

	// A step's own file comes before the script's.
	own := noted()
	own.ScriptName, own.StepName = "prep", "Prep_training"
	own.AddJobArg("own", true)
	require.NoError(t, store.SaveStep(own))
	got, err := store.LoadPipeline("churn_2")
	require.NoError(t, err)
	assert.Contains(t, got.Specs["Prep_training"].Basic().JobArgs, "own")

	for _, timeout := range []time.Duration{0, 1, 300 * time.Millisecond, 1_234_567_891, 4*time.Hour + 3*time.Nanosecond, 67_067_000_067} {
		p.Options.Timeout = timeout
		require.NoError(t, store.SavePipeline(p))
		got, err := store.LoadPipeline("churn_2")
		require.NoError(t, err)
		assert.Equal(t, timeout, got.Options.Timeout)
	}

	p = &scriptspec.PipelineTestingSpec{Name: "bare", DAG: &scriptspec.DAG{}}
	require.NoError(t, store.SavePipeline(p))
	got, err = store.LoadPipeline("bare")
	require.NoError(t, err)
	assert.EqualExportedValues(t, &scriptspec.PipelineTestingSpec{Name: "bare", DAG: &scriptspec.DAG{}, Specs: map[string]scriptspec.Spec{}}, got)
}

func TestSavePipelineRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(p *scriptspec.PipelineTestingSpec)
		want   problem
	}{
		"no name":       {func(p *scriptspec.PipelineTestingSpec) { p.Name = "" }, problem{"name", scriptspec.CodeRequired, "name is required: it becomes part of the file name"}},
		"a path":        {func(p *scriptspec.PipelineTestingSpec) { p.Name = "../x" }, problem{"name", scriptspec.CodeFormat, "name must be in snake_case format, as it becomes part of a file name"}},
		"a long name":   {func(p *scriptspec.PipelineTestingSpec) { p.Name = strings.Repeat("x", 240) }, problem{"name", scriptspec.CodeTooLong, "name is too long for a file name"}},
		"no graph":      {func(p *scriptspec.PipelineTestingSpec) { p.DAG = nil }, problem{"dag", scriptspec.CodeRequired, "dag is required"}},
		"a loose edge":  {func(p *scriptspec.PipelineTestingSpec) { p.DAG.Edges[0][1] = "X" }, problem{"edges[0][1]", scriptspec.CodeUnknownNode, "edge Load -> X: there is no node X"}},
		"a wrong ref":   {func(p *scriptspec.PipelineTestingSpec) { p.Refs["Train"] = "train" }, problem{`refs["Train"]`, scriptspec.CodeFormat, "node Train refers to the spec of script train and has that of s"}},
		"a ref to none": {func(p *scriptspec.PipelineTestingSpec) { p.Refs["Load"] = "No Script" }, problem{`refs["Load"]`, scriptspec.CodeFormat, "node Load refers to No Script, which is not a valid script name"}},
		"a broken spec": {func(p *scriptspec.PipelineTestingSpec) {
			p.Specs["Train"].(*scriptspec.EnhancedScriptExecutionSpec).ScriptName = ""
		}, problem{`specs["Train"]`, scriptspec.CodeFormat, "the spec of Train cannot be saved"}},
		"no UTF-8":       {func(p *scriptspec.PipelineTestingSpec) { p.Skip["Load"] = "\xff" }, problem{"skip", scriptspec.CodeUnsupported, "text that is not valid UTF-8"}},
		"less than none": {func(p *scriptspec.PipelineTestingSpec) { p.Options.Parallelism = -1 }, problem{"options.parallelism", scriptspec.CodeFormat, "parallelism is negative"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, p := saved(t)
			test.change(p)
			assert.Equal(t, []problem{test.want}, problems(t, store.SavePipeline(p)))
			files, err := filepath.Glob(filepath.Join(filepath.Dir(store.Path("x")), "*pipeline*"))
			require.NoError(t, err)
			assert.Empty(t, files)
		})
	}
	store, p := saved(t)
	require.Error(t, store.SavePipeline(nil))
	for what, reason := range map[string]string{"what Load refuses": "a\x00b", "more than Load reads": strings.Repeat("x", 16<<20)} {
		p.Skip["Load"] = reason
		_, ok := errors.AsType[*scriptspec.DecodeError](store.SavePipeline(p))
		require.True(t, ok, what)
		require.NoFileExists(t, pipelineFile(store, p.Name), what)
	}
	p.Skip["Load"] = "no script"
	require.NoError(t, store.Close())
	require.ErrorIs(t, store.SavePipeline(p), fs.ErrClosed)
	_, err := store.LoadPipeline("churn_2")
	require.ErrorIs(t, err, fs.ErrClosed)
}

func TestLoadPipelineRefuses(t *testing.T) {
	t.Parallel()
	const head = `{"name":"p","dag":{"nodes":["A","B"],"edges":[]},` + "\n"
	for name, test := range map[string]struct{ text, want string }{
		"empty":              {"", ":1:1: the file is empty"},
		"not UTF-8":          {head + "\"skip\":{\"A\":\"\xff\"}}", `:2:14: skip["A"]: invalid UTF-8`},
		"cut off":            {head + `"skip":{`, ":2:9: skip: the document ends too early; the file was cut off"},
		"no graph":           {`{"name":"p"}`, ":1:1: dag: missing; a pipeline needs it"},
		"no nodes":           {`{"name":"p","dag":{"edges":[]}}`, ":1:19: dag.nodes: missing; a graph needs it"},
		"no name":            {`{"dag":{"nodes":[]}}`, ":1:1: name: missing; a pipeline needs it"},
		"a loose edge":       {`{"name":"p","dag":{"nodes":["A"],"edges":[["A",` + "\n" + `"X"]]}}`, ":2:1: dag.edges[0][1]: edge A -> X: there is no node X"},
		"unknown in a graph": {`{"name":"p","specs":{},` + "\n" + `"dag":{"nodes":["A","B"],"edgs":[["A","B"]]}}`, ":2:26: dag.edgs: unknown member; a graph has nodes and edges"},
		"unknown member":     {head + `"skipp":{}}`, ":2:1: skipp: unknown member (did you mean skip?)"},
		"unknown option":     {head + `"options":{"fail_fats":true}}`, ":2:12: options.fail_fats: unknown member (did you mean fail_fast?)"},
		"another case":       {head + `"Skip":{}}`, ":2:1: Skip: differs from skip only in case; write skip"},
		"a member twice":     {head + `"skip":{},"skip":{}}`, ":2:11: skip: duplicate name, first at 2:1; keep one of them"},
		"a node twice":       {head + `"specs":{"A":"a",` + "\n" + `"A":"b"}}`, `:3:1: specs["A"]: duplicate name, first at 2:10; keep one of them`},
		"a number for spec":  {head + `"specs":{"A":1}}`, `:2:14: specs["A"]: want the name of a script whose spec is in the store, or a spec`},
		"a path for script":  {head + `"specs":{"A":"../a"}}`, `:2:14: specs["A"]: is not a valid script name; want snake_case`},
		"a spec without":     {head + `"specs":{"A":{"script_name":"a"}}}`, `:2:14: specs["A"].step_name: missing; a spec needs it`},
		"a spec twice in":    {head + `"specs":{"A":{"script_name":"a","step_name":"A","input_paths":{"x":"1",` + "\n" + `"x":"2"}}}}`, `:3:1: specs["A"].input_paths["x"]: duplicate name, first at 2:64; keep one of them`},
		"half a wire":        {head + `"wires":[{"source":"A","dest":"B"}]}`, ":2:10: wires[0]: a wire needs the members source, output, dest, input"},
		"a wire of numbers":  {head + `"wires":[{"source":1,"dest":"B","output":"","input":""}]}`, ":2:20: wires[0].source: want a string, found a number"},
		"a negative time":    {head + `"options":{"timeout":-1}}`, ":2:22: options.timeout: want a number of seconds; 0 means what the tester has"},
		"a long time":        {head + `"options":{"timeout":1e30}}`, ":2:22: options.timeout: want a number of seconds; 0 means what the tester has"},
		"half a script":      {head + `"options":{"parallelism":1.5}}`, ":2:26: options.parallelism: want the number of scripts that may run at the same time; 0 means one for each CPU"},
		"a word for a bool":  {head + `"options":{"fail_fast":"yes"}}`, ":2:24: options.fail_fast: want a boolean, found a string"},
		"another pipeline":   {`{"name":"q","dag":{"nodes":[]}}`, `: holds the pipeline "q"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, _ := saved(t)
			write(t, pipelineFile(store, "p"), test.text)
			p, err := store.LoadPipeline("p")
			require.Error(t, err)
			assert.Nil(t, p)
			assert.Equal(t, test.want, strings.TrimPrefix(err.Error(), pipelineFile(store, "p")))
			_, ok := errors.AsType[*scriptspec.DecodeError](err)
			assert.True(t, ok, "%T", err)
		})
	}
	store, _ := saved(t)
	_, err := store.LoadPipeline("p")
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = store.LoadPipeline("../p")
	fe, ok := errors.AsType[*scriptspec.FieldError](err)
	require.True(t, ok)
	assert.Equal(t, scriptspec.CodeFormat, fe.Code)
	write(t, pipelineFile(store, "p"), `{"name":"q","dag":{"nodes":[]}}`)
	_, err = store.LoadPipeline("p")
	require.ErrorIs(t, err, scriptspec.ErrMismatch)
}

// Every reference that cannot be followed is named, with its file and the way out.
func TestLoadPipelineWithoutItsSpecs(t *testing.T) {
	t.Parallel()
	store, _ := saved(t)
	write(t, pipelineFile(store, "p"), `{"name":"p","dag":{"nodes":["A","B","Prep"]},"specs":{"A":"gone","B":"broken","Prep":"prep"}}`)
	write(t, store.Path("broken"), "{")
	_, err := store.LoadPipeline("p")
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorIs(t, err, scriptspec.ErrCorrupt)
	got := problems(t, err)
	require.Len(t, got, 2)
	assert.Equal(t, problem{`specs["A"]`, scriptspec.CodeNotExist, "node A refers to the spec of script gone, which is not in the store: " + store.Path("gone")}, got[0])
	assert.Equal(t, `specs["B"]`, got[1].path)
	assert.Contains(t, got[1].message, "node B refers to the spec of script broken, which cannot be loaded: "+store.Path("broken")+":1:2:")
	ve, _ := errors.AsType[*scriptspec.ValidationError](err)
	for fe := range ve.All() {
		assert.Equal(t, fe.Path == `specs["A"]`, fe.Hint != "")
	}
}

// What people and editors want to know of a pipeline is in its file, and in no run.
func TestPipelineMetadata(t *testing.T) {
	t.Parallel()
	st := openStore(t, t.TempDir(), nil)
	p := &scriptspec.PipelineTestingSpec{
		Name: "churn", DAG: &scriptspec.DAG{Nodes: []string{"A"}}, Schema: "x.json", Version: 2, Description: "all of it", Tags: []string{"nightly"},
		Labels: map[string]string{"owner": "churn"}, Extra: map[string]jsonRaw{"x-a": jsonRaw(`[1]`)},
	}
	require.NoError(t, st.SavePipeline(p))
	file := filepath.Join(filepath.Dir(st.Path("x")), "churn_pipeline_testing_spec.json")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(string(text), "{\n  \"$schema\": \"x.json\",\n  \"name\": \"churn\","), "%s", text)
	assert.Contains(t, string(text), "  \"pipeline_version\": 2,\n  \"description\": \"all of it\",\n  \"tags\": [\n    \"nightly\"\n  ],\n  \"labels\": {\n    \"owner\": \"churn\"\n  },\n  \"x-a\": [\n    1\n  ]\n}\n")
	got, err := st.LoadPipeline("churn")
	require.NoError(t, err)
	require.NoError(t, st.SavePipeline(got))
	again, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(text), string(again))
	for bad, want := range map[string]string{
		`"tags": ["X"]`: "tags[0]: must begin with", `"pipeline_version": 0`: "must be a whole number, 1 or more", `"labels": {"a": 1}`: "want a string", `"y-a": 1`: "unknown member",
	} {
		write(t, file, `{"name": "churn", "dag": {"nodes": ["A"]}, `+bad+`}`)
		_, err = st.LoadPipeline("churn")
		assert.ErrorContains(t, err, want)
	}
	write(t, file, `{"name": "churn", "dag": {"nodes": ["A"]}, "pipeline_version": null, "description": null, "tags": null, "labels": null}`)
	got, err = st.LoadPipeline("churn")
	require.NoError(t, err)
	assert.Nil(t, got.Tags)

	p.Skip = map[string]string{"A": "needs no script"}
	require.NoError(t, p.Validate())
	p.Extra, p.Tags, p.Version = map[string]jsonRaw{"other": jsonRaw(`1`)}, []string{"X", "a", "a"}, -1
	p.Labels = map[string]string{"Owner": "x"}
	want := []problem{
		{"pipeline_version", scriptspec.CodeFormat, "pipeline_version is negative"},
		{"tags[0]", scriptspec.CodeFormat, "tags[0] must begin with a lower-case letter or digit, and have only these, '_', '.' and '-'"},
		{"tags[2]", scriptspec.CodeDuplicate, "tags[2] is in the list twice"},
		{`labels["Owner"]`, scriptspec.CodeFormat, `labels["Owner"] must begin with a lower-case letter or digit, and have only these, '_', '.' and '-'`},
		{"other", scriptspec.CodeFormat, "a pipeline has no member other"},
	}
	assert.Equal(t, want, problems(t, p.Validate()))
	assert.Equal(t, want, problems(t, st.SavePipeline(p)))
	assert.ErrorContains(t, st.SavePipeline(p), "prefix members of your own with x-")
}
