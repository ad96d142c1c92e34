package scriptspec

import (
	"slices"
	"strings"

	"github.com/scriptspec/scriptspec/internal/similarity"
)

// DefaultAliases returns the design note's aliases for a logical name, to be used with [Enhance]:
// those of the name itself where the note has it, else those of each word in it. They are guesses;
// aliases written by hand are better.
func DefaultAliases(logicalName string) []string {
	if aliases, ok := noteAliases[logicalName]; ok {
		return slices.Clone(aliases)
	}
	var aliases []string
	for word := range strings.SplitSeq(ToSnakeCase(logicalName), "_") {
		for _, alias := range wordAliases[similarity.Expand(word)] {
			if alias != logicalName && !slices.Contains(aliases, alias) {
				aliases = append(aliases, alias)
			}
		}
	}
	return aliases
}

// noteAliases are those of the design note's examples; they are never changed.
var noteAliases = map[string][]string{
	"data_input":   {"input", "dataset", "training_data", "raw_dataset"},
	"data_output":  {"output", "result", "processed_data", "dataset"},
	"config":       {"configuration", "params", "hyperparameters", "settings"},
	"metrics":      {"stats", "statistics", "performance", "quality_metrics"},
	"model_output": {"model", "artifact", "trained_model"},
}

// wordAliases are for names that the note does not have, by their words.
var wordAliases = map[string][]string{
	"data":            {"dataset"},
	"dataset":         {"data"},
	"configuration":   {"config", "params", "hyperparameters", "settings"},
	"hyperparameters": {"config", "configuration", "params", "settings"},
	"metrics":         {"stats", "statistics", "performance", "quality_metrics"},
	"model":           {"artifact", "trained_model"},
}
