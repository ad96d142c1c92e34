package scriptspec

import (
	"encoding/json"
	"reflect"
	"strings"
)

// fields is the table of the members of a spec file, in the order in which they are written and their
// problems reported. To add a member whose Go type has a codec (spec_codecs.go), add a row here and a
// field with its JSON tag to both structs: reading, writing, Clone, Equal, Redacted, the rules and the
// names in errors follow.
var fields = [...]member{
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
	fieldOptional:    {name: "optional", rules: &logicalNameRules},
	fieldTimeout:     {name: "timeout"},
	fieldMaxMemory:   {name: "max_memory"},
}

// pathSpecFields is the table of the members of a path spec.
var pathSpecFields = [...]member{
	{name: "logical_name", required: true, always: true, rules: &logicalNameRules},
	{name: "path", required: true, always: true, rules: &pathRules},
	{name: "aliases", always: true, rules: &aliasRules},
}

// field numbers the rows of fields, for code that means one of them.
type field int

const (
	fieldScriptName field = iota
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
	fieldOptional
	fieldTimeout
	fieldMaxMemory
)

// member is a row of a table.
type member struct {
	name     string     // in the file
	required bool       // a file without it is refused
	nullable bool       // null means the zero value
	always   bool       // written even if it is empty
	secret   bool       // its values are never shown
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
	byTag := map[string]reflect.StructField{}
	for f := range t.Fields() {
		byTag[jsonName(f)] = f
	}
	l := &layout{noun: noun, table: table, extra: -1}
	for i := range table {
		index, c := -1, (*codec)(nil)
		if f, ok := byTag[table[i].name]; ok {
			index, c = f.Index[0], codecOf(f.Type)
		}
		l.names, l.index, l.codecs = append(l.names, table[i].name), append(l.index, index), append(l.codecs, c)
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
			table = append(table, member{name: jsonName(f)})
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
func (l *layout) at(v reflect.Value, i int) reflect.Value { return v.Field(l.index[i]) }

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
	for i, c := range l.codecs {
		if l.has(i) && from.has(i) {
			c.copy(l.at(dst, i), from.at(src, i))
		}
	}
	if l.extra >= 0 && from.extra >= 0 {
		*l.extraOf(dst) = cloneExtra(*from.extraOf(src))
	}
}

// equal reports whether two structs have equal members.
func (l *layout) equal(a, b reflect.Value) bool {
	for i, c := range l.codecs {
		if l.has(i) && !c.equal(l.at(a, i), l.at(b, i)) {
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

// equalSpecs reports whether two specs of one kind have equal members.
func equalSpecs(a, b Spec) bool {
	l, x := layoutOf(a)
	_, y := layoutOf(b)
	return l.equal(x, y)
}
