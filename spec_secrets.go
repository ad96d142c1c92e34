package scriptspec

import (
	"slices"
	"strings"
	"unicode"
)

// secretWords are what the name of a job argument has in it, as whole words, if its value is a secret.
var secretWords = []string{
	"password", "passwd", "passphrase", "secret", "secrets", "token", "credential", "credentials", "apikey", "api_key", "access_key",
	"private_key",
}

// isSecretName reports whether a job argument with this name, or a member of one, is treated as environment
// variables are: its value is never shown.
func isSecretName(name string) bool {
	var words strings.Builder
	words.WriteByte('_')
	lower := false
	for _, r := range name {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			r = '_'
		case unicode.IsUpper(r) && lower:
			words.WriteByte('_')
		}
		lower = unicode.IsLower(r)
		words.WriteRune(unicode.ToLower(r))
	}
	words.WriteByte('_')
	return slices.ContainsFunc(secretWords, func(word string) bool { return strings.Contains(words.String(), "_"+word+"_") })
}

// redactArgs replaces the values of secret names in job arguments, at any depth, in place.
func redactArgs(v any) {
	switch v := v.(type) {
	case JobArgs:
		redactArgs(map[string]any(v))
	case map[string]any:
		for name := range v {
			if isSecretName(name) {
				v[name] = redacted
			} else {
				redactArgs(v[name])
			}
		}
	case map[string]string:
		for name := range v {
			if isSecretName(name) {
				v[name] = redacted
			}
		}
	case []any:
		for _, item := range v {
			redactArgs(item)
		}
	}
}

// secretArgs calls found for each text and number that has a secret name, or is inside of what has one.
func secretArgs(args JobArgs, found func(name, value string)) {
	var walk func(name string, secret bool, v any)
	walk = func(name string, secret bool, v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, item := range v {
				if inside := secret || isSecretName(key); inside && !secret {
					walk(key, inside, item)
				} else {
					walk(name, inside, item)
				}
			}
		case []any:
			for _, item := range v {
				walk(name, secret, item)
			}
		case nil, bool:
		default:
			if secret {
				found(name, flagText(v))
			}
		}
	}
	for name, value := range args {
		if plain, err := plainJSON(value); err == nil {
			walk(name, isSecretName(name), plain)
		}
	}
}
