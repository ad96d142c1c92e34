package cli

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/scriptspec/scriptspec"
	"github.com/spf13/cobra"
)

// flagPlaces are the places in errors of the library that are set by a flag of the same name.
var flagPlaces = map[string]string{
	"options.from": "--from", "options.to": "--to", "options.only": "--only", "options.work_dir": "--work", "options.timeout": "--timeout",
	"options.parallelism": "--jobs",
	"slurm.args":          "--sbatch", "RuntimeTester.Retries": "--retries",
	"argo.image": "--image", "argo.claim": "--claim", "argo.mount": "--mount", "argo.data": "--data", "argo.work": "--work",
	"argo.namespace": "--namespace", "argo.service_account": "--service-account", "argo.timeout": "--timeout",
}

// inFlags is the text of an error, in which places that are set by flags are called by these. What a file says, and what a script
// or a spec is quoted with, stays as it is.
func inFlags(err error, places map[string]string) string {
	text := err.Error()
	for _, fe := range fieldErrorsIn(err) {
		if worded, ok := inFlag(fe, places); ok {
			text = strings.Replace(text, fe.Error(), worded, 1)
		}
	}
	return text
}

// inFlag is inFlags for one problem. It reports false for one that is not of a flag.
func inFlag(fe *scriptspec.FieldError, places map[string]string) (string, bool) {
	place, key, _ := strings.Cut(fe.Path, "[")
	flag, ok := places[place]
	if !ok {
		return "", false
	}
	if name, err := strconv.Unquote(strings.TrimSuffix(key, "]")); err == nil {
		flag += " " + harmless(name)
	}
	text := fe.Message
	if _, member, _ := strings.Cut(place, "."); strings.HasPrefix(text, member+" ") {
		text = strings.TrimPrefix(text, member) // it begins with the name of what the flag sets
	} else {
		text = ": " + text
	}
	if fe.Hint != "" {
		text += " (" + fe.Hint + ")"
	}
	return flag + text, true
}

// fieldErrorsIn returns the problems that an error holds, but for those of the text of a file.
func fieldErrorsIn(err error) []*scriptspec.FieldError {
	switch e := err.(type) { //nolint:errorlint // it goes through what is wrapped itself
	case *scriptspec.FieldError:
		return []*scriptspec.FieldError{e}
	case *scriptspec.DecodeError:
		return nil
	case interface{ Unwrap() error }:
		return fieldErrorsIn(e.Unwrap())
	case interface{ Unwrap() []error }:
		var all []*scriptspec.FieldError
		for _, one := range e.Unwrap() {
			all = append(all, fieldErrorsIn(one)...)
		}
		return all
	}
	return nil
}

var invalidValue = regexp.MustCompile(`^invalid argument ("(?:[^"\\]|\\.)*") for "(?:-., )?--([^"]+)" flag: `)

// wrongValue says what a flag wants instead of a value that is not of its type, where cobra says what Go could not do.
func wrongValue(cmd *cobra.Command, err error) error {
	found := invalidValue.FindStringSubmatch(err.Error())
	if found == nil {
		return err
	}
	flag := cmd.Flag(found[2])
	value, quoteErr := strconv.Unquote(found[1])
	if flag == nil || quoteErr != nil {
		return err
	}
	want := map[string]string{
		"int": "a whole number", "duration": "a time, such as 90s or 5m", "bool": "true or false", "stringSlice": "words with commas between them",
	}[flag.Value.Type()]
	return fmt.Errorf("--%s %s: want %s", flag.Name, harmless(value), cmp.Or(want, "another value"))
}

// codeOfFlags returns the exit code for an error that is about what flags say: about nodes that there are not, nothing is
// selected. 0 if it is about something else as well.
func codeOfFlags(err error) int {
	code := 0
	problems := []error{err}
	if all, ok := errors.AsType[*scriptspec.ValidationError](err); ok {
		problems = all.Unwrap()
	}
	for _, err := range problems {
		_, isText := errors.AsType[*scriptspec.DecodeError](err)
		fe, ok := errors.AsType[*scriptspec.FieldError](err)
		if !ok || isText {
			return 0
		}
		place, _, _ := strings.Cut(fe.Path, "[")
		switch _, known := flagPlaces[place]; {
		case !known:
			return 0
		case fe.Code != scriptspec.CodeUnknownNode:
			code = exitUsage
		case code == 0:
			code = exitNone
		}
	}
	return code
}

// wrongCall makes an error about a name or value that was passed one of the call. What a file says stays as it is.
func wrongCall(err error) error {
	_, isText := errors.AsType[*scriptspec.DecodeError](err)
	if _, ok := errors.AsType[*scriptspec.FieldError](err); ok && !isText {
		return &exit{exitUsage, err}
	}
	return err
}
