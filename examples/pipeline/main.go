// Pipeline runs a whole pipeline of real Python scripts: customer data that is there already, one
// script that prepares two splits of it, one that trains a model on the first, and one that
// calibrates and evaluates it on the second. The pipeline is saved, loaded and planned before it is
// run, and then a part of it is run again on the results of the first run. It needs python3 and
// writes to a temporary directory only, which stays.
//
//	go run ./examples/pipeline
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/scriptspec/scriptspec"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt) // which ends every script
	err := run(ctx, os.Stdout, "testdata", filepath.Join("examples", "pipeline", "scripts"))
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "pipeline:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, testData, scripts string) error {
	dir, err := os.MkdirTemp("", "scriptspec-example-")
	if err != nil {
		return err
	}
	store, err := scriptspec.OpenStore(dir, nil)
	if err != nil {
		return err
	}
	defer store.Close()
	if err := save(store, testData, scripts); err != nil {
		return err
	}

	fmt.Fprintln(out, "== The plan")
	pipeline, err := store.LoadPipeline("churn")
	if err != nil {
		return err
	}
	plan, err := pipeline.Plan(nil)
	if err != nil {
		return err
	}
	show(out, plan)

	fmt.Fprintln(out, "\n== All of it")
	tester := &scriptspec.RuntimeTester{}
	work := filepath.Join(dir, "work")
	first, err := test(ctx, out, tester, pipeline, &scriptspec.PipelineOptions{WorkDir: work})
	if err != nil {
		return err
	}
	for _, edge := range first.Edges {
		for _, h := range edge.Transfers {
			fmt.Fprintf(out, "%s.%s -> %s.%s: %d files, %d bytes (%s)\n", edge.Source, h.Output, edge.Dest, h.Input, h.Files, h.Bytes, h.MatchType)
		}
	}
	metrics, err := os.ReadFile(filepath.Join(work, "ModelCalibration", "metrics", "metrics.json"))
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "metrics.json says: %s\n", metrics)

	fmt.Fprintln(out, "\n== From the training on, with what the first run left of the rest")
	second, err := test(ctx, out, tester, pipeline, &scriptspec.PipelineOptions{WorkDir: work, From: []string{"ModelTraining"}})
	if err != nil {
		return err
	}
	fmt.Fprintln(out)
	if err := second.WriteText(out); err != nil {
		return err
	}
	page, err := os.Create(filepath.Join(dir, "report.html"))
	if err != nil {
		return err
	}
	if err := errors.Join(first.WriteHTML(page), page.Close()); err != nil {
		return err
	}
	fmt.Fprintln(out, "\nEverything is in", dir)
	fmt.Fprintln(out, "The report of the first run:", page.Name())
	return nil
}

// save makes the specs of the scripts and a pipeline that refers to them.
func save(store *scriptspec.Store, testData, scripts string) error {
	dag := &scriptspec.DAG{
		Nodes: []string{"ChurnDataLoading", "TabularPreprocessing_training", "TabularPreprocessing_validation", "ModelTraining", "ModelCalibration"},
		Edges: [][2]string{
			{"ChurnDataLoading", "TabularPreprocessing_training"},
			{"ChurnDataLoading", "TabularPreprocessing_validation"},
			{"TabularPreprocessing_training", "ModelTraining"},
			{"ModelTraining", "ModelCalibration"},
			{"TabularPreprocessing_validation", "ModelCalibration"},
		},
	}
	builder := &scriptspec.SpecBuilder{
		Store:      store,
		ScriptDirs: []string{scripts},
		Scripts:    map[string]string{"ChurnDataLoading": ""}, // declared to have no script
	}
	pipeline, err := builder.FromDAG(dag)
	if err != nil {
		return err
	}
	pipeline.Name = "churn"

	// What the node without a script would have made is there already.
	data, err := filepath.Abs(filepath.Join(testData, "data"))
	if err != nil {
		return err
	}
	loading := scriptspec.New("churn_data_loading", "ChurnDataLoading", "")
	loading.AddOutputPath("raw_data", filepath.Join(data, "churn"))
	pipeline.Specs["ChurnDataLoading"] = loading
	pipeline.Skip["ChurnDataLoading"] = "the data is loaded by a service"

	// The rest has a spec of its own in the store, as a whole pipeline of people would.
	pipeline.Refs = map[string]string{}
	for node, s := range pipeline.Specs {
		spec := s.(*scriptspec.ScriptExecutionSpec) // as FromDAG makes it from a script
		switch spec.ScriptName {
		case "churn_data_loading":
			continue
		case "tabular_preprocessing":
			spec.AddInputPath("config", filepath.Join(data, "churn_config.json"))
		case "model_training":
			spec.AddJobArg("epochs", 300)
			spec.AddJobArg("learning_rate", 0.5)
			spec.AddJobArg("penalty", 0.001)
		}
		if err := store.SaveStep(spec); err != nil {
			return err
		}
		pipeline.Refs[node] = spec.ScriptName
	}

	// The names of this pair have nothing in common.
	pipeline.Wires = []scriptspec.Wire{{
		Source: "TabularPreprocessing_validation", Output: "processed_data", Dest: "ModelCalibration", Input: "holdout_data",
	}}
	return store.SavePipeline(pipeline)
}

// show prints in which order nodes may run and what feeds them.
func show(out io.Writer, plan *scriptspec.PipelinePlan) {
	for _, n := range plan.Nodes {
		how := ""
		if n.Skipped {
			how = " (skipped)"
		}
		fmt.Fprintf(out, "%d %s%s\n", n.Level, n.Node, how)
		for _, pair := range n.Inputs {
			fmt.Fprintf(out, "    %s <- %s.%s (%s)\n", pair.DestLogicalName, pair.Source, pair.SourceLogicalName, pair.MatchType)
		}
		for _, input := range n.FromSpec {
			fmt.Fprintf(out, "    %s <- its spec\n", input)
		}
	}
}

// test runs the pipeline and shows its progress. A pipeline that fails is an error here.
func test(ctx context.Context, out io.Writer, tester *scriptspec.RuntimeTester, p *scriptspec.PipelineTestingSpec, o *scriptspec.PipelineOptions) (*scriptspec.PipelineTestResult, error) {
	progress := newProgress(out)
	o.Progress = progress.event
	result, err := tester.TestPipeline(ctx, p, o)
	progress.close()
	if err != nil {
		return nil, err
	}
	if !result.Success {
		return nil, fmt.Errorf("%s failed; its outputs are in %s", result.Name, result.WorkDir)
	}
	return result, nil
}
