package scriptspec_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// plainSpec is what encoding/json alone would be used with: no checks, nothing kept.
type plainSpec struct {
	ScriptName  string            `json:"script_name"`
	StepName    string            `json:"step_name"`
	ScriptPath  string            `json:"script_path"`
	InputPaths  map[string]string `json:"input_paths"`
	OutputPaths map[string]string `json:"output_paths"`
	EnvironVars map[string]string `json:"environ_vars"`
	JobArgs     map[string]any    `json:"job_args"`
	CreatedAt   string            `json:"created_at"`
	UpdatedAt   string            `json:"updated_at"`
}

func unmarshalPlain(data []byte) {
	var p plainSpec
	if err := json.Unmarshal(data, &p); err != nil {
		panic(err)
	}
}

func must(b *testing.B, err error) {
	if err != nil {
		b.Fatal(err)
	}
}

// Goal: 0.6 of encoding/json into a plain struct.
func BenchmarkStoreDecode(b *testing.B) {
	data := []byte(notedJSON)
	compare(b, 50, func() { unmarshalPlain(data) }, func() {
		_, err := scriptspec.Decode(bytes.NewReader(data), nil)
		must(b, err)
	})
}

// Goals: 0.8 of reading and unmarshalling, 2.0 of reading alone.
func BenchmarkStoreLoad(b *testing.B) {
	path := filepath.Join(b.TempDir(), "spec.json")
	must(b, noted().Save(path))
	load := func() {
		_, err := scriptspec.Load(path)
		must(b, err)
	}
	read := func() []byte {
		data, err := os.ReadFile(path)
		must(b, err)
		return data
	}
	b.Run("read+unmarshal", func(b *testing.B) { compare(b, 50, func() { unmarshalPlain(read()) }, load) })
	b.Run("read", func(b *testing.B) { compare(b, 50, func() { read() }, load) })
}

// Goal: 0.8 of encoding/json's MarshalIndent.
func BenchmarkStoreEncode(b *testing.B) {
	var p plainSpec
	must(b, json.Unmarshal([]byte(notedJSON), &p))
	s := noted()
	compare(b, 50, func() {
		_, err := json.MarshalIndent(&p, "", "  ")
		must(b, err)
	}, func() { must(b, scriptspec.Encode(io.Discard, s)) })
}

// Goals: 1.15 of the bare calls where the spec changed, 1.5 of reading the file where it did not.
func BenchmarkStoreSave(b *testing.B) {
	b.Run("durable", func(b *testing.B) {
		dir := b.TempDir()
		bare, err := os.Open(dir)
		must(b, err)
		defer bare.Close()
		text, temp, path := []byte(notedJSON), filepath.Join(dir, "temp"), filepath.Join(dir, "file")
		store, err := scriptspec.OpenStore(dir, nil)
		must(b, err)
		defer store.Close()
		s, n := noted(), 0
		compare(b, 5, func() {
			f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
			must(b, err)
			_, err = f.Write(text)
			must(b, err)
			must(b, f.Sync())
			must(b, f.Close())
			must(b, os.Rename(temp, path))
			must(b, bare.Sync())
		}, func() {
			n++
			s.JobArgs["batch_size"] = n
			must(b, store.Save(s))
		})
	})
	b.Run("unchanged", func(b *testing.B) {
		store, err := scriptspec.OpenStore(b.TempDir(), nil)
		must(b, err)
		defer store.Close()
		s := noted()
		must(b, store.Save(s))
		path := store.Path(s.ScriptName)
		compare(b, 50, func() {
			_, err := os.ReadFile(path)
			must(b, err)
		}, func() { must(b, store.Save(s)) })
	})
}

const storeSize = 10_000

// fillStore makes a store of many specs that share a tenth as many paths, without flushing each.
func fillStore(b *testing.B, dir string) (paths []string) {
	b.Helper()
	specs := filepath.Join(dir, ".specs")
	must(b, os.MkdirAll(specs, 0o700))
	script := filepath.Join(dir, "script.py")
	must(b, os.WriteFile(script, nil, 0o600))
	many := amount(storeSize)
	shared := make([]string, many/10)
	for i := range shared {
		shared[i] = filepath.Join(dir, fmt.Sprintf("path_%04d", i))
		must(b, os.Mkdir(shared[i], 0o700))
	}
	for i := range many {
		s := noted()
		s.ScriptName, s.ScriptPath = fmt.Sprintf("script_%05d", i), script
		at := i
		for _, m := range []map[string]string{s.InputPaths, s.OutputPaths} {
			for key := range m {
				m[key] = shared[at%len(shared)]
				at += 7
			}
		}
		var text bytes.Buffer
		must(b, scriptspec.Encode(&text, s))
		path := filepath.Join(specs, s.SpecFileName())
		must(b, os.WriteFile(path, text.Bytes(), 0o600))
		old := s.CreatedAt.Time // long ago, as in a store that is used: the times can be trusted
		must(b, os.Chtimes(path, old, old))
		paths = append(paths, path)
	}
	return paths
}

func drain(b *testing.B, store *scriptspec.Store) {
	n := 0
	for _, err := range store.All() {
		must(b, err)
		n++
	}
	if n != amount(storeSize) {
		b.Fatal("specs:", n)
	}
}

// Goals on 2 cores: cold 0.5 of one goroutine that reads and unmarshals; warm 1.5 of os.Stat.
func BenchmarkStoreAll(b *testing.B) {
	dir := b.TempDir()
	paths := fillStore(b, dir)
	b.Run("cold", func(b *testing.B) {
		compare(b, 1, func() {
			for _, path := range paths {
				data, err := os.ReadFile(path)
				must(b, err)
				unmarshalPlain(data)
			}
		}, func() {
			store, err := scriptspec.OpenStore(dir, nil)
			must(b, err)
			drain(b, store)
			must(b, store.Close())
		})
	})
	b.Run("warm", func(b *testing.B) {
		store, err := scriptspec.OpenStore(dir, nil)
		must(b, err)
		defer store.Close()
		drain(b, store)
		compare(b, 1, func() {
			for _, path := range paths {
				_, err := os.Stat(path)
				must(b, err)
			}
		}, func() { drain(b, store) })
	})
}

// Goal on 2 cores: 0.3 of the same checks, one spec after the other, each for itself.
func BenchmarkStoreValidateAll(b *testing.B) {
	dir := b.TempDir()
	fillStore(b, dir)
	store, err := scriptspec.OpenStore(dir, nil)
	must(b, err)
	defer store.Close()
	var specs []scriptspec.Spec
	for s, err := range store.All() {
		must(b, err)
		specs = append(specs, s)
	}
	compare(b, 1, func() {
		for _, s := range specs {
			must(b, s.(*scriptspec.ScriptExecutionSpec).ValidateSpec(nil))
		}
	}, func() {
		for _, err := range store.ValidateAll(b.Context(), nil) {
			must(b, err)
		}
	})
}

// Goal: within the note's 1-2 KB for a basic and 2-5 KB for an enhanced spec.
func BenchmarkStoreMemory(b *testing.B) {
	for name, s := range map[string]scriptspec.Spec{"basic": noted(), "enhanced": notedEnhanced()} {
		b.Run(name, func(b *testing.B) {
			var text bytes.Buffer
			must(b, scriptspec.Encode(&text, s))
			var each float64
			for b.Loop() {
				kept := make([]scriptspec.Spec, storeSize)
				before := heap()
				for i := range kept {
					var err error
					kept[i], err = scriptspec.Decode(bytes.NewReader(text.Bytes()), nil)
					must(b, err)
				}
				each = float64(heap()-before) / storeSize
				runtime.KeepAlive(kept)
			}
			b.ReportMetric(each, "B/spec")
			b.ReportMetric(float64(text.Len()), "B/file")
		})
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// Goals: the same time for each byte, whatever the size; under 4 bytes of memory for each.
func BenchmarkStoreDecodeSizes(b *testing.B) {
	for _, size := range []int{1 << 10, 32 << 10, 1 << 20, 64 << 20} {
		if size > amount(64<<20) {
			continue
		}
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			var t strings.Builder
			t.WriteString(`{"script_name":"a","step_name":"A","job_args":{`)
			for i := 0; t.Len() < size-100; i++ {
				fmt.Fprintf(&t, `"argument_%07d":"/test_data/some/where/%07d",`, i, i)
			}
			t.WriteString(`"end":0}}`)
			text := []byte(t.String())
			o := &scriptspec.DecodeOptions{MaxBytes: 64 << 20}
			before := heap()
			s, err := scriptspec.Decode(bytes.NewReader(text), o)
			must(b, err)
			grown := heap() - before
			runtime.KeepAlive(s)
			for b.Loop() {
				_, err := scriptspec.Decode(bytes.NewReader(text), o)
				must(b, err)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(text)), "ns/byte")
			b.ReportMetric(float64(grown)/float64(len(text)), "B/byte")
		})
	}
}

// What the speed of a store is measured on is what it holds.
func TestBenchmarkSpecIsTypical(t *testing.T) {
	t.Parallel()
	require.InDelta(t, 700, len(notedJSON), 100)
}
