package scriptspec_test

import (
	"context"
	"fmt"
	"os"

	"github.com/scriptspec/scriptspec"
)

// A page for people who read about a step without its code.
func ExampleWriteSpecMarkdown() {
	spec := scriptspec.New("train", "Train", "scripts/train.py")
	spec.Description = "Fits the model."
	spec.AddInputPath("features", "data/features")
	spec.AddOutputPath("model", "out/model")
	spec.AddJobArg("eta", 0.3)
	if err := scriptspec.WriteSpecMarkdown(os.Stdout, spec); err != nil {
		panic(err)
	}
	// Output:
	// # Train
	//
	// Fits the model\.
	//
	// Script: `scripts/train.py`
	//
	// ## Inputs
	//
	// - `features`: `data/features`
	//
	// ## Outputs
	//
	// - `model`: `out/model`
	//
	// ## Job arguments
	//
	// - `eta`: `0.3`
}

// Why each input of a pipeline gets what it gets.
func ExamplePipelinePlan_Explain() {
	load := scriptspec.New("load", "Load", "load.py")
	load.AddOutputPath("rows", "out/rows")
	train := scriptspec.New("train", "Train", "train.py")
	train.AddInputPath("rows", "in/rows")
	train.AddInputPath("config", "in/config")
	p := &scriptspec.PipelineTestingSpec{
		Name: "churn", DAG: &scriptspec.DAG{Nodes: []string{"Load", "Train"}, Edges: [][2]string{{"Load", "Train"}}},
		Specs: map[string]scriptspec.Spec{"Load": load, "Train": train},
	}
	plan, err := p.Plan(nil)
	if err != nil {
		panic(err)
	}
	fmt.Print(plan.Explain())
	// Output:
	// Load needs no other node
	// Train runs after Load
	//   rows <- Load.rows: equal logical names (1.00)
	//   config <- the path in the spec: no output of the nodes before it matches
}

// The rules that Lint mends by itself.
func ExampleLintRules() {
	for _, rule := range scriptspec.LintRules() {
		if rule.Fixable {
			fmt.Printf("%s: %s\n", rule.Code, rule.Summary)
		}
	}
	// Output:
	// duplicate: something is listed twice, or two outputs have one path
	// format: a name or value does not have the required form
	// not_exist: a script or input does not exist
	// rewritten: a program that knows only version 1 has dropped members
	// stale_base: a base has changed since the spec was rendered
	// unknown_member: a member, or a name in an example or the settings, is unknown
}

// Where a spec and its base have both changed a value, Theirs takes the base's.
func ExampleStore_RenderAll() {
	store, done := exampleStore()
	defer done()
	base := &scriptspec.Base{Name: "defaults", JobArgs: scriptspec.JobArgs{"batch_size": 64}}
	spec := scriptspec.New("train", "Train", "scripts/train.py")
	spec.Extends = []string{"defaults"}
	save := func(batchSize int) {
		base.JobArgs["batch_size"] = batchSize
		if err := store.SaveBase(base); err != nil {
			panic(err)
		}
	}
	save(64)
	if _, err := store.Render(spec); err != nil {
		panic(err)
	}
	spec.JobArgs["batch_size"] = 128
	if err := store.Save(spec); err != nil {
		panic(err)
	}
	save(256)
	for _, theirs := range []bool{false, true} {
		for r, err := range store.RenderAll(context.Background(), &scriptspec.RenderOptions{Theirs: theirs}) {
			if err != nil {
				panic(err)
			}
			fmt.Println(r.Changes)
		}
	}
	// Output:
	// [job_args["batch_size"]: kept 128, where a base now says 256]
	// [job_args["batch_size"]: changed 128 to 256]
}
