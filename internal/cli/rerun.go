package cli

import (
	"encoding/csv"
	"fmt"
	"os"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
)

// Flags of run that are part of the command that runs a script again, since they change how it is run.
var repeated = []string{
	"set", "command-line", "timeout", "retries", "warm", "preload", "engine", "sbatch", "keep", "no-history",
}

// rerun returns the command that runs again what some words select: with the flags that a call was given.
func (a *app) rerun(cmd *cobra.Command, sets settingList, words ...string) string {
	call := []string{a.again(words...)}
	for _, name := range repeated {
		flag := cmd.Flags().Lookup(name)
		if flag == nil || !flag.Changed {
			continue
		}
		list, isList := flag.Value.(interface{ GetSlice() []string })
		switch {
		case name == "set":
			for _, s := range sets {
				call = append(call, "--set", s.quoted())
			}
		case flag.Value.Type() == "bool":
			if flag.Value.String() == "true" {
				call = append(call, "--"+name)
			}
		case isList:
			for _, value := range list.GetSlice() {
				if flag.Value.Type() == "stringSlice" { // which a comma would split
					value = asCSV(value)
				}
				call = append(call, flagged(name, value))
			}
		default:
			call = append(call, flagged(name, flag.Value.String()))
		}
	}
	return strings.Join(call, " ")
}

func flagged(name, value string) string {
	if strings.HasPrefix(value, "-") {
		return "--" + name + "=" + quoted(value)
	}
	return "--" + name + " " + quoted(value)
}

func asCSV(value string) string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	_ = w.Write([]string{value}) // a Builder takes all
	w.Flush()
	return strings.TrimSuffix(b.String(), "\n")
}

// again returns the command line of another call.
func (a *app) again(words ...string) string {
	call := []string{"scriptspec"}
	if a.dir != "" {
		call = append(call, "-C", quoted(a.dir))
	}
	if a.python != "" && (a.python != a.settings.Python || os.Getenv("SCRIPTSPEC_PYTHON") != "") {
		call = append(call, "--python", quoted(a.python))
	}
	for _, word := range words {
		call = append(call, quoted(word))
	}
	return strings.Join(call, " ")
}

// quoted quotes a word for a POSIX shell, of a person or of CI. What a terminal would act on is written with escapes.
func quoted(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-./:=,+@%", r)
	}
	if word != "" && !strings.ContainsFunc(word, func(r rune) bool { return !plain(r) }) {
		return word
	}
	if strings.ContainsFunc(word, func(r rune) bool { return unicode.IsControl(r) || !unicode.IsPrint(r) }) {
		var b strings.Builder
		text := strings.TrimRight(word, "\n") // the others are lost by "$()"
		for i, c := range []byte(text) {
			if c < 0x80 && plain(rune(c)) && c != '%' && (i > 0 || c != '-') { // which would be a flag of printf
				b.WriteByte(c)
			} else {
				fmt.Fprintf(&b, `\%03o`, c)
			}
		}
		end := ""
		if text != word {
			end = "'" + word[len(text):] + "'"
		}
		return `"$(printf '` + b.String() + `')"` + end
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
