package scriptspec

import (
	"encoding/json"
	"fmt"
)

// PipelineTestingSpec is a pipeline with a spec for each of its nodes. It is loaded and saved by
// [Store.LoadPipeline] and [Store.SavePipeline], planned by Plan and run by
// [RuntimeTester.TestPipeline].
type PipelineTestingSpec struct {
	// Name is what reports call the pipeline. To be saved it must be in snake_case.
	Name string
	// DAG are its nodes and edges.
	DAG *DAG
	// Specs has the spec of each node that has a script, by node name.
	Specs map[string]Spec
	// Refs names the script of each node whose spec has a file of its own in the store. A pipeline
	// file has that name in the place of the spec, and LoadPipeline puts the spec into Specs.
	Refs map[string]string
	// Skip has the nodes that are not to be run, because they have no script or for another reason,
	// with the reason. What such a node would have made is taken from the output paths of its spec,
	// if it has one; that spec needs no script.
	Skip map[string]string
	// Wires say which output feeds which input where names alone do not, or say it wrongly.
	Wires []Wire
	// Engine is what the jobs of the nodes need, if there is an engine.
	Engine PipelineEngine
	// Options are those of the pipeline's file, for a run that is given none.
	Options PipelineOptions

	// Schema, Version, Description, Tags and Labels are as in Metadata, for the pipeline: members $schema,
	// pipeline_version and so on. Extra has members that begin with x-; others are refused.
	Schema      string
	Version     int
	Description string
	Tags        []string
	Labels      map[string]string
	Extra       map[string]json.RawMessage

	paths pathResolver    // of the store that it is from
	given map[string]Spec // if paths were resolved, the specs with those that they had
}

// Wire says that an output feeds an input along an edge, whatever they are called. Outputs and inputs
// have the names that they have in their specs as keys. Without either of them it says that the edge
// is there for the order of the nodes and carries nothing.
type Wire struct {
	Source string `json:"source" yaml:"source"`
	Output string `json:"output" yaml:"output"`
	Dest   string `json:"dest" yaml:"dest"`
	Input  string `json:"input" yaml:"input"`
}

// String returns the wire as errors name it: wire from A.model to B.model_input.
func (w Wire) String() string {
	if w.Output == "" && w.Input == "" {
		return fmt.Sprintf("wire from %s to %s", printable(w.Source), printable(w.Dest))
	}
	return fmt.Sprintf("wire from %s.%s to %s.%s", printable(w.Source), printable(w.Output), printable(w.Dest), printable(w.Input))
}
