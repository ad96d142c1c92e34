package scriptspec_test

import (
	"errors"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// Where no script could be tested for want of an interpreter there is an error beside the result; not where specs are wrong,
// or one script could be tested.
func TestNothingCouldBeTested(t *testing.T) {
	t.Parallel()
	python(t)
	notPython, err := exec.LookPath("true")
	if err != nil {
		t.Skip("needs a program that is not Python")
	}
	dir := t.TempDir()
	st := openStore(t, dir, nil)
	write(t, filepath.Join(dir, "a.py"), "def main(job_args): pass\n")
	for name, script := range map[string]string{"a": "a.py", "b": "a.py", "lost": "lost.py"} {
		require.NoError(t, st.Save(scriptspec.New(name, scriptspec.ToPascalCase(name), filepath.Join(dir, script))))
	}
	for name, test := range map[string]struct {
		words  []string
		tester *scriptspec.RuntimeTester
		want   string
	}{
		"no interpreter":    {nil, &scriptspec.RuntimeTester{Python: notPython}, "nothing could be tested: test of "},
		"no module":         {[]string{"a"}, &scriptspec.RuntimeTester{Warm: true, Preload: []string{"nosuchmod"}}, "No module named 'nosuchmod'"},
		"the spec is wrong": {[]string{"lost"}, &scriptspec.RuntimeTester{Python: notPython}, ""},
		"one could be":      {[]string{"a", "lost"}, &scriptspec.RuntimeTester{}, ""},
		"only the spec is":  {[]string{"lost"}, &scriptspec.RuntimeTester{}, ""},
		"both are":          {[]string{"a", "lost"}, &scriptspec.RuntimeTester{Python: notPython}, "is not a Python interpreter"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() { require.NoError(t, test.tester.Close()) }()
			sel, err := scriptspec.ParseSelector(test.words...)
			require.NoError(t, err)
			r, err := test.tester.TestStore(t.Context(), st, &scriptspec.SuiteOptions{Select: sel})
			require.NotNil(t, r)
			if test.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, test.want)
			assert.False(t, r.Success)
		})
	}
	sel, err := scriptspec.ParseSelector("a", "b")
	require.NoError(t, err)
	_, err = (&scriptspec.RuntimeTester{}).TestStore(t.Context(), st, &scriptspec.SuiteOptions{Select: sel, Change: func(s *scriptspec.ScriptExecutionSpec) error {
		if s.ScriptName == "b" {
			return errors.New("no room")
		}
		return nil
	}})
	require.NoError(t, err, "one was tested")
	s, err := st.Load("a")
	require.NoError(t, err)
	p := &scriptspec.PipelineTestingSpec{Name: "p", DAG: &scriptspec.DAG{Nodes: []string{"A"}}, Specs: map[string]scriptspec.Spec{"A": s}}
	r, err := (&scriptspec.RuntimeTester{Python: notPython}).TestPipeline(t.Context(), p, nil)
	require.ErrorIs(t, err, scriptspec.ErrInterpreter)
	require.ErrorContains(t, err, "pipeline p: nothing could be tested")
	assert.Equal(t, scriptspec.NodeFailed, r.Nodes[0].Status)
}
