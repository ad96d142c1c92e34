package scriptspec_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/scriptspec/scriptspec"
)

// A spec for each script of a folder that nobody has described yet.
func ExampleSpecBuilder_FromScripts() {
	dir, err := os.MkdirTemp("", "scriptspec-example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	script := filepath.Join(dir, "train_model.py")
	if err := os.WriteFile(script, []byte(`
def main(input_paths, output_paths, environ_vars, job_args):
    print(input_paths["rows"], job_args.epochs, getattr(job_args, "rate", 0.1))
`), 0o600); err != nil {
		log.Fatal(err)
	}
	store, err := scriptspec.OpenStore(filepath.Join(dir, "testdata"), &scriptspec.StoreOptions{Base: dir})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()

	proposals, err := (&scriptspec.SpecBuilder{Store: store}).FromScripts(context.Background(), script)
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range proposals {
		if p.Spec == nil {
			fmt.Println(p.Script.Path, p.Reason)
			continue
		}
		fmt.Println(p.Spec.StepName, p.Spec.InputPaths, p.Spec.JobArgs)
		for _, d := range p.Script.Compare(p.Spec) {
			fmt.Println(d)
		}
		if err := store.Save(p.Spec); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// TrainModel map[rows:testdata/TrainModel/input/rows] map[rate:0.1]
	// job_args["epochs"]: the script reads it and the spec lacks it
}
