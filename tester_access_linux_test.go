package scriptspec_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// What cannot be read of an input is named before anything is started.
func TestInputCannotBeRead(t *testing.T) {
	t.Parallel()
	s := onDisk(t)
	dir := passable(t, filepath.Dir(s.ScriptPath))
	require.NoError(t, os.Chmod(s.ScriptPath, 0o644))
	input, output := filepath.Join(dir, "in"), filepath.Join(dir, "out")
	write(t, filepath.Join(input, "sealed", "a.csv"), "1")
	write(t, filepath.Join(input, "closed.csv"), "1")
	require.NoError(t, os.Mkdir(output, 0o777))
	require.NoError(t, os.Chmod(output, 0o777))
	require.NoError(t, os.Chmod(input, 0o755))
	s.InputPaths, s.OutputPaths = map[string]string{"raw": input}, map[string]string{"out": output}
	tester := &scriptspec.RuntimeTester{Python: "/bin/sh"} // which is never started
	for _, name := range []string{"sealed", "closed.csv"} {
		for _, other := range []string{"sealed", "closed.csv"} {
			require.NoError(t, os.Chmod(filepath.Join(input, other), 0o755))
		}
		require.NoError(t, os.Chmod(filepath.Join(input, name), 0))
		asNobody(t, func() {
			result, err := tester.TestScript(t.Context(), s)
			if assert.NoError(t, err) {
				assert.Equal(t, scriptspec.OutcomeInputMissing, result.Outcome)
				assert.Equal(t, "Input path 'raw' has a part that cannot be read: "+filepath.Join(input, name), result.ErrorMessage)
			}
		})
	}
}
