package scriptspec

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"github.com/scriptspec/scriptspec/internal/strictjson"
)

// MarshalYAML is for gopkg.in/yaml.v3 and go.yaml.in/yaml/v3. These write a float64 that is whole without
// a fraction: 1.0 becomes 1, which Python tells apart. A whole number that needs more than 64 bits is an error,
// as YAML would make a float of it.
func (a JobArgs) MarshalYAML() (any, error) {
	if a == nil {
		return nil, nil
	}
	var w strictjson.Writer
	if err := a.write(&w); err != nil {
		return nil, unsupported(fieldJobArgs, "job_args", "", err)
	}
	var r strictjson.Reader
	r.Reset(w.Buf)
	v, _ := r.Any()
	args, _ := v.(map[string]any)
	for key := range args {
		if !yamlNumbers(args, key) {
			return nil, fieldErrorf(rank{section: int(fieldJobArgs), key: key}, keyed("job_args", key), CodeUnsupported,
				"a whole number of more than 64 bits cannot be written as YAML").hintf("make it a string, or use JSON")
		}
	}
	return args, nil
}

// yamlNumbers makes the numbers in m[key] such that a YAML library writes them as numbers, and reports whether
// they all are.
func yamlNumbers(m map[string]any, key string) bool {
	switch v := m[key].(type) {
	case json.Number:
		n, ok := yamlNumber(v)
		m[key] = n
		return ok
	case map[string]any:
		for key := range v {
			if !yamlNumbers(v, key) {
				return false
			}
		}
	case []any:
		for i := range v {
			item := map[string]any{"": v[i]}
			if !yamlNumbers(item, "") {
				return false
			}
			v[i] = item[""]
		}
	}
	return true
}

func yamlNumber(n json.Number) (any, bool) {
	text := n.String()
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		return i, true
	}
	if u, err := strconv.ParseUint(text, 10, 64); err == nil {
		return u, true
	}
	f, err := n.Float64()
	return f, err == nil && strings.ContainsAny(text, ".eE")
}

// UnmarshalYAML is for gopkg.in/yaml.v3 and go.yaml.in/yaml/v3, which call it without this package having to
// import either. Numbers keep their digits, as in JSON; what YAML takes for a date stays a string.
func (a *JobArgs) UnmarshalYAML(unmarshal func(any) error) error {
	var m map[string]yamlValue
	if err := unmarshal(&m); err != nil {
		return err
	}
	if m == nil {
		*a = nil
		return nil
	}
	*a = make(JobArgs, len(m))
	for key, v := range m {
		(*a)[key] = v.value
	}
	return nil
}

// yamlValue reads any value of YAML as a value of JSON.
type yamlValue struct{ value any }

func (y *yamlValue) UnmarshalYAML(unmarshal func(any) error) error {
	var plain any
	if err := unmarshal(&plain); err != nil {
		return err
	}
	switch plain := plain.(type) {
	case nil, bool, string:
		y.value = plain
	case []any:
		var list []yamlValue
		if err := unmarshal(&list); err != nil {
			return err
		}
		values := make([]any, len(list))
		for i, v := range list {
			values[i] = v.value
		}
		y.value = values
	case map[string]any, map[any]any:
		var m map[string]yamlValue
		if err := unmarshal(&m); err != nil {
			return err
		}
		values := make(map[string]any, len(m))
		for key, v := range m {
			values[key] = v.value
		}
		y.value = values
	case float64:
		if math.IsInf(plain, 0) || math.IsNaN(plain) {
			y.value = plain // saving and running refuse it by name
			return nil
		}
		return y.number(unmarshal, strconv.FormatFloat(plain, 'g', -1, 64))
	default: // an integer, or a date
		return y.number(unmarshal, "")
	}
	return nil
}

// number keeps the digits of a number if they are those of JSON, and else has it as YAML understands it.
func (y *yamlValue) number(unmarshal func(any) error, understood string) error {
	var text string
	if err := unmarshal(&text); err != nil {
		return err
	}
	y.value = text
	var i int64
	var u uint64
	switch {
	case isJSONNumber(text):
		y.value = json.Number(text)
	case understood != "":
		y.value = json.Number(understood)
	case unmarshal(&i) == nil: // 0x1f, 1_000
		y.value = json.Number(strconv.FormatInt(i, 10))
	case unmarshal(&u) == nil:
		y.value = json.Number(strconv.FormatUint(u, 10))
	}
	return nil
}

func isJSONNumber(text string) bool {
	var r strictjson.Reader
	r.Reset([]byte(text))
	_, ok := r.Number()
	r.End()
	return ok && len(r.Problems()) == 0
}
