package scriptspec_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

func openStore(t *testing.T, dir string, o *scriptspec.StoreOptions) *scriptspec.Store {
	t.Helper()
	store, err := scriptspec.OpenStore(dir, o)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, store.Close()) })
	return store
}

func TestStore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store := openStore(t, dir, nil)
	_, err := store.Load("tabular_preprocessing")
	require.ErrorIs(t, err, fs.ErrNotExist)
	assert.NoDirExists(t, filepath.Join(dir, ".specs"), "loading creates nothing")

	require.NoError(t, store.Save(noted()))
	path := filepath.Join(dir, ".specs", "tabular_preprocessing_runtime_test_spec.json")
	assert.Equal(t, path, store.Path("tabular_preprocessing"))
	loaded, err := store.Load("tabular_preprocessing")
	require.NoError(t, err)
	assert.True(t, noted().Equal(loaded))
	again, err := scriptspec.Load(path)
	require.NoError(t, err)
	assert.True(t, loaded.Equal(again))

	for path, mode := range map[string]fs.FileMode{path: 0o600, filepath.Dir(path): 0o700 | fs.ModeDir} {
		info, err := os.Stat(path)
		require.NoError(t, err)
		assert.Equal(t, mode, info.Mode(), path)
	}

	require.NoError(t, store.Save(notedEnhanced()))
	_, err = store.Load("tabular_preprocessing")
	require.ErrorIs(t, err, scriptspec.ErrEnhanced)
	enhanced, err := store.LoadEnhanced("tabular_preprocessing")
	require.NoError(t, err)
	assert.True(t, notedEnhanced().Equal(enhanced))
}

func TestStoreModes(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "made", "by", "the", "first", "save")
	store := openStore(t, dir, &scriptspec.StoreOptions{FileMode: 0o640, DirMode: 0o750})
	require.NoError(t, store.Save(noted()))
	info, err := os.Stat(store.Path("tabular_preprocessing"))
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o640), info.Mode())
	info, err = os.Stat(filepath.Join(dir, ".specs"))
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o750), info.Mode().Perm())
}

func TestStoreRefusesNames(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store := openStore(t, filepath.Join(dir, "data"), nil)
	require.NoError(t, store.Save(noted()))
	before := tree(t, dir)
	for _, name := range []string{"", "../x", "/x", "a/b", "..", ".", "a\x00", "a\n", "A", "d\u0430ta", "\uff44ata", "x\u202e", strings.Repeat("a", 233)} {
		s := noted()
		s.ScriptName = name
		require.Error(t, store.Save(s), "%q", name)
		_, err := store.Load(name)
		require.Error(t, err, "%q", name)
		_, err = store.LoadEnhanced(name)
		require.Error(t, err, "%q", name)
		assert.Empty(t, store.Path(name), "%q", name)
	}
	assert.Equal(t, before, tree(t, dir))

	long := noted()
	long.ScriptName = strings.Repeat("a", 232)
	require.NoError(t, store.Save(long), "the longest name that file systems take")
	_, err := store.Load(long.ScriptName)
	require.NoError(t, err)
}

func TestStoreMismatch(t *testing.T) {
	t.Parallel()
	store := openStore(t, t.TempDir(), nil)
	require.NoError(t, store.Save(noted()))
	require.NoError(t, os.Rename(store.Path("tabular_preprocessing"), store.Path("other")))
	_, err := store.Load("other")
	require.ErrorIs(t, err, scriptspec.ErrMismatch)
	assert.ErrorContains(t, err, store.Path("other"))
	assert.ErrorContains(t, err, "tabular_preprocessing")
}

func TestStoreStaysInside(t *testing.T) {
	t.Parallel()
	outside := t.TempDir()
	for name, make := range map[string]func(specs string) error{
		"file":          func(specs string) error { return os.WriteFile(specs, nil, 0o600) },
		"link out":      func(specs string) error { return os.Symlink(outside, specs) },
		"relative link": func(specs string) error { return os.Symlink("..", specs) },
		"dangling link": func(specs string) error { return os.Symlink(filepath.Join(outside, "made"), specs) },
		"loop":          func(specs string) error { return os.Symlink(".specs", specs) },
	} {
		dir := t.TempDir()
		require.NoError(t, make(filepath.Join(dir, ".specs")), name)
		_, err := scriptspec.OpenStore(dir, nil)
		require.Error(t, err, name)

		// The same where .specs turns bad after the store was opened.
		dir = t.TempDir()
		store := openStore(t, dir, nil)
		require.NoError(t, make(filepath.Join(dir, ".specs")), name)
		require.Error(t, store.Save(noted()), name)
		_, err = store.Load("tabular_preprocessing")
		require.Error(t, err, name)
	}
	entries, err := os.ReadDir(outside)
	require.NoError(t, err)
	assert.Empty(t, entries)
}

func TestStoreReplacesALinkedFile(t *testing.T) {
	t.Parallel()
	outside := filepath.Join(t.TempDir(), "outside.json")
	write(t, outside, notedJSON)
	store := openStore(t, t.TempDir(), nil)
	other := noted()
	other.ScriptName = "other"
	require.NoError(t, store.Save(other))
	for _, target := range []string{outside, "other_runtime_test_spec.json"} {
		path := store.Path("tabular_preprocessing")
		require.NoError(t, os.RemoveAll(path))
		require.NoError(t, os.Symlink(target, path))
		_, err := store.Load("tabular_preprocessing")
		require.Error(t, err, "a link is not followed")
		changed := noted()
		changed.ScriptPath = "changed.py"
		require.NoError(t, store.Save(changed))
		loaded, err := store.Load("tabular_preprocessing")
		require.NoError(t, err)
		assert.True(t, changed.Equal(loaded))
	}
	data, err := os.ReadFile(outside)
	require.NoError(t, err)
	assert.Equal(t, notedJSON, string(data))
	loaded, err := store.Load("other")
	require.NoError(t, err)
	assert.True(t, other.Equal(loaded))
}

// The first save of several at once makes the directory for all.
func TestStoreFirstSaveAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var savers sync.WaitGroup
	for range 8 {
		savers.Go(func() {
			store, err := scriptspec.OpenStore(dir, nil)
			if assert.NoError(t, err) {
				assert.NoError(t, store.Save(noted()))
				assert.NoError(t, store.Close())
			}
		})
	}
	savers.Wait()
	entries, err := os.ReadDir(filepath.Join(dir, ".specs"))
	require.NoError(t, err)
	assert.Len(t, entries, 1)
}

func TestStoreClosed(t *testing.T) {
	t.Parallel()
	store, err := scriptspec.OpenStore(t.TempDir(), nil)
	require.NoError(t, err)
	require.NoError(t, store.Save(noted()))
	require.NoError(t, store.Close())
	require.NoError(t, store.Close(), "twice is fine")
	require.ErrorIs(t, store.Save(noted()), fs.ErrClosed)
	_, err = store.Load("tabular_preprocessing")
	require.ErrorIs(t, err, fs.ErrClosed)
}

// A name that no file has is answered with the one that is probably meant.
func TestStoreSuggestsNames(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	st := openStore(t, dir, nil)
	require.NoError(t, st.Save(scriptspec.New("model_training", "ModelTraining_training", "x.py")))
	require.NoError(t, st.SavePipeline(&scriptspec.PipelineTestingSpec{Name: "fraud", DAG: &scriptspec.DAG{Nodes: []string{"A"}}}))
	ctx := t.Context()
	keep := func(*scriptspec.ScriptExecutionSpec) error { return nil }
	for name, err := range map[string]error{
		"Load":             func() error { _, err := st.Load("model_trainin"); return err }(),
		"LoadEnhanced":     func() error { _, err := st.LoadEnhanced("model_trainin"); return err }(),
		"LoadStep":         func() error { _, err := st.LoadStep("ModelTrainin_training", "model_trainin"); return err }(),
		"LoadEnhancedStep": func() error { _, err := st.LoadEnhancedStep("ModelTrainin_training", "model_trainin"); return err }(),
		"Update":           st.Update(ctx, "model_trainin", keep),
		"Delete":           st.Delete("model_trainin"),
	} {
		require.ErrorIs(t, err, fs.ErrNotExist, name)
		assert.Contains(t, err.Error(), " (did you mean model_training?)", name)
	}
	_, err := st.LoadPipeline("fraudd")
	require.ErrorIs(t, err, fs.ErrNotExist)
	assert.Contains(t, err.Error(), " (did you mean fraud?)")
	_, err = st.Load("something_else")
	require.ErrorIs(t, err, fs.ErrNotExist)
	assert.NotContains(t, err.Error(), "did you mean")

	require.NoError(t, st.SavePipeline(&scriptspec.PipelineTestingSpec{
		Name: "fraud", DAG: &scriptspec.DAG{Nodes: []string{"A"}}, Refs: map[string]string{"A": "model_trainin"},
	}))
	_, err = st.LoadPipeline("fraud")
	assert.ErrorContains(t, err, "(did you mean model_training?)")

	lines := recorded(t, st, &scriptspec.HarnessOptions{Only: []string{"ModelTrainin_training"}})
	require.Len(t, lines, 1)
	assert.Contains(t, lines[0], "ModelTrainin_training (did you mean ModelTraining_training?)")
}

// What is saved and no run takes is told to who asks to hear of it.
func TestStoreWarns(t *testing.T) {
	t.Parallel()
	var heard []string
	dir := t.TempDir()
	st := openStore(t, dir, &scriptspec.StoreOptions{Warn: func(file string, problem *scriptspec.FieldError) {
		assert.Equal(t, scriptspec.CodeNotLocal, problem.Code)
		heard = append(heard, filepath.Base(file)+" "+problem.Path)
	}})
	s := scriptspec.New("train", "Train_training", "train.py")
	require.NoError(t, st.Save(s))
	assert.Empty(t, heard)
	s.AddInputPath("data", "s3://bucket/x")
	s.AddOutputPath("out", "~/out")
	require.NoError(t, st.Save(s))
	require.NoError(t, st.SaveStep(s))
	assert.Equal(t, []string{
		`train_runtime_test_spec.json input_paths["data"]`, `train_runtime_test_spec.json output_paths["out"]`,
		`train.training_runtime_test_spec.json input_paths["data"]`, `train.training_runtime_test_spec.json output_paths["out"]`,
	}, heard)
	s.ScriptName = "not a name"
	heard = nil
	require.Error(t, st.Save(s))
	assert.Empty(t, heard)
}
