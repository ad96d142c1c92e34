package cli

import (
	"encoding/json"
	"testing"
)

// What is inserted into settings leaves everything else as it is: order, comments, indentation and ends of lines.
func TestJSONCInsert(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, want string }{
		"empty":            {"{}\n", "{\n  \"l\": [\n    1\n  ]\n}\n"},
		"a member":         {"{\"z\": 1}", "{\"z\": 1,\n  \"l\": [\n    1\n  ]\n}"},
		"indented by tabs": {"{\n\t\"z\": 1,\n\t\"a\": 2\n}\n", "{\n\t\"z\": 1,\n\t\"a\": 2,\n\t\"l\": [\n\t\t1\n\t]\n}\n"},
		"comments": {
			"// top\n{\n    // of z: \"l\": [\n    \"z\": \"/* not one */ , //\", // mine, too\n    /* the \"end\" */\n}\n// bottom\n",
			"// top\n{\n    // of z: \"l\": [\n    \"z\": \"/* not one */ , //\", // mine, too\n    /* the \"end\" */\n    \"l\": [\n        1\n    ]\n}\n// bottom\n",
		},
		"no last comma":         {"{\n  \"z\": 1 // mine\n}", "{\n  \"z\": 1, // mine\n  \"l\": [\n    1\n  ]\n}"},
		"a list":                {"{\n  \"l\": [\n    {\"a\": \"\\\"]\"} // of a\n  ],\n  \"z\": 1\n}", "{\n  \"l\": [\n    {\"a\": \"\\\"]\"}, // of a\n    1\n  ],\n  \"z\": 1\n}"},
		"a list with a comma":   {"{\n  \"l\": [\n    0,\n  ], // l\n}", "{\n  \"l\": [\n    0,\n    1\n  ], // l\n}"},
		"a list with a comment": {"{\n  \"l\": [ /* none */ ]\n}", "{\n  \"l\": [ /* none */\n    1\n  ]\n}"},
		"null":                  {"{\n  \"l\": null, // none\n  \"z\": 1\n}", "{\n  \"l\": [\n    1\n  ], // none\n  \"z\": 1\n}"},
		"ends of Windows":       {"{\r\n  \"z\": 1\r\n}\r\n", "{\r\n  \"z\": 1,\r\n  \"l\": [\r\n    1\r\n  ]\r\n}\r\n"},
	} {
		j, err := parseJSONC([]byte(test.text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []byte
		if at, ok := j.members["l"]; ok {
			got, err = j.insert(at, []any{1}, "")
		} else {
			got, err = j.with("l", []any{1})
		}
		if err != nil || string(got) != test.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", name, err, got, test.want)
		}
		again, err := parseJSONC(got)
		if err != nil || !json.Valid(again.plain) {
			t.Errorf("%s: what was made cannot be read: %v", name, err)
		}
	}
	for _, text := range []string{"", "[]", "{", `{"a"}`, "{} {}", "{/*", `{"a": 1,, "b": 2}`, "// only", `{"a`, `{"a\`} {
		if _, err := parseJSONC([]byte(text)); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}
