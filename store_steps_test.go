package scriptspec_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// named is the noted spec under other names.
func named(script, step string) *scriptspec.ScriptExecutionSpec {
	s := noted()
	s.ScriptName, s.StepName = script, step
	return s
}

// Two nodes of one script keep a spec each.
func TestStoreSteps(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store := openStore(t, dir, nil)
	training, calibration := named("prep", "Prep_training"), named("prep", "Prep_us_east_1")
	calibration.AddJobArg("x", 1)
	require.NoError(t, store.SaveStep(training))
	require.NoError(t, store.SaveStep(calibration))
	assert.FileExists(t, filepath.Join(dir, ".specs", "prep.training_runtime_test_spec.json"))
	assert.FileExists(t, filepath.Join(dir, ".specs", "prep.us_east_1_runtime_test_spec.json"))
	for _, want := range []*scriptspec.ScriptExecutionSpec{training, calibration} {
		got, err := store.LoadStep(want.StepName, "prep")
		require.NoError(t, err)
		assert.True(t, want.Equal(got), want.StepName)
	}
	_, err := store.Load("prep")
	require.ErrorIs(t, err, fs.ErrNotExist, "the script's own file is another")

	// A step without a file gets the script's, under its own name.
	require.NoError(t, store.Save(named("prep", "Prep")))
	got, err := store.LoadStep("Prep_testing", "prep")
	require.NoError(t, err)
	assert.True(t, named("prep", "Prep_testing").Equal(got))
	again, err := store.Load("prep")
	require.NoError(t, err)
	assert.Equal(t, "Prep", again.StepName, "what is kept is not what was handed out")

	require.NoError(t, store.SaveStep(named("other", "Other")), "without a job type it is the script's file")
	_, err = store.Load("other")
	require.NoError(t, err)
	require.NoError(t, store.SaveStep(scriptspec.Enhance(named("rich", "Rich_a"), nil)))
	_, err = store.LoadStep("Rich_a", "rich")
	require.ErrorIs(t, err, scriptspec.ErrEnhanced)
}

func TestStoreStepsRefuseNames(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store := openStore(t, dir, nil)
	require.NoError(t, store.Save(noted()))
	before := tree(t, dir)
	for step, script := range map[string]string{
		"Prep_Training": "prep", "Prep_": "prep", "prep": "prep", "Prep_a/b": "prep", "Prep_..": "prep",
		"Prep_a": "../prep", "Prep_b": "", "Prep_" + strings.Repeat("j", 200): strings.Repeat("s", 50),
	} {
		err := store.SaveStep(named(script, step))
		_, ok := errors.AsType[*scriptspec.FieldError](err)
		require.True(t, ok, "%s %s: %v", step, script, err)
		if step != "Prep_Training" { // which may be read from the script's file
			_, err = store.LoadStep(step, script)
			require.Error(t, err, "%s %s", step, script)
		}
	}
	require.Error(t, store.SaveStep(nil))
	assert.Equal(t, before, tree(t, dir))
}

// What says the same is not written: no new time, no new inode.
func TestSaveOfTheSameTouchesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store := openStore(t, dir, nil)
	require.NoError(t, store.Save(noted()))
	path := store.Path("tabular_preprocessing")
	// As a Python program might have laid it out.
	write(t, path, strings.NewReplacer("  ", " ", "0.2", "0.2 ", ".123456+00:00", ".123456Z").Replace(notedJSON))
	past := time.Now().Add(-time.Hour)
	require.NoError(t, os.Chtimes(path, past, past))
	before := tree(t, dir)
	loaded, err := store.Load("tabular_preprocessing")
	require.NoError(t, err)
	require.NoError(t, store.Save(loaded))
	require.NoError(t, loaded.Save(path))
	require.NoError(t, store.Update(t.Context(), "tabular_preprocessing", func(*scriptspec.ScriptExecutionSpec) error { return nil }))
	assert.Equal(t, before, tree(t, dir)[:len(before)])

	loaded.AddJobArg("x", 1)
	require.NoError(t, store.Save(loaded))
	assert.NotEqual(t, before, tree(t, dir))
	require.NoError(t, store.Save(scriptspec.Enhance(loaded, nil)))
	_, err = store.Load("tabular_preprocessing")
	require.ErrorIs(t, err, scriptspec.ErrEnhanced, "the other kind is a change")
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	store := openStore(t, t.TempDir(), nil)
	add := func(s *scriptspec.ScriptExecutionSpec) error { s.JobArgs["x"] = 1; return nil }
	require.ErrorIs(t, store.Update(t.Context(), "tabular_preprocessing", add), fs.ErrNotExist)
	require.NoError(t, store.Save(noted()))
	require.NoError(t, store.Update(t.Context(), "tabular_preprocessing", add))
	got, err := store.Load("tabular_preprocessing")
	require.NoError(t, err)
	assert.Equal(t, jsonNumber("1"), got.JobArgs["x"])
	assert.True(t, got.UpdatedAt.After(noted().UpdatedAt.Time), "stamped")

	refused := errors.New("refused")
	for name, change := range map[string]func(s *scriptspec.ScriptExecutionSpec){
		"error":   func(s *scriptspec.ScriptExecutionSpec) { s.JobArgs["x"] = 2 },
		"channel": func(s *scriptspec.ScriptExecutionSpec) { s.JobArgs["x"] = make(chan int) },
		"name":    func(s *scriptspec.ScriptExecutionSpec) { s.ScriptName = "other" },
	} {
		err := store.Update(t.Context(), "tabular_preprocessing", func(s *scriptspec.ScriptExecutionSpec) error {
			change(s)
			if name == "error" {
				return refused
			}
			return nil
		})
		require.Error(t, err, name)
		assert.Equal(t, name == "error", errors.Is(err, refused), name)
		again, err := store.Load("tabular_preprocessing")
		require.NoError(t, err)
		assert.True(t, got.Equal(again), name)
	}
	require.Error(t, store.Update(t.Context(), "../x", add))

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, store.Update(ctx, "tabular_preprocessing", add), scriptspec.ErrLocked)
}

// Saving to the store from inside of Update waits for itself; it ends in an error.
func TestUpdateDoesNotHang(t *testing.T) {
	t.Parallel()
	store := openStore(t, t.TempDir(), &scriptspec.StoreOptions{LockTimeout: 10 * time.Millisecond})
	require.NoError(t, store.Save(noted()))
	err := store.Update(t.Context(), "tabular_preprocessing", func(s *scriptspec.ScriptExecutionSpec) error {
		s.AddJobArg("x", 1)
		return store.Save(s)
	})
	require.ErrorIs(t, err, scriptspec.ErrLocked)
	require.NoError(t, store.Update(t.Context(), "tabular_preprocessing", func(s *scriptspec.ScriptExecutionSpec) error {
		s.AddJobArg("x", 1)
		return nil
	}))
}

func TestDelete(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store := openStore(t, dir, nil)
	require.ErrorIs(t, store.Delete("tabular_preprocessing"), fs.ErrNotExist)
	assert.NoDirExists(t, filepath.Join(dir, ".specs"))
	require.NoError(t, store.Save(noted()))
	require.NoError(t, store.Delete("tabular_preprocessing"))
	_, err := store.Load("tabular_preprocessing")
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorIs(t, store.Delete("tabular_preprocessing"), fs.ErrNotExist)
	require.Error(t, store.Delete("../x"))
}

// A store that is open follows its directory.
func TestStoreDirectoryReplaced(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store := openStore(t, dir, nil)
	require.NoError(t, store.Save(noted()))
	specs := filepath.Join(dir, ".specs")
	require.NoError(t, os.Rename(specs, filepath.Join(dir, "moved")))
	_, err := store.Load("tabular_preprocessing")
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NoError(t, store.Save(named("other", "Other")))
	assert.FileExists(t, filepath.Join(specs, "other_runtime_test_spec.json"))
	assert.NoFileExists(t, filepath.Join(dir, "moved", "other_runtime_test_spec.json"))
}

// Leftovers of killed processes go after an hour; everything else stays.
func TestStoreSweeps(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, openStore(t, dir, nil).Save(noted()))
	old := time.Now().Add(-2 * time.Hour)
	for _, name := range []string{".scriptspec-OLD.tmp", "README", "x_runtime_test_spec.json~", ".gitignore"} {
		path := filepath.Join(dir, ".specs", name)
		write(t, path, "")
		require.NoError(t, os.Chtimes(path, old, old))
	}
	require.NoError(t, openStore(t, dir, nil).Save(named("other", "Other")))
	entries, err := os.ReadDir(filepath.Join(dir, ".specs"))
	require.NoError(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	assert.Equal(t, []string{".gitignore", "README", "other_runtime_test_spec.json", "tabular_preprocessing_runtime_test_spec.json", "x_runtime_test_spec.json~"}, names)
}

// The store keeps what it loaded, and notices every way in which a file can change.
func TestStoreNoticesChanges(t *testing.T) {
	t.Parallel()
	store := openStore(t, t.TempDir(), nil)
	require.NoError(t, store.Save(noted()))
	path := store.Path("tabular_preprocessing")
	for i := range 50 {
		want := noted()
		want.ScriptPath = fmt.Sprintf("/%02d.py", i)
		text := encode(t, want)
		switch i % 3 {
		case 0:
			require.NoError(t, store.Save(want))
		case 1: // in place, same size, as Python's open(path, "w") does
			write(t, path, text)
		case 2: // in place, with the old time put back
			info, err := os.Stat(path)
			require.NoError(t, err)
			write(t, path, text)
			require.NoError(t, os.Chtimes(path, info.ModTime(), info.ModTime()))
		}
		got, err := store.Load("tabular_preprocessing")
		require.NoError(t, err)
		require.True(t, want.Equal(got), "change %d", i)
		got.InputPaths["config"] = "changed by the caller"
		again, err := store.Load("tabular_preprocessing")
		require.NoError(t, err)
		require.True(t, want.Equal(again), "a copy was handed out")
	}
}

const (
	counterDir = "SCRIPTSPEC_TEST_COUNTER_DIR"
	counterN   = 20
)

// count is what each of several processes does that count in one spec; see TestMain.
func count(dir string) error {
	store, err := scriptspec.OpenStore(dir, &scriptspec.StoreOptions{LockTimeout: 5 * time.Minute})
	if err != nil {
		return err
	}
	defer store.Close()
	if err := store.Save(named("p"+strconv.Itoa(os.Getpid()), "P")); err != nil {
		return err
	}
	for range counterN {
		err := store.Update(context.Background(), "counter", func(s *scriptspec.ScriptExecutionSpec) error {
			n, err := scriptspec.JobArg[int](s.JobArgs, "n")
			s.JobArgs["n"] = n + 1
			return err
		})
		if err != nil {
			return err
		}
		for s, err := range store.All() { // torn or vanished files would show here
			if err != nil {
				return err
			}
			if err := s.Validate(); err != nil {
				return err
			}
		}
	}
	return nil
}

// 8 processes with goroutines of their own save, list and count in one store: none tears a file, and
// no step of the counter is lost.
func TestProcessesAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store := openStore(t, dir, &scriptspec.StoreOptions{LockTimeout: 5 * time.Minute})
	start := named("counter", "Counter")
	start.JobArgs = scriptspec.JobArgs{"n": 0}
	require.NoError(t, store.Save(start))
	const processes = 8
	var group sync.WaitGroup
	for range processes {
		group.Go(func() {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), counterDir+"="+dir)
			out, err := cmd.CombinedOutput()
			assert.NoError(t, err, "%s", out)
		})
	}
	for range 2 {
		group.Go(func() { assert.NoError(t, count(dir)) })
	}
	group.Wait()
	got, err := store.Load("counter")
	require.NoError(t, err)
	n, err := scriptspec.JobArg[int](got.JobArgs, "n")
	require.NoError(t, err)
	assert.Equal(t, (processes+2)*counterN, n)
}
