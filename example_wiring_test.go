package scriptspec_test

import (
	"fmt"

	"github.com/scriptspec/scriptspec"
)

func ExamplePathMatcher() {
	source := &scriptspec.EnhancedScriptExecutionSpec{StepName: "TabularPreprocessing_training"}
	source.AddOutputPathSpec(scriptspec.PathSpec{LogicalName: "data_output", Path: "/work/clean", Aliases: []string{"dataset"}})
	dest := &scriptspec.EnhancedScriptExecutionSpec{StepName: "XGBoostTraining_training"}
	dest.AddInputPathSpec(scriptspec.PathSpec{LogicalName: "data_input", Path: "/work/in", Aliases: []string{"dataset"}})
	dest.AddInputPathSpec(scriptspec.PathSpec{LogicalName: "hyperparameters", Path: "/work/params"})

	m := &scriptspec.PathMatcher{}
	for _, match := range m.FindPathMatches(source, dest) {
		fmt.Println(match.SourceLogicalName, "->", match.DestLogicalName, match.MatchType, match.Confidence)
	}
	wires, err := m.Assign(source, dest)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(wires.Explain())
	// Output:
	// data_output -> data_input alias_to_alias 0.9
	// inputs of XGBoostTraining_training
	//   data_input <- TabularPreprocessing_training.data_output: both have the alias dataset (0.90)
	//   hyperparameters <- nothing: no output has its name, one of its aliases or a similar name
}

func ExampleDAG_TopologicalSort() {
	dag := &scriptspec.DAG{
		Nodes: []string{"Package", "XGBoostTraining", "TabularPreprocessing_training"},
		Edges: [][2]string{{"TabularPreprocessing_training", "XGBoostTraining"}, {"XGBoostTraining", "Package"}},
	}
	fmt.Println(dag.TopologicalSort())
	dag.Edges = append(dag.Edges, [2]string{"Package", "TabularPreprocessing_training"})
	_, err := dag.TopologicalSort()
	fmt.Println(err)
	// Output:
	// [TabularPreprocessing_training XGBoostTraining Package] <nil>
	// the graph has a cycle of 3 nodes: Package -> TabularPreprocessing_training -> XGBoostTraining -> Package; remove one of its edges
}

func ExampleSpecBuilder() {
	builder := &scriptspec.SpecBuilder{
		ScriptDirs: []string{"testdata/scripts"},
		Scripts:    map[string]string{"Registration": ""},
	}
	r, err := builder.Resolve("TabularPreprocessing_calibration")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.ScriptName, r.Step.JobType, r.Method)
	_, err = builder.Resolve("Registration_us_east_1")
	fmt.Println(err)
	// Output:
	// tabular_preprocessing calibration exact
	// node Registration_us_east_1: the step is declared to have no script
}
