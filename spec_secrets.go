package scriptspec

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// secretWords are what the name of a job argument has in it, as whole words, if its value is a secret.
var secretWords = []string{
	"password", "passwd", "passphrase", "secret", "secrets", "token", "credential", "credentials", "apikey", "api_key", "access_key",
	"private_key",
}

// isSecretName reports whether a job argument with this name, or a member of one, is treated as environment
// variables are: its value is never shown.
func isSecretName(name string) bool {
	name = acronymThenWord.ReplaceAllString(name, "${1}_${2}")
	name = wordThenCapital.ReplaceAllString(name, "${1}_${2}")
	name = digits.ReplaceAllString(name, "_")
	name = "_" + strings.ToLower(notWord.ReplaceAllString(name, "_")) + "_"
	return slices.ContainsFunc(secretWords, func(word string) bool { return strings.Contains(name, "_"+word+"_") })
}

var (
	digits  = regexp.MustCompile(`\d+`)
	notWord = regexp.MustCompile(`[^\p{L}]+`)
)

// redactArgs replaces the values of secret names in job arguments, at any depth, in place.
func redactArgs(v any, isSecret func(name string) bool) {
	switch v := v.(type) {
	case JobArgs:
		redactArgs(map[string]any(v), isSecret)
	case map[string]any:
		for name := range v {
			if isSecret(name) {
				v[name] = redacted
			} else {
				redactArgs(v[name], isSecret)
			}
		}
	case map[string]string:
		for name := range v {
			if isSecret(name) {
				v[name] = redacted
			}
		}
	case []any:
		for _, item := range v {
			redactArgs(item, isSecret)
		}
	}
}

// secretArgs calls found for each text and number that has a secret name, or is inside of what has one.
func secretArgs(args JobArgs, isSecret func(name string) bool, found func(name, value string)) {
	var walk func(name string, secret bool, v any)
	walk = func(name string, secret bool, v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, item := range v {
				switch {
				case secret:
					found(name, key)
					walk(name, true, item)
				case isSecret(key):
					walk(key, true, item)
				default:
					walk(name, false, item)
				}
			}
		case []any:
			for _, item := range v {
				walk(name, secret, item)
			}
		case nil, bool:
		case json.Number:
			if f, err := v.Float64(); secret && err == nil { // as Python prints it
				found(name, strconv.FormatFloat(f, 'f', -1, 64))
			}
			if secret {
				found(name, v.String())
			}
		default:
			if secret {
				found(name, flagText(v))
			}
		}
	}
	for name, value := range args {
		if plain, err := plainJSON(value); err == nil {
			walk(name, isSecret(name), plain)
		}
	}
}
