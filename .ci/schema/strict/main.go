// Strict prints the closed schema of specs, which is generated.
package main

import (
	"os"

	"github.com/scriptspec/scriptspec"
)

func main() {
	if _, err := os.Stdout.Write(scriptspec.JSONSchema(scriptspec.SchemaStrictSpec)); err != nil {
		os.Exit(1)
	}
}
