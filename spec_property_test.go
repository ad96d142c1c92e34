package scriptspec_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// maker builds specs of any kind and value, most of them with something odd in them.
type maker struct{ *rand.Rand }

func (m maker) text() string {
	alphabet := []string{
		"a", "b", "_", "data", "é", "e\u0301", "🚀", "\u2028", "\u202e", "<>&", `"`, `\`, "\n", "\t", "/", " ", "", "日本",
		"\ufeff", "\u007f", "[", "].path", "=", "\x01",
	}
	var s strings.Builder
	for range m.IntN(4) {
		s.WriteString(alphabet[m.IntN(len(alphabet))])
	}
	if m.IntN(200) == 0 {
		s.WriteString([]string{"\x00", "\xff", "\xed\xa0\x80"}[m.IntN(3)])
	}
	return s.String()
}

func (m maker) value(depth int) any {
	switch n := m.IntN(17); {
	case n == 0:
		return nil
	case n == 1:
		return m.IntN(2) == 0
	case n == 2:
		return -m.Int64()
	case n == 3:
		return m.Uint64()
	case n == 4:
		return math.Float64frombits(m.Uint64())
	case n == 5:
		return float64(m.IntN(1000))
	case n == 6:
		return float32(m.NormFloat64())
	case n == 7:
		return json.Number([]string{"1.0", "-0", "1e400", "123456789012345678901234567890", "1E+2", "nope"}[m.IntN(6)])
	case n == 8:
		return m.text()
	case n == 9:
		return []string{m.text(), m.text()}
	case n == 10:
		return map[string]int{m.text(): m.IntN(9)}
	case n == 11:
		return json.RawMessage([]string{`{"b":1.0,"a":[]}`, `null`, ` 1 `, `{"a":1,"a":1}`, `{`}[m.IntN(5)])
	case n == 12:
		return time.Unix(m.Int64N(1<<33), 0).UTC()
	case n == 13 && m.IntN(20) == 0:
		return []any{make(chan int), math.NaN(), func() {}}[m.IntN(3)]
	case n >= 15 && depth < 4:
		list := make([]any, m.IntN(4))
		for i := range list {
			list[i] = m.value(depth + 1)
		}
		return list
	case depth < 4:
		object := map[string]any{}
		for range m.IntN(4) {
			object[m.text()] = m.value(depth + 1)
		}
		return object
	}
	return "x"
}

func (m maker) time() scriptspec.Timestamp {
	switch m.IntN(4) {
	case 0:
		return scriptspec.Timestamp{}
	case 1:
		ts, _ := scriptspec.ParseTimestamp("2025-09-09 22:14:23.123456")
		return ts
	default:
		at := time.Unix(m.Int64N(1<<39)-1<<38, m.Int64N(1e9)).In(time.FixedZone("", m.IntN(100000)-50000))
		return scriptspec.NewTimestamp(at)
	}
}

func (m maker) basic() *scriptspec.ScriptExecutionSpec {
	s := &scriptspec.ScriptExecutionSpec{ScriptName: "a", StepName: "A", ScriptPath: m.text(), CreatedAt: m.time(), UpdatedAt: m.time()}
	if m.IntN(50) == 0 {
		s.ScriptName, s.StepName = m.text(), m.text()
	}
	for range m.IntN(4) {
		s.AddInputPath(m.text(), m.text())
		s.AddOutputPath(m.text(), m.text())
		s.AddEnvironVar(m.text()+"x", m.text())
		s.AddJobArg(m.text(), m.value(0))
	}
	if m.IntN(3) == 0 {
		s.Extra = map[string]jsonRaw{m.text(): jsonRaw(`{"k":[1.0, null]}`), "x" + m.text(): jsonRaw(`"é\u00e9"`)}
	}
	return s
}

func (m maker) enhanced() *scriptspec.EnhancedScriptExecutionSpec {
	e := scriptspec.Enhance(m.basic(), func(string) []string {
		var aliases []string
		for range m.IntN(3) {
			aliases = append(aliases, m.text())
		}
		return aliases
	})
	for key, p := range e.InputPathSpecs {
		p.LogicalName = m.text()
		p.Extra = map[string]jsonRaw{m.text() + "x": jsonRaw(`[1]`)}
		e.InputPathSpecs[key] = p
	}
	return e
}

// Any spec that a Go program can build either comes back equal from its file, or is refused with
// the name of what is wrong; and a copy of it is equal to it.
func TestAnySpecIsSavedOrRefusedByName(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "spec.json")
	saved, refused := 0, 0
	for seed := range uint64(1500) {
		m := maker{rand.New(rand.NewPCG(seed, 1))}
		var s scriptspec.Spec = m.basic()
		if seed%2 == 1 {
			s = m.enhanced()
		}
		var b bytes.Buffer
		err := scriptspec.Encode(&b, s)
		if err != nil {
			ve, ok := errors.AsType[*scriptspec.ValidationError](err)
			require.True(t, ok, "seed %d: %v", seed, err)
			for fe := range ve.All() {
				require.NotEmpty(t, fe.Path, "seed %d", seed)
			}
			refused++
			continue
		}
		saved++
		if seed%50 < 2 { // to the disk, now and then
			write(t, path, "")
			switch s := s.(type) {
			case *scriptspec.ScriptExecutionSpec:
				require.NoError(t, s.Save(path), "seed %d", seed)
			case *scriptspec.EnhancedScriptExecutionSpec:
				require.NoError(t, s.Save(path), "seed %d", seed)
			}
			_, err := scriptspec.LoadEnhanced(path)
			require.NoError(t, err, "seed %d", seed)
		}
		back, err := scriptspec.Decode(bytes.NewReader(b.Bytes()), nil)
		require.NoError(t, err, "seed %d\n%s", seed, &b)
		switch s := s.(type) {
		case *scriptspec.ScriptExecutionSpec:
			require.True(t, s.Equal(back.(*scriptspec.ScriptExecutionSpec)), "seed %d\n%s", seed, &b)
			require.True(t, s.Equal(s.Clone()), "seed %d", seed)
		case *scriptspec.EnhancedScriptExecutionSpec:
			require.True(t, s.Equal(back.(*scriptspec.EnhancedScriptExecutionSpec)), "seed %d\n%s", seed, &b)
			require.True(t, s.Equal(s.Clone()), "seed %d", seed)
		}
		require.Equal(t, b.String(), encode(t, back), "seed %d", seed)
	}
	assert.Greater(t, saved, 500)
	assert.Greater(t, refused, 200)
}

func FuzzEncode(f *testing.F) {
	f.Add("data_input", "/in", "VALUE", "x", 1.5, int64(7))
	f.Add("\u2028", "\x00", "a\nb", "<>&", math.Inf(1), int64(math.MinInt64))
	f.Add("\xff", "", "", "e\u0301", math.Copysign(0, -1), int64(0))
	f.Fuzz(func(t *testing.T, name, path, value, arg string, float float64, integer int64) {
		s := named("a", "A")
		s.InputPaths = map[string]string{name: path}
		s.EnvironVars = map[string]string{"NAME": value}
		s.JobArgs = scriptspec.JobArgs{arg: []any{float, integer, map[string]any{value: path}}}
		var b bytes.Buffer
		if err := scriptspec.Encode(&b, s); err != nil {
			_, ok := errors.AsType[*scriptspec.ValidationError](err)
			require.True(t, ok)
			return
		}
		require.True(t, json.Valid(b.Bytes()))
		back, err := scriptspec.Decode(&b, nil)
		require.NoError(t, err)
		require.True(t, s.Equal(back.(*scriptspec.ScriptExecutionSpec)))
	})
}
