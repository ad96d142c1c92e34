package scriptspec_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

func TestFieldErrorText(t *testing.T) {
	t.Parallel()
	s := noted()
	s.ScriptName = "MyScript"
	assert.EqualError(t, s.Validate(),
		`spec TabularPreprocessing_training: script_name must be in snake_case format (it is "MyScript", try "my_script")`)

	s = noted()
	s.StepName = ""
	s.ScriptPath = ""
	assert.EqualError(t, s.Validate(), strings.Join([]string{
		"spec tabular_preprocessing: 2 problems",
		"  step_name is required",
		"  script_path is required",
	}, "\n"))
}

func TestValidationErrorListsTwentyAndHoldsAll(t *testing.T) {
	t.Parallel()
	s := noted()
	for i := range 50 {
		s.AddInputPath(fmt.Sprintf("in%02d", i), "")
	}
	err := s.Validate()
	ve, ok := errors.AsType[*scriptspec.ValidationError](err)
	require.True(t, ok)
	assert.Equal(t, 50, ve.Len())
	assert.Len(t, ve.Messages(), 50)
	assert.Len(t, ve.Unwrap(), 50)
	lines := strings.Split(err.Error(), "\n")
	assert.Len(t, lines, 1+20+1)
	assert.Equal(t, "spec TabularPreprocessing_training: 50 problems", lines[0])
	assert.Equal(t, `  input_paths["in19"]: Input path 'in19' is empty`, lines[20])
	assert.Equal(t, "  and 30 more", lines[21])
}

// Names come from files: whatever stands in them, one problem is one line, and not a long one.
func TestErrorTextIsOneBoundedLine(t *testing.T) {
	t.Parallel()
	for _, hostile := range []string{"a\nb", "a\r\x1b[31mb", "\u202ex", strings.Repeat("long", 1<<18), "\xff\xfe"} {
		s := noted()
		s.StepName = hostile
		s.ScriptName = hostile
		s.InputPaths = map[string]string{hostile: ""}
		ve, ok := errors.AsType[*scriptspec.ValidationError](s.ValidateSpec(nil))
		require.True(t, ok)
		for fe := range ve.All() {
			assert.Less(t, len(fe.Error()), 20000)
			for _, r := range "\n\r\x1b\u202e" {
				assert.NotContains(t, fe.Error(), string(r))
			}
		}
		assert.Less(t, len(ve.Error()), 60000)
	}
}

func TestDecodeErrorText(t *testing.T) {
	t.Parallel()
	for want, e := range map[string]*scriptspec.DecodeError{
		"f.json:2:7: job_args: wrong": {File: "f.json", Line: 2, Column: 7, Path: "job_args", Message: "wrong"},
		"f.json: too large":           {File: "f.json", Message: "too large"},
		"2:7: wrong":                  {Line: 2, Column: 7, Message: "wrong"},
		"wrong":                       {Message: "wrong"},
	} {
		assert.EqualError(t, e, want)
	}
	assert.ErrorIs(t, &scriptspec.DecodeError{Err: scriptspec.ErrCorrupt}, scriptspec.ErrCorrupt)
}
