package cli

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/scriptspec/scriptspec"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Whoever reads a file of metrics while it is written again sees the old one or the new one: the collector of the node exporter
// skips half a file, and says nothing of it.
func TestFilesAreNeverTorn(t *testing.T) {
	t.Parallel()
	const readers, reads, rewrites = 8, 125, 50
	path := filepath.Join(t.TempDir(), "scriptspec.prom")
	var forms []map[string]func(io.Writer) error
	whole := map[string]bool{}
	for _, specs := range []int{1, 40, 700} {
		r := &scriptspec.StoreTestResult{}
		for i := range specs {
			step := fmt.Sprint("Step", i)
			r.Specs = append(r.Specs, scriptspec.SpecTestResult{Name: step, Result: &scriptspec.ScriptTestResult{ScriptName: "step", StepName: step, ExecutionTime: time.Second}})
		}
		forms = append(forms, (&app{}).resultForms(r))
		var b bytes.Buffer
		require.NoError(t, r.WritePrometheus(&b))
		whole[b.String()] = true
	}
	a := &app{formats: []string{"prometheus=" + path}}
	require.NoError(t, a.write(forms[0]))

	var group sync.WaitGroup
	var finished atomic.Bool
	var total atomic.Int64
	for range readers {
		group.Go(func() {
			for n := 0; n < reads || !finished.Load(); n++ {
				total.Add(1)
				text, err := os.ReadFile(path)
				if !assert.NoError(t, err) || !assert.True(t, whole[string(text)], "%d bytes that were never written", len(text)) {
					return
				}
			}
		})
	}
	for n := range rewrites {
		assert.NoError(t, a.write(forms[n%len(forms)]))
	}
	finished.Store(true)
	group.Wait()
	t.Logf("%d reads during %d rewrites", total.Load(), rewrites)
	left, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	require.NoError(t, err)
	assert.Len(t, left, 1)
}
