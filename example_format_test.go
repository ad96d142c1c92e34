package scriptspec_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sort"

	"github.com/scriptspec/scriptspec"
)

func exampleStore() (*scriptspec.Store, func()) {
	dir, err := os.MkdirTemp("", "scriptspec-example-")
	if err != nil {
		panic(err)
	}
	store, err := scriptspec.OpenStore(dir, nil)
	if err != nil {
		panic(err)
	}
	return store, func() { _, _ = store.Close(), os.RemoveAll(dir) }
}

// What several specs have in common is in a base; rendering puts it into each, and says what that changes.
func ExampleStore_Render() {
	store, done := exampleStore()
	defer done()
	base := &scriptspec.Base{
		Name: "defaults", EnvironVars: map[string]string{"REGION": "eu-west-1"}, JobArgs: scriptspec.JobArgs{"batch_size": 64},
		Metadata: scriptspec.Metadata{Budget: scriptspec.Budget{Duration: 60}},
	}
	if err := store.SaveBase(base); err != nil {
		panic(err)
	}
	spec := scriptspec.New("train", "Train", "scripts/train.py")
	spec.Extends = []string{"defaults"}
	show := func(changes []scriptspec.Change, err error) {
		if err != nil {
			panic(err)
		}
		for _, c := range changes {
			fmt.Println(c)
		}
	}
	show(store.Render(spec))
	spec.JobArgs["batch_size"] = 128 // the author's from now on
	base.JobArgs["batch_size"] = 256
	if err := store.SaveBase(base); err != nil {
		panic(err)
	}
	fmt.Println("--")
	show(store.Render(spec))
	// Output:
	// budget.duration: added 60
	// environ_vars["REGION"]: added "[redacted]"
	// job_args["batch_size"]: added 64
	// --
	// job_args["batch_size"]: kept 128, where a base now says 256
}

// A template makes a spec that complies with the conventions of a team, or of SageMaker.
func ExampleTemplate() {
	store, done := exampleStore()
	defer done()
	template, err := store.LoadTemplate("sagemaker_processing")
	if err != nil {
		panic(err)
	}
	parameter := template.Parameters["job_type"] // a scriptspec.TemplateParameter
	fmt.Println("job types:", parameter.Enum)
	spec, err := template.New(map[string]any{"script_path": "scripts/tabular_preprocessing.py", "job_type": "calibration"})
	if err != nil {
		panic(err)
	}
	fmt.Println(spec)
	_, err = template.New(map[string]any{"job_typ": "x"})
	fmt.Println(err)
	// Output:
	// job types: [training validation testing calibration]
	// TabularPreprocessing_calibration(tabular_preprocessing) script=scripts/tabular_preprocessing.py inputs=[input_data] outputs=[processed_data] env=[] args=[job_type]
	// template sagemaker_processing: 2 problems
	//   parameters["job_typ"]: parameter "job_typ" is unknown (did you mean job_type?)
	//   parameters["script_path"]: parameter "script_path" is required (The .py file.)
}

// Specs are selected by tags, labels, names and what they depend on; SCRIPTSPEC_SELECT does so for RunStore.
func ExampleStore_Select() {
	store, done := exampleStore()
	defer done()
	for name, needs := range map[string][]string{"Load": nil, "Train": {"Load"}, "Report": {"Train"}} {
		spec := scriptspec.New(scriptspec.ToSnakeCase(name), name, "x.py")
		spec.DependsOn = scriptspec.Dependencies{Steps: needs}
		if name == "Train" {
			spec.Tags = []string{"gpu"}
		}
		if err := store.Save(spec); err != nil {
			panic(err)
		}
	}
	selector, err := scriptspec.ParseSelector("+tag:gpu")
	if err != nil {
		panic(err)
	}
	for spec, err := range store.Select(context.Background(), selector) {
		if err != nil {
			panic(err)
		}
		fmt.Println(spec.Basic().StepName)
	}
	// Output:
	// Load
	// Train
}

// An example of a spec is one more run with some values of its own.
func ExampleWithExample() {
	spec := scriptspec.New("train", "Train", "scripts/train.py")
	spec.AddJobArg("rows", 1_000_000)
	spec.Examples = []scriptspec.Example{{Name: "small", JobArgs: scriptspec.JobArgs{"rows": 10}}}
	small, err := scriptspec.WithExample(spec, "small")
	if err != nil {
		panic(err)
	}
	fmt.Println(spec.JobArgs["rows"], small.Basic().JobArgs["rows"])
	// Output: 1000000 10
}

// Migrating takes old files to the newest version and changes nothing else.
func ExampleStore_MigrateAll() {
	store, done := exampleStore()
	defer done()
	if err := store.Save(scriptspec.New("train", "Train", "scripts/train.py")); err != nil {
		panic(err)
	}
	var migration scriptspec.Migration
	for m, err := range store.MigrateAll(context.Background(), &scriptspec.MigrateOptions{Write: true}) {
		if err != nil {
			panic(err)
		}
		migration = m
	}
	fmt.Println(migration.Changes)
	spec, err := store.Load("train")
	if err != nil {
		panic(err)
	}
	changes, err := scriptspec.Migrate(spec)
	fmt.Println(spec.SpecVersion == scriptspec.SpecVersion, changes, err)
	// Output:
	// [spec_version: added 2]
	// true [] <nil>
}

// The schemas are for editors and for programs in other languages.
func ExampleJSONSchema() {
	var schema struct {
		Title      string         `json:"title"`
		Properties map[string]any `json:"properties"`
	}
	if err := json.Unmarshal(scriptspec.JSONSchema(scriptspec.SchemaBase), &schema); err != nil {
		panic(err)
	}
	var names []string
	for name := range schema.Properties {
		names = append(names, name)
	}
	sort.Strings(names)
	fmt.Println(schema.Title, names[:3])
	// Output: Base of specs [$schema budget container_paths]
}
