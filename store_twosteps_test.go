package scriptspec_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// Two steps with one script and job type keep a spec each, whichever is saved first.
func TestStoreStepsOfOneJobType(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store := openStore(t, dir, nil)
	champion, challenger := named("model_eval", "ChampionEval_validation"), named("model_eval", "ChallengerEval_validation")
	challenger.AddJobArg("x", 1)
	require.NoError(t, store.SaveStep(champion))
	require.NoError(t, store.SaveStep(challenger))
	short := filepath.Join(dir, ".specs", "model_eval.validation_runtime_test_spec.json")
	long := filepath.Join(dir, ".specs", "model_eval.challenger_eval.validation_runtime_test_spec.json")
	assert.Equal(t, short, store.StepPath("ChampionEval_validation", "model_eval"))
	assert.Equal(t, long, store.StepPath("ChallengerEval_validation", "model_eval"))
	for _, want := range []*scriptspec.ScriptExecutionSpec{champion, challenger} {
		got, err := store.LoadStep(want.StepName, "model_eval")
		require.NoError(t, err)
		assert.True(t, want.Equal(got), want.StepName)
		enhanced, err := store.LoadEnhancedStep(want.StepName, "model_eval")
		require.NoError(t, err)
		assert.Equal(t, want.StepName, enhanced.StepName)
		require.NoError(t, store.SaveStep(want))
	}
	_, err := store.LoadStep("OtherEval_validation", "model_eval")
	require.ErrorIs(t, err, fs.ErrNotExist, "that is another step's")
	var listed []string
	for s, err := range store.All() {
		require.NoError(t, err)
		listed = append(listed, s.Basic().StepName)
	}
	assert.Equal(t, []string{"ChallengerEval_validation", "ChampionEval_validation"}, listed)

	require.NoError(t, store.UpdateStep(t.Context(), challenger.StepName, "model_eval", func(s *scriptspec.ScriptExecutionSpec) error {
		s.AddJobArg("x", 2)
		return nil
	}))
	got, err := store.LoadStep(challenger.StepName, "model_eval")
	require.NoError(t, err)
	assert.Equal(t, jsonNumber("2"), got.JobArgs["x"])
	err = store.UpdateStep(t.Context(), challenger.StepName, "model_eval", func(s *scriptspec.ScriptExecutionSpec) error {
		s.StepName = "Stolen_validation"
		return nil
	})
	require.ErrorIs(t, err, scriptspec.ErrMismatch)

	require.NoError(t, store.DeleteStep(champion.StepName, "model_eval"))
	assert.NoFileExists(t, short)
	assert.FileExists(t, long)
	assert.Equal(t, long, store.StepPath(challenger.StepName, "model_eval"), "it stays where it is")
	require.ErrorIs(t, store.DeleteStep(champion.StepName, "model_eval"), fs.ErrNotExist)
	require.ErrorIs(t, store.UpdateStep(t.Context(), "NoEval_validation", "model_eval", nil), fs.ErrNotExist)
	assert.Empty(t, store.StepPath("bad", "model_eval"))
}

// A step without a job type does not take the file of another.
func TestStoreStepsWithoutJobType(t *testing.T) {
	t.Parallel()
	store := openStore(t, t.TempDir(), nil)
	a, b := named("model_eval", "ChampionEval"), named("model_eval", "ChallengerEval")
	b.AddJobArg("x", 1)
	require.NoError(t, store.SaveStep(a))
	require.NoError(t, store.SaveStep(b))
	for _, want := range []*scriptspec.ScriptExecutionSpec{a, b} {
		got, err := store.LoadStep(want.StepName, "model_eval")
		require.NoError(t, err)
		assert.True(t, want.Equal(got), want.StepName)
	}
	got, err := store.LoadStep("ThirdEval", "model_eval")
	require.NoError(t, err)
	assert.NotContains(t, got.JobArgs, "x", "the script's file serves steps without one")
}

// Names that come to the same file are told apart, or refused by name.
func TestStoreStepsThatCollide(t *testing.T) {
	t.Parallel()
	store := openStore(t, t.TempDir(), nil)
	require.NoError(t, store.SaveStep(named("s", "First_a")))
	require.NoError(t, store.SaveStep(named("s", "XGBoostEval_a")))
	err := store.SaveStep(named("s", "XgboostEval_a"))
	require.ErrorIs(t, err, scriptspec.ErrMismatch)
	assert.ErrorContains(t, err, "holds the spec of step First_a, not of XgboostEval_a")
	got, err := store.LoadStep("XGBoostEval_a", "s")
	require.NoError(t, err)
	assert.Equal(t, "XGBoostEval_a", got.StepName)
}

// A step's file that was copied to the name of another step is not that step's.
func TestStoreStepFileIsCopied(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store := openStore(t, dir, nil)
	require.NoError(t, store.SaveStep(named("prep", "Prep_training")))
	data, err := os.ReadFile(store.StepPath("Prep_training", "prep"))
	require.NoError(t, err)
	write(t, filepath.Join(dir, ".specs", "prep.validation_runtime_test_spec.json"), string(data))
	_, err = store.LoadStep("Prep_validation", "prep")
	require.ErrorIs(t, err, scriptspec.ErrMismatch)
	assert.ErrorContains(t, err, "holds the spec of step Prep_training, not of Prep_validation")
}

// However many save at once, no step loses its spec.
func TestStoreStepsAtTheSameTime(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for round := range 20 {
		script := "s" + string(rune('a'+round))
		steps := []string{"First_a", "Second_a", "Third_a"}
		var group sync.WaitGroup
		for _, step := range steps {
			store := openStore(t, dir, nil) // one for each, as in processes of their own
			group.Go(func() { assert.NoError(t, store.SaveStep(named(script, step))) })
		}
		group.Wait()
		for _, step := range steps {
			got, err := openStore(t, dir, nil).LoadStep(step, script)
			require.NoError(t, err)
			assert.Equal(t, step, got.StepName)
		}
	}
}

// A spec that says what its file says keeps the file's time.
func TestSaveDoesNotRestamp(t *testing.T) {
	t.Parallel()
	store := openStore(t, t.TempDir(), nil)
	require.NoError(t, store.Save(noted()))
	s, err := store.Load("tabular_preprocessing")
	require.NoError(t, err)
	s.AddEnvironVar("CURSUS_ENV", "testing")
	require.False(t, s.UpdatedAt.Equal(noted().UpdatedAt))
	require.NoError(t, store.Save(s))
	again, err := store.Load("tabular_preprocessing")
	require.NoError(t, err)
	assert.True(t, again.UpdatedAt.Equal(noted().UpdatedAt))
	s.AddEnvironVar("CURSUS_ENV", "other")
	require.NoError(t, store.Save(s))
	again, err = store.Load("tabular_preprocessing")
	require.NoError(t, err)
	assert.True(t, again.UpdatedAt.Equal(s.UpdatedAt))
}
