//go:build unix

package scriptspec_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// BenchmarkHistoryRecord compares recording a run with the run, of a script that does next to nothing on a small input. Goal: 0.01.
func BenchmarkHistoryRecord(b *testing.B) {
	s := benchSpec(b, benchScript)
	data := filepath.Join(b.TempDir(), "data.csv")
	writeText(b, data, "a,b\n1,2\n")
	s.AddInputPath("data_input", data)
	tester := &scriptspec.RuntimeTester{Python: interpreter(b)}
	st, err := scriptspec.OpenStore(b.TempDir(), nil)
	require.NoError(b, err)
	defer st.Close()
	h := st.History()
	record := func() {}
	run := func() {
		var err error
		record, err = scriptspec.RunForRecord(b.Context(), tester, h, s)
		must(b, err)
	}
	run()
	record() // git is asked
	compare(b, 1, run, func() { record() })
	require.NoError(b, h.Err())
}
