// Scriptspec tests the Python scripts of ML pipelines: scriptspec help.
package main

import (
	"os"

	"github.com/scriptspec/scriptspec/internal/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
