package scriptspec_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

func FuzzToSnakeCase(f *testing.F) {
	for _, seed := range []string{
		"", "TabularPreprocessing", "XGBoostModelEval", "my-script.py", "data set v2", "3DModel", "../x", "a__b_",
		"MLflowTracking", "\u212aernel", "\xff", "A\n", "LightGBMMT",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		got := scriptspec.ToSnakeCase(name)
		require.True(t, got == "" || scriptspec.IsScriptName(got), "%q", got)
		require.Equal(t, got, scriptspec.ToSnakeCase(got), "idempotent")
		if scriptspec.IsScriptName(name) {
			require.Equal(t, name, got, "a valid name stays")
		}
		pascal := scriptspec.ToPascalCase(name)
		require.True(t, pascal == "" || scriptspec.IsStepName(pascal), "%q", pascal)
		require.Equal(t, pascal, scriptspec.ToPascalCase(pascal), "idempotent")
	})
}

func FuzzParseStepName(f *testing.F) {
	for _, seed := range []string{
		"", "Package", "TabularPreprocessing_training", "Registration_us_east_1", "A_", "A__b", "A_b_", "a_b", "A\n", "Ä_b",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		n, err := scriptspec.ParseStepName(name)
		if err != nil {
			require.Empty(t, n)
			require.False(t, scriptspec.IsStepName(name), "every name of the note's rule can be parsed")
			require.Equal(t, 1, strings.Count(err.Error()+"\n", "\n"), "one line")
			return
		}
		require.Equal(t, name, n.String())
		require.True(t, scriptspec.IsStepName(n.Base))
		require.NotContains(t, n.Base, "_")
		require.NotContains(t, name, "/")
	})
}

func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob("testdata/python/*.json")
	require.NoError(f, err)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(data)
	}
	f.Add([]byte(notedJSON))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := scriptspec.Decode(bytes.NewReader(data), &scriptspec.DecodeOptions{File: "f"})
		if err != nil {
			require.Nil(t, s)
			require.Less(t, len(err.Error()), 1<<20)
			de, ok := errors.AsType[*scriptspec.DecodeError](err)
			require.True(t, ok)
			require.LessOrEqual(t, de.Line, 1+bytes.Count(data, []byte("\n")), "a line of the file")
			require.Positive(t, de.Column)
			return
		}
		var first, second bytes.Buffer
		if err := scriptspec.Encode(&first, s); err != nil {
			_, ok := errors.AsType[*scriptspec.ValidationError](err)
			require.True(t, ok, "refused by name: %v", err)
			return
		}
		again, err := scriptspec.Decode(bytes.NewReader(first.Bytes()), nil)
		require.NoError(t, err, first.String())
		require.NoError(t, scriptspec.Encode(&second, again))
		require.Equal(t, first.String(), second.String(), "encoding is idempotent")
		require.True(t, s.Basic().Equal(again.Basic()), "and loses nothing")
	})
}
