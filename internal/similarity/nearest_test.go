package similarity_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/scriptspec/scriptspec/internal/similarity"
)

func TestNearest(t *testing.T) {
	t.Parallel()
	known := []string{"script_name", "step_name", "job_args", "environ_vars"}
	for name, want := range map[string]string{
		"job_arg": "job_args", "jobargs": "job_args", "script_nam": "script_name", "stepname": "step_name", "output": "", "": "", "job_args": "job_args",
	} {
		assert.Equal(t, want, similarity.Nearest(known, name), name)
	}
	assert.Equal(t, "environ_vars", similarity.Nearest(known, "ENVIRON_VARS", "environ_vars"), "another spelling")
	assert.Empty(t, similarity.Nearest([]string{"a", "us"}, "eu"), "half of it is another")
	assert.Equal(t, "ids", similarity.Nearest([]string{"a", "ids"}, "id"))
	assert.Empty(t, similarity.Nearest(known, strings.Repeat("x", 65), "job_args"))
}

func TestTypo(t *testing.T) {
	known := []string{"tags", "labels", "input_paths", "output_paths", "job_args", "cat", "bat"}
	for name, want := range map[string]string{
		"tagz": "tags", "tag": "tags", "tagss": "tags", "job_agrs": "job_args", "boj_args": "", "xput_paths": "", "at": "", "rat": "", "": "", "lables": "labels",
	} {
		assert.Equal(t, want, similarity.Typo(known, name), name)
	}
	assert.Equal(t, "job_args", similarity.Typo(known, "Job-Args", "job_args"), "another spelling")
}
