package scriptspec_test

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/scriptspec/scriptspec"
)

// BenchmarkMetadata compares a spec with every member of version 2 with the same one without them: of the size that the
// spec of a step has in practice, and of the least. Goal: 2 for the first, which
// validating, a few microseconds, misses.
func BenchmarkMetadata(b *testing.B) {
	_, news, _ := strings.Cut(fullJSON, "  \"spec_version\"")
	news = strings.Replace("  \"spec_version\""+news, "  \"optional\": [],\n", "", 1)
	for name, plain := range map[string]*scriptspec.ScriptExecutionSpec{"usual": usualSpec(), "small": noted()} {
		b.Run(name, func(b *testing.B) { compareMetadata(b, plain, news) })
	}
}

// usualSpec is as a training step has it: 3 inputs, 2 outputs, 12 variables and 28 job arguments.
func usualSpec() *scriptspec.ScriptExecutionSpec {
	s := noted()
	s.AddInputPath("hyperparameters", "/test_data/input/hyperparameters")
	for i := range 10 {
		s.AddEnvironVar(fmt.Sprintf("FEATURE_COLUMNS_%d", i), "customer_age,order_total,region")
	}
	for i := range 13 {
		s.AddJobArg(fmt.Sprintf("hyperparameter_%d", i), 0.05*float64(i))
		s.AddJobArg(fmt.Sprintf("column_%d", i), "customer_age")
	}
	return s
}

func compareMetadata(b *testing.B, plain *scriptspec.ScriptExecutionSpec, news string) {
	var old bytes.Buffer
	must(b, scriptspec.Encode(&old, plain))
	text := strings.TrimSuffix(old.String(), "\n}\n") + ",\n" + news
	s, err := scriptspec.Decode(strings.NewReader(text), nil)
	must(b, err)
	full := s.Basic()
	decode := func(text []byte) {
		_, err := scriptspec.Decode(bytes.NewReader(text), nil)
		must(b, err)
	}
	b.Run("decode", func(b *testing.B) {
		compare(b, 50, func() { decode(old.Bytes()) }, func() { decode([]byte(text)) })
		b.ReportMetric(float64(len(text))/float64(old.Len()), "x-bytes")
	})
	b.Run("encode", func(b *testing.B) {
		compare(b, 50, func() { must(b, scriptspec.Encode(io.Discard, plain)) }, func() { must(b, scriptspec.Encode(io.Discard, full)) })
	})
	b.Run("validate", func(b *testing.B) {
		compare(b, 50, func() { must(b, plain.Validate()) }, func() { must(b, full.Validate()) })
	})
	b.Run("save", func(b *testing.B) {
		old, new := filepath.Join(b.TempDir(), "spec.json"), filepath.Join(b.TempDir(), "spec.json")
		save := func(s *scriptspec.ScriptExecutionSpec, path string) {
			s.UpdatedAt = scriptspec.NewTimestamp(s.UpdatedAt.Add(time.Second)) // else nothing would be written
			must(b, s.Save(path))
		}
		compare(b, 10, func() { save(plain, old) }, func() { save(full, new) })
	})
	b.Run("load", func(b *testing.B) {
		old, new := filepath.Join(b.TempDir(), "spec.json"), filepath.Join(b.TempDir(), "spec.json")
		must(b, plain.Save(old))
		must(b, full.Save(new))
		load := func(path string) {
			_, err := scriptspec.Load(path)
			must(b, err)
		}
		compare(b, 50, func() { load(old) }, func() { load(new) })
	})
}
