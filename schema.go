package scriptspec

import (
	"bytes"
	"embed"
	"encoding/json"
	"slices"
)

// SchemaKind is a kind of file that there is a JSON Schema of. The set is closed.
type SchemaKind string

// The kinds of files.
const (
	SchemaSpec       SchemaKind = "spec"        // of either kind; open, as Decode keeps what it does not know
	SchemaStrictSpec SchemaKind = "spec.strict" // closed, as Decode with Strict
	SchemaPipeline   SchemaKind = "pipeline"
	SchemaBase       SchemaKind = "base"
	SchemaTemplate   SchemaKind = "template"
	SchemaResult     SchemaKind = "result"  // of a script, a store or a pipeline
	SchemaHistory    SchemaKind = "history" // of one line of a history
)

//go:embed schema/*.schema.json
var schemas embed.FS

// JSONSchema returns the JSON Schema (draft-07) of a kind of file, for editors and for programs in other languages;
// nil for an unknown kind. Loading does not use it: what [Decode] says is exact, and has line and column.
func JSONSchema(kind SchemaKind) []byte {
	if kind == SchemaStrictSpec {
		return strictSchema()
	}
	if !slices.Contains([]SchemaKind{SchemaSpec, SchemaPipeline, SchemaBase, SchemaTemplate, SchemaResult, SchemaHistory}, kind) {
		return nil
	}
	text, _ := schemas.ReadFile("schema/" + string(kind) + ".schema.json") // it is embedded
	return text
}

// strictSchema returns the schema of specs with every object closed that is so when Decode is strict.
func strictSchema() []byte {
	text := bytes.Replace(JSONSchema(SchemaSpec), []byte("/spec.schema.json"), []byte("/spec.strict.schema.json"), 1)
	var schema map[string]any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()         // so that bounds stay what they are
	_ = d.Decode(&schema) // it is JSON, as a test knows
	closeObjects(schema)
	strict, _ := json.MarshalIndent(schema, "", "  ")
	return append(strict, '\n')
}

// closeObjects refuses members that are not named, in every object with names.
func closeObjects(v any) {
	switch v := v.(type) {
	case map[string]any:
		kinds, _ := v["type"].([]any) // of a member that may be null
		if _, named := v["properties"].(map[string]any); named && (v["type"] == "object" || slices.Contains(kinds, any("object"))) {
			v["additionalProperties"] = false
			v["patternProperties"] = map[string]any{"^x-": map[string]any{}}
		}
		for _, part := range v {
			closeObjects(part)
		}
	case []any:
		for _, part := range v {
			closeObjects(part)
		}
	}
}
