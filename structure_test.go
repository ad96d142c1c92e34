package scriptspec_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// parsePackage returns the files of the root package that are not tests.
func parsePackage(t *testing.T) []*ast.File {
	t.Helper()
	names, err := filepath.Glob("*.go")
	require.NoError(t, err)
	var files []*ast.File
	fset := token.NewFileSet()
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		require.NoError(t, err)
		files = append(files, file)
	}
	return files
}

// Everything exported is documented, struct fields of the model included.
func TestExportedNamesAreDocumented(t *testing.T) {
	t.Parallel()
	model := map[string]bool{"ScriptExecutionSpec": true, "EnhancedScriptExecutionSpec": true, "PathSpec": true, "ValidateOptions": true, "DecodeOptions": true}
	var exported []string // types, functions and variables; the constants are members of closed sets
	for _, file := range parsePackage(t) {
		for _, decl := range file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && (d.Recv == nil || receiver(d).IsExported()) {
					assert.NotNil(t, d.Doc, d.Name.Name)
					if d.Recv == nil {
						exported = append(exported, d.Name.Name)
					}
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					switch s := spec.(type) {
					case *ast.TypeSpec:
						if !s.Name.IsExported() {
							continue
						}
						exported = append(exported, s.Name.Name)
						assert.True(t, s.Doc != nil || d.Doc != nil, s.Name.Name)
						if st, ok := s.Type.(*ast.StructType); ok && model[s.Name.Name] {
							for _, f := range st.Fields.List {
								assert.NotNil(t, f.Doc, "%s.%v", s.Name.Name, f.Names)
							}
						}
					case *ast.ValueSpec:
						for _, name := range s.Names {
							if name.IsExported() {
								if d.Tok == token.VAR {
									exported = append(exported, name.Name)
								}
								assert.True(t, s.Doc != nil || s.Comment != nil || d.Doc != nil, name.Name)
							}
						}
					}
				}
			}
		}
	}
	slices.Sort(exported)
	golden(t, "exported.txt", strings.Join(exported, "\n")+"\n") // so that a new name is a line to review
}

func receiver(d *ast.FuncDecl) *ast.Ident {
	t := d.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	return t.(*ast.Ident)
}

// A field that is added must be written to files, copied by Clone and compared by Equal.
func TestEveryFieldIsTaggedClonedAndCompared(t *testing.T) {
	t.Parallel()
	t.Run("basic", func(t *testing.T) {
		t.Parallel()
		checkFields(t, (*scriptspec.ScriptExecutionSpec).Clone, (*scriptspec.ScriptExecutionSpec).Equal)
		checkFile(t, (*scriptspec.ScriptExecutionSpec).Equal)
	})
	t.Run("enhanced", func(t *testing.T) {
		t.Parallel()
		checkFields(t, (*scriptspec.EnhancedScriptExecutionSpec).Clone, (*scriptspec.EnhancedScriptExecutionSpec).Equal)
		checkFile(t, (*scriptspec.EnhancedScriptExecutionSpec).Equal)
	})
	t.Run("path spec", func(t *testing.T) {
		t.Parallel()
		checkFields(t,
			func(p *scriptspec.PathSpec) *scriptspec.PathSpec { c := p.Clone(); return &c },
			func(p, o *scriptspec.PathSpec) bool { return p.Equal(*o) })
	})
}

// A member that a kind of spec does not have would be read and be gone with the next save.
func TestEveryMemberIsInBothKinds(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	doc, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	for name, kinds := range scriptspec.MemberKinds() {
		want := 2
		if strings.HasPrefix(name, "input_") || strings.HasPrefix(name, "output_") {
			want = 1
		}
		assert.Len(t, kinds, want, "%s has a row in spec_fields.go; give Metadata in spec_metadata.go a field with this JSON tag", name)
		assert.Contains(t, string(readme), "`"+name+"`", "the table of members in README.md")
		assert.Regexp(t, `[ (]`+regexp.QuoteMeta(name)+`[,;). \n]`, string(doc), "the list of members in doc.go")
	}
}

// The schemas have every member of a spec, described, and share their definitions.
func TestSchemasHaveEveryMember(t *testing.T) {
	t.Parallel()
	type schema struct {
		Properties  map[string]map[string]any
		Definitions map[string]any
	}
	read := func(kind scriptspec.SchemaKind) (s schema) {
		require.NoError(t, json.Unmarshal(scriptspec.JSONSchema(kind), &s))
		return s
	}
	spec, base, pipeline := read(scriptspec.SchemaSpec), read(scriptspec.SchemaBase), read(scriptspec.SchemaPipeline)
	assert.ElementsMatch(t, slices.Collect(maps.Keys(scriptspec.MemberKinds())), slices.Collect(maps.Keys(spec.Properties)))
	for name, member := range spec.Properties {
		ref, _ := member["$ref"].(string)
		defined, _ := spec.Definitions[strings.TrimPrefix(ref, "#/definitions/")].(map[string]any)
		for _, word := range []string{"description", "markdownDescription"} {
			assert.True(t, member[word] != nil || defined[word] != nil, "%s has no %s", name, word)
		}
	}
	for name, member := range base.Properties {
		assert.Equal(t, spec.Properties[name], member, name)
	}
	for _, name := range []string{"script_name", "step_name", "script_path", "created_at", "updated_at", "inherited"} {
		assert.NotContains(t, base.Properties, name)
	}
	assert.Equal(t, read(scriptspec.SchemaStrictSpec).Definitions, base.Definitions, "a base is closed")
	for name, definition := range spec.Definitions {
		assert.Equal(t, definition, pipeline.Definitions[name], name)
	}
	inline := pipeline.Definitions["spec"].(map[string]any)["properties"].(map[string]any)
	for name, member := range spec.Properties {
		assert.Equal(t, any(member), inline[name], name)
	}
}

// Every code and outcome has its place in the list of rules, to which SARIF links, and nothing else has.
func TestRulesAreDescribed(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("docs/rules.md")
	require.NoError(t, err)
	var headings []string
	for _, found := range regexp.MustCompile(`(?m)^### (\S+)$`).FindAllStringSubmatch(string(text), -1) {
		headings = append(headings, found[1])
	}
	want := []string{"data", "failed", "flaky", "over_budget"} // what reports add
	for _, file := range parsePackage(t) {
		for _, decl := range file.Decls {
			group, _ := decl.(*ast.GenDecl)
			if group == nil || group.Tok != token.CONST {
				continue
			}
			for _, spec := range group.Specs {
				value := spec.(*ast.ValueSpec)
				kind, _ := value.Type.(*ast.Ident)
				if kind != nil && (kind.Name == "Code" || kind.Name == "Outcome") && value.Names[0].Name != "OutcomePassed" {
					want = append(want, strings.Trim(value.Values[0].(*ast.BasicLit).Value, `"`))
				}
			}
		}
	}
	assert.ElementsMatch(t, want, headings)
}

func checkFields[T any](t *testing.T, clone func(*T) *T, equal func(a, b *T) bool) {
	t.Helper()
	for _, field := range reflect.VisibleFields(reflect.TypeFor[T]()) {
		if field.Anonymous {
			assert.Equal(t, ",inline", field.Tag.Get("yaml"), field.Name)
			continue
		}
		tag, ok := field.Tag.Lookup("json")
		assert.True(t, ok, "%s has no json tag", field.Name)
		if tag != "-" {
			name, _, _ := strings.Cut(tag, ",")
			assert.Equal(t, strings.TrimPrefix(name, "$"), scriptspec.ToSnakeCase(field.Name), "the tag of %s", field.Name)
		}
		assert.Equal(t, strings.Replace(tag, "omitzero", "omitempty", 1), field.Tag.Get("yaml"), "the yaml tag of %s", field.Name)
		_, ok = field.Tag.Lookup("validate")
		assert.True(t, ok, "%s has no validate tag", field.Name)

		var one, zero T
		fill(t, reflect.ValueOf(&one).Elem().FieldByIndex(field.Index))
		assert.False(t, equal(&one, &zero), "Equal passes over %s: give it a row in spec_fields.go and a term in isZero", field.Name)
		c := clone(&one)
		assert.True(t, equal(&one, c), "Clone passes over %s: give it a row in spec_fields.go", field.Name)
		assert.Equal(t, one, *c)
	}
}

// checkFile saves a spec in which every field is set, and has the same when it is read again.
func checkFile[T any, P interface {
	*T
	scriptspec.Spec
}](t *testing.T, equal func(a, b P) bool) {
	t.Helper()
	var one T
	v := reflect.ValueOf(&one).Elem()
	for _, field := range reflect.VisibleFields(v.Type()) {
		if !field.Anonymous {
			fill(t, v.FieldByIndex(field.Index))
		}
	}
	v.FieldByName("StepName").SetString("X")                                           // "x" is no step
	v.FieldByName("ContainerPaths").Set(reflect.ValueOf(map[string]string{"/x": "y"})) // nor a path in a container
	s, err := decode(encode(t, P(&one)))
	require.NoError(t, err)
	assert.True(t, equal(&one, s.(P)), "a field is not in the file")
}

// fill sets a field to something that is not its zero value.
func fill(t *testing.T, v reflect.Value) {
	t.Helper()
	switch x := v.Addr().Interface().(type) {
	case *string:
		*x = "x"
	case *[]string:
		*x = []string{"x"}
	case *map[string]string:
		*x = map[string]string{"x": "y"}
	case *map[string]scriptspec.PathSpec:
		p := scriptspec.PathSpec{}
		for field := range reflect.TypeFor[scriptspec.PathSpec]().Fields() {
			fill(t, reflect.ValueOf(&p).Elem().FieldByIndex(field.Index))
		}
		*x = map[string]scriptspec.PathSpec{"x": p}
	case *scriptspec.JobArgs:
		*x = scriptspec.JobArgs{"x": 1}
	case *scriptspec.Timestamp:
		*x = scriptspec.NewTimestamp(time.Date(2025, 9, 9, 0, 0, 0, 0, time.UTC))
	case *float64:
		*x = 1.5
	case *int64:
		*x = 1
	case *int:
		*x = 3 // as spec_version a newer one, which is kept
	case *map[string]any:
		*x = map[string]any{"x": map[string]any{"y": 1}}
	case *scriptspec.Outcome:
		*x = scriptspec.OutcomeException
	case *scriptspec.Dependencies:
		fillAll(t, x)
	case *scriptspec.Budget:
		fillAll(t, x)
	case *[]scriptspec.Example:
		*x = make([]scriptspec.Example, 1)
		fillAll(t, &(*x)[0])
	case *map[string]jsonRaw:
		*x = map[string]jsonRaw{"x": jsonRaw("1")}
	default:
		t.Fatalf("teach this test a %T", x)
	}
}

func fillAll[T any](t *testing.T, x *T) {
	t.Helper()
	for field := range reflect.TypeFor[T]().Fields() {
		fill(t, reflect.ValueOf(x).Elem().FieldByIndex(field.Index))
	}
}

// Files stay small enough to be read at a sitting.
func TestFileSizes(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{"*.go", "internal/*/*.go"} {
		names, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, names)
		for _, name := range names {
			data, err := os.ReadFile(name)
			require.NoError(t, err)
			lines := strings.Count(string(data), "\n")
			assert.LessOrEqual(t, lines, 470, name)
		}
	}
}
