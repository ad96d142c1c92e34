package scriptspec

import "encoding/json"

// ScriptExecutionSpec ties the two identities of a pipeline script together and carries all that one
// run of it needs.
//
// The maps may be read and written directly, which does not stamp UpdatedAt; the Add methods do.
// The zero value is an empty spec. Like a map, a spec may have many readers or one writer at a time.
//
// The type has no JSON methods and only built-in validator tags, so that it can be embedded and
// nested. Marshalling it with encoding/json gives its own members; [Encode] also writes Extra.
// A struct that embeds it is printed as the spec, without its own fields, unless it has Format and
// LogValue methods of its own. Save writes the spec alone.
type ScriptExecutionSpec struct {
	// ScriptName is the name of the script's file without .py, in snake_case: tabular_preprocessing.
	ScriptName string `json:"script_name" yaml:"script_name" validate:"required"`
	// StepName is the name of the DAG node, in PascalCase with an optional job type:
	// TabularPreprocessing_training.
	StepName string `json:"step_name" yaml:"step_name" validate:"required"`
	// ScriptPath is the path of the script.
	ScriptPath string `json:"script_path" yaml:"script_path" validate:"required"`
	// InputPaths maps logical names to the files or directories that the script reads.
	InputPaths map[string]string `json:"input_paths,omitzero" yaml:"input_paths,omitempty" validate:"dive,keys,required,endkeys,required"`
	// OutputPaths maps logical names to the directories that the script writes to.
	OutputPaths map[string]string `json:"output_paths,omitzero" yaml:"output_paths,omitempty" validate:"dive,keys,required,endkeys,required"`
	// EnvironVars holds the environment variables of the run. Their values may be secrets: no
	// error, String or log of this package shows them.
	EnvironVars map[string]string `json:"environ_vars,omitzero" yaml:"environ_vars,omitempty" validate:"dive,keys,required,excludes==,endkeys"`
	// JobArgs holds the job arguments of the run.
	JobArgs JobArgs `json:"job_args,omitzero" yaml:"job_args,omitempty" validate:"-"`
	// CreatedAt is when the spec was made; zero means unknown.
	CreatedAt Timestamp `json:"created_at,omitzero" yaml:"created_at,omitempty" validate:"-"`
	// UpdatedAt is when the spec was last changed; zero means unknown.
	UpdatedAt Timestamp `json:"updated_at,omitzero" yaml:"updated_at,omitempty" validate:"-"`
	// Metadata is what version 2 of the format added.
	Metadata `yaml:",inline"`
	// Extra holds the members of the file that this version does not know, as they were written.
	// They are saved after the known ones, sorted by name.
	Extra map[string]json.RawMessage `json:"-" yaml:"-" validate:"-"`
}

// New returns a spec with both timestamps set to now.
func New(scriptName, stepName, scriptPath string) *ScriptExecutionSpec {
	at := now()
	return &ScriptExecutionSpec{
		ScriptName: scriptName, StepName: stepName, ScriptPath: scriptPath,
		CreatedAt: at, UpdatedAt: at,
	}
}

func (s *ScriptExecutionSpec) self() Spec { return s }

func (s *ScriptExecutionSpec) common() common {
	return common{
		scriptName: &s.ScriptName, stepName: &s.StepName, scriptPath: &s.ScriptPath,
		environVars: &s.EnvironVars, jobArgs: &s.JobArgs,
		createdAt: &s.CreatedAt, updatedAt: &s.UpdatedAt,
		meta: &s.Metadata,
	}
}

func (s *ScriptExecutionSpec) eachPath(f field, do func(key, path string)) {
	m := s.InputPaths
	if f == fieldOutputs {
		m = s.OutputPaths
	}
	for key, path := range m {
		do(key, path)
	}
}

// AddInputPath sets an input path and stamps UpdatedAt.
func (s *ScriptExecutionSpec) AddInputPath(logicalName, path string) {
	setEntry(&s.InputPaths, logicalName, path)
	s.UpdateTimestamp()
}

// AddOutputPath sets an output path and stamps UpdatedAt.
func (s *ScriptExecutionSpec) AddOutputPath(logicalName, path string) {
	setEntry(&s.OutputPaths, logicalName, path)
	s.UpdateTimestamp()
}

// AddEnvironVar sets an environment variable and stamps UpdatedAt. Names that no process can have
// (empty, with '=', NUL or a newline) are refused by Validate, Save and the tester.
func (s *ScriptExecutionSpec) AddEnvironVar(key, value string) { s.common().addEnvironVar(key, value) }

// AddJobArg sets a job argument to a deep copy of value and stamps UpdatedAt. Values that JSON
// cannot carry are refused by Save, by name.
func (s *ScriptExecutionSpec) AddJobArg(key string, value any) { s.common().addJobArg(key, value) }

// InputPath returns the input path with the logical name.
func (s *ScriptExecutionSpec) InputPath(logicalName string) (path string, ok bool) {
	path, ok = s.InputPaths[logicalName]
	return path, ok
}

// OutputPath returns the output path with the logical name.
func (s *ScriptExecutionSpec) OutputPath(logicalName string) (path string, ok bool) {
	path, ok = s.OutputPaths[logicalName]
	return path, ok
}

// ExecutionEnvironment returns the environment of the current process with EnvironVars over it.
// The caller owns the map.
func (s *ScriptExecutionSpec) ExecutionEnvironment() map[string]string {
	return s.common().environment()
}

// UpdateTimestamp sets UpdatedAt to now. It never moves back, nor before CreatedAt, even if the
// clock does.
func (s *ScriptExecutionSpec) UpdateTimestamp() { s.common().touch() }

// SpecFileName returns "<script_name>_runtime_test_spec.json", or "" for a script name that fails
// [IsScriptName] or is too long for a file name.
func (s *ScriptExecutionSpec) SpecFileName() string { return s.common().specFileName() }

// Basic returns a copy. A basic spec has nothing to leave out.
func (s *ScriptExecutionSpec) Basic() *ScriptExecutionSpec { return s.Clone() }

// Clone returns a deep copy, except that pointers among the job arguments are copied as they are.
func (s *ScriptExecutionSpec) Clone() *ScriptExecutionSpec {
	if s == nil {
		return nil
	}
	c := new(ScriptExecutionSpec)
	copySpec(c, s)
	return c
}

// Equal reports whether both specs mean the same. A nil map equals an empty one and a null time none;
// times are compared to the microsecond; job arguments are compared as JSON, so that int 1 equals
// json.Number 1 and differs from float64 1, and NaN, which has no JSON, equals nothing.
func (s *ScriptExecutionSpec) Equal(o *ScriptExecutionSpec) bool {
	if s == nil || o == nil {
		return s == o
	}
	return equalSpecs(s, o)
}
