package scriptspec_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/scriptspec/scriptspec"
)

// A program that runs scripts as the command scriptspec does, wherever it is called.
func ExampleStore_Tester() {
	dir, err := os.MkdirTemp("", "scriptspec-example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.MkdirAll(filepath.Join(dir, "testdata", ".specs"), 0o700); err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "testdata", ".specs", "scriptspec.json"), []byte(`{"timeout": 90, "command_line": ["score_cli"]}`), 0o600); err != nil {
		log.Fatal(err)
	}

	testData, err := scriptspec.FindStore(filepath.Join(dir, "cmd", "score"))
	if err != nil {
		log.Fatal(err)
	}
	store, err := scriptspec.OpenStore(testData, &scriptspec.StoreOptions{Base: scriptspec.BaseOfProject})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	tester, err := store.Tester()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(tester.Timeout, tester.CommandLine)
	// Output: 1m30s [score_cli]
}
