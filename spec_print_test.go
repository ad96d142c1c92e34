package scriptspec_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/scriptspec/scriptspec"
)

func withSecret() *scriptspec.ScriptExecutionSpec {
	s := noted()
	s.EnvironVars["API_TOKEN"] = sentinel
	return s
}

// Names of variables may be seen, values never, however a spec is printed.
func TestPrintingShowsNoEnvironmentValues(t *testing.T) {
	t.Parallel()
	basic, enhanced := withSecret(), scriptspec.Enhance(withSecret(), nil)
	type wrapper struct {
		Basic    scriptspec.ScriptExecutionSpec
		Enhanced *scriptspec.EnhancedScriptExecutionSpec
	}
	printed := map[string]any{
		"pointer": basic, "value": *basic, "enhanced pointer": enhanced, "enhanced value": *enhanced,
		"wrapped": wrapper{*basic, enhanced}, "slice": []scriptspec.ScriptExecutionSpec{*basic},
		"map": map[string]scriptspec.Spec{"x": basic}, "redacted": basic.Redacted().EnvironVars,
		"enhanced redacted": enhanced.Redacted().EnvironVars,
	}
	for name, v := range printed {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%T"} {
			assert.NotContains(t, fmt.Sprintf(verb, v), sentinel, "%s with %s", name, verb)
		}
	}
	for _, v := range []any{basic, *basic, enhanced, *enhanced} {
		assert.Contains(t, fmt.Sprint(v), "API_TOKEN")
		assert.Contains(t, fmt.Sprintf("%q", v), `"TabularPreprocessing_training(`)
		var text, json bytes.Buffer
		slog.New(slog.NewTextHandler(&text, nil)).Info("spec", "spec", v)
		slog.New(slog.NewJSONHandler(&json, nil)).Info("spec", "spec", v)
		for _, log := range []string{text.String(), json.String()} {
			assert.NotContains(t, log, sentinel)
			assert.Contains(t, log, "API_TOKEN")
		}
	}
}

func TestString(t *testing.T) {
	t.Parallel()
	const want = "TabularPreprocessing_training(tabular_preprocessing) script=/path/to/scripts/tabular_preprocessing.py " +
		"inputs=[config data_input] outputs=[data_output metrics] env=[CURSUS_ENV PYTHONPATH] args=[batch_size validation_split]"
	for range 25 {
		assert.Equal(t, want, noted().String())
		assert.Equal(t, want, notedEnhanced().String())
		assert.Equal(t, want, notedEnhanced().GoString())
	}
	assert.Equal(t, `""("") script="" inputs=[] outputs=[] env=[] args=[]`, scriptspec.ScriptExecutionSpec{}.String())
	s := noted()
	s.ScriptPath = "/a b\n.py"
	assert.Contains(t, s.String(), `script="/a b\n.py"`)
}

func TestRedacted(t *testing.T) {
	t.Parallel()
	s := withSecret()
	r := s.Redacted()
	assert.Equal(t, "[redacted]", r.EnvironVars["API_TOKEN"])
	assert.Equal(t, sentinel, s.EnvironVars["API_TOKEN"], "a copy")
	r.EnvironVars = s.EnvironVars
	assert.True(t, s.Equal(r), "all else is the same")
	assert.Nil(t, (*scriptspec.ScriptExecutionSpec)(nil).Redacted())
}

func TestErrorsShowNoEnvironmentValues(t *testing.T) {
	t.Parallel()
	s := withSecret()
	s.EnvironVars["NUL"] = sentinel + "\x00"
	s.EnvironVars["BAD=NAME"] = sentinel
	s.EnvironVars["UTF8"] = sentinel + "\xff"
	for _, err := range []error{s.Validate(), s.ValidateSpec(nil), s.Save(t.TempDir() + "/x.json")} {
		assert.Error(t, err)
		for _, verb := range []string{"%v", "%+v", "%#v"} {
			assert.NotContains(t, fmt.Sprintf(verb, err), sentinel)
		}
		for _, p := range problems(t, err) {
			assert.NotContains(t, fmt.Sprint(p), sentinel)
		}
	}
}
