package scriptspec_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/scriptspec/scriptspec"
)

// A checker of one's own that asks more of the data of one input, beside those of every run.
func ExampleChecker() {
	labelled := scriptspec.CheckTables(2, "churned")
	training := func(ctx context.Context, d scriptspec.Transfer) error {
		if d.Dest != "ModelTraining" || d.Input != "processed_data" {
			return nil
		}
		return labelled(ctx, d)
	}
	checkers := append(scriptspec.DefaultCheckers(), training)

	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "train.csv"), []byte("tenure,churned\n12,0\n"), 0o600); err != nil {
		fmt.Println(err)
		return
	}
	for _, check := range checkers {
		err := check(context.Background(), scriptspec.Transfer{
			Source: "TabularPreprocessing", Output: "processed_data", Dest: "ModelTraining", Input: "processed_data", Path: dir,
		})
		if err != nil {
			fmt.Println(err)
		}
	}
	// Output: train.csv: has 1 rows below its header; want at least 2
}

func ExamplePipelineTestResult_WriteText() {
	result := &scriptspec.PipelineTestResult{
		Name: "churn", Duration: 1530 * time.Millisecond,
		Nodes: []scriptspec.NodeResult{
			{Node: "ModelTraining", Status: scriptspec.NodeFailed, Reason: "KeyError: 'churned'", Duration: 1520 * time.Millisecond,
				Result: &scriptspec.ScriptTestResult{Outcome: scriptspec.OutcomeException, PeakMemory: 37 << 20}},
			{Node: "ModelCalibration", Status: scriptspec.NodeBlocked, Level: 1, Reason: "ModelTraining did not pass"},
		},
	}
	if err := result.WriteText(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// pipeline churn: failed in 1.53s: 1 failed, 1 blocked
	//
	// NODE              STATUS   OUTCOME    TIME   MEMORY  RECEIVED  WROTE
	// ModelTraining     failed   exception  1.52s  37 MiB  -         -
	// ModelCalibration  blocked  -          -      -       -         -
	//
	// failed   ModelTraining: KeyError: 'churned'
	// blocked  ModelCalibration: ModelTraining did not pass
}
