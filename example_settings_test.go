package scriptspec_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/scriptspec/scriptspec"
)

// A program that runs scripts as the command scriptspec does, wherever it is called.
func ExampleStore_Settings() {
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
	settings, err := store.Settings()
	if err != nil {
		log.Fatal(err)
	}
	tester := &scriptspec.RuntimeTester{
		Base: store.Base(), Python: settings.Python, CommandLine: settings.CommandLine,
		Timeout: time.Duration(settings.Timeout * float64(time.Second)),
	}
	fmt.Println(tester.Timeout, tester.CommandLine)
	// Output: 1m30s [score_cli]
}
