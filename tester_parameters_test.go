package scriptspec_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
	"github.com/scriptspec/scriptspec/internal/testprogram"
)

// main is called with those of the four that it has, whatever it looks like.
func TestSignatures(t *testing.T) {
	t.Parallel()
	const all = "input_paths,output_paths,environ_vars,job_args"
	for main, want := range map[string]string{
		"def main(input_paths, output_paths, environ_vars, job_args, logger=None):\n    return names(locals(), 'logger')":                            all,
		"def main(input_paths, output_paths, environ_vars, job_args=None):\n    return names(locals())":                                              all,
		"def main(*, job_args, output_paths):\n    return names(locals())":                                                                           "output_paths,job_args",
		"def main(**kwargs):\n    return names(kwargs)":                                                                                              all,
		"def main(job_args, **kwargs):\n    return names(dict(kwargs, job_args=job_args))":                                                           all,
		"def main(input_paths, *rest):\n    assert not rest\n    return names({'input_paths': input_paths})":                                         "input_paths",
		"def main(output_paths, other=5, /, *, job_args):\n    assert other == 5\n    return names(locals(), 'other')":                               "output_paths,job_args",
		"class Main:\n    def __call__(self, job_args):\n        return names(locals(), 'self')\nmain = Main()":                                      "job_args",
		"import functools\ndef inner(job_args, n):\n    return names(locals(), 'n')\nmain = functools.partial(inner, n=1)":                           "job_args",
		"import functools\ndef inner(job_args):\n    return names(locals())\n@functools.wraps(inner)\ndef main(*a, **k):\n    return inner(*a, **k)": "job_args",
		"async def main(job_args):\n    import asyncio\n    await asyncio.sleep(0)\n    return names(locals(), 'asyncio')":                           "job_args",
	} {
		s := scripted(t, `
def names(found, *others):
    for name in ("input_paths", "output_paths", "environ_vars"):
        assert type(found.get(name, {})) is dict, name
    assert type(found.get("job_args")).__name__ in ("Namespace", "NoneType")
    return [name for name in ("input_paths", "output_paths", "environ_vars", "job_args") if name in found]
`+main)
		result := run(t, s)
		require.Equal(t, scriptspec.OutcomeNoOutput, result.Outcome, "%s: %s", main, result.Details())
		var list []string
		require.NoError(t, json.Unmarshal(result.ReturnValue, &list), main)
		assert.Equal(t, want, strings.Join(list, ","), main)
	}
}

// The Namespace is that of argparse, whenever argparse is imported.
func TestNamespace(t *testing.T) {
	t.Parallel()
	const check = `
    assert isinstance(job_args, argparse.Namespace) and type(job_args) is argparse.Namespace
    assert repr(job_args) == "Namespace(a=1, **{'b-c': [2]})", repr(job_args)
    assert job_args == argparse.Namespace(**vars(job_args)) and job_args != argparse.Namespace() and job_args != 1
    assert "a" in job_args and "x" not in job_args
    parser = argparse.ArgumentParser()
    parser.add_argument("--a", type=int)
    assert parser.parse_args(["--a", "1"], argparse.Namespace(**{"b-c": [2]})) == job_args
    import pickle
    assert pickle.loads(pickle.dumps(job_args)) == job_args
`
	for _, script := range []string{
		"import argparse\ndef main(job_args):" + check,
		"def main(job_args):\n    import sys\n    assert 'argparse' not in sys.modules, 'it takes as long as half an interpreter'\n    import argparse" + check,
	} {
		s := scripted(t, script)
		s.AddJobArg("a", 1)
		s.AddJobArg("b-c", []any{2})
		result := run(t, s)
		assert.Equal(t, scriptspec.OutcomeNoOutput, result.Outcome, result.Details())
	}
}

func TestLargeParameters(t *testing.T) {
	t.Parallel()
	s := scripted(t, `
import hashlib, sys
def main(job_args):
    print(hashlib.sha256(job_args.text.encode()).hexdigest(), len(job_args.list), job_args.deep)
    print([repr(getattr(job_args, name)) for name in ("int32", "int", "big", "negative", "zero", "float", "huge")])
    for module in ("json", "inspect", "traceback", "argparse"):
        assert module not in sys.modules, module
`)
	text := strings.Repeat("5 MB of text: ä🚀\x00\n", 5<<20/22)
	s.AddJobArg("text", text)
	s.AddJobArg("list", make([]any, 100_000))
	var deep any = "bottom"
	for range 200 {
		deep = []any{deep}
	}
	s.AddJobArg("deep", deep)
	for name, number := range map[string]string{
		"int32": "-2147483648", "int": "2147483648", "big": "1" + strings.Repeat("0", 60), "negative": "-36893488147419103232",
		"zero": "0", "float": "-1.5e-7", "huge": "1e400",
	} {
		s.AddJobArg(name, jsonNumber(number))
	}
	result, err := (&scriptspec.RuntimeTester{Python: bare(t)}).TestScript(t.Context(), s)
	require.NoError(t, err)
	require.Equal(t, scriptspec.OutcomeNoOutput, result.Outcome, result.ErrorMessage)
	assert.Equal(t, fmt.Sprintf("%x 100000 %s'bottom'%s\n", sha256.Sum256([]byte(text)), strings.Repeat("[", 200), strings.Repeat("]", 200))+
		"['-2147483648', '2147483648', '1"+strings.Repeat("0", 60)+"', '-36893488147419103232', '0', '-1.5e-07', 'inf']\n", result.Stdout.Text)
}

// bare returns an interpreter that imports nothing at its start: a site that does would hide what the
// driver imports.
func bare(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "python")
	executable, err := exec.Command(python(t), "-c", "import sys; print(sys.executable)").Output()
	require.NoError(t, err)
	testprogram.Write(t, path, "#!/bin/sh\nexec "+strings.TrimSpace(string(executable))+` -S "$@"`+"\n")
	return path
}

// What main returns is told as JSON, and what JSON does not have is described.
func TestReturnValues(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"None":                      `null`,
		"{'auc': 0.5, 'n': [1]}":    `{"auc": 0.5, "n": [1]}`,
		"(1, 'é')":                  `[1, "\u00e9"]`,
		"Frame()":                   `{"type": "tabular_preprocessing.Frame", "shape": [3, 2], "repr": "3 rows"}`,
		"{'data': Frame()}":         `{"data": {"type": "tabular_preprocessing.Frame", "shape": [3, 2], "repr": "3 rows"}}`,
		"float('nan')":              `{"type": "builtins.float", "repr": "nan"}`,
		"{(1, 2): 3}":               `{"type": "builtins.dict", "length": 1, "repr": "{(1, 2): 3}"}`,
		"loop()":                    `{"type": "builtins.list", "length": 1, "repr": "[[...]]"}`,
		"Liar()":                    `{"type": "tabular_preprocessing.Liar"}`,
		"'x' * 2000000":             `{"type": "builtins.str", "length": 2000000, "repr": "'` + strings.Repeat("x", 999) + `"}`,
		"'\\ud800'":                 `"\ud800"`,
		"type('T', (), {'a': 1})()": "",
	} {
		result := run(t, scripted(t, `
class Frame:
    shape = (3, 2)
    def __repr__(self):
        return "3 rows"
class Liar:
    def __repr__(self):
        raise ValueError("no")
def loop():
    l = []
    l.append(l)
    return l
def main(output_paths):
    return `+value))
		require.Equal(t, scriptspec.OutcomeNoOutput, result.Outcome, result.Details())
		if want == "" {
			assert.Contains(t, string(result.ReturnValue), `"type": "tabular_preprocessing.T"`)
			continue
		}
		assert.Equal(t, want, string(result.ReturnValue), value)
	}
}

// A cached module could be of another source.
func TestScriptIsReadFromItsSource(t *testing.T) {
	t.Parallel()
	s := scripted(t, "def main(output_paths):\n    return 'cached'")
	compile := exec.Command(python(t), "-c", "import py_compile, sys; py_compile.compile(sys.argv[1], invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)", s.ScriptPath)
	require.NoError(t, compile.Run())
	write(t, s.ScriptPath, "def main(output_paths):\n    return 'source'")
	assert.Equal(t, `"source"`, string(run(t, s).ReturnValue))
}

func TestInterpreterIsNoPython(t *testing.T) {
	t.Parallel()
	for text, message := range map[string]string{
		"#!/bin/sh\necho what is this >&2\nexit 42\n": `it ended with exit code 42 and said "what is this"`,
		"#!/bin/sh\nexit 0\n":                         `it ended with exit code 0 and said ""`,
	} {
		path := filepath.Join(t.TempDir(), "not-python")
		testprogram.Write(t, path, text)
		_, err := (&scriptspec.RuntimeTester{Python: path}).TestScript(t.Context(), onDisk(t))
		require.ErrorIs(t, err, scriptspec.ErrInterpreter)
		require.ErrorContains(t, err, path)
		require.ErrorContains(t, err, message)
	}
}
