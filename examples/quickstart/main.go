// Quickstart loads two specs from testdata/.specs, runs their real Python scripts one after the
// other, and then shows what a user sees when something is wrong. It needs python3 and writes to a
// temporary directory only.
//
//	go run ./examples/quickstart
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/scriptspec/scriptspec"
)

func main() {
	if err := run(context.Background(), os.Stdout, "testdata"); err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, testData string) error {
	work, err := os.MkdirTemp("", "scriptspec-quickstart-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)

	store, err := scriptspec.OpenStore(testData, nil)
	if err != nil {
		return err
	}
	defer store.Close()
	preprocessing, err := store.Load("tabular_preprocessing")
	if err != nil {
		return err
	}
	evaluation, err := store.Load("model_evaluation")
	if err != nil {
		return err
	}

	// Run in a directory of our own: the specs on disk stay as they are. What the first step
	// writes is what the second one reads.
	for _, spec := range []*scriptspec.ScriptExecutionSpec{preprocessing, evaluation} {
		for name := range spec.OutputPaths {
			spec.AddOutputPath(name, filepath.Join(work, spec.StepName, name))
		}
	}
	data, _ := preprocessing.OutputPath("data_output")
	evaluation.AddInputPath("data_input", data)

	fmt.Fprintln(out, "== Two specs, two scripts")
	tester := &scriptspec.RuntimeTester{}
	if err := runStep(ctx, out, tester, preprocessing); err != nil {
		return err
	}
	if err := runStep(ctx, out, tester, evaluation); err != nil {
		return err
	}
	if err := showMetrics(out, evaluation); err != nil {
		return err
	}

	fmt.Fprintln(out, "\n== The same spec with mistakes in it, found before anything runs")
	broken := preprocessing.Clone()
	broken.ScriptName = "TabularPreprocessing.py"
	broken.AddInputPath("config", filepath.Join(testData, "data", "no_such_config.json"))
	broken.AddEnvironVar("CHURN=ENV", "testing")
	fmt.Fprintln(out, broken.ValidateSpec(&scriptspec.ValidateOptions{RequiredJobArgs: []string{"batch_size", "label"}}))

	fmt.Fprintln(out, "\n== What AutoFixCommonIssues can mend, it mends and reports")
	for _, fix := range broken.AutoFixCommonIssues() {
		fmt.Fprintln(out, fix.Message)
	}

	fmt.Fprintln(out, "\n== A shard without a column, found by the script")
	damaged := filepath.Join(work, "damaged")
	if err := damageShard(filepath.Join(testData, "data", "churn"), damaged); err != nil {
		return err
	}
	preprocessing.AddInputPath("data_input", damaged)
	result, err := tester.TestScript(ctx, preprocessing)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, result)
	fmt.Fprint(out, indent(result.Traceback))
	if result.Success {
		return fmt.Errorf("%s passed on damaged data", result.StepName)
	}
	return nil
}

// runStep validates and runs one spec and shows what came of it.
func runStep(ctx context.Context, out io.Writer, tester *scriptspec.RuntimeTester, spec *scriptspec.ScriptExecutionSpec) error {
	if err := spec.ValidateSpec(nil); err != nil {
		return err
	}
	result, err := tester.TestScript(ctx, spec)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, result)
	fmt.Fprint(out, indent(result.Stdout.Text))
	for _, name := range []string{"data_output", "metrics", "metrics_output", "predictions_output"} {
		if info, ok := result.Outputs[name]; ok {
			fmt.Fprintf(out, "    output %-18s %d files, %d bytes\n", name, info.Files, info.Bytes)
		}
	}
	if !result.Success {
		return fmt.Errorf("%s failed:\n%s", result.StepName, result.Traceback)
	}
	return nil
}

// showMetrics reads what the evaluation wrote, so that the run is believed for its files and not
// for its words.
func showMetrics(out io.Writer, spec *scriptspec.ScriptExecutionSpec) error {
	dir, _ := spec.OutputPath("metrics_output")
	data, err := os.ReadFile(filepath.Join(dir, "metrics.json"))
	if err != nil {
		return err
	}
	var metrics struct {
		Accuracy, AUC float64
	}
	if err := json.Unmarshal(data, &metrics); err != nil {
		return err
	}
	fmt.Fprintf(out, "    metrics.json says: accuracy %.3f, auc %.3f\n", metrics.Accuracy, metrics.AUC)
	return nil
}

// damageShard copies the shards and renames a column of the first.
func damageShard(from, to string) error {
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		return err
	}
	shard := filepath.Join(to, "part-00000.csv")
	data, err := os.ReadFile(shard)
	if err != nil {
		return err
	}
	return os.WriteFile(shard, []byte(strings.Replace(string(data), "support_calls", "calls", 1)), 0o600)
}

func indent(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString("    " + line)
	}
	if s := b.String(); s != "" && !strings.HasSuffix(s, "\n") {
		return s + "\n"
	}
	return b.String()
}
