package cli

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/scriptspec/scriptspec"
)

// loadAll is a Go program that loads a store and prints the step names.
func loadAll(dir string) {
	st, err := scriptspec.OpenStore(dir, nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for s, err := range st.All() {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(s.Basic().StepName)
	}
}

// BenchmarkList compares the process of list with that of a Go program that loads the specs. Goal: 1.3.
func BenchmarkList(b *testing.B) {
	dir := b.TempDir()
	st, err := scriptspec.OpenStore(dir, nil)
	if err != nil {
		b.Fatal(err)
	}
	specs := 5000
	if testing.Short() {
		specs = 500
	}
	for i := range specs {
		s := scriptspec.New(fmt.Sprintf("script_%d", i), fmt.Sprintf("Step_%d", i), "x.py")
		s.AddInputPath("data", "in")
		s.AddOutputPath("out", "out")
		if err := st.Save(s); err != nil {
			b.Fatal(err)
		}
	}
	if err := st.Close(); err != nil {
		b.Fatal(err)
	}
	run := func(env string, args ...string) time.Duration {
		command := exec.Command(os.Args[0], args...)
		command.Env = append(os.Environ(), env)
		start := time.Now()
		if out, err := command.CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
		return time.Since(start)
	}
	var base, ours time.Duration
	for b.Loop() {
		base += run("SCRIPTSPEC_TEST_LOAD=" + dir)
		ours += run("SCRIPTSPEC_TEST_RUN=1", "-C", dir, "list")
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(ours)/float64(base), "x-baseline")
}
