package similarity

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type semanticCase struct {
	A, B       string
	NormA      string `json:"norm_a"`
	NormB      string `json:"norm_b"`
	String     *float64
	Token      *float64
	Semantic   *float64
	Substring  *float64
	Similarity float64
}

const exact = 1e-9

// What the original system computed, part by part.
func TestOriginalNumbers(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../testdata/match/semantic_cases.json")
	require.NoError(t, err)
	var file struct{ Cases []semanticCase }
	require.NoError(t, json.Unmarshal(data, &file))
	require.NotEmpty(t, file.Cases)
	var c Comparer
	for _, want := range file.Cases {
		a, b := NewName(want.A), NewName(want.B)
		name := want.A + " ~ " + want.B
		assert.Equal(t, want.NormA, a.Normalized(), name)
		assert.Equal(t, want.NormB, b.Normalized(), name)
		assert.InDelta(t, want.Similarity, Compare(want.A, want.B), exact, name)
		assert.InDelta(t, want.Similarity, c.Compare(a, b), exact, name)
		got := c.Measure(a, b)
		for _, part := range []struct {
			want *float64
			got  float64
		}{{want.String, got.String}, {want.Token, got.Token}, {want.Semantic, got.Semantic}, {want.Substring, got.Substring}} {
			if part.want != nil {
				assert.InDelta(t, *part.want, part.got, exact, name)
			}
		}
	}
}

func TestEdges(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", maxName+1)
	for _, test := range []struct {
		a, b string
		want float64
	}{
		{"", "", 0}, {"", "x", 0}, {"x", "", 0},
		{"the", "the", 1}, {"the", "a", 0}, {"!!", "??", 0}, {"!!", "!!", 1}, {"日本", "日本", 1},
		{"the", "data", 0}, {"data", "!!", 0},
		{"Data-Input", "data_input", 1}, {"config", "configuration", 1}, {"eval.reg", "EVALUATION REGISTRATION", 1},
		{"\u212aernel", "kernel", 1},
		{long, long, 1}, {long, long + "b", 0}, {"a", long, 0},
	} {
		assert.InDelta(t, test.want, Compare(test.a, test.b), exact, "%.20q %.20q", test.a, test.b)
	}
	assert.Equal(t, "data output v2", NewName("  The DATA__of--output.\tv2 ").Normalized())
	assert.Equal(t, "ab", NewName("aéb").Normalized())
	assert.Equal(t, "x y", NewName("x\x1cy").Normalized(), "Python counts it as white space")
	assert.Equal(t, "xy", NewName("x\x1by").Normalized())
}

// Python itself is asked, on texts of all lengths: the rule for long ones sets in at 200.
func TestRatioIsThatOfPython(t *testing.T) {
	t.Parallel()
	python, err := exec.LookPath("python3")
	if err != nil && os.Getenv("CI") == "" {
		t.Skip("needs python3")
	}
	require.NoError(t, err)
	random := rand.New(rand.NewPCG(1, 2))
	var texts [][2]string
	for i := range 400 {
		text := func() string {
			b := make([]byte, random.IntN(1+i))
			for k := range b {
				b[k] = "abcdefgh "[random.IntN(2+i%8)]
			}
			return string(b)
		}
		a := text()
		b := text()
		if i%3 == 0 && len(a) > 4 { // something in common
			b = a[len(a)/4:] + b + a[:len(a)/2]
		}
		texts = append(texts, [2]string{a, b})
	}
	in, err := json.Marshal(texts)
	require.NoError(t, err)
	cmd := exec.Command(python, "-c", "import difflib, json, sys\nprint(json.dumps([difflib.SequenceMatcher(None, a, b).ratio() for a, b in json.load(sys.stdin)]))")
	cmd.Stdin = strings.NewReader(string(in))
	out, err := cmd.Output()
	require.NoError(t, err)
	var want []float64
	require.NoError(t, json.Unmarshal(out, &want))
	var m matcher
	for i, pair := range texts {
		require.InDelta(t, want[i], m.ratio([]byte(pair[0]), []byte(pair[1])), exact, "%q %q", pair[0], pair[1])
	}
}

func TestCompareDoesNotAllocate(t *testing.T) {
	var p pair // that of Compare comes from a pool, which the race detector empties at random
	compare := func() {
		p.a.set("training_report_input")
		p.b.set("model_artifact_paths")
		p.compare(&p.a, &p.b)
	}
	compare()
	assert.Zero(t, testing.AllocsPerRun(100, compare))
}

// BenchmarkCompare compares the whole similarity of two names of about 20 letters with the sequence
// ratio alone. Goal: 3.
func BenchmarkCompare(b *testing.B) {
	x, y := "preprocessing_report", "processed_data_paths"
	b.Run("similarity", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			Compare(x, y)
		}
	})
	b.Run("ratio", func(b *testing.B) {
		var m matcher
		p, q := []byte(x), []byte(y)
		b.ReportAllocs()
		for b.Loop() {
			m.ratio(p, q)
		}
	})
}
