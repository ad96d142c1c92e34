package scriptspec_test

import (
	"encoding/json"
	"go/format"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// The program in the README is formatted, compiles and is as short as it says.
func TestREADMEProgram(t *testing.T) {
	t.Parallel()
	program := readmeBlock(t, "go")
	formatted, err := format.Source([]byte(program))
	require.NoError(t, err)
	assert.Equal(t, string(formatted), program)
	lines := regexp.MustCompile(`(?m)^.*\S.*$`).FindAllString(program, -1)
	assert.LessOrEqual(t, len(lines), 20)

	// As a package of this module that exists for the compiler only.
	dir := t.TempDir()
	file := filepath.Join(dir, "main.go")
	write(t, file, program)
	here, err := os.Getwd()
	require.NoError(t, err)
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(here, "examples", "readme", "main.go"): file}})
	require.NoError(t, err)
	write(t, filepath.Join(dir, "overlay.json"), string(overlay))
	out, err := goCommand("build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", filepath.Join(dir, "program"), "./examples/readme").CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// The file in the README is one that is written like this.
func TestREADMEFile(t *testing.T) {
	t.Parallel()
	text := readmeBlock(t, "json")
	s, err := scriptspec.Decode(strings.NewReader(text), &scriptspec.DecodeOptions{Strict: true})
	require.NoError(t, err)
	require.NoError(t, s.Validate())
	assert.Equal(t, text, encode(t, s))
}

func readmeBlock(t *testing.T, language string) string {
	t.Helper()
	data, err := os.ReadFile("README.md")
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(data), "```"+language+"\n")
	require.True(t, ok)
	block, _, ok := strings.Cut(rest, "```")
	require.True(t, ok)
	return block
}
