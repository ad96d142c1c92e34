package cli

import (
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"github.com/scriptspec/scriptspec"
)

// setting is what one --set does to specs.
type setting struct {
	environ bool
	name    string
	text    string
	value   any         // of a job argument
	secret  atomic.Bool // for one of the specs at least
}

type settingList []*setting

func settingsOf(sets []string) (settingList, error) {
	var all settingList
	for _, set := range sets {
		place, text, ok := strings.Cut(set, "=")
		member, name, named := strings.Cut(place, ".")
		if !ok || !named || name == "" {
			return nil, usage("--set %s: want job_args.NAME=JSON or environ_vars.NAME=TEXT", place)
		}
		s := &setting{name: name, text: text}
		switch member {
		case "environ_vars":
			s.environ = true
		case "job_args":
			var args scriptspec.JobArgs
			if err := args.UnmarshalJSON([]byte(`{"v": ` + text + `}`)); err != nil || len(args) != 1 {
				return nil, usage("--set %s: the value is not valid JSON; put strings in quotes", place)
			}
			s.value = args["v"]
		default:
			return nil, usage("--set %s: only job_args and environ_vars can be set", place)
		}
		all = append(all, s)
	}
	return all, nil
}

// apply sets what is to be set, and notes what must not be shown: values of environment variables, and of job arguments that
// are secrets of the spec. It may be called at the same time for several specs.
func (all settingList) apply(s *scriptspec.ScriptExecutionSpec) error {
	for _, one := range all {
		if one.environ {
			s.AddEnvironVar(one.name, one.text)
		} else {
			s.AddJobArg(one.name, one.value)
		}
	}
	const shortest = 6 // of a value that is masked
	for _, one := range all {
		probe := scriptspec.ScriptExecutionSpec{Metadata: scriptspec.Metadata{Secrets: s.Secrets}}
		probe.AddJobArg(one.name, one.value)
		secret := one.environ || !probe.Equal(probe.Redacted())
		for _, value := range s.EnvironVars {
			secret = secret || len(value) >= shortest && strings.Contains(one.text, value)
		}
		if secret {
			one.secret.Store(true)
		}
	}
	return nil
}

// place returns what is set, as in job_args.rows.
func (s *setting) place() string {
	if s.environ {
		return "environ_vars." + s.name
	}
	return "job_args." + s.name
}

// quoted returns the setting as an argument of --set in a shell. Of a secret it has the name of a shell variable, which the
// shell names as well if it is not set.
func (s *setting) quoted() string {
	place := s.place()
	if !s.secret.Load() {
		return quoted(place + "=" + s.text)
	}
	return quoted(place+"=") + `"${` + s.variable() + `?}"`
}

// variable returns the name of a shell variable for a value.
func (s *setting) variable() string {
	name := strings.Map(func(r rune) rune {
		if r < utf8.RuneSelf && (r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9') {
			return r
		}
		return '_'
	}, s.name)
	if name[0] >= '0' && name[0] <= '9' {
		name = "_" + name
	}
	return name
}

// hidden returns the shell variables that stand for values that are not shown.
func (all settingList) hidden() []string {
	var names []string
	for _, s := range all {
		switch {
		case !s.secret.Load():
		case s.environ:
			names = append(names, s.variable())
		default:
			names = append(names, s.variable()+" (JSON)")
		}
	}
	return names
}
