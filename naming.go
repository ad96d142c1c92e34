package scriptspec

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/iancoleman/strcase"
)

const (
	specFileSuffix = "_runtime_test_spec.json"
	// maxScriptName keeps the file name within the 255 bytes that file systems take.
	maxScriptName = 255 - len(specFileSuffix)
)

// IsScriptName reports whether all of s is a script name: ^[a-z][a-z0-9_]*$.
func IsScriptName(s string) bool {
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	for _, c := range []byte(s) {
		if !isLower(c) && !isDigit(c) && c != '_' {
			return false
		}
	}
	return true
}

// IsStepName reports whether all of s is a step name as the design note has it:
// ^[A-Z][A-Za-z0-9]*(_[A-Za-z]+)?$. [ParseStepName] takes further job types.
func IsStepName(s string) bool {
	base, jobType, found := strings.Cut(s, "_")
	if !isStepBase(base) {
		return false
	}
	for _, c := range []byte(jobType) {
		if !isLower(c) && !isUpper(c) {
			return false
		}
	}
	return !found || jobType != ""
}

func isStepBase(s string) bool {
	return s != "" && isUpper(s[0]) && isAlnum(s)
}

func isAlnum(s string) bool {
	for _, c := range []byte(s) {
		if !isLower(c) && !isUpper(c) && !isDigit(c) {
			return false
		}
	}
	return true
}

func isASCII(s string) bool {
	for _, c := range []byte(s) {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func isLower(c byte) bool { return c >= 'a' && c <= 'z' }
func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }
func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// StepName is the parts of a DAG node name.
type StepName struct {
	Base    string // PascalCase: TabularPreprocessing
	JobType string // training, us_east_1; "" if there is none
}

// ParseStepName splits a node name at its first underscore. The base is PascalCase; the job type is any
// letters and digits, with single underscores between them. The error is a [*FieldError].
func ParseStepName(s string) (StepName, error) {
	base, jobType, found := strings.Cut(s, "_")
	ok := isStepBase(base)
	if found {
		for part := range strings.SplitSeq(jobType, "_") {
			ok = ok && part != "" && isAlnum(part)
		}
	}
	if !ok {
		return StepName{}, stepNameError("step_name", s)
	}
	return StepName{Base: base, JobType: jobType}, nil
}

// String returns the node name.
func (n StepName) String() string {
	if n.JobType == "" {
		return n.Base
	}
	return n.Base + "_" + n.JobType
}

// DefaultTerms returns the technical terms whose capitals are not word boundaries, each with its form
// in a script name. The caller owns the map.
func DefaultTerms() map[string]string {
	terms := make(map[string]string, len(defaultTerms))
	for _, term := range defaultTerms {
		terms[term] = strings.ToLower(term)
	}
	return terms
}

// Of two spellings ToPascalCase writes the first.
var defaultTerms = [...]string{
	"AutoML", "CatBoost", "HuggingFace", "LightGBM", "MLFlow", "MLflow", "PySpark", "PyTorch",
	"SageMaker", "TensorFlow", "XGBoost",
}

// ToSnakeCase returns the script name for a name: the technical terms as [DefaultTerms] has them,
// then the design note's two rules, then every run of separators (white space and ASCII
// punctuation other than slashes) as one underscore; a suffix .py is dropped. A valid script name is
// returned as it is. If the result is not a valid name ("3DModel", "Modèle", "a/b") it is "".
func ToSnakeCase(s string) string { return toSnakeCase(s, defaultReplacer) }

var defaultReplacer = newTermReplacer(DefaultTerms())

func toSnakeCase(s string, terms termReplacer) string {
	if IsScriptName(s) {
		return s
	}
	if !isASCII(s) {
		return "" // a look-alike such as the Kelvin sign must not become a letter
	}
	if len(s) > 3 && strings.EqualFold(s[len(s)-3:], ".py") {
		s = s[:len(s)-3]
	}
	s = terms.replace(s)
	s = acronymThenWord.ReplaceAllString(s, "${1}_${2}")
	s = wordThenCapital.ReplaceAllString(s, "${1}_${2}")
	s = strings.ToLower(s)
	if IsScriptName(s) {
		return s
	}
	s = strings.Trim(separators.ReplaceAllString(s, "_"), "_")
	if !IsScriptName(s) {
		return ""
	}
	return s
}

var (
	// The design note's two rules, in its order.
	acronymThenWord = regexp.MustCompile(`([A-Z]+)([A-Z][a-z])`)
	wordThenCapital = regexp.MustCompile(`([a-z\d])([A-Z])`)

	separators = regexp.MustCompile("[\\s_!-.:-@\\[\\]^`{-~]+")
)

// termReplacer rewrites terms so that the rules see one word.
type termReplacer struct {
	terms []string // longest first
	forms map[string]string
}

func newTermReplacer(terms map[string]string) termReplacer {
	list := slices.SortedFunc(maps.Keys(terms), func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	return termReplacer{terms: slices.DeleteFunc(list, func(t string) bool { return t == "" }), forms: terms}
}

// replace turns XGBoostTraining into XgboostTraining. A term must end where a word ends: LightGBM is
// found in LightGBMTraining but not in LightGBMs. One that ends in a capital goes on to where the next word
// begins: LightGBMMTTraining becomes LightgbmmtTraining.
func (r termReplacer) replace(s string) string {
	var b strings.Builder
scan:
	for i := 0; i < len(s); {
		for _, term := range r.terms {
			rest, found := strings.CutPrefix(s[i:], term)
			if !found || rest != "" && isLower(rest[0]) {
				continue
			}
			form := r.forms[term]
			if form == "" {
				continue
			}
			b.WriteString(strings.ToUpper(form[:1]) + form[1:])
			i += len(term)
			for isUpper(term[len(term)-1]) && r.isMidWord(s[i:]) {
				b.WriteByte(s[i] + 'a' - 'A')
				i++
			}
			continue scan
		}
		b.WriteByte(s[i])
		i++
	}
	return b.String()
}

// isMidWord reports whether the capital that rest begins with begins neither a word nor a term.
func (r termReplacer) isMidWord(rest string) bool {
	if rest == "" || !isUpper(rest[0]) || len(rest) > 1 && isLower(rest[1]) {
		return false
	}
	return !slices.ContainsFunc(r.terms, func(term string) bool { return strings.HasPrefix(rest, term) })
}

// ToPascalCase returns the step base for a name: each word of its snake_case form with a capital,
// technical terms in their own spelling: xgboost_training becomes XGBoostTraining. A name that is
// PascalCase already is returned as it is; if there is no valid base the result is "".
func ToPascalCase(s string) string {
	if isStepBase(s) {
		return s
	}
	var b strings.Builder
	for word := range strings.SplitSeq(ToSnakeCase(s), "_") {
		b.WriteString(pascalWord(word))
	}
	return b.String()
}

func pascalWord(word string) string {
	for _, term := range defaultTerms {
		if strings.ToLower(term) == word {
			return term
		}
	}
	return strcase.ToCamel(word)
}
