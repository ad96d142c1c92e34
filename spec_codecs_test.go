package scriptspec_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// record has a member of every type that a row of the table may have.
type record struct {
	Owner  string             `json:"owner"`
	Tags   []string           `json:"tags"`
	Labels map[string]string  `json:"labels"`
	Args   scriptspec.JobArgs `json:"args"`
	Needs  needs              `json:"needs"`
	Closed closed             `json:"closed"`
}

type needs struct {
	Steps []string           `json:"steps"`
	Extra map[string]jsonRaw `json:"-"`
}

type closed struct {
	Name string `json:"name"`
}

func filled() *record {
	return &record{
		Owner: "team", Tags: []string{"gpu", "slow"}, Labels: map[string]string{"b": "2", "a": "1"},
		Args:   scriptspec.JobArgs{"n": 1},
		Needs:  needs{Steps: []string{"Load"}, Extra: map[string]jsonRaw{"note": jsonRaw(`[1.0]`)}},
		Closed: closed{Name: "x"},
	}
}

const filledJSON = `{
  "owner": "team",
  "tags": [
    "gpu",
    "slow"
  ],
  "labels": {
    "a": "1",
    "b": "2"
  },
  "args": {
    "n": 1
  },
  "needs": {
    "steps": [
      "Load"
    ],
    "note": [
      1.0
    ]
  },
  "closed": {
    "name": "x"
  }
}`

// A struct with nothing but JSON tags is written, read, copied, compared and checked.
func TestObjectsOfEveryType(t *testing.T) {
	t.Parallel()
	text, errs := scriptspec.EncodeObject(filled())
	require.Empty(t, errs)
	assert.Equal(t, filledJSON, text)

	var back record
	require.NoError(t, scriptspec.DecodeObject(text, &back))
	assert.True(t, scriptspec.EqualObjects(filled(), &back))
	again, errs := scriptspec.EncodeObject(&back)
	require.Empty(t, errs)
	assert.Equal(t, text, again)

	var c record
	scriptspec.CopyObject(&c, &back)
	assert.Equal(t, back, c)
	for name, change := range map[string]func(r *record){
		"owner":  func(r *record) { r.Owner = "others" },
		"tags":   func(r *record) { r.Tags[0] = "x" },
		"labels": func(r *record) { r.Labels["a"] = "x" },
		"args":   func(r *record) { r.Args["n"] = 2 },
		"needs":  func(r *record) { r.Needs.Steps[0] = "x" },
		"extra":  func(r *record) { r.Needs.Extra["note"][1] = '2' },
		"closed": func(r *record) { r.Closed.Name = "y" },
	} {
		var changed record
		scriptspec.CopyObject(&changed, &c)
		change(&changed)
		assert.False(t, scriptspec.EqualObjects(&changed, &c), name)
		assert.Equal(t, back, c, "the copy of %s is shared", name)
	}

	text, errs = scriptspec.EncodeObject(&record{})
	require.Empty(t, errs)
	assert.Equal(t, "{}", text, "what is empty is left out")
}

func TestObjectsWithProblems(t *testing.T) {
	t.Parallel()
	bad := filled()
	bad.Owner, bad.Tags[1], bad.Labels["a"], bad.Needs.Steps[0], bad.Args["n"] = "\x00", "\x00", "\x00", "a\x00", func() {}
	bad.Needs.Extra = map[string]jsonRaw{"Steps": jsonRaw("1")}
	assert.Equal(t, []string{".owner", ".tags[1]", `.labels["a"]`, ".needs.steps[0]"}, scriptspec.CheckObject(bad))
	bad.Closed.Name = "\xff"
	_, places := scriptspec.EncodeObject(bad)
	assert.Equal(t, []string{`.args["n"]`, ".needs.Steps", ".closed.name"}, places)

	for text, want := range map[string]string{
		`{"tags":["a",1]}`:               `tags[1]: want a string, found a number`,
		`{"needs":{"steps":{}}}`:         `needs["steps"]: want a list, found an object`,
		`{"needs":{"Steps":[]}}`:         `differs from steps only in case`,
		`{"closed":{"nam":"x"}}`:         `unknown member (did you mean name?)`,
		`{"owner":"a","owner":"b"}`:      `owner`,
		`{"labels":{"a":"1","a":"2"}}`:   `labels["a"]`,
		`{"owner":"a\u0000"}`:            `holds a NUL byte`,
		`{"needs":{"steps":["\u0000"]}}`: `holds a NUL byte`,
	} {
		require.ErrorContains(t, scriptspec.DecodeObject(text, new(record)), want, text)
	}
}
