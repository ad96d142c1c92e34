package scriptspec

import (
	"encoding/json"
	"reflect"
	"strings"
)

// fields is the table of the members of a spec file, in the order in which they are written and their
// problems reported. To add a member whose Go type has a codec (spec_codecs.go), add a row here and a
// field with its JSON tag to Metadata: reading, writing, Clone, Equal, Redacted, the rules and the
// names in errors follow.
var fields = [...]member{
	fieldSchema:      {name: "$schema", nullable: true},
	fieldScriptName:  {name: "script_name", required: true, always: true, rules: &scriptNameRules},
	fieldStepName:    {name: "step_name", required: true, always: true, rules: &stepNameRules},
	fieldScriptPath:  {name: "script_path", nullable: true, always: true, rules: &scriptPathRules},
	fieldInputs:      {name: "input_paths", always: true, keys: &logicalNameRules, rules: &pathRules},
	fieldOutputs:     {name: "output_paths", always: true, keys: &logicalNameRules, rules: &pathRules},
	fieldInputSpecs:  {name: "input_path_specs", always: true, keys: &logicalNameRules},
	fieldOutputSpecs: {name: "output_path_specs", always: true, keys: &logicalNameRules},
	fieldEnviron:     {name: "environ_vars", always: true, keys: &envNameRules, rules: &envValueRules, secret: true},
	fieldJobArgs:     {name: "job_args", always: true},
	fieldCreatedAt:   {name: "created_at"},
	fieldUpdatedAt:   {name: "updated_at"},
	fieldVersion:     {name: "spec_version", nullable: true, least: 1},
	fieldDescription: {name: "description", nullable: true},
	fieldTags:        {name: "tags", nullable: true, rules: &tagRules, unique: true},
	fieldLabels:      {name: "labels", nullable: true, keys: &tagRules, rules: &labelRules},
	fieldExtends:     {name: "extends", nullable: true, rules: &baseNameRules, unique: true},
	fieldInherited:   {name: "inherited", nullable: true},
	fieldDependsOn:   {name: "depends_on", nullable: true},
	fieldOptional:    {name: "optional", nullable: true, rules: &logicalNameRules},
	fieldTimeout:     {name: "timeout", nullable: true},
	fieldMaxMemory:   {name: "max_memory", nullable: true},
	fieldExamples:    {name: "examples", nullable: true},
	fieldContainers:  {name: "container_paths", nullable: true, keys: &containerPathRules, rules: &pathRules},
	fieldBudget:      {name: "budget", nullable: true},
	fieldRetries:     {name: "retries", nullable: true},
	fieldSecrets:     {name: "secrets", nullable: true, rules: &logicalNameRules, unique: true},
}

// pathSpecFields is the table of the members of a path spec.
var pathSpecFields = [...]member{
	{name: "logical_name", required: true, always: true, rules: &logicalNameRules},
	{name: "path", required: true, always: true, rules: &pathRules},
	{name: "aliases", always: true, rules: &aliasRules},
}

// nestedTables are the tables of further objects.
var nestedTables = map[reflect.Type][]member{
	reflect.TypeFor[Dependencies](): {
		{name: "steps", nullable: true, rules: &dependencyRules, unique: true}, {name: "packages", nullable: true, keys: &packageRules},
		{name: "files", nullable: true, rules: &pathRules, unique: true},
	},
	reflect.TypeFor[Example](): {
		{name: "name", required: true, always: true, rules: &exampleNameRules}, {name: "description", nullable: true},
		{name: "input_paths", nullable: true, keys: &logicalNameRules, rules: &pathRules},
		{name: "environ_vars", nullable: true, keys: &envNameRules, rules: &envValueRules},
		{name: "job_args", nullable: true}, {name: "expect", nullable: true},
	},
}

// field numbers the rows of fields, for code that means one of them.
type field int

const (
	fieldSchema field = iota // it comes first, where editors look for it
	fieldScriptName
	fieldStepName
	fieldScriptPath
	fieldInputs // of a basic spec; where the kind does not matter, of either
	fieldOutputs
	fieldInputSpecs // of an enhanced spec
	fieldOutputSpecs
	fieldEnviron
	fieldJobArgs
	fieldCreatedAt
	fieldUpdatedAt
	fieldVersion // the first of version 2
	fieldDescription
	fieldTags
	fieldLabels
	fieldExtends
	fieldInherited
	fieldDependsOn
	fieldOptional
	fieldTimeout
	fieldMaxMemory
	fieldExamples
	fieldContainers
	fieldBudget
	fieldRetries
	fieldSecrets
)

// member is a row of a table.
type member struct {
	name     string     // in the file
	required bool       // a file without it is refused
	nullable bool       // null means the zero value
	always   bool       // written even if it is empty
	secret   bool       // its values are never shown
	unique   bool       // a list has nothing twice
	least    int64      // of a whole number
	keys     *textRules // of the keys of a map; nil means plainRules
	rules    *textRules // of a string, or of those in a list or map; nil means plainRules
}

func (m *member) keyRules() *textRules {
	if m.keys == nil {
		return &plainRules
	}
	return m.keys
}

func (m *member) textRules() *textRules {
	if m.rules == nil {
		return &plainRules
	}
	return m.rules
}

// checkEntry returns what is wrong with an entry of a map: its key, and what was found in its value.
func (m *member) checkEntry(key string, when occasion, inValue []flaw) []flaw {
	inKey := m.keyRules().check(key, when)
	if inKey == nil && inValue == nil {
		return nil
	}
	return below(keyed("", key), key, append(inKey, inValue...))
}

// layout is where a struct type keeps the members of a table, and the codec of each.
type layout struct {
	noun   string // what errors call such an object
	table  []member
	names  []string // of the members
	index  []int    // of the struct fields; -1 for members that the type does not have
	inMeta []bool   // whether the field is one of Metadata
	meta   int      // index of the struct field Metadata, -1 if there is none
	codecs []*codec
	extra  int // index of the struct field Extra, -1 if there is none
}

var (
	basicLayout    = newLayout("a spec", reflect.TypeFor[ScriptExecutionSpec](), fields[:])
	enhancedLayout = newLayout("a spec", reflect.TypeFor[EnhancedScriptExecutionSpec](), fields[:])
)

// layoutOf returns the layout and the struct of a spec.
func layoutOf(s Spec) (*layout, reflect.Value) {
	s = s.self()
	v := reflect.ValueOf(s).Elem()
	if _, ok := s.(*EnhancedScriptExecutionSpec); ok {
		return enhancedLayout, v
	}
	return basicLayout, v
}

// newLayout finds the struct field of each member by its JSON tag.
func newLayout(noun string, t reflect.Type, table []member) *layout {
	l := &layout{noun: noun, table: table, meta: -1, extra: -1}
	byTag := map[string]reflect.StructField{}
	for _, f := range reflect.VisibleFields(t) {
		if f.Anonymous {
			l.meta = f.Index[0]
			continue
		}
		byTag[jsonName(f)] = f
	}
	for i := range table {
		index, c := []int{-1}, (*codec)(nil)
		if f, ok := byTag[table[i].name]; ok {
			index, c = f.Index, codecOf(f.Type)
		}
		l.names, l.codecs = append(l.names, table[i].name), append(l.codecs, c)
		l.index, l.inMeta = append(l.index, index[len(index)-1]), append(l.inMeta, len(index) > 1)
	}
	if f, ok := t.FieldByName("Extra"); ok {
		l.extra = f.Index[0]
	}
	return l
}

// tableOf returns the table of a struct type whose members have no options.
func tableOf(t reflect.Type) []member {
	var table []member
	for f := range t.Fields() {
		if f.Name != "Extra" {
			table = append(table, member{name: jsonName(f), nullable: true})
		}
	}
	return table
}

func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

// has reports whether the struct type has the i-th member.
func (l *layout) has(i int) bool { return l.index[i] >= 0 }

// at returns the i-th member of the struct v.
func (l *layout) at(v reflect.Value, i int) reflect.Value {
	if l.inMeta[i] {
		v = v.Field(l.meta)
	}
	return v.Field(l.index[i])
}

// isPlain reports whether nothing of Metadata is set in the struct v: then there is no need to look at each.
func (l *layout) isPlain(v reflect.Value) bool {
	if l.meta < 0 {
		return true
	}
	m, _ := reflect.TypeAssert[*Metadata](v.Field(l.meta).Addr())
	return m.isZero()
}

// taken returns the names that no member of Extra may have in the struct v. In a spec of a newer version a member that is
// something else than it is here stays in Extra.
func (l *layout) taken(v reflect.Value) []string {
	if l.meta < 0 {
		return l.names
	}
	m, _ := reflect.TypeAssert[*Metadata](v.Field(l.meta).Addr())
	if m.SpecVersion <= SpecVersion {
		return l.names
	}
	var names []string
	for i, name := range l.names {
		if !l.inMeta[i] || !l.codecs[i].empty(l.at(v, i)) {
			names = append(names, name)
		}
	}
	return names
}

// extraOf returns the unknown members of the struct v, nil if its type keeps none.
func (l *layout) extraOf(v reflect.Value) *map[string]json.RawMessage {
	if l.extra < 0 {
		return nil
	}
	p, _ := reflect.TypeAssert[*map[string]json.RawMessage](v.Field(l.extra).Addr())
	return p
}

// copy makes the members of dst deep copies of those of src, whose layout is from. Members that only
// one of the two has are left alone.
func (l *layout) copy(dst, src reflect.Value, from *layout) {
	plain := l.isPlain(dst) && from.isPlain(src)
	for i, c := range l.codecs {
		if l.has(i) && from.has(i) && (!plain || !l.inMeta[i]) {
			c.copy(l.at(dst, i), from.at(src, i))
		}
	}
	if l.extra >= 0 && from.extra >= 0 {
		*l.extraOf(dst) = cloneExtra(*from.extraOf(src))
	}
}

// equal reports whether two structs have equal members.
func (l *layout) equal(a, b reflect.Value) bool {
	plain := l.isPlain(a) && l.isPlain(b)
	for i, c := range l.codecs {
		if l.has(i) && (!plain || !l.inMeta[i]) && !c.equal(l.at(a, i), l.at(b, i)) {
			return false
		}
	}
	return l.extra < 0 || equalExtra(*l.extraOf(a), *l.extraOf(b))
}

// copySpec makes dst a deep copy of src, but for the paths of a spec of another kind.
func copySpec(dst, src Spec) {
	to, d := layoutOf(dst)
	from, s := layoutOf(src)
	to.copy(d, s, from)
}

// equalSpecs reports whether two specs of one kind have equal members. Their version is that of what they have.
func equalSpecs(a, b Spec) bool {
	l, x := layoutOf(withVersion(a))
	_, y := layoutOf(withVersion(b))
	return l.equal(x, y)
}
