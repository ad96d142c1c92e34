package scriptspec_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/iancoleman/strcase"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

func TestIsScriptName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"tabular_preprocessing": true, "a": true, "s3_upload": true, "a_": true, "a__b": true,
		"": false, "A": false, "_a": false, "1a": false, "a-b": false, "a b": false, "a.py": false,
		"a\n": false, "a\x00": false, "é": false, "a\u0430": false, "\uff41": false,
	} {
		assert.Equal(t, want, scriptspec.IsScriptName(name), "%q", name)
	}
}

func TestIsStepName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"TabularPreprocessing_training": true, "XGBoostModelEval_evaluation": true, "Package": true, "A": true,
		"S3Upload": true, "A_B": true,
		"": false, "a": false, "tabular": false, "A_": false, "_A": false, "A_1": false, "A_b_c": false,
		"A-b": false, "A\n": false, "A_b\n": false, "Ä": false,
	} {
		assert.Equal(t, want, scriptspec.IsStepName(name), "%q", name)
	}
}

// The two predicates are the note's expressions, anchored to the whole text.
func TestPredicatesAreTheNotesExpressions(t *testing.T) {
	t.Parallel()
	script, step := regexp.MustCompile(`\A[a-z][a-z0-9_]*\z`), regexp.MustCompile(`\A[A-Z][A-Za-z0-9]*(_[A-Za-z]+)?\z`)
	alphabet := []string{"a", "z", "A", "Z", "0", "9", "_", "-", "\n", "é"}
	var words []string
	words = append(words, "")
	for range 4 {
		for _, w := range words[:len(words):len(words)] {
			for _, c := range alphabet {
				if len(w) < 5 {
					words = append(words, w+c)
				}
			}
		}
		if len(words) > 20000 {
			break
		}
	}
	for _, w := range words {
		require.Equal(t, script.MatchString(w), scriptspec.IsScriptName(w), "%q", w)
		require.Equal(t, step.MatchString(w), scriptspec.IsStepName(w), "%q", w)
	}
}

func TestToSnakeCase(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		// plain names: the note's two rules
		"TabularPreprocessing": "tabular_preprocessing",
		"ModelCalibration":     "model_calibration",
		"HTTPServer":           "http_server",
		"DataV2":               "data_v2",
		"S3Upload":             "s3_upload",
		"ABTest":               "ab_test",
		"PCA":                  "pca",
		"Foo_bar":              "foo_bar",
		"Foo__Bar":             "foo__bar",
		"lowerCamel":           "lower_camel",
		// terms
		"XGBoostTraining":    "xgboost_training",
		"XGBoostModelEval":   "xgboost_model_eval",
		"XGBoost":            "xgboost",
		"LightGBMTraining":   "lightgbm_training",
		"PyTorchInference":   "pytorch_inference",
		"MLFlowTracking":     "mlflow_tracking",
		"MLflowTracking":     "mlflow_tracking",
		"TensorFlowModel":    "tensorflow_model",
		"SageMakerJob":       "sagemaker_job",
		"MyAutoMLRun":        "my_automl_run",
		"LightGBMMT":         "lightgbmmt",
		"LightGBMMTTraining": "lightgbmmt_training",
		"AutoMLXGBoostEval":  "automl_xgboost_eval",
		"PyTorchs":           "py_torchs", // a longer word is not the term
		// separators
		"my-script.py":    "my_script",
		"data set v2":     "data_set_v2",
		"My Script.PY":    "my_script",
		"a - b":           "a_b",
		"(draft) Model!":  "draft_model",
		"model.v2":        "model_v2",
		"_Private":        "private",
		"train\ttest\n":   "train_test",
		"XGBoost-trainer": "xgboost_trainer",
		// valid names stay
		"xgboost_training": "xgboost_training",
		"a__b_":            "a__b_",
		// nothing valid can be made
		"": "", "3DModel": "", "___": "", "!": "", ".py": "py", "a/b": "", `a\b`: "", "../x": "",
		"Modèle": "", "\u212aernel": "", "a\x00b": "", "\xff": "",
	} {
		assert.Equal(t, want, scriptspec.ToSnakeCase(name), "%q", name)
	}
}

// The note's function, spelled out again, decides what a plain name becomes.
func TestToSnakeCaseIsTheNotesOnPlainNames(t *testing.T) {
	t.Parallel()
	first, second := regexp.MustCompile(`([A-Z]+)([A-Z][a-z])`), regexp.MustCompile(`([a-z\d])([A-Z])`)
	note := func(s string) string {
		return strings.ToLower(second.ReplaceAllString(first.ReplaceAllString(s, "${1}_${2}"), "${1}_${2}"))
	}
	parts := []string{"Data", "Model", "X", "AB", "V2", "s3", "Eval", "HTTP", "a", "_", "9"}
	terms := scriptspec.DefaultTerms()
	for _, a := range parts {
		for _, b := range parts {
			for _, c := range parts {
				name := a + b + c
				if _, isTerm := terms[name]; isTerm || !scriptspec.IsScriptName(note(name)) {
					continue
				}
				require.Equal(t, note(name), scriptspec.ToSnakeCase(name), name)
			}
		}
	}
}

func TestToPascalCase(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"tabular_preprocessing":    "TabularPreprocessing",
		"xgboost_training":         "XGBoostTraining",
		"xgboost_model_evaluation": "XGBoostModelEvaluation",
		"mlflow_tracking":          "MLFlowTracking",
		"s3_upload":                "S3Upload",
		"data_v2":                  "DataV2",
		"a__b_":                    "AB",
		"my-script.py":             "MyScript",
		"TabularPreprocessing":     "TabularPreprocessing",
		"XGBoostTraining":          "XGBoostTraining",
		"3d":                       "",
		"":                         "",
	} {
		got := scriptspec.ToPascalCase(name)
		assert.Equal(t, want, got, "%q", name)
		assert.True(t, got == "" || scriptspec.IsStepName(got), "%q", got)
	}
}

func TestParseStepName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]scriptspec.StepName{
		"TabularPreprocessing_training":      {Base: "TabularPreprocessing", JobType: "training"},
		"Package":                            {Base: "Package"},
		"Registration_us_east_1":             {Base: "Registration", JobType: "us_east_1"},
		"TabularPreprocessing_ssl_selection": {Base: "TabularPreprocessing", JobType: "ssl_selection"},
		"XGBoostTraining_training_v2":        {Base: "XGBoostTraining", JobType: "training_v2"},
	} {
		got, err := scriptspec.ParseStepName(name)
		require.NoError(t, err, name)
		assert.Equal(t, want, got)
		assert.Equal(t, name, got.String())
	}
	for _, name := range []string{"", "_x", "x", "tabular_preprocessing", "A_", "A__b", "A_b_", "A_b-c", "A b", "A\n", "A_é", "A/b", "A_../x"} {
		_, err := scriptspec.ParseStepName(name)
		var fe *scriptspec.FieldError
		require.ErrorAs(t, err, &fe, "%q", name)
		assert.Equal(t, scriptspec.CodeFormat, fe.Code)
	}
}

func TestDefaultTermsAreTheCallers(t *testing.T) {
	t.Parallel()
	terms := scriptspec.DefaultTerms()
	for _, term := range []string{"XGBoost", "LightGBM", "PyTorch", "MLFlow", "TensorFlow", "SageMaker", "AutoML"} {
		assert.Equal(t, strings.ToLower(term), terms[term])
	}
	clear(terms)
	assert.NotEmpty(t, scriptspec.DefaultTerms())
	assert.Equal(t, "xgboost", scriptspec.ToSnakeCase("XGBoost"))
}

// What is relied on of strcase: one lower-case word in, the same word with a capital out.
func TestStrcaseKeepsItsWord(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{"tabular": "Tabular", "s3": "S3", "v2": "V2", "2x": "2X", "a": "A", "": ""} {
		assert.Equal(t, want, strcase.ToCamel(word), word)
	}
}
