// Package schema has a module of its own, so that the validator it compares with is no dependency of scriptspec.
package schema

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

func compiled(t *testing.T, kind scriptspec.SchemaKind) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(scriptspec.JSONSchema(kind)))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource("schema.json", doc))
	schema, err := c.Compile("schema.json")
	require.NoError(t, err, "%s is a draft-07 schema", kind)
	return schema
}

// exceptions are where schema and Decode differ on purpose: a schema cannot say it, or Decode takes what an editor
// should not offer.
var exceptions = []struct {
	name string
	is   func(text string, doc map[string]any) bool
}{
	{"a script name that AutoFixCommonIssues can mend is read", func(_ string, doc map[string]any) bool {
		name, ok := doc["script_name"].(string)
		return ok && !scriptspec.IsScriptName(name)
	}},
	{"an empty step name is read, to be completed", func(_ string, doc map[string]any) bool { return doc["step_name"] == "" }},
	{"2.0 is an integer to a schema", func(text string, _ map[string]any) bool {
		return strings.Contains(text, `: 2.0`) || strings.Contains(text, `: 1e3`)
	}},
	{"NUL in texts is refused", func(text string, _ map[string]any) bool { return strings.Contains(text, `\u0000`) }},
	{"times have a form", func(_ string, doc map[string]any) bool {
		_, err := decode(map[string]any{"script_name": "a", "step_name": "A", "created_at": doc["created_at"], "updated_at": doc["updated_at"]}, false)
		return err != nil
	}},
	{"an outcome of a newer version is read", func(_ string, doc map[string]any) bool {
		s, err := decode(doc, false)
		return err == nil && slices.ContainsFunc(s.Basic().Examples, func(e scriptspec.Example) bool {
			return !strings.Contains(string(scriptspec.JSONSchema(scriptspec.SchemaSpec)), `"`+string(e.Expect)+`"`)
		})
	}},
	{"plain paths beside those with aliases must agree", func(text string, _ map[string]any) bool {
		return strings.Contains(text, "_path_specs") && strings.Contains(text, "put_paths")
	}},
	{"names that differ in case only are refused", func(_ string, doc map[string]any) bool {
		return slices.ContainsFunc(slices.Collect(maps.Keys(doc)), func(name string) bool {
			return name != strings.ToLower(name) && slices.Contains(members(), strings.ToLower(name))
		})
	}},
	{"a schema cannot say that a name is there twice, that text is cut off, or how deep it is", func(text string, doc map[string]any) bool {
		_, err := scriptspec.Decode(strings.NewReader(text), nil)
		again, errAgain := decode(doc, false)
		return err != nil && errAgain == nil && again != nil
	}},
}

func members() []string {
	var schema struct{ Properties map[string]any }
	_ = json.Unmarshal(scriptspec.JSONSchema(scriptspec.SchemaSpec), &schema)
	return slices.Collect(maps.Keys(schema.Properties))
}

func decode(doc map[string]any, strict bool) (scriptspec.Spec, error) {
	text, err := json.Marshal(doc)
	if err != nil {
		return nil, err
	}
	return scriptspec.Decode(bytes.NewReader(text), &scriptspec.DecodeOptions{Strict: strict})
}

// documents are specs and what is nearly one: the files of the tests, and what is nearly a full one.
func documents(t *testing.T) map[string]string {
	t.Helper()
	docs := map[string]string{}
	for _, pattern := range []string{"../../testdata/.specs/*_runtime_test_spec.json", "../../testdata/python/*.json", "../../testdata/migrate/*.json", "../../testdata/migrate/*.golden", "../../testdata/good/*.json", "../../testdata/bad/*.json"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, files, pattern)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			docs[file] = string(text)
		}
	}
	full, err := os.ReadFile("../../testdata/good/spec.json")
	require.NoError(t, err)
	maps.Copy(docs, variants(t, full))
	docs["contradiction"] = `{"script_name": "a", "step_name": "A", "input_paths": {"a": "b"}, "input_path_specs": {"a": {"logical_name": "a", "path": "c"}}}`
	return docs
}

// variants are a document, and those in which a value of it is replaced by others, left out, or given a neighbour.
func variants(t *testing.T, full []byte) map[string]string {
	t.Helper()
	docs := map[string]string{"full": string(full)}
	values := []string{`null`, `true`, `0`, `1`, `-1`, `1.5`, `2.0`, `1e3`, `1e400`, `9223372036854775808`, `{"x": null}`, `[null]`, `""`, `"x"`, `"X y"`, `"later"`, `"\u0000"`, `"2026-11-22 10:00:00"`, `[]`, `["x"]`, `["x", "x"]`,
		`[1]`, `["X"]`, `{}`, `{"x": "y"}`, `{"x": 1}`, `{"X": "y"}`, `{"=": "y"}`, `{"/x": "y"}`, `[{}]`, `[{"name": "x"}]`, `{"x": {"logical_name": "x", "path": "y"}}`, `{"x": {"path": "y"}}`}
	var tree map[string]any
	d := json.NewDecoder(bytes.NewReader(full))
	d.UseNumber()
	require.NoError(t, d.Decode(&tree))
	var walk func(place string, at any, set func(any))
	change := func(place string, set func(any), old any) {
		for _, value := range values {
			set(json.RawMessage(value))
			text, err := json.MarshalIndent(tree, "", " ")
			require.NoError(t, err)
			docs[place+" = "+value] = string(text)
		}
		set(old)
	}
	walk = func(place string, at any, set func(any)) {
		change(place, set, at)
		switch at := at.(type) {
		case map[string]any:
			for _, name := range slices.Sorted(maps.Keys(at)) {
				old := at[name]
				walk(place+"."+name, old, func(v any) { at[name] = v })
				delete(at, name)
				text, err := json.MarshalIndent(tree, "", " ")
				require.NoError(t, err)
				docs["without "+place+"."+name] = string(text)
				at[name] = old
			}
			for _, name := range []string{"x-own", "other", "Script_Name"} {
				at[name] = 1
				text, err := json.MarshalIndent(tree, "", " ")
				require.NoError(t, err)
				docs[place+" with "+name] = string(text)
				delete(at, name)
			}
		case []any:
			for i := range at {
				walk(place+"[]", at[i], func(v any) { at[i] = v })
			}
		}
	}
	walk("", tree, func(v any) {
		if m, ok := v.(map[string]any); ok {
			tree = m
		}
	})
	return docs
}

// What the schema takes Decode takes, and the other way round.
func TestSchemaAgreesWithDecode(t *testing.T) {
	docs := documents(t)
	require.Greater(t, len(docs), 1000)
	used := map[string]int{}
	for _, strict := range []bool{false, true} {
		schema := compiled(t, map[bool]scriptspec.SchemaKind{false: scriptspec.SchemaSpec, true: scriptspec.SchemaStrictSpec}[strict])
		for name, text := range docs {
			doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
			if err != nil {
				continue // no JSON
			}
			invalid := schema.Validate(doc)
			_, refused := scriptspec.Decode(strings.NewReader(text), &scriptspec.DecodeOptions{Strict: strict})
			if (invalid == nil) == (refused == nil) {
				continue
			}
			object, _ := doc.(map[string]any)
			i := slices.IndexFunc(exceptions, func(e struct {
				name string
				is   func(string, map[string]any) bool
			}) bool {
				return object != nil && e.is(text, object)
			})
			if assert.GreaterOrEqual(t, i, 0, "strict %v, %s:\nschema: %v\nDecode: %v", strict, name, invalid, refused) {
				used[exceptions[i].name]++
			}
		}
	}
	for _, e := range exceptions {
		assert.Positive(t, used[e.name], "no document shows that %s", e.name)
	}
}

func TestEverySchemaCompiles(t *testing.T) {
	for _, kind := range []scriptspec.SchemaKind{
		scriptspec.SchemaSpec, scriptspec.SchemaStrictSpec, scriptspec.SchemaPipeline, scriptspec.SchemaBase, scriptspec.SchemaTemplate, scriptspec.SchemaResult,
		scriptspec.SchemaHistory,
	} {
		compiled(t, kind)
	}
	assert.Nil(t, scriptspec.JSONSchema("other"))
}

// What the schemas of the store's other files take their loaders take, and the other way round.
func TestSchemasAgreeWithLoaders(t *testing.T) {
	t.Parallel()
	// What a schema cannot say, as the loaders say it.
	for _, kind := range []struct {
		kind       scriptspec.SchemaKind
		file       string
		load       func(*scriptspec.Store) error
		exceptions []string // what a schema cannot say, as the loader says it
	}{
		{
			scriptspec.SchemaBase, "full_spec_base.json", func(st *scriptspec.Store) error { _, err := st.LoadBase("full"); return err },
			[]string{"holds a NUL byte", "without a fraction or an exponent", "is no version as PEP 440 writes them"},
		},
		{
			scriptspec.SchemaPipeline, "churn_pipeline_testing_spec.json", func(st *scriptspec.Store) error { _, err := st.LoadPipeline("churn"); return err },
			[]string{"holds a NUL byte", "holds the pipeline", "there is no node", "want the number of scripts", "without a fraction", "refers to the spec of script", "differs from script_name only in case"},
		},
		{
			scriptspec.SchemaTemplate, "templates/full.json", func(st *scriptspec.Store) error { _, err := st.LoadTemplate("full"); return err },
			[]string{"holds a NUL byte", "is not the name of the file", "no such parameter", "which is no integer", "which is none of", "which is no string"},
		},
	} {
		t.Run(string(kind.kind), func(t *testing.T) {
			t.Parallel()
			full, err := os.ReadFile("../../testdata/good/" + string(kind.kind) + ".json")
			require.NoError(t, err)
			st, err := scriptspec.OpenStore(t.TempDir(), nil)
			require.NoError(t, err)
			defer st.Close()
			dir := filepath.Dir(st.Path("a"))
			require.NoError(t, os.MkdirAll(filepath.Join(dir, "templates"), 0o700))
			require.NoError(t, os.WriteFile(st.Path("tabular_preprocessing"), []byte(`{"script_name": "tabular_preprocessing", "step_name": "TabularPreprocessing_training"}`), 0o600))
			used := map[string]bool{}
			schema, docs := compiled(t, kind.kind), variants(t, full)
			require.Greater(t, len(docs), 500)
			for name, text := range docs {
				doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
				require.NoError(t, err)
				require.NoError(t, os.WriteFile(filepath.Join(dir, kind.file), []byte(text), 0o600))
				invalid, refused := schema.Validate(doc), kind.load(st)
				if name == "full" {
					require.NoError(t, refused)
					require.NoError(t, invalid)
				}
				if (invalid == nil) == (refused == nil) {
					continue
				}
				i := slices.IndexFunc(kind.exceptions, func(part string) bool { return refused != nil && strings.Contains(refused.Error(), part) })
				// An outcome of a newer version is read, and a name to be completed or mended.
				tolerant := refused == nil && (strings.Contains(name, "expect = ") || strings.Contains(name, "script_name = ") || strings.Contains(name, "step_name = "))
				if assert.True(t, i >= 0 || tolerant, "%s:\nschema: %v\nloader: %v", name, invalid, refused) && i >= 0 {
					used[kind.exceptions[i]] = true
				}
			}
			for _, part := range kind.exceptions {
				assert.True(t, used[part], "no document shows: %s", part)
			}
		})
	}
}

// Results and pipelines of the tests are what their schemas say.
func TestOtherFiles(t *testing.T) {
	pipeline, result := compiled(t, scriptspec.SchemaPipeline), compiled(t, scriptspec.SchemaResult)
	for pattern, schema := range map[string]*jsonschema.Schema{
		"../../testdata/.specs/*_pipeline_testing_spec.json": pipeline, "../../testdata/report/*json.json": result,
	} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
			require.NoError(t, err)
			assert.NoError(t, schema.Validate(doc), file)
		}
	}
}

// What the schema takes for a record of a history is read as one, and nothing else is; of a record that is written again every
// member is described.
func TestHistorySchemaAgrees(t *testing.T) {
	t.Parallel()
	full, err := os.ReadFile("../../testdata/history/record.json")
	require.NoError(t, err)
	schema, docs := compiled(t, scriptspec.SchemaHistory), variants(t, full)
	require.Greater(t, len(docs), 500)
	times := 0
	for name, text := range docs {
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		require.NoError(t, err)
		var r scriptspec.Record
		invalid, refused := schema.Validate(doc), json.Unmarshal([]byte(text), &r)
		if invalid == nil && strings.Contains(name, ".at = ") && refused != nil {
			times++ // a time has a form
			continue
		}
		if strings.Contains(text, "1e400") {
			continue // no float64 is that large
		}
		assert.Equal(t, invalid == nil, refused == nil, "%s:\nschema: %v\nUnmarshal: %v", name, invalid, refused)
	}
	assert.Positive(t, times)
	var r scriptspec.Record
	require.NoError(t, json.Unmarshal(full, &r))
	again, err := json.Marshal(r)
	require.NoError(t, err)
	assert.JSONEq(t, string(full), string(again), "the file has every member")
	var described struct{ Properties map[string]any }
	require.NoError(t, json.Unmarshal(scriptspec.JSONSchema(scriptspec.SchemaHistory), &described))
	var members map[string]any
	require.NoError(t, json.Unmarshal(again, &members))
	assert.ElementsMatch(t, slices.Collect(maps.Keys(members)), slices.Collect(maps.Keys(described.Properties)))
}
