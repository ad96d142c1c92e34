package scriptspec

import (
	"io"
	"os"
	"slices"
	"strings"

	"github.com/scriptspec/scriptspec/internal/mask"
)

// shortestSecret is how long a value must be to be masked, in bytes.
const shortestSecret = 6

// masker returns a masker for the secrets of specs: values of environment variables and of job arguments with
// such names. It leaves short ones alone, since masking every "1" and "true" would make logs unreadable and
// hide nothing, and what is shown anyway: parts of paths and names, and what is in the text of a script.
func (t *RuntimeTester) masker(specs ...Spec) *mask.Masker {
	secrets := map[string]string{}
	names := map[string]string{}
	add := func(c common, name, value string) {
		if len(value) < shortestSecret || t.Secrets != nil && !t.Secrets(name) && !slices.Contains(c.meta.Secrets, name) {
			return
		}
		if other, ok := names[value]; !ok || name < other {
			names[value], secrets[value] = name, "[redacted: "+printable(name)+"]"
		}
	}
	var shown []string
	scripts := map[string]bool{}
	for _, s := range specs {
		if isNil(s) {
			continue
		}
		c := s.common()
		for name, value := range *c.environVars {
			add(c, name, value)
		}
		secretArgs(*c.jobArgs, c.isSecret, func(name, value string) { add(c, name, value) })
		shown = append(shown, *c.scriptName, *c.stepName, *c.scriptPath)
		for _, f := range []field{fieldInputs, fieldOutputs} {
			s.eachPath(f, func(name, path string) { shown = append(shown, name, path) })
		}
		scripts[*c.scriptPath] = true
	}
	if len(secrets) == 0 {
		return nil
	}
	for path := range scripts {
		shown = append(shown, sourceOf(path))
	}
	for value := range secrets {
		if slices.ContainsFunc(shown, func(text string) bool { return strings.Contains(text, value) }) {
			delete(secrets, value)
		}
	}
	return mask.New(secrets, shortestSecret)
}

// sourceOf returns the text of a script, "" if it cannot be read.
func sourceOf(path string) string {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() { // opening a FIFO would block
		return ""
	}
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	text, _ := io.ReadAll(io.LimitReader(f, maxScript)) // what was read before an error counts
	return string(text)
}
