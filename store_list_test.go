package scriptspec_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

func TestAll(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store := openStore(t, dir, nil)
	for range store.All() {
		t.Fatal("there is nothing")
	}
	assert.NoDirExists(t, filepath.Join(dir, ".specs"))

	var want []string
	for i := range 300 {
		name := fmt.Sprintf("script_%03d", i)
		require.NoError(t, store.Save(named(name, "Step")))
		want = append(want, name)
	}
	require.NoError(t, store.SaveStep(named("script_000", "Step_a")))
	want = append([]string{"script_000"}, want...)
	specs := filepath.Join(dir, ".specs")
	for _, name := range []string{
		"README", ".gitignore", "x.json", "X_runtime_test_spec.json", "_runtime_test_spec.json", "a.b.c.d_runtime_test_spec.json", "a.B.c_runtime_test_spec.json",
		"a._runtime_test_spec.json", "script_001_runtime_test_spec.json~", ".#script_001_runtime_test_spec.json", ".scriptspec-X.tmp",
	} {
		write(t, filepath.Join(specs, name), "not ours")
	}
	for round := range 2 { // the second time from what was kept
		var got []string
		for s, err := range store.All() {
			require.NoError(t, err)
			got = append(got, s.Basic().ScriptName)
		}
		assert.Equal(t, want, got, "round %d", round)
	}
}

// A bad file yields its error in its place, and the rest go on.
func TestAllWithBadFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store := openStore(t, dir, nil)
	for i := range 9 {
		require.NoError(t, store.Save(named(fmt.Sprintf("s%d", i), "S")))
	}
	write(t, store.Path("s1"), "{")
	require.NoError(t, os.Remove(store.Path("s3")))
	require.NoError(t, os.Symlink(store.Path("s4"), store.Path("s3")))
	require.NoError(t, os.Remove(store.Path("s5")))
	require.NoError(t, os.Mkdir(store.Path("s5"), 0o700))
	require.NoError(t, os.Rename(store.Path("s6"), store.Path("s7")))
	var got []string
	for s, err := range store.All() {
		switch {
		case err == nil:
			got = append(got, s.Basic().ScriptName)
		case errors.Is(err, scriptspec.ErrCorrupt):
			got = append(got, "corrupt")
		case errors.Is(err, scriptspec.ErrMismatch):
			got = append(got, "mismatch")
		default:
			assert.Nil(t, s)
			assert.ErrorContains(t, err, "not a regular file")
			got = append(got, "special")
		}
	}
	assert.Equal(t, []string{"s0", "corrupt", "s2", "special", "s4", "special", "mismatch", "s8"}, got)
}

// Large files come in their place, too, and are not loaded ahead.
func TestAllWithLargeFiles(t *testing.T) {
	t.Parallel()
	store := openStore(t, t.TempDir(), nil)
	for i := range 40 {
		s := named(fmt.Sprintf("s%02d", i), "S")
		if i%4 == 1 {
			s.AddJobArg("large", strings.Repeat("x", 100_000))
		}
		require.NoError(t, store.Save(s))
	}
	i := 0
	for s, err := range store.All() {
		require.NoError(t, err)
		require.Equal(t, fmt.Sprintf("s%02d", i), s.Basic().ScriptName)
		i++
	}
	assert.Equal(t, 40, i)
}

func TestAllEndsWhenTheStoreIsClosed(t *testing.T) {
	t.Parallel()
	store := openStore(t, t.TempDir(), nil)
	for i := range 300 {
		write(t, store.Path(fmt.Sprintf("s%03d", i)), strings.ReplaceAll(notedJSON, "tabular_preprocessing\"", fmt.Sprintf("s%03d\"", i)))
	}
	var last error
	n := 0
	for _, err := range store.All() {
		last = err
		if n++; n == 1 {
			require.NoError(t, store.Close())
		}
	}
	if last != nil { // everything may have been loaded before
		require.ErrorIs(t, last, fs.ErrClosed)
	}
	assert.LessOrEqual(t, n, 300)
}

// Whoever stops early leaves no goroutine behind: synctest would find it.
func TestAllStopsEarly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store := openStore(t, dir, nil)
	for i := range 200 {
		write(t, filepath.Join(dir, ".specs", fmt.Sprintf("s%03d_runtime_test_spec.json", i)), strings.ReplaceAll(notedJSON, "tabular_preprocessing\"", fmt.Sprintf("s%03d\"", i)))
	}
	synctest.Test(t, func(t *testing.T) {
		n := 0
		for _, err := range store.All() {
			require.NoError(t, err)
			if n++; n == 3 {
				break
			}
		}
		func() {
			defer func() { assert.Equal(t, "the caller's", recover()) }()
			for range store.All() {
				panic("the caller's")
			}
		}()
	})
}

func TestValidateAll(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store := openStore(t, dir, nil)
	good := onDisk(t)
	missing := filepath.Join(dir, "no such input")
	for i := range 200 {
		s := good.Clone()
		s.ScriptName = fmt.Sprintf("s%03d", i)
		if i%2 == 1 {
			s.InputPaths["data_input"] = missing
		}
		require.NoError(t, store.Save(s))
	}
	write(t, store.Path("s200"), "{")
	before := tree(t, filepath.Dir(good.ScriptPath))
	i := 0
	for s, err := range store.ValidateAll(t.Context(), &scriptspec.ValidateOptions{RequiredJobArgs: []string{"x"}}) {
		if i == 200 {
			require.ErrorIs(t, err, scriptspec.ErrCorrupt)
			assert.Nil(t, s)
			i++
			continue
		}
		var want []problem
		if i%2 == 1 {
			want = []problem{{`input_paths["data_input"]`, scriptspec.CodeNotExist, "Input path 'data_input' does not exist: " + missing}}
		}
		want = append(want, problem{"job_args", scriptspec.CodeMissing, "Missing required job arguments: x"})
		require.Equal(t, want, problems(t, err), "%v", s)
		i++
	}
	assert.Equal(t, 201, i)
	for s, err := range store.ValidateAll(t.Context(), nil) {
		if s != nil {
			require.Equal(t, s.Basic().InputPaths["data_input"] == missing, errors.Is(err, fs.ErrNotExist))
		}
	}
	assert.Equal(t, before, tree(t, filepath.Dir(good.ScriptPath)), "nothing was made")

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	n := 0
	for _, err := range store.ValidateAll(ctx, nil) {
		last = err
		n++
		cancel()
	}
	require.ErrorIs(t, last, context.Canceled)
	assert.Equal(t, 2, n)
}

// Each path is looked at once in a call: a directory that appears in between is not seen by some.
func TestValidateAllLooksOnce(t *testing.T) {
	t.Parallel()
	store := openStore(t, t.TempDir(), nil)
	s := onDisk(t)
	out := filepath.Join(t.TempDir(), "shared")
	s.OutputPaths = map[string]string{"data_output": out}
	for i := range 200 {
		s.ScriptName = fmt.Sprintf("s%03d", i)
		require.NoError(t, store.Save(s))
	}
	seen := 0
	for _, err := range store.ValidateAll(t.Context(), &scriptspec.ValidateOptions{CreateOutputs: true}) {
		require.NoError(t, err)
		if seen == 0 {
			require.NoError(t, os.Remove(out)) // made once, and not again
		}
		seen++
	}
	assert.Equal(t, 200, seen)
	assert.NoDirExists(t, out)
}

func TestAllIsOrderedUnderLoad(t *testing.T) {
	t.Parallel()
	store := openStore(t, t.TempDir(), nil)
	for i := range 500 {
		write(t, store.Path(fmt.Sprintf("s%03d", i)), strings.ReplaceAll(notedJSON, "tabular_preprocessing\"", fmt.Sprintf("s%03d\"", i)))
	}
	for range 25 {
		var names []string
		for s, err := range store.All() {
			require.NoError(t, err)
			names = append(names, s.Basic().ScriptName)
			runtime.Gosched()
		}
		require.Len(t, names, 500)
		require.True(t, slices.IsSorted(names))
	}
}
