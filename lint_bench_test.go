package scriptspec_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/scriptspec/scriptspec"
)

// BenchmarkLint compares Lint with scripts with loading a thousand specs and inspecting their scripts. Goal: 1.5.
func BenchmarkLint(b *testing.B) {
	dir := b.TempDir()
	st, err := scriptspec.OpenStore(dir, nil)
	must(b, err)
	defer st.Close()
	var scripts []string
	for i := range 1000 {
		name := fmt.Sprintf("script_%d", i)
		path := filepath.Join(dir, name+".py")
		must(b, os.WriteFile(path, []byte("import os\n\n\ndef main(input_paths, output_paths, environ_vars, job_args):\n    rows = job_args.rows\n    for name in os.listdir(input_paths['data']):\n"+
			"        with open(os.path.join(output_paths['out'], name), 'w') as f:\n            f.write(environ_vars['REGION'] * rows)\n"), 0o600))
		s := scriptspec.New(name, "Step_"+strconv.Itoa(i), path)
		s.AddInputPath("data", dir)
		s.AddOutputPath("out", filepath.Join(dir, "out", name))
		s.AddEnvironVar("REGION", "eu")
		s.AddJobArg("rows", 1)
		must(b, st.Save(s))
		scripts = append(scripts, path)
	}
	compare(b, 1, func() {
		for _, err := range st.All() {
			must(b, err)
		}
		_, err := scriptspec.Inspect(b.Context(), scripts...)
		must(b, err)
	}, func() {
		_, err := st.Lint(b.Context(), &scriptspec.LintOptions{Scripts: true})
		must(b, err)
	})
}
