package similarity

// abbreviations are spelt out before names are compared.
var abbreviations = map[string]string{
	"config":      "configuration",
	"params":      "parameters",
	"hyperparams": "hyperparameters",
	"preprocess":  "preprocessing",
	"eval":        "evaluation",
	"reg":         "registration",
	"pkg":         "package",
	"packaged":    "package",
}

// stopWords do not contribute to the meaning of a name.
var stopWords = [...]string{"the", "a", "an", "and", "or", "but", "in", "on", "at", "to", "for", "of", "with", "by"}

// synonyms are groups of words that may mean the same.
var synonyms = [...][]string{
	{"model", "artifact", "trained", "output"},
	{"data", "dataset", "input", "processed", "training"},
	{"config", "configuration", "params", "parameters", "hyperparameters", "settings"},
	{"payload", "sample", "test", "inference", "example"},
	{"output", "result", "artifact", "generated", "produced"},
	{"training", "train", "fit", "learn"},
	{"preprocessing", "preprocess", "processed", "clean", "transform"},
}

// known is an entry of the vocabulary.
type known struct {
	text   string // spelt out
	groups uint8
	stop   bool
}

// vocabulary joins the tables above by word, as it is written in names. It is never changed.
var vocabulary = func() map[string]known {
	v := map[string]known{}
	groupsOf := func(w string) (groups uint8) {
		for i, group := range synonyms {
			for _, member := range group {
				if member == w {
					groups |= 1 << i
				}
			}
		}
		return groups
	}
	for _, group := range synonyms {
		for _, w := range group {
			v[w] = known{text: w, groups: groupsOf(w)}
		}
	}
	for short, long := range abbreviations {
		v[long] = known{text: long, groups: groupsOf(long)}
		v[short] = v[long]
	}
	for _, w := range stopWords {
		v[w] = known{stop: true}
	}
	return v
}()

// Expand spells out a word that is a known abbreviation.
func Expand(word string) string {
	if long, ok := abbreviations[word]; ok {
		return long
	}
	return word
}
