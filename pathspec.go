package scriptspec

import (
	"encoding/json"
	"maps"
	"slices"
)

// PathSpec is a path with the names by which other steps may know it.
type PathSpec struct {
	// LogicalName is the name that is matched. It may differ from the key under which a spec holds
	// the PathSpec.
	LogicalName string `json:"logical_name" yaml:"logical_name" validate:"required"`
	// Path is the file or directory.
	Path string `json:"path" yaml:"path" validate:"required"`
	// Aliases are further names, in order of preference.
	Aliases []string `json:"aliases,omitzero" yaml:"aliases,omitempty" validate:"dive,required"`
	// Extra holds the members that this version does not know, as in the spec.
	Extra map[string]json.RawMessage `json:"-" yaml:"-" validate:"-"`
}

// MatchesNameOrAlias reports whether name is the logical name or an alias. The comparison is case-sensitive.
func (p PathSpec) MatchesNameOrAlias(name string) bool {
	return name == p.LogicalName || slices.Contains(p.Aliases, name)
}

// Clone returns a deep copy.
func (p PathSpec) Clone() PathSpec {
	p.Aliases = slices.Clone(p.Aliases)
	p.Extra = cloneExtra(p.Extra)
	return p
}

// Equal reports whether both mean the same. The order of aliases matters.
func (p PathSpec) Equal(o PathSpec) bool {
	return p.LogicalName == o.LogicalName && p.Path == o.Path &&
		slices.Equal(p.Aliases, o.Aliases) && equalExtra(p.Extra, o.Extra)
}

// EnhancedScriptExecutionSpec is a [ScriptExecutionSpec] whose paths have aliases, so that the
// outputs of one step can be matched to the inputs of the next. Maps, concurrency, embedding and
// JSON are as described there.
type EnhancedScriptExecutionSpec struct {
	// ScriptName is as in ScriptExecutionSpec.
	ScriptName string `json:"script_name" yaml:"script_name" validate:"required"`
	// StepName is as in ScriptExecutionSpec.
	StepName string `json:"step_name" yaml:"step_name" validate:"required"`
	// ScriptPath is as in ScriptExecutionSpec.
	ScriptPath string `json:"script_path" yaml:"script_path" validate:"required"`
	// InputPathSpecs maps logical names to what the script reads.
	InputPathSpecs map[string]PathSpec `json:"input_path_specs,omitzero" yaml:"input_path_specs,omitempty" validate:"dive,keys,required,endkeys"`
	// OutputPathSpecs maps logical names to what the script writes.
	OutputPathSpecs map[string]PathSpec `json:"output_path_specs,omitzero" yaml:"output_path_specs,omitempty" validate:"dive,keys,required,endkeys"`
	// EnvironVars is as in ScriptExecutionSpec.
	EnvironVars map[string]string `json:"environ_vars,omitzero" yaml:"environ_vars,omitempty" validate:"dive,keys,required,excludes==,endkeys"`
	// JobArgs is as in ScriptExecutionSpec.
	JobArgs JobArgs `json:"job_args,omitzero" yaml:"job_args,omitempty" validate:"-"`
	// CreatedAt is as in ScriptExecutionSpec.
	CreatedAt Timestamp `json:"created_at,omitzero" yaml:"created_at,omitempty" validate:"-"`
	// UpdatedAt is as in ScriptExecutionSpec.
	UpdatedAt Timestamp `json:"updated_at,omitzero" yaml:"updated_at,omitempty" validate:"-"`
	// Metadata is what version 2 of the format added.
	Metadata `yaml:",inline"`
	// Extra is as in ScriptExecutionSpec.
	Extra map[string]json.RawMessage `json:"-" yaml:"-" validate:"-"`
}

// Enhance returns an enhanced copy of s. The function returns the aliases of each logical name; nil
// means that there are none.
func Enhance(s *ScriptExecutionSpec, aliases func(logicalName string) []string) *EnhancedScriptExecutionSpec {
	if s == nil {
		return nil
	}
	e := &EnhancedScriptExecutionSpec{
		InputPathSpecs:  pathSpecsOf(s.InputPaths, aliases),
		OutputPathSpecs: pathSpecsOf(s.OutputPaths, aliases),
	}
	copySpec(e, s)
	return e
}

func pathSpecsOf(paths map[string]string, aliases func(logicalName string) []string) map[string]PathSpec {
	if paths == nil {
		return nil
	}
	specs := make(map[string]PathSpec, len(paths))
	for name, path := range paths {
		p := PathSpec{LogicalName: name, Path: path}
		if aliases != nil {
			p.Aliases = slices.Clone(aliases(name))
		}
		specs[name] = p
	}
	return specs
}

func (s *EnhancedScriptExecutionSpec) self() Spec { return s }

func (s *EnhancedScriptExecutionSpec) common() common {
	return common{
		scriptName: &s.ScriptName, stepName: &s.StepName, scriptPath: &s.ScriptPath,
		environVars: &s.EnvironVars, jobArgs: &s.JobArgs,
		createdAt: &s.CreatedAt, updatedAt: &s.UpdatedAt,
		meta: &s.Metadata, enhanced: true,
	}
}

func (s *EnhancedScriptExecutionSpec) eachPath(f field, do func(key, path string)) {
	m := s.InputPathSpecs
	if f == fieldOutputs {
		m = s.OutputPathSpecs
	}
	for key, p := range m {
		do(key, p.Path)
	}
}

// Basic returns a basic copy: the keys and paths of the path specs, without logical names that
// differ from their key and without aliases.
func (s *EnhancedScriptExecutionSpec) Basic() *ScriptExecutionSpec {
	if s == nil {
		return nil
	}
	b := &ScriptExecutionSpec{InputPaths: plainPaths(s.InputPathSpecs), OutputPaths: plainPaths(s.OutputPathSpecs)}
	copySpec(b, s)
	return b
}

// InputPaths returns logical name -> path, as a basic spec has it. The caller owns the map.
func (s *EnhancedScriptExecutionSpec) InputPaths() map[string]string {
	return orEmpty(plainPaths(s.InputPathSpecs))
}

// OutputPaths returns logical name -> path, as a basic spec has it. The caller owns the map.
func (s *EnhancedScriptExecutionSpec) OutputPaths() map[string]string {
	return orEmpty(plainPaths(s.OutputPathSpecs))
}

// InputPath returns a copy of the input with the given key, logical name or alias. A key takes
// precedence over a logical name, and that over an alias; among equals the first key in order wins.
func (s *EnhancedScriptExecutionSpec) InputPath(nameOrAlias string) (PathSpec, bool) {
	return findPath(s.InputPathSpecs, nameOrAlias)
}

// OutputPath is InputPath for the outputs.
func (s *EnhancedScriptExecutionSpec) OutputPath(nameOrAlias string) (PathSpec, bool) {
	return findPath(s.OutputPathSpecs, nameOrAlias)
}

// AddInputPath sets an input path and stamps UpdatedAt. The input keeps its aliases.
func (s *EnhancedScriptExecutionSpec) AddInputPath(logicalName, path string) {
	setPath(&s.InputPathSpecs, logicalName, path)
	s.UpdateTimestamp()
}

// AddOutputPath sets an output path and stamps UpdatedAt. The output keeps its aliases.
func (s *EnhancedScriptExecutionSpec) AddOutputPath(logicalName, path string) {
	setPath(&s.OutputPathSpecs, logicalName, path)
	s.UpdateTimestamp()
}

// AddInputPathSpec sets an input under its logical name and stamps UpdatedAt.
func (s *EnhancedScriptExecutionSpec) AddInputPathSpec(p PathSpec) {
	setEntry(&s.InputPathSpecs, p.LogicalName, p.Clone())
	s.UpdateTimestamp()
}

// AddOutputPathSpec sets an output under its logical name and stamps UpdatedAt.
func (s *EnhancedScriptExecutionSpec) AddOutputPathSpec(p PathSpec) {
	setEntry(&s.OutputPathSpecs, p.LogicalName, p.Clone())
	s.UpdateTimestamp()
}

// AddEnvironVar is as in [ScriptExecutionSpec.AddEnvironVar].
func (s *EnhancedScriptExecutionSpec) AddEnvironVar(key, value string) {
	s.common().addEnvironVar(key, value)
}

// AddJobArg is as in [ScriptExecutionSpec.AddJobArg].
func (s *EnhancedScriptExecutionSpec) AddJobArg(key string, value any) {
	s.common().addJobArg(key, value)
}

// ExecutionEnvironment is as in [ScriptExecutionSpec.ExecutionEnvironment].
func (s *EnhancedScriptExecutionSpec) ExecutionEnvironment() map[string]string {
	return s.common().environment()
}

// UpdateTimestamp is as in [ScriptExecutionSpec.UpdateTimestamp].
func (s *EnhancedScriptExecutionSpec) UpdateTimestamp() { s.common().touch() }

// SpecFileName is as in [ScriptExecutionSpec.SpecFileName]: both kinds share the script's file.
func (s *EnhancedScriptExecutionSpec) SpecFileName() string { return s.common().specFileName() }

// Clone is as in [ScriptExecutionSpec.Clone].
func (s *EnhancedScriptExecutionSpec) Clone() *EnhancedScriptExecutionSpec {
	if s == nil {
		return nil
	}
	c := new(EnhancedScriptExecutionSpec)
	copySpec(c, s)
	return c
}

// Equal is as in [ScriptExecutionSpec.Equal]; the order of aliases matters.
func (s *EnhancedScriptExecutionSpec) Equal(o *EnhancedScriptExecutionSpec) bool {
	if s == nil || o == nil {
		return s == o
	}
	return equalSpecs(s, o)
}

func plainPaths(specs map[string]PathSpec) map[string]string {
	if specs == nil {
		return nil
	}
	paths := make(map[string]string, len(specs))
	for key, p := range specs {
		paths[key] = p.Path
	}
	return paths
}

func orEmpty[V any](m map[string]V) map[string]V {
	if m == nil {
		return map[string]V{}
	}
	return m
}

func findPath(specs map[string]PathSpec, name string) (PathSpec, bool) {
	if p, ok := specs[name]; ok {
		return p.Clone(), true
	}
	keys := slices.Sorted(maps.Keys(specs))
	for _, key := range keys {
		if specs[key].LogicalName == name {
			return specs[key].Clone(), true
		}
	}
	for _, key := range keys {
		if specs[key].MatchesNameOrAlias(name) {
			return specs[key].Clone(), true
		}
	}
	return PathSpec{}, false
}

func setPath(specs *map[string]PathSpec, name, path string) {
	p, ok := (*specs)[name]
	if !ok {
		p.LogicalName = name
	}
	p.Path = path
	setEntry(specs, name, p)
}
