package stats_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec/internal/stats"
)

// near is the relative agreement with SciPy that is asked for.
const near = 1e-9

// The p-values are those of scipy.stats.mannwhitneyu(x, y, alternative="two-sided", method="auto") in SciPy 1.10.1 with
// NumPy 1.24.2 and Python 3.11.2.
func TestMannWhitney(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		x, y []float64
		p    float64
	}{
		{"one each", []float64{1}, []float64{2}, 1.0},
		{"three and two", []float64{1, 3, 5}, []float64{2, 4}, 1.0},
		{"ages of the manual", []float64{19, 22, 16, 29, 24}, []float64{20, 11, 17, 12}, 0.1111111111111111},
		{"six apart from six", []float64{1, 2, 3, 4, 5, 6}, []float64{7, 8, 9, 10, 11, 12}, 0.0021645021645021645},
		{"six of twenty, far apart", []float64{17.4077, 18.2898, 20.8926, 19.06, 21.1695, 21.7743}, []float64{0.8656, 1.1071, 0.9422, 1.2329, 1.0756, 0.9475, 1.0204, 1.0217, 1.0335, 1.1495, 1.0547, 1.1806, 1.0655, 0.9824, 0.8586, 0.8555, 1.0207, 1.0715, 1.1553, 0.9405}, 8.686965208704338e-06},
		{"six of twenty", []float64{1.1709, 1.0711, 1.1138, 0.925, 1.2509, 1.0808}, []float64{0.9928, 1.0456, 1.0345, 0.8768, 1.1639, 1.0787, 1.0513, 0.9362, 0.8518, 0.8496, 0.9794, 1.0162, 0.9321, 1.2007, 1.0306, 1.105, 1.0949, 0.8985, 1.1045, 1.046}, 0.07199756764974155},
		{"six of twenty, alike", []float64{0.7759, 1.1557, 1.2391, 1.2157, 1.2341, 0.7543}, []float64{0.9517, 0.8966, 1.0109, 1.0215, 1.2526, 1.1623, 0.8472, 1.1976, 1.3843, 1.0632, 0.74, 0.879, 0.9647, 0.7228, 0.9727, 0.7753, 1.1718, 1.1467, 0.9848, 0.7781}, 0.4214828649611258},
		{"eight and eight", []float64{1.2941, 1.0752, 1.0644, 1.525, 1.0498, 0.9274, 1.4306, 1.743}, []float64{1.3797, 1.1691, 1.5196, 0.9314, 1.5451, 1.5215, 0.9338, 1.0861}, 0.8784770784770783},
		{"eight and thirty", []float64{0.9442, 0.9948, 1.3677, 0.9678, 1.275, 1.3398, 1.2561, 1.4854}, []float64{1.4791, 1.0399, 1.2268, 1.3537, 0.9163, 0.8782, 0.6171, 1.0946, 1.2403, 1.0966, 1.5303, 1.3655, 1.1842, 0.9982, 0.8435, 1.0283, 1.1122, 0.9927, 0.9465, 0.9314, 1.1574, 0.7146, 0.944, 1.0206, 1.1564, 1.158, 0.9613, 0.895, 0.7958, 1.2709}, 0.10414826818502043},
		{"nine and eight", []float64{1.2503, 1.1588, 0.9615, 0.8874, 1.4053, 1.1097, 1.2227, 1.5955, 0.8184}, []float64{0.8618, 1.0835, 1.1407, 0.8169, 0.9904, 0.8916, 0.8961, 1.0869}, 0.09271904566022213},
		{"nine and nine", []float64{1.157, 1.4081, 1.2557, 1.5004, 0.9436, 1.207, 0.8352, 0.7949, 0.8385}, []float64{1.1567, 1.0435, 0.7216, 1.3015, 1.2152, 0.9646, 0.9527, 0.9976, 0.7829}, 0.5364994693194564},
		{"ten and twenty", []float64{1.7379, 1.1382, 1.1859, 1.1627, 1.104, 1.065, 1.2836, 1.0135, 1.043, 1.0805}, []float64{1.1276, 0.8601, 0.86, 1.0491, 0.8423, 0.9509, 1.1417, 1.0623, 1.0032, 1.2558, 0.9376, 0.9112, 0.7666, 1.0032, 1.0975, 0.9027, 1.3245, 1.1634, 1.1468, 0.8326}, 0.02628661964063745},
		{"twenty and twenty", []float64{1.1366, 1.1451, 0.8994, 1.101, 1.0773, 0.9273, 1.1594, 1.3555, 1.1899, 1.0133, 1.0756, 1.2353, 1.0153, 1.1439, 1.1076, 1.1242, 1.3035, 0.9477, 1.2418, 1.1342}, []float64{0.99, 0.8455, 1.0307, 0.9591, 0.744, 0.8707, 0.8857, 0.9025, 0.9394, 0.9189, 1.1683, 1.1122, 0.9911, 1.1488, 1.2382, 1.0497, 0.8753, 1.0379, 1.1538, 0.9042}, 0.006040329507995924},
		{"a tie in six of twenty", []float64{1.2, 1.3, 1.3, 1.3, 1.2, 1.1}, []float64{0.9, 1.1, 1.1, 1, 0.9, 1.1, 1.1, 0.9, 0.8, 1, 1.1, 1.1, 1.1, 0.9, 1, 1, 0.9, 1.3, 1, 1}, 0.0012918539557772823},
		{"many ties", []float64{1, 1, 2, 2, 3, 3}, []float64{2, 2, 3, 3, 4, 4, 4}, 0.06425763970681275},
		{"all equal", []float64{5, 5, 5, 5, 5, 5}, []float64{5, 5, 5, 5, 5, 5, 5}, 1.0},
		{"equal but one", []float64{5, 5, 5, 5, 5, 6}, []float64{5, 5, 5, 5, 5, 5, 5}, 0.3545394797735013},
		{"in the middle", []float64{1, 4, 6, 7}, []float64{2, 3, 5, 8}, 1.0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			assert.InEpsilon(t, c.p, stats.MannWhitney(c.x, c.y), near)
			assert.InEpsilon(t, c.p, stats.MannWhitney(c.y, c.x), near, "the samples are exchanged")
		})
	}
	assert.True(t, math.IsNaN(stats.MannWhitney(nil, []float64{1})))
}

// Under the null hypothesis a p-value of at most a level is at most that likely.
func TestMannWhitneyHoldsItsLevel(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(15, 1))
	sample := func(n int) []float64 {
		values := make([]float64, n)
		for i := range values {
			values[i] = random.NormFloat64()
		}
		return values
	}
	const rounds, level = 5_000, 0.01
	for _, n := range []int{6, 8, 9, 20} {
		alarms := 0
		for range rounds {
			if stats.MannWhitney(sample(n), sample(20)) < level {
				alarms++
			}
		}
		deviation := math.Sqrt(rounds * level * (1 - level))
		assert.LessOrEqual(t, float64(alarms), rounds*level+4*deviation, "%d beside 20", n)
		assert.Positive(t, alarms)
	}
}

// rho is that of scipy.stats.spearmanr in SciPy 1.10.1.
func TestSpearman(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		x, y []float64
		rho  float64
	}{
		{"without ties",
			[]float64{0.8573, 1.405, 1.789, 0.8651, 0.9822, 0.7966, 0.5968, 0.9087, 1.1859, 1.005, 0.8806, 0.3888},
			[]float64{1.812, 2.857, 4.035, 1.532, 1.543, 1.007, 0.993, 1.789, 2.44, 1.527, 1.583, 1.074}, 0.7832167832167832},
		{"with ties", []float64{1, 2, 2, 3, 4, 4, 4, 5}, []float64{2, 1, 3, 3, 5, 4, 6, 6}, 0.9007775105401477},
		{"falling", []float64{1, 2, 3}, []float64{9, 4, 1}, -1},
	} {
		assert.InDelta(t, c.rho, stats.Spearman(c.x, c.y), near, c.name)
	}
	assert.True(t, math.IsNaN(stats.Spearman([]float64{1, 1, 1}, []float64{1, 2, 3})))
	assert.True(t, math.IsNaN(stats.Spearman([]float64{1}, []float64{1})))
	assert.True(t, math.IsNaN(stats.Spearman([]float64{1, 2}, []float64{1})))
}

// The values are those of numpy.quantile in NumPy 1.24.2.
func TestQuantile(t *testing.T) {
	t.Parallel()
	values := []float64{1.0187, 0.8323, 0.8205, 0.4474, 0.4882, 0.7579, 1.8209, 1.7559, 0.9125, 1.3484, 1.2185}
	for q, want := range map[float64]float64{0: 0.4474, 0.1: 0.4882, 0.5: 0.9125, 0.9: 1.7559, 0.99: 1.8144, 1: 1.8209, 2: 1.8209} {
		assert.InDelta(t, want, stats.Quantile(values, q), near, "%v", q)
	}
	assert.InDelta(t, 2.5, stats.Median([]float64{4, 1, 2, 3}), near)
	assert.InDelta(t, 7, stats.Median([]float64{7}), near)
	assert.True(t, math.IsNaN(stats.Median(nil)))
	require.InDelta(t, 1.0187, values[0], near, "the values are left as they were")
}

func TestHolm(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ p, want []float64 }{
		{nil, []float64{}},
		{[]float64{0.03}, []float64{0.03}},
		{[]float64{0.01, 0.04, 0.03}, []float64{0.03, 0.06, 0.06}},
		{[]float64{0.5, 0.001, 0.4, 0.9}, []float64{1, 0.004, 1, 1}},
	} {
		assert.InDeltaSlice(t, c.want, stats.Holm(c.p), near)
	}
}
