package crud

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type sample struct {
	Name   *string           `json:"name,omitempty"`
	At     *string           `json:"at,omitempty" same:"time"`
	Wait   *string           `json:"wait,omitempty" same:"duration"`
	On     *bool             `json:"on,omitempty"`
	Tags   []string          `json:"tags,omitempty"`
	Labels map[string]string `json:"labels,omitempty"`
	Batch  *batch            `json:"batch,omitempty" same:"unsaid"`
	Parts  []part            `json:"parts,omitempty"`
	Own    *string           `json:"-"`
}

type batch struct {
	Rows  *int64 `json:"rows,omitempty" same:"unsaid"`
	Bytes *int64 `json:"bytes,omitempty" same:"unsaid"`
}

type part struct {
	Name string  `json:"name"`
	Wait *string `json:"wait,omitempty" same:"duration"`
}

// TestInto has the model keep what means the same, and take what does not.
func TestInto(t *testing.T) {
	for name, c := range map[string]struct {
		prior  sample
		answer string
		want   sample
	}{
		"nothing and empty":        {sample{}, `{"name":"","on":false,"tags":[],"labels":{}}`, sample{}},
		"empty stays empty":        {sample{Tags: []string{}, Name: new("")}, `{}`, sample{Tags: []string{}, Name: new("")}},
		"drift":                    {sample{Name: new("a"), On: new(true)}, `{"name":"b","on":false}`, sample{Name: new("b"), On: new(false)}},
		"gone":                     {sample{Name: new("a"), Tags: []string{"x"}}, `{}`, sample{}},
		"another zone":             {sample{At: new("2030-01-01T01:00:00+01:00")}, `{"at":"2030-01-01T00:00:00Z"}`, sample{At: new("2030-01-01T01:00:00+01:00")}},
		"another time":             {sample{At: new("2030-01-01T01:00:00+01:00")}, `{"at":"2030-01-01T05:00:00.000Z"}`, sample{At: new("2030-01-01T05:00:00Z")}},
		"a time without zeros":     {sample{}, `{"at":"2030-01-01T05:00:00.000Z"}`, sample{At: new("2030-01-01T05:00:00Z")}},
		"another unit":             {sample{Wait: new("300s")}, `{"wait":"5m"}`, sample{Wait: new("300s")}},
		"a first duration of zero": {sample{}, `{"wait":"0s"}`, sample{Wait: new("0s")}},
		"the server's own numbers": {sample{}, `{"batch":{"rows":5}}`, sample{}},
		"some of the numbers":      {sample{Batch: &batch{Rows: new(int64(5))}}, `{"batch":{"rows":6,"bytes":7}}`, sample{Batch: &batch{Rows: new(int64(6))}}},
		"parts by their place": {
			sample{Parts: []part{{"a", new("60s")}}}, `{"parts":[{"name":"a","wait":"1m"},{"name":"b","wait":"2m"}]}`,
			sample{Parts: []part{{"a", new("60s")}, {"b", new("2m")}}},
		},
		"what the API does not have": {sample{Own: new("mine")}, `{"name":"a"}`, sample{Name: new("a"), Own: new("mine")}},
	} {
		t.Run(name, func(t *testing.T) {
			got := c.prior
			if err := Into(&got)(json.RawMessage(c.answer), nil); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestSameJSON(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{`{"a":1,"b":false}`, `{ "a": 1.0 }`, true},
		{`{"a":{"b":""}}`, `{}`, true},
		{`{"a":[]}`, `{"a":null}`, true},
		{`{"a":[0,1]}`, `{"a":[1]}`, false},
		{`{"a":1}`, `{"a":2}`, false},
		{`{`, `{`, false},
	} {
		if got := SameJSON(c.a, c.b); got != c.same {
			t.Errorf("SameJSON(%s, %s) is %t", c.a, c.b, got)
		}
	}
}
