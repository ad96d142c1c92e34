package scriptspec_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

func ExampleMeantName() {
	hint, near := scriptspec.MeantName([]string{"train", "prep"}, "perp")
	fmt.Println(hint, near)
	hint, near = scriptspec.MeantName([]string{"train", "prep"}, "evaluate")
	fmt.Println(hint, near)
	// Output:
	// did you mean prep? true
	// there are prep and train false
}

func TestMeantName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"big": "did you mean big?", "bgi": "did you mean big?", "Bigg": "did you mean big?", "smal": "did you mean small?", "x": "there are big and small",
	} {
		hint, near := scriptspec.MeantName([]string{"small", "big", "small"}, name)
		assert.Equal(t, want, hint)
		assert.Equal(t, name != "x", near)
	}
	hint, near := scriptspec.MeantName([]string{"b\x1b"}, "x")
	assert.Equal(t, `there is b\x1b`, hint)
	assert.False(t, near)
	hint, _ = scriptspec.MeantName(nil, "x")
	assert.Empty(t, hint)
}

// What may be meant is asked in one way, in parentheses.
func TestDoubtIsInParentheses(t *testing.T) {
	t.Parallel()
	var files []string
	for _, pattern := range []string{"[a-z]*[a-z].go", "internal/cli/*.go"} {
		found, err := filepath.Glob(pattern)
		require.NoError(t, err)
		files = append(files, found...)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		if !strings.HasPrefix(file, "tester_explain") { // which is in parentheses as a whole
			assert.NotContains(t, string(text), "; did you "+"mean", file)
		}
	}
}
