package scriptspec_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// Versions are compared as the packaging library of the Python Packaging Authority does, from which the cases are.
func TestVersionsOfPackages(t *testing.T) {
	t.Parallel()
	const program = `
import json, types
packages = types.ModuleType("packages")
exec(open("internal/pydriver/packages.py").read(), vars(packages))
with open("internal/pydriver/testdata/pep440.json") as f:
    cases = json.load(f)
print(len(cases), [case for case in cases if packages.accepts(case[0], case[1]) != case[2]])
`
	out, err := exec.Command(python(t), "-c", program).CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, "600 []\n", string(out))

	// What Python compares Go lets through, and nothing else.
	text, err := os.ReadFile("internal/pydriver/testdata/pep440.json")
	require.NoError(t, err)
	var cases [][3]any
	require.NoError(t, json.Unmarshal(text, &cases))
	s := noted()
	for _, c := range cases {
		s.DependsOn.Packages = map[string]string{"x": c[0].(string) + ", " + c[0].(string)}
		require.NoError(t, s.Validate(), c[0])
	}
	for _, good := range []string{"==1.0rc1.*", "!=2.0.post1.*"} {
		s.DependsOn.Packages = map[string]string{"x": good}
		require.NoError(t, s.Validate(), good)
	}
	for _, bad := range []string{"1.3", ">=", ">=x", "=>1", ">=1.*", "~=1", "==1.2.*.3", ">=1 <2", "latest", "^1.0"} {
		s.DependsOn.Packages = map[string]string{"x": bad}
		assert.ErrorContains(t, s.Validate(), `depends_on.packages["x"]: `, bad)
	}
}

// What a spec depends on is looked at before anything of the script is run, and leaves nothing behind.
func TestPackages(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, tester *scriptspec.RuntimeTester) {
		s := scripted(t, writesOutput+"import csv, sys\ndef main(output_paths):\n    done(output_paths)\n    print(csv.__file__, 'importlib.metadata' in sys.modules)\n")
		site, beside := t.TempDir(), filepath.Dir(s.ScriptPath)
		write(t, filepath.Join(site, "pandas-1.1.5.dist-info", "METADATA"), "Metadata-Version: 2.1\nName: pandas\nVersion: 1.1.5\n")
		write(t, filepath.Join(site, "old-2007b.dist-info", "METADATA"), "Metadata-Version: 2.1\nName: old\nVersion: 2007-x\n")
		write(t, filepath.Join(site, "bare-1.dist-info", "METADATA"), "Metadata-Version: 2.1\nName: bare\n")
		write(t, filepath.Join(beside, "csv.py"), "")
		s.AddEnvironVar("PYTHONPATH", site)
		for specifier, want := range map[string]string{
			">=1.1, <2": "", "": "", "==1.1.*": "", ">=1.3": "needs pandas >=1.3, the interpreter has 1.1.5",
		} {
			s.DependsOn.Packages = map[string]string{"pandas": specifier, "old": ">=1"}
			result := runWith(t, tester, s)
			if want != "" {
				assert.Equal(t, scriptspec.OutcomePackageMissing, result.Outcome, result.Details())
				assert.Equal(t, want, result.ErrorMessage)
				assert.Empty(t, result.Traceback)
				continue
			}
			assert.True(t, result.Success, result.Details())
			assert.Equal(t, filepath.Join(beside, "csv.py")+" False\n", result.Stdout.Text)
		}
		s.DependsOn.Packages = map[string]string{"bare": ">=1"}
		assert.Equal(t, "needs bare >=1, whose version the interpreter does not know", runWith(t, tester, s).ErrorMessage)
		s.DependsOn.Packages = map[string]string{"bare": ""}
		assert.True(t, runWith(t, tester, s).Success)
	})
}
