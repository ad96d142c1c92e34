// Embedding shows two ways to keep a spec in a type of one's own. A struct that embeds a spec keeps
// its own fields under plain encoding/json; a struct that nests one validates it with a validator
// of its own. It writes to standard output only.
//
//	go run ./examples/embedding
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/go-playground/validator/v10"
	"github.com/scriptspec/scriptspec"
)

func main() {
	if err := run(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "embedding:", err)
		os.Exit(1)
	}
}

// OwnedStep is a spec with what the host wants to know besides. The embedded type has no JSON
// methods that could take over, so that all members stand side by side in one object. So they do in
// YAML, where inline says so: bench/yaml, a module of its own, writes and reads such a type with
// gopkg.in/yaml.v3 and go.yaml.in/yaml/v3.
type OwnedStep struct {
	scriptspec.ScriptExecutionSpec `yaml:",inline"`
	Owner                          string `json:"owner" yaml:"owner"`
	Retries                        int    `json:"retries" yaml:"retries"`
}

// Job nests a spec and borrows two of its rules for fields of the host.
type Job struct {
	Owner   string `validate:"required,email"`
	Script  string `validate:"scriptspec_script_name"`
	LogPath string `validate:"scriptspec_path"`
	Spec    scriptspec.ScriptExecutionSpec
}

func run(out io.Writer) error {
	if err := embedded(out); err != nil {
		return err
	}
	return nested(out)
}

// embedded takes an OwnedStep through JSON and back.
func embedded(out io.Writer) error {
	// No timestamps, so that this program always prints the same.
	step := OwnedStep{
		ScriptExecutionSpec: scriptspec.ScriptExecutionSpec{
			ScriptName: "tabular_preprocessing",
			StepName:   "TabularPreprocessing_training",
			ScriptPath: "testdata/scripts/tabular_preprocessing.py",
			InputPaths: map[string]string{"data_input": "testdata/data/churn"},
			JobArgs:    scriptspec.JobArgs{"batch_size": 64, "validation_split": 0.25},
		},
		Owner:   "churn@example.com",
		Retries: 2,
	}
	fmt.Fprintln(out, "== Embedded: encoding/json writes the spec's members and the host's")
	data, err := json.MarshalIndent(step, "", "  ")
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s\n", data)

	fmt.Fprintln(out, "\n== And reads them back")
	var again OwnedStep
	if err := json.Unmarshal(data, &again); err != nil {
		return err
	}
	fmt.Fprintln(out, "owner and retries:", again.Owner, again.Retries)
	fmt.Fprintln(out, "same spec:", again.Equal(&step.ScriptExecutionSpec))
	fmt.Fprintln(out, "rules hold:", again.Validate() == nil)

	// The methods come from the embedded spec and know only of that: Save and String leave the
	// host's fields out. Reading with scriptspec instead keeps them, as members it does not know.
	fmt.Fprintln(out, "\n== The same text read by scriptspec.Decode keeps the host's members in Extra")
	spec, err := scriptspec.Decode(bytes.NewReader(data), nil)
	if err != nil {
		return err
	}
	extra := spec.Basic().Extra
	fmt.Fprintf(out, "owner: %s\nretries: %s\n", extra["owner"], extra["retries"])
	return nil
}

// nested validates a Job with a validator that belongs to the host.
func nested(out io.Writer) error {
	job := Job{
		Owner:   "churn",
		Script:  "XGBoostTraining",
		LogPath: "logs/training.txt",
		Spec: scriptspec.ScriptExecutionSpec{
			ScriptName:  "xgboost_training",
			StepName:    "xgboost-training",
			ScriptPath:  "scripts/xgboost_training.py",
			InputPaths:  map[string]string{"config": "config.json", "data": ""},
			EnvironVars: map[string]string{"API=TOKEN": "a secret, shown nowhere"},
		},
	}
	fmt.Fprintln(out, "\n== Nested: a bare validator runs the built-in tags of the spec")
	// The host's tags that it cannot know would make it panic, so it gets the spec only.
	if err := report(out, validator.New().Struct(struct {
		Spec scriptspec.ScriptExecutionSpec
	}{job.Spec})); err != nil {
		return err
	}

	fmt.Fprintln(out, "\n== After RegisterValidations the same validator knows every rule")
	v := validator.New()
	if err := scriptspec.RegisterValidations(v); err != nil {
		return err
	}
	if err := report(out, v.Struct(job)); err != nil {
		return err
	}

	fmt.Fprintln(out, "\n== And finds nothing once all is mended")
	job.Owner, job.Script = "churn@example.com", "xgboost_training"
	job.Spec.StepName = "XGBoostTraining_training"
	job.Spec.AddInputPath("data", "data/churn")
	delete(job.Spec.EnvironVars, "API=TOKEN")
	job.Spec.AddEnvironVar("API_TOKEN", "a secret, shown nowhere")
	return report(out, v.Struct(job))
}

// report prints where something is wrong and which rule says so, sorted: the validator itself
// visits maps in random order.
func report(out io.Writer, err error) error {
	if err == nil {
		fmt.Fprintln(out, "no problems")
		return nil
	}
	problems, ok := errors.AsType[validator.ValidationErrors](err)
	if !ok {
		return err
	}
	var lines []string
	for _, fe := range problems {
		lines = append(lines, fmt.Sprintf("%-36s %s", fe.Namespace(), fe.Tag()))
	}
	slices.Sort(lines)
	for _, line := range lines {
		fmt.Fprintln(out, line)
	}
	return nil
}
