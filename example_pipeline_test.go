package scriptspec_test

import (
	"errors"
	"fmt"

	"github.com/scriptspec/scriptspec"
)

// A plan says what feeds every input. What only similar names speak for waits for a wire.
func ExamplePipelineTestingSpec_Plan() {
	prep := scriptspec.New("tabular_preprocessing", "TabularPreprocessing_training", "scripts/tabular_preprocessing.py")
	prep.AddOutputPath("training_data", "out/training_data")
	train := scriptspec.New("model_training", "ModelTraining", "scripts/model_training.py")
	train.AddInputPath("train_data", "data/train")
	train.AddInputPath("config", "data/config.json")
	pipeline := &scriptspec.PipelineTestingSpec{
		Name:  "churn",
		DAG:   &scriptspec.DAG{Nodes: []string{prep.StepName, train.StepName}, Edges: [][2]string{{prep.StepName, train.StepName}}},
		Specs: map[string]scriptspec.Spec{prep.StepName: prep, train.StepName: train},
	}

	_, err := pipeline.Plan(nil)
	if ve, ok := errors.AsType[*scriptspec.ValidationError](err); ok {
		for fe := range ve.All() {
			fmt.Println(fe.Code, fe.Message)
			if wire, ok := fe.Value.(scriptspec.Wire); ok {
				pipeline.Wires = append(pipeline.Wires, wire) // after a look at it
			}
		}
	}

	plan, err := pipeline.Plan(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, n := range plan.Nodes {
		for _, pair := range n.Inputs {
			fmt.Printf("%s.%s <- %s.%s\n", n.Node, pair.DestLogicalName, pair.Source, pair.SourceLogicalName)
		}
		fmt.Println(n.Node, "takes from its spec:", n.FromSpec)
	}
	// Output:
	// unconfirmed only similar names (0.71) speak for output training_data of TabularPreprocessing_training as input train_data of ModelTraining
	// TabularPreprocessing_training takes from its spec: []
	// ModelTraining.train_data <- TabularPreprocessing_training.training_data
	// ModelTraining takes from its spec: [config]
}
