package scriptspec_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
)

// A failure that the spec has to do with says what the spec has.
func TestFailuresNameWhatTheSpecHas(t *testing.T) {
	t.Parallel()
	const head = "import os\ndef main(input_paths, output_paths, environ_vars, job_args):\n    "
	for does, want := range map[string]string{
		"open(input_paths['data_inputs'])":                 "'data_inputs' (the spec has the inputs data_input, the script reads data_inputs; was data_input, which it never reads, renamed?)",
		"return output_paths['model']":                     "'model' (the spec has the outputs data_output, the script reads model; was data_output, which it never reads, renamed?)",
		"return environ_vars['REGON']":                     "'REGON' (the spec has the environment variables REGION, the script reads REGON; was REGION, which it never reads, renamed?)",
		"return os.environ['NO_SUCH_VARIABLE_HERE']":       "'NO_SUCH_VARIABLE_HERE' (the spec has the environment variables REGION, the script reads NO_SUCH_VARIABLE_HERE; was REGION, which it never reads, renamed?)",
		"return job_args.batchsize":                        "'Namespace' object has no attribute 'batchsize' (the spec has the job arguments batch_size, the script reads batchsize; was batch_size, which it never reads, renamed?)",
		"return job_args.get('nap', 0)":                    "'Namespace' object has no attribute 'get' (job_args is an argparse.Namespace and not a dict: write job_args.nap, or getattr(job_args, \"nap\", DEFAULT))",
		"return job_args.items()":                          "'Namespace' object has no attribute 'items' (job_args is an argparse.Namespace and not a dict: write job_args.NAME, or getattr(job_args, \"NAME\", DEFAULT))",
		"return job_args['nap']":                           "'Namespace' object is not subscriptable (job_args is an argparse.Namespace and not a dict: write job_args.nap, or getattr(job_args, \"nap\", DEFAULT))",
		"job_args['nap'] = 1":                              "'Namespace' object does not support item assignment (job_args is an argparse.Namespace and not a dict: write job_args.nap, or getattr(job_args, \"nap\", DEFAULT))",
		"return job_args.batchsize + job_args.batch_size":  "'Namespace' object has no attribute 'batchsize' (the spec has the job arguments batch_size, the script reads batch_size and batchsize; did you mean batch_size?)",
		"return {'x': input_paths['data_input']}['price']": "'price' (no table among the inputs has a column 'price'; data.csv of input 'data_input' has id and prices; did you mean prices?)",
		"return [input_paths[name] for name in ['data']]":  "'data' (the spec has the inputs data_input)",
		"return {'region': 1}['price']":                    "'price' (no table among the inputs has a column 'price'; data.csv of input 'data_input' has id and prices; did you mean prices?)",
		"return {}[environ_vars['REGION']]":                "'eu'",
		"return {'price': 1}['prices']":                    "'prices'",
		"return {'price': 1}['nothing like it']":           "'nothing like it'",
		"open(output_paths['data_output'], 'w')":           " (output 'data_output' is a directory, which the script is to write files in)",
		"raise ValueError('input_paths is mentioned')":     "input_paths is mentioned",
	} {
		s := scripted(t, head+does+"\n")
		s.AddInputPath("data_input", t.TempDir())
		write(t, filepath.Join(s.InputPaths["data_input"], "data.csv"), "id,prices\n1,2\n")
		s.AddEnvironVar("REGION", "eu")
		s.AddJobArg("batch_size", 1)
		result := run(t, s)
		if want[0] == ' ' {
			assert.Contains(t, result.ErrorMessage, want, does)
		} else {
			assert.Equal(t, want, result.ErrorMessage, does)
		}
	}
	s := scripted(t, head+"return input_paths['x']\n")
	s.InputPaths = nil
	assert.Equal(t, "'x' (the spec has no inputs, the script reads x)", run(t, s).ErrorMessage)
}

// What pandas and polars raise names the columns that there are, even if none is like the one that is missing.
func TestMissingColumns(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]string{
		"label":                         "'label' (no table among the inputs has a column 'label'; part.tsv of input 'data_input' has id and prices)",
		"['id', 'target'] not in index": `"['id', 'target'] not in index" (no table among the inputs has a column 'target'; part.tsv of input 'data_input' has id and prices)`,
		"id":                            "'id'",
	} {
		s := scripted(t, "from pandas import frame\ndef main(input_paths, job_args):\n    frame.get(job_args.column)\n")
		s.AddJobArg("column", message)
		s.AddInputPath("data_input", t.TempDir())
		write(t, filepath.Join(s.InputPaths["data_input"], "data.csv"), "")
		write(t, filepath.Join(s.InputPaths["data_input"], "part.tsv"), "id\tprices\n1\t2\n")
		write(t, filepath.Join(filepath.Dir(s.ScriptPath), "pandas", "frame.py"), "def get(column):\n    raise KeyError(column)\n")
		assert.Equal(t, want, run(t, s).ErrorMessage, message)
	}
}
