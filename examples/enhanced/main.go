// Enhanced wires two steps by the aliases of their paths: what TabularPreprocessing writes is what
// XGBoostTraining reads, under other names. It then takes both specs through a store. It runs no
// script and writes to a temporary directory only.
//
//	go run ./examples/enhanced
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/scriptspec/scriptspec"
)

func main() {
	if err := run(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "enhanced:", err)
		os.Exit(1)
	}
}

// aliases has one table for all steps: a logical name means the same wherever it stands.
func aliases(logicalName string) []string {
	return map[string][]string{
		"data_input":   {"input", "dataset", "training_data", "raw_dataset"},
		"config":       {"configuration", "params", "hyperparameters", "settings"},
		"data_output":  {"output", "result", "processed_data", "dataset"},
		"metrics":      {"stats", "statistics", "performance", "quality_metrics"},
		"model_output": {"model", "artifact", "trained_model"},
	}[logicalName]
}

func run(out io.Writer) error {
	preprocessing := scriptspec.New("tabular_preprocessing", "TabularPreprocessing_training",
		"/path/to/scripts/tabular_preprocessing.py")
	preprocessing.AddInputPath("data_input", "/test_data/input/raw_data")
	preprocessing.AddInputPath("config", "/test_data/config/preprocessing_config.json")
	preprocessing.AddOutputPath("data_output", "/test_data/output/processed_data")
	preprocessing.AddOutputPath("metrics", "/test_data/output/preprocessing_metrics")
	preprocessing.AddJobArg("batch_size", 1000)

	training := scriptspec.New("xgboost_training", "XGBoostTraining_training",
		"/path/to/scripts/xgboost_training.py")
	training.AddInputPath("data_input", "/test_data/input/training_data")
	training.AddOutputPath("model_output", "/test_data/models/trained_xgboost")

	source := scriptspec.Enhance(preprocessing, aliases)
	dest := scriptspec.Enhance(training, aliases)

	if err := wire(out, source, dest); err != nil {
		return err
	}
	if err := throughStore(out, source, dest); err != nil {
		return err
	}

	fmt.Fprintln(out, "\n== Basic: for all that asks for plain paths")
	basic := dest.Basic()
	path, _ := basic.InputPath("data_input")
	fmt.Fprintln(out, "data_input:", path)
	_, ok := basic.InputPath("dataset")
	fmt.Fprintln(out, "knows the alias dataset:", ok)
	return nil
}

// wire makes dest read what source writes. Neither knows the other's logical name; both know the
// alias.
func wire(out io.Writer, source, dest *scriptspec.EnhancedScriptExecutionSpec) error {
	const alias = "dataset"
	fmt.Fprintf(out, "== Both steps know %q\n", alias)
	output, ok := source.OutputPath(alias)
	if !ok {
		return fmt.Errorf("%s writes nothing that is called %q", source.StepName, alias)
	}
	input, ok := dest.InputPath(alias)
	if !ok {
		return fmt.Errorf("%s reads nothing that is called %q", dest.StepName, alias)
	}
	fmt.Fprintf(out, "%s writes %s to %s\n", source.StepName, output.LogicalName, output.Path)
	fmt.Fprintf(out, "%s reads %s from %s\n", dest.StepName, input.LogicalName, input.Path)

	dest.AddInputPath(input.LogicalName, output.Path)
	input, _ = dest.InputPath("training_data") // any of its names will do, before and after
	fmt.Fprintf(out, "wired: %s reads %s from %s\n", dest.StepName, input.LogicalName, input.Path)
	fmt.Fprintln(out, "aliases kept:", strings.Join(input.Aliases, ", "))
	return nil
}

// throughStore saves both specs and loads them again.
func throughStore(out io.Writer, specs ...*scriptspec.EnhancedScriptExecutionSpec) error {
	work, err := os.MkdirTemp("", "scriptspec-enhanced-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	store, err := scriptspec.OpenStore(work, nil)
	if err != nil {
		return err
	}
	defer store.Close()

	fmt.Fprintln(out, "\n== Through the store and back")
	for _, spec := range specs {
		if err := store.Save(spec); err != nil {
			return err
		}
		again, err := store.LoadEnhanced(spec.ScriptName)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s: same spec: %v\n", spec.SpecFileName(), again.Equal(spec))
	}

	fmt.Fprintln(out, "\n== Load asks for a basic spec and is refused: the aliases would be lost")
	_, err = store.Load(specs[0].ScriptName)
	refused, ok := errors.AsType[*scriptspec.DecodeError](err)
	if !ok || !errors.Is(err, scriptspec.ErrEnhanced) {
		return errors.Join(errors.New("want ErrEnhanced"), err)
	}
	fmt.Fprintln(out, refused.Message) // without refused.File, which is different in every run
	return nil
}
