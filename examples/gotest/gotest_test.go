// Gotest runs the specs of testdata/.specs as subtests of go test: each script in a process of its
// own, forked from one interpreter that has imported what they have in common.
//
//	go test -v ./examples/gotest
//	go test -v ./examples/gotest -run 'TestScripts/column_statistics.training'
package main

import (
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
	scriptspec.RunStore(t, store, &scriptspec.HarnessOptions{Tester: tester})
}
