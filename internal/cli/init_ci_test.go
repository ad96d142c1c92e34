package cli

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// What CI installs and pre-commit takes is the program that wrote the file, never a branch.
func TestVersionOfCI(t *testing.T) {
	t.Parallel()
	for built, want := range map[string][2]string{
		"v1.2.3":                             {"v1.2.3", "v1.2.3"},
		"v1.2.3-rc.1":                        {"v1.2.3-rc.1", "v1.2.3-rc.1"},
		"v1.2.3+dirty":                       {"v1.2.3", "v1.2.3"},
		"v0.0.0-20260820222146-c27c302e5fc3": {"v0.0.0-20260820222146-c27c302e5fc3", "c27c302e5fc3"},
		"v1.2.4-0.20260820222146-c27c302e5fc3+dirty": {"v1.2.4-0.20260820222146-c27c302e5fc3", "c27c302e5fc3"},
		"(devel)": {}, "": {},
	} {
		version, rev := versionOf(built)
		assert.Equal(t, want, [2]string{version, rev}, built)
	}
}
