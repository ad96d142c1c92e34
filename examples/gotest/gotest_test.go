// Gotest runs the specs of testdata/.specs as subtests of go test: each script in a process of its
// own, forked from one interpreter that has imported what they have in common.
//
//	go test -v ./examples/gotest
//	go test -v ./examples/gotest -run 'TestScripts/column_statistics.training'
//	JUNIT_FILE=$PWD/junit.xml go test ./examples/gotest
package main

import (
	"errors"
	"os"
	"testing"

	"github.com/scriptspec/scriptspec"
)

func TestScripts(t *testing.T) {
	store, err := scriptspec.OpenStore("testdata", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	tester := &scriptspec.RuntimeTester{Warm: true, Preload: []string{"csv", "json", "statistics"}, HashInputs: true}
	t.Cleanup(func() {
		if err := tester.Close(); err != nil {
			t.Error(err)
		}
	})
	results := scriptspec.RunStore(t, store, &scriptspec.HarnessOptions{Tester: tester})
	t.Cleanup(func() { // when the subtests have ended
		if err := writeJUnit(results, os.Getenv("JUNIT_FILE")); err != nil {
			t.Error(err)
		}
	})
}

// writeJUnit writes the results for a CI system, unless there is no file to write them to.
func writeJUnit(results *scriptspec.StoreTestResult, file string) error {
	if file == "" {
		return nil
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	return errors.Join(results.WriteJUnit(f), f.Close())
}
