package scriptspec_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// fullJSON has every member of version 2, as it is written.
const fullJSON = `{
  "$schema": "https://example.com/spec.schema.json",
  "script_name": "xgboost_training",
  "step_name": "XGBoostTraining_training",
  "script_path": "scripts/xgboost_training.py",
  "input_paths": {},
  "output_paths": {},
  "environ_vars": {},
  "job_args": {
    "batch_size": 64
  },
  "spec_version": 2,
  "description": "Trains.\n\nOn churn.",
  "tags": [
    "nightly",
    "gpu"
  ],
  "labels": {
    "owner": "churn"
  },
  "extends": [
    "defaults"
  ],
  "inherited": {
    "environ_vars": {
      "REGION": "s3cr3t-sentinel-value"
    },
    "job_args": {
      "batch_size": 64
    }
  },
  "depends_on": {
    "steps": [
      "TabularPreprocessing_training"
    ],
    "packages": {
      "pandas": ">=1.3"
    },
    "files": [
      "scripts/common/io.py"
    ],
    "later": 1
  },
  "optional": [],
  "timeout": 90,
  "max_memory": 1073741824,
  "examples": [
    {
      "name": "small",
      "description": "a few rows",
      "environ_vars": {
        "REGION": "s3cr3t-sentinel-value"
      },
      "job_args": {
        "rows": 10
      },
      "expect": "exception",
      "seed": 1
    }
  ],
  "container_paths": {
    "/opt/ml/input": "data"
  },
  "budget": {
    "duration": 60,
    "regression": 0.25
  },
  "retries": 2,
  "secrets": [
    "dsn"
  ],
  "x-team": {
    "a": 1.0
  }
}
`

// full is fullJSON without its empty list, which is not written.
var full = strings.Replace(fullJSON, "  \"optional\": [],\n", "", 1)

func fullSpec(t *testing.T) *scriptspec.ScriptExecutionSpec {
	t.Helper()
	s, err := scriptspec.Decode(strings.NewReader(fullJSON), nil)
	require.NoError(t, err)
	require.NoError(t, s.Validate())
	return s.Basic()
}

func TestMetadataInTheFile(t *testing.T) {
	t.Parallel()
	s := fullSpec(t)
	assert.Equal(t, full, encode(t, s))
	assert.Equal(t, full, encode(t, s.Clone()))
	assert.True(t, s.Equal(s.Clone()))
	enhanced := scriptspec.Enhance(s, nil)
	assert.Equal(t, s.Metadata, enhanced.Metadata)
	assert.True(t, enhanced.Basic().Equal(s))

	// The version is that of what is in the file.
	plain := noted()
	assert.Equal(t, notedJSON, encode(t, plain))
	plain.Tags = []string{"gpu"}
	text := encode(t, plain)
	assert.Contains(t, text, "  \"spec_version\": 2,\n  \"tags\": [")
	assert.Zero(t, plain.SpecVersion, "encoding changes nothing")
	again, err := decode(text)
	require.NoError(t, err)
	assert.True(t, plain.Equal(again.Basic()))
	plain.Tags = []string{}
	assert.Equal(t, notedJSON, encode(t, plain))
	plain.SpecVersion = 1
	assert.Contains(t, encode(t, plain), "\"spec_version\": 1\n")

	// A newer file loses nothing.
	newer := strings.Replace(full, `"spec_version": 2`, `"spec_version": 9`, 1)
	again, err = decode(newer)
	require.NoError(t, err)
	require.NoError(t, again.Validate())
	assert.Equal(t, newer, encode(t, again))
}

// A program whose model has the new members may write null for those it has no value of.
func TestNullIsAbsent(t *testing.T) {
	t.Parallel()
	var document map[string]any
	require.NoError(t, json.Unmarshal([]byte(fullJSON), &document))
	for name := range document {
		if kinds := scriptspec.MemberKinds()[name]; kinds == nil || strings.Contains(notedJSON, `"`+name+`"`) || name == "$schema" {
			continue // of version 1
		}
		s, err := decode(notedJSON[:len(notedJSON)-3] + ",\n  \"" + name + "\": null\n}\n")
		require.NoError(t, err, name)
		assert.True(t, noted().Equal(s.Basic()), name)
	}
}

// A file of a newer version runs and is saved without loss, whatever has become of the members of this one.
func TestNewerVersions(t *testing.T) {
	t.Parallel()
	st := openStore(t, t.TempDir(), nil)
	s := scripted(t, writesOutput+"def main(output_paths, job_args):\n    done(output_paths)\n    print(job_args.rows)\n")
	news := `{"timeout": {"seconds": 5}, "tags": {"a": 1}, "examples": {"x": {"environ_vars": {"A": "` + sentinel + `"}}}, "description": {"en": "x"}, "retries": -1, "labels": {"X": "y"}, "max_memory": 1e3, "future": [1.0], "depends_on": {"packages": {"own": "@ https://x"}}}`
	site := t.TempDir()
	write(t, filepath.Join(site, "own-1.0.dist-info", "METADATA"), "Metadata-Version: 2.1\nName: own\nVersion: 1.0\n")
	s.AddEnvironVar("PYTHONPATH", site)
	s.AddJobArg("rows", 3)
	text := strings.TrimSuffix(encode(t, s), "\n}\n") + ",\n  \"spec_version\": 3,\n  " + news[1:len(news)-1] + "\n}\n"
	write(t, st.Path(s.ScriptName), text)
	_, err := scriptspec.Decode(strings.NewReader(text), &scriptspec.DecodeOptions{Strict: true})
	require.ErrorContains(t, err, "timeout: want a number")
	loaded, err := st.Load(s.ScriptName)
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"own": "@ https://x"}, loaded.DependsOn.Packages)
	require.NoError(t, loaded.Validate())
	assert.NotContains(t, encode(t, loaded.Redacted()), sentinel)
	python(t)
	result := run(t, loaded)
	assert.Equal(t, "3\n", result.Stdout.Text, result.Details())

	loaded.AddJobArg("rows", 4)
	require.NoError(t, st.Save(loaded))
	var before, after map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &before))
	saved, err := os.ReadFile(st.Path(s.ScriptName))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(saved, &after))
	before["job_args"], before["updated_at"] = after["job_args"], after["updated_at"]
	assert.Equal(t, before, after)
	assert.Contains(t, string(saved), "1.0")

	loaded.Timeout = 5
	assert.ErrorContains(t, st.Save(loaded), "a member of Extra has the name of the field timeout")
	write(t, filepath.Join(filepath.Dir(st.Path("x")), "churn_pipeline_testing_spec.json"), `{"name": "churn", "pipeline_version": 3, "dag": {"nodes": []}, "future": {}}`)
	_, err = st.LoadPipeline("churn")
	assert.ErrorContains(t, err, "churn_pipeline_testing_spec.json:1:39: pipeline_version: is 3, and this version of scriptspec knows up to 2 (use a newer one)")
}

func TestMetadataRefusals(t *testing.T) {
	t.Parallel()
	for bad, want := range map[string]string{
		`"spec_version": 0`:        "spec_version: must be a whole number, 1 or more",
		`"spec_version": "2"`:      "spec_version: want a number, found a string",
		`"tags": ["GPU"]`:          "tags[0]: must begin with a lower-case letter or digit",
		`"tags": ["a", "a"]`:       "tags[1]: is in the list twice",
		`"labels": {"Owner": "x"}`: `labels["Owner"]: must begin with`,
		`"labels": {"a": "` + strings.Repeat("é", 257) + `"}`: `labels["a"]: is longer than 256 characters`,
		`"extends": ["../x"]`:                   "extends[0]: is no name of a base",
		`"inherited": []`:                       "inherited: want an object, found a list",
		`"depends_on": {"steps": "A"}`:          "depends_on.steps: want a list, found a string",
		`"depends_on": {"packages": {"-": ""}}`: `depends_on.packages["-"]: is no name of a Python package`,
		`"examples": [{"name": "Big"}]`:         "examples[0].name: is no name of an example",
		`"examples": [{}]`:                      "examples[0]: an example needs the members name",
		`"examples": [{"name": "a", "environ_vars": {"A=s3cr3t-sentinel-value": ""}}]`: "environment variable name",
		`"container_paths": {"opt": "x"}`:                                              `container_paths["opt"]: is no absolute path in a container`,
		`"budget": {"duration": -1}`:                                                   "budget.duration: must be a finite number, 0 or more",
		`"retries": 1.5`:                                                               "retries: must be a whole number, 0 or more",
		`"secrets": ["a", "a"]`:                                                        "secrets[1]: is in the list twice",
	} {
		_, err := decode(notedJSON[:len(notedJSON)-3] + ",\n  " + bad + "\n}\n")
		assert.ErrorContains(t, err, want, bad)
	}

	s := noted()
	s.SpecVersion, s.Retries = -1, -1
	s.DependsOn.Steps = []string{"x y"}
	s.Inherited = map[string]any{"script_name": "x", "job_args": map[string]any{"f": func() {}}}
	s.Examples = []scriptspec.Example{{Name: "a", JobArgs: scriptspec.JobArgs{"f": func() {}}}, {Name: "a", Expect: "passt"}}
	s.Tags = []string{"ok", "Bad", "ok"}
	s.Budget = scriptspec.Budget{Duration: -1, PeakMemory: math.Inf(1)}
	assert.Equal(t, []problem{
		{"spec_version", scriptspec.CodeFormat, "spec_version is negative"},
		{"tags[1]", scriptspec.CodeFormat, "tags[1] must begin with a lower-case letter or digit, and have only these, '_', '.' and '-'"},
		{"tags[2]", scriptspec.CodeDuplicate, "tags[2] is in the list twice"},
		{`inherited["script_name"]`, scriptspec.CodeFormat, "script_name is no member that a base has"},
		{`inherited["job_args"]["f"]`, scriptspec.CodeUnsupported, "holds what JSON cannot carry: a value of type func()"},
		{"depends_on.steps[0]", scriptspec.CodeFormat, "x y is no step name"},
		{`examples[0].job_args["f"]`, scriptspec.CodeUnsupported, "holds what JSON cannot carry: a value of type func()"},
		{"examples[1].expect", scriptspec.CodeFormat, "passt is no outcome of a run"},
		{"examples[1].name", scriptspec.CodeDuplicate, "two examples have the name a"},
		{"budget.duration", scriptspec.CodeFormat, "duration must be a finite number, 0 or more"},
		{"budget.peak_memory", scriptspec.CodeFormat, "peak_memory must be a finite number, 0 or more"},
		{"retries", scriptspec.CodeFormat, "retries is negative"},
	}, problems(t, s.Validate()))
}

// Values of variables are shown nowhere, wherever in a spec they are.
func TestMetadataHidesSecrets(t *testing.T) {
	t.Parallel()
	s := fullSpec(t)
	s.JobArgs["dsn"] = sentinel
	s.Examples[0].JobArgs["dsn"] = sentinel
	s.Inherited["job_args"] = map[string]any{"dsn": sentinel}
	r := s.Redacted()
	assert.NotContains(t, encode(t, r), sentinel)
	assert.Contains(t, encode(t, s), sentinel, "of a copy")
	for _, verb := range []string{"%v", "%+v", "%#v", "%q"} {
		assert.NotContains(t, fmt.Sprintf(verb, s), sentinel)
	}
	s.Inherited["environ_vars"] = map[string]string{"A": sentinel}
	assert.NotContains(t, encode(t, s.Redacted()), sentinel)
	s.Examples[0].EnvironVars["A"] = sentinel + "\x00"
	assert.NotContains(t, s.Validate().Error(), sentinel)
}

// Parts of specs print names alone, by themselves and in what holds them.
func TestPartsHideSecrets(t *testing.T) {
	t.Parallel()
	s := fullSpec(t)
	base := scriptspec.Base{Name: "defaults", EnvironVars: map[string]string{"REGION": sentinel}, JobArgs: scriptspec.JobArgs{"dsn": sentinel}, Metadata: s.Metadata}
	st := openStore(t, t.TempDir(), nil)
	template := decodeTemplate(t, st, `{"template_version": 1, "name": "a", "parameters": {"x": {"default": "`+sentinel+`"}}, "spec": {"script_name": "${x}"}}`)
	for want, v := range map[string]any{
		"metadata members=[$schema spec_version description tags labels extends inherited depends_on timeout max_memory examples container_paths budget retries secrets]": s.Metadata,
		"base defaults extends=[defaults] inputs=[] outputs=[] env=[REGION] args=[dsn]":                                                                                   base,
		"example small inputs=[] env=[REGION] args=[rows]":                                                                                                                s.Examples[0],
		"template a parameters=[x]": *template,
		"a.json changes=1":          scriptspec.Migration{File: "a.json", Changes: make([]scriptspec.Change, 1), Old: []byte(sentinel)},
	} {
		assert.Equal(t, want, fmt.Sprint(v))
		for _, verb := range []string{"%v", "%+v", "%#v", "%q", "%s"} {
			assert.Contains(t, fmt.Sprintf(verb, v), strings.Fields(want)[0])
			assert.NotContains(t, fmt.Sprintf(verb, []any{v, &v}), sentinel)
		}
		var b strings.Builder
		slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "v", v)
		assert.NotContains(t, b.String(), sentinel)
	}
}

// Secrets adds to what is secret, also where the tester says otherwise.
func TestSecretsOfASpec(t *testing.T) {
	t.Parallel()
	s := scripted(t, writesOutput+"def main(output_paths, job_args):\n    done(output_paths)\n    print(job_args.dsn, os.environ['PLAIN'], os.environ['KEPT'])\n")
	s.AddJobArg("dsn", "postgres-"+"of-somebody")
	s.AddEnvironVar("PLAIN", "plain-"+"value")
	s.AddEnvironVar("KEPT", "kept-"+"value")
	s.Secrets = []string{"dsn", "KEPT"}
	s.Description = "reads kept-" + "value"
	result, err := (&scriptspec.RuntimeTester{Secrets: func(string) bool { return false }}).TestScript(t.Context(), s)
	require.NoError(t, err)
	assert.Equal(t, "[redacted: dsn] plain-value [redacted: KEPT]\n", result.Stdout.Text)
	assert.NotContains(t, result.Command, "postgres")
	assert.Equal(t, "reads [redacted: KEPT]", result.Description)
}

// A store keeps what its files have, and a file of version 1 its bytes.
func TestStoreKeepsMetadata(t *testing.T) {
	t.Parallel()
	st := openStore(t, t.TempDir(), nil)
	require.NoError(t, st.Save(fullSpec(t)))
	text, err := os.ReadFile(st.Path("xgboost_training"))
	require.NoError(t, err)
	assert.Equal(t, full, string(text))
	s, err := st.Load("xgboost_training")
	require.NoError(t, err)
	assert.True(t, s.Equal(fullSpec(t)))
	before, err := os.Stat(st.Path("xgboost_training"))
	require.NoError(t, err)
	s.SpecVersion = 0 // which is the same
	require.NoError(t, st.Save(s))
	after, err := os.Stat(st.Path("xgboost_training"))
	require.NoError(t, err)
	assert.Equal(t, before.ModTime(), after.ModTime())
	assert.Equal(t, filepath.Base(st.Path("xgboost_training")), after.Name())
}

// What is taken for a version specifier at a glance is one by the whole rule.
func TestPlainVersions(t *testing.T) {
	t.Parallel()
	plain := 0
	for _, operator := range []string{"", ">=", "<=", "==", "!=", ">", "<", "~=", "===", "=>", "=", ">= "} {
		for _, release := range []string{"1", "1.3", "01.0.22", "1.3.", ".3", "1..3", "", "1.x", "1.*", "1a1", "v1", "1!2", "1.3 ", "\u0663"} {
			if scriptspec.IsPlainVersion(operator + release) {
				plain++
				assert.True(t, scriptspec.MatchVersion(operator+release), operator+release)
			}
		}
	}
	assert.Equal(t, 6*3, plain)
}
