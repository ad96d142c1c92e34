// Command python is the Go side of the Python programs beside it: of persist.py it loads, validates
// and saves the specs of a test data directory and prints the microseconds for one file, of match.py
// it matches names and prints what it found and the seconds, both as JSON.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/scriptspec/scriptspec"
)

func main() {
	var err error
	switch {
	case len(os.Args) == 2:
		err = run(os.Args[1])
	case len(os.Args) == 3 && os.Args[1] == "match":
		err = match(os.Args[2])
	default:
		fmt.Fprintln(os.Stderr, "run persist.py or match.py instead")
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// match matches the names of a file many times and tells the time of one.
func match(file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	type named struct {
		Name    string
		Aliases []string
	}
	var names struct{ Outputs, Inputs []named }
	if err := json.Unmarshal(data, &names); err != nil {
		return err
	}
	var source, dest scriptspec.EnhancedScriptExecutionSpec
	for _, n := range names.Outputs {
		source.AddOutputPathSpec(scriptspec.PathSpec{LogicalName: n.Name, Path: "/out", Aliases: n.Aliases})
	}
	for _, n := range names.Inputs {
		dest.AddInputPathSpec(scriptspec.PathSpec{LogicalName: n.Name, Path: "/in", Aliases: n.Aliases})
	}
	const times = 50
	var matches []scriptspec.PathMatch
	start := time.Now()
	for range times {
		matches = (&scriptspec.PathMatcher{}).FindPathMatches(&source, &dest)
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"matches": matches, "seconds": time.Since(start).Seconds() / times})
}

func run(dir string) error {
	store, err := scriptspec.OpenStore(dir, nil)
	if err != nil {
		return err
	}
	defer store.Close()
	files, err := filepath.Glob(filepath.Join(dir, ".specs", "*.json"))
	if err != nil {
		return err
	}
	specs := make([]*scriptspec.ScriptExecutionSpec, len(files))
	times := map[string]float64{}
	timed := func(name string, action func(i int) error) {
		if err != nil {
			return
		}
		start := time.Now()
		for i := range files {
			if err = action(i); err != nil {
				return
			}
		}
		times[name] = float64(time.Since(start).Nanoseconds()) / 1000 / float64(len(files))
	}
	timed("load", func(i int) (err error) {
		specs[i], err = scriptspec.Load(files[i])
		return err
	})
	timed("validate", func(i int) error { return specs[i].ValidateSpec(nil) })
	// The first save flushes what Python has left to the system; only the second has nothing to do.
	timed("flush", func(i int) error { return store.Save(specs[i]) })
	timed("save_unchanged", func(i int) error { return store.Save(specs[i]) })
	timed("write", func(i int) error { // what Python's side does, for comparison
		var text bytes.Buffer
		if err := scriptspec.Encode(&text, specs[i]); err != nil {
			return err
		}
		return os.WriteFile(files[i], text.Bytes(), 0o600)
	})
	timed("save", func(i int) error {
		specs[i].AddJobArg("batch_size", -i)
		return store.Save(specs[i])
	})
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(times)
}
