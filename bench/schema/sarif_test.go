package schema

import (
	"bytes"
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	_ "github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif" // for the schema of OASIS in its source
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// sarifSchema returns the schema of SARIF 2.1.0 by OASIS, which a module has as a constant.
func sarifSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/owenrumney/go-sarif/v3").Output()
	require.NoError(t, err)
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(strings.TrimSpace(string(dir)), "pkg/report/v210/sarif/schema.go"), nil, 0)
	require.NoError(t, err)
	text := ""
	ast.Inspect(file, func(n ast.Node) bool {
		if literal, ok := n.(*ast.BasicLit); ok && text == "" {
			text, err = strconv.Unquote(literal.Value)
		}
		return true
	})
	require.NoError(t, err)
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	require.NoError(t, c.AddResource("sarif.json", doc))
	schema, err := c.Compile("sarif.json")
	require.NoError(t, err)
	return schema
}

func TestSARIF(t *testing.T) {
	schema := sarifSchema(t)
	check := func(name string, text []byte) error {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		require.NoError(t, err, name)
		return schema.Validate(doc)
	}
	files, err := filepath.Glob("../../testdata/report/*.sarif")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.NoError(t, check(file, text), file)
		assert.Error(t, check(file, bytes.Replace(text, []byte(`"columnKind": "unicodeCodePoints"`), []byte(`"columnKind": "bytes"`), 1)), "the schema takes anything")
	}

	var many strings.Builder
	many.WriteString(`{"script_name": "a", "step_name": "A"`)
	for i := range 10_000 {
		fmt.Fprintf(&many, `, "m%d": 1`, i)
	}
	for name, texts := range map[string]map[string]string{
		"empty": {"a": `{"script_name": "a", "step_name": "A", "script_path": "schema_test.go.py"}`},
		"many":  {"a": many.String() + "}"},
		"hostile": {
			"a": "{\"script_name\": \"a\", \"step_name\": \"A\", \"\\u0001\\u202e<script>%20 \u00e9\": 1}", "b": `{"script_name": 1, "step_name": "\ud800"}`, "c": "\xff",
		},
	} {
		dir := t.TempDir() + "/with %20 \u00e9#?"
		require.NoError(t, os.MkdirAll(filepath.Join(dir, ".specs"), 0o700))
		for script, text := range texts {
			require.NoError(t, os.WriteFile(filepath.Join(dir, ".specs", script+"_runtime_test_spec.json"), []byte(text), 0o600))
		}
		st, err := scriptspec.OpenStore(dir, nil)
		require.NoError(t, err)
		r, err := st.Lint(context.Background(), nil)
		require.NoError(t, err)
		require.NoError(t, st.Close())
		if name == "many" {
			assert.Greater(t, len(r.Findings), 10_000)
		}
		for _, root := range []string{dir, "/elsewhere"} {
			var b bytes.Buffer
			require.NoError(t, r.WriteSARIF(&b, root))
			assert.NoError(t, check(name, b.Bytes()), fmt.Sprint(name, " ", root))
		}
	}
}
