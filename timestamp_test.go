package scriptspec_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

func TestParseTimestamp(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ text, want string }{
		"Python str":           {"2025-09-09 22:14:23.123456", "2025-09-09T22:14:23.123456"},
		"Python isoformat":     {"2025-09-09T22:14:23.123456", "2025-09-09T22:14:23.123456"},
		"no fraction":          {"2025-09-09 22:14:23", "2025-09-09T22:14:23.000000"},
		"no seconds":           {"2025-09-09T22:14", "2025-09-09T22:14:00.000000"},
		"one digit":            {"2025-09-09T22:14:23.5", "2025-09-09T22:14:23.500000"},
		"nine digits":          {"2025-09-09T22:14:23.123456789", "2025-09-09T22:14:23.123456"},
		"comma":                {"2025-09-09T22:14:23,5", "2025-09-09T22:14:23.500000"},
		"Z":                    {"2025-09-09T22:14:23Z", "2025-09-09T22:14:23.000000+00:00"},
		"offset":               {"2025-09-09T22:14:23+05:30", "2025-09-09T22:14:23.000000+05:30"},
		"negative offset":      {"2025-09-09 22:14:23.1-08:00", "2025-09-09T22:14:23.100000-08:00"},
		"offset without colon": {"2025-09-09T22:14:23+0530", "2025-09-09T22:14:23.000000+05:30"},
		"date":                 {"2025-09-09", "2025-09-09T00:00:00.000000"},
		"leap day":             {"2024-02-29", "2024-02-29T00:00:00.000000"},
		"datetime.min":         {"0001-01-01 00:00:00", "0001-01-01T00:00:00.000000"},
		"datetime.min in UTC":  {"0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000+00:00"},
		"last millisecond":     {"253402300799999", "9999-12-31T23:59:59.999000+00:00"},
		"exact milliseconds":   {"253402300726152", "9999-12-31T23:58:46.152000+00:00"},
		"seconds, fraction":    {"20000000000.435", "2603-10-11T11:33:20.435000+00:00"},
		"rounded":              {"1757456063.1234567", "2025-09-09T22:14:23.123457+00:00"},
		"epoch seconds":        {"1757456063", "2025-09-09T22:14:23.000000+00:00"},
		"epoch fraction":       {"1757456063.5", "2025-09-09T22:14:23.500000+00:00"},
		"epoch milliseconds":   {"1757456063123", "2025-09-09T22:14:23.123000+00:00"},
		"before 1970":          {"-1", "1969-12-31T23:59:59.000000+00:00"},
		"last of seconds":      {"20000000000", "2603-10-11T11:33:20.000000+00:00"},
		"first of millis":      {"20000000001", "1970-08-20T11:33:20.001000+00:00"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ts, err := scriptspec.ParseTimestamp(test.text)
			require.NoError(t, err)
			assert.Equal(t, test.want, ts.String())
			assert.False(t, ts.IsZero())
			assert.Equal(t, len(test.want) == len("2025-09-09T22:14:23.123456"), ts.IsNaive())

			again, err := scriptspec.ParseTimestamp(ts.String())
			require.NoError(t, err)
			assert.True(t, ts.Equal(again))
		})
	}
}

func TestParseTimestampRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "now", "2025-09", "2025-9-9", "2025-13-01", "2025-02-29", "2025-00-01", "2025-01-00",
		"0000-01-01", "2025-09-09T", "2025-09-09T22", "2025-09-09T24:00:00", "2025-09-09T22:60", "2025-09-09T22:14:60",
		"2025-09-09T22:14:23.", "2025-09-09T22:14:23.1234567890", "2025-09-09T22:14:23+05", "2025-09-09T22:14:23+24:00",
		"2025-09-09T22:14:23 Z", " 2025-09-09", "2025-09-09 ", "2025-09-09T22:14:23+05:30x", "1e400", "NaN", "inf", "0x10",
		"1_000", "9e99", "1e5", "-", "+", ".", "1.2.3", "253402300800000", "-62135596800001", "2025-09-09T22:14:23Z\n", s64k,
	} {
		_, err := scriptspec.ParseTimestamp(text)
		require.Error(t, err, "%.40q", text)
		if len(text) > 1 {
			assert.NotContains(t, err.Error(), text, "the text may be anything and is not repeated")
		}
	}
}

var s64k = strings.Repeat("9", 1<<16)

func TestTimestampJSON(t *testing.T) {
	t.Parallel()
	type host struct {
		At scriptspec.Timestamp `json:"at,omitzero"`
	}
	for text, want := range map[string]string{
		`{"at":"2025-09-09 22:14:23"}`:       `{"at":"2025-09-09T22:14:23.000000"}`,
		`{"at":"2025-09-09T22:14:23+02:00"}`: `{"at":"2025-09-09T22:14:23.000000+02:00"}`,
		`{"at":1757456063}`:                  `{"at":"2025-09-09T22:14:23.000000+00:00"}`,
		`{"at":null}`:                        `{}`,
		`{}`:                                 `{}`,
	} {
		var h host
		require.NoError(t, json.Unmarshal([]byte(text), &h), text)
		got, err := json.Marshal(h)
		require.NoError(t, err)
		assert.Equal(t, want, string(got), text)
	}
	var h host
	require.Error(t, json.Unmarshal([]byte(`{"at":"soon"}`), &h))
	require.Error(t, json.Unmarshal([]byte(`{"at":[]}`), &h))

	none, err := json.Marshal(scriptspec.Timestamp{})
	require.NoError(t, err)
	assert.Equal(t, "null", string(none))
	_, err = json.Marshal(scriptspec.NewTimestamp(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)))
	require.Error(t, err)
}

// What time.Time offers besides JSON keeps a naive time naive, too.
func TestTimestampSurvivesGob(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"2025-09-09T22:14:23.123456", "2025-09-09T22:14:23.123456+05:30", ""} {
		var ts, back scriptspec.Timestamp
		require.NoError(t, ts.UnmarshalText([]byte(text)))
		var b bytes.Buffer
		require.NoError(t, gob.NewEncoder(&b).Encode(ts))
		require.NoError(t, gob.NewDecoder(&b).Decode(&back))
		assert.Equal(t, text, back.String())
		appended, err := ts.AppendText([]byte("at "))
		require.NoError(t, err)
		assert.Equal(t, "at "+text, string(appended))
	}
}

func TestTimestampWrites(t *testing.T) {
	t.Parallel()
	mean := time.FixedZone("LMT", 1*3600+15*60+30) // a local mean time has seconds in its offset
	ts := scriptspec.NewTimestamp(time.Date(1890, 1, 1, 12, 0, 0, 0, mean))
	assert.Equal(t, "1890-01-01T10:44:30.000000+00:00", ts.String())
	assert.Empty(t, scriptspec.Timestamp{}.String())

	now := scriptspec.NewTimestamp(time.Now().UTC())
	assert.Regexp(t, `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$`, now.String())
}

func TestTimestampEqual(t *testing.T) {
	t.Parallel()
	parse := func(s string) scriptspec.Timestamp {
		ts, err := scriptspec.ParseTimestamp(s)
		require.NoError(t, err)
		return ts
	}
	assert.True(t, parse("2025-09-09T22:14:23Z").Equal(parse("2025-09-10T00:14:23+02:00")), "one instant")
	assert.False(t, parse("2025-09-09T22:14:23").Equal(parse("2025-09-09T22:14:23Z")), "naive is not UTC")
	assert.False(t, parse("2025-09-09T22:14:23").Equal(scriptspec.Timestamp{}))
	var none scriptspec.Timestamp
	assert.True(t, none.Equal(scriptspec.Timestamp{}))
}

// Whatever the zone of the machine is, the digits of a naive time stay.
func TestNaiveTimesAreNotShifted(t *testing.T) {
	old := time.Local
	t.Cleanup(func() { time.Local = old })
	for _, zone := range []*time.Location{time.UTC, time.FixedZone("", 9*3600), time.FixedZone("", -8*3600)} {
		time.Local = zone
		ts, err := scriptspec.ParseTimestamp("2025-09-09 22:14:23.123456")
		require.NoError(t, err)
		assert.Equal(t, "2025-09-09T22:14:23.123456", ts.String())
		assert.Equal(t, 22, ts.Hour())
	}
}

// The interpreter is the judge of what it reads.
func TestPythonReadsWhatIsWritten(t *testing.T) {
	t.Parallel()
	naive, err := scriptspec.ParseTimestamp("2025-09-09 22:14:23")
	require.NoError(t, err)
	offset, err := scriptspec.ParseTimestamp("2025-09-09T22:14:23.5+0530")
	require.NoError(t, err)
	texts := []string{naive.String(), offset.String(), scriptspec.NewTimestamp(time.Now().UTC()).String()}
	code := "import sys, datetime\nfor a in sys.argv[1:]: print(datetime.datetime.fromisoformat(a).isoformat(timespec='microseconds'))"
	out, err := exec.Command(python(t), append([]string{"-c", code}, texts...)...).Output()
	require.NoError(t, err)
	assert.Equal(t, texts, strings.Fields(string(out)))
}
