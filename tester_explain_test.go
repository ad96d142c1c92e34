package scriptspec_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// A failure that the spec has to do with says what the spec has.
func TestFailuresNameWhatTheSpecHas(t *testing.T) {
	t.Parallel()
	const head = "import os\ndef main(input_paths, output_paths, environ_vars, job_args):\n    "
	for does, want := range map[string]string{
		"open(input_paths['data_inputs'])":                "'data_inputs' (the spec has the inputs data_input; did you mean data_input?)",
		"return output_paths['model']":                    "'model' (the spec has the outputs data_output)",
		"return environ_vars['REGON']":                    "'REGON' (the spec has the environment variables REGION; did you mean REGION?)",
		"return os.environ['NO_SUCH_VARIABLE_HERE']":      "'NO_SUCH_VARIABLE_HERE' (the spec has the environment variables REGION)",
		"return job_args.batchsize":                       "'Namespace' object has no attribute 'batchsize' (the spec has the job arguments batch_size; did you mean batch_size?)",
		"return [input_paths[name] for name in ['data']]": "'data' (the spec has the inputs data_input)",
		"return {}[environ_vars['REGION']]":               "'eu'",
		"return {'price': 1}['prices']":                   "'prices'",
		"open(output_paths['data_output'], 'w')":          " (output 'data_output' is a directory, which the script is to write files in)",
		"raise ValueError('input_paths is mentioned')":    "input_paths is mentioned",
	} {
		s := scripted(t, head+does+"\n")
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
	assert.Equal(t, "'x' (the spec has no inputs)", run(t, s).ErrorMessage)
}
