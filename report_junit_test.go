package scriptspec_test

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// junitRules are those of the schema that Jenkins publishes and other systems follow: where an
// element may stand, what attributes it has, and which of them it must have.
var junitRules = map[string]struct {
	parent   string
	may      []string
	required []string
}{
	"testsuites": {"", []string{"name", "tests", "failures", "errors", "time"}, nil},
	"testsuite": {"testsuites", []string{"name", "tests", "failures", "errors", "skipped", "time", "timestamp"},
		[]string{"name", "tests", "failures", "errors"}},
	"testcase": {"testsuite", []string{"name", "classname", "time"}, []string{"name"}},
	"skipped":  {"testcase", []string{"type", "message"}, nil},
	"error":    {"testcase", []string{"type", "message"}, nil},
	"failure":  {"testcase", []string{"type", "message"}, nil},
	// Those of Surefire, which version 10 of the schema has too.
	"rerunFailure": {"testcase", []string{"type", "message"}, []string{"type"}},
	"flakyFailure": {"testcase", []string{"type", "message"}, []string{"type"}},
	"stackTrace":   {"", nil, nil},

	"system-out": {"testcase", nil, nil},
	"system-err": {"testcase", nil, nil},
}

func checkJUnit(t testing.TB, text string) map[string][]xmlElement {
	t.Helper()
	elements := parseXML(t, text)
	duration := regexp.MustCompile(`^[0-9]+\.[0-9]{3}$`)
	for name, list := range elements {
		rule, ok := junitRules[name]
		require.True(t, ok, name)
		for _, e := range list {
			if name == "stackTrace" {
				assert.Contains(t, []string{"rerunFailure", "flakyFailure"}, e.parent)
			} else {
				assert.Equal(t, rule.parent, e.parent, name)
			}
			for key, value := range e.attrs {
				assert.Contains(t, rule.may, key, name)
				if key == "time" {
					assert.Regexp(t, duration, value)
				}
			}
			for _, key := range rule.required {
				assert.Contains(t, e.attrs, key, name)
			}
		}
	}
	require.Len(t, elements["testsuites"], 1)
	all := elements["testsuites"][0].attrs
	assert.Equal(t, strconv.Itoa(len(elements["testcase"])), all["tests"])
	assert.Equal(t, strconv.Itoa(len(elements["failure"])), all["failures"])
	assert.Equal(t, strconv.Itoa(len(elements["error"])), all["errors"])
	return elements
}

func TestJUnitReportFollowsTheSchema(t *testing.T) {
	t.Parallel()
	elements := checkJUnit(t, report(t, (*scriptspec.PipelineTestResult).WriteJUnit, churned()))
	assert.Len(t, elements["testcase"], 11, "seven nodes, four edges with data")
	assert.Len(t, elements["failure"], 2)
	assert.Len(t, elements["error"], 1)
	assert.Len(t, elements["skipped"], 3)
	failure := elements["failure"][0]
	assert.Equal(t, map[string]string{"type": "exception", "message": "ValueError: could not convert string to float: 'n/a'"}, failure.attrs)
	assert.Contains(t, failure.text, "line 12, in fit\n")
	assert.Contains(t, failure.text, "\nend of stderr:\nwarning: 3 rows\n")
	suites := elements["testsuite"]
	assert.Equal(t, "2025-09-09T22:14:23", suites[0].attrs["timestamp"])
	assert.Equal(t, []string{"churn", "churn: data"}, []string{suites[0].attrs["name"], suites[1].attrs["name"]})
	checkJUnit(t, report(t, (*scriptspec.PipelineTestResult).WriteJUnit, &scriptspec.PipelineTestResult{}))
}

// The schema has times without a zone: those of UTC, except where none was known to begin with.
func TestJUnitTimestamps(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"2025-09-09T22:14:23+02:00": "2025-09-09T20:14:23", "2025-09-09T22:14:23.5": "2025-09-09T22:14:23",
	} {
		r := churned()
		var err error
		r.StartedAt, err = scriptspec.ParseTimestamp(text)
		require.NoError(t, err)
		elements := checkJUnit(t, report(t, (*scriptspec.PipelineTestResult).WriteJUnit, r))
		assert.Equal(t, want, elements["testsuite"][0].attrs["timestamp"])
	}
}

// All text arrives, and as text.
func TestJUnitReportIsHarmless(t *testing.T) {
	t.Parallel()
	for _, text := range hostile() {
		got := report(t, (*scriptspec.PipelineTestResult).WriteJUnit, infested(text))
		elements := checkJUnit(t, got)
		if plain := strings.TrimSpace(text); plain != "" && !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
			assert.Contains(t, elements["failure"][0].text, plain)
			assert.Contains(t, elements["system-out"][0].text, plain)
		}
	}
}

func TestJUnitReportIsBounded(t *testing.T) {
	t.Parallel()
	r := churned()
	long := strings.Repeat("0123456789abcd\n", 1<<16)
	s := r.Nodes[3].Result
	s.Stdout.Text, s.Stderr.Text, s.Traceback = long+"the end\n", strings.Repeat("\u00e4", 1<<18), long
	got := report(t, (*scriptspec.PipelineTestResult).WriteJUnit, r)
	elements := checkJUnit(t, got)
	assert.Less(t, len(got), 300<<10)
	out := elements["system-out"][2].text
	assert.True(t, strings.HasPrefix(out, "[...]\n0123456789abcd\n"), "from the beginning of a line")
	assert.True(t, strings.HasSuffix(out, "\nthe end\n"))
}
