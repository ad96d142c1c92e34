package scriptspec_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-playground/validator/v10"
	"github.com/scriptspec/scriptspec"
)

// Create a spec, fill it, validate it and save it: the design note's first usage pattern.
func ExampleNew() {
	dir, err := os.MkdirTemp("", "scriptspec-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)

	spec := scriptspec.New("tabular_preprocessing", "TabularPreprocessing_training",
		"testdata/scripts/tabular_preprocessing.py")
	spec.AddInputPath("data_input", "testdata/data/churn")
	spec.AddOutputPath("data_output", filepath.Join(dir, "processed_data"))
	spec.AddEnvironVar("CURSUS_ENV", "testing")
	spec.AddJobArg("batch_size", 1000)
	spec.AddJobArg("validation_split", 0.2)

	if err := spec.ValidateSpec(nil); err != nil {
		fmt.Println(err)
		return
	}
	err = spec.Save(filepath.Join(dir, spec.SpecFileName()))
	fmt.Println(spec.SpecFileName(), err)
	// Output: tabular_preprocessing_runtime_test_spec.json <nil>
}

// Load a spec, change it for another job type and save it: the second usage pattern.
func ExampleLoad() {
	dir, err := os.MkdirTemp("", "scriptspec-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)

	spec, err := scriptspec.Load("testdata/.specs/tabular_preprocessing_runtime_test_spec.json")
	if err != nil {
		fmt.Println(err)
		return
	}
	spec.StepName = "TabularPreprocessing_evaluation"
	spec.AddJobArg("evaluation_mode", "full") // stamps UpdatedAt as well
	file := filepath.Join(dir, spec.SpecFileName())
	if err := spec.Save(file); err != nil {
		fmt.Println(err)
		return
	}
	again, err := scriptspec.Load(file)
	fmt.Println(again.Equal(spec), err)
	// Output: true <nil>
}

// Paths that are known under several names: the third usage pattern.
func ExampleEnhancedScriptExecutionSpec() {
	spec := &scriptspec.EnhancedScriptExecutionSpec{
		ScriptName: "xgboost_training",
		StepName:   "XGBoostTraining_training",
		ScriptPath: "/path/to/scripts/xgboost_training.py",
		InputPathSpecs: map[string]scriptspec.PathSpec{"data_input": {
			LogicalName: "data_input", Path: "/test_data/input/training_data",
			Aliases: []string{"training_data", "dataset", "input"},
		}},
	}
	spec.AddOutputPathSpec(scriptspec.PathSpec{
		LogicalName: "model_output", Path: "/test_data/models/trained_xgboost",
		Aliases: []string{"model", "artifact", "trained_model"},
	})
	input, ok := spec.InputPath("dataset")
	fmt.Println(input.LogicalName, ok, input.MatchesNameOrAlias("training_data"))
	output, ok := spec.OutputPath("trained_model")
	fmt.Println(output.Path, ok, output.MatchesNameOrAlias("Model")) // case counts
	fmt.Println(spec.Basic().InputPaths)
	// Output:
	// data_input true true
	// /test_data/models/trained_xgboost true false
	// map[data_input:/test_data/input/training_data]
}

// The design note's first identity: a script and its node share a name in two spellings.
func ExampleToSnakeCase() {
	node, err := scriptspec.ParseStepName("TabularPreprocessing_training")
	if err != nil {
		fmt.Println(err)
		return
	}
	script := scriptspec.ToSnakeCase(node.Base)
	fmt.Println(script+".py", scriptspec.IsScriptName(script))
	fmt.Printf("%q\n", scriptspec.ToSnakeCase("3DModel")) // no script may be called that
	// Output:
	// tabular_preprocessing.py true
	// ""
}

// The second identity: a technical term and a job type. The script xgboost_model_evaluation.py
// spells "Eval" out, which is a matter of finding the file; the name alone cannot tell.
func ExampleParseStepName() {
	node, err := scriptspec.ParseStepName("XGBoostModelEval_evaluation")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(node.Base, node.JobType, scriptspec.ToSnakeCase(node.Base))
	_, err = scriptspec.ParseStepName("xgboost_training")
	fmt.Println(err)
	// Output:
	// XGBoostModelEval evaluation xgboost_model_eval
	// step_name must be in PascalCase format with optional job type suffix (it is "xgboost_training", want something like XGBoostTraining)
}

func ExampleToPascalCase() {
	base := scriptspec.ToPascalCase("xgboost_model_evaluation")
	fmt.Println(base)
	fmt.Println(scriptspec.StepName{Base: base, JobType: "evaluation"})
	// Output:
	// XGBoostModelEvaluation
	// XGBoostModelEvaluation_evaluation
}

// The third identity: the first one again, its paths with aliases.
func ExampleEnhance() {
	basic := scriptspec.New("tabular_preprocessing", "TabularPreprocessing_training",
		"/path/to/scripts/tabular_preprocessing.py")
	basic.AddInputPath("data_input", "/test_data/input/raw_data")
	basic.AddInputPath("config", "/test_data/config/preprocessing_config.json")

	aliases := map[string][]string{
		"data_input": {"input", "dataset", "training_data", "raw_dataset"},
		"config":     {"configuration", "params", "hyperparameters", "settings"},
	}
	spec := scriptspec.Enhance(basic, func(logicalName string) []string { return aliases[logicalName] })
	config, ok := spec.InputPath("hyperparameters")
	fmt.Println(config.LogicalName, ok)
	fmt.Println(spec.Basic().Equal(basic))
	// Output:
	// config true
	// true
}

func ExampleScriptExecutionSpec_AddInputPath() {
	var spec scriptspec.ScriptExecutionSpec // the zero value is an empty spec
	spec.AddInputPath("data_input", "/test_data/input/raw_data")
	path, ok := spec.InputPath("data_input")
	fmt.Println(path, ok)
	fmt.Println(spec.UpdatedAt.IsZero())
	// Output:
	// /test_data/input/raw_data true
	// false
}

// Every problem comes in one error, in a fixed order, with a code for programs.
func ExampleValidationError() {
	spec := scriptspec.New("TabularPreprocessing", "TabularPreprocessing_training", "scripts/no_such.py")
	spec.AddInputPath("data_input", "no/such/data")

	err := spec.ValidateSpec(&scriptspec.ValidateOptions{RequiredJobArgs: []string{"label", "batch_size"}})
	problems, ok := errors.AsType[*scriptspec.ValidationError](err)
	if !ok {
		fmt.Println("unexpected:", err)
		return
	}
	for fe := range problems.All() {
		fmt.Println(fe.Code, "at", fe.Path)
	}
	fmt.Println(strings.Join(problems.Messages(), "\n"))
	fmt.Println(errors.Is(err, fs.ErrNotExist)) // the causes can be asked for as well
	// Output:
	// format at script_name
	// not_exist at script_path
	// not_exist at input_paths["data_input"]
	// missing at job_args
	// script_name must be in snake_case format
	// Script file does not exist: scripts/no_such.py
	// Input path 'data_input' does not exist: no/such/data
	// Missing required job arguments: batch_size, label
	// true
}

func ExampleScriptExecutionSpec_AutoFixCommonIssues() {
	dir, err := os.MkdirTemp("", "scriptspec-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)

	spec := scriptspec.New("XGBoostTraining.py", "XGBoostTraining_training", "scripts/xgboost_training.py")
	spec.AddOutputPath("model_output", filepath.Join(dir, "models", "trained_xgboost"))
	for _, fix := range spec.AutoFixCommonIssues() {
		fmt.Println(fix.Field, strings.TrimPrefix(filepath.ToSlash(fix.To), filepath.ToSlash(dir)))
	}
	fmt.Println(len(spec.AutoFixCommonIssues()), "left to fix")
	// Output:
	// script_name xgboost_training
	// output_paths["model_output"] /models/trained_xgboost
	// 0 left to fix
}

// Numbers are kept as the file has them; JobArg gives them the type that the caller needs.
func ExampleJobArg() {
	spec, err := scriptspec.Load("testdata/.specs/tabular_preprocessing_runtime_test_spec.json")
	if err != nil {
		fmt.Println(err)
		return
	}
	size, err := scriptspec.JobArg[int](spec.JobArgs, "batch_size")
	fmt.Println(size, err)
	split, err := scriptspec.JobArg[float64](spec.JobArgs, "validation_split")
	fmt.Println(split, err)
	_, err = scriptspec.JobArg[int](spec.JobArgs, "validation_split")
	fmt.Println(err)
	_, err = scriptspec.JobArg[string](spec.JobArgs, "label")
	fmt.Println(err)
	// Output:
	// 64 <nil>
	// 0.25 <nil>
	// job_args["validation_split"]: job argument is not of type int (it is 0.25)
	// job_args["label"]: Missing required job arguments: label
}

// Decode returns whichever kind of spec the document is.
func ExampleDecode() {
	spec, err := scriptspec.Decode(strings.NewReader(`{
		"script_name": "xgboost_training",
		"step_name": "XGBoostTraining_training",
		"input_path_specs": {"data_input": {"logical_name": "data_input", "path": "/data", "aliases": ["dataset"]}},
		"team": "churn"
	}`), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	if enhanced, ok := spec.(*scriptspec.EnhancedScriptExecutionSpec); ok {
		input, _ := enhanced.InputPath("dataset")
		fmt.Println(input.Path)
		fmt.Printf("%s\n", enhanced.Extra["team"]) // unknown here, kept for those who know it
	}
	// Output:
	// /data
	// "churn"
}

// What is wrong with a file is told by line and column.
func ExampleDecodeError() {
	_, err := scriptspec.Decode(strings.NewReader(`{
  "script_name": "xgboost_training",
  "step_name": "XGBoostTraining_training",
  "scriptpath": "/path/to/scripts/xgboost_training.py",
  "input_paths": {"data_input": 7},
  "job_args": {"rounds": 100, "rounds": 10}
}`), &scriptspec.DecodeOptions{File: "specs/xgboost.json", Strict: true})
	fmt.Println(err)
	if first, ok := errors.AsType[*scriptspec.DecodeError](err); ok {
		fmt.Println("first:", first.File, first.Line, first.Column, first.Path)
	}
	// Output:
	// specs/xgboost.json:4:3: scriptpath: unknown member (did you mean script_path?)
	// specs/xgboost.json:5:33: input_paths["data_input"]: want a string, found a number
	// specs/xgboost.json:6:31: job_args["rounds"]: duplicate name, first at 6:16; keep one of them
	// first: specs/xgboost.json 4 3 scriptpath
}

func ExampleEncode() {
	spec := &scriptspec.ScriptExecutionSpec{
		ScriptName: "model_calibration",
		StepName:   "ModelCalibration_calibration",
		ScriptPath: "/path/to/scripts/model_calibration.py",
		InputPaths: map[string]string{"model_input": "/test_data/models/trained_xgboost"},
		JobArgs:    scriptspec.JobArgs{"bins": 10, "threshold": 1.0}, // int and float stay what they are
	}
	if err := scriptspec.Encode(os.Stdout, spec); err != nil {
		fmt.Println(err)
	}
	// Output:
	// {
	//   "script_name": "model_calibration",
	//   "step_name": "ModelCalibration_calibration",
	//   "script_path": "/path/to/scripts/model_calibration.py",
	//   "input_paths": {
	//     "model_input": "/test_data/models/trained_xgboost"
	//   },
	//   "output_paths": {},
	//   "environ_vars": {},
	//   "job_args": {
	//     "bins": 10,
	//     "threshold": 1.0
	//   }
	// }
}

// Redacted is for what reads fields, such as a diff; printing a spec shows names only.
func ExampleScriptExecutionSpec_Redacted() {
	spec := &scriptspec.ScriptExecutionSpec{
		ScriptName:  "xgboost_training",
		StepName:    "XGBoostTraining_training",
		ScriptPath:  "xgboost_training.py",
		EnvironVars: map[string]string{"API_TOKEN": "not for the log"},
	}
	fmt.Println(spec.Redacted().EnvironVars)
	fmt.Printf("%+v\n", spec)
	// Output:
	// map[API_TOKEN:[redacted]]
	// XGBoostTraining_training(xgboost_training) script=xgboost_training.py inputs=[] outputs=[] env=[API_TOKEN] args=[]
}

// A host's validator learns every rule for the specs that its structs hold, and tags for fields of
// its own.
func ExampleRegisterValidations() {
	type Job struct {
		Owner  string `validate:"required"`
		Script string `validate:"scriptspec_script_name"`
		Spec   scriptspec.ScriptExecutionSpec
	}
	v := validator.New()
	if err := scriptspec.RegisterValidations(v); err != nil {
		fmt.Println(err)
		return
	}
	job := Job{Owner: "churn", Script: "XGBoost", Spec: *scriptspec.New("xgboost_training", "xgboost", "train.py")}
	job.Spec.AddInputPath("data", "")
	problems, _ := errors.AsType[validator.ValidationErrors](v.Struct(job))
	for _, fe := range problems {
		fmt.Println(fe.Namespace(), fe.Tag())
	}
	// Output:
	// Job.Script scriptspec_script_name
	// Job.Spec.step_name format
	// Job.Spec.input_paths["data"] empty
}

// A store keeps one file for each script in <test_data_dir>/.specs.
func ExampleStore() {
	dir, err := os.MkdirTemp("", "scriptspec-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)

	store, err := scriptspec.OpenStore(dir, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	_, err = store.Load("xgboost_training")
	fmt.Println(errors.Is(err, fs.ErrNotExist)) // nothing saved yet, nothing created
	spec := scriptspec.New("xgboost_training", "XGBoostTraining_training", "scripts/xgboost_training.py")
	if err := store.Save(spec); err != nil {
		fmt.Println(err)
		return
	}
	loaded, err := store.Load("xgboost_training")
	fmt.Println(loaded.Equal(spec), err)
	// Output:
	// true
	// true <nil>
}

// Run a script under its spec. Needs python3, so there is no output to compare here.
func ExampleRuntimeTester_TestScript() {
	dir, err := os.MkdirTemp("", "scriptspec-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)

	spec, err := scriptspec.Load("testdata/.specs/tabular_preprocessing_runtime_test_spec.json")
	if err != nil {
		fmt.Println(err)
		return
	}
	for name := range spec.OutputPaths { // leave the tree as it is
		spec.AddOutputPath(name, filepath.Join(dir, name))
	}
	tester := &scriptspec.RuntimeTester{}
	result, err := tester.TestScript(context.Background(), spec)
	if err != nil {
		fmt.Println(err) // there was no test
		return
	}
	fmt.Println(result) // TabularPreprocessing_training: passed in 253ms
	fmt.Println(result.Outputs["data_output"].Files, "files of prepared data")
}
