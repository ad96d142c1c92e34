package scriptspec_test

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// Each script that no spec describes gets one, and of each other it is said why not.
func TestFromScripts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	st := openStore(t, filepath.Join(dir, "testdata"), &scriptspec.StoreOptions{Base: dir})
	const empty = "def main(output_paths): pass\n"
	var scripts []string
	for _, script := range [][2]string{
		{"train-model.py", "def main(input_paths, job_args):\n    input_paths['rows'], job_args.epochs, getattr(job_args, 'rate', 0.5)\n"},
		{"cli.py", "import argparse\np = argparse.ArgumentParser()\np.add_argument('-n', '--max-rows', type=int, default=3)\np.add_argument('--to', required=True)\n" +
			"p.add_argument('--mode', choices=['a', 'b'], required=True)\np.add_argument('--no-header', dest='header', action='store_false', default=True)\np.parse_args()\n"},
		{"described.py", empty},
		{"OkOne.py", empty}, {"ok_one.py", empty}, {"ok-one.py", empty},
		{"elsewhere.py", empty}, {"unreadable.py", empty}, {"broken.py", "def main(:"}, {"notes.py", "X = 1"}, {"2nd-try.py", empty},
	} {
		scripts = append(scripts, filepath.Join(dir, script[0]))
		write(t, scripts[len(scripts)-1], script[1])
	}
	require.NoError(t, st.Save(scriptspec.New("other_name", "OtherName", "described.py")))
	require.NoError(t, st.Save(scriptspec.New("elsewhere", "Elsewhere", "old/elsewhere.py")))
	write(t, st.Path("unreadable"), "{")
	b := &scriptspec.SpecBuilder{Store: st}
	proposals, err := b.FromScripts(t.Context(), scripts...)
	require.NoError(t, err)
	require.Len(t, proposals, len(scripts))
	got := map[string]string{}
	for i, p := range proposals {
		assert.Equal(t, scripts[i], p.Script.Path)
		text := p.Reason
		if p.Spec != nil {
			assert.Empty(t, p.Reason)
			args, err := json.Marshal(p.Spec.JobArgs)
			require.NoError(t, err)
			text = p.Spec.ScriptName + " " + p.Spec.StepName + " " + p.Spec.ScriptPath + " " + string(args)
			for _, d := range p.Script.Compare(p.Spec) {
				if d.Kind == scriptspec.DriftMissing && !d.Optional {
					text += " needs " + d.Path
				}
			}
			require.NoError(t, p.Spec.Validate())
		}
		got[filepath.Base(scripts[i])] = text
	}
	same := "it has the same name as " + filepath.Join(dir, "ok_one.py") + "; rename one of them"
	assert.Contains(t, got["unreadable.py"], "the document ends too early")
	assert.Contains(t, got["broken.py"], "line 1: ")
	delete(got, "unreadable.py")
	delete(got, "broken.py")
	assert.Equal(t, map[string]string{
		"train-model.py": `train_model TrainModel train-model.py {"rate":0.5} needs job_args["epochs"]`,
		"cli.py":         `cli Cli cli.py {"max-rows":3,"mode":"a"} needs job_args["to"]`,
		"described.py":   "", "OkOne.py": same, "ok-one.py": same, "ok_one.py": "ok_one OkOne ok_one.py null",
		"elsewhere.py": "elsewhere_runtime_test_spec.json already describes old/elsewhere.py; rename one of the scripts",
		"notes.py":     "it has no main and no flags", "2nd-try.py": "its name cannot be turned into a script name",
	}, got)

	_, err = (&scriptspec.SpecBuilder{}).FromScripts(t.Context())
	require.Error(t, err, "there is no store")
	_, err = (&scriptspec.SpecBuilder{Store: st, Python: filepath.Join(dir, "none")}).FromScripts(t.Context(), scripts...)
	require.ErrorContains(t, err, "no Python interpreter")
}
