package scriptspec_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

func TestRender(t *testing.T) {
	t.Parallel()
	st, s := rendering(t)
	s.AddEnvironVar("OWN", "x")
	changes, err := st.Render(s)
	require.NoError(t, err)
	assert.Equal(t, []string{
		`depends_on.files: added ["io.py"]`,
		`depends_on.packages["sklearn"]: added ">=1"`,
		`environ_vars["LOG"]: added "[redacted]"`,
		`environ_vars["REGION"]: added "[redacted]"`,
		`job_args["batch_size"]: added 64`,
		`job_args["deep"]["a"]: added 1`,
		`job_args["deep"]["b"]: added 2`,
		`labels["owner"]: added "ml"`,
		`tags: changed ["own"] to ["own","base","sklearn"]`,
		`timeout: added 60`,
	}, lines(changes))
	assert.Equal(t, map[string]string{"REGION": "eu", "LOG": "info", "OWN": "x"}, s.EnvironVars)
	require.NoError(t, s.Validate())
	require.NoError(t, st.Save(s))

	// Once more changes nothing, and saves nothing.
	before := encode(t, s)
	changes, err = st.Render(s)
	require.NoError(t, err)
	assert.Empty(t, changes)
	assert.Equal(t, before, encode(t, s))

	origins, err := st.Origins(s)
	require.NoError(t, err)
	assert.Equal(t, map[string]string{
		`environ_vars["REGION"]`: "defaults", `environ_vars["LOG"]`: "root", `environ_vars["OWN"]`: "", `job_args["rows"]`: "", `job_args["batch_size"]`: "defaults",
		`job_args["deep"]["a"]`: "root", `job_args["deep"]["b"]`: "defaults", `tags[0]`: "", `tags[1]`: "sklearn", `tags[2]`: "sklearn", `labels["owner"]`: "defaults",
		`depends_on.packages["sklearn"]`: "sklearn", `depends_on.files[0]`: "sklearn", "timeout": "sklearn",
	}, origins)

	// The author changes one value and takes one out; the bases change both, and another.
	s.JobArgs["batch_size"] = 128
	delete(s.EnvironVars, "LOG")
	s.Tags = []string{"own", "sklearn"}
	write(t, baseFile(st, "defaults"), `{"extends": ["root"], "environ_vars": {"REGION": "ap", "LOG": "debug"}, "job_args": {"batch_size": 256, "deep": {"b": 3}}}`)
	changes, err = st.Render(s)
	require.NoError(t, err)
	assert.Equal(t, []string{
		`environ_vars["REGION"]: changed "[redacted]" to "[redacted]"`,
		`job_args["deep"]["b"]: changed 2 to 3`,
		`labels["owner"]: removed "ml"`,
		`job_args["batch_size"]: kept 128, where a base now says 256`,
	}, lines(changes))
	assert.Equal(t, map[string]string{"REGION": "ap", "OWN": "x"}, s.EnvironVars)
	assert.Equal(t, []string{"own", "sklearn"}, s.Tags)
	changes, err = st.Render(s)
	require.NoError(t, err)
	assert.Empty(t, changes)

	// Without its bases the spec keeps what is its own.
	s.Extends = nil
	_, err = st.Render(s)
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"OWN": "x"}, s.EnvironVars)
	assert.Nil(t, s.Inherited)
	assert.Equal(t, []string{"own"}, s.Tags)
	assert.Zero(t, s.Timeout)
}

// What is emptied in the spec stays empty, and what several bases extend counts below them all.
func TestRenderEmptied(t *testing.T) {
	t.Parallel()
	st, s := rendering(t)
	_, err := st.Render(s)
	require.NoError(t, err)
	s.EnvironVars, s.Labels, s.Tags, s.JobArgs = map[string]string{}, nil, nil, scriptspec.JobArgs{"deep": map[string]any{}}
	changes, err := st.Render(s)
	require.NoError(t, err)
	assert.Empty(t, changes)
	assert.Empty(t, s.EnvironVars)
	assert.Empty(t, s.Labels)
	assert.Empty(t, s.Tags)
	assert.Equal(t, scriptspec.JobArgs{"deep": map[string]any{}}, s.JobArgs)

	for name, text := range map[string]string{
		"root": `{"environ_vars": {"REGION": "root", "LOG": "root"}, "job_args": {"none": null, "empty": {}}}`, "a": `{"extends": ["root"], "environ_vars": {"REGION": "a"}}`, "b": `{"extends": ["root"], "timeout": 5}`,
	} {
		write(t, baseFile(st, name), text)
	}
	s = scriptspec.New("train", "Train", "train.py")
	s.Extends = []string{"a", "b"}
	_, err = st.Render(s)
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"REGION": "a", "LOG": "root"}, s.EnvironVars)
	assert.Equal(t, scriptspec.JobArgs{"none": nil, "empty": map[string]any{}}, s.JobArgs)
	origins, err := st.Origins(s)
	require.NoError(t, err)
	assert.Equal(t, "root", origins[`job_args["none"]`])
	assert.Equal(t, "a", origins[`environ_vars["REGION"]`])
}

// A spec that becomes one of the other kind follows its bases as before.
func TestRenderOfTheOtherKind(t *testing.T) {
	t.Parallel()
	st := openStore(t, t.TempDir(), nil)
	write(t, baseFile(st, "paths"), `{"input_paths": {"data": "d", "gone": "g"}, "output_paths": {"out": "o"}}`)
	s := scriptspec.New("train", "Train", "train.py")
	s.Extends = []string{"paths"}
	_, err := st.Render(s)
	require.NoError(t, err)
	enhanced := scriptspec.Enhance(s, nil)
	write(t, baseFile(st, "paths"), `{"input_paths": {"data": "later"}, "output_paths": {"out": "o"}}`)
	_, err = st.Render(enhanced)
	require.NoError(t, err)
	assert.Len(t, enhanced.InputPathSpecs, 1)
	assert.Equal(t, "later", enhanced.InputPathSpecs["data"].Path)
	write(t, baseFile(st, "paths"), `{"input_paths": {"data": "last"}}`)
	basic := enhanced.Basic()
	_, err = st.Render(basic)
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"data": "last"}, basic.InputPaths)
	assert.Empty(t, basic.OutputPaths)
	basic.Inherited["job_args"] = "no object"
	_, err = st.Render(basic)
	require.NoError(t, err, "what a person wrote there is no reason to stop")
}

// Paths of a base are what the kind of the spec has.
func TestRenderPaths(t *testing.T) {
	t.Parallel()
	st := openStore(t, t.TempDir(), nil)
	write(t, baseFile(st, "paths"), `{"input_paths": {"data": "d"}, "input_path_specs": {"model": {"logical_name": "model", "path": "m", "aliases": ["artifact"]}}, "output_paths": {"out": "o"}}`)
	basic := scriptspec.New("train", "Train", "train.py")
	basic.Extends = []string{"paths"}
	_, err := st.Render(basic)
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"data": "d", "model": "m"}, basic.InputPaths)
	enhanced := scriptspec.Enhance(scriptspec.New("train", "Train", "train.py"), nil)
	enhanced.Extends = []string{"paths"}
	_, err = st.Render(enhanced)
	require.NoError(t, err)
	assert.Equal(t, []string{"artifact"}, enhanced.InputPathSpecs["model"].Aliases)
	assert.Equal(t, "o", enhanced.OutputPathSpecs["out"].Path)
	changes, err := st.Render(enhanced)
	require.NoError(t, err)
	assert.Empty(t, changes)
}

func TestRenderRefusals(t *testing.T) {
	t.Parallel()
	st, s := rendering(t)
	write(t, baseFile(st, "a"), `{"extends": ["b"]}`)
	write(t, baseFile(st, "b"), `{"extends": ["a"]}`)
	write(t, baseFile(st, "broken"), `{`)
	s.Extends = []string{"sklern", "a", "broken"}
	before := s.Clone()
	_, err := st.Render(s)
	got := problems(t, err)
	require.Len(t, got, 3)
	assert.Equal(t, scriptspec.CodeUnknownBase, got[0].code)
	assert.ErrorContains(t, err, "extends[0]: there is no base sklern in ")
	assert.ErrorContains(t, err, "did you mean sklearn?")
	assert.ErrorContains(t, err, "bases go in a circle: a -> b -> a")
	assert.ErrorContains(t, err, "broken_spec_base.json:1:2: ")
	_, err = st.Origins(s)
	require.Error(t, err)
	s.SpecVersion = 3
	before.SpecVersion = 3
	_, err = st.Render(s)
	assert.ErrorContains(t, err, "spec_version is 3, and this version of scriptspec knows up to 2 (use a newer one)")
	assert.True(t, before.Equal(s))
	_, err = st.Render(nil)
	require.Error(t, err)
}

// A run never looks at a base.
func TestRunWithoutBases(t *testing.T) {
	t.Parallel()
	s := scripted(t, writesOutput+"def main(output_paths, job_args):\n    done(output_paths)\n    print(job_args.batch_size)\n")
	st := openStore(t, t.TempDir(), nil)
	write(t, baseFile(st, "defaults"), `{"job_args": {"batch_size": 64}}`)
	s.Extends = []string{"defaults"}
	_, err := st.Render(s)
	require.NoError(t, err)
	require.NoError(t, st.Save(s))
	require.NoError(t, os.Remove(baseFile(st, "defaults")))
	loaded, err := st.Load(s.ScriptName)
	require.NoError(t, err)
	assert.Equal(t, "64\n", run(t, loaded).Stdout.Text)
}

// What a Python program that knows version 1 alone changes, drops and writes counts; the rest follows the bases.
func TestRenderAfterPython(t *testing.T) {
	t.Parallel()
	st, s := rendering(t)
	_, err := st.Render(s)
	require.NoError(t, err)
	require.NoError(t, st.Save(s))
	const program = `
import json, sys
NINE = "script_name step_name script_path input_paths output_paths environ_vars job_args created_at updated_at".split()
with open(sys.argv[1]) as f:
    spec = json.load(f)
spec["job_args"]["batch_size"] = 32
try:
    import pydantic
    from typing import Any, Dict
    fields = dict(script_name=(str, ...), step_name=(str, ...), script_path=(str, ""), input_paths=(Dict[str, str], {}), output_paths=(Dict[str, str], {}),
        environ_vars=(Dict[str, str], {}), job_args=(Dict[str, Any], {}), created_at=(str, None), updated_at=(str, None))
    extra = "allow" if sys.argv[2] == "keeps" else "ignore"  # the second is pydantic's own way
    if pydantic.VERSION.startswith("1."):
        model = pydantic.create_model("Spec", __config__=type("Config", (), {"extra": extra}), **fields)
        written = model(**spec).dict()
    else:
        model = pydantic.create_model("Spec", __config__=pydantic.ConfigDict(extra=extra), **fields)
        written = model(**spec).model_dump()
except ImportError:
    written = {name: spec[name] for name in (NINE if sys.argv[2] == "drops" else spec)}
with open(sys.argv[1], "w") as f:
    json.dump(written, f, indent=2)
`
	for _, mode := range []string{"keeps", "drops"} {
		out, err := exec.Command(python(t), "-c", program, st.Path("train"), mode).CombinedOutput()
		require.NoError(t, err, "%s", out)
		s, err := st.Load("train")
		require.NoError(t, err)
		write(t, baseFile(st, "sklearn"), fmt.Sprintf(`{"timeout": 60, "job_args": {"mode": %q}}`, mode))
		if mode == "drops" {
			assert.Empty(t, s.Extends, "a link is lost, and nothing else")
			s.Extends = []string{"defaults", "sklearn"}
		}
		_, err = st.Render(s)
		require.NoError(t, err)
		size, err := scriptspec.JobArg[int](s.JobArgs, "batch_size")
		require.NoError(t, err)
		assert.Equal(t, 32, size, mode)
		assert.Equal(t, "keeps", s.JobArgs["mode"], "what was in no base before is taken, and stays if nobody knows whose it is")
		require.NoError(t, st.Save(s))
	}
}

func TestRenderHidesSecrets(t *testing.T) {
	t.Parallel()
	st := openStore(t, t.TempDir(), nil)
	write(t, baseFile(st, "secret"), `{"environ_vars": {"TOKEN": "`+sentinel+`"}, "job_args": {"api_key": "`+sentinel+`", "db": {"password": "`+sentinel+`"}, "dsn": "`+sentinel+`"}, "secrets": ["dsn"],
		"examples": [{"name": "a", "environ_vars": {"TOKEN": "`+sentinel+`"}}]}`)
	s := scriptspec.New("train", "Train", "train.py")
	s.Extends, s.Secrets = []string{"secret"}, []string{"dsn"}
	changes, err := st.Render(s)
	require.NoError(t, err)
	require.NotEmpty(t, changes)
	assert.NotContains(t, fmt.Sprintf("%v %+v %#v", changes, changes, changes), sentinel)
	assert.Contains(t, encode(t, s), sentinel)

	other := scriptspec.New("train", "Train", "train.py")
	other.Extends = []string{"secret"} // which says what is secret
	changes, err = st.Render(other)
	require.NoError(t, err)
	assert.NotContains(t, fmt.Sprint(changes), sentinel)
	other.Secrets = nil
	for _, pair := range [][2]scriptspec.Spec{{other, s}, {s, other}, {scriptspec.New("train", "Train", "train.py"), s}} {
		changes, err := scriptspec.Diff(pair[0], pair[1])
		require.NoError(t, err)
		require.NotEmpty(t, changes)
		assert.NotContains(t, fmt.Sprint(changes), sentinel)
	}
}

// What one base calls secret is so whatever another one or the spec says, and stays so.
func TestSecretsOfSeveralBases(t *testing.T) {
	t.Parallel()
	st := openStore(t, t.TempDir(), nil)
	write(t, baseFile(st, "a"), `{"secrets": ["dsn"], "job_args": {"dsn": "`+sentinel+`"}}`)
	write(t, baseFile(st, "b"), `{"secrets": ["other"]}`)
	s := scriptspec.New("train", "Train", "train.py")
	s.Extends, s.Secrets = []string{"a", "b"}, []string{"mine"}
	changes, err := st.Render(s)
	require.NoError(t, err)
	assert.NotContains(t, fmt.Sprint(changes), sentinel)
	assert.Equal(t, []string{"mine", "dsn", "other"}, s.Secrets)
	assert.NotContains(t, encode(t, s.Redacted()), sentinel)
	write(t, baseFile(st, "a"), `{}`)
	changes, err = st.Render(s)
	require.NoError(t, err)
	require.NotEmpty(t, changes)
	assert.NotContains(t, fmt.Sprint(changes), sentinel, "what was inherited is as secret as it was")
}

// A program that writes numbers in another way has changed nothing.
func TestRenderOfOtherSpelling(t *testing.T) {
	t.Parallel()
	st := openStore(t, t.TempDir(), nil)
	write(t, baseFile(st, "a"), `{"job_args": {"lr": 1e-4, "big": 1E5, "rows": 64}}`)
	s := scriptspec.New("train", "Train", "train.py")
	s.Extends = []string{"a"}
	_, err := st.Render(s)
	require.NoError(t, err)
	s.JobArgs = scriptspec.JobArgs{"lr": jsonNumber("0.0001"), "big": jsonNumber("100000.0"), "rows": jsonNumber("64.0")}
	changes, err := st.Render(s)
	require.NoError(t, err)
	assert.Empty(t, changes)
	assert.Equal(t, jsonNumber("64.0"), s.JobArgs["rows"])
	write(t, baseFile(st, "a"), `{"job_args": {"lr": 1e-4, "big": 1E5, "rows": 65}}`)
	changes, err = st.Render(s)
	require.NoError(t, err)
	assert.Equal(t, []string{`job_args["rows"]: changed 64.0 to 65`}, lines(changes), "it still follows its base")
}

// All specs of a store are rendered, each into the file that it is from; what would break a spec is not saved.
func TestRenderAll(t *testing.T) {
	t.Parallel()
	st := openStore(t, t.TempDir(), nil)
	write(t, baseFile(st, "defaults"), `{"job_args": {"rows": 1}}`)
	write(t, baseFile(st, "wrong"), `{"optional": ["metrics"]}`)
	script := scriptspec.New("train", "Train_training", "train.py")
	script.AddJobArg("who", "script")
	require.NoError(t, st.Save(script))
	step := scriptspec.New("train", "Train_training", "train.py")
	step.AddJobArg("who", "step")
	step.Extends = []string{"defaults"}
	require.NoError(t, st.SaveStep(step))
	broken := scriptspec.New("other", "Other", "other.py")
	broken.Extends = []string{"wrong"}
	require.NoError(t, st.Save(broken))
	write(t, st.Path("unreadable"), "{")

	var files []string
	var errs []error
	for r, err := range st.RenderAll(t.Context(), &scriptspec.RenderOptions{Write: true}) {
		if err != nil {
			errs = append(errs, err)
		}
		if err == nil || r.File != "" {
			files = append(files, filepath.Base(r.File)+" "+strconv.Itoa(len(r.Changes)))
		}
	}
	assert.Equal(t, []string{"other_runtime_test_spec.json 1", filepath.Base(st.StepPath("Train_training", "train")) + " 1"}, files)
	require.Len(t, errs, 2)
	assert.ErrorIs(t, errs[1], scriptspec.ErrCorrupt)
	assert.ErrorContains(t, errs[0], "optional[0]")
	got, err := st.Load("train")
	require.NoError(t, err)
	assert.Equal(t, "script", got.JobArgs["who"])
	got, err = st.LoadStep("Train_training", "train")
	require.NoError(t, err)
	assert.Equal(t, jsonNumber("1"), got.JobArgs["rows"])
	other, err := st.Load("other")
	require.NoError(t, err)
	assert.Empty(t, other.Optional)
	sel, err := scriptspec.ParseSelector("train.*")
	require.NoError(t, err)
	for r, err := range st.RenderAll(t.Context(), &scriptspec.RenderOptions{Select: sel}) {
		if err == nil {
			assert.Empty(t, r.Changes)
		}
	}
	r, err := st.Lint(t.Context(), &scriptspec.LintOptions{Fix: true})
	require.NoError(t, err)
	assert.False(t, r.Success())
}

// Rendering a thousand specs takes less than loading and saving them.
func BenchmarkRender(b *testing.B) {
	st, err := scriptspec.OpenStore(b.TempDir(), nil)
	require.NoError(b, err)
	defer st.Close()
	for i := range 3 {
		require.NoError(b, st.SaveBase(&scriptspec.Base{
			Name: fmt.Sprint("base", i), EnvironVars: map[string]string{fmt.Sprint("V", i): "x"}, JobArgs: scriptspec.JobArgs{"batch_size": i, "deep": map[string]any{"k": i}},
		}))
	}
	var specs []*scriptspec.ScriptExecutionSpec
	for i := range amount(1000) {
		s := scriptspec.New(fmt.Sprintf("script_%d", i), "Step", "x.py")
		s.Extends = []string{"base0", "base1", "base2"}
		require.NoError(b, st.Save(s))
		specs = append(specs, s)
	}
	for b.Loop() {
		start := time.Now()
		for s, err := range st.All() {
			require.NoError(b, err)
			_ = s
		}
		load := time.Since(start)
		start = time.Now()
		for _, s := range specs {
			_, err := st.Render(s.Clone())
			require.NoError(b, err)
		}
		b.ReportMetric(float64(time.Since(start).Microseconds())/float64(len(specs)), "µs/rendered")
		b.ReportMetric(float64(load.Microseconds())/float64(len(specs)), "µs/loaded")
	}
}
