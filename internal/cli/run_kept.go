package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/scriptspec/scriptspec"
)

// keptOutputs says where the outputs of a failed run are, "" for a script that was not started.
func keptOutputs(r *scriptspec.ScriptTestResult) string {
	names := sortedNames(r.Outputs)
	if len(names) == 0 {
		return ""
	}
	dir := filepath.Dir(r.Outputs[names[0]].Path) // of all of them
	if _, err := os.Stat(dir); err != nil {
		return "gone, as there are no files in them; --keep DIR keeps those of any run"
	}
	return "kept in " + harmless(dir)
}

// suggestPipeline says how a pipeline is run as one, if a call has named nothing but a pipeline to select its specs.
func (a *app) suggestPipeline(words []string) {
	if len(words) != 1 {
		return
	}
	name, ok := strings.CutPrefix(words[0], "pipeline:")
	if !ok || strings.ContainsAny(name, ",+*?[") {
		return
	}
	fmt.Fprintf(a.err, "\n%s runs the spec of each node alone, on data of its own (did you mean %s?)\n", harmless(words[0]), a.again("run", "--pipeline", name))
}
