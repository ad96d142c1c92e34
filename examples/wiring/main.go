// Wiring leads from a DAG to specs and from one step's outputs to the next one's inputs: nodes are
// resolved to scripts, the scripts are read for their logical names, the pipeline is validated, and
// the wires are explained. Nothing is run and nothing is saved.
//
//	go run ./examples/wiring
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/scriptspec/scriptspec"
)

func main() {
	if err := run(context.Background(), os.Stdout, "testdata"); err != nil {
		fmt.Fprintln(os.Stderr, "wiring:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, testData string) error {
	// A store that is not there yet: new specs are made from the scripts.
	dir := filepath.Join(os.TempDir(), "scriptspec-wiring")
	store, err := scriptspec.OpenStore(dir, nil)
	if err != nil {
		return err
	}
	defer store.Close()
	builder := &scriptspec.SpecBuilder{
		Store:      store,
		ScriptDirs: []string{filepath.Join(testData, "scripts")},
		Scripts:    map[string]string{"ChurnDataLoading": ""}, // declared to have no script
	}
	dag, err := scriptspec.LoadDAG(filepath.Join(testData, "dags", "churn.dag.json"))
	if err != nil {
		return err
	}

	fmt.Fprintln(out, "== Nodes and their scripts")
	for _, node := range dag.Nodes {
		r, err := builder.Resolve(node)
		if errors.Is(err, scriptspec.ErrNoScript) {
			fmt.Fprintf(out, "%-34s no script, by declaration\n", node)
			continue
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%-34s %s.py (%s)\n", node, r.ScriptName, r.Method)
	}

	fmt.Fprintln(out, "\n== A pipeline of their specs, with what does not fit")
	pipeline, err := builder.FromDAG(dag)
	if err != nil {
		return err
	}
	if ve, ok := errors.AsType[*scriptspec.ValidationError](pipeline.Validate()); ok {
		for fe := range ve.All() {
			fmt.Fprintln(out, fe)
		}
	}

	fmt.Fprintln(out, "\n== With the design note's aliases it does")
	enhanced := map[string]*scriptspec.EnhancedScriptExecutionSpec{}
	for node, spec := range pipeline.Specs {
		enhanced[node] = scriptspec.Enhance(spec.Basic(), scriptspec.DefaultAliases)
		pipeline.Specs[node] = enhanced[node]
	}
	if err := pipeline.Validate(); err != nil {
		return err
	}
	wires, err := (&scriptspec.PathMatcher{}).Assign(enhanced["TabularPreprocessing_training"], enhanced["ModelEvaluation_training"])
	if err != nil {
		return err
	}
	fmt.Fprint(out, wires.Explain())

	fmt.Fprintln(out, "\n== What a spec and its script disagree on")
	spec := pipeline.Specs["ModelEvaluation_training"]
	read, err := scriptspec.Inspect(ctx, spec.Basic().ScriptPath)
	if err != nil {
		return err
	}
	for _, drift := range read[0].Compare(spec) {
		fmt.Fprintln(out, drift)
	}

	fmt.Fprintln(out, "\n== A node without a script is not given a similar one")
	_, err = builder.Resolve("ModelEvaluator")
	if nf, ok := errors.AsType[*scriptspec.NotFoundError](err); ok {
		fmt.Fprintf(out, "%s: not found; near: %s\n", nf.Node, filepath.Base(nf.Suggestions[0]))
		return nil
	}
	return fmt.Errorf("a script was found for ModelEvaluator: %w", err)
}
