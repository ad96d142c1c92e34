package scriptspec_test

import (
	"bytes"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/scriptspec/scriptspec"
)

// BenchmarkMetadata compares a spec with every member of version 2 with one of version 1. Goal: 2.
func BenchmarkMetadata(b *testing.B) {
	_, news, _ := strings.Cut(fullJSON, "  \"spec_version\"")
	news = "  \"spec_version\"" + news
	text := notedJSON[:len(notedJSON)-3] + ",\n" + strings.Replace(news, "  \"optional\": [],\n", "", 1)
	plain, full := noted(), (*scriptspec.ScriptExecutionSpec)(nil)
	s, err := scriptspec.Decode(strings.NewReader(text), nil)
	must(b, err)
	full = s.Basic()
	decode := func(text []byte) {
		_, err := scriptspec.Decode(bytes.NewReader(text), nil)
		must(b, err)
	}
	b.Run("decode", func(b *testing.B) {
		compare(b, 50, func() { decode([]byte(notedJSON)) }, func() { decode([]byte(text)) })
	})
	b.Run("encode", func(b *testing.B) {
		compare(b, 50, func() { must(b, scriptspec.Encode(io.Discard, plain)) }, func() { must(b, scriptspec.Encode(io.Discard, full)) })
	})
	b.Run("validate", func(b *testing.B) {
		compare(b, 50, func() { must(b, plain.Validate()) }, func() { must(b, full.Validate()) })
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
	b.ReportMetric(float64(len(text))/float64(len(notedJSON)), "x-bytes")
}
